"""Conversations: what takes more than one message, step by step, for all of the desk's commands alike.

Where a conversation stands is in the store, and moves only in the transaction that counts the update: it outlives a
restart, any replica goes on with it, and nothing is done twice. A story is a set of named steps; a step asks and
takes an answer. What a step asks is worked out anew each time, so a card never shows what no longer holds.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from functools import partial
from typing import Any

from sqlalchemy.ext.asyncio import AsyncConnection
from telegram import Message
from telegram.constants import ChatType

from bot.compose.markup import escape
from bot.desk import texts
from bot.desk.arrival import Arrival
from bot.desk.said import Said, read
from bot.desk.showing import Shower, Sight
from bot.desk.voice import Button, Replies, Rows, Voice
from bot.domain.channel import ChannelId
from bot.domain.editor import Editor, Role
from bot.errors import BotError, DeskError, PhotoError
from bot.store import conversations, editors
from bot.store.conversations import Conversation, Place
from bot.store.database import Database

PRESS = "talk"  # the verb of all buttons of conversations
END = "end"
LASTS = timedelta(minutes=30)  # without an answer
MOST_PICTURE = 10 * 1024 * 1024
_FETCH = 12.0  # seconds for a picture
_VERSIONS = 18  # digits


@dataclass(frozen=True, slots=True, kw_only=True)
class Screen:
    """What a person is shown: previews, then a card. Buttons say what a press of them means to the step.

    `lead` takes the place of the card that was pressed where previews follow it. `more` are buttons of others.
    """

    text: str
    rows: Rows = ()
    sights: Sequence[Sight] = ()
    lead: str = ""
    more: Rows = ()


@dataclass(slots=True, kw_only=True)
class Talk:
    """One turn of a conversation, in its transaction. Steps change `gathered`; `afterwards` runs after the commit."""

    tx: AsyncConnection
    now: datetime
    editor: Editor
    is_private: bool
    gathered: dict[str, Any]
    step: str = ""
    is_renewed: bool = False  # the same step, with another thing to decide about
    afterwards: list[Callable[[], object]] = field(default_factory=list)


Outcome = str | Screen  # the next step, or the last thing that is said


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One step: what it asks, and what an answer leads to.

    `locks`: taking an answer changes the queue of the channels in `gathered["channels"]` (ids). `before` adds to what
    was said what only the network has; it runs before the transaction.
    """

    ask: Callable[[Talk], Awaitable[Screen]]
    take: Callable[[Talk, Said], Awaitable[Outcome]]
    locks: bool = False
    before: Callable[[Said], Awaitable[Said]] | None = None


Opener = Callable[[Arrival, Said], Awaitable[bool]]


