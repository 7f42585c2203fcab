"""How truthfully a platform shows its own posts to those who look."""

from __future__ import annotations

import random
from dataclasses import dataclass, field, replace


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadBack:
    """What is wrong with the public preview or the list of posts.

    `lag`: seconds until a post shows. `omit`: probability that a look misses a given post. `stale_after`: the time
    (Unix seconds) at which the page froze, `stale_until` when it comes alive again; None: it does not by itself.
    `broken`: the page is not what it should be. `redirect`: it leads elsewhere.
    """

    lag: float = 0.0
    omit: float = 0.0
    stale_after: float | None = None
    stale_until: float | None = None
    broken: bool = False
    redirect: bool = False
    seed: int = 0
    chance: random.Random = field(default_factory=lambda: random.Random(0), repr=False, compare=False)  # noqa: S311

    def __post_init__(self) -> None:
        self.chance.seed(self.seed)

    def with_lag(self, seconds: float) -> ReadBack:
        return replace(self, lag=seconds, chance=random.Random(0))  # noqa: S311 - repeatable, no secrets

    def shows(self, created_at: float, now: float) -> bool:
        """Say whether a look at `now` shows what was created then."""
        return self.knows(created_at, now) and not (self.omit and self.chance.random() < self.omit)

    def knows(self, happened_at: float, now: float) -> bool:
        """Say whether what happened then has come as far as the page."""
        if self.stale_after is not None and (self.stale_until is None or now < self.stale_until):
            now = min(now, self.stale_after)
        return happened_at + self.lag <= now
