"""Puts notices into Telegram: to the desk's chat or to each chief, as cards or as one list, and amends them.

More than a few at a time become one list, and nothing new is told before the last cards are a minute old: the desk is
never flooded. In its quiet hours it is told of what is urgent alone, and afterwards of what is left.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from zoneinfo import ZoneInfo

from bot.clock import Clock
from bot.desk import cards
from bot.desk.board import Board
from bot.desk.previews import Drawer, mark
from bot.desk.reports import Reports
from bot.desk.standing import Phase, Standing, stand
from bot.domain.delivery import HeldReason
from bot.domain.editor import Editor, Role
from bot.domain.timetable import Daily
from bot.store import causes, editors
from bot.store import notices as rows
from bot.store.database import Database
from bot.store.notices import ACCESS, EDITOR, PROPOSED, REPORTS, WARNS, About, Notice

CARDS = 5  # at a time; more become a list
_WINDOW = 60.0  # seconds that this "time" lasts
_AGAIN = 60.0  # seconds until the desk is tried again where nobody could be told
_URGENT = frozenset({ACCESS, f"{WARNS}access", HeldReason.NO_EVIDENCE.value})  # told at night, too


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """A chat that is told; a chief is told of the channels that are his or hers."""

    chat: int
    chief: Editor | None = None

    def wants(self, about: About) -> bool:
        return self.chief is None or self.chief.may(Role.CHIEF, about.channel or None)


class Teller:
    """Tells the desk.

    Args:
        chat: the desk's own chat; 0: each chief's private one.
        quiet: hours in which only what is urgent is told, without a sound, by the clock of `zone`.
    """

    def __init__(
        self,
        database: Database,
        clock: Clock,
        board: Board,
        drawer: Drawer,
        reports: Reports,
        *,
        chat: int,
        quiet: Sequence[Daily],
        zone: ZoneInfo,
    ) -> None:
        self._database = database
        self._clock = clock
        self.board = board
        self._drawer = drawer
        self.reports = reports
        self._chat = chat
        self._quiet = quiet
        self._zone = zone
        self._told: deque[float] = deque()

    async def tell(self, new: Sequence[Notice], standing: Standing, go_on: Callable[[], bool]) -> None:
        """Tell what is new, lost access first; what cannot be told now stays new.

        Args:
            go_on: says whether this replica still has the duty.
        """
        if not new or self.board.rests:
            return
        places, about = await self._places(), standing.about
        is_quiet = any(span.covers(standing.now, self._zone) for span in self._quiet)
        heard = [
            one
            for one in new
            if one.id in about
            and any(place.wants(about[one.id]) for place in places)
            and (not is_quiet or _is_urgent(one, about[one.id]))
        ]
        heard.sort(key=lambda notice: (notice.what != ACCESS, notice.id))
        while self._told and self._told[0] < self._clock.running() - _WINDOW:
            self._told.popleft()
        if not heard or (self._told and len(heard) > CARDS - len(self._told)):
            return
        self._told.extend([self._clock.running()] * min(CARDS, len(heard)))
        done = {notice.id for notice in heard}
        for place in places:
            mine = [one for one in heard if place.wants(about[one.id])]
            done -= await self._tell_place(place, mine, standing, is_quiet, go_on)
        await self._note_told(done, {notice.id for notice in heard if notice.what in REPORTS})

    async def keep_up(self, told: Sequence[Notice], standing: Standing, go_on: Callable[[], bool]) -> None:
        """Have cards show what they are about as it is by now."""
        for notice in told:
            if notice.what in REPORTS:
                continue
            wanted = mark(notice, standing) if notice.id in standing.about else ""
            stale = [one for one in notice.messages if not one.is_list and one.mark != wanted]
            if not wanted or not stale or not go_on():
                continue
            drawn = await self._drawer.draw(notice, standing)
            for one in stale:
                await self.board.redraw(notice.id, one, drawn)

    async def refresh(self, notice_id: int) -> None:
        """Have the cards of one notice show what it is about, at once; any replica may, whoever has the duty."""
        standing, notice = await self._one(notice_id)
        if notice is not None and standing.phase(notice) is not Phase.OVER:
            await self.keep_up([notice], standing, lambda: True)

    async def end(
        self, over: Sequence[Notice], standing: Standing, ends: Mapping[int, str], go_on: Callable[[], bool]
    ) -> set[int]:
        """Amend the messages of what has ended; return the numbers of those whose messages all say so."""
        left = await self._tick_off(over, go_on)
        said: set[int] = set()
        for notice in over:
            of_its_own = [told for told in notice.messages if not told.is_list and notice.what not in REPORTS]
            if notice.id in standing.about and of_its_own:
                text = cards.settled(notice, standing.about[notice.id], ends[notice.id])
                outcomes = [go_on() and await self.board.amend(told, text) for told in of_its_own]
            else:
                outcomes = []
            if all(outcomes) and not any((told.chat, told.message) in left for told in notice.messages):
                said.add(notice.id)
        return said

    async def show(self, chat: int, notice_id: int) -> None:
        """Write a notice that stood in a list as a card of its own, unless it has one here or is over."""
        standing, notice = await self._one(notice_id)
        if notice is None or notice.has_card(chat) or standing.phase(notice) is Phase.OVER:
            return
        await self.board.say_card(chat, notice.id, await self._drawer.draw(notice, standing), silent=True)

    async def fold(self, chat: int, message: int, notice_id: int) -> None:
        """Give a card its own buttons back."""
        standing, notice = await self._one(notice_id)
        if notice is not None and standing.phase(notice) is not Phase.OVER:
            await self.board.rebutton(chat, message, (await self._drawer.draw(notice, standing)).rows)

    async def _one(self, notice_id: int) -> tuple[Standing, Notice | None]:
        """Return an open notice, and where it stands."""
        async with self._database.read() as tx:
            found = await rows.get(tx, notice_id)
            notice = found if found is not None and found.ended_at is None else None
            now = await self._database.now(tx)
            return await stand(tx, [notice] if notice is not None else [], now), notice

    async def _places(self) -> list[Place]:
        if self._chat:
            return [Place(chat=self._chat)]
        async with self._database.read() as tx:
            return [Place(chat=chief.telegram_id, chief=chief) for chief in await editors.started(tx, Role.CHIEF)]

    async def _tell_place(
        self, place: Place, mine: Sequence[Notice], standing: Standing, silent: bool, go_on: Callable[[], bool]
    ) -> set[int]:
        """Tell one chat what it has not heard; return the numbers of what did not arrive, but may later."""
        chat = place.chat
        unheard = [one for one in mine if chat not in {told.chat for told in one.messages}]
        left = [one for one in unheard if one.what not in REPORTS]
        unsaid: set[int] = set()
        for what in sorted(REPORTS):
            unsaid |= await self._report(place, [one for one in unheard if one.what == what], silent, go_on)
        return unsaid | await self._tell_cards(chat, left, standing, silent, go_on)

    async def _report(self, place: Place, told: Sequence[Notice], silent: bool, go_on: Callable[[], bool]) -> set[int]:
        """Tell reports of one kind in one message; return the numbers of what did not arrive, but may later."""
        if not told:
            return set()
        ids = {notice.id for notice in told}
        async with self._database.read() as tx:
            text = await self.reports.text(tx, told, place.chief)
        if text is None:
            return set()
        return set() if go_on() and await self.board.say(place.chat, ids, text, silent=silent) else ids

    async def _tell_cards(
        self, chat: int, left: Sequence[Notice], standing: Standing, silent: bool, go_on: Callable[[], bool]
    ) -> set[int]:
        ids = {notice.id for notice in left}
        if len(left) > CARDS:
            text, buttons = cards.listing([(one, standing.about[one.id]) for one in left])
            is_said = go_on() and await self.board.say(chat, ids, text, buttons, silent=silent, is_list=True)
            return set() if is_said else ids
        for one in left:
            if not go_on():
                break
            drawn = await self._drawer.draw(one, standing)
            if await self.board.say_card(chat, one.id, drawn, silent=silent or one.what == EDITOR):
                ids.discard(one.id)
        return ids

    async def _note_told(self, done: set[int], reports: set[int]) -> None:
        """Count as told what stands in a message somewhere, and reports in which there was nothing for anybody."""
        async with self._database.write() as tx:
            now = await self._database.now(tx)
            arrived = await rows.with_messages(tx, done) | (done & reports)
            await rows.change(tx, arrived, told_at=now)
        if done - arrived:
            self.board.rest(_AGAIN)

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
                about = await causes.about(tx, beside)
            for told in lists:
                done.add((told.chat, told.message))
                mine = [one for one in beside if told in one.messages and one.id in about]
                text, buttons = cards.listing([(one, about[one.id]) for one in mine], ended)
                if not go_on() or not await self.board.amend(told, text, buttons):
                    left.add((told.chat, told.message))
        return left


def _is_urgent(notice: Notice, about: About) -> bool:
    """Whether a notice is told at night: what costs posts until somebody acts, and breaking news to agree to."""
    return notice.what in _URGENT or (notice.what == PROPOSED and about.is_breaking)
