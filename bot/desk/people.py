"""Greets the people of the desk, and tells them what they may do."""

from __future__ import annotations

from collections.abc import Callable

from bot.compose.markup import escape
from bot.desk import texts
from bot.desk.arrival import Arrival
from bot.desk.dispatch import Dispatcher
from bot.store import editors


class People:
    """Remembers who can be written to.

    Args:
        on_start: is called when somebody has opened the chat with the bot.
    """

    def __init__(self, dispatcher: Dispatcher, on_start: Callable[[], None]) -> None:
        self._dispatcher = dispatcher
        self._on_start = on_start

    async def start(self, arrival: Arrival, _: str) -> None:
        """Remember that an editor has opened the chat with the bot, and say hello."""
        is_private = arrival.chat == arrival.person.id
        async with arrival.turn() as (tx, now):
            editor = await editors.find(tx, arrival.person.id)
            if editor is not None and is_private:
                await editors.note_start(tx, editor.telegram_id, now)
        if editor is not None:
            self._dispatcher.reply(arrival, texts.WELCOME.format(name=escape(editor.name)))
            self._on_start()

    async def help(self, arrival: Arrival, _: str) -> None:
        """Tell what this person may do."""
        async with arrival.database.read() as tx:
            editor = await editors.find(tx, arrival.person.id)
        if editor is not None:
            self._dispatcher.reply(arrival, self._dispatcher.commands.help(editor))
