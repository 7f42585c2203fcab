"""Has Telegram bring updates to us instead of being asked for them, and handles what it brings.

Telegram sends a bot's next update once the last one was taken, one at a time, so that they keep their order; whichever
replica gets one handles it, and `Arrival.turn` counts it. What cannot be handled now is refused, and comes again.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, Self

from telegram import Bot, Update

from bot.channels.telegram_bot import TelegramBot
from bot.clock import Clock
from bot.desk.arrival import Arrival
from bot.desk.dispatch import Dispatcher
from bot.desk.handling import handle
from bot.errors import BotError, DatabaseError
from bot.logs import logger
from bot.store import house
from bot.store.database import Database

_MOST_WAITING = 20  # updates of one bot in this process at a time; Telegram brings one
_LONGEST_REST = 60.0  # seconds after a fault
_log = logger("desk")


@dataclass(frozen=True, slots=True, kw_only=True)
class Hook:
    """Where Telegram brings updates: the address of this service, and the secret by which it is known to be Telegram.

    `look` is how often to see whether Telegram still knows the address, which another process may have changed.
    """

    url: str
    secret: str = field(repr=False)
    look: timedelta = timedelta(minutes=1)

    def of(self, bot: TelegramBot) -> str:
        """Return the address for one bot."""
        return f"{self.url.rstrip('/')}/telegram/webhook/{bot.id}"


class Webhooks:
    """Receives while it is open.

    Args:
        bots: opened by their owner.
        holder: this replica's name, under which it holds duties.
    """

    def __init__(
        self,
        database: Database,
        clock: Clock,
        dispatcher: Dispatcher,
        bots: Sequence[TelegramBot],
        hook: Hook,
        *,
        holder: str,
    ) -> None:
        self._database = database
        self._clock = clock
        self._dispatcher = dispatcher
        self._bots = {bot.id: bot for bot in bots}
        self._turns = {bot.id: asyncio.Lock() for bot in bots}
        self._waiting = dict.fromkeys(self._bots, 0)
        self._hook = hook
        self._holder = holder
        self._tasks: list[asyncio.Task[None]] = []
        self._closed = asyncio.Event()
        self._closed.set()

    async def __aenter__(self) -> Self:
        self._closed.clear()
        self._tasks = [
            asyncio.create_task(self._keep(bot), name=f"webhook {bot.account}") for bot in self._bots.values()
        ]
        return self

    async def __aexit__(self, *_: object) -> None:
        """Take no more, and finish what is in hand."""
        self._closed.set()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        for turn in self._turns.values():
            try:
                async with asyncio.timeout(3), turn:
                    pass
            except TimeoutError:
                _log.warning("an update in hand was not finished in time")

    async def receive(self, number: str, plain: Mapping[str, Any]) -> bool:
        """Handle an update of the bot with this id, after those that came before it; False where it has to come again.

        Raises:
            LookupError: no bot of ours has this id.
        """
        bot = self._bots[number]
        if self._closed.is_set() or self._waiting[number] >= _MOST_WAITING:
            return False
        self._waiting[number] += 1
        try:
            async with self._turns[number]:
                return False if self._closed.is_set() else await self._handle(bot, plain)
        finally:
            self._waiting[number] -= 1

    async def _handle(self, bot: TelegramBot, plain: Mapping[str, Any]) -> bool:
        try:
            update = Update.de_json(dict(plain), bot.library)
        except Exception as error:
            # Refused, it would come again for ever, and nothing after it would come at all.
            _log.warning("an update cannot be read and is left out", account=bot.account, why=type(error).__name__)
            return True
        arrival = Arrival(account=bot.account, update=update, database=self._database)
        try:
            if await self._dispatcher.concerns(arrival):
                await handle(self._dispatcher, arrival)
        except DatabaseError as error:
            _log.info("an update is asked for again", account=bot.account, why=str(error))
            return False
        return True

    async def _keep(self, bot: TelegramBot) -> None:
        """Tell Telegram where to, and again where it no longer knows."""
        faults, is_told = 0, False
        while True:
            rest = self._hook.look.total_seconds()
            try:
                if not is_told or (await self._has_duty(bot) and not await self._is_known(bot)):
                    await bot.ask(lambda library: self._tell(library, bot))
                    is_told = True
                    _log.info("Telegram brings updates", account=bot.account)
                faults = 0
            except BotError as error:
                faults += 1
                rest = min(_LONGEST_REST, 2.0 ** min(faults, 6) / 2)
                _log.warning("Telegram could not be told where to bring updates", account=bot.account, why=str(error))
            await asyncio.sleep(rest)

    async def _has_duty(self, bot: TelegramBot) -> bool:
        async with self._database.write() as tx:
            now = await self._database.now(tx)
            return await house.take_lease(tx, f"webhook {bot.account}", self._holder, now, 3 * self._hook.look)

    async def _is_known(self, bot: TelegramBot) -> bool:
        told = await bot.ask(lambda library: library.get_webhook_info())
        if told.last_error_message and told.pending_update_count:
            _log.warning(
                "updates wait at Telegram, which could not bring them",
                account=bot.account,
                waiting=told.pending_update_count,
                why=told.last_error_message,
            )
        return told.url == self._hook.of(bot) and set(told.allowed_updates or ()) == set(self._dispatcher.wanted)

    async def _tell(self, library: Bot, bot: TelegramBot) -> bool:
        return await library.set_webhook(
            self._hook.of(bot),
            secret_token=self._hook.secret,
            allowed_updates=self._dispatcher.wanted,
            max_connections=1,
        )
