"""What time it is: the only call to `datetime.now`, and the only clock that a stopped machine cannot hold."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from typing import Protocol


class Clock(Protocol):
    """Wall time for people, running time for guards."""

    def now(self) -> datetime:
        """Return the time of day, aware, UTC."""
        ...

    def running(self) -> float:
        """Return seconds that also pass while the machine sleeps."""
        ...


class SystemClock:
    """The machine's own clocks."""

    def now(self) -> datetime:
        return datetime.now(UTC)

    def running(self) -> float:
        # CLOCK_BOOTTIME counts on in a suspended machine; elsewhere the monotonic clock is the next best.
        return time.clock_gettime(getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC))
