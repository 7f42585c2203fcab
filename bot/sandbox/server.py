"""One loopback server with both platforms, their control API and the page a reader sees."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Self
from urllib.parse import urlsplit

from aiohttp import web

from bot.sandbox.control import Control
from bot.sandbox.facebook_http import FacebookHttp
from bot.sandbox.facebook_world import FacebookWorld
from bot.sandbox.photos import PhotoStore
from bot.sandbox.preview import Preview
from bot.sandbox.reader import Reader
from bot.sandbox.telegram_http import TelegramHttp
from bot.sandbox.telegram_people import Telegram
from bot.sandbox.telegram_updates import Post
from bot.sandbox.wire import MOST_BYTES


@dataclass(frozen=True, slots=True)
class SitePage:
    """A test page under `/site/`."""

    body: bytes
    content_type: str = "text/html"
    status: int = 200


class Sandbox:
    """A small Telegram and a small Facebook. Enter it to start serving; leaving stops everything.

    Entering it again serves the same worlds on the same port: an outage is leaving and entering.

    Args:
        host: a loopback address.
        port: 0 for any free one; `url` tells which.
        welcoming: take any well-formed token, channel and page as known and allowed (for the demo and by hand).
            Otherwise worlds are empty until they are built.
        clock: Unix seconds; a test may pass its own. Waits (`slow`, long polling) are real time.
    """

    def __init__(
        self,
        host: str = "127.0.0.1",
        port: int = 0,
        *,
        welcoming: bool = False,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self.host, self.port = host, port
        self.links: dict[str, dict[str, Any]] = {}
        self.site: dict[str, SitePage] = {}
        self.photos = PhotoStore()
        self.telegram = Telegram(self.photos, clock, self._changed)
        self.facebook = FacebookWorld(self.photos, clock, self._changed)
        self.telegram.welcoming = self.facebook.welcoming = welcoming
        self.reader = Reader(self.telegram, self.facebook, self.links)
        self._post = Post()
        self.telegram.on_update = self._post.put
        self._runner: web.AppRunner | None = None

    @property
    def url(self) -> str:
        return f"http://{self.host}:{self.port}"

    def _changed(self) -> None:
        # The worlds announce their first chats before the page exists.
        if hasattr(self, "reader"):
            self.reader.changed()

    def empty(self) -> None:
        """Forget everything both platforms know."""
        self._post.forget()
        self.telegram.empty()
        self.facebook.empty()
        self.photos.clear()
        self.links.clear()
        self.site.clear()
        self._changed()

    def fetch(self, url: str) -> bytes | None:
        """Return what this server itself serves at an address, None for anything else: the sandbox never goes out."""
        parts = urlsplit(url)
        if parts.port != self.port or parts.hostname not in (self.host, "localhost"):
            return None
        if parts.path.startswith("/photos/"):
            stored = self.photos.served(parts.path.removeprefix("/photos/").removesuffix(".jpg"))
            return stored.body if stored else None
        page = self.site.get(parts.path.removeprefix("/site"))
        return page.body if page and page.status == 200 else None

    async def _photo(self, request: web.Request) -> web.Response:
        stored = self.photos.served(request.match_info["name"])
        if stored is None:
            raise web.HTTPNotFound
        caching = {"Cache-Control": "public, max-age=31536000, immutable"}
        return web.Response(body=stored.body, content_type=stored.content_type, headers=caching)

    async def _site(self, request: web.Request) -> web.Response:
        page = self.site.get(request.match_info["path"])
        if page is None:
            raise web.HTTPNotFound
        return web.Response(body=page.body, status=page.status, headers={"Content-Type": page.content_type})

    def app(self) -> web.Application:
        """Build the routes."""
        app = web.Application(client_max_size=MOST_BYTES)
        bot_api = TelegramHttp(self.telegram, self._post, self.fetch)
        graph = FacebookHttp(self.facebook, self._post, self.fetch, lambda: self.url)
        preview = Preview(self.telegram)
        control = Control(self.telegram, self.facebook, self.links, self.empty)
        app.router.add_route("*", "/bot{token:[^/]+}/{method}", bot_api.handle)
        app.router.add_get("/file/bot{token:[^/]+}/{path:.*}", bot_api.file)
        app.router.add_route("*", "/graph/{path:.*}", graph.handle)
        app.router.add_get("/s/{channel}", preview.page)
        app.router.add_get("/photos/{name}.jpg", self._photo)
        app.router.add_get("/", self.reader.page)
        app.router.add_get("/events", self.reader.events)
        app.router.add_get("/control/{path:.*}", control.get)
        app.router.add_post("/control/{path:.*}", control.post)
        app.router.add_get("/site{path:/.*}", self._site)
        app.router.add_get("/{channel:[A-Za-z]\\w+}/{id:\\d+}", preview.single)
        app.router.add_get("/{channel:[A-Za-z]\\w+}", preview.profile)
        return app

    async def __aenter__(self) -> Self:
        self._post.stopping.clear()
        self.reader.open()
        self._runner = web.AppRunner(self.app(), access_log=None, shutdown_timeout=0.5)
        await self._runner.setup()
        site = web.TCPSite(self._runner, self.host, self.port)
        await site.start()
        self.port = self._runner.addresses[0][1]
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._post.close()
        self.reader.close()
        if self._runner is not None:
            await self._runner.cleanup()
            self._runner = None

    async def serve_forever(self) -> None:
        """Keep serving until cancelled; for a process of its own."""
        await asyncio.Event().wait()
