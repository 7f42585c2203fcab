from __future__ import annotations

import asyncio
import socket
import struct
import time
import traceback
from typing import Any

import pytest

from bot.channels.guard import GuardedSocket
from bot.channels.transport import Transport
from bot.errors import BotError, UnansweredError, UnreachableError
from tests.channels.rough_server import (
    RoughServer,
    Treat,
    a_closed_port,
    a_full_port,
    answering,
    babbling,
    closing,
    resetting,
    silent,
    trickling,
)


async def test_an_answer_comes_back_whatever_its_status() -> None:
    async with RoughServer(answering(b'{"a": 1}', status="503 Later")) as server, Transport(2) as transport:
        answer = await transport.call("POST", server.url, fields={"text": "а б"})
    assert (answer.status, answer.content()) == (503, {"a": 1})
    assert server.requests[0].endswith(b"\r\n\r\ntext=%D0%B0+%D0%B1")


async def test_a_redirect_is_an_answer_and_is_not_followed() -> None:
    async with RoughServer(answering(b"", status="302 Found\r\nLocation: /s/x")) as server, Transport(2) as transport:
        answer = await transport.call("GET", server.url)
    assert answer.status == 302
    assert len(server.requests) == 1


@pytest.mark.parametrize(
    "url",
    [
        "http://127.0.0.1:{closed}/bot1:secret/x",
        "http://no-such-host.invalid/bot1:secret/x",
        "https://127.0.0.1:{plain}/bot1:secret/x",
        "http://:::/bot1:secret/x",
        "bot1:secret",
    ],
)
async def test_without_a_connection_nothing_left_this_machine(url: str) -> None:
    async with RoughServer() as server, Transport(0.5) as transport:
        plain = server.url.split(":")[2].split("/")[0]
        with a_closed_port() as closed, pytest.raises(UnreachableError) as unreachable:
            await transport.call("POST", url.format(closed=closed, plain=plain), fields={"a": "b"})
    assert server.requests == []
    assert "secret" not in "".join(traceback.format_exception(unreachable.value))


async def test_a_connection_that_is_not_made_in_time_let_nothing_leave() -> None:
    async with Transport(0.3) as transport:
        with a_full_port() as port, pytest.raises(UnreachableError, match=r"within 0.3 s"):
            await transport.call("POST", f"http://127.0.0.1:{port}/", fields={"a": "b"})


@pytest.mark.parametrize(
    "treat",
    [closing, resetting, silent, babbling, answering(b'{"ok": true', claimed=100), trickling(100, 0.05)],
    ids=["closed", "reset", "silence", "not HTTP", "half an answer", "endless answer"],
)
@pytest.mark.parametrize("method", ["POST", "DELETE"])
async def test_once_connected_a_call_without_a_whole_answer_may_have_arrived_and_is_never_repeated(
    method: str, treat: Treat
) -> None:
    async with RoughServer(treat, treat) as server, Transport(0.4) as transport:
        with pytest.raises(UnansweredError) as unanswered:
            await transport.call(method, server.url, fields={"a": "b"})
        assert len(server.requests) == 1
    assert "secret" not in "".join(traceback.format_exception(unanswered.value))


@pytest.mark.parametrize("method", ["POST", "DELETE"])
async def test_a_kept_connection_that_breaks_under_a_call_does_not_send_it_again(method: str) -> None:
    async with RoughServer(answering(b"{}"), resetting, answering(b"{}")) as server, Transport(2) as transport:
        await transport.call("POST", server.url)
        with pytest.raises(UnansweredError):
            await transport.call(method, server.url, query={"n": "2"})
        await asyncio.sleep(0.05)
        assert (len(server.requests), server.connections) == (2, 1)


async def test_a_kept_connection_that_the_server_closed_while_idle_is_replaced_and_the_call_sent_once() -> None:
    async def answer_and_close(writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: keep-alive\r\n\r\n{}")
        await writer.drain()
        await asyncio.sleep(0.05)
        writer.close()

    async with RoughServer(answer_and_close, answering(b"{}")) as server, Transport(2) as transport:
        await transport.call("POST", server.url)
        await asyncio.sleep(0.15)
        answer = await transport.call("POST", server.url, query={"n": "2"})
        assert answer.status == 200
        assert (len(server.requests), server.connections) == (2, 2)


async def test_the_time_out_covers_the_call_as_a_whole_to_the_millisecond() -> None:
    async with RoughServer(trickling(100, 0.05)) as server, Transport(8) as transport:
        started = time.monotonic()
        with pytest.raises(UnansweredError):
            await transport.call("POST", server.url, within=0.3)
    assert 0.3 <= time.monotonic() - started < 4.0  # the whole answer would take five


@pytest.mark.parametrize(("longest", "patience"), [(None, 2500), (12.0, 12000)])
async def test_sockets_reset_on_close_and_give_up_on_unacknowledged_bytes(
    monkeypatch: pytest.MonkeyPatch, longest: float | None, patience: int
) -> None:
    made: list[socket.socket] = []

    class Kept(GuardedSocket):
        def __init__(self, *arguments: Any, **named: Any) -> None:
            super().__init__(*arguments, **named)
            made.append(self)

    monkeypatch.setattr("bot.channels.transport.GuardedSocket", Kept)
    async with RoughServer(answering(b"{}")) as server, Transport(2.5, longest=longest) as transport:
        await transport.call("POST", server.url)
        (plug,) = made
        linger = struct.unpack("ii", plug.getsockopt(socket.SOL_SOCKET, socket.SO_LINGER, 8))
        assert linger == (1, 0)
        assert plug.getsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT) == patience


async def test_proxies_of_the_environment_are_not_used(monkeypatch: pytest.MonkeyPatch) -> None:
    with a_closed_port() as port:
        for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
            monkeypatch.setenv(name, f"http://127.0.0.1:{port}")
        async with RoughServer(answering(b"{}")) as server, Transport(2) as transport:
            assert (await transport.call("GET", server.url)).status == 200


async def test_a_file_goes_up_as_multipart_with_its_name_and_every_field() -> None:
    content = bytes(range(256)) * 8192  # 2 MiB, more than the library likes to take as bare bytes
    async with RoughServer(answering(b"{}")) as server, Transport(5) as transport:
        files = {"photo": ("photo.jpg", content, "image/jpeg")}
        await transport.call("POST", server.url, fields={"caption": "Місто"}, files=files)
    request = server.requests[0]
    assert content in request
    assert b'name="photo"; filename="photo.jpg"' in request
    assert "\r\n\r\nМісто\r\n".encode() in request


async def test_an_answer_that_is_no_json_object_has_no_content() -> None:
    for body in (b"", b"<html>", b"[1]", b"null", b"\xff"):
        async with RoughServer(answering(body)) as server, Transport(2) as transport:
            assert (await transport.call("GET", server.url)).content() is None


async def test_a_transport_that_is_not_open_says_so() -> None:
    with pytest.raises(RuntimeError, match="not open"):
        await Transport().call("GET", "http://127.0.0.1/")


def test_both_faults_are_errors_of_ours() -> None:
    assert issubclass(UnansweredError, BotError)
    assert not issubclass(UnansweredError, UnreachableError)
