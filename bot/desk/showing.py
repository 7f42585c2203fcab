"""Shows posts in a chat as their channels will show them: words, formatting, photo, and the card of a link."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass

from bot.channels.base import Photo
from bot.compose.markup import TELEGRAM_CAPTION, TELEGRAM_TEXT, cut, escape
from bot.desk import texts
from bot.desk.voice import Rows, Voice
from bot.domain.channel import Platform
from bot.domain.post import Post
from bot.errors import FetchError, PhotoError, RefusedError

_WITHIN = 12.0  # seconds for a photo


@dataclass(frozen=True, slots=True, kw_only=True)
class Sight:
    """Something to be looked at: whose post it is (a line above it), and the post, or the words of a public one."""

    head: str = ""
    post: Post | None = None
    words: str = ""


class Shower:
    """Puts posts into chats.

    Args:
        photos: gets a photo by its address.
    """

    def __init__(self, voice: Voice, photos: Callable[[str], Awaitable[Photo]]) -> None:
        self._voice = voice
        self._photos = photos

    async def show(self, chat: int, sight: Sight, rows: Rows = ()) -> None:
        """Show one post; a photo that cannot be had is left out, with a line that says so.

        Raises:
            UnansweredError, NotPublishedError: as `Voice.say`.
        """
        if sight.head:
            await self._voice.say(chat, sight.head, silent=True)
        post = sight.post
        if post is None:
            if sight.words:
                await self._voice.say(chat, sight.words, rows, silent=True)
            return
        text = post.text if post.platform is Platform.TELEGRAM else escape(cut(post.text, TELEGRAM_TEXT))
        if post.photo_url is None:
            await self._voice.say(chat, text, rows, silent=True, card=post.link_preview)
            return
        photo = await self._photo(post.photo_url)
        if photo is not None:
            with suppress(RefusedError):
                if len(post.plain) <= TELEGRAM_CAPTION:
                    await self._voice.show(chat, photo.jpeg, text, rows, silent=True)
                    return
                await self._voice.show(chat, photo.jpeg, "", silent=True)
        else:
            await self._voice.say(chat, texts.NO_PHOTO_SHOWN, silent=True)
        await self._voice.say(chat, text, rows, silent=True)

    async def _photo(self, address: str) -> Photo | None:
        with suppress(PhotoError, FetchError, TimeoutError):
            async with asyncio.timeout(_WITHIN):
                return await self._photos(address)
        return None
