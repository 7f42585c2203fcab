"""Evidence from linked groups: Telegram forwards each post of a channel into its discussion group by itself.

A private channel has no public preview; what its group was sent is how its unanswered posts are found again. Posts
that the ledger has are not kept.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC

from telegram import Message, MessageOriginChannel

from bot.agenda import adoption
from bot.desk.arrival import Arrival
from bot.domain.channel import Channel, ChannelId, Platform
from bot.domain.ledger import PublicPost


class Forwards:
    """Keeps what served channels were seen to post.

    Args:
        web_url: where permalinks lead.
    """

    def __init__(self, served: Mapping[ChannelId, Channel], web_url: str) -> None:
        self._served = served
        self._web_url = web_url.rstrip("/")
        self._by_address = {
            channel.address.lower(): channel_id
            for channel_id, channel in served.items()
            if channel.platform is Platform.TELEGRAM
        }

    async def watch(self, arrival: Arrival) -> None:
        """Keep the post of an automatic forward."""
        message = arrival.update.message
        origin = message.forward_origin if message is not None else None
        if message is None or not isinstance(origin, MessageOriginChannel):
            return
        channel_id = self._channel_of(origin)
        if channel_id is None:
            return
        async with arrival.turn([channel_id]) as (tx, now):
            post = self._post(message, origin)
            await adoption.remember(tx, self._served[channel_id], channel_id, [post], now)

    def _channel_of(self, origin: MessageOriginChannel) -> ChannelId | None:
        by_id = self._by_address.get(str(origin.chat.id))
        return by_id or self._by_address.get(f"@{(origin.chat.username or '').lower()}")

    def _post(self, message: Message, origin: MessageOriginChannel) -> PublicPost:
        inner = origin.chat.username or f"c/{str(origin.chat.id).removeprefix('-100')}"
        return PublicPost(
            remote_id=str(origin.message_id),
            plain=message.text or message.caption or "",
            links=tuple(dict.fromkeys(_links(message))),
            published_at=origin.date.astimezone(UTC),
            permalink=f"{self._web_url}/{inner}/{origin.message_id}",
        )


def _links(message: Message) -> list[str]:
    """Return the addresses in a message: those behind words and those written out."""
    entities = message.parse_entities() if message.text else message.parse_caption_entities()
    links = [entity.url or words for entity, words in entities.items() if entity.type in ("text_link", "url")]
    card = message.link_preview_options.url if message.link_preview_options is not None else None
    return links + ([card] if isinstance(card, str) and card else [])
