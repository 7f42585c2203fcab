"""No byte of a call leaves late: not the first one after its deadline, not the last one after its time-out."""

from __future__ import annotations

import asyncio
import socket
import sys
import time
from dataclasses import dataclass, field
from subprocess import DEVNULL
from typing import Any

import pytest

from bot.channels.guard import GuardedSocket, leave_by
from bot.channels.transport import Transport, Upload
from bot.clock import SystemClock
from bot.errors import LateError, UnansweredError, UnreachableError
from tests.channels.rough_server import RoughServer, SlowServer, answering

MEGABYTE = 1024 * 1024


@dataclass
class Running:
    """A running clock that leaps when told to, as it does for a process that was frozen."""

    started: float = field(default_factory=time.monotonic)
    leapt: float = 0.0

    def __call__(self) -> float:
        return time.monotonic() - self.started + self.leapt


def a_photo(size: int) -> dict[str, Upload]:
    return {"photo": ("photo.jpg", b"x" * size, "image/jpeg")}


async def test_a_call_that_leaves_in_time_is_not_hindered() -> None:
    async with RoughServer(answering(b"{}"), answering(b"{}")) as server, Transport(5) as transport:
        with leave_by(SystemClock().running() + 5):
            assert (await transport.call("POST", server.url, fields={"a": "b"})).status == 200
        with leave_by(SystemClock().running() - 5), pytest.raises(LateError):
            await transport.call("POST", server.url, fields={"a": "b"})
        assert (await transport.call("POST", server.url, fields={"a": "b"})).status == 200  # no deadline any more
        assert len(server.requests) == 2


@pytest.mark.parametrize("kept", [False, True], ids=["new connection", "kept connection"])
@pytest.mark.parametrize("size", [0, MEGABYTE], ids=["words", "photo"])
async def test_a_call_that_would_leave_late_never_leaves(kept: bool, size: int) -> None:
    running = Running()
    async with RoughServer(answering(b"{}"), answering(b"{}")) as server, Transport(5, running=running) as transport:
        if kept:
            await transport.call("POST", server.url)
        before = len(server.requests)
        running.leapt = 0.0
        with leave_by(running() + 1):
            running.leapt = 1.5  # frozen between the decision to call and the call
            with pytest.raises(LateError) as late:
                await transport.call("POST", server.url, fields={"a": "b"}, files=a_photo(size) if size else None)
        assert isinstance(late.value, UnreachableError)
        await transport.call("POST", server.url)  # whatever had left of the late call would stand before this one
        assert len(server.requests) == before + 1
        assert b"a=b" not in server.requests[-1]
        assert "secret" not in str(late.value)


async def test_a_process_frozen_while_it_connects_sends_nothing_when_it_thaws() -> None:
    class FrozenWhileConnecting(Running):
        looks = 0

        def __call__(self) -> float:
            self.looks += 1
            return super().__call__() + (0.0 if self.looks <= 1 else 9.0)  # the second look is the socket's

    running = FrozenWhileConnecting()
    async with RoughServer() as server, Transport(30, running=running) as transport:
        with leave_by(5), pytest.raises(LateError):
            await transport.call("POST", server.url, fields={"a": "b"})
        assert running.looks == 2
        await asyncio.sleep(0.05)
        assert (server.connections, server.requests) == (1, [])


async def test_a_late_call_over_tls_does_not_even_greet() -> None:
    greetings: list[bytes] = []

    async def greeted(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        greetings.append(await reader.read(1))
        writer.close()

    server = await asyncio.start_server(greeted, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    async with Transport(5) as transport:
        with leave_by(SystemClock().running() - 1), pytest.raises(LateError):
            await transport.call("POST", f"https://127.0.0.1:{port}/", fields={"a": "b"})
    server.close()
    await server.wait_closed()
    assert greetings in ([], [b""])


async def test_an_upload_that_is_frozen_in_the_middle_does_not_go_on_after_its_time() -> None:
    running = Running()
    with SlowServer() as server:
        async with Transport(30, running=running) as transport:
            calling = asyncio.create_task(transport.call("POST", server.url, files=a_photo(8 * MEGABYTE)))
            await server.accept()
            await server.read(MEGABYTE)
            running.leapt = 60  # frozen for a minute, and back
            assert not await server.read()
            with pytest.raises(UnansweredError):
                await calling
        assert server.received < 8 * MEGABYTE


async def test_what_waits_to_be_sent_when_a_call_times_out_is_never_sent(monkeypatch: pytest.MonkeyPatch) -> None:
    class Narrow(GuardedSocket):
        """A socket whose kernel takes over little, so that most waits in asyncio."""

        def __init__(self, *arguments: Any, **named: Any) -> None:
            super().__init__(*arguments, **named)
            self.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 16 * 1024)

    monkeypatch.setattr("bot.channels.transport.GuardedSocket", Narrow)
    words = {"text": "x" * 900_000}  # handed over to asyncio as a whole
    with SlowServer() as server:
        async with Transport(1.5) as transport:
            calling = asyncio.create_task(transport.call("POST", server.url, fields=words))
            await server.accept()
            with pytest.raises(UnansweredError):
                await calling
            assert not await server.read()
        assert server.received < 300_000


async def test_a_large_upload_is_given_time_by_its_size_but_no_more_than_the_longest() -> None:
    async def upload(longest: float | None) -> int:
        with SlowServer() as server:
            async with Transport(0.4, longest=longest) as transport:
                calling = asyncio.create_task(transport.call("POST", server.url, files=a_photo(2 * MEGABYTE)))
                await server.accept()
                if await server.read(2 * MEGABYTE, pause=0.04):  # 32 rests and more: over a second
                    await server.answer()
                return (await calling).status

    assert await upload(longest=30.0) == 200
    with pytest.raises(UnansweredError, match=r"within 0.4 s"):
        await upload(longest=None)
    with pytest.raises(UnansweredError, match=r"within 0.6 s"):
        await upload(longest=0.6)


async def test_words_alone_get_hardly_more_than_the_time_out() -> None:
    with SlowServer() as server:
        async with Transport(0.3, longest=30.0) as transport:
            with pytest.raises(UnansweredError, match=r"within 0.30\d* s"):
                await transport.call("POST", server.url, fields={"text": "д" * 1000})


CLIENT = """
import asyncio, sys
from bot.channels.transport import Transport

async def main() -> None:
    async with Transport(60) as transport:
        await transport.call("POST", sys.argv[1], files={"photo": ("photo.jpg", b"x" * 4_000_000, "image/jpeg")})

asyncio.run(main())
"""


async def test_the_kernel_does_not_go_on_sending_for_a_process_that_was_killed() -> None:
    with SlowServer() as server:
        client = await asyncio.create_subprocess_exec(sys.executable, "-c", CLIENT, server.url, stderr=DEVNULL)
        try:
            await server.accept()
            await server.read(200_000)
            await asyncio.sleep(1)  # the kernel takes over what it can
            client.kill()
            await client.wait()
            before = server.received
            assert not await server.read()
        finally:
            if client.returncode is None:
                client.kill()
                await client.wait()
        # What had arrived already may still be read; some megabytes waited on the dead one's side.
        assert server.received - before < 512 * 1024
