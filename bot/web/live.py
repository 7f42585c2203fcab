"""Tells open calendars that something changed: one look at the store for all of them, an event to each.

Says only that, never what: the page asks again, with its own session and its own rights.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable
from contextlib import suppress

from aiohttp import web

from bot.errors import BotError
from bot.store import calendar
from bot.store.database import Database

MOST = 200  # connections of one process
MOST_PER_SESSION = 4  # a phone, a desktop, a tab or two
_LOOK = 1.0  # seconds between looks at the stamp
_BEAT = 15.0  # seconds between comments that keep proxies from hanging up; the session is looked at then, too
_GATHER = 0.3  # seconds: changes that come together are one event


class Live:
    """Watches the store while anybody listens."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._listeners: dict[asyncio.Event, str] = {}
        self._watching: asyncio.Task[None] | None = None
        self._seen: tuple[object, ...] | None = None
        self._closed = False

    def ring(self) -> None:
        """Tell every open page at once."""
        for listener in self._listeners:
            listener.set()

    def close(self) -> None:
        """Let go of every page, so that the server can stop."""
        self._closed = True
        if self._watching is not None:
            self._watching.cancel()
        self.ring()

    def has_room(self, session: str) -> bool:
        """Say whether one more page of this session may listen."""
        mine = Counter(self._listeners.values())[session]
        return not self._closed and len(self._listeners) < MOST and mine < MOST_PER_SESSION

    async def serve(
        self, request: web.Request, session: str, is_open: Callable[[], Awaitable[bool]]
    ) -> web.StreamResponse:
        """Send events until the page goes away, its session ends, or the server stops."""
        answer = web.StreamResponse(
            headers={"Content-Type": "text/event-stream", "Cache-Control": "no-store", "X-Accel-Buffering": "no"}
        )
        listener = asyncio.Event()
        self._listeners[listener] = session
        if self._watching is None or self._watching.done():
            self._watching = asyncio.create_task(self._watch(), name="calendar")
        try:
            await answer.prepare(request)
            await answer.write(b"retry: 3000\n\n")
            while not self._closed:
                try:
                    await asyncio.wait_for(listener.wait(), _BEAT)
                except TimeoutError:
                    if not await is_open():
                        await answer.write(b"event: over\ndata: \n\n")
                        break
                    await answer.write(b": still here\n\n")
                    continue
                await asyncio.sleep(_GATHER)
                listener.clear()
                if not self._closed:
                    await answer.write(b"data: changed\n\n")
        except (ConnectionError, BotError):
            return answer  # the page is gone, or asks again when the store is back
        finally:
            del self._listeners[listener]
        return answer

    async def _watch(self) -> None:
        while self._listeners:
            with suppress(BotError):  # a store that is away changes nothing; the page says so when it asks
                async with self._database.read() as tx:
                    stamp = await calendar.stamp(tx)
                if self._seen is not None and stamp != self._seen:
                    self.ring()
                self._seen = stamp
            await asyncio.sleep(_LOOK)
        self._seen = None
