"""How fast a client may call, and what being too fast costs.

Telegram publishes no exact figures. Kept here: 30 a second per bot, 1 a second per chat with short bursts, 20 a
minute per group (core.telegram.org/bots/faq). The bursts are this sandbox's choice, stated in `Rates`. A call
inside a ban is refused, counted, and prolongs the ban, as practice reports.
"""

from __future__ import annotations

import math
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Rate:
    """`calls` every `seconds` on average, up to `burst` of them at once."""

    calls: float
    seconds: float = 1.0
    burst: int = 1

    @property
    def interval(self) -> float:
        return self.seconds / self.calls


@dataclass(frozen=True, slots=True, kw_only=True)
class Rates:
    """Limits of one platform; None is no limit. `prolong` is seconds a ban grows by with each call inside it."""

    chat: Rate | None = Rate(1, 1.0, burst=5)
    bot: Rate | None = Rate(30, 1.0, burst=30)
    group: Rate | None = Rate(20, 60.0, burst=20)
    channels_as_groups: bool = False
    prolong: float = 1.0

    @classmethod
    def off(cls) -> Rates:
        """No limits at all; bans that a mishap started still hold."""
        return cls(chat=None, bot=None, group=None)


class Meter:
    """Counts calls by key (GCRA: one theoretical arrival time a key) and remembers bans. Seconds throughout."""

    def __init__(self) -> None:
        self._arrival: dict[str, float] = {}
        self._banned: dict[str, float] = {}

    def clear(self) -> None:
        """Forget every call and ban."""
        self._arrival.clear()
        self._banned.clear()

    def ban(self, key: str, until: float) -> None:
        self._banned[key] = max(until, self._banned.get(key, 0.0))

    def banned_for(self, keys: list[str], now: float, prolong: float) -> int:
        """Return whole seconds left of a ban on any key, 0 for none; a ban that is met grows."""
        left = 0.0
        for key in keys:
            until = self._banned.get(key)
            if until is None:
                continue
            if until <= now:
                del self._banned[key]
                continue
            self._banned[key] = until + prolong
            left = max(left, self._banned[key] - now)
        return math.ceil(left)

    def spend(self, key: str, rate: Rate | None, now: float) -> int:
        """Count one call; return 0 if it may pass, else whole seconds to wait, and start a ban of that length."""
        if rate is None:
            return 0
        due = max(self._arrival.get(key, now), now)
        too_early = due - now - (rate.burst - 1) * rate.interval
        if too_early > 1e-9:
            wait = max(1, math.ceil(too_early))
            self.ban(key, now + wait)
            return wait
        self._arrival[key] = due + rate.interval
        return 0
