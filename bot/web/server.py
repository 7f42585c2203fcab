"""The web server: binds the ports and knows who is asking. What is behind each door is in the other files."""

from __future__ import annotations

from collections.abc import Sequence
from http import HTTPStatus
from ipaddress import IPv4Network, IPv6Network, ip_address
from typing import Protocol, Self

from aiohttp import web
from aiohttp.typedefs import Handler, Middleware

from bot.errors import BotError
from bot.logs import logger
from bot.web.problems import CLIENT, HTTPS, problem

_PORTS = "VISTNYK_WEB__HOST, VISTNYK_WEB__PORT and VISTNYK_WEB__OPS_PORT choose where"
_log = logger("web")


class Door(Protocol):
    """Something that answers requests."""

    def add_to(self, router: web.UrlDispatcher) -> None: ...


class Server:
    """Serves doors on a port, and those of operations on another one if asked.

    Args:
        ops_port: where health and metrics answer; 0 for the same port as all else.
        trusted_proxies: whose X-Forwarded-For is believed.
    """

    def __init__(
        self,
        *,
        host: str,
        port: int,
        ops_port: int,
        public: Sequence[Door],
        operations: Sequence[Door],
        trusted_proxies: Sequence[IPv4Network | IPv6Network] = (),
    ) -> None:
        self._host = host
        self._trusted = trusted_proxies
        same = ops_port == 0
        self._sites = [(port, [*public, *operations] if same else public)]
        if not same:
            self._sites.append((ops_port, operations))
        self._runners: list[web.AppRunner] = []
        self.port = port
        self.ops_port = ops_port or port

    async def __aenter__(self) -> Self:
        for port, doors in self._sites:
            application = web.Application(middlewares=[self._guard()])
            for door in doors:
                door.add_to(application.router)
            runner = web.AppRunner(application, access_log=None, shutdown_timeout=2)
            await runner.setup()
            self._runners.append(runner)
            try:
                await web.TCPSite(runner, self._host, port).start()
            except OSError as error:
                await self.__aexit__()
                raise BotError(f"{self._host}:{port} cannot be listened on ({error.strerror}): {_PORTS}") from error
        bound: int = self._runners[0].addresses[0][1]
        self.port = bound
        self.ops_port = self._runners[-1].addresses[0][1]
        _log.info("web server listens", host=self._host, port=self.port, ops_port=self.ops_port)
        return self

    async def __aexit__(self, *_: object) -> None:
        for runner in self._runners:
            await runner.cleanup()

    def _guard(self) -> Middleware:
        @web.middleware
        async def guard(request: web.Request, handler: Handler) -> web.StreamResponse:
            request[CLIENT] = self._client(request)
            request[HTTPS] = self._is_https(request)
            try:
                answer = await handler(request)
            except web.HTTPException as error:
                if error.status < HTTPStatus.BAD_REQUEST:
                    raise
                kept = {name: error.headers[name] for name in ("Allow",) if name in error.headers}
                return problem(error.status, f"{request.method} {request.path}: {error.reason}", headers=kept)
            except ConnectionError:  # nobody is left to be answered
                raise
            except Exception:
                _log.exception("a request failed", path=request.path)
                return problem(500, "the request failed; the log of the service says why")
            answer.headers.setdefault("X-Content-Type-Options", "nosniff")
            return answer

        return guard

    def _is_https(self, request: web.Request) -> bool:
        """Say whether whoever asks came over https, by the word of a trusted proxy alone."""
        told = request.headers.get("X-Forwarded-Proto", "").rpartition(",")[2].strip().lower()
        return request.secure or (told == "https" and self._trusts(request.remote or ""))

    def _client(self, request: web.Request) -> str:
        """Return the address of whoever asks, seen through trusted proxies only."""
        hops = [request.remote or ""]
        hops += [hop.strip() for hop in reversed(request.headers.get("X-Forwarded-For", "").split(",")) if hop.strip()]
        for hop in hops:
            try:
                ip_address(hop)
            except ValueError:
                return hops[0]
            if not self._trusts(hop):
                return hop
        return hops[-1]

    def _trusts(self, hop: str) -> bool:
        try:
            address = ip_address(hop)
        except ValueError:
            return False
        return any(address.version == network.version and address in network for network in self._trusted)
