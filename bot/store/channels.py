"""What happened to each channel so far; how it should be served stands in the configuration."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import func, insert, or_, select, text, update
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.domain.channel import Channel, ChannelId
from bot.domain.delivery import DeliveryId, State
from bot.domain.plan import Status
from bot.domain.timetable import Timetable
from bot.store import bell
from bot.store.database import Database
from bot.store.decisions import Decision, decide
from bot.store.tables import channels, deliveries, house, ledger


@dataclass(frozen=True, slots=True, kw_only=True)
class ChannelRow:
    """A channel's row."""

    id: ChannelId
    name: str
    wake_at: datetime | None
    last_at: datetime | None
    paused_until: datetime | None
    rests_until: datetime | None
    access_lost_at: datetime | None
    access_detail: str


@asynccontextmanager
async def turn(database: Database, ids: Iterable[ChannelId]) -> AsyncIterator[tuple[AsyncConnection, datetime]]:
    """Open a transaction that changes something of these channels, and tell the time.

    Their rows are locked first and in one order, by everybody: two that change the same channels never wait for each
    other in a circle.
    """
    async with database.write() as tx:
        if not database.is_embedded:
            await tx.execute(
                select(channels.c.id).where(channels.c.id.in_(ids)).order_by(channels.c.id).with_for_update()
            )
        yield tx, await database.now(tx)


async def open_channels(
    tx: AsyncConnection, configured: Iterable[Channel], now: datetime, *, close: bool = True
) -> dict[str, ChannelId]:
    """Make the rows agree with the configuration: new ones are opened, those gone are closed.

    A closed channel's waiting deliveries are cancelled; its ledger stays. A changed address is a new channel.

    Args:
        close: only the service closes channels; a command that was given another configuration by mistake must not.
    """
    if tx.dialect.name == "postgresql":
        # Replicas that start together settle their rows one after the other.
        await tx.execute(text("SELECT pg_advisory_xact_lock(7811463296)"))
    wanted = sorted({(channel.name, channel.platform.value, channel.address) for channel in configured})
    rows = (await tx.execute(select(channels))).all()
    known = {(row.name, row.platform, row.address): row for row in rows}
    for key, row in known.items():
        if close and key not in wanted and row.closed_at is None:
            await _close(tx, ChannelId(row.id), now)
    ids: dict[str, ChannelId] = {}
    for name, platform, address in wanted:
        old = known.get((name, platform, address))
        if old is not None:
            if old.closed_at is not None:
                await tx.execute(update(channels).where(channels.c.id == old.id).values(closed_at=None, opened_at=now))
            ids[name] = ChannelId(old.id)
        else:
            query = insert(channels).values(name=name, platform=platform, address=address, opened_at=now)
            ids[name] = ChannelId((await tx.execute(query.returning(channels.c.id))).scalar_one())
    await tx.execute(update(channels).where(channels.c.id.in_(ids.values())).values(wake_at=now))
    return ids


async def _close(tx: AsyncConnection, channel_id: ChannelId, now: datetime) -> None:
    why = "the channel is gone from the configuration"
    await tx.execute(update(channels).where(channels.c.id == channel_id).values(closed_at=now, wake_at=None))
    waiting = [State.PROPOSED, State.PLANNED, State.HELD]
    dropped = await tx.execute(
        update(deliveries)
        .where(deliveries.c.channel_id == channel_id, deliveries.c.state.in_(waiting))
        .values(state=State.CANCELLED, held_reason=None, finished_at=now, error=why)
        .returning(deliveries.c.id, deliveries.c.article_id)
    )
    made = [
        Decision(
            decision="cancelled",
            detail=why,
            article_id=row.article_id,
            channel_id=channel_id,
            delivery_id=DeliveryId(row.id),
        )
        for row in dropped
    ]
    await decide(tx, made, now)


async def due(tx: AsyncConnection, now: datetime, most: int) -> list[ChannelId]:
    """Return the channels that want a look, the one waiting longest first."""
    rows = await tx.execute(
        select(channels.c.id)
        .where(channels.c.closed_at.is_(None), channels.c.wake_at <= now)
        .order_by(channels.c.wake_at)
        .limit(most)
    )
    return [ChannelId(row.id) for row in rows]


async def next_wake(tx: AsyncConnection, now: datetime) -> datetime | None:
    """Return when the first channel that sleeps now wants a look."""
    query = select(func.min(channels.c.wake_at)).where(channels.c.closed_at.is_(None), channels.c.wake_at > now)
    moment: datetime | None = (await tx.execute(query)).scalar_one()
    return moment


async def get(tx: AsyncConnection, channel_id: ChannelId, *, alone: bool = False) -> ChannelRow | None:
    """Return a channel's row.

    Args:
        alone: lock the row; None where another replica has it.
    """
    query = select(channels).where(channels.c.id == channel_id, channels.c.closed_at.is_(None))
    if alone:
        query = query.with_for_update(skip_locked=True)
    row = (await tx.execute(query)).one_or_none()
    return _row(row) if row else None


async def everyone(tx: AsyncConnection) -> list[ChannelRow]:
    """Return the open channels."""
    return [_row(row) for row in await tx.execute(select(channels).where(channels.c.closed_at.is_(None)))]


async def wake(tx: AsyncConnection, ids: Sequence[ChannelId], at: datetime) -> None:
    """Have the workers look at channels at that time or earlier, those of other processes too."""
    if ids:
        await bell.ring(tx)
        await tx.execute(
            update(channels)
            .where(
                channels.c.id.in_(ids),
                or_(channels.c.wake_at.is_(None), channels.c.wake_at > at),
            )
            .values(wake_at=at)
        )


async def change(tx: AsyncConnection, channel_id: ChannelId, **columns: Any) -> None:
    """Set columns of a channel's row."""
    await tx.execute(update(channels).where(channels.c.id == channel_id).values(**columns))


async def note_post(tx: AsyncConnection, channel_id: ChannelId, at: datetime) -> None:
    """Remember when a post went public, unless a newer one is known."""
    earlier = or_(channels.c.last_at.is_(None), channels.c.last_at < at)
    await tx.execute(update(channels).where(channels.c.id == channel_id, earlier).values(last_at=at))


async def status(tx: AsyncConnection, row: ChannelRow, timetable: Timetable, now: datetime) -> Status:
    """Return what the channel has behind it, as planning wants to know it."""
    day, count = None, 0
    if timetable.max_per_day:
        day = timetable.day_of(now)
        query = select(func.count()).where(
            ledger.c.channel_id == row.id,
            ledger.c.published_at >= timetable.day_starts(day),
        )
        count = (await tx.execute(query)).scalar_one()
    stop = (await tx.execute(select(house.c.at).where(house.c.name == "stop"))).scalar_one_or_none()
    return Status(
        last_at=row.last_at,
        day=day,
        day_count=count,
        paused_until=row.paused_until,
        stopped_until=stop,
        rests_until=row.rests_until,
    )


def _row(row: Any) -> ChannelRow:
    return ChannelRow(
        id=ChannelId(row.id),
        name=row.name,
        wake_at=row.wake_at,
        last_at=row.last_at,
        paused_until=row.paused_until,
        rests_until=row.rests_until,
        access_lost_at=row.access_lost_at,
        access_detail=row.access_detail,
    )
