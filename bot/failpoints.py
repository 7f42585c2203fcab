"""Named points around each commit and each call, at which a test may kill, freeze, delay or break the process.

Nothing happens at them unless `arm` was called, which only the setting VISTNYK_FAILPOINTS leads to: it is for tests of
crashes, never for an outlet. The points are code, the trouble is chance with a seed, so that a run can be repeated.
"""

from __future__ import annotations

import os
import random
import re
import signal
import time
from dataclasses import dataclass
from enum import StrEnum

POINTS = (
    "intake.before",  # articles are merged and decided upon, not committed
    "intake.after",
    "claim.before",
    "claim.after",
    "prepare.after",  # ready to leave, nobody sees it
    "mark.before",
    "mark.after",
    "call.before",  # the guard has not looked yet
    "call.after",  # the platform has answered
    "record.before",
    "record.after",
    "settle.before",  # an unanswered post has been read back, what follows is not committed
    "settle.after",
    "adopt.before",  # what a channel shows is known, not committed
    "adopt.after",
)


class Trouble(StrEnum):
    """What happens at a point."""

    KILL = "kill"  # as SIGKILL does it: nothing is closed, nothing is said
    STOP = "stop"  # frozen until somebody sends SIGCONT
    SLEEP = "sleep"  # the whole process holds its breath
    RAISE = "raise"  # an error that nobody foresaw


class FailpointError(RuntimeError):
    """What `raise` raises: deliberately none of ours."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Planned:
    trouble: Trouble
    chance: float
    seconds: float


_PLAN = re.compile(r"([a-z]+\.[a-z]+)=(kill|stop|sleep|raise)(?:\((\d+(?:\.\d+)?)\))?(?:@(\d*\.?\d+))?")
_armed: dict[str, list[_Planned]] = {}
_chance = random.Random()  # noqa: S311 - repeatable trouble, no secrets


def arm(plan: str) -> None:
    """Set what happens where; "" disarms all.

    Args:
        plan: like `seed=7; mark.after=kill@0.05; call.before=sleep(1.5)@0.1`: point, trouble, seconds, probability.

    Raises:
        ValueError: a part of the plan is not understood.
    """
    _armed.clear()
    for part in filter(None, (one.strip() for one in plan.split(";"))):
        if part.startswith("seed="):
            _chance.seed(int(part[5:]))
            continue
        found = _PLAN.fullmatch(part)
        if found is None or found[1] not in POINTS:
            raise ValueError(f"{part!r} is not like 'mark.after=kill@0.05'; the points are {', '.join(POINTS)}")
        planned = _Planned(trouble=Trouble(found[2]), seconds=float(found[3] or 0.1), chance=float(found[4] or 1))
        _armed.setdefault(found[1], []).append(planned)


def reach(point: str) -> None:
    """Pass a point; what was planned for it happens here."""
    for planned in _armed.get(point, ()):
        if _chance.random() < planned.chance:
            _meet(point, planned)


def _meet(point: str, planned: _Planned) -> None:
    match planned.trouble:
        case Trouble.KILL:
            os.kill(os.getpid(), signal.SIGKILL)
        case Trouble.STOP:
            os.kill(os.getpid(), signal.SIGSTOP)
        case Trouble.SLEEP:
            time.sleep(planned.seconds)
        case Trouble.RAISE:
            raise FailpointError(f"failpoint {point}")
