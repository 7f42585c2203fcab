"""What operators and editors are shown: the queue and the ledger, one plain mapping a delivery."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Select, func, or_, select, text
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.domain.delivery import FINAL, Kind, State
from bot.store.deliveries import UNFINISHED
from bot.store.tables import articles, channels, deliveries, ledger

_PAGE = 1000


def _lines() -> Select[Any]:
    post = ledger.alias("post")
    return (
        select(
            deliveries.c.id.label("delivery"),
            deliveries.c.kind,
            channels.c.name.label("channel"),
            channels.c.platform,
            articles.c.url.label("article_url"),
            func.coalesce(post.c.title, articles.c.content["title"].as_string()).label("title"),
            deliveries.c.revision,
            deliveries.c.state,
            deliveries.c.held_reason,
            deliveries.c.pinned_at,
            deliveries.c.finished_at,
            post.c.published_at,
            post.c.withdrawn_at,
            post.c.remote_id,
            post.c.permalink,
            deliveries.c.attempts,
            deliveries.c.text,
            deliveries.c.error,
        )
        .join_from(deliveries, channels, deliveries.c.channel_id == channels.c.id)
        .join(articles, deliveries.c.article_id == articles.c.id, isouter=True)
        # An edit and a withdrawal speak of the post that they changed.
        .join(post, post.c.delivery_id == func.coalesce(deliveries.c.target_id, deliveries.c.id), isouter=True)
    )


def _line(row: Any) -> dict[str, Any]:
    line = dict(row._mapping)
    finished_at = line.pop("finished_at")
    if line["kind"] in (Kind.EDIT, Kind.WITHDRAW):
        done = line["state"] == State.PUBLISHED
        line["published_at"] = finished_at if done else None
    line["due_at"] = None
    if line["article_url"] is not None and line["article_url"].startswith("urn:"):
        line["article_url"] = None
    return line


async def ledger_lines(
    tx: AsyncConnection, *, channel: str | None = None, since: datetime | None = None
) -> AsyncIterator[dict[str, Any]]:
    """Yield every delivery that ended or is public, in the order in which they were queued."""
    last = 0
    while True:
        ended = or_(deliveries.c.state.in_(FINAL), ledger.c.delivery_id.is_not(None))
        query = (
            _lines()
            .join(ledger, ledger.c.delivery_id == deliveries.c.id, isouter=True)
            .where(ended, deliveries.c.id > last)
            .order_by(deliveries.c.id)
            .limit(_PAGE)
        )
        if channel is not None:
            query = query.where(channels.c.name == channel)
        if since is not None:
            query = query.where(or_(deliveries.c.finished_at >= since, ledger.c.published_at >= since))
        page = (await tx.execute(query)).all()
        for row in page:
            yield _line(row)
        if len(page) < _PAGE:
            return
        last = page[-1].delivery


async def queue_lines(tx: AsyncConnection, *, channel: str | None = None) -> list[dict[str, Any]]:
    """Return every delivery that waits or is in flight, in the order in which they were queued."""
    query = _lines().where(text(UNFINISHED)).order_by(deliveries.c.id)
    if channel is not None:
        query = query.where(channels.c.name == channel)
    return [_line(row) for row in await tx.execute(query)]


async def addresses(tx: AsyncConnection, wanted: Sequence[int]) -> dict[int, str]:
    """Return the addresses of the articles of deliveries."""
    found: dict[int, str] = {}
    for start in range(0, len(wanted), _PAGE):
        query = (
            select(deliveries.c.id, articles.c.url)
            .join(articles, deliveries.c.article_id == articles.c.id)
            .where(deliveries.c.id.in_(wanted[start : start + _PAGE]), articles.c.url.not_like("urn:%"))
        )
        found |= {row.id: row.url for row in await tx.execute(query)}
    return found
