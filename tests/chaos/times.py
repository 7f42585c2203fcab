"""The times of a run. Those of a real outlet are minutes; these are short and keep their order."""

from __future__ import annotations

import multiprocessing
import time
from dataclasses import dataclass

_PROBE = 0.4  # seconds
_SLOWEST = 6.0


@dataclass(frozen=True, slots=True)
class Times:
    """Seconds, all of them stretched by `slow` where a machine is too busy for the shortest ones."""

    slow: float = 1.0

    @property
    def timeout(self) -> float:
        return 0.4 * self.slow

    @property
    def lease(self) -> float:
        return 2.0 * self.slow

    @property
    def settle(self) -> float:
        return 1.5 * self.slow

    @property
    def hold_after(self) -> float:
        return 9.0 * self.slow

    @property
    def bells(self) -> float:
        return 0.4 * self.slow

    @property
    def stale(self) -> float:
        """How far a look may be behind: less than the settle time."""
        return 1.1 * self.slow

    @property
    def least_frozen(self) -> float:
        """A freeze outlasts the lease …"""
        return self.lease + 0.1

    @property
    def most_frozen(self) -> float:
        """… and ends before absence counts."""
        return self.lease + self.settle - 0.3 * self.slow

    @property
    def linger(self) -> float:
        """After which nothing that was on its way can still arrive."""
        return self.lease + self.settle + self.slow

    @property
    def moves_within(self) -> float:
        """In which something must have moved, once all trouble is over."""
        return 30.0 + 15.0 * self.slow

    @property
    def hearing(self) -> float:
        """In which a worker writes down that it was told to wait."""
        return 0.6 * self.slow

    def variables(self) -> dict[str, str]:
        """Return the settings of the bot."""
        chosen = {
            "TIMEOUT": self.timeout,
            "LEASE": self.lease,
            "SETTLE": self.settle,
            "FACEBOOK_SETTLE": self.settle,
            "HOLD_AFTER": self.hold_after,
            "GATHER": 0.1,
        }
        return {f"VISTNYK_DELIVERY__{name}": f"{round(1000 * seconds)}ms" for name, seconds in chosen.items()}


def slowness() -> float:
    """Measure how much longer work takes than it would on two idle processors; 1: no longer.

    Two processes that only count share the machine with whatever else runs there.
    """
    with multiprocessing.get_context("fork").Pool(2) as pool:
        shares = pool.map(_share, range(2))
    return min(_SLOWEST, max(1.0, 0.9 / min(shares)))


def _share(_: int) -> float:
    wall, cpu = time.monotonic(), time.process_time()
    while time.monotonic() - wall < _PROBE:
        sum(range(1000))
    return (time.process_time() - cpu) / (time.monotonic() - wall)
