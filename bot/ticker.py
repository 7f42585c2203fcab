"""Rings bells at their times; decides nothing and remembers nothing."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Self

from apscheduler.schedulers.asyncio import AsyncIOScheduler
from apscheduler.triggers.interval import IntervalTrigger

from bot.clock import Clock
from bot.errors import BotError
from bot.logs import logger

_log = logger("ticker")


class Ticker:
    """APScheduler with a memory store: a bell that is still ringing is not rung again, a missed one rings once."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._scheduler = AsyncIOScheduler(
            timezone="UTC", job_defaults={"coalesce": True, "max_instances": 1, "misfire_grace_time": None}
        )

    def every(self, interval: timedelta, name: str, ring: Callable[[], Awaitable[object]]) -> None:
        """Ring now and then every so often; a bell that fails is logged and rings again."""

        async def guarded() -> None:
            try:
                await ring()
            except asyncio.CancelledError:
                _log.debug("a bell was silenced by the stop", bell=name)  # its transaction is undone with it
            except BotError as error:
                _log.error("a bell failed", bell=name, why=str(error))
            except Exception:
                _log.exception("a bell failed", bell=name)

        self._scheduler.add_job(
            guarded,
            IntervalTrigger(seconds=interval.total_seconds()),
            id=name,
            next_run_time=self._clock.now(),
        )

    async def __aenter__(self) -> Self:
        self._scheduler.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        self._scheduler.shutdown(wait=False)
