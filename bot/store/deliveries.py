"""The queue: who waits, whose turn it is, and every step from state to state.

Every move is one UPDATE that names the fence and the state it starts from and must touch exactly one row.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import bindparam, insert, select, text, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.compose.markup import plain
from bot.domain.article import ArticleId
from bot.domain.channel import ChannelId, Platform
from bot.domain.delivery import (
    FINAL,
    Delivery,
    DeliveryId,
    HeldReason,
    Kind,
    State,
    Turn,
    moved,
)
from bot.domain.plan import Head
from bot.domain.post import Own
from bot.errors import LostClaimError
from bot.store import statements
from bot.store.statements import rows_by
from bot.store.tables import UtcTime, deliveries

# Conditions in the exact words of the partial indexes: otherwise a planner scans the whole history.
UNFINISHED = "state IN ('proposed', 'planned', 'claimed', 'sending', 'unknown', 'held')"
IN_FLIGHT = "state IN ('claimed', 'sending', 'unknown')"
STANDING = "state IN ('proposed', 'held')"
_COLUMNS = "id, kind, turn, turn_at, pinned_at"
_UNPINNED = "state = 'planned' AND pinned_at IS NULL"
_PINNED = "state = 'planned' AND pinned_at IS NOT NULL"
_FLYING = -1  # stands for a turn in the answer
HEADS = " UNION ALL ".join(
    [
        f"SELECT * FROM (SELECT {_COLUMNS} FROM deliveries WHERE channel_id = :channel AND turn = {turn.value}"  # noqa: S608
        f" AND {_UNPINNED} ORDER BY turn_at, id LIMIT 1) AS t{turn.value}"
        for turn in (Turn.WITHDRAWAL, Turn.BREAKING, Turn.EDIT, Turn.ORDINARY)
    ]
    + [
        f"SELECT * FROM (SELECT {_COLUMNS} FROM deliveries WHERE channel_id = :channel"  # noqa: S608
        f" AND {_PINNED} ORDER BY pinned_at, id LIMIT 1) AS t1",
        f"SELECT id, kind, {_FLYING}, turn_at, pinned_at FROM deliveries WHERE channel_id = :channel AND {IN_FLIGHT}",  # noqa: S608
    ]
)
_QUERY = text(HEADS).columns(
    deliveries.c.id,
    deliveries.c.kind,
    deliveries.c.turn,
    turn_at=UtcTime,
    pinned_at=UtcTime,
)
_FIRST = text(HEADS.replace(" LIMIT 1)", " LIMIT :most)")).columns(
    deliveries.c.id,
    deliveries.c.kind,
    deliveries.c.turn,
    turn_at=UtcTime,
    pinned_at=UtcTime,
)
_WAITING = text(
    f"SELECT {_COLUMNS} FROM deliveries WHERE channel_id = :channel AND state = 'planned' AND {UNFINISHED}"  # noqa: S608
).columns(
    deliveries.c.id,
    deliveries.c.kind,
    deliveries.c.turn,
    turn_at=UtcTime,
    pinned_at=UtcTime,
)
_QUEUE = {
    dialect.name: insert_here(deliveries).on_conflict_do_nothing().returning(deliveries.c.id)
    for dialect, insert_here in ((sqlite.dialect, sqlite.insert), (postgresql.dialect, postgresql.insert))
}
_CLAIM = (
    update(deliveries)
    .where(deliveries.c.id == bindparam("the_id"), deliveries.c.state == State.PLANNED)
    .values(state=State.CLAIMED, fence=deliveries.c.fence + 1, lease_until=bindparam("until"))
    .values(held_reason=None, finished_at=None)
    .returning(deliveries)
)


@dataclass(frozen=True, slots=True, kw_only=True)
class NewDelivery:
    """A delivery about to be queued; the fields are `Delivery`'s."""

    kind: Kind
    channel_id: ChannelId
    article_id: ArticleId | None
    revision: int
    state: State
    turn: Turn
    turn_at: datetime
    repost: int = 0
    target_id: DeliveryId | None = None
    held_reason: HeldReason | None = None
    pinned_at: datetime | None = None
    backlog: bool = False
    rung: int = 0
    own: Own | None = None
    listed: Sequence[int] | None = None
    error: str = ""


async def queue(tx: AsyncConnection, new: NewDelivery, now: datetime) -> DeliveryId | None:
    """Queue a delivery; None where the channel has this post, or a waiting change of it, already."""
    values = {
        "kind": new.kind,
        "channel_id": new.channel_id,
        "article_id": new.article_id,
        "repost": new.repost,
        "revision": new.revision,
        "target_id": new.target_id,
        "state": new.state,
        "held_reason": new.held_reason,
        "turn": new.turn.value,
        "turn_at": new.turn_at,
        "pinned_at": new.pinned_at,
        "backlog": new.backlog,
        "rung": new.rung,
        "listed": list(new.listed) if new.listed is not None else None,
        "queued_at": now,
        "error": new.error,
    } | own_columns(new.own or Own())
    made = (await tx.execute(_QUEUE[tx.dialect.name], values)).scalar_one_or_none()
    return None if made is None else DeliveryId(made)


async def heads(tx: AsyncConnection, channel_id: ChannelId) -> list[Head] | None:
    """Return the first of each turn that waits in a channel; six index seeks, however long the queue is.

    None where something of the channel is being prepared, sent or sought: nothing may go.
    """
    rows = (await tx.execute(_QUERY, {"channel": channel_id})).all()
    return None if any(row.turn == _FLYING for row in rows) else [_head(row) for row in rows]


