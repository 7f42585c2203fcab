"""Asks the platforms for the figures that they do not tell unasked, a few posts a bell.

News go first: a question takes its place in the page's pace only where none is waiting there, a page that has used
much of its allowance or told us to wait is left alone, and of several replicas one at a time asks about a page. It
does not know what the figures mean.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol, Self, TypedDict

from bot.clock import Clock
from bot.domain.channel import ChannelId
from bot.domain.figures import Stats
from bot.domain.ledger import is_unknown
from bot.errors import (
    AccessLostError,
    DatabaseError,
    GoneError,
    RefusedError,
    ThrottledError,
    UnansweredError,
    UnreachableError,
)
from bot.insights import rhythm
from bot.logs import logger
from bot.store import figures, house, pace
from bot.store.database import Database
from bot.store.figures import Inquiry
from bot.store.pace import Limit

EVERY = timedelta(minutes=1)  # a bell
CALLS = 40  # a page and bell: at most, so that two thirds of its minute are other calls' at any pace

_NEW = 500  # posts found and planned for, a page and bell
_TERM = timedelta(minutes=2)  # of the duty to ask about a page; renewed with each call
_SHORT = timedelta(seconds=2)  # a longer wait in the pace means that the page is busy or banned
_BUSY = 50.0  # percent of the allowance used, from which on questions keep away
_REFUSALS = 3  # posts in a row of which a metric is refused: it does not exist here
# How long a page is asked nothing after what happened.
_AFTER_BUSY = timedelta(minutes=15)
_AFTER_SILENCE = timedelta(minutes=5)
_AFTER_NO_ACCESS = timedelta(hours=1)
_AFTER_NOTHING_TOLD = timedelta(hours=1)
_METRIC_RESTS = timedelta(days=1)
_log = logger("insights")


class Asker(Protocol):
    """A platform that tells figures of one channel's posts."""

    @property
    def metrics(self) -> tuple[str, ...]: ...

    @property
    def usage(self) -> float:
        """Percent of the allowance used."""
        ...

    @property
    def rest_for(self) -> timedelta:
        """How long the platform is to be left alone, by whomever."""
        ...

    async def ask(self, remote_id: str, metric: str) -> dict[str, int]: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """A channel whose figures are asked for, and the limits of pace that it keeps."""

    id: ChannelId
    name: str
    asker: Asker
    limits: tuple[Limit, ...] = ()


class _StopError(Exception):
    """Nothing more is asked about this page in this bell, nor before it has rested.

    `missed` says that the post asked about brought nothing; for `banned` the page may make no call at all.
    """

    def __init__(
        self,
        why: str,
        rests: timedelta = timedelta(0),
        *,
        missed: bool = False,
        banned: timedelta = timedelta(0),
    ) -> None:
        super().__init__(why)
        self.rests = rests
        self.missed = missed
        self.banned = banned