class Talks:
    """Holds all stories.

    Args:
        served: ids of the channels that may be locked.
    """

    def __init__(
        self, database: Database, voice: Voice, replies: Replies, shower: Shower, served: Iterable[ChannelId]
    ) -> None:
        self._database = database
        self._voice = voice
        self._replies = replies
        self._shower = shower
        self._served = frozenset(served)
        self._stories: dict[str, Mapping[str, Step]] = {}
        self._ends: dict[str, tuple[str, str]] = {}
        self.openers: list[Opener] = []

    def add(
        self, about: str, steps: Mapping[str, Step], end: tuple[str, str] = (texts.CANCEL, texts.TALK_ENDED)
    ) -> None:
        """Make a story known.

        Args:
            end: the button that ends it at any step, and what is said then.
        """
        self._stories[about] = steps
        self._ends[about] = end

    async def begin(
        self,
        arrival: Arrival,
        about: str,
        first: Callable[[Talk], Awaitable[Outcome]],
        gathered: Mapping[str, Any] | None = None,
    ) -> None:
        """Begin a conversation in place of whatever stood there; what is refused is said.

        Args:
            first: does what the beginning does and names the first step.

        Raises:
            DeskError: it is refused, and a button was pressed: its answer says so.
        """
        try:
            async with arrival.turn() as (tx, now):
                talk = await self._talk(arrival, tx, now, dict(gathered or {}))
                screen = await self._go_on(arrival, about, talk, await first(talk), None)
        except DeskError as error:
            if arrival.update.callback_query is not None:
                raise
            self.tell(arrival, escape(str(error)))
            return
        self._show(arrival, talk, screen)

    async def hear(self, arrival: Arrival) -> None:
        """Take what somebody wrote without a command: an answer, or the beginning of something."""
        message = arrival.update.message
        if message is None or not _is_meant(message):
            return
        async with self._database.read() as tx:
            now = await self._database.now(tx)
            known = await conversations.find(tx, _place(arrival))
        said = read(message)
        try:
            if known is not None and known.expires_at > now:
                await self._answer(arrival, known, await self.with_picture(said))
                return
            for opener in self.openers:
                if await opener(arrival, said):
                    return
        except DeskError as error:
            self.tell(arrival, escape(str(error)))
            return
        if known is not None:
            async with arrival.turn() as (tx, _now):
                await conversations.end(tx, _place(arrival))
            self.tell(arrival, texts.TALK_EXPIRED)
        elif message.chat.type == ChatType.PRIVATE:
            self.tell(arrival, texts.NOT_UNDERSTOOD)

    async def press(self, arrival: Arrival, parts: Sequence[str]) -> str:
        """Take the press of a button; its version must be that of the step that is asked now."""
        async with self._database.read() as tx:
            now = await self._database.now(tx)
            known = await conversations.find(tx, _place(arrival))
        if known is None or len(parts) < 2 or parts[0] != str(known.version) or len(parts[0]) > _VERSIONS:
            raise DeskError(texts.OLD_BUTTON)
        if known.expires_at <= now:
            raise DeskError(texts.TALK_EXPIRED)
        await self._answer(arrival, known, Said(press=tuple(parts[1:])))
        return ""

    async def leave(self, arrival: Arrival) -> None:
        """End a conversation because its person began something else."""
        async with self._database.read() as tx:
            known = await conversations.find(tx, _place(arrival))
        if known is not None and known.version < arrival.update.update_id:
            async with self._database.write() as tx:
                await conversations.end(tx, _place(arrival), before=arrival.update.update_id)

    async def with_picture(self, said: Said) -> Said:
        """Return the same with the picture fetched.

        Raises:
            DeskError: it cannot be had, or is none.
        """
        if not said.photo:
            return said
        if said.photo_size > MOST_PICTURE:
            raise DeskError(texts.PICTURE_TOO_LARGE)
        try:
            async with asyncio.timeout(_FETCH):
                picture = await self._voice.fetch(said.photo, MOST_PICTURE)
                await asyncio.to_thread(_look_at, picture)
        except PhotoError:
            raise DeskError(texts.NO_PICTURE) from None
        except (BotError, TimeoutError):
            raise DeskError(texts.PICTURE_NOT_HAD) from None
        return replace(said, picture=picture)

    def tell(self, arrival: Arrival, text: str) -> None:
        """Say a line in the chat that an update came from."""
        self._replies.put(arrival.chat, partial(self._voice.say, arrival.chat, text))

    async def _answer(self, arrival: Arrival, known: Conversation, said: Said) -> None:
        steps = self._stories.get(known.about, {})
        if known.step not in steps:
            raise DeskError(texts.OLD_BUTTON)
        step = steps[known.step]
        if step.before is not None and not said.press:
            said = await step.before(said)
        ids = known.gathered.get("channels", ()) if step.locks else ()
        async with arrival.turn(sorted(self._served.intersection(ids))) as (tx, now):
            if await conversations.find(tx, _place(arrival)) != known:  # another update was quicker
                raise DeskError(texts.OLD_BUTTON)
            talk = await self._talk(arrival, tx, now, dict(known.gathered), known.step)
            ended = said.press == (END,)
            outcome = Screen(text=self._ends[known.about][1]) if ended else await step.take(talk, said)
            screen = await self._go_on(arrival, known.about, talk, outcome, known)
        self._show(arrival, talk, screen)

    async def _talk(
        self, arrival: Arrival, tx: AsyncConnection, now: datetime, gathered: dict[str, Any], step: str = ""
    ) -> Talk:
        editor = await editors.find(tx, arrival.person.id)
        if editor is None or not editor.may(Role.EDITOR):
            raise DeskError(texts.NO_RIGHTS)
        is_private = arrival.chat == arrival.person.id
        return Talk(tx=tx, now=now, editor=editor, is_private=is_private, gathered=gathered, step=step)

    async def _go_on(
        self, arrival: Arrival, about: str, talk: Talk, outcome: Outcome, known: Conversation | None
    ) -> Screen:
        """Keep where the conversation stands now, and return what is shown."""
        if isinstance(outcome, Screen):
            await conversations.end(talk.tx, _place(arrival))
            return outcome
        stays = known is not None and known.step == outcome and not talk.is_renewed
        version = known.version if known is not None and stays else arrival.update.update_id
        talk.step = outcome
        screen = await self._stories[about][outcome].ask(talk)
        kept = Conversation(
            about=about, step=talk.step, gathered=talk.gathered, version=version, expires_at=talk.now + LASTS
        )
        await conversations.keep(talk.tx, _place(arrival), kept)
        rows = [*screen.rows, [Button(self._ends[about][0], END)]]
        signed = [[Button(one.label, f"{PRESS}:{version}:{one.press}") for one in row] for row in rows]
        return replace(screen, rows=signed)

    def _show(self, arrival: Arrival, talk: Talk, screen: Screen) -> None:
        for act in talk.afterwards:
            act()
        rows = [*screen.more, *screen.rows]
        card = self._pressed_card(arrival)
        if card is not None and not screen.sights:
            self._put(arrival, partial(self._voice.amend, arrival.chat, card, screen.text, rows))
            return
        if card is not None:
            self._put(arrival, partial(self._voice.amend, arrival.chat, card, screen.lead or texts.LOOK_BELOW))
        for sight in screen.sights:
            self._put(arrival, partial(self._shower.show, arrival.chat, sight))
        self._put(arrival, partial(self._voice.say, arrival.chat, screen.text, rows))

    def _pressed_card(self, arrival: Arrival) -> int | None:
        """Return the number of the conversation's card that was pressed; None where it goes on below."""
        query = arrival.update.callback_query
        is_ours = query is not None and (query.data or "").startswith(f"{PRESS}:")
        return query.message.message_id if query is not None and query.message is not None and is_ours else None

    def _put(self, arrival: Arrival, say: Callable[[], Awaitable[object]]) -> None:
        self._replies.put(arrival.chat, say)


def _is_meant(message: Message) -> bool:
    """Say whether words without a command are for the bot: in a group, only what answers it."""
    if message.chat.type == ChatType.PRIVATE:
        return True
    answered = message.reply_to_message
    return answered is not None and answered.from_user is not None and answered.from_user.is_bot


def _place(arrival: Arrival) -> Place:
    return Place(account=arrival.account, chat_id=arrival.chat, person_id=arrival.person.id)


def _look_at(picture: bytes) -> None:
    from bot.channels.picture import as_photo  # Pillow weighs 16 MB: loaded with the first photo

    as_photo(picture)
