"""Photos from addresses we did not choose, made fit for every platform.

What comes in is untrusted bytes; what goes out is a JPEG of our own making: upright, sRGB, on white, without metadata,
within the limits of both platforms (Telegram: 10 MB, width + height ≤ 10,000, ratio ≤ 20; Facebook: 10 MB). It knows
no channel; one photo for four channels is fetched and converted once.
"""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Protocol, Self
from urllib.parse import unquote, urlsplit

from bot.channels.base import Photo
from bot.errors import FetchError, PhotoError
from bot.network import Fetched, shown

MOST_BYTES = 20 * 1024 * 1024
_AT_ONCE = 2  # a picture at the pixel limit takes 150 MB while it is converted


class Fetches(Protocol):
    """The part of the guarded fetcher that is needed here."""

    async def get(self, url: str, *, limit_bytes: int, accept: str = "*/*") -> Fetched: ...


class PhotoDesk:
    """Gets photos ready. Use as an async context manager.

    Args:
        fetcher: the guarded one.
        roots: folders from inside which a `file:` address may be read; links that lead out are refused.
        kept: returns the bytes of a photo that an editor sent, by its `kept:` address; None where there is none.
        keep: how many ready photos are kept for the next channel.
    """

    def __init__(
        self,
        fetcher: Fetches,
        roots: Sequence[Path] = (),
        kept: Callable[[str], Awaitable[bytes | None]] | None = None,
        *,
        keep: int = 16,
    ) -> None:
        self._fetcher = fetcher
        self._kept = kept
        self._roots = tuple(root.resolve() for root in roots)
        self._keep = keep
        self._photos: OrderedDict[str, asyncio.Task[Photo]] = OrderedDict()
        self._threads = asyncio.Semaphore(_AT_ONCE)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        tasks = list(self._photos.values())
        self._photos.clear()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def get(self, photo_url: str) -> Photo:
        """Return the photo at an address, ready for every platform. Whoever asks while it is on its way waits along.

        Raises:
            PhotoError: it could not be had, must not be, or is no picture; one line naming the address.
        """
        task = self._photos.get(photo_url)
        if task is None:
            task = self._photos[photo_url] = asyncio.create_task(self._make(photo_url))
            task.add_done_callback(lambda done: self._forget_failed(photo_url, done))
        self._photos.move_to_end(photo_url)
        self._forget_oldest()
        # One who stops waiting must not take the photo from the others.
        return await asyncio.shield(task)

    async def _make(self, photo_url: str) -> Photo:
        raw = await self._bytes(photo_url)
        async with self._threads:
            try:
                return await asyncio.to_thread(_convert, raw)
            except PhotoError as error:
                raise PhotoError(f"{shown(photo_url)}: {error}") from error

    async def _bytes(self, photo_url: str) -> bytes:
        if photo_url.lower().startswith("file:"):
            return await asyncio.to_thread(self._read, photo_url)
        if photo_url.startswith("kept:") and self._kept is not None:
            content = await self._kept(photo_url)
            if content is None:
                raise PhotoError(f"{shown(photo_url)}: a photo that an editor sent, and that is no longer kept")
            return content
        try:
            return (await self._fetcher.get(photo_url, limit_bytes=MOST_BYTES, accept="image/*")).body
        except FetchError as error:
            raise PhotoError(str(error)) from error

    def _read(self, photo_url: str) -> bytes:
        parts = urlsplit(photo_url)
        if parts.netloc not in ("", "localhost"):
            raise PhotoError(f"{shown(photo_url)}: a file on another machine")
        try:
            path = Path(unquote(parts.path)).resolve(strict=True)
            if not any(path.is_relative_to(root) for root in self._roots):
                raise PhotoError(f"{shown(photo_url)}: not inside a folder that is watched")
            if not path.is_file():
                raise PhotoError(f"{shown(photo_url)}: not a file")
            with path.open("rb") as file:
                raw = file.read(MOST_BYTES + 1)
        except (OSError, ValueError, RuntimeError) as error:  # RuntimeError: a loop of links
            raise PhotoError(f"{shown(photo_url)}: cannot be read ({type(error).__name__})") from error
        if len(raw) > MOST_BYTES:
            raise PhotoError(f"{shown(photo_url)}: larger than {MOST_BYTES:,} bytes")
        return raw

    def _forget_failed(self, photo_url: str, task: asyncio.Task[Photo]) -> None:
        failed = task.cancelled() or task.exception() is not None
        if failed and self._photos.get(photo_url) is task:
            del self._photos[photo_url]

    def _forget_oldest(self) -> None:
        for photo_url in list(self._photos):
            if len(self._photos) <= self._keep:
                break
            with suppress(KeyError):
                if self._photos[photo_url].done():
                    del self._photos[photo_url]


def _convert(raw: bytes) -> Photo:
    from bot.channels.picture import as_photo  # Pillow weighs 16 MB: loaded with the first photo

    return as_photo(raw)
