"""Answers in the chat that an update came from: a message, another reading of the one pressed, or work first."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from functools import partial

from bot.compose.markup import TELEGRAM_TEXT, escape
from bot.desk import texts
from bot.desk.arrival import Arrival
from bot.desk.voice import Replies, Rows, Voice
from bot.errors import DeskError


def joined(parts: Sequence[str], most: int = TELEGRAM_TEXT - 100) -> str:
    """Return lines as one message; those that it has no room for are counted instead."""
    kept: list[str] = []
    room = most
    for part in parts:
        room -= len(part) + 1
        if room < 0:
            return "\n".join([*kept, texts.LIST_MORE.format(count=len(parts) - len(kept))])
        kept.append(part)
    return "\n".join(kept)


class Speaker:
    """The desk's voice, for answers that nobody waits for."""

    def __init__(self, voice: Voice, replies: Replies) -> None:
        self.voice = voice
        self._replies = replies

    def say(self, arrival: Arrival, text: str, rows: Rows = ()) -> None:
        """Write a message."""
        self._replies.put(arrival.chat, partial(self.voice.say, arrival.chat, text, rows))

    def amend(self, arrival: Arrival, text: str, rows: Rows = ()) -> None:
        """Rewrite the message whose button was pressed, where Telegram still tells which it is."""
        query = arrival.update.callback_query
        if query is not None and query.message is not None:
            message = query.message.message_id
            self._replies.put(arrival.chat, partial(self.voice.amend, arrival.chat, message, text, rows))

    def work(self, arrival: Arrival, do: Callable[[], Awaitable[None]]) -> None:
        """Do what takes seconds while others are heard; what it refuses is said."""

        async def done() -> None:
            try:
                await do()
            except DeskError as error:
                await self.voice.say(arrival.chat, escape(str(error)))

        self._replies.put(arrival.chat, done)
