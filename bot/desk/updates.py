"""Hears updates: every bot is polled by one replica at a time, and each update is handled once.

A replica that holds the duty `updates <account>` asks for updates in long polls. An update counts as handled in the
transaction of what handling it changed (`Arrival.turn`), so a crash in between neither loses nor repeats it, nor do
two replicas of which one has not noticed yet that it lost the duty. What is said in reply is outside of that promise:
a crash may swallow an answer.

Polling has connections of its own and handles one update of a bot after the other: publishing does not wait for it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, Self

from telegram import Bot, Update
from telegram.error import Conflict

from bot.channels.telegram_bot import TelegramBot
from bot.clock import Clock
from bot.desk.arrival import Arrival
from bot.desk.dispatch import Dispatcher
from bot.desk.handling import handle
from bot.errors import AccessLostError, BotError, DatabaseError, ThrottledError
from bot.logs import logger
from bot.store import house, inboxes
from bot.store.database import Database

_BATCH = 100  # updates in one answer, the platform's own bound
_LONGEST_REST = 60.0  # seconds after a fault
_SILENT_FOR = 24 * 3600.0  # after a week of silence Telegram counts updates anew: ask for all that waits
_BREATH = 0.05  # seconds after a batch that concerned nobody, so that a flood leaves room for the rest
_log = logger("desk")


@dataclass(frozen=True, slots=True, kw_only=True)
class Patience:
    """The times that polling works by: a long poll, the term of the duty, and between looks whether it is free."""

    poll: float = 25.0
    term: timedelta = timedelta(seconds=30)
    retry: float = 5.0
    conflict: float = 5.0


@dataclass(slots=True, kw_only=True)
class _Ear:
    """One bot while this replica has the duty to hear it."""

    bot: TelegramBot
    offset: int | None = None
    heard_at: float = 0.0
    lost: asyncio.Event = field(default_factory=asyncio.Event)


class Pollers:
    """Polls bots while it is open.

    Args:
        bots: opened by their owner, with connections that serve nothing else.
        holder: this replica's name, under which it holds duties.
    """

    def __init__(
        self,
        database: Database,
        clock: Clock,
        dispatcher: Dispatcher,
        bots: Sequence[TelegramBot],
        *,
        holder: str,
        patience: Patience | None = None,
    ) -> None:
        self._database = database
        self._clock = clock
        self._dispatcher = dispatcher
        self._bots = bots
        self._holder = holder
        self._patience = patience or Patience()
        self._stopping = asyncio.Event()
        self._tasks: list[asyncio.Task[None]] = []

    async def __aenter__(self) -> Self:
        self._stopping.clear()
        self._tasks = [asyncio.create_task(self._serve(bot), name=f"updates {bot.account}") for bot in self._bots]
        return self

    async def __aexit__(self, *_: object) -> None:
        """Finish the update in hand and ask for no more."""
        self._stopping.set()
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=3)
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _serve(self, bot: TelegramBot) -> None:
        while not self._stopping.is_set():
            try:
                if await self._take(bot):
                    await self._hear(bot)
            except DatabaseError as error:
                _log.debug("whose duty it is to hear a bot could not be asked", account=bot.account, why=str(error))
            except Exception:
                _log.exception("hearing updates failed", account=bot.account)
            await self._rest(self._patience.retry)

    async def _hear(self, bot: TelegramBot) -> None:
        ear = _Ear(bot=bot, heard_at=self._clock.running())
        keeping = asyncio.create_task(self._keep(ear), name=f"duty {bot.account}")
        try:
            await self._listen(ear)
        finally:
            keeping.cancel()
            await asyncio.gather(keeping, return_exceptions=True)

    async def _take(self, bot: TelegramBot) -> bool:
        async with self._database.write() as tx:
            now = await self._database.now(tx)
            return await house.take_lease(tx, f"updates {bot.account}", self._holder, now, self._patience.term)

    async def _keep(self, ear: _Ear) -> None:
        """Renew the duty; give it up where it is lost, or may be by now because nobody could be asked."""
        term = self._patience.term.total_seconds()
        kept_at = self._clock.running()
        while True:
            await asyncio.sleep(term / 3)
            try:
                held = await self._take(ear.bot)
            except DatabaseError:
                held = self._clock.running() - kept_at < term * 2 / 3
            else:
                kept_at = self._clock.running()
            if not held:
                _log.info("this replica no longer has the duty to hear a bot", account=ear.bot.account)
                ear.lost.set()
                return

    async def _listen(self, ear: _Ear) -> None:
        """Poll until the duty is lost or the service stops."""
        faults = 0
        while not (self._stopping.is_set() or ear.lost.is_set()):
            try:
                updates = await self._unless_told(ear, self._ask(ear))
                if updates is None:
                    continue
                concerned = await self._take_in(ear, updates)
                faults = 0
                if not concerned:
                    await self._rest(_BREATH)
            except _ConflictError as error:
                _log.warning("somebody else hears this bot", account=ear.bot.account, why=str(error))
                await self._clear_webhook(ear, error)
                faults += 1
                await self._rest(min(_LONGEST_REST, self._patience.conflict * 2 ** min(faults - 1, 5)), ear)
            except ThrottledError as error:
                await self._rest(error.retry_after.total_seconds(), ear)
            except BotError as error:
                level = _log.warning if isinstance(error, AccessLostError | DatabaseError) else _log.info
                level("updates could not be had", account=ear.bot.account, why=str(error))
                ear.offset = None  # what was not handled is asked for again
                faults += 1
                await self._rest(min(_LONGEST_REST, 2.0 ** min(faults, 6) / 2), ear)

    async def _ask(self, ear: _Ear) -> Sequence[Update]:
        if self._clock.running() - ear.heard_at > _SILENT_FOR:
            ear.offset, ear.heard_at = None, self._clock.running()

        async def poll(bot: Bot) -> Sequence[Update]:
            try:
                return await bot.get_updates(
                    ear.offset, limit=_BATCH, timeout=int(self._patience.poll), allowed_updates=self._dispatcher.wanted
                )
            except Conflict as error:
                raise _ConflictError(error.message) from None

        return await ear.bot.ask(poll)

    async def _unless_told(self, ear: _Ear, asking: Coroutine[Any, Any, Sequence[Update]]) -> Sequence[Update] | None:
        """Wait for a poll; None where the service stops or the duty is lost meanwhile."""
        poll = asyncio.create_task(asking, name=f"poll {ear.bot.account}")
        told = [asyncio.create_task(event.wait()) for event in (self._stopping, ear.lost)]
        try:
            await asyncio.wait({poll, *told}, return_when=asyncio.FIRST_COMPLETED)
            return poll.result() if poll.done() else None
        finally:
            for task in (poll, *told):
                task.cancel()
            await asyncio.gather(poll, *told, return_exceptions=True)

    async def _take_in(self, ear: _Ear, updates: Sequence[Update]) -> bool:
        """Handle updates in order, those that concern nobody counted together; say whether any concerned somebody."""
        skipped: int | None = None
        concerned = False
        for update in updates:
            arrival = Arrival(account=ear.bot.account, update=update, database=self._database)
            if await self._dispatcher.concerns(arrival):
                await handle(self._dispatcher, arrival)
                skipped, concerned = None, True
            else:
                skipped = update.update_id
                await asyncio.sleep(0)  # others first
            ear.offset, ear.heard_at = update.update_id + 1, self._clock.running()
        if skipped is not None:
            async with self._database.write() as tx:
                await inboxes.advance(tx, ear.bot.account, skipped)
        return concerned

    async def _clear_webhook(self, ear: _Ear, error: Exception) -> None:
        """Take an older webhook down: long polling is what is set."""
        if "webhook" in str(error).lower():
            with suppress(BotError):
                await ear.bot.ask(lambda bot: bot.delete_webhook())

    async def _rest(self, seconds: float, ear: _Ear | None = None) -> None:
        """Wait, but not past the end of the service or of the duty."""
        events = [self._stopping] if ear is None else [self._stopping, ear.lost]
        waiting = [asyncio.create_task(event.wait()) for event in events]
        await asyncio.wait(waiting, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
        for task in waiting:
            task.cancel()
        await asyncio.gather(*waiting, return_exceptions=True)


class _ConflictError(BotError):
    """Telegram let another poller, or a webhook, have the updates."""
