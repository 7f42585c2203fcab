"""Reactions to posts: what Telegram tells of them, handed to the room that keeps figures. In plain values only."""

from __future__ import annotations

from datetime import UTC

from telegram import ReactionCount, ReactionTypeCustomEmoji, ReactionTypeEmoji

from bot.desk.arrival import Arrival
from bot.insights.reactions import on_reaction_count

_PAID = "⭐"


async def watch(arrival: Arrival) -> None:
    """Keep the new totals of a post's reactions."""
    told = arrival.update.message_reaction_count
    if told is None:
        return
    chat = (str(told.chat.id), *([f"@{told.chat.username}"] if told.chat.username else []))
    counts = {_name(each): each.total_count for each in told.reactions}
    async with arrival.turn() as (tx, _):
        await on_reaction_count(tx, chat, told.message_id, counts, told.date.astimezone(UTC))


def _name(told: ReactionCount) -> str:
    if isinstance(told.type, ReactionTypeEmoji):
        return str(told.type.emoji)
    return told.type.custom_emoji_id if isinstance(told.type, ReactionTypeCustomEmoji) else _PAID
