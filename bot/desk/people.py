"""Greets the people of the desk."""

from __future__ import annotations

from bot.compose.markup import escape
from bot.desk import texts
from bot.desk.dispatch import Arrival, Dispatcher
from bot.store import editors


class People:
    """Remembers who can be written to."""

    def __init__(self, dispatcher: Dispatcher) -> None:
        self._dispatcher = dispatcher

    async def start(self, arrival: Arrival, _: str) -> None:
        """Remember that an editor has opened the chat with the bot, and say hello."""
        is_private = arrival.chat == arrival.person.id
        async with arrival.turn() as (tx, now):
            editor = await editors.find(tx, arrival.person.id)
            if editor is not None and is_private:
                await editors.note_start(tx, editor.telegram_id, now)
        if editor is not None:
            self._dispatcher.reply(arrival, texts.WELCOME.format(name=escape(editor.name)))
