"""One Telegram bot: its token, its connections, and its library object. Shared by all channels of that bot."""

from __future__ import annotations

import asyncio
import os
import time
from collections import deque
from collections.abc import Awaitable, Callable
from datetime import timedelta
from types import TracebackType
from typing import Self, TypeVar

from telegram import Bot
from telegram.constants import ChatAction
from telegram.error import InvalidToken, TelegramError

from bot.channels.telegram_request import TransportRequest
from bot.channels.transport import Answer, Transport
from bot.errors import AccessLostError, BotError, RefusedError, ThrottledError, UnansweredError

T = TypeVar("T")
_REMEMBERED = 1000
_LOOKS_APART = 0.05  # seconds between two calls that only look: what is to be published goes first
_NO_TOKEN = "0:none"  # noqa: S105 - the library wants one; no call is made with it


class TelegramBot:
    """Open once per token, as an async context manager.

    Args:
        token: as @BotFather gave it; "" for none: every call then ends in AccessLostError.
        api_url: root of the Bot API, without "/bot".
        timeout: seconds for one call as a whole.
        longest: seconds for one with a large body; None: no more than for any other.
    """

    def __init__(
        self,
        token: str,
        *,
        api_url: str = "https://api.telegram.org",
        timeout: float = 8.0,
        longest: float | None = None,
    ) -> None:
        self._has_token = bool(token.strip())
        self._transport = Transport(timeout, longest=longest)
        self._look_at = self._rests_until = 0.0
        self._refused_uploads: deque[str] = deque(maxlen=_REMEMBERED)
        os.environ.setdefault("PTB_TIMEDELTA", "1")  # the library's coming way; without it each 429 is a warning
        root = api_url.rstrip("/")
        request = TransportRequest(self._transport)
        self.library = _QuietBot(
            token.strip() or _NO_TOKEN,
            base_url=f"{root}/bot",
            base_file_url=f"{root}/file/bot",
            request=request,
            get_updates_request=request,
        )

    def __repr__(self) -> str:
        return f"TelegramBot({self.account})"

    async def __aenter__(self) -> Self:
        await self._transport.__aenter__()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._transport.__aexit__(kind, error, trace)

    @property
    def id(self) -> str:
        """The bot's user id: the public half of its token."""
        return self.library.token.partition(":")[0]

    @property
    def account(self) -> str:
        return f"telegram:{self.id}"

    async def ask(self, call: Callable[[Bot], Awaitable[T]]) -> T:
        """Make one call with the library's object and return what it returns.

        Raises:
            UnansweredError: the call left and no definite answer came.
            NotPublishedError: anything else, as `errors_telegram.meaning` tells it.
        """
        if not self._has_token:
            raise AccessLostError("Telegram: there is no token for this bot")
        fault: BotError
        try:
            return await call(self.library)
        except TelegramError as error:
            cause = error.__cause__
            fault = cause if isinstance(cause, BotError) else UnansweredError(f"Telegram: {error.message}")
        except (LookupError, TypeError, ValueError, AttributeError) as error:
            fault = UnansweredError(f"Telegram: an answer that cannot be read ({type(error).__name__})")
        raise fault  # out here, so that neither error hangs in the other's chain

    async def has_started(self, user_id: int) -> bool:
        """Return whether this person has opened a chat with the bot and not blocked it; shows a moment of "typing".

        Raises:
            UnansweredError, NotPublishedError: Telegram did not say.
        """
        try:
            await self.ask(lambda bot: bot.send_chat_action(user_id, ChatAction.TYPING))
        except AccessLostError as error:
            if any(part in str(error).lower() for part in ("unauthorized", "not found: ", "no token")):
                raise
            return False
        except RefusedError:
            return False
        return True

    async def await_turn_to_look(self) -> None:
        """Wait until this bot may make one more call that only looks.

        Raises:
            ThrottledError: Telegram told this bot to leave it for some time yet.
        """
        now = time.monotonic()
        if now < self._rests_until:
            left = timedelta(seconds=self._rests_until - now)
            raise ThrottledError(f"Telegram: the bot was told to wait, for {left.total_seconds():.0f} s yet", left)
        at = max(now, self._look_at)
        self._look_at = at + _LOOKS_APART
        await asyncio.sleep(at - now)

    def rest_from_looking(self, rest: timedelta) -> None:
        """Make no calls that only look for so long."""
        self._rests_until = max(self._rests_until, time.monotonic() + rest.total_seconds())

    async def look(self, url: str) -> Answer:
        """Fetch a page of Telegram's own web site over the same connections; redirects are not followed."""
        return await self._transport.call("GET", url, headers={"Accept": "text/html"})

    def remember_refused(self, upload: str) -> None:
        """Keep in mind that Telegram no longer takes this file id."""
        self._refused_uploads.append(upload)

    def is_refused(self, upload: str | None) -> bool:
        return upload in self._refused_uploads


class _QuietBot(Bot):
    """The library's bot without its habit of showing the token."""

    def __repr__(self) -> str:
        return f"Bot({self.token.partition(':')[0]})"

    async def initialize(self) -> None:
        try:
            await super().initialize()
        except InvalidToken as error:
            refused = InvalidToken("Telegram does not accept the token")
            refused.__cause__ = error.__cause__.__cause__ if error.__cause__ else None
        else:
            return
        raise refused
