"""Why anything did or did not happen: every decision about an article, capped per article."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import delete, insert, select
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.domain.article import ArticleId
from bot.domain.channel import ChannelId
from bot.domain.delivery import DeliveryId
from bot.store.tables import audit, channels, decisions

MOST_PER_ARTICLE = 400
_KEEP = insert(decisions)


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """One decision: a short word and the circumstances. No channel: it concerns the article as such."""

    decision: str
    detail: str = ""
    article_id: ArticleId | None
    channel_id: ChannelId | None = None
    delivery_id: DeliveryId | None = None


async def decide(tx: AsyncConnection, made: list[Decision], now: datetime) -> None:
    """Keep decisions."""
    if not made:
        return
    rows = [
        {
            "at": now,
            "article_id": one.article_id,
            "channel_id": one.channel_id,
            "delivery_id": one.delivery_id,
            "decision": one.decision,
            "detail": one.detail[:2000],
        }
        for one in made
    ]
    await tx.execute(_KEEP, rows[0] if len(rows) == 1 else rows)


async def cap(tx: AsyncConnection, article_id: ArticleId) -> None:
    """Forget an article's oldest decisions past the cap; called where they may grow without end."""
    kept = (
        select(decisions.c.id)
        .where(decisions.c.article_id == article_id)
        .order_by(decisions.c.id.desc())
        .offset(MOST_PER_ARTICLE)
        .limit(1)
        .scalar_subquery()
    )
    await tx.execute(delete(decisions).where(decisions.c.article_id == article_id, decisions.c.id <= kept))


async def why(tx: AsyncConnection, article_id: ArticleId, channel: str | None = None) -> list[dict[str, Any]]:
    """Return the decisions about an article, oldest first, as `at, channel, decision, detail`."""
    query = (
        select(
            decisions.c.at,
            channels.c.name.label("channel"),
            decisions.c.decision,
            decisions.c.detail,
        )
        .join_from(decisions, channels, decisions.c.channel_id == channels.c.id, isouter=True)
        .where(decisions.c.article_id == article_id)
        .order_by(decisions.c.id)
    )
    if channel is not None:
        query = query.where((channels.c.name == channel) | decisions.c.channel_id.is_(None))
    return [dict(row._mapping) for row in await tx.execute(query)]


async def record_act(
    tx: AsyncConnection,
    *,
    who: str,
    action: str,
    subject: str,
    before: Any,
    after: Any,
    now: datetime,
) -> None:
    """Keep who did what, with what was before and after (plain JSON values)."""
    await tx.execute(insert(audit).values(at=now, who=who, action=action, subject=subject, before=before, after=after))


async def acts(tx: AsyncConnection, since: datetime | None = None) -> list[dict[str, Any]]:
    """Return who did what, oldest first."""
    query = select(audit).order_by(audit.c.id)
    if since is not None:
        query = query.where(audit.c.at >= since)
    return [dict(row._mapping) for row in await tx.execute(query)]


async def last_act(tx: AsyncConnection, subject: str, since: datetime) -> dict[str, Any] | None:
    """Return the newest act on a subject since then."""
    query = select(audit).where(audit.c.at >= since, audit.c.subject == subject).order_by(audit.c.id.desc()).limit(1)
    row = (await tx.execute(query)).one_or_none()
    return dict(row._mapping) if row is not None else None


async def acts_on(tx: AsyncConnection, subjects: Collection[str], since: datetime) -> list[dict[str, Any]]:
    """Return who did what on some subjects since then, oldest first."""
    if not subjects:
        return []
    query = select(audit).where(audit.c.at >= since, audit.c.subject.in_(subjects)).order_by(audit.c.id)
    return [dict(row._mapping) for row in await tx.execute(query)]
