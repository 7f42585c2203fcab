"""Trouble on purpose: what can go wrong between a client and a platform.

A mishap is a value. Those that need no number are constants (`published_but_silent`), the others are made by a
function (`throttle(3)`). `Script` keeps which mishap meets which call; `bot.sandbox.wire` acts it out.

What became public is the ground truth of the sandbox, so each mishap says on which side of publishing it falls:
`after` is False where the call was never carried out, True where it was and only its answer went astray.
"""

from __future__ import annotations

import random
from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum


class Fault(Enum):
    """What the client gets to see instead of the true answer."""

    REFUSE = "an error in the platform's own form"
    RESET = "the connection is reset"
    SILENCE = "nothing, until the client gives up"
    HTML = "a 502 page of some proxy"
    ERROR = "500 in the platform's own form"
    EMPTY = "404 with an empty body"
    HALF = "the first half of the answer, then the end"
    LATE = "the true answer, late"


@dataclass(frozen=True, slots=True, kw_only=True)
class Mishap:
    """One thing that goes wrong. `code`, `subcode`, `description`, `retry_after` matter for REFUSE only."""

    name: str
    fault: Fault
    after: bool = False
    seconds: float = 0.0
    status: int = 0
    code: int = 0
    subcode: int = 0
    description: str = ""
    retry_after: int = 0


def throttle(retry_after: int, code: int = 429) -> Mishap:
    """Refuse the call as too fast; `retry_after` in seconds. On Facebook pass the code wanted (4, 17, 32, 613…)."""
    return Mishap(name="throttle", fault=Fault.REFUSE, code=code, retry_after=retry_after)


def refuse(code: int, description: str, *, subcode: int = 0, status: int = 0) -> Mishap:
    """Refuse the call: Telegram's `error_code` and `description`, or Facebook's `code`, message and `error_subcode`.

    `status` is the HTTP status where it is not the usual one of that code.
    """
    return Mishap(name="refuse", fault=Fault.REFUSE, code=code, description=description, subcode=subcode, status=status)


def slow(seconds: float) -> Mishap:
    """Carry the call out after a wait and answer truthfully."""
    return Mishap(name="slow", fault=Fault.LATE, seconds=seconds)


def slow_answer(seconds: float) -> Mishap:
    """Carry the call out at once and answer truthfully after a wait."""
    return Mishap(name="slow_answer", fault=Fault.LATE, after=True, seconds=seconds)


drop_before = Mishap(name="drop_before", fault=Fault.RESET)
hang = Mishap(name="hang", fault=Fault.SILENCE)
html_502 = Mishap(name="html_502", fault=Fault.HTML)
empty_404 = Mishap(name="empty_404", fault=Fault.EMPTY)
error_before_publishing = Mishap(name="error_before_publishing", fault=Fault.ERROR)

published_but_silent = Mishap(name="published_but_silent", fault=Fault.SILENCE, after=True)
reset_after_publishing = Mishap(name="reset_after_publishing", fault=Fault.RESET, after=True)
error_after_publishing = Mishap(name="error_after_publishing", fault=Fault.ERROR, after=True)
html_502_after_publishing = Mishap(name="html_502_after_publishing", fault=Fault.HTML, after=True)
empty_404_after_publishing = Mishap(name="empty_404_after_publishing", fault=Fault.EMPTY, after=True)
half_an_answer = Mishap(name="half_an_answer", fault=Fault.HALF, after=True)

CONSTANTS: Mapping[str, Mishap] = {
    mishap.name: mishap
    for mishap in (
        drop_before,
        hang,
        html_502,
        empty_404,
        error_before_publishing,
        published_but_silent,
        reset_after_publishing,
        error_after_publishing,
        html_502_after_publishing,
        empty_404_after_publishing,
        half_an_answer,
    )
}


def named(name: str, **numbers: object) -> Mishap:
    """Return the mishap of this name, made with `numbers` where it takes any.

    Raises:
        ValueError: no such mishap, or its numbers are missing or wrong.
    """
    if name in CONSTANTS and not numbers:
        return CONSTANTS[name]
    makers = {"throttle": throttle, "refuse": refuse, "slow": slow, "slow_answer": slow_answer}
    if name not in makers:
        raise ValueError(f"no mishap {name!r} with {sorted(numbers)}; known: {sorted({*CONSTANTS, *makers})}")
    try:
        made: Mishap = makers[name](**numbers)  # type: ignore[operator]
    except TypeError as error:
        raise ValueError(f"mishap {name!r}: {error}") from error
    return made


@dataclass(slots=True)
class _Planned:
    method: str
    mishap: Mishap
    left: int
    chat: str | None


class Script:
    """Which mishap meets which call of one platform. First planned, first met; then chance, if `trouble` was asked."""

    def __init__(self) -> None:
        self._planned: list[_Planned] = []
        self._chance: random.Random | None = None
        self._rates: list[tuple[Mishap, float]] = []
        self._only: frozenset[str] = frozenset()

    def next(self, method: str, mishap: Mishap, count: int = 1, chat: str | None = None) -> None:
        """Let the next `count` calls of `method` ("*" for any), of one chat or of all, meet `mishap`."""
        self._planned.append(_Planned(method, mishap, count, chat))

    def trouble(self, seed: int, rates: Mapping[str | Mishap, float], only: frozenset[str]) -> None:
        """Let each call of the methods in `only` meet a mishap by chance: `rates` are probabilities, summing to ≤ 1."""
        chosen = [(named(key) if isinstance(key, str) else key, share) for key, share in rates.items()]
        if sum(share for _, share in chosen) > 1:
            raise ValueError(f"probabilities sum to more than 1: {rates}")
        self._chance = random.Random(seed)  # noqa: S311 - repeatable trouble, no secrets
        self._rates, self._only = chosen, only

    def clear(self) -> None:
        """Forget every planned mishap and all chance."""
        self._planned.clear()
        self._chance, self._rates = None, []

    def drops_unread(self, method: str) -> bool:
        """Say whether the next call of `method` is to be reset before its body is read, and count it if so."""
        for plan in self._planned:
            if plan.method in (method, "*") and plan.chat is None:
                if plan.mishap is not drop_before:
                    return False
                self._spend(plan)
                return True
        return False

    def take(self, method: str, chats: tuple[str, ...] = ()) -> Mishap | None:
        """Return what the call at hand meets. `chats` are all names of its chat: "@name", "-100…"."""
        for plan in self._planned:
            if plan.method in (method, "*") and (plan.chat is None or plan.chat in chats):
                self._spend(plan)
                return plan.mishap
        if self._chance is not None and method in self._only:
            point = self._chance.random()
            for mishap, share in self._rates:
                if point < share:
                    return mishap
                point -= share
        return None

    def _spend(self, plan: _Planned) -> None:
        plan.left -= 1
        if plan.left <= 0:
            self._planned.remove(plan)