class Insights:
    """The room. `refresh` is its bell; where there is no page there is nothing to ring it for.

    Args:
        holder: this replica's name in leases.
        calls: most calls a page and bell.
    """

    def __init__(
        self, database: Database, clock: Clock, pages: Sequence[Page], *, holder: str, calls: int = CALLS
    ) -> None:
        self._database = database
        self._clock = clock
        self._pages = tuple(pages)
        self._holder = holder
        self._calls = calls
        self._stopping = False
        self._refusals: Counter[tuple[ChannelId, str]] = Counter()
        self._resting: dict[tuple[ChannelId, str], datetime] = {}
        self._drawing = asyncio.Semaphore(1)

    @property
    def asks(self) -> bool:
        """Whether there is anything to ask."""
        return bool(self._pages)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        self._stopping = True

    async def chart(self, stats: Stats, title: str) -> bytes:
        """Return the picture of an account, a PNG for a phone; drawn in a thread, one at a time.

        Args:
            title: whose account it is: a channel's name, or «усі канали».
        """
        async with self._drawing:
            return await asyncio.to_thread(_drawn, stats, title)

    async def refresh(self) -> int:
        """Ask about the posts whose turn has come, all pages side by side; return how many were asked about."""
        return sum(await asyncio.gather(*map(self._refresh, self._pages)))

    async def _refresh(self, page: Page) -> int:
        asked, answers = 0, list[bool]()
        try:
            try:
                for inquiry in await self._due(page):
                    if self._stopping:
                        break
                    asked += 1
                    answers += await self._ask_about(page, inquiry)
                    if page.asker.usage >= _BUSY:
                        raise _StopError(f"{page.asker.usage:g} % of the allowance is used", _AFTER_BUSY)
                if answers and not any(answers):
                    why = "no post's figures are told; Meta wants a hundred likes first"
                    raise _StopError(why, _AFTER_NOTHING_TOLD)
            except _StopError as stop:
                await self._rest(page, stop)
        except DatabaseError as error:
            _log.error("figures are not refreshed: the database does not answer", channel=page.name, why=str(error))
        return asked

    async def _due(self, page: Page) -> list[Inquiry]:
        """Return the posts to ask about in this bell; none where another replica asks, or the page rests."""
        async with self._database.write() as tx:
            now = await self._database.now(tx)
            if not await house.take_lease(tx, _duty(page), self._holder, now, _TERM):
                return []
            rests_until = await house.fact(tx, _duty(page))
            if rests_until is not None and rests_until > now:
                return []
            new = await figures.unasked(tx, page.id, now - rhythm.LASTS, _NEW)
            await figures.plan_inquiries(tx, page.id, [(one, at + rhythm.FIRST) for one, at in new])
            return await figures.due(tx, page.id, now, max(1, self._calls // len(page.asker.metrics)))

    async def _ask_about(self, page: Page, inquiry: Inquiry) -> list[bool]:
        """Ask one metric after the other and keep what they tell; return of each answer whether it told anything."""
        told: dict[str, int] = {}
        answers: list[bool] = []
        stop: _StopError | None = None
        missed, ended = False, ""
        try:
            if inquiry.withdrawn_at is not None or is_unknown(inquiry.remote_id):
                ended = "withdrawn" if inquiry.withdrawn_at is not None else "its id is not known"
            else:
                for metric in self._awake(page):
                    found = await self._ask(page, inquiry.remote_id, metric)
                    answers.append(bool(found))
                    told |= found
        except GoneError:
            missed = True
            ended = "gone" if inquiry.misses + 1 >= rhythm.MOST_MISSES else ""
        except _StopError as error:
            stop, missed = error, error.missed
        async with self._database.write() as tx:
            now = await self._database.now(tx)
            if told:
                await figures.keep(tx, inquiry.delivery_id, told, now, published_at=inquiry.published_at)
            if stop is None or missed:
                misses = inquiry.misses + 1 if missed else 0
                await figures.ask_next(tx, inquiry.delivery_id, **_next(inquiry, now, misses, ended))
        if stop is not None:
            raise stop
        return answers

    async def _ask(self, page: Page, remote_id: str, metric: str) -> dict[str, int]:
        """Make one call in the page's pace.

        Raises:
            GoneError: the post is not there.
            _StopError: nothing more is to be asked about the page.
        """
        await self._wait_for_place(page)
        try:
            found = await page.asker.ask(remote_id, metric)
        except GoneError:
            raise
        except RefusedError as error:
            self._note_refusal(page, metric, error)
            return {}
        except ThrottledError as error:
            rests = max(error.retry_after, _AFTER_BUSY)
            raise _StopError(str(error), rests, banned=error.retry_after) from error
        except AccessLostError as error:
            raise _StopError(f"no access to figures (`read_insights`?): {error}", _AFTER_NO_ACCESS) from error
        except (UnansweredError, UnreachableError) as error:
            raise _StopError(str(error), _AFTER_SILENCE, missed=True) from error
        self._refusals.pop((page.id, metric), None)
        return found

    async def _wait_for_place(self, page: Page) -> None:
        if page.asker.rest_for:
            raise _StopError("the page rests")
        async with self._database.write() as tx:
            now = await self._database.now(tx)
            if not await house.take_lease(tx, _duty(page), self._holder, now, _TERM):
                raise _StopError("another replica asks")
            if await pace.earliest(tx, page.limits, now, locked=True) > now + _SHORT:
                raise _StopError("the page is busy or banned")
            go_at = await pace.reserve(tx, page.limits, now)
        await asyncio.sleep(max(0.0, (go_at - now).total_seconds()))

    async def _rest(self, page: Page, stop: _StopError) -> None:
        if not stop.rests:
            return
        async with self._database.write() as tx:
            now = await self._database.now(tx)
            await house.keep_fact(tx, _duty(page), now + stop.rests, str(stop)[:500])
            if stop.banned:
                await pace.ban(tx, page.limits, now + stop.banned)
        minutes = round(stop.rests / timedelta(minutes=1))
        _log.warning("figures are left alone for a while", channel=page.name, minutes=minutes, why=str(stop))

    def _awake(self, page: Page) -> list[str]:
        now = self._clock.now()
        return [metric for metric in page.asker.metrics if self._resting.get((page.id, metric), now) <= now]

    def _note_refusal(self, page: Page, metric: str, error: RefusedError) -> None:
        """Leave a metric out for a day that is refused of every post: it does not exist (any more)."""
        key = page.id, metric
        self._refusals[key] += 1
        if self._refusals[key] >= _REFUSALS:
            del self._refusals[key]
            self._resting[key] = self._clock.now() + _METRIC_RESTS
            _log.warning("a metric is refused and left out for a day", channel=page.name, metric=metric, why=str(error))


class _Next(TypedDict):
    next_at: datetime | None
    misses: int
    ended: str


def _next(inquiry: Inquiry, now: datetime, misses: int, ended: str) -> _Next:
    if ended:
        return _Next(next_at=None, misses=misses, ended=ended)
    regular = rhythm.next_question(inquiry.published_at, now)
    if regular is None:
        return _Next(next_at=None, misses=misses, ended="old")
    return _Next(next_at=max(regular, rhythm.after_miss(now, misses)) if misses else regular, misses=misses, ended="")


def _duty(page: Page) -> str:
    return f"insights {page.id}"


def _drawn(stats: Stats, title: str) -> bytes:
    from bot.insights.chart import draw  # the library of pictures weighs, and most starts never draw

    return draw(stats, title)
