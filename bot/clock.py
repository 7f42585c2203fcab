"""What time it is: the only call to `datetime.now`, and the only clock that a stopped machine cannot hold."""

from __future__ import annotations

import time
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Protocol

_BOOT = Path("/proc/sys/kernel/random/boot_id")


class Clock(Protocol):
    """Wall time for people, running time for guards."""

    def now(self) -> datetime:
        """Return the time of day, aware, UTC."""
        ...

    def running(self) -> float:
        """Return seconds that also pass while the machine sleeps."""
        ...

    def boot(self) -> str:
        """Name what the running seconds count from: other processes with the same name count alike; "": unknown."""
        ...


class SystemClock:
    """The machine's own clocks."""

    def now(self) -> datetime:
        return datetime.now(UTC)

    def running(self) -> float:
        # CLOCK_BOOTTIME counts on in a suspended machine; elsewhere the monotonic clock is the next best.
        return time.clock_gettime(getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC))

    def boot(self) -> str:
        return boot()


def boot() -> str:
    """Name this start of the machine, where it has a name."""
    with suppress(OSError):
        return _BOOT.read_text().strip()
    return ""
