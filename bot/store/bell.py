"""A bell between replicas: whoever gives the outbox something to do rings it, and every worker looks at once.

A hint and never the truth: a ring that nobody heard is made up for by the worker's next look. On PostgreSQL it is heard
by all replicas (LISTEN/NOTIFY); an embedded database has a single service, which hears its own rings.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import suppress
from typing import Any, Self

import asyncpg

from bot.logs import logger
from bot.store.database import BELL, Database

_PULSE = 30.0  # seconds between looks whether the connection still lives
_AGAIN = 2.0  # seconds before a lost connection is made anew
_log = logger("bell")


class Bell:
    """Hears the rings of all processes on one database while it is open; on an embedded one, of its own.

    Args:
        heard: called for every ring, and once after each new connection, since rings may have been missed.
    """

    def __init__(self, database: Database, heard: Callable[[], None]) -> None:
        self._database = database
        self._heard = heard
        self._listening: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        if self._database.is_embedded:
            self._database.heard = self._heard
        else:
            self._listening = asyncio.create_task(self._listen(self._database.driver_arguments), name="bell")
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._listening is not None:
            self._listening.cancel()
            await asyncio.gather(self._listening, return_exceptions=True)

    async def _listen(self, how: dict[str, Any]) -> None:
        while True:
            try:
                await self._hear(how)
            except (OSError, TimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError) as error:
                _log.info("the bell between replicas is down for a moment", why=type(error).__name__)
            await asyncio.sleep(_AGAIN)

    async def _hear(self, how: dict[str, Any]) -> None:
        ended = asyncio.Event()
        connection = await asyncpg.connect(**how, timeout=10)
        try:
            connection.add_termination_listener(lambda _: ended.set())
            await connection.add_listener(BELL, self._rung)
            self._heard()
            while not ended.is_set():
                with suppress(TimeoutError):
                    await asyncio.wait_for(ended.wait(), _PULSE)
                await connection.execute("SELECT 1", timeout=10)  # a host that is gone says nothing by itself
        finally:
            with suppress(OSError, TimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError):
                await connection.close(timeout=1)

    def _rung(self, *_: Any) -> None:
        self._heard()
