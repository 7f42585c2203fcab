"""Sorts updates: what to do with one stands with the handlers that register here.

Only people known as editors are listened to, in private chats and in the desk's own group, and only by the desk's
bot; what a person may do is asked by the handler, in the transaction that does it. Strangers cost a look into memory
and, now and then, one polite line.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from functools import partial

from telegram import CallbackQuery, Message
from telegram.constants import ChatType

from bot.clock import Clock
from bot.compose.markup import escape
from bot.desk import texts
from bot.desk.arrival import Arrival
from bot.desk.commands import Commands
from bot.desk.voice import Replies, Voice
from bot.errors import DeskError
from bot.store import editors
from bot.store.database import Database

_FRESH = 5.0  # seconds that the list of editors is believed
_AGAIN = 1.0  # seconds between looks for somebody who is not on it
_QUIET = 3600.0  # seconds until a stranger is answered again
_BETWEEN = 2.0  # seconds between lines to strangers, whoever they are
_STRANGERS = 1000  # remembered at a time


Press = Callable[[Arrival, Sequence[str]], Awaitable[str]]  # given the parts of the data; returns the line to answer
Watcher = Callable[[Arrival], Awaitable[None]]


class Roster:
    """Who is an editor, as of a few seconds ago: enough to tell strangers from people worth a transaction."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock
        self._known: frozenset[int] = frozenset()
        self._read_at: float | None = None

    def forget(self) -> None:
        """Believe the list no longer: it was changed just now."""
        self._read_at = None

    async def knows(self, number: int) -> bool:
        """Say whether somebody is an editor."""
        age = self._clock.running() - self._read_at if self._read_at is not None else _FRESH
        if age >= _FRESH or (age >= _AGAIN and number not in self._known):
            self._read_at = self._clock.running()
            async with self._database.read() as tx:
                self._known = frozenset(editor.telegram_id for editor in await editors.everyone(tx))
        return number in self._known


