"""Has one update handled once, whichever way it came."""

from __future__ import annotations

import asyncio

from bot.desk.arrival import Arrival, HandledError
from bot.desk.dispatch import Dispatcher
from bot.errors import DatabaseError
from bot.logs import logger
from bot.store import inboxes

_MOST_FOR_ONE = 20.0  # seconds for one update
_log = logger("desk")


async def handle(dispatcher: Dispatcher, arrival: Arrival) -> None:
    """Have an update handled; what fails for a fault of ours is counted all the same, or it would come for ever.

    Raises:
        DatabaseError: it could not be handled now; it has to come again.
    """
    try:
        async with asyncio.timeout(_MOST_FOR_ONE):
            await dispatcher.handle(arrival)
    except HandledError:
        return
    except DatabaseError:
        raise
    except Exception:
        _log.exception("an update could not be handled", update=arrival.update.update_id, account=arrival.account)
        dispatcher.sorry(arrival)
    if not arrival.is_counted:
        async with arrival.database.write() as tx:
            await inboxes.advance(tx, arrival.account, arrival.update.update_id)
