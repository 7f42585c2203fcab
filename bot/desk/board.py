"""Where cards hang: puts drawn cards into chats and changes them, and keeps what stands where."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Collection
from dataclasses import replace

from bot.clock import Clock
from bot.desk.previews import Drawn
from bot.desk.voice import Picture, Rows, Voice
from bot.errors import NotPublishedError, PhotoRefusedError, ThrottledError, UnansweredError, UnreachableError
from bot.logs import logger
from bot.store import ledger
from bot.store import notices as rows
from bot.store.database import Database
from bot.store.notices import Told

_log = logger("desk")


class Board:
    """Speaks for the teller, and rests after faults that pass by themselves."""

    def __init__(self, database: Database, clock: Clock, voice: Voice) -> None:
        self._database = database
        self._clock = clock
        self._voice = voice
        self._rests_until = 0.0
        self._changing = asyncio.Lock()

    @property
    def rests(self) -> bool:
        """Whether nothing is said now."""
        return self._clock.running() < self._rests_until

    def rest(self, seconds: float) -> None:
        """Say nothing for a while."""
        self._rests_until = max(self._rests_until, self._clock.running() + seconds)

    async def say(
        self, chat: int, ids: Collection[int], text: str, buttons: Rows = (), *, silent: bool, is_list: bool = False
    ) -> bool:
        """Write one message about some notices and remember it; False where it should be tried again."""

        async def say() -> Told:
            message = await self._voice.say(chat, text, buttons, silent=silent)
            return Told(chat=chat, message=message, is_list=is_list)

        return await self._keep(chat, ids, say)

    async def say_card(self, chat: int, notice_id: int, drawn: Drawn, *, silent: bool) -> bool:
        """Write a card and remember it; False where it should be tried again."""
        return await self._keep(chat, [notice_id], lambda: self._put(chat, drawn, silent=silent))

    async def amend(self, told: Told, text: str, buttons: Rows = ()) -> bool:
        """Rewrite the words of a message; False where it should be tried again."""
        if self.rests:
            return False
        return await self._pass(
            told.chat,
            lambda: self._voice.amend(told.chat, told.message, text, buttons, has_picture=bool(told.picture)),
        )

    async def redraw(self, notice_id: int, told: Told, drawn: Drawn) -> None:
        """Have a card show what it should by now; one who was at it meanwhile is not done over."""
        async with self._changing:
            async with self._database.read() as tx:
                notice = await rows.get(tx, notice_id)
            if self.rests or notice is None or told not in notice.messages:
                return
            if told.picture and drawn.photo is None:  # a photo cannot be taken out of a message

                async def move() -> None:
                    await self._note(notice_id, told, await self._put(told.chat, drawn, silent=True))
                    await self._voice.remove(told.chat, told.message)
            else:

                async def move() -> None:
                    await self._note(notice_id, told, await self._change(told, drawn))

            await self._pass(told.chat, move)

    async def rebutton(self, chat: int, message: int, buttons: Rows) -> None:
        """Change the buttons under a message alone."""
        await self._voice.rebutton(chat, message, buttons)

    async def _keep(self, chat: int, ids: Collection[int], say: Callable[[], Awaitable[Told]]) -> bool:
        async def kept() -> None:
            told = await say()
            async with self._database.write() as tx:
                await rows.keep_message(tx, ids, told)

        return await self._pass(chat, kept)

    async def _note(self, notice_id: int, before: Told, after: Told) -> None:
        async with self._database.write() as tx:
            await rows.replace_message(tx, notice_id, before, after)

    async def _pass(self, chat: int, say: Callable[[], Awaitable[object]]) -> bool:
        """Say something; False where it should be tried again, True also where this chat does not take it."""
        try:
            await say()
        except (UnreachableError, ThrottledError, UnansweredError) as error:
            self.rest(error.retry_after.total_seconds() if isinstance(error, ThrottledError) else 5.0)
            _log.info("the desk is told later", why=str(error))
            return False
        except NotPublishedError as error:
            _log.warning("the desk could not be told", chat=chat, why=str(error))
        return True

    async def _put(self, chat: int, drawn: Drawn, *, silent: bool) -> Told:
        for picture in _ways(drawn):
            try:
                message, upload = await self._voice.show(chat, picture, drawn.text, drawn.rows, silent=silent)
            except PhotoRefusedError as error:
                _log.info("a photo was not taken", why=str(error))
                continue
            await self._keep_upload(drawn, upload)
            return Told(chat=chat, message=message, mark=drawn.mark, picture=drawn.picture)
        message = await self._voice.say(chat, drawn.text, drawn.rows, silent=silent, card=drawn.link)
        return Told(chat=chat, message=message, mark=drawn.mark)

    async def _change(self, told: Told, drawn: Drawn) -> Told:
        new = drawn.photo is not None and drawn.picture != told.picture
        for picture in _ways(drawn) if new else ():
            try:
                await self._voice.amend(told.chat, told.message, drawn.text, drawn.rows, picture=picture)
            except PhotoRefusedError as error:
                _log.info("a photo was not taken", why=str(error))
                continue
            return replace(told, mark=drawn.mark, picture=drawn.picture)
        await self._voice.amend(
            told.chat, told.message, drawn.text, drawn.rows, has_picture=bool(told.picture), card=drawn.link
        )
        return replace(told, mark=drawn.mark)

    async def _keep_upload(self, drawn: Drawn, upload: str) -> None:
        """Remember under which id Telegram has a photo: the next chats, and the post itself, need not send it again."""
        if drawn.photo is None or not upload or upload == drawn.upload:
            return
        drawn.upload = upload
        async with self._database.write() as tx:
            now = await self._database.now(tx)
            await ledger.keep_upload(tx, self._voice.account, drawn.photo.key, upload, now)


def _ways(drawn: Drawn) -> list[Picture]:
    """Return how a photo can be sent, the cheapest way first."""
    if drawn.photo is None:
        return []
    return [*([drawn.upload] if drawn.upload else []), drawn.photo.jpeg]
