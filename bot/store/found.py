"""Posts that a channel was seen to show and that the ledger does not have: an older tool's, an editor's, or our own
from before a backup was put back."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, and_, exists, or_, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.domain.article import ArticleId
from bot.domain.channel import ChannelId
from bot.domain.delivery import DeliveryId, HeldReason, Kind, State
from bot.domain.ledger import PublicPost
from bot.store.tables import articles, deliveries, found, ledger

_MOST = 500  # numbers in one statement
# What may be found to be public already. A post that nobody knows about (no-evidence) needs more than a link.
_WAITING = (State.PROPOSED, State.PLANNED, State.HELD)


@dataclass(frozen=True, slots=True, kw_only=True)
class Match:
    """A delivery, if there is one, and the posts that show its article already, the oldest first."""

    delivery_id: DeliveryId | None
    article_id: ArticleId
    channel_id: ChannelId
    posts: tuple[PublicPost, ...]


async def keep(
    tx: AsyncConnection, channel_id: ChannelId, post: PublicPost, links: Collection[str], now: datetime
) -> bool:
    """Keep a post that the ledger does not have, under each of its addresses; say whether it was new.

    Args:
        links: canonical addresses; none: the post is kept for its words alone.
    """
    dialect = sqlite if tx.dialect.name == "sqlite" else postgresql
    rows = [
        {
            "channel_id": channel_id,
            "remote_id": post.remote_id,
            "link": link,
            "plain": post.plain,
            "permalink": post.permalink,
            "more_ids": list(post.more_ids) or None,
            "published_at": post.published_at,
            "found_at": now,
        }
        for link in (sorted(set(links)) or [""])
    ]
    query = dialect.insert(found).values(rows).on_conflict_do_nothing().returning(found.c.remote_id)
    return bool((await tx.execute(query)).all())


async def strangers(tx: AsyncConnection, channel_id: ChannelId, posts: Sequence[PublicPost]) -> list[PublicPost]:
    """Return those of a channel's posts that are not in its ledger."""
    known: set[str] = set()
    ids = [post.remote_id for post in posts]
    for start in range(0, len(ids), _MOST):
        query = select(ledger.c.remote_id).where(
            ledger.c.channel_id == channel_id, ledger.c.remote_id.in_(ids[start : start + _MOST])
        )
        known |= set((await tx.execute(query)).scalars())
    return [post for post in posts if post.remote_id not in known]


async def matches(
    tx: AsyncConnection, channel_ids: Collection[ChannelId], queued: Sequence[DeliveryId] | None = None
) -> list[Match]:
    """Return the waiting deliveries whose article a post shows that was not in the ledger when it was found.

    Args:
        queued: look at these deliveries alone.
    """
    if queued is None:
        return await _matches(tx, channel_ids, [])
    made: list[Match] = []
    for start in range(0, len(queued), _MOST):
        made += await _matches(tx, channel_ids, [deliveries.c.id.in_(queued[start : start + _MOST])])
    return made


async def _matches(
    tx: AsyncConnection, channel_ids: Collection[ChannelId], also: Iterable[ColumnElement[bool]]
) -> list[Match]:
    query = (
        select(found, deliveries.c.id.label("delivery_id"), articles.c.id.label("article_id"))
        .join_from(found, articles, articles.c.url == found.c.link)
        .join(deliveries, and_(deliveries.c.article_id == articles.c.id, deliveries.c.channel_id == found.c.channel_id))
        .where(
            found.c.channel_id.in_(channel_ids),
            deliveries.c.kind == Kind.PUBLISH,
            deliveries.c.state.in_(_WAITING),
            deliveries.c.held_reason.is_distinct_from(HeldReason.NO_EVIDENCE),
            *also,
        )
        .order_by(deliveries.c.id, found.c.published_at, found.c.remote_id)
    )
    made: dict[DeliveryId, Match] = {}
    for row in await tx.execute(query):
        delivery_id = DeliveryId(row.delivery_id)
        before = made.get(delivery_id)
        match = Match(
            delivery_id=delivery_id,
            article_id=ArticleId(row.article_id),
            channel_id=ChannelId(row.channel_id),
            posts=(*(before.posts if before else ()), _post(row)),
        )
        made[delivery_id] = match
    return list(made.values())


async def still_shown(tx: AsyncConnection, channel_ids: Collection[ChannelId]) -> list[Match]:
    """Return the retracted articles that channels still show in posts of which the ledger knows nothing.

    Their deliveries, where there are any, have ended; `delivery_id` is None where there is none.
    """
    query = (
        select(found, articles.c.id.label("article_id"), deliveries.c.id.label("delivery_id"))
        .join_from(found, articles, articles.c.url == found.c.link)
        .join(
            deliveries,
            and_(
                deliveries.c.article_id == articles.c.id,
                deliveries.c.channel_id == found.c.channel_id,
                deliveries.c.kind == Kind.PUBLISH,
                deliveries.c.repost == articles.c.returns,
            ),
            isouter=True,
        )
        .where(
            found.c.channel_id.in_(channel_ids),
            articles.c.retracted_at.is_not(None),
            or_(deliveries.c.id.is_(None), deliveries.c.state.in_((State.CANCELLED, State.EXPIRED))),
            ~_entered(),
        )
        .order_by(found.c.published_at, found.c.remote_id)
    )
    return [
        Match(
            delivery_id=None if row.delivery_id is None else DeliveryId(row.delivery_id),
            article_id=ArticleId(row.article_id),
            channel_id=ChannelId(row.channel_id),
            posts=(_post(row),),
        )
        for row in await tx.execute(query)
    ]


async def since(tx: AsyncConnection, channel_id: ChannelId, moment: datetime) -> list[PublicPost]:
    """Return the posts found in a channel that appeared since then and are in nobody's ledger entry."""
    query = select(found).where(found.c.channel_id == channel_id, found.c.published_at >= moment, ~_entered())
    posts: dict[str, PublicPost] = {}
    links: dict[str, list[str]] = {}
    for row in await tx.execute(query.order_by(found.c.published_at, found.c.remote_id)):
        posts[row.remote_id] = _post(row)
        links.setdefault(row.remote_id, []).append(row.link)
    return [_linked(post, links[remote_id]) for remote_id, post in posts.items()]


def _entered() -> ColumnElement[bool]:
    return exists().where(ledger.c.channel_id == found.c.channel_id, ledger.c.remote_id == found.c.remote_id)


def _linked(post: PublicPost, links: list[str]) -> PublicPost:
    return PublicPost(
        remote_id=post.remote_id,
        plain=post.plain,
        links=tuple(link for link in links if link),
        published_at=post.published_at,
        permalink=post.permalink,
        more_ids=post.more_ids,
    )


def _post(row: Any) -> PublicPost:
    return PublicPost(
        remote_id=row.remote_id,
        plain=row.plain,
        links=(row.link,) if row.link else (),
        published_at=row.published_at,
        permalink=row.permalink,
        more_ids=tuple(row.more_ids or ()),
    )
