"""The door through which Telegram brings updates; what they mean is the desk's to say."""

from __future__ import annotations

import hmac
import json
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from aiohttp import web

from bot.clock import Clock
from bot.web.bodies import read_body
from bot.web.limits import Allowance
from bot.web.problems import CLIENT, problem

MOST_BYTES = 1024 * 1024
_HEADER = "X-Telegram-Bot-Api-Secret-Token"
_PER_STRANGER = (20, 0.5)
_LATER = {"Retry-After": "1"}

Receive = Callable[[str, Mapping[str, Any]], Awaitable[bool]]


class Webhook:
    """POST /telegram/webhook/<bot id>.

    Args:
        receive: handles an update of a bot; False where it has to come again, LookupError for an unknown bot.
        secret: by which Telegram is known.
    """

    def __init__(self, receive: Receive, clock: Clock, secret: str) -> None:
        self._receive = receive
        self._secret = secret.encode()
        self._patience = Allowance(clock, *_PER_STRANGER)

    def add_to(self, router: web.UrlDispatcher) -> None:
        """Open the door."""
        router.add_post(r"/telegram/webhook/{bot:\d{1,20}}", self.post)

    async def post(self, request: web.Request) -> web.Response:
        """Take one update; 200 once it was handled."""
        given = request.headers.get(_HEADER, "").encode("utf-8", "surrogateescape")
        if not hmac.compare_digest(given, self._secret):
            if not self._patience.take(request[CLIENT]):
                return problem(429, "too many requests without the right secret", headers=_LATER)
            return problem(401, f"{_HEADER} does not hold the secret that Telegram was given")
        raw = await read_body(request, MOST_BYTES)
        if isinstance(raw, int):
            return problem(raw, "an update of at most 1 MiB is expected")
        try:
            plain = json.loads(raw)
        except (ValueError, RecursionError):
            return problem(400, "the body is no JSON")
        if not isinstance(plain, dict) or not isinstance(plain.get("update_id"), int):
            return problem(400, "the body is no update")
        try:
            is_done = await self._receive(request.match_info["bot"], plain)
        except LookupError:
            return problem(404, "no bot of this service has this number")
        return web.Response() if is_done else problem(503, "the update is not handled yet", headers=_LATER)
