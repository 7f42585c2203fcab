"""`vistnyk run`: opens the house, rings its bells, and closes it in order when told to stop."""

from __future__ import annotations

import asyncio
import contextlib
import signal
from datetime import timedelta

from bot.app import LOOK, open_service, ticker
from bot.clock import Clock, SystemClock
from bot.configuration import Configuration
from bot.logs import logger
from bot.store.database import Database

_STOPS_WITHIN = 10.0  # seconds; the contract promises 12, and closing all the rooms takes its share
_log = logger("service")


async def run(
    configuration: Configuration,
    *,
    migrate: bool = False,
    stop: asyncio.Event | None = None,
    clock: Clock | None = None,
    look: timedelta = LOOK,
) -> None:
    """Serve until SIGTERM or SIGINT: claim nothing new, finish the calls in hand, return.

    Args:
        migrate: bring the schema up to date first.
        stop: ends the service when set, beside the signals.
        clock: another one than the machine's (tests).
        look: how often to see to what does not move by itself.

    Raises:
        SettingsError: there is no channel, or a token is missing.
        DatabaseError: the database is unreachable, not migrated, or owned by another process.
    """
    stop = stop or asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    if migrate:
        async with Database(configuration.settings.database_url, SystemClock()) as database:
            await database.upgrade()
    async with open_service(configuration, clock=clock) as service:
        await service.reconciler.take_over()
        serving = asyncio.create_task(service.worker.run(), name="worker")
        async with service.desk, ticker(service, look):
            _log.info(
                "the service runs",
                channels=[lane.channel.name for lane in service.lanes.values()],
                sources=[settings.name for settings, _ in service.sources],
                database=service.house.database.shown,
                mode=configuration.settings.mode,
            )
            waiting = asyncio.create_task(stop.wait(), name="stop")
            await asyncio.wait({waiting, serving}, return_when=asyncio.FIRST_COMPLETED)
            waiting.cancel()
            _log.info("the service stops; calls in hand are finished")
            deadline = loop.time() + _STOPS_WITHIN
            stopping = asyncio.create_task(service.worker.stop(), name="stopping")
        await service.give_back()
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(stopping, deadline - loop.time())
        await asyncio.wait_for(serving, 1)
    _log.info("the service has stopped")
