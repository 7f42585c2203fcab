"""A small real web site on loopback that answers what a test puts there."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from types import TracebackType
from typing import Self

from aiohttp import web

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


class Site:
    """Answers by path; keeps the requests it was asked."""

    def __init__(self) -> None:
        self.asked: list[web.Request] = []
        self._pages: dict[str, Handler] = {}
        self._runner: web.ServerRunner | None = None
        self.port = 0

    async def __aenter__(self) -> Self:
        self._runner = web.ServerRunner(web.Server(self._answer), shutdown_timeout=0.1)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", 0)
        await site.start()
        self.port = self._runner.addresses[0][1]
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._runner is not None:
            await self._runner.cleanup()

    def url(self, path: str = "/", host: str = "127.0.0.1") -> str:
        return f"http://{host}:{self.port}{path}"

    def has(self, path: str, body: str | bytes, kind: str = "text/html", **headers: str) -> None:
        """Put something at a path; text goes out as UTF-8, and the type says so unless it names a charset."""
        raw = body.encode() if isinstance(body, str) else body
        sent = {"Content-Type": kind, **{name.replace("_", "-"): value for name, value in headers.items()}}

        async def answer(_request: web.Request) -> web.StreamResponse:
            return web.Response(body=raw, headers=sent)

        self._pages[path] = answer

    def does(self, path: str, handler: Handler) -> None:
        self._pages[path] = handler

    def redirects(self, path: str, target: str, status: int = 302) -> None:
        async def answer(_request: web.Request) -> web.StreamResponse:
            return web.Response(status=status, headers={"Location": target})

        self._pages[path] = answer

    def is_slow(self, path: str) -> None:
        """Send the head and one byte, and then nothing for a long time."""

        async def answer(request: web.Request) -> web.StreamResponse:
            response = web.StreamResponse()
            await response.prepare(request)
            await response.write(b"x")
            await asyncio.sleep(30)
            return response

        self._pages[path] = answer

    def paths(self) -> list[str]:
        return [request.path for request in self.asked]

    async def _answer(self, request: web.BaseRequest) -> web.StreamResponse:
        assert isinstance(request, web.BaseRequest)
        self.asked.append(request)  # type: ignore[arg-type]
        page = self._pages.get(request.path)
        return web.Response(status=404, text="nothing here") if page is None else await page(request)  # type: ignore[arg-type]
