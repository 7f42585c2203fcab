"""Tells a service of the operator's own of lost access and held posts, beside Telegram: one POST with JSON each.

The address may hold a secret: it stands in no log, no error and no repr. What is not taken is kept by `notices` and
tried again, at growing distances; nothing else of the desk waits for it.
"""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Any, Self

import aiohttp

from bot.clock import Clock
from bot.logs import logger

_WITHIN = 5.0  # seconds for one POST as a whole
_LONGEST = timedelta(minutes=5)
_log = logger("alerts")


class Alerts:
    """One address that takes alerts.

    Args:
        url: where to; any answer of 2xx is a success, redirects are not followed.
    """

    def __init__(self, url: str, clock: Clock) -> None:
        self._url = url
        self._clock = clock
        self._session: aiohttp.ClientSession | None = None
        self._faults = 0
        self._rests_until = 0.0

    def __repr__(self) -> str:
        return "Alerts()"

    async def __aenter__(self) -> Self:
        self._session = aiohttp.ClientSession(
            timeout=aiohttp.ClientTimeout(total=None), cookie_jar=aiohttp.DummyCookieJar(), trust_env=False
        )
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._session is not None:
            await self._session.close()
            self._session = None

    @property
    def rests(self) -> bool:
        """Whether the last POST failed so recently that the next one waits."""
        return self._clock.running() < self._rests_until

    async def post(self, content: dict[str, Any]) -> bool:
        """Send one alert; False where it was not taken."""
        if self._session is None:
            raise RuntimeError("alerts are not open: use `async with`")
        try:
            async with (
                asyncio.timeout(_WITHIN),
                self._session.post(self._url, json=content, allow_redirects=False) as answer,
            ):
                taken, why = 200 <= answer.status < 300, f"HTTP {answer.status}"
        except (aiohttp.ClientError, OSError, TimeoutError, ValueError) as error:
            taken, why = False, type(error).__name__  # its text may hold the address
        if taken:
            self._faults = 0
            return True
        self._faults += 1
        wait = min(_LONGEST.total_seconds(), 2.0 ** min(self._faults - 1, 10))
        self._rests_until = self._clock.running() + wait
        _log.warning("VISTNYK_ALERT_URL took no alert; it is tried again", why=why, wait=wait)
        return False
