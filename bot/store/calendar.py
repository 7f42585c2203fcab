"""What the calendar shows: the posts of a stretch of days, those without a time, and a stamp that tells of changes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Select, func, select, text
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.domain.channel import ChannelId
from bot.domain.delivery import DeliveryId, HeldReason, Kind, State
from bot.store.deliveries import UNFINISHED
from bot.store.tables import articles, audit, channels, decisions, deliveries, house, ledger

_AT_ONCE = 500  # bound parameters of one statement


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """A delivery as the calendar names it. `published_at` and what follows are those of its own public post."""

    delivery: DeliveryId
    kind: Kind
    channel_id: ChannelId
    state: State
    held_reason: HeldReason | None
    pinned_at: datetime | None
    title: str
    published_at: datetime | None
    withdrawn_at: datetime | None


def _lines() -> Select[Any]:
    return (
        select(
            deliveries.c.id,
            deliveries.c.kind,
            deliveries.c.channel_id,
            deliveries.c.state,
            deliveries.c.held_reason,
            deliveries.c.pinned_at,
            func.coalesce(ledger.c.title, articles.c.content["title"].as_string(), deliveries.c.words).label("title"),
            ledger.c.published_at,
            ledger.c.withdrawn_at,
        )
        .join_from(deliveries, articles, deliveries.c.article_id == articles.c.id, isouter=True)
        .join(ledger, ledger.c.delivery_id == deliveries.c.id, isouter=True)
    )


async def named(tx: AsyncConnection, ids: Sequence[DeliveryId]) -> dict[DeliveryId, Line]:
    """Return the lines of deliveries by id."""
    found: dict[DeliveryId, Line] = {}
    for start in range(0, len(ids), _AT_ONCE):
        query = _lines().where(deliveries.c.id.in_(ids[start : start + _AT_ONCE]))
        found |= {line.delivery: line for line in map(_line, await tx.execute(query))}
    return found


async def unsettled(tx: AsyncConnection, shown: Sequence[ChannelId], most: int) -> list[Line]:
    """Return what is on its way, then what waits for a person, the oldest first."""
    for_person = deliveries.c.state.in_([State.PROPOSED, State.HELD])
    query = _lines().where(text(UNFINISHED), deliveries.c.channel_id.in_(shown), deliveries.c.state != State.PLANNED)
    query = query.order_by(for_person, deliveries.c.turn_at, deliveries.c.id).limit(most)
    return [_line(row) for row in await tx.execute(query)]


async def stranded(tx: AsyncConnection, shown: Sequence[ChannelId], most: int) -> list[Line]:
    """Return what is planned in channels that have no plan: paused for good, or without access."""
    query = _lines().where(text(UNFINISHED), deliveries.c.channel_id.in_(shown), deliveries.c.state == State.PLANNED)
    return [_line(row) for row in await tx.execute(query.order_by(deliveries.c.turn_at, deliveries.c.id).limit(most))]


async def published(
    tx: AsyncConnection, shown: Sequence[ChannelId], since: datetime, until: datetime, most: int
) -> list[Line]:
    """Return the posts that went public within a stretch of time, the oldest first."""
    query = _lines().where(
        ledger.c.channel_id.in_(shown), ledger.c.published_at >= since, ledger.c.published_at < until
    )
    return [_line(row) for row in await tx.execute(query.order_by(ledger.c.published_at, deliveries.c.id).limit(most))]


async def waiting(tx: AsyncConnection, shown: Sequence[ChannelId]) -> dict[ChannelId, int]:
    """Count what is planned in each channel."""
    query = (
        select(deliveries.c.channel_id, func.count().label("number"))
        .where(text(UNFINISHED), deliveries.c.channel_id.in_(shown), deliveries.c.state == State.PLANNED)
        .group_by(deliveries.c.channel_id)
    )
    return {ChannelId(row.channel_id): row.number for row in await tx.execute(query)}


async def stamp(tx: AsyncConnection) -> tuple[object, ...]:
    """Return values that differ once something that the calendar shows has changed; a handful of index seeks."""
    newest = select(select(func.max(decisions.c.id)).scalar_subquery(), select(func.max(audit.c.id)).scalar_subquery())
    lately = select(channels.c.id, channels.c.last_at, channels.c.paused_until, channels.c.access_lost_at)
    stop = select(house.c.at).where(house.c.name == "stop")
    rows = [*await tx.execute(newest), *await tx.execute(lately.order_by(channels.c.id)), *await tx.execute(stop)]
    return tuple(tuple(row) for row in rows)


def _line(row: Any) -> Line:
    return Line(
        delivery=DeliveryId(row.id),
        kind=Kind(row.kind),
        channel_id=ChannelId(row.channel_id),
        state=State(row.state),
        held_reason=None if row.held_reason is None else HeldReason(row.held_reason),
        pinned_at=row.pinned_at,
        title=(row.title or "").strip().partition("\n")[0][:300],
        published_at=row.published_at,
        withdrawn_at=row.withdrawn_at,
    )
