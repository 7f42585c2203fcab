"""The article store: one row per canonical address, every revision kept, the last payload of each source beside it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from sqlalchemy import and_, bindparam, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.domain.article import (
    Article,
    ArticleId,
    fingerprint,
    from_json,
    merged,
    to_json,
)
from bot.store.statements import rows_by
from bot.store.tables import articles, payloads, revisions, traces

_STANDING = select(articles.c.revision, articles.c.retracted_at).where(articles.c.id == bindparam("article"))


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredArticle:
    """An article as all its sources together tell it.

    `returns` counts how often it was brought back after a retraction. `baseline` articles were there before the first
    pass. `story_of` is the earlier article that tells the same story.
    """

    id: ArticleId
    revision: int
    article: Article
    first_seen_at: datetime
    baseline: bool = False
    retracted_at: datetime | None = None
    retraction_reason: str = ""
    returns: int = 0
    story_of: ArticleId | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What storing did: `stored` (new), `updated` (a new revision, retracted or brought back) or `unchanged`."""

    stored: StoredArticle
    status: str
    first_told: bool = False  # by this source


async def find(tx: AsyncConnection, url: str) -> StoredArticle | None:
    """Return the article under a canonical address."""
    row = (await tx.execute(rows_by(articles, "url"), {"url": url})).one_or_none()
    return _stored(row) if row else None


async def get(tx: AsyncConnection, article_id: ArticleId) -> StoredArticle:
    """Return an article that is known to be there."""
    return _stored((await tx.execute(rows_by(articles, "id"), {"id": article_id})).one())


async def standing(tx: AsyncConnection, article_id: ArticleId) -> tuple[int, datetime | None]:
    """Return the revision of an article that is known to be there, and since when it is retracted."""
    row = (await tx.execute(_STANDING, {"article": article_id})).one()
    return row.revision, row.retracted_at


async def get_listed(tx: AsyncConnection, article_id: int) -> Article | None:
    """Return an article for a digest; None where it was retracted or is gone."""
    query = select(articles.c.content).where(articles.c.id == article_id, articles.c.retracted_at.is_(None))
    content = (await tx.execute(query)).scalar_one_or_none()
    return None if content is None else from_json(content)


async def store(
    tx: AsyncConnection,
    article: Article,
    *,
    source: str,
    authority: Sequence[str],
    now: datetime,
    baseline: bool = False,
) -> Outcome:
    """Merge what a source says into the store.

    Args:
        article: the source's payload, normalised, under its canonical address.
        authority: names of sources, the most authoritative first; one that is not named comes last.
        baseline: whether a new article is only made known, not published.
    """
    existing = await find(tx, article.url)
    if existing is None:
        return await _add(tx, article, source, now, baseline)
    told, prints = await _payloads(tx, existing.id)
    last = told.get(source)
    if last is not None and _is_older(article, last):
        return Outcome(stored=existing, status="unchanged")
    changed = retraction(existing, article, last, now)
    is_new = prints.get(source) != fingerprint(article)
    if is_new or last is None or last.updated_at != article.updated_at:
        await _put_payload(tx, existing.id, source, article, now, known=last is not None)
        told[source] = article
    if is_new:
        rank = {name: place for place, name in enumerate(authority)}
        whole = merged([told[name] for name in sorted(told, key=lambda name: (rank.get(name, len(rank)), name))])
        whole = replace(whole, retracted=None)
        row = await tx.execute(select(articles.c.fingerprint).where(articles.c.id == existing.id))
        if fingerprint(whole) != row.scalar_one():
            changed |= await _add_revision(tx, existing, whole, source, now)
    if not changed:
        return Outcome(stored=existing, status="unchanged", first_told=last is None)
    await tx.execute(update(articles).where(articles.c.id == existing.id).values(changed_at=now, **changed))
    return Outcome(stored=await get(tx, existing.id), status="updated")


async def retract(tx: AsyncConnection, article_id: ArticleId, reason: str, now: datetime) -> StoredArticle:
    """Mark an article as taken back."""
    await tx.execute(
        update(articles)
        .where(articles.c.id == article_id, articles.c.retracted_at.is_(None))
        .values(retracted_at=now, retraction_reason=reason, changed_at=now)
    )
    return await get(tx, article_id)


async def link_story(tx: AsyncConnection, article_id: ArticleId, first: ArticleId) -> None:
    """Remember that an article tells the story of an earlier one."""
    await tx.execute(update(articles).where(articles.c.id == article_id).values(story_of=first))


