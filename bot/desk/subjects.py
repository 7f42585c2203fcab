"""Finds what an editor means: a post by its number, its article's address, its own address, or the message answered."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

from sqlalchemy.ext.asyncio import AsyncConnection
from telegram import Message, MessageOriginChannel

from bot.desk.said import Said, read
from bot.domain.channel import Channel, ChannelId, Platform
from bot.domain.delivery import FINAL, WAITING, Delivery, DeliveryId, Kind
from bot.domain.ledger import LedgerEntry
from bot.errors import SourceError
from bot.sources.canonical import canonical
from bot.store import articles, deliveries, ledger, notices
from bot.store.articles import StoredArticle
from bot.store.tables import deliveries as rows

_NUMBER = re.compile(r"[№#]?\s*(\d{1,18})", re.ASCII)
_MOST_LINKS = 20


class Subjects:
    """Knows the channels by what Telegram calls them."""

    def __init__(self, served: Mapping[ChannelId, Channel]) -> None:
        self._by_address = {
            channel.address.lower(): one for one, channel in served.items() if channel.platform is Platform.TELEGRAM
        }

    def channel_of(self, chat_id: int, username: str | None) -> ChannelId | None:
        """Return the channel that a Telegram chat is."""
        return self._by_address.get(str(chat_id)) or self._by_address.get(f"@{(username or '').lower()}")

    async def article(self, tx: AsyncConnection, said: Said) -> StoredArticle | None:
        """Return the article that is meant, by an address in the words or in the message that they answer."""
        for link in self._links(said):
            found = await articles.find(tx, link)
            if found is not None:
                return found
        delivery = await self.delivery(tx, said)
        return await articles.get(tx, delivery.article_id) if delivery is not None and delivery.article_id else None

    async def delivery(self, tx: AsyncConnection, said: Said) -> Delivery | None:
        """Return the one post that is meant: by its number, its address in the channel, or the message answered."""
        if found := _NUMBER.fullmatch(said.text.strip()):
            return await _post(tx, DeliveryId(int(found[1])))
        for link in said.links[:_MOST_LINKS]:
            entry = await ledger.by_permalink(tx, link)
            if entry is not None:
                return await deliveries.get(tx, entry.delivery_id)
        answered = said.message.reply_to_message if said.message is not None else None
        if answered is None or said.text.strip():
            return None
        known = await notices.told_in(tx, answered.chat.id, answered.message_id)
        if known is not None:
            return await _post(tx, known)
        return await self._forwarded(tx, answered)

    async def _forwarded(self, tx: AsyncConnection, message: Message) -> Delivery | None:
        origin = message.forward_origin
        if not isinstance(origin, MessageOriginChannel):
            return None
        channel_id = self.channel_of(origin.chat.id, origin.chat.username)
        entry = await ledger.by_remote_id(tx, channel_id, str(origin.message_id)) if channel_id is not None else None
        return await deliveries.get(tx, entry.delivery_id) if entry is not None else None

    def _links(self, said: Said) -> Iterable[str]:
        answered = said.message.reply_to_message if said.message is not None else None
        links = said.links or (read(answered).links if answered is not None and not said.text.strip() else ())
        for link in links[:_MOST_LINKS]:
            try:
                yield canonical(link if "://" in link else f"https://{link}")
            except (SourceError, ValueError):
                continue


async def posts_of(tx: AsyncConnection, stored: StoredArticle) -> list[tuple[Delivery, LedgerEntry | None]]:
    """Return the posts of an article that can still be changed: those that wait and those that are public."""
    public = {entry.delivery_id: entry for entry in await ledger.public_posts(tx, stored.id)}
    found = await deliveries.find(tx, rows.c.article_id == stored.id, rows.c.kind == Kind.PUBLISH)
    taken_over = [await deliveries.get(tx, one) for one in public if one not in {each.id for each in found}]
    return [
        (delivery, public.get(delivery.id))
        for delivery in (*found, *taken_over)
        if delivery.id in public or delivery.state in WAITING
    ]


async def _post(tx: AsyncConnection, delivery_id: DeliveryId) -> Delivery | None:
    """Return a delivery; of a change that has ended, the post that it changed."""
    found = await deliveries.find(tx, rows.c.id == delivery_id)
    if not found:
        return None
    delivery = found[0]
    if delivery.target_id is not None and (delivery.state in FINAL or delivery.kind is Kind.WITHDRAW):
        return await deliveries.get(tx, delivery.target_id)
    return delivery
