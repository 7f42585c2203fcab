"""The HTTP client for the platforms' own interfaces, and the one place where the faults of a connection are told apart.

What matters after a fault is whether any byte of the call may have left: without a connection nothing did, with one
everything may have. It knows no platform and never repeats a call. Its errors name the host, never the address:
Telegram's holds the token.
"""

from __future__ import annotations

import asyncio
import io
import json
import socket
import struct
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from importlib.metadata import PackageNotFoundError, version
from types import SimpleNamespace, TracebackType
from typing import Any, Self

import aiohttp
from yarl import URL

from bot.channels.guard import Call, GuardedSocket, guarded
from bot.clock import SystemClock
from bot.errors import BotError

Upload = tuple[str, bytes, str]  # name of the file, its bytes, its type

_MOST_BYTES = 32 * 1024 * 1024
_SLOWEST = 256 * 1024  # bytes a second of an upload that is still worth waiting for
_CHUNK = 64 * 1024
# A reset instead of a farewell on close: a killed process must not leave the kernel sending what it had taken over.
_LINGER = struct.pack("ii", 1, 0)


@dataclass(frozen=True, slots=True)
class Answer:
    """A whole answer, whatever its status. Header names are matched without regard to case."""

    status: int
    body: bytes = field(repr=False)
    headers: Mapping[str, str] = field(repr=False)

    def content(self) -> dict[str, Any] | None:
        """Return the JSON object that the body is, None where it is none."""
        try:
            read = json.loads(self.body)
        except ValueError:  # not JSON, or not even UTF-8
            return None
        return read if isinstance(read, dict) else None


class Transport:
    """Calls to one platform. Use as an async context manager.

    Args:
        timeout: seconds for one call as a whole: connecting, sending, and the last byte of the answer.
        longest: seconds for a call with a large body, which is given a second more for each 256 KiB; None: no more
            than any other.
        sockets: most connections at one time.
        running: seconds that also pass while the machine sleeps; None: the system's.
    """

    def __init__(
        self,
        timeout: float = 8.0,
        *,
        longest: float | None = None,
        sockets: int = 100,
        running: Callable[[], float] | None = None,
    ) -> None:
        self.timeout = timeout
        self._longest = max(timeout, longest or 0.0)
        self._sockets = sockets
        self._running = running or SystemClock().running
        self._session: aiohttp.ClientSession | None = None

    async def __aenter__(self) -> Self:
        self._session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(
                socket_factory=self._socket, limit=self._sockets, keepalive_timeout=15, ttl_dns_cache=60
            ),
            cookie_jar=aiohttp.DummyCookieJar(),
            headers={"User-Agent": f"Vistnyk/{_version()}"},
            timeout=aiohttp.ClientTimeout(total=None),  # asyncio's own is exact; aiohttp rounds up to whole seconds
            trust_env=False,
            trace_configs=[_watch()],
        )
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._session is not None:
            await self._session.close()
            self._session = None

    async def call(
        self,
        method: str,
        url: str,
        *,
        query: Mapping[str, str] | None = None,
        fields: Mapping[str, str] | None = None,
        files: Mapping[str, Upload] | None = None,
        headers: Mapping[str, str] | None = None,
        within: float | None = None,
    ) -> Answer:
        """Make one call, once, and return its answer. Redirects are answers.

        Args:
            method: GET, POST or DELETE.
            query: parameters for the address.
            fields: parameters for the body: urlencoded, or multipart where there are files.
            files: parts of a multipart body.
            within: seconds for everything together; None: the transport's time-out, longer for a large body.

        Raises:
            LateError: it could not leave before the deadline of `guard.leave_by`, so nothing did.
            UnreachableError: there was no connection, nothing left this machine.
            UnansweredError: there was one, and no whole answer came over it.
        """
        if self._session is None:
            raise RuntimeError("the transport is not open: use `async with`")
        try:
            target = URL(url)
        except ValueError:
            target = URL()
        seconds = self._time_for(fields, files) if within is None else within
        call = Call(running=self._running, ends_at=self._running() + seconds, repeatable=method == "GET")
        fault: BotError
        try:
            with guarded(call):
                async with (
                    asyncio.timeout(seconds),
                    self._session.request(
                        method,
                        target,
                        params=query,
                        data=_body(fields, files),
                        headers=headers,
                        allow_redirects=False,
                        trace_request_ctx=call,
                    ) as answer,
                ):
                    return Answer(answer.status, await _read(answer), answer.headers)
        except TimeoutError:
            fault = call.fault(f"{target.host}: ", f"within {seconds:g} s")
        except (aiohttp.ClientError, OSError) as error:
            fault = call.fault(f"{target.host}: ", _cause(error))
        # Raised out here, the error carries no chain: the texts of aiohttp's own errors hold whole addresses.
        raise fault

    def _time_for(self, fields: Mapping[str, str] | None, files: Mapping[str, Upload] | None) -> float:
        """Return the seconds that a call with this body gets."""
        size = sum(len(value.encode()) for value in (fields or {}).values())
        size += sum(len(content) for _, content, _ in (files or {}).values())
        return min(self._longest, self.timeout + size / _SLOWEST)

    def _socket(self, info: aiohttp.AddrInfoType) -> socket.socket:
        family, kind, protocol, _, _ = info
        plug = GuardedSocket(family=family, type=kind, proto=protocol)
        plug.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _LINGER)
        if hasattr(socket, "TCP_USER_TIMEOUT"):  # Linux: how long sent bytes may stay unacknowledged
            plug.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, max(1, int(self._longest * 1000)))
        return plug


