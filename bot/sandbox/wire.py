"""The HTTP side that both platforms share: reading a request's parameters, acting out a mishap, keeping a record."""

from __future__ import annotations

import asyncio
import json
import re
import socket
import struct
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl

from aiohttp import web

from bot.sandbox.mishaps import Fault, Mishap

MOST_BYTES = 60 * 1024 * 1024
HTML_502 = (
    "<html>\r\n<head><title>502 Bad Gateway</title></head>\r\n<body>\r\n<center><h1>502 Bad Gateway</h1></center>\r\n"
    "<hr><center>nginx/1.18.0</center>\r\n</body>\r\n</html>\r\n"
)

_BOUNDARY = re.compile(r'boundary="?([^";]+)"?', re.IGNORECASE)
_NAME = re.compile(rb'\bname="([^"]*)"', re.IGNORECASE)
_FILENAME = re.compile(rb"\bfilename\*?=\"?([^\";\r\n]*)\"?", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Upload:
    """A file part of a form."""

    filename: str
    body: bytes = field(repr=False)


@dataclass(slots=True)
class Form:
    """Parameters of a request as text (JSON values serialised again), its files by field name, and who asks."""

    params: dict[str, str] = field(default_factory=dict)
    files: dict[str, Upload] = field(default_factory=dict)
    agent: str = ""


@dataclass(frozen=True, slots=True)
class Call:
    """One call to a platform, whatever came of it.

    `method` is Telegram's method or Facebook's edge, `target` the chat id or page (0 and "" where unknown), `outcome`
    "ok", "<status> <description>" or, in front of that, the name of the mishap it met. `public` says whether it made
    something visible, `banned_for` that it was told to wait so many seconds, `inside_ban` that it came although an
    earlier one had been told to, `agent` is the client's name (User-Agent). Tokens are not kept.
    """

    at: float
    method: str
    caller: str
    target: str
    params: dict[str, str]
    outcome: str
    public: bool = False
    banned_for: int = 0
    inside_ban: bool = False
    agent: str = ""


class FormError(Exception):
    """The body is not what its content type says."""


async def read_form(request: web.Request) -> Form:
    """Read query and body: urlencoded, multipart or JSON.

    Raises:
        FormError: the body cannot be read as its content type.
    """
    params = dict(request.query)
    files: dict[str, Upload] = {}
    form = Form(params, files, request.headers.get("User-Agent", ""))
    if not request.body_exists:
        return form
    kind = request.content_type
    body = await request.read()
    if kind == "multipart/form-data":
        _read_multipart(body, request.headers.get("Content-Type", ""), params, files)
    elif kind == "application/json":
        try:
            given = json.loads(body or b"{}")
        except ValueError as error:
            raise FormError("can't parse JSON") from error
        if not isinstance(given, dict):
            raise FormError("expected a JSON object")
        params.update({name: as_text(value) for name, value in given.items() if value is not None})
    else:
        try:
            params.update(parse_qsl(body.decode(), keep_blank_values=True))
        except UnicodeDecodeError as error:
            raise FormError("strings must be encoded in UTF-8") from error
    return form


def as_text(value: object) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _read_multipart(body: bytes, content_type: str, params: dict[str, str], files: dict[str, Upload]) -> None:
    found = _BOUNDARY.search(content_type)
    if not found:
        raise FormError("boundary not found")
    mark = b"--" + found[1].encode()
    if body and not body.rstrip().endswith(mark + b"--"):
        raise FormError("unexpected end of multipart body")
    for part in (b"\r\n" + body).split(b"\r\n" + mark)[1:-1]:
        head, gap, content = part.partition(b"\r\n\r\n")
        name = _NAME.search(head)
        if not gap or not name:
            raise FormError("can't find field name in a part")
        if filename := _FILENAME.search(head):
            files[name[1].decode()] = Upload(filename[1].decode("utf-8", "replace"), content)
        else:
            try:
                params[name[1].decode()] = content.decode()
            except UnicodeDecodeError as error:
                raise FormError("strings must be encoded in UTF-8") from error


def reset(request: web.Request) -> web.Response:
    """Reset the connection (RST, nothing of the answer leaves). The response returned goes nowhere."""
    transport = request.transport
    if transport is not None:
        plug: socket.socket | None = transport.get_extra_info("socket")
        if plug is not None:
            plug.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        transport.abort()
    return web.Response()


async def from_afar(latency: float, answering: Awaitable[web.StreamResponse]) -> web.StreamResponse:
    """Answer a call as a platform does that is `latency` seconds away, there and back."""
    if latency:
        await asyncio.sleep(latency / 2)
    answer = await answering
    if latency:
        await asyncio.sleep(latency / 2)
    return answer


async def silence(request: web.Request, stopping: asyncio.Event) -> web.Response:
    """Say nothing until the client has gone or the sandbox stops."""
    while request.transport is not None and not request.transport.is_closing() and not stopping.is_set():
        try:
            await asyncio.wait_for(stopping.wait(), 0.02)
        except TimeoutError:
            continue
    return reset(request)


def half(request: web.Request, answer: web.Response) -> web.Response:
    """Write the head and the first half of the body, then end the connection."""
    transport = request.transport
    body = answer.body if isinstance(answer.body, bytes) else b""
    if transport is not None:
        head = (
            f"HTTP/1.1 {answer.status} OK\r\nContent-Type: application/json\r\n"
            f"Content-Length: {len(body)}\r\nConnection: keep-alive\r\n\r\n"
        )
        transport.write(head.encode() + body[: len(body) // 2])
        transport.close()
    return web.Response()


async def act_out(
    mishap: Mishap,
    request: web.Request,
    stopping: asyncio.Event,
    carry_out: Callable[[], Awaitable[web.Response]],
    in_own_form: Callable[[Mishap], web.Response],
) -> web.StreamResponse:
    """Let a call meet its mishap.

    Args:
        carry_out: really does the call and returns the true answer.
        in_own_form: words a REFUSE or ERROR as the platform does.
    """
    if mishap.fault is Fault.LATE and not mishap.after:
        await asyncio.sleep(mishap.seconds)
    answer = await carry_out() if mishap.after or mishap.fault is Fault.LATE else None
    match mishap.fault:
        case Fault.LATE:
            if mishap.after:
                await asyncio.sleep(mishap.seconds)
            return answer or web.Response()
        case Fault.RESET:
            return reset(request)
        case Fault.SILENCE:
            return await silence(request, stopping)
        case Fault.HTML:
            return web.Response(status=502, text=HTML_502, content_type="text/html")
        case Fault.EMPTY:
            return web.Response(status=404)
        case Fault.HALF:
            return half(request, answer or web.Response())
        case Fault.REFUSE | Fault.ERROR:
            return in_own_form(mishap)


def json_answer(content: Any, status: int = 200, headers: dict[str, str] | None = None) -> web.Response:
    return web.Response(
        status=status, text=json.dumps(content, ensure_ascii=False), content_type="application/json", headers=headers
    )
