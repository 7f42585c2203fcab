"""Reactions that Telegram tells unasked: the totals of one post, by emoji. Knows no type of a Telegram library."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncConnection

from bot.domain.channel import Platform
from bot.domain.figures import REACTION
from bot.store import figures

_MOST_KINDS = 100  # a channel allows 11; what is beyond reason is cut
_LONGEST = 64


async def on_reaction_count(
    tx: AsyncConnection, chat: Collection[str], message_id: int, reactions: Mapping[str, int], at: datetime
) -> bool:
    """Keep what an update `message_reaction_count` tells; return whether it was about a post of ours.

    The same update may come again, and an older one after a newer: neither changes anything. An album's reactions are
    those of its first message (core.telegram.org/bots/api#setmessagereaction).

    Args:
        chat: every name of the chat: "-100123…", and "@name" where it has one.
        reactions: the new totals by emoji; of a reaction without one by what stands for it (`custom_emoji_id`, "⭐").
            They are complete: a reaction that is missing is held by nobody any more.
        at: the update's own time.
    """
    post = await figures.find_post(tx, Platform.TELEGRAM, chat, str(message_id))
    if post is None:
        return False
    delivery_id, channel_id, published_at = post
    if await figures.hear(tx, delivery_id, channel_id, at):
        known = (await figures.newest(tx, [delivery_id])).get(delivery_id, {})
        told = {name: 0 for name in known if name.startswith(REACTION)}
        for emoji, count in list(reactions.items())[:_MOST_KINDS]:
            told[f"{REACTION}{emoji[:_LONGEST]}"] = max(0, count)
        await figures.keep(tx, delivery_id, told, at, published_at=published_at)
    return True
