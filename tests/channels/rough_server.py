"""A server of bare sockets that counts the requests it is sent and treats each as the test says."""

from __future__ import annotations

import asyncio
import socket
import struct
from collections.abc import Awaitable, Callable, Iterator
from contextlib import ExitStack, contextmanager
from types import TracebackType
from typing import Self

Treat = Callable[[asyncio.StreamWriter], Awaitable[None]]
_SMALL = 16 * 1024  # bytes that the kernel takes in for a server that does not read


class RoughServer:
    """Reads one request after another from each connection and hands the writer to the next treatment."""

    def __init__(self, *treatments: Treat) -> None:
        self._treatments = list(treatments)
        self.requests: list[bytes] = []
        self.connections = 0
        self._server: asyncio.Server | None = None
        self._writers: list[asyncio.StreamWriter] = []

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for writer in self._writers:
            writer.transport.abort()
        if self._server is not None:
            self._server.close()
            await self._server.wait_closed()

    @property
    def root(self) -> str:
        assert self._server is not None
        return f"http://127.0.0.1:{self._server.sockets[0].getsockname()[1]}"

    @property
    def url(self) -> str:
        return f"{self.root}/bot1:secret/sendMessage"

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        self._writers.append(writer)
        try:
            while not writer.is_closing():
                head = await reader.readuntil(b"\r\n\r\n")
                told = [line for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:")]
                length = int(told[0].split(b":")[1]) if told else 0
                self.requests.append(head + await reader.readexactly(length))
                await self._treatments.pop(0)(writer)
        except (asyncio.IncompleteReadError, ConnectionError):
            writer.close()


def answering(body: bytes, *, status: str = "200 OK", claimed: int | None = None) -> Treat:
    """Answer; `claimed` is another Content-Length than the true one."""

    async def treat(writer: asyncio.StreamWriter) -> None:
        length = len(body) if claimed is None else claimed
        writer.write(f"HTTP/1.1 {status}\r\nContent-Length: {length}\r\n\r\n".encode() + body)
        await writer.drain()
        if claimed is not None:
            writer.close()

    return treat


async def closing(writer: asyncio.StreamWriter) -> None:
    writer.close()


async def resetting(writer: asyncio.StreamWriter) -> None:
    plug: socket.socket = writer.get_extra_info("socket")
    plug.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    writer.transport.abort()


async def babbling(writer: asyncio.StreamWriter) -> None:
    writer.write(b"220 mail.example ESMTP\r\n")
    await writer.drain()


async def silent(_: asyncio.StreamWriter) -> None:
    await asyncio.sleep(30)


def trickling(parts: int, pause: float) -> Treat:
    """Answer one byte at a time, never finishing soon."""

    async def treat(writer: asyncio.StreamWriter) -> None:
        writer.write(f"HTTP/1.1 200 OK\r\nContent-Length: {parts}\r\n\r\n".encode())
        for _ in range(parts):
            writer.write(b" ")
            await writer.drain()
            await asyncio.sleep(pause)

    return treat


@contextmanager
def a_closed_port() -> Iterator[int]:
    """Give a port that refuses every connection."""
    with socket.socket() as plug:
        plug.bind(("127.0.0.1", 0))
        yield int(plug.getsockname()[1])


@contextmanager
def a_full_port() -> Iterator[int]:
    """Give a port where no connection is ever made: it accepts none, and its queue is full."""
    with socket.socket() as plug, ExitStack() as fillers:
        plug.bind(("127.0.0.1", 0))
        plug.listen(0)
        for _ in range(3):
            filler = fillers.enter_context(socket.socket())
            filler.setblocking(False)
            filler.connect_ex(plug.getsockname())
        yield int(plug.getsockname()[1])


class SlowServer:
    """Reads what it is sent only when told to, and counts it. Bytes that it did not read wait with their sender."""

    def __init__(self) -> None:
        self._listening = socket.socket()
        self._listening.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _SMALL)
        self._listening.bind(("127.0.0.1", 0))
        self._listening.listen()
        self._listening.setblocking(False)
        self._plug: socket.socket | None = None
        self.received = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for plug in (self._plug, self._listening):
            if plug is not None:
                plug.close()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._listening.getsockname()[1]}/bot1:secret/sendPhoto"

    async def accept(self) -> None:
        """Take one connection."""
        accepting = asyncio.get_running_loop().sock_accept(self._listening)
        self._plug, _ = await asyncio.wait_for(accepting, 60)

    async def read(self, most: float = float("inf"), *, pause: float = 0.0, patience: float = 5.0) -> bool:
        """Read up to `most` bytes more, resting `pause` seconds after each 64 KiB; False at the connection's end.

        True, too, where nothing came for `patience` seconds.
        """
        assert self._plug is not None
        goal = self.received + most
        while self.received < goal:
            reading = asyncio.get_running_loop().sock_recv(self._plug, 64 * 1024)
            try:
                some = await asyncio.wait_for(reading, patience)
            except TimeoutError:
                return True
            except ConnectionError:
                return False
            if not some:
                return False
            self.received += len(some)
            await asyncio.sleep(pause)
        return True

    async def answer(self, body: bytes = b"{}") -> None:
        assert self._plug is not None
        head = f"HTTP/1.1 200 OK\r\nContent-Length: {len(body)}\r\n\r\n".encode()
        await asyncio.get_running_loop().sock_sendall(self._plug, head + body)
