"""The desk as one room: built by `app`, opened by the service, its bell rung by the ticker.

What is not wanted stays off: without bots to hear nothing is polled, without anybody to tell nothing is told.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from contextlib import AsyncExitStack
from typing import Any, Self

from bot.desk import reactions
from bot.desk.alerts import Alerts
from bot.desk.approvals import Approvals
from bot.desk.board import Board
from bot.desk.dispatch import Dispatcher, Roster
from bot.desk.forwards import Forwards
from bot.desk.furniture import Furniture
from bot.desk.hand_edits import HandEdits
from bot.desk.menus import Menus
from bot.desk.notices import Notices
from bot.desk.orders import take_orders
from bot.desk.people import People
from bot.desk.presses import Presses
from bot.desk.previews import Drawer
from bot.desk.reports import Reports
from bot.desk.stories import converse
from bot.desk.subjects import Subjects
from bot.desk.telling import Teller
from bot.desk.touch import Doorkeeper
from bot.desk.updates import Pollers
from bot.desk.voice import Replies, Voice
from bot.desk.webhooks import Webhooks
from bot.logs import logger

_log = logger("desk")


class Desk:
    """The editors' room. Use as an async context manager: it listens while it is open."""

    def __init__(self, given: Furniture) -> None:
        self.given = given
        self._stack = AsyncExitStack()
        self._replies = Replies()
        self._is_open = False
        self._looks: set[asyncio.Task[None]] = set()
        voice = Voice(given.database, given.bot, given.limits) if given.bot is not None else None
        self._alerts = Alerts(given.alert_url, given.clock) if given.alert_url else None
        roster = Roster(given.database, given.clock)
        self.dispatcher = Dispatcher(given.database, roster, self._replies, voice, given.clock, given.chat)
        teller = self._teller(voice) if voice is not None else None
        self.notices: Notices | None = None
        self.menus: Menus | None = None
        if teller is not None or self._alerts is not None:
            self.notices = Notices(
                given.database,
                given.clock,
                teller=teller,
                alerts=self._alerts,
                holder=given.holder,
                zone=given.zone,
                sources=given.sources,
            )
        self.dispatcher.forwards.append(Forwards(given.served, given.web_url).watch)
        self.dispatcher.reactions.append(reactions.watch)
        self.dispatcher.hand_edits.append(HandEdits(Subjects(given.served)).watch)
        if teller is not None:
            door = Doorkeeper(given.database, given.served)
            presses = Presses(
                given.database, given.served, given.publishers, door, teller, self._replies, self._stirred
            )
            approvals = Approvals(
                given.database,
                given.served,
                door,
                teller,
                self._replies,
                self._stirred,
                undo=given.undo,
                zone=given.zone,
            )
            self.dispatcher.presses |= presses.handlers | approvals.handlers
            if voice is not None:
                converse(given, self.dispatcher, voice, self._replies, self._stirred, self._people_moved)
                take_orders(given, self.dispatcher, voice, self._replies, self._stirred)
                self.menus = Menus(given.database, given.clock, voice, self.dispatcher.commands, given.chat)
                people = People(self.dispatcher, self.menus.stir)
                self.dispatcher.commands.serve("start", people.start)
                self.dispatcher.commands.serve("help", people.help)
        self._ears: Pollers | Webhooks = (
            Pollers(
                given.database, given.clock, self.dispatcher, given.bots, holder=given.holder, patience=given.patience
            )
            if given.hook is None
            else Webhooks(given.database, given.clock, self.dispatcher, given.bots, given.hook, holder=given.holder)
        )

    async def __aenter__(self) -> Self:
        if self._alerts is not None:
            await self._stack.enter_async_context(self._alerts)
        for bot in self.given.bots:
            await self._stack.enter_async_context(bot)
        self._stack.push_async_callback(self._finish)
        await self._stack.enter_async_context(self._ears)
        self._is_open = True
        if self.menus is not None:
            self._stack.push_async_callback(self.menus.close)
            self.menus.stir()
        if self.given.bots:
            _log.info("the desk listens", bots=[bot.account for bot in self.given.bots])
        return self

    async def __aexit__(self, *_: object) -> None:
        self._is_open = False
        await self._stack.aclose()

    async def receive(self, number: str, plain: Mapping[str, Any]) -> bool:
        """Handle an update that Telegram brings to the bot with this id; False where it has to come again.

        Raises:
            LookupError: no bot that is brought updates has this id.
        """
        if not isinstance(self._ears, Webhooks):
            raise LookupError(number)
        return await self._ears.receive(number, plain)

    async def look(self) -> None:
        """Tell what is new, and how what was told has ended; a message on its way is not lost to a stop."""
        if self.menus is not None and self._is_open:
            self.menus.stir()
        if self.notices is not None and self._is_open:
            looking = asyncio.create_task(self.notices.look(), name="notices")
            self._looks.add(looking)
            looking.add_done_callback(self._looks.discard)
            await asyncio.shield(looking)

    def _teller(self, voice: Voice) -> Teller:
        given = self.given
        drawer = Drawer(
            given.database,
            given.composer,
            given.photos,
            given.served,
            account=voice.account,
            zone=given.zone,
            handled=self.dispatcher.presses,
        )
        return Teller(
            given.database,
            given.clock,
            Board(given.database, given.clock, voice),
            drawer,
            Reports(given.served, summary_at=given.summary_at, zone=given.zone),
            chat=given.chat,
            quiet=given.quiet,
            zone=given.zone,
        )

    async def _finish(self) -> None:
        await self._replies.close()
        if self._looks:
            await asyncio.wait(list(self._looks), timeout=2)
        for look in list(self._looks):
            look.cancel()
        await asyncio.gather(*self._looks, return_exceptions=True)

    def _people_moved(self) -> None:
        """Know who is an editor, and show each what that person may say, at once."""
        self.dispatcher.forget_people()
        if self.menus is not None:
            self.menus.stir()

    def _stirred(self) -> None:
        """Have the cards amended at once; what serves the queue was rung by the step itself."""
        self._replies.put("notices", self.look)
