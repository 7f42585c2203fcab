"""How fast a platform lets us speak: one theoretical arrival time per rate (GCRA)."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime, timedelta

_RATE = re.compile(r"(\d+)/(s|m|h)")
_PERIODS = {
    "s": timedelta(seconds=1),
    "m": timedelta(minutes=1),
    "h": timedelta(hours=1),
}


@dataclass(frozen=True, slots=True)
class Rate:
    """At most `count` calls in any `period`, of which `burst` may come at once.

    The interval between calls is chosen so that no window of length `period`, wherever it begins, holds more than
    `count` calls: burst + period/interval ≤ count. With a burst of one, calls are simply spread evenly.
    """

    count: int
    period: timedelta
    burst: int = 1

    @classmethod
    def parse(cls, text: str) -> Rate:
        """Read "1/s", "20/m" or "100/h"; rates by the minute and hour let a quarter through at once.

        Raises:
            ValueError: the text is none of these.
        """
        found = _RATE.fullmatch(text.strip())
        if not found or int(found[1]) == 0:
            raise ValueError(f"{text!r} is not like '1/s' or '20/m'")
        count = int(found[1])
        return cls(count, _PERIODS[found[2]], 1 if found[2] == "s" else max(1, count // 4))

    @property
    def interval(self) -> timedelta:
        return self.period / (self.count if self.burst == 1 else self.count - self.burst)

    def earliest(self, arrival: datetime | None, now: datetime) -> datetime:
        """Return when the next call may leave, given the stored theoretical arrival time."""
        if arrival is None:
            return now
        return max(now, arrival - self.interval * (self.burst - 1))

    def after(self, arrival: datetime | None, call_at: datetime) -> datetime:
        """Return the theoretical arrival time after a call that leaves at `call_at`."""
        return max(arrival or call_at, call_at) + self.interval


def parse_rates(text: str) -> tuple[Rate, ...]:
    """Read "1/s,20/m"; "off" is no rate at all."""
    if text.strip() == "off":
        return ()
    return tuple(Rate.parse(part) for part in text.split(","))