class _RepeatedError(aiohttp.ClientError):
    """The library was about to send a call a second time."""


def _watch() -> aiohttp.TraceConfig:
    """Follow each call to the moment from which its bytes may leave."""

    async def connecting(_: aiohttp.ClientSession, context: SimpleNamespace, __: object) -> None:
        call: Call = context.trace_request_ctx
        # aiohttp repeats DELETE by itself when a connection breaks under it: whether to repeat is ours to decide.
        if call.connected and not call.repeatable:
            raise _RepeatedError

    async def connected(session: aiohttp.ClientSession, context: SimpleNamespace, parameters: object) -> None:
        await connecting(session, context, parameters)
        context.trace_request_ctx.connected = True

    watch = aiohttp.TraceConfig()
    watch.on_connection_create_start.append(connecting)
    watch.on_connection_create_end.append(connected)
    watch.on_connection_reuseconn.append(connected)
    return watch


def _body(
    fields: Mapping[str, str] | None, files: Mapping[str, Upload] | None
) -> aiohttp.FormData | Mapping[str, str] | None:
    if not files:
        return fields
    form = aiohttp.FormData()
    for name, value in (fields or {}).items():
        form.add_field(name, value)
    for name, (filename, content, kind) in files.items():
        form.add_field(name, io.BytesIO(content), filename=filename, content_type=kind)
    return form


async def _read(answer: aiohttp.ClientResponse) -> bytes:
    body = bytearray()
    async for chunk in answer.content.iter_chunked(_CHUNK):
        body += chunk
        if len(body) > _MOST_BYTES:
            raise aiohttp.ClientPayloadError
    return bytes(body)


def _cause(error: Exception) -> str:
    """Say in a few words what went wrong, with nothing of the address in it."""
    match error:
        case _RepeatedError():
            return "the connection broke off"
        case aiohttp.ClientConnectorCertificateError():
            return "its certificate is not valid"
        case aiohttp.ClientConnectorDNSError():
            return "its host name cannot be resolved"
        case aiohttp.ClientSSLError():
            return "no TLS connection could be made"
        case aiohttp.ClientConnectorError():
            return error.strerror or "refused"
        case aiohttp.InvalidURL():
            return "not a valid address"
        case aiohttp.ClientPayloadError():
            return "the answer breaks off"
        case aiohttp.ServerDisconnectedError() | ConnectionError():
            return "the connection broke off"
        case _:
            return type(error).__name__


def _version() -> str:
    try:
        return version("vistnyk")
    except PackageNotFoundError:  # run from a source tree that is not installed
        return "0"
