"""When what waits would go out: the plan of each channel, as the worker itself would follow it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from itertools import islice, takewhile

from sqlalchemy.ext.asyncio import AsyncConnection

from bot.domain.channel import Channel, ChannelId
from bot.domain.delivery import Delivery
from bot.domain.plan import Head, Slot, plan
from bot.store import channels, deliveries

_FARTHEST = 300  # slots


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
        if only is None or channel.name == only:
            slots = await _slots(tx, channel_id, channel, now)
            found += [(channel, slot) for slot in takewhile(lambda slot: until is None or slot.at < until, slots)]
    return sorted(found, key=lambda pair: (pair[1].at, pair[0].name))


async def coming(
    tx: AsyncConnection, channel: Channel, delivery: Delivery, now: datetime, until: datetime
) -> Slot | None:
    """Return the slot of a planned delivery; None where it has none before `until`."""
    slots = await _slots(tx, delivery.channel_id, channel, now)
    before = takewhile(lambda slot: slot.at < until, slots)
    return next((slot for slot in before if slot.head.delivery == delivery.id), None)


async def slot_of(tx: AsyncConnection, channel: Channel, delivery: Delivery, now: datetime) -> datetime | None:
    """Return when a delivery that is not planned would go out in its turn; None where that cannot be told.

    A queue of which its turn is not among the first few hundred is not reckoned through.
    """
    own = Head(delivery=delivery.id, kind=delivery.kind, turn=delivery.turn, turn_at=delivery.turn_at)
    slots = await _slots(tx, delivery.channel_id, channel, now, own)
    mine = (slot for slot in islice(slots, _FARTHEST) if slot.head.delivery == delivery.id)
    found = next(mine, None)
    return found.at if found is not None and not found.expires else None


async def _slots(
    tx: AsyncConnection, channel_id: ChannelId, channel: Channel, now: datetime, *more: Head
) -> Iterable[Slot]:
    """Return a channel's plan, reckoned as it is read; `more` waits beside what is planned. Empty without access."""
    row = await channels.get(tx, channel_id)
    if row is None or row.access_lost_at is not None:
        return ()
    status = await channels.status(tx, row, channel.timetable, now)
    return plan(channel.timetable, status, [*await deliveries.waiting(tx, channel_id), *more], now)
