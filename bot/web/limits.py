"""Who may ask how often, within this process; bounded in memory whoever asks."""

from __future__ import annotations

from collections import OrderedDict

from bot.clock import Clock

_MOST_KEPT = 4096


class Allowance:
    """A token bucket for each key.

    Args:
        at_once: how many may come at once.
        per_second: how fast the bucket fills again.
    """

    def __init__(self, clock: Clock, at_once: int, per_second: float) -> None:
        self._clock = clock
        self._at_once = at_once
        self._per_second = per_second
        self._kept: OrderedDict[str, tuple[float, float]] = OrderedDict()

    def take(self, key: str) -> bool:
        """Take one; False where the bucket is empty."""
        now = self._clock.running()
        left, at = self._kept.pop(key, (float(self._at_once), now))
        left = min(self._at_once, left + (now - at) * self._per_second)
        self._kept[key] = (max(0.0, left - 1), now)
        if len(self._kept) > _MOST_KEPT:
            self._kept.popitem(last=False)
        return left >= 1
