"""What happened to each channel so far; how it should be served stands in the configuration."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import ARRAY, BigInteger, DateTime, bindparam, func, insert, or_, select, text, update
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.domain.channel import Channel, ChannelId
from bot.domain.delivery import DeliveryId, State
from bot.domain.plan import Status
from bot.domain.timetable import Timetable
from bot.store import statements
from bot.store.database import Database, ring
from bot.store.decisions import Decision, decide
from bot.store.tables import channels, deliveries, house, ledger


@dataclass(frozen=True, slots=True, kw_only=True)
class ChannelRow:
    """A channel's row, and until when everything is stopped."""

    id: ChannelId
    name: str
    wake_at: datetime | None
    last_at: datetime | None
    paused_until: datetime | None
    rests_until: datetime | None
    access_lost_at: datetime | None
    access_detail: str
    stopped_until: datetime | None


_STOP = select(house.c.at).where(house.c.name == "stop").scalar_subquery().label("stopped_until")
_OPEN = select(channels, _STOP).where(channels.c.closed_at.is_(None))
_ONE = _OPEN.where(channels.c.id == bindparam("channel"))
_ALONE = _ONE.add_columns(func.clock_timestamp(type_=DateTime(timezone=True)).label("now")).with_for_update(
    skip_locked=True, key_share=True, of=channels
)
# The time is told when all the rows are locked, however long that took.
_TURN = text(
    "WITH mine AS (SELECT id FROM channels WHERE id = ANY(:ids) ORDER BY id FOR NO KEY UPDATE)"
    " SELECT count(*), clock_timestamp() AS now FROM mine"
).bindparams(bindparam("ids", type_=ARRAY(BigInteger)))


@asynccontextmanager
async def turn(database: Database, ids: Iterable[ChannelId]) -> AsyncIterator[tuple[AsyncConnection, datetime]]:
    """Open a transaction that changes something of these channels, and tell the time.

    Their rows are locked first and in one order, by everybody: two that change the same channels never wait for each
    other in a circle.
    """
    async with database.write() as tx:
        if database.is_embedded:
            yield tx, await database.now(tx)
        else:
            locked = (await tx.execute(_TURN, {"ids": list(ids)})).one()
            yield tx, locked.now.astimezone(UTC)


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
        await tx.execute(text("SELECT id FROM channels ORDER BY id FOR NO KEY UPDATE"))
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
    if close:
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


async def get(tx: AsyncConnection, channel_id: ChannelId) -> ChannelRow | None:
    """Return an open channel's row."""
    row = (await tx.execute(_ONE, {"channel": channel_id})).one_or_none()
    return _row(row) if row else None


async def alone(database: Database, tx: AsyncConnection, channel_id: ChannelId) -> tuple[ChannelRow, datetime] | None:
    """Lock a channel's row and return it with the time; None where another replica has it."""
    query = _ONE if database.is_embedded else _ALONE
    row = (await tx.execute(query, {"channel": channel_id})).one_or_none()
    if row is None:
        return None
    return _row(row), await database.now(tx) if database.is_embedded else row.now.astimezone(UTC)


async def everyone(tx: AsyncConnection) -> list[ChannelRow]:
    """Return the open channels."""
    return [_row(row) for row in await tx.execute(_OPEN)]


async def wake(tx: AsyncConnection, ids: Sequence[ChannelId], at: datetime) -> None:
    """Have the workers look at channels at that time or earlier, those of other processes too."""
    if ids:
        await ring(tx)
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
    await statements.change(tx, channels, {"id": channel_id}, columns)


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
    return Status(
        last_at=row.last_at,
        day=day,
        day_count=count,
        paused_until=row.paused_until,
        stopped_until=row.stopped_until,
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
        stopped_until=row.stopped_until,
    )
