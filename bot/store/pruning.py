"""Forgets what nobody asks for any more. What is or was public, and where, is never forgotten."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import ColumnElement, Table, delete, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.domain.delivery import FINAL
from bot.store import conversations, pictures
from bot.store.tables import articles, attempts, decisions, deliveries, found, payloads, revisions, traces, uploads


async def prune(tx: AsyncConnection, before: datetime) -> dict[str, int]:
    """Drop what has not changed since then; return how much of what.

    The newest revision of an article keeps its headline and loses its body; older revisions lose their content.
    Articles with a delivery that is not finished are left alone.
    """
    busy = select(deliveries.c.article_id).where(deliveries.c.state.not_in(FINAL), deliveries.c.article_id.is_not(None))
    old = select(articles.c.id).where(articles.c.changed_at < before, articles.c.id.not_in(busy))
    dropped = {
        "revisions": await _count(
            tx,
            update(revisions)
            .where(revisions.c.article_id.in_(old), revisions.c.content.is_not(None))
            .values(content=None),
        ),
        "payloads": await _strip(tx, payloads, payloads.c.article_id.in_(old), payloads.c.at < before),
        "traces": await _count(tx, delete(traces).where(traces.c.article_id.in_(old))),
        "attempts": await _count(
            tx,
            update(attempts)
            .where(attempts.c.ended_at < before, attempts.c.text.is_not(None))
            .values(text=None, plain=None),
        ),
        "decisions": await _count(tx, delete(decisions).where(decisions.c.at < before)),
        "found": await _count(tx, delete(found).where(found.c.found_at < before)),
        "uploads": await _count(tx, delete(uploads).where(uploads.c.at < before)),
        "pictures": await pictures.forget(tx, before),
        "conversations": await conversations.forget(tx, before),
    }
    return {"bodies": await _strip(tx, articles, articles.c.id.in_(old)), **dropped}


async def _strip(tx: AsyncConnection, table: Table, *where: ColumnElement[bool]) -> int:
    """Drop the bodies that rows carry; the fingerprint beside them still tells whether an article has changed."""
    keys = list(table.primary_key.columns)
    count = 0
    for row in (await tx.execute(select(*keys, table.c.content).where(*where))).all():
        if "body" in row.content:
            kept = {key: value for key, value in row.content.items() if key not in ("body", "teasers")}
            this = [key == value for key, value in zip(keys, row, strict=False)]
            await tx.execute(update(table).where(*this).values(content=kept))
            count += 1
    return count


async def _count(tx: AsyncConnection, query: object) -> int:
    return (await tx.execute(query)).rowcount  # type: ignore[call-overload,no-any-return]  # any of update and delete
