"""When what waits would go out: the plan of each channel, as the worker itself would follow it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from itertools import takewhile

from sqlalchemy.ext.asyncio import AsyncConnection

from bot.domain.channel import Channel, ChannelId
from bot.domain.plan import Slot, plan
from bot.store import channels, deliveries


async def forecast(
    tx: AsyncConnection,
    served: Mapping[ChannelId, Channel],
    now: datetime,
    only: str | None = None,
    until: datetime | None = None,
) -> list[tuple[Channel, Slot]]:
    """Return the slots of all that waits, earliest first.

    Args:
        only: the name of one channel.
        until: leave out what goes out then or later.
    """
    found: list[tuple[Channel, Slot]] = []
    for channel_id, channel in served.items():
        if only is not None and channel.name != only:
            continue
        row = await channels.get(tx, channel_id)
        if row is None or row.access_lost_at is not None:
            continue
        status = await channels.status(tx, row, channel.timetable, now)
        waiting = await deliveries.waiting(tx, channel_id)
        slots = plan(channel.timetable, status, waiting, now)
        found += [(channel, slot) for slot in takewhile(lambda slot: until is None or slot.at < until, slots)]
    return sorted(found, key=lambda pair: (pair[1].at, pair[0].name))
