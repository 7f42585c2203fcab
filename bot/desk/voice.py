"""How the desk speaks: messages, edits and answers of one bot, at the pace that the bot's posts keep, too."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from typing import TypeVar

from telegram import (
    Bot,
    BotCommandScope,
    InlineKeyboardButton,
    InlineKeyboardMarkup,
    InputFile,
    InputMediaPhoto,
    LinkPreviewOptions,
    Message,
    WebAppInfo,
)
from telegram.constants import ParseMode

from bot.channels.telegram_bot import TelegramBot
from bot.errors import BotError, GoneError, NotPublishedError, PhotoError, ThrottledError, TooLateError, UnchangedError
from bot.logs import logger
from bot.store import pace
from bot.store.database import Database
from bot.store.pace import Limit

T = TypeVar("T")
MOST_ANSWER = 200  # characters of answerCallbackQuery
_PATIENCE = timedelta(seconds=15)  # the longest wait for a place in the pace
_LONGEST = 30.0  # seconds that a reply waits out a ban
_log = logger("desk")


@dataclass(frozen=True, slots=True)
class Button:
    """A button under a message: `press` comes back as callback data, at most 64 bytes; or it opens an address.

    `is_app`: inside Telegram, as a Mini App; in private chats only.
    """

    label: str
    press: str = ""
    url: str = ""
    is_app: bool = False


Rows = Sequence[Sequence[Button]]
Picture = bytes | str  # a JPEG, or the id under which Telegram gave it to this bot before


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

    async def say(self, chat: int, text: str, rows: Rows = (), *, silent: bool = False, card: str | None = None) -> int:
        """Write a message and return its number.

        Args:
            card: the address whose card stands under the text; None for no card.

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
                link_preview_options=_preview(card),
                disable_notification=silent,
            ),
        )
        return sent.message_id

    async def show(
        self, chat: int, picture: Picture, text: str, rows: Rows = (), *, silent: bool = False
    ) -> tuple[int, str]:
        """Write a message with a picture; return its number, and the id by which this bot may send the picture again.

        Raises:
            PhotoRefusedError: Telegram does not take the picture, or no longer knows its id.
            UnansweredError, NotPublishedError: as `say`.
        """
        sent = await self._paced(
            chat,
            lambda bot: bot.send_photo(
                chat,
                _file(picture),
                caption=text,
                parse_mode=ParseMode.HTML,
                reply_markup=_keyboard(rows),
                disable_notification=silent,
            ),
        )
        return sent.message_id, sent.photo[-1].file_id if sent.photo else ""

    async def amend(
        self,
        chat: int,
        message: int,
        text: str,
        rows: Rows = (),
        *,
        card: str | None = None,
        has_picture: bool = False,
        picture: Picture | None = None,
    ) -> None:
        """Rewrite a message; one that is gone is left alone.

        Args:
            has_picture: the message is one; its text is the caption.
            picture: put this one in; a message of words alone becomes one with a picture, never the other way.

        Raises:
            PhotoRefusedError: as `show`.
            UnansweredError, NotPublishedError: as `say`.
        """
        keyboard = _keyboard(rows)

        async def rewrite(bot: Bot) -> Message | bool:
            if picture is not None:
                name = "photo.jpg" if isinstance(picture, bytes) else None
                media = InputMediaPhoto(picture, caption=text, parse_mode=ParseMode.HTML, filename=name)
                return await bot.edit_message_media(media, chat, message, reply_markup=keyboard)
            if has_picture:
                return await bot.edit_message_caption(
                    chat, message, caption=text, parse_mode=ParseMode.HTML, reply_markup=keyboard
                )
            return await bot.edit_message_text(
                text,
                chat,
                message,
                parse_mode=ParseMode.HTML,
                reply_markup=keyboard,
                link_preview_options=_preview(card),
            )

        with suppress(UnchangedError, GoneError):
            await self._paced(chat, rewrite)

    async def rebutton(self, chat: int, message: int, rows: Rows) -> None:
        """Change the buttons under a message alone; one that is gone is left alone.

        Raises:
            UnansweredError, NotPublishedError: as `say`.
        """
        with suppress(UnchangedError, GoneError):
            await self._paced(
                chat, lambda bot: bot.edit_message_reply_markup(chat, message, reply_markup=_keyboard(rows))
            )

    async def remove(self, chat: int, message: int) -> None:
        """Take a message away, where Telegram still lets us; one that is gone is left alone.

        Raises:
            UnansweredError, NotPublishedError: as `say`.
        """
        with suppress(TooLateError, GoneError):
            await self._paced(chat, lambda bot: bot.delete_message(chat, message))

    async def answer(self, query: str, line: str, *, alert: bool = False) -> None:
        """Answer a pressed button; one that waited too long needs no answer any more.

        Args:
            alert: show the line until it is closed, not for a moment.
        """
        try:
            await self._bot.ask(lambda bot: bot.answer_callback_query(query, line[:MOST_ANSWER], show_alert=alert))
        except BotError as error:
            _log.debug("a press could not be answered", why=str(error))

    async def fetch(self, file_id: str, most: int) -> bytes:
        """Return a file that somebody sent to the bot.

        Raises:
            PhotoError: it is larger than `most` bytes.
            UnansweredError, NotPublishedError: Telegram does not hand it over.
        """

        async def download(bot: Bot) -> bytes:
            file = await bot.get_file(file_id)
            if (file.file_size or 0) > most:
                raise PhotoError(f"larger than {most:,} bytes")
            return bytes(await file.download_as_bytearray())

        content = await self._bot.ask(download)
        if len(content) > most:
            raise PhotoError(f"larger than {most:,} bytes")
        return content

    async def set_commands(self, commands: Sequence[tuple[str, str]], scope: BotCommandScope) -> None:
        """Set Telegram's menu of commands, names with descriptions, for a scope; none takes it away.

        Raises:
            UnansweredError, NotPublishedError: it may not be set.
        """

        async def tell(bot: Bot) -> bool:
            if not commands:
                return await bot.delete_my_commands(scope)
            return await bot.set_my_commands(commands, scope)

        await self._bot.ask(tell)

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


def _file(picture: Picture) -> InputFile | str:
    return picture if isinstance(picture, str) else InputFile(picture, filename="photo.jpg")


def _preview(card: str | None) -> LinkPreviewOptions:
    """Return how a post's own card is shown, as in a channel; messages of the desk have none."""
    if card is None:
        return LinkPreviewOptions(is_disabled=True)
    return LinkPreviewOptions(url=card, prefer_large_media=True, show_above_text=False)


def _keyboard(rows: Rows) -> InlineKeyboardMarkup | None:
    if not rows:
        return None
    return InlineKeyboardMarkup([[_button(button) for button in row] for row in rows])


def _button(button: Button) -> InlineKeyboardButton:
    if button.is_app:
        return InlineKeyboardButton(button.label, web_app=WebAppInfo(button.url))
    if button.url:
        return InlineKeyboardButton(button.label, url=button.url)
    return InlineKeyboardButton(button.label, callback_data=button.press)
