"""The post of a delivery, as the outbox will send it and as previews show it: one way to make it for all rooms."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncConnection

from bot.compose.markup import escape
from bot.compose.post import Composer
from bot.domain.article import Article
from bot.domain.channel import Channel
from bot.domain.delivery import Delivery, Kind
from bot.domain.ledger import LedgerEntry
from bot.domain.post import Own, Post
from bot.store import articles, deliveries, ledger
from bot.store.articles import StoredArticle


@dataclass(frozen=True, slots=True, kw_only=True)
class Material:
    """What a delivery's post is made of: its article, the public post it changes, the articles of a digest.

    `shown` is what an editor gave the post that is changed: its photo stays, and with it the photo's credit.
    """

    delivery: Delivery
    stored: StoredArticle | None = None
    target: LedgerEntry | None = None
    listed: tuple[Article, ...] = ()
    shown: Own | None = None


async def material(tx: AsyncConnection, delivery: Delivery) -> Material:
    """Return what a delivery's post is made of, as of now."""
    listed = [await articles.get_listed(tx, article_id) for article_id in delivery.listed]
    changed = await deliveries.get(tx, delivery.target_id) if delivery.target_id is not None else None
    return Material(
        delivery=delivery,
        shown=changed.own if changed is not None else None,
        stored=await articles.get(tx, delivery.article_id) if delivery.article_id is not None else None,
        target=await ledger.entry(tx, delivery.target_id) if delivery.target_id is not None else None,
        listed=tuple(article for article in listed if article is not None),
    )


def own_of(delivery: Delivery) -> Own | None:
    """Return what an editor gave a delivery; an earlier release kept words alone, without markup."""
    return delivery.own or (Own(words=escape(delivery.words)) if delivery.words else None)


def compose(composer: Composer, made_of: Material, channel: Channel, *, at: datetime, least_rung: int = 0) -> Post:
    """Make the post of a delivery.

    Args:
        at: when it goes out, for words that age and for silent hours.
        least_rung: no higher rung of the photo ladder than this.

    Raises:
        ComposeError: none can be made.
    """
    delivery, stored, own, shown = made_of.delivery, made_of.stored, own_of(made_of.delivery), made_of.shown
    if shown is not None:
        own = replace(own or Own(), photo=shown.photo, credit=shown.credit)
    method = made_of.target.method if made_of.target is not None else None
    if delivery.kind is Kind.DIGEST and not delivery.has_own_words:
        return composer.digest(list(made_of.listed), channel, at=at)
    if stored is None:
        return composer.words(own or Own(), channel, at=at, method=method)
    if delivery.kind is Kind.WITHDRAW:
        return composer.notice(stored.article, channel, at=at, what="retracted", method=method)
    if delivery.repost < 0 and not delivery.has_own_words:
        return composer.notice(stored.article, channel, at=at, what="corrected")
    rung = 0 if delivery.kind is Kind.EDIT else max(delivery.rung, least_rung)
    return composer.compose(stored.article, channel, at=at, rung=rung, method=method, own=own)
