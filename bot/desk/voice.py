"""How the desk speaks: messages, edits and answers of one bot, at the pace that the bot's posts keep, too."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from typing import TypeVar

from telegram import Bot, InlineKeyboardButton, InlineKeyboardMarkup, LinkPreviewOptions
from telegram.constants import ParseMode

from bot.channels.telegram_bot import TelegramBot
from bot.errors import BotError, GoneError, NotPublishedError, ThrottledError, UnchangedError
from bot.logs import logger
from bot.store import pace
from bot.store.database import Database
from bot.store.pace import Limit

T = TypeVar("T")
MOST_ANSWER = 200  # characters of answerCallbackQuery
_PATIENCE = timedelta(seconds=15)  # the longest wait for a place in the pace
_LONGEST = 30.0  # seconds that a reply waits out a ban
_NO_CARD = LinkPreviewOptions(is_disabled=True)
_log = logger("desk")


@dataclass(frozen=True, slots=True)
class Button:
    """A button under a message; `press` comes back as callback data, at most 64 bytes."""

    label: str
    press: str


Rows = Sequence[Sequence[Button]]


class Voice:
    """Speaks through one bot.

    Args:
        limits: returns the rates that writing to a chat keeps.
    """

    def __init__(self, database: Database, bot: TelegramBot, limits: Callable[[int], Sequence[Limit]]) -> None:
        self._database = database
        self._bot = bot
        self._limits = limits

    @property
    def account(self) -> str:
        """The name of the bot's account."""
        return self._bot.account

    async def say(self, chat: int, text: str, rows: Rows = (), *, silent: bool = False) -> int:
        """Write a message and return its number.

        Raises:
            UnansweredError: it may stand in the chat.
            NotPublishedError: it does not.
        """
        sent = await self._paced(
            chat,
            lambda bot: bot.send_message(
                chat,
                text,
                parse_mode=ParseMode.HTML,
                reply_markup=_keyboard(rows),
                link_preview_options=_NO_CARD,
                disable_notification=silent,
            ),
        )
        return sent.message_id

    async def amend(self, chat: int, message: int, text: str, rows: Rows = ()) -> None:
        """Rewrite a message; one that is gone is left alone.

        Raises:
            UnansweredError, NotPublishedError: as `say`.
        """
        with suppress(UnchangedError, GoneError):
            await self._paced(
                chat,
                lambda bot: bot.edit_message_text(
                    text,
                    chat,
                    message,
                    parse_mode=ParseMode.HTML,
                    reply_markup=_keyboard(rows),
                    link_preview_options=_NO_CARD,
                ),
            )

    async def answer(self, query: str, line: str, *, alert: bool = False) -> None:
        """Answer a pressed button; one that waited too long needs no answer any more.

        Args:
            alert: show the line until it is closed, not for a moment.
        """
        try:
            await self._bot.ask(lambda bot: bot.answer_callback_query(query, line[:MOST_ANSWER], show_alert=alert))
        except BotError as error:
            _log.debug("a press could not be answered", why=str(error))

    async def own_name(self) -> str:
        """Return the bot's own username."""
        return (await self._bot.ask(lambda bot: bot.get_me())).username or ""

    async def _paced(self, chat: int, call: Callable[[Bot], Awaitable[T]]) -> T:
        limits = self._limits(chat)
        if limits:
            async with self._database.write() as tx:
                now = await self._database.now(tx)
                free_at = await pace.earliest(tx, limits, now, locked=True)
                if free_at > now + _PATIENCE:
                    raise ThrottledError("the chat's or the bot's pace is used up", free_at - now)
                go_at = await pace.reserve(tx, limits, now)
            await asyncio.sleep(max(0.0, (go_at - now).total_seconds()))
        try:
            return await self._bot.ask(call)
        except ThrottledError as error:
            banned = [limit for limit in limits if limit[0].startswith(error.scope)]
            async with self._database.write() as tx:
                now = await self._database.now(tx)
                await pace.ban(tx, banned, now + error.retry_after)
            raise


class Replies:
    """What is said in reply: sent one after the other within a chat, beside each other between chats.

    A reply is worth little once it is late: what piles up past `most` is dropped, and nothing survives a stop.
    """

    def __init__(self, *, most: int = 500, at_once: int = 8) -> None:
        self._most = most
        self._hands = asyncio.Semaphore(at_once)
        self._last: dict[object, asyncio.Task[None]] = {}
        self._tasks: set[asyncio.Task[None]] = set()

    def put(self, place: object, say: Callable[[], Awaitable[object]]) -> None:
        """Say something in a place as soon as all that was put there before is said."""
        if len(self._tasks) >= self._most:
            _log.warning("a reply was dropped: too many wait", waiting=len(self._tasks))
            return
        task = asyncio.create_task(self._say(self._last.get(place), say), name="reply")
        self._last[place] = task
        self._tasks.add(task)

        def done(_: asyncio.Task[None]) -> None:
            self._tasks.discard(task)
            if self._last.get(place) is task:
                del self._last[place]

        task.add_done_callback(done)

    async def close(self, within: float = 1.0) -> None:
        """Let what is on its way arrive, and give up the rest."""
        if self._tasks:
            await asyncio.wait(list(self._tasks), timeout=within)
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _say(self, before: asyncio.Task[None] | None, say: Callable[[], Awaitable[object]]) -> None:
        if before is not None:
            await asyncio.wait([before])
        async with self._hands:
            for _ in range(2):
                try:
                    await say()
                except ThrottledError as error:
                    await asyncio.sleep(min(_LONGEST, error.retry_after.total_seconds()))
                    continue
                except NotPublishedError as error:
                    _log.info("a reply could not be sent", why=str(error))
                except BotError as error:
                    _log.warning("a reply may not have arrived", why=str(error))
                except Exception:
                    _log.exception("a reply failed")
                return


def _keyboard(rows: Rows) -> InlineKeyboardMarkup | None:
    if not rows:
        return None
    return InlineKeyboardMarkup(
        [[InlineKeyboardButton(button.label, callback_data=button.press) for button in row] for row in rows]
    )
