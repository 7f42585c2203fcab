"""What a stretch of time came to in some channels: for the desk's reports. Only reads."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, func, select, text
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.domain.channel import ChannelId
from bot.domain.delivery import Kind, State
from bot.store.deliveries import STANDING
from bot.store.tables import articles, deliveries, ledger

_POSTS = [Kind.PUBLISH, Kind.DIGEST]


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """Posts of one channel: `published`, `expired` and `failed` within the time, `waiting` for a person by now."""

    published: int = 0
    expired: int = 0
    failed: int = 0
    waiting: int = 0


async def accounts(
    tx: AsyncConnection, ids: Sequence[ChannelId], since: datetime, until: datetime
) -> dict[ChannelId, Account]:
    """Return what each channel came to after `since` and up to `until`."""
    published = select(ledger.c.channel_id, func.count().label("number")).where(
        ledger.c.channel_id.in_(ids), ledger.c.published_at > since, ledger.c.published_at <= until
    )
    out = {row.channel_id: row.number for row in await tx.execute(published.group_by(ledger.c.channel_id))}
    ended = select(deliveries.c.channel_id, deliveries.c.state, func.count().label("number")).where(
        *_ended(ids, since, until), deliveries.c.state.in_([State.EXPIRED, State.FAILED])
    )
    grouped = ended.group_by(deliveries.c.channel_id, deliveries.c.state)
    over = {(row.channel_id, row.state): row.number for row in await tx.execute(grouped)}
    standing = select(deliveries.c.channel_id, func.count().label("number")).where(
        text(STANDING), deliveries.c.channel_id.in_(ids)
    )
    waits = {row.channel_id: row.number for row in await tx.execute(standing.group_by(deliveries.c.channel_id))}
    return {
        one: Account(
            published=out.get(one, 0),
            expired=over.get((one, State.EXPIRED), 0),
            failed=over.get((one, State.FAILED), 0),
            waiting=waits.get(one, 0),
        )
        for one in ids
    }


async def first_expired(
    tx: AsyncConnection, ids: Sequence[ChannelId], since: datetime, until: datetime
) -> datetime | None:
    """Return when the first post after `since` and up to `until` expired; None where none did."""
    query = select(func.min(deliveries.c.finished_at)).where(
        *_ended(ids, since, until), deliveries.c.state == State.EXPIRED
    )
    found: datetime | None = (await tx.execute(query)).scalar_one()
    return found


async def expired(
    tx: AsyncConnection, ids: Sequence[ChannelId], since: datetime, until: datetime, most: int
) -> Mapping[ChannelId, tuple[int, list[str]]]:
    """Return how many posts expired in each channel where any did, with the headlines of the first `most` of them."""
    title = func.coalesce(articles.c.content["title"].as_string(), deliveries.c.words).label("title")
    query = (
        select(deliveries.c.channel_id, title)
        .join(articles, deliveries.c.article_id == articles.c.id, isouter=True)
        .where(*_ended(ids, since, until), deliveries.c.state == State.EXPIRED)
        .order_by(deliveries.c.channel_id, deliveries.c.finished_at, deliveries.c.id)
    )
    found: dict[ChannelId, tuple[int, list[str]]] = {}
    for row in await tx.execute(query):
        count, titles = found.get(ChannelId(row.channel_id), (0, []))
        found[ChannelId(row.channel_id)] = (count + 1, [*titles, row.title] if count < most else titles)
    return found


def _ended(ids: Sequence[ChannelId], since: datetime, until: datetime) -> list[ColumnElement[bool]]:
    return [
        deliveries.c.channel_id.in_(ids),
        deliveries.c.finished_at > since,
        deliveries.c.finished_at <= until,
        deliveries.c.kind.in_(_POSTS),
    ]