async def leave_traces(tx: AsyncConnection, article_id: ArticleId, hashes: Sequence[int]) -> None:
    """Keep the minimal hashes of an article's words."""
    if hashes:
        await tx.execute(
            insert(traces),
            [{"trace": trace, "article_id": article_id} for trace in set(hashes)],
        )


async def alike(tx: AsyncConnection, hashes: Sequence[int], since: datetime, most: int = 20) -> list[StoredArticle]:
    """Return articles first seen since then that share a trace, oldest first."""
    if not hashes:
        return []
    sharing = select(traces.c.article_id).where(traces.c.trace.in_(hashes))
    rows = await tx.execute(
        select(articles)
        .where(and_(articles.c.id.in_(sharing), articles.c.first_seen_at >= since))
        .order_by(articles.c.id)
        .limit(most)
    )
    return [_stored(row) for row in rows]


async def _add(tx: AsyncConnection, article: Article, source: str, now: datetime, baseline: bool) -> Outcome:
    whole = replace(article, retracted=None)
    row = {
        "url": article.url,
        "revision": 1,
        "content": to_json(whole),
        "fingerprint": fingerprint(whole),
        "published_at": article.published_at,
        "first_seen_at": now,
        "changed_at": now,
        "baseline": baseline,
        "retracted_at": now if article.retracted else None,
    }
    article_id = ArticleId((await tx.execute(insert(articles).values(**row).returning(articles.c.id))).scalar_one())
    await tx.execute(
        insert(revisions).values(
            article_id=article_id,
            revision=1,
            at=now,
            source=source,
            content=row["content"],
        )
    )
    await _put_payload(tx, article_id, source, article, now, known=False)
    stored = StoredArticle(
        id=article_id,
        revision=1,
        article=whole,
        first_seen_at=now,
        baseline=baseline,
        retracted_at=now if article.retracted else None,
    )
    return Outcome(stored=stored, status="stored")


async def _add_revision(
    tx: AsyncConnection, existing: StoredArticle, whole: Article, source: str, now: datetime
) -> dict[str, Any]:
    """Keep a new revision, and return the columns of the article that it changes."""
    revision, content = existing.revision + 1, to_json(whole)
    await tx.execute(
        insert(revisions).values(article_id=existing.id, revision=revision, at=now, source=source, content=content)
    )
    return {
        "revision": revision,
        "content": content,
        "fingerprint": fingerprint(whole),
        "published_at": whole.published_at,
    }


def retraction(existing: StoredArticle, article: Article, last: Article | None, now: datetime) -> dict[str, Any]:
    """Return the columns that a payload's word on retraction changes; pure.

    `retracted: false` brings an article back only with an `updated_at` newer than what that source said last.
    """
    if article.retracted and existing.retracted_at is None:
        return {"retracted_at": now, "retraction_reason": ""}
    newer = article.updated_at is not None and (
        last is None or last.updated_at is None or article.updated_at > last.updated_at
    )
    if article.retracted is False and existing.retracted_at is not None and newer:
        return {
            "retracted_at": None,
            "retraction_reason": "",
            "returns": existing.returns + 1,
        }
    return {}


def _is_older(article: Article, last: Article) -> bool:
    return article.updated_at is not None and last.updated_at is not None and article.updated_at < last.updated_at


async def _payloads(tx: AsyncConnection, article_id: ArticleId) -> tuple[dict[str, Article], dict[str, str]]:
    """Return what each source said last, and its fingerprint: content may have been pruned since."""
    rows = (await tx.execute(select(payloads).where(payloads.c.article_id == article_id))).all()
    return {row.source: from_json(row.content) for row in rows}, {row.source: row.fingerprint for row in rows}


async def _put_payload(
    tx: AsyncConnection,
    article_id: ArticleId,
    source: str,
    article: Article,
    now: datetime,
    *,
    known: bool,
) -> None:
    values = {"at": now, "fingerprint": fingerprint(article), "content": to_json(article)}
    if known:
        where = and_(payloads.c.article_id == article_id, payloads.c.source == source)
        await tx.execute(update(payloads).where(where).values(**values))
    else:
        await tx.execute(insert(payloads).values(article_id=article_id, source=source, **values))


def _stored(row: Any) -> StoredArticle:
    return StoredArticle(
        id=ArticleId(row.id),
        revision=row.revision,
        article=from_json(row.content),
        first_seen_at=row.first_seen_at,
        baseline=row.baseline,
        retracted_at=row.retracted_at,
        retraction_reason=row.retraction_reason,
        returns=row.returns,
        story_of=row.story_of,
    )
