"""Puts notices into Telegram: to the desk's chat or to each chief, as cards or as one list, and amends them in the end.

More than a few at a time become one list, and nothing new is told before the last cards are a minute old: the desk is
never flooded.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from bot.clock import Clock
from bot.desk import cards
from bot.desk.voice import Rows, Voice
from bot.domain.editor import Editor, Role
from bot.domain.timetable import Daily
from bot.errors import NotPublishedError, ThrottledError, UnansweredError, UnreachableError
from bot.logs import logger
from bot.store import editors
from bot.store import notices as rows
from bot.store.database import Database
from bot.store.notices import ACCESS, About, Notice, Told

CARDS = 5  # at a time; more become a list
_WINDOW = 60.0  # seconds that this "time" lasts
_AGAIN = 60.0  # seconds until the desk is tried again where nobody could be told
_log = logger("desk")


@dataclass(frozen=True, slots=True, kw_only=True)
class _Place:
    """A chat that is told; a chief is told of the channels that are his or hers."""

    chat: int
    chief: Editor | None = None

    def wants(self, about: About) -> bool:
        return self.chief is None or self.chief.may(Role.CHIEF, about.channel)


class Teller:
    """Tells the desk.

    Args:
        chat: the desk's own chat; 0: each chief's private one.
        quiet: hours in which messages make no sound, by the clock of `zone`.
    """

    def __init__(
        self,
        database: Database,
        clock: Clock,
        voice: Voice,
        *,
        chat: int,
        quiet: Sequence[Daily],
        zone: ZoneInfo,
    ) -> None:
        self._database = database
        self._clock = clock
        self._voice = voice
        self._chat = chat
        self._quiet = quiet
        self._zone = zone
        self._told: deque[float] = deque()
        self._speaks_at = 0.0

    async def tell(
        self, new: Sequence[Notice], about: Mapping[int, About], now: datetime, go_on: Callable[[], bool]
    ) -> None:
        """Tell what is new, lost access first; what cannot be told now stays new.

        Args:
            go_on: says whether this replica still has the duty.
        """
        if not new or self._clock.running() < self._speaks_at:
            return
        places = await self._places()
        heard = [one for one in new if one.id in about and any(place.wants(about[one.id]) for place in places)]
        heard.sort(key=lambda notice: (notice.what != ACCESS, notice.id))
        while self._told and self._told[0] < self._clock.running() - _WINDOW:
            self._told.popleft()
        if not heard or (self._told and len(heard) > CARDS - len(self._told)):
            return
        silent = any(span.covers(now, self._zone) for span in self._quiet)
        self._told.extend([self._clock.running()] * min(CARDS, len(heard)))
        done = {notice.id for notice in heard}
        for place in places:
            mine = [one for one in heard if place.wants(about[one.id])]
            done -= await self._tell_place(place.chat, mine, about, silent, go_on)
        await self._note_told(done)

    async def end(
        self,
        over: Sequence[Notice],
        about: Mapping[int, About],
        ends: Mapping[int, str],
        go_on: Callable[[], bool],
    ) -> set[int]:
        """Amend the messages of what has ended; return the numbers of those whose messages all say so."""
        left = await self._tick_off(over, go_on)
        said: set[int] = set()
        for notice in over:
            of_its_own = [told for told in notice.messages if not told.is_list]
            if notice.id in about and of_its_own:
                text = cards.settled(notice, about[notice.id], ends[notice.id])
                outcomes = [await self._amend(told, text, (), go_on) for told in of_its_own]
            else:
                outcomes = []
            if all(outcomes) and not any((told.chat, told.message) in left for told in notice.messages):
                said.add(notice.id)
        return said

    async def show(self, chat: int, notice_id: int) -> None:
        """Write a notice that stood in a list as a card of its own, unless it has one here or has ended."""
        async with self._database.read() as tx:
            notice = await rows.get(tx, notice_id)
            about = (await rows.about(tx, [notice])).get(notice_id) if notice is not None else None
        if notice is None or about is None or notice.ended_at is not None or notice.has_card(chat):
            return
        text, buttons = cards.card(notice, about)
        await self._say(chat, [notice], text, buttons, silent=True)

    async def _places(self) -> list[_Place]:
        if self._chat:
            return [_Place(chat=self._chat)]
        async with self._database.read() as tx:
            return [_Place(chat=chief.telegram_id, chief=chief) for chief in await editors.started(tx, Role.CHIEF)]

    async def _tell_place(
        self, chat: int, mine: Sequence[Notice], about: Mapping[int, About], silent: bool, go_on: Callable[[], bool]
    ) -> set[int]:
        """Tell one chat what it has not heard; return the numbers of what did not arrive, but may later."""
        left = [one for one in mine if chat not in {told.chat for told in one.messages}]
        if len(left) > CARDS:
            parcels = [(left, cards.listing([(one, about[one.id]) for one in left]))]
        else:
            parcels = [([one], cards.card(one, about[one.id])) for one in left]
        unsaid: set[int] = set()
        for told, (text, buttons) in parcels:
            if not go_on() or not await self._say(chat, told, text, buttons, silent=silent):
                unsaid |= {notice.id for notice in told}
        return unsaid

    async def _say(self, chat: int, told: Sequence[Notice], text: str, buttons: Rows, *, silent: bool) -> bool:
        """Write a message and remember it; False where it should be tried again."""
        try:
            message = await self._voice.say(chat, text, buttons, silent=silent)
        except (UnreachableError, ThrottledError, UnansweredError) as error:
            self._wait(error)
            return False
        except NotPublishedError as error:
            _log.warning("the desk could not be told", chat=chat, why=str(error))
            return True  # this chat does not take it: no matter, if another one does
        async with self._database.write() as tx:
            kept = Told(chat=chat, message=message, is_list=len(told) > 1)
            await rows.keep_message(tx, [notice.id for notice in told], kept)
        return True

    async def _note_told(self, done: set[int]) -> None:
        """Count as told what stands in a message somewhere."""
        async with self._database.write() as tx:
            now = await self._database.now(tx)
            arrived = await rows.with_messages(tx, done)
            await rows.change(tx, arrived, told_at=now)
        if done - arrived:
            self._speaks_at = max(self._speaks_at, self._clock.running() + _AGAIN)

    async def _tick_off(self, over: Sequence[Notice], go_on: Callable[[], bool]) -> set[tuple[int, int]]:
        """Rewrite each list in which something has ended; return the lists that could not be."""
        ended = {notice.id for notice in over}
        left: set[tuple[int, int]] = set()
        done: set[tuple[int, int]] = set()
        for notice in over:
            lists = [told for told in notice.messages if told.is_list and (told.chat, told.message) not in done]
            if not lists:
                continue
            async with self._database.read() as tx:
                beside = await rows.listed_with(tx, notice)
                about = await rows.about(tx, beside)
            for told in lists:
                done.add((told.chat, told.message))
                mine = [one for one in beside if told in one.messages and one.id in about]
                text, buttons = cards.listing([(one, about[one.id]) for one in mine], ended)
                if not await self._amend(told, text, buttons, go_on):
                    left.add((told.chat, told.message))
        return left

    async def _amend(self, told: Told, text: str, buttons: Rows, go_on: Callable[[], bool]) -> bool:
        if not go_on() or self._clock.running() < self._speaks_at:
            return False
        try:
            await self._voice.amend(told.chat, told.message, text, buttons)
        except (UnreachableError, ThrottledError, UnansweredError) as error:
            self._wait(error)
            return False
        except NotPublishedError as error:
            _log.info("a notice could not be amended", chat=told.chat, why=str(error))
        return True

    def _wait(self, error: Exception) -> None:
        """Say nothing for a while after a fault that passes by itself."""
        seconds = error.retry_after.total_seconds() if isinstance(error, ThrottledError) else 5.0
        self._speaks_at = self._clock.running() + seconds
        _log.info("the desk is told later", why=str(error))