class Dispatcher:
    """Knows the handlers.

    Args:
        voice: of the desk's bot; None where people are not listened to at all.
        group: the desk's own chat beside private ones; 0 for none.
    """

    def __init__(
        self, database: Database, roster: Roster, replies: Replies, voice: Voice | None, clock: Clock, group: int = 0
    ) -> None:
        self._database = database
        self._roster = roster
        self._replies = replies
        self._voice = voice
        self._clock = clock
        self._group = group
        self._own_name: str | None = None
        self._answered: dict[int, float] = {}
        self._answered_at: float | None = None
        self.commands = Commands()
        self.presses: dict[str, Press] = {}
        self.hears: Watcher | None = None  # what was written without a command
        self.leaves: Watcher | None = None  # told before each command: what went on before is left
        self.forwards: list[Watcher] = []
        self.reactions: list[Watcher] = []
        self.hand_edits: list[Watcher] = []

    @property
    def wanted(self) -> list[str]:
        """The kinds of updates to ask for; without any handler, none."""
        kinds = ["message"] if self.forwards or self._voice is not None else []
        kinds += ["callback_query", "my_chat_member", "channel_post"] if self._voice is not None else []
        kinds += ["edited_channel_post"] if self.hand_edits or self._voice is not None else []
        return kinds + (["message_reaction_count"] if self.reactions or self._voice is not None else [])

    def watchers(self, arrival: Arrival) -> list[Watcher]:
        """Return who watches for an update that no person of the desk sent."""
        update = arrival.update
        if update.message is not None and update.message.is_automatic_forward:
            return self.forwards
        if update.message_reaction_count is not None:
            return self.reactions
        return self.hand_edits if update.edited_channel_post is not None else []

    async def concerns(self, arrival: Arrival) -> bool:
        """Say whether there is anything to do for an update; a stranger is done with here, at no cost to the store."""
        if self.watchers(arrival):
            return True
        if self._voice is None or arrival.account != self._voice.account:
            return False
        query, message = arrival.update.callback_query, arrival.update.message
        if query is None and (message is None or not self._is_for_desk(message)):
            return False
        if await self._roster.knows(arrival.person.id):
            return True
        if query is not None:
            self._replies.put(query.id, partial(self._voice.answer, query.id, texts.NO_RIGHTS))
        elif message is not None and (message.chat.type == ChatType.PRIVATE or (message.text or "").startswith("/")):
            self._greet_stranger(arrival)
        return False

    async def handle(self, arrival: Arrival) -> None:
        """Hand an update that concerns somebody to those it is for.

        Raises:
            HandledError: it was handled before.
            DatabaseError: it could not be handled now.
        """
        watchers, query, message = self.watchers(arrival), arrival.update.callback_query, arrival.update.message
        for watch in watchers:
            await watch(arrival)
        if watchers or self._voice is None:
            return
        if query is not None:
            await self._pressed(self._voice, arrival, query)
        elif message is not None:
            await self._said(self._voice, arrival, message)

    def forget_people(self) -> None:
        """Look anew who is an editor before the next update."""
        self._roster.forget()

    def reply(self, arrival: Arrival, text: str) -> None:
        """Answer in the chat that an update came from, soon."""
        if self._voice is not None:
            self._replies.put(arrival.chat, partial(self._voice.say, arrival.chat, text))

    def sorry(self, arrival: Arrival) -> None:
        """Tell somebody that a fault of ours came between."""
        query = arrival.update.callback_query
        if query is not None and self._voice is not None:
            self._replies.put(query.id, partial(self._voice.answer, query.id, texts.WENT_WRONG))
        elif arrival.update.message is not None and not arrival.update.message.is_automatic_forward:
            self.reply(arrival, texts.WENT_WRONG)

    def _is_for_desk(self, message: Message) -> bool:
        if message.from_user is None or message.from_user.is_bot or message.sender_chat is not None:
            return False
        return message.chat.type == ChatType.PRIVATE or message.chat.id == self._group

    async def _said(self, voice: Voice, arrival: Arrival, message: Message) -> None:
        command, words = _command(message.text or message.caption or "")
        name, _, addressee = command.partition("@")
        if addressee and addressee.lower() != (await self._name(voice)).lower():
            return
        if name and self.leaves is not None:
            await self.leaves(arrival)
        if name:
            await self._commanded(arrival, name, words)
        elif self.hears is not None:
            await self.hears(arrival)

    async def _commanded(self, arrival: Arrival, name: str, words: str) -> None:
        """Let a person of the least role have a command carried out; in which channels is asked by the handler."""
        found = self.commands.find(name)
        if found is None:
            self.reply(arrival, texts.UNKNOWN_COMMAND)
            return
        command, handler = found
        async with self._database.read() as tx:
            editor = await editors.find(tx, arrival.person.id)
        if editor is None or not editor.may(command.role):
            self.reply(arrival, texts.NOT_FOR_ROLE.format(role=texts.ROLES_WHO[command.role]))
            return
        try:
            await handler(arrival, words)
        except DeskError as error:
            self.reply(arrival, escape(str(error)))

    async def _pressed(self, voice: Voice, arrival: Arrival, query: CallbackQuery) -> None:
        verb, *parts = (query.data or "").split(":")
        refused = False
        try:
            line = await self.presses[verb](arrival, parts) if verb in self.presses else texts.OLD_BUTTON
        except DeskError as error:
            line, refused = str(error), True
        self._replies.put(query.id, partial(voice.answer, query.id, line, alert=refused))

    def _greet_stranger(self, arrival: Arrival) -> None:
        """Answer a stranger once an hour, and all of them together no oftener than every two seconds."""
        now, number = self._clock.running(), arrival.person.id
        if self._answered_at is not None and now - self._answered_at < _BETWEEN:
            return
        if now - self._answered.get(number, -_QUIET) < _QUIET:
            return
        if len(self._answered) >= _STRANGERS:
            self._answered.pop(next(iter(self._answered)))
        self._answered.pop(number, None)
        self._answered[number] = self._answered_at = now
        self.reply(arrival, texts.STRANGER.format(number=number))

    async def _name(self, voice: Voice) -> str:
        if self._own_name is None:
            self._own_name = await voice.own_name()
        return self._own_name


def _command(text: str) -> tuple[str, str]:
    """Split "/name@bot words" into "name@bot" and "words"; ("", text) where there is no command."""
    if not text.startswith("/"):
        return "", text
    command, _, words = text[1:].partition(" ")
    first, _, rest = command.partition("\n")
    return first.lower(), f"{rest} {words}".strip() if rest else words.strip()
