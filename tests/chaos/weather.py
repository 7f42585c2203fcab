"""The trouble of a cell: what goes wrong with workers, platforms, connections and clocks, by chance with a seed."""

from __future__ import annotations

import asyncio
import contextlib
import random
import time
from collections import Counter
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field
from typing import Any

from bot.failpoints import POINTS
from tests.chaos.crew import Crew
from tests.chaos.platforms import Control
from tests.chaos.shared import StrayClock
from tests.chaos.stores import Store
from tests.chaos.times import Times

Json = dict[str, Any]
_COMMON = {
    "drop_before": 0.01,
    "hang": 0.006,
    "html_502": 0.008,
    "empty_404": 0.006,
    "error_before_publishing": 0.008,
    "published_but_silent": 0.012,
    "reset_after_publishing": 0.015,
    "error_after_publishing": 0.015,
    "html_502_after_publishing": 0.012,
    "empty_404_after_publishing": 0.01,
    "half_an_answer": 0.012,
}
_LATE: list[Json] = [
    {"mishap": "slow", "seconds": 0.2, "chance": 0.02},
    {"mishap": "slow", "seconds": 1.2, "chance": 0.01},
    {"mishap": "slow_answer", "seconds": 0.3, "chance": 0.02},
    {"mishap": "slow_answer", "seconds": 1.0, "chance": 0.008},
]
_REFUSED: dict[str, list[Json]] = {
    "telegram": [{"mishap": "refuse", "code": 400, "description": "message is too long", "chance": 0.002}],
    "facebook": [{"mishap": "refuse", "code": 100, "description": "(#100) Invalid parameter", "chance": 0.002}],
}
_CODES = {"telegram": (429,), "facebook": (4, 17, 32, 341, 613, 80001)}
_TRUE: Json = {"lag": 0.0}


@dataclass(frozen=True, slots=True, kw_only=True)
class Climate:
    """How rough it is: mean seconds between two troubles of a kind; 0: never.

    `mishaps` scales the platforms' own trouble. `lie` lets what is read back be late, incomplete, stale or broken
    for a while.
    """

    kill: float = 1.9
    freeze: float = 14.0
    cut: float = 9.0
    step: float = 9.0
    lie: float = 3.0
    storm: float = 25.0
    mishaps: float = 1.0
    failpoints: float = 0.6  # share of workers that have some armed


def plan_of(chance: random.Random, climate: Climate) -> str:
    """Return failpoints for one worker."""
    if chance.random() >= climate.failpoints:
        return ""
    parts = [f"seed={chance.randrange(1 << 30)}"]
    for _ in range(chance.randint(1, 3)):
        sleep = f"sleep({chance.uniform(0.05, 1.5):.2f})"
        trouble = chance.choices(["kill", "stop", sleep, "raise"], [6, 1, 2, 1])[0]
        often = chance.choice([0.01, 0.04] if trouble == "raise" else [0.03, 0.1, 0.3])
        parts.append(f"{chance.choice(POINTS)}={trouble}@{often}")
    return "; ".join(parts)


@dataclass(slots=True)
class Weather:
    """Makes trouble until it is told to stop."""

    climate: Climate
    chance: random.Random
    crew: Crew
    control: Control
    store: Store
    clock: StrayClock
    times: Times
    met: Counter[str] = field(default_factory=Counter)
    lull: asyncio.Lock = field(default_factory=asyncio.Lock)  # whoever holds it is not disturbed
    _tasks: list[asyncio.Task[None]] = field(default_factory=list)

    async def begin(self) -> None:
        """Let it begin."""
        await self._mishaps(storm=False)
        climate = self.climate
        self._every(climate.kill, self._kill)
        self._every(climate.freeze, self._freeze)
        self._every(climate.cut, self._cut)
        self._every(climate.step, self._step)
        self._every(climate.storm, self._storm)
        self._every(climate.lie, self._lie)

    async def end(self) -> None:
        """Let all be well again: platforms answer, and tell the truth."""
        for task in self._tasks:
            task.cancel()
        for task in self._tasks:
            with contextlib.suppress(asyncio.CancelledError):
                await task
        for platform in ("telegram", "facebook"):
            await self.control.put("trouble", platform=platform, seed=0, rates={})
            await self.control.put("read_back", platform=platform, **_TRUE)

    def _every(self, mean: float, happen: Callable[[], Coroutine[Any, Any, bool | None]]) -> None:
        """Let something happen now and then; what cannot happen yet (False) happens as soon as it can."""
        if not mean:
            return

        async def again_and_again() -> None:
            happened: bool | None = True
            while True:
                pause = self.times.slow * min(self.chance.expovariate(1 / mean), 4 * mean)
                await asyncio.sleep(0.05 if happened is False else pause)
                async with self.lull:
                    happened = await happen()

        self._tasks.append(asyncio.create_task(again_and_again()))

    async def _kill(self) -> bool:
        return self.crew.kill_one()

    async def _freeze(self) -> None:
        if self.crew.freeze_one(self.chance.uniform(self.times.least_frozen, 0.95 * self.times.most_frozen)):
            self.met["freeze"] += 1

    async def _cut(self) -> None:
        cut = await self.store.cut(self.chance)
        self.met["connections cut"] += cut
        if cut:
            self.crew.cut_off(time.time())

    async def _step(self) -> None:
        self.clock.step_to(self.chance.choice([0.0, self.chance.uniform(-40, 40), 3600 * self.chance.uniform(-5, 5)]))
        self.met["clock steps"] += 1

    async def _storm(self) -> None:
        self.met["storms"] += 1
        await self._mishaps(storm=True)
        self._tasks.append(asyncio.create_task(self._pass(self.chance.uniform(2, 4) * self.times.slow)))

    async def _pass(self, seconds: float) -> None:
        await asyncio.sleep(seconds)
        await self._mishaps(storm=False)

    async def _mishaps(self, *, storm: bool) -> None:
        scale = self.climate.mishaps
        for platform in ("telegram", "facebook"):
            rates: list[Json] = [{"mishap": name, "chance": share} for name, share in _COMMON.items()]
            rates += [{**rate, "seconds": rate["seconds"] * self.times.slow} for rate in _LATE]
            rates += [dict(rate) for rate in _REFUSED[platform]]
            codes = _CODES[platform]
            share = 0.4 if storm else 0.015
            rates += [
                {"mishap": "throttle", "code": code, "retry_after": seconds, "chance": share / len(codes) / 3}
                for code in codes
                for seconds in (1, 2, 3)
            ]
            for rate in rates:
                rate["chance"] *= scale
            await self.control.put("trouble", platform=platform, seed=self.chance.randrange(1 << 30), rates=rates)

    async def _lie(self) -> None:
        """Let one platform show its posts late, in part, as they were, or not at all, for a while."""
        platform = self.chance.choice(["telegram", "facebook"])
        now = time.time()
        look: Json = self.chance.choice(
            [
                {"lag": self.chance.uniform(0.1, self.times.stale)},
                {"omit": self.chance.uniform(0.01, 0.1), "seed": self.chance.randrange(1 << 30)},
                {"stale_after": now, "stale_until": now + self.times.stale},
                {"broken": True},
                {"redirect": True},
            ]
        )
        self.met["lies"] += 1
        await self.control.put("read_back", platform=platform, **look)
        self._tasks.append(
            asyncio.create_task(self._be_honest(platform, self.chance.uniform(0.5, 2.0) * self.times.slow))
        )

    async def _be_honest(self, platform: str, after: float) -> None:
        await asyncio.sleep(after)
        await self.control.put("read_back", platform=platform, **_TRUE)