async def first(tx: AsyncConnection, channel_id: ChannelId, most: int) -> list[Head]:
    """Return the first few of each turn that wait in a channel."""
    rows = await tx.execute(_FIRST, {"channel": channel_id, "most": most})
    return [_head(row) for row in rows if row.turn != _FLYING]


async def waiting(tx: AsyncConnection, channel_id: ChannelId) -> list[Head]:
    """Return all that is planned in a channel."""
    return [_head(row) for row in await tx.execute(_WAITING, {"channel": channel_id})]


async def get(tx: AsyncConnection, delivery_id: DeliveryId) -> Delivery:
    """Return a delivery that is known to be there."""
    return _delivery((await tx.execute(rows_by(deliveries, "id"), {"id": delivery_id})).one())


async def find(tx: AsyncConnection, *where: Any) -> list[Delivery]:
    """Return the deliveries that meet conditions on `tables.deliveries`, in order of id."""
    rows = await tx.execute(select(deliveries).where(*where).order_by(deliveries.c.id))
    return [_delivery(row) for row in rows]


async def claim(tx: AsyncConnection, delivery_id: DeliveryId, lease_until: datetime) -> Delivery | None:
    """Take a planned delivery; None where another took it, or something of its channel, first."""
    try:
        row = (await tx.execute(_CLAIM, {"the_id": delivery_id, "until": lease_until})).one_or_none()
    except IntegrityError:
        return None
    return None if row is None else _delivery(row)


async def move(tx: AsyncConnection, delivery: Delivery, to: State, now: datetime, **columns: Any) -> None:
    """Take a delivery one step further.

    Args:
        delivery: as it was read; its fence and state must still hold.
        columns: what else changes with the step.

    Raises:
        TransitionError: the state machine knows no such step.
        LostClaimError: the row has moved on meanwhile.
    """
    moved(delivery, to, now)
    keys = {"id": delivery.id, "fence": delivery.fence, "state": delivery.state}
    step = {"state": to, "held_reason": None, "finished_at": now if to in FINAL else None}
    if await statements.change(tx, deliveries, keys, step | columns) != 1:
        raise LostClaimError(f"delivery {delivery.id} is no longer {delivery.state} under fence {delivery.fence}")


async def texts(tx: AsyncConnection, ids: Sequence[DeliveryId]) -> list[str]:
    """Return the texts that deliveries were sent with."""
    if not ids:
        return []
    return list((await tx.execute(select(deliveries.c.text).where(deliveries.c.id.in_(ids)))).scalars())


async def lease_of(tx: AsyncConnection, delivery_id: DeliveryId) -> datetime | None:
    """Return until when a delivery is claimed."""
    query = select(deliveries.c.lease_until).where(deliveries.c.id == delivery_id)
    moment: datetime | None = (await tx.execute(query)).scalar_one()
    return moment


async def end_all_leases(tx: AsyncConnection, now: datetime) -> None:
    """Let every claim be over: the only process that could have held one is dead."""
    await tx.execute(
        update(deliveries)
        .where(text(IN_FLIGHT), deliveries.c.lease_until > now)
        .values(lease_until=now - timedelta(microseconds=1))
    )


async def change(tx: AsyncConnection, delivery_id: DeliveryId, **columns: Any) -> None:
    """Set columns of a delivery that say nothing of its state."""
    await statements.change(tx, deliveries, {"id": delivery_id}, columns)


def own_columns(own: Own) -> dict[str, Any]:
    """Return the columns that keep what is an editor's in a delivery; the words without markup stand beside it."""
    return {"words": plain(own.words, Platform.TELEGRAM), "own": None if own == Own() else asdict(own)}


async def depth(tx: AsyncConnection) -> dict[tuple[ChannelId, State], int]:
    """Count what is not finished, by channel and state."""
    query = text(f"SELECT channel_id, state, count(*) AS number FROM deliveries WHERE {UNFINISHED} GROUP BY 1, 2")  # noqa: S608
    return {(ChannelId(row.channel_id), State(row.state)): row.number for row in await tx.execute(query)}


async def add_many(tx: AsyncConnection, rows: list[dict[str, Any]]) -> None:
    """Insert rows as they are (tests and benchmarks)."""
    await tx.execute(insert(deliveries), rows)


def _head(row: Any) -> Head:
    return Head(
        delivery=DeliveryId(row.id),
        kind=Kind(row.kind),
        turn=Turn(row.turn),
        turn_at=row.turn_at,
        pinned_at=row.pinned_at,
    )


def _delivery(row: Any) -> Delivery:
    return Delivery(
        id=DeliveryId(row.id),
        kind=Kind(row.kind),
        channel_id=ChannelId(row.channel_id),
        article_id=None if row.article_id is None else ArticleId(row.article_id),
        revision=row.revision,
        target_id=None if row.target_id is None else DeliveryId(row.target_id),
        state=State(row.state),
        turn=Turn(row.turn),
        turn_at=row.turn_at,
        pinned_at=row.pinned_at,
        held_reason=None if row.held_reason is None else HeldReason(row.held_reason),
        fence=row.fence,
        lease_until=row.lease_until,
        attempts=row.attempts,
        rung=row.rung,
        repost=row.repost,
        backlog=row.backlog,
        words=row.words,
        own=None if not row.own else Own(**row.own),
        listed=tuple(row.listed or ()),
        error=row.error,
        finished_at=row.finished_at,
    )
