"""What the harness and its workers share: how far the workers' clock is off, and a record of failpoints met."""

from __future__ import annotations

import mmap
import os
import struct
import time
from collections import Counter
from datetime import UTC, datetime, timedelta
from pathlib import Path

from bot.clock import boot


class StrayClock:
    """A clock whose time of day is stepped from outside, for all that map its file; what runs is never wrong."""

    def __init__(self, path: Path) -> None:
        with path.open("a+b") as file:
            file.truncate(8)
            self._memory = mmap.mmap(file.fileno(), 8)

    @property
    def offset(self) -> float:
        """Seconds by which the time of day is wrong."""
        return float(struct.unpack("d", self._memory[:8])[0])

    def step_to(self, offset: float) -> None:
        """Make the time of day wrong by so many seconds."""
        self._memory[:8] = struct.pack("d", offset)

    def now(self) -> datetime:
        return datetime.now(UTC) + timedelta(seconds=self.offset)

    def running(self) -> float:
        return time.clock_gettime(time.CLOCK_BOOTTIME)

    def boot(self) -> str:
        return boot()


class Met:
    """The failpoints that were met: a line each, written before the trouble begins."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def note(self, point: str, trouble: str, worker: str) -> None:
        """Write one down; several processes may."""
        file = os.open(self._path, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
        try:
            os.write(file, f"{time.time()} {point} {trouble} {worker}\n".encode())
        finally:
            os.close(file)

    def read(self) -> list[tuple[float, str, str]]:
        """Return (Unix seconds, point, worker) of all."""
        lines = self._path.read_text().splitlines() if self._path.exists() else []
        return [(float(at), point, worker) for at, point, _, worker in (line.split() for line in lines)]

    def counted(self) -> Counter[str]:
        """Return how often each point was met."""
        return Counter(point for _, point, _ in self.read())
