"""Takes over what a channel shows already: such an article is entered in the ledger instead of being sent again.

A restored backup, a lost database and a tool that ran before us all look alike from here: posts in the channel that
the ledger does not have. They are kept (`store.found`), and each waiting delivery whose article one of them shows is
adopted, now or when the article is queued.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import datetime, timedelta
from urllib.parse import unquote_plus, urlsplit

from sqlalchemy.ext.asyncio import AsyncConnection

from bot.agenda.composing import Material, compose
from bot.agenda.follow_up import follow
from bot.channels.evidence import fingerprint
from bot.compose.post import Composer
from bot.domain.channel import Channel, ChannelId, Platform
from bot.domain.delivery import NEXT, Delivery, DeliveryId, Kind, State, Turn
from bot.domain.ledger import PublicPost, Receipt
from bot.domain.post import Method
from bot.errors import ComposeError, SourceError
from bot.sources.canonical import canonical
from bot.store import articles, channels, deliveries, found, ledger
from bot.store.articles import StoredArticle
from bot.store.decisions import Decision, decide
from bot.store.deliveries import NewDelivery


async def remember(
    tx: AsyncConnection, channel: Channel, channel_id: ChannelId, posts: Sequence[PublicPost], now: datetime
) -> int:
    """Keep what a channel shows and its ledger does not have; return how many of those posts were not known at all."""
    strangers = await found.strangers(tx, channel_id, posts)
    return sum([await found.keep(tx, channel_id, post, _articles_in(post, channel), now) for post in strangers])


async def adopt(
    tx: AsyncConnection,
    composer: Composer,
    served: Mapping[ChannelId, Channel],
    now: datetime,
    *,
    queued: Sequence[DeliveryId] | None = None,
) -> int:
    """Enter what is public already instead of sending it; return how many deliveries that concerned.

    Args:
        served: the channels to look at by id, their rows locked.
        queued: look at these deliveries alone.
    """
    count = 0
    for match in await found.matches(tx, list(served), queued):
        if match.delivery_id is None:
            continue
        delivery = await deliveries.get(tx, match.delivery_id)
        stored = await articles.get(tx, match.article_id)
        channel = served[match.channel_id]
        free = await found.strangers(tx, match.channel_id, match.posts)
        if delivery.repost:  # a notice, a return: the article's first post has the same link, so the words decide
            free = [post for post in free if _reads_as(composer, delivery, stored, channel, post)]
            if not free:
                continue
        if free:
            await _enter(tx, composer, delivery, stored, channel, free[0], now)
        else:
            known = match.posts[0]
            why = f"it stands in a post that is public already: {known.permalink or known.remote_id}"
            await deliveries.move(tx, delivery, State.CANCELLED, now, error=why)
            await decide(tx, [_adopted(delivery, why)], now)
        await channels.wake(tx, [match.channel_id], now)
        count += 1
    return count


async def adopt_retracted(
    tx: AsyncConnection, composer: Composer, served: Mapping[ChannelId, Channel], now: datetime
) -> int:
    """Take over the posts of retracted articles that channels still show and no book has, and take them down."""
    count = 0
    for match in await found.still_shown(tx, list(served)):
        post, stored, channel = match.posts[0], await articles.get(tx, match.article_id), served[match.channel_id]
        delivery_id = match.delivery_id or await _queue(tx, match, stored, now)
        if delivery_id is None or not await found.strangers(tx, match.channel_id, [post]):
            continue
        delivery = await deliveries.get(tx, delivery_id)
        if State.PUBLISHED not in NEXT[delivery.state]:
            continue  # its first post was taken over just now, and this is another one
        await _enter(tx, composer, delivery, stored, channel, post, now)
        count += 1
    return count


async def _queue(tx: AsyncConnection, match: found.Match, stored: StoredArticle, now: datetime) -> DeliveryId | None:
    new = NewDelivery(
        kind=Kind.PUBLISH,
        channel_id=match.channel_id,
        article_id=match.article_id,
        repost=stored.returns,
        revision=stored.revision,
        state=State.PLANNED,
        turn=Turn.ORDINARY,
        turn_at=now,
    )
    return await deliveries.queue(tx, new, now)


async def _enter(
    tx: AsyncConnection,
    composer: Composer,
    delivery: Delivery,
    stored: StoredArticle,
    channel: Channel,
    post: PublicPost,
    now: datetime,
) -> None:
    """Enter a post under a delivery, and let it follow its article.

    One that has our form and other words shows an older revision: it is corrected. One of another form is another's.
    """
    why = f"it is public already and was adopted instead of sent: {post.permalink or post.remote_id}"
    await deliveries.move(tx, delivery, State.PUBLISHED, now, error="")
    is_current = _reads_as(composer, delivery, stored, channel, post)
    await ledger.enter(
        tx,
        replace(delivery, revision=stored.revision - (0 if is_current else 1)),
        Receipt(remote_id=post.remote_id, permalink=post.permalink, more_ids=post.more_ids),
        _method(channel, stored),
        title=stored.article.title,
        text=post.plain,
        at=post.published_at,
        adopted=not is_current and not _has_our_form(channel, post),
    )
    await channels.note_post(tx, delivery.channel_id, min(now, post.published_at))
    await decide(tx, [_adopted(delivery, why)], now)
    await follow(tx, stored, {delivery.channel_id: channel}, gather=timedelta(0), now=now)
    await channels.wake(tx, [delivery.channel_id], now)


def _adopted(delivery: Delivery, why: str) -> Decision:
    return Decision(
        decision="adopted",
        detail=why,
        article_id=delivery.article_id,
        channel_id=delivery.channel_id,
        delivery_id=delivery.id,
    )


def _articles_in(post: PublicPost, channel: Channel) -> list[str]:
    """Return the addresses in a post: as they stand, canonical, and without the parameters this channel adds."""
    addresses = []
    for link in post.links:
        addresses.append(link)  # as an attempt of ours would have it
        with suppress(SourceError):
            addresses.append(canonical(link))
            addresses.append(canonical(_without(link, dict(channel.link_parameters))))
    return addresses


def _without(link: str, parameters: Mapping[str, str]) -> str:
    parts = urlsplit(link)
    kept = []
    for pair in parts.query.split("&"):
        name, _, value = pair.partition("=")
        if parameters.get(unquote_plus(name)) != unquote_plus(value):
            kept.append(pair)
    return parts._replace(query="&".join(kept)).geturl()


def _reads_as(
    composer: Composer, delivery: Delivery, stored: StoredArticle, channel: Channel, post: PublicPost
) -> bool:
    """Say whether a post reads as we would have written it."""
    words, made_of = fingerprint(post.plain), Material(delivery=delivery, stored=stored)
    with suppress(ComposeError):
        posts = (compose(composer, made_of, channel, at=post.published_at, least_rung=rung) for rung in (0, 1))
        return any(fingerprint(one.plain) == words for one in posts)
    return False


def _has_our_form(channel: Channel, post: PublicPost) -> bool:
    """Say whether a post closes with this channel's call to action, as all that we compose do."""
    call = fingerprint(channel.call_to_action.text)
    return bool(call) and call in fingerprint(post.plain)


def _method(channel: Channel, stored: StoredArticle) -> Method:
    """Return by which call the post was most likely made; an edit that finds it otherwise tries the other one."""
    if channel.platform is Platform.FACEBOOK:
        return Method.PHOTOS if stored.article.photo_url else Method.FEED
    return Method.SEND_PHOTO if stored.article.photo_url else Method.SEND_MESSAGE
