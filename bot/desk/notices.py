"""Knows what waits for a person, has it told, and sees how it ended.

What is told is derived from the store as it stands, by one replica at a time: posts that are held and channels that
lost their access get a row first, then the messages and the alert, then the row says so. Each is therefore told once,
across restarts and replicas; a crash between a message and its row repeats that message, and none is ever lost.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy.ext.asyncio import AsyncConnection

from bot.agenda import refusals, steering
from bot.clock import Clock
from bot.desk import texts
from bot.desk.alerts import Alerts
from bot.desk.telling import Teller
from bot.domain.delivery import HeldReason, State
from bot.logs import scrubbed
from bot.store import decisions, house
from bot.store import notices as rows
from bot.store.database import Database
from bot.store.notices import ACCESS, About, Notice

DUTY = "notices"
_TERM = timedelta(seconds=30)
_KEPT = timedelta(days=60)
_SWEEP = timedelta(hours=1)
_SETTLING = frozenset({"pin", "release", "cancel", "agree", "decline", "present", "again"})
_ENDS = {
    State.EXPIRED: texts.EXPIRED,
    State.CANCELLED: texts.CANCELLED,
    State.PUBLISHED: texts.PUBLISHED,
    State.HELD: texts.CLOSED,
    State.FAILED: texts.CLOSED,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class _Standing:
    """What is open, what each notice is about, and the act of an editor that settled it since."""

    now: datetime
    open: list[Notice]
    about: dict[int, About]
    acts: dict[int, dict[str, Any]]


class Notices:
    """Looks on a bell.

    Args:
        teller: speaks in Telegram; None where only alerts are sent.
        alerts: None where there is no address for them.
        zone: by whose clock times are told.
    """

    def __init__(
        self,
        database: Database,
        clock: Clock,
        *,
        teller: Teller | None,
        alerts: Alerts | None,
        holder: str,
        zone: ZoneInfo,
    ) -> None:
        self._database = database
        self._clock = clock
        self._teller = teller
        self._alerts = alerts
        self._holder = holder
        self._zone = zone
        self._looking = asyncio.Lock()
        self._duty_until = 0.0
        self._swept_at: datetime | None = None

    async def look(self) -> None:
        """Find what is new, end what no longer holds, tell and alert; of several replicas one does."""
        if self._looking.locked():
            return
        async with self._looking:
            standing = await self._stand()
            if standing is None:
                return
            unalerted = await self._alert(standing)  # they come first, however late: their rows stay open till then
            over = [one for one in standing.open if not _holds(one, standing)]
            await self._end([one for one in over if one.id not in unalerted], standing)
            if self._teller is not None:
                gone = {notice.id for notice in over}
                new = [one for one in standing.open if one.told_at is None and one.id not in gone]
                await self._teller.tell(new, standing.about, standing.now, self._is_on_duty)

    def _is_on_duty(self) -> bool:
        return self._clock.running() < self._duty_until

    async def _stand(self) -> _Standing | None:
        """Take the duty, keep rows of what is new, and read what is open; None where another has the duty."""
        asked_at = self._clock.running()
        async with self._database.write() as tx:
            now = await self._database.now(tx)
            if not await house.take_lease(tx, DUTY, self._holder, now, _TERM):
                return None
            await rows.find_new(tx, now)
            if self._swept_at is None or now - self._swept_at > _SWEEP:
                self._swept_at = now
                await rows.forget(tx, now - _KEPT)
        self._duty_until = asked_at + _TERM.total_seconds() * 2 / 3
        async with self._database.read() as tx:
            found = await rows.opened(tx)
            about = await rows.about(tx, found)
            return _Standing(now=now, open=found, about=about, acts=await _acts(tx, found))

    async def _alert(self, standing: _Standing) -> set[int]:
        """Send the alerts that were not taken yet; return the numbers of those that still wait."""
        if self._alerts is None:
            return set()
        waiting = [one for one in standing.open if one.alerted_at is None and one.id in standing.about]
        left = {notice.id for notice in waiting}
        for notice in waiting:
            content = _alert(notice, standing.about[notice.id])
            if self._alerts.rests or not self._is_on_duty() or not await self._alerts.post(content):
                break
            async with self._database.write() as tx:
                await rows.change(tx, [notice.id], alerted_at=await self._database.now(tx))
            left.discard(notice.id)
        return left

    async def _end(self, over: Sequence[Notice], standing: _Standing) -> None:
        """Have the messages say how each ended, and close its row; what cannot be said now is said at a later look."""
        said = {notice.id for notice in over}
        if self._teller is not None and over:
            ends = {notice.id: self._how(notice, standing) for notice in over}
            said = await self._teller.end(over, standing.about, ends, self._is_on_duty)
        if said:
            async with self._database.write() as tx:
                await rows.change(tx, said, ended_at=await self._database.now(tx))

    def _how(self, notice: Notice, standing: _Standing) -> str:
        """Say how a notice ended, and by whom."""
        about, act = standing.about.get(notice.id), standing.acts.get(notice.id)
        if act is not None:
            done = refusals.ACTS.get(act["action"], act["action"])
            return texts.BY_EDITOR.format(who=refusals.shown(act["who"]), act=done, time=self._time(act["at"]))
        if notice.what == ACCESS:
            return texts.ACCESS_BACK.format(time=self._time(standing.now))
        if about is None or about.state is None:
            return texts.CLOSED
        if about.state is State.PUBLISHED and notice.what == HeldReason.NO_EVIDENCE:
            return texts.FOUND_PUBLIC
        return _ENDS.get(about.state, texts.PLANNED)

    def _time(self, at: datetime) -> str:
        return at.astimezone(self._zone).strftime("%H:%M")


def _holds(notice: Notice, standing: _Standing) -> bool:
    about = standing.about.get(notice.id)
    if about is None or notice.id in standing.acts:
        return False
    if notice.what == ACCESS:
        return about.access_lost_at is not None and about.access_lost_at <= notice.at
    if about.state is State.HELD:
        return about.held_reason == notice.what
    # A dead link is tried again every few minutes: what is held again for the same is nothing new.
    return notice.what == HeldReason.LINK_DEAD and about.state in (State.PLANNED, State.CLAIMED, State.SENDING)


async def _acts(tx: AsyncConnection, found: Sequence[Notice]) -> dict[int, dict[str, Any]]:
    """Return the newest act by which an editor settled each notice since it was kept."""
    if not found:
        return {}
    by_subject = {steering.subject(one.delivery_id): one for one in found if one.delivery_id is not None}
    since = min(notice.at for notice in found)
    made = await decisions.acts_on(tx, list(by_subject), since)
    return {
        by_subject[act["subject"]].id: act
        for act in made
        if act["action"] in _SETTLING and act["at"] >= by_subject[act["subject"]].at
    }


def _alert(notice: Notice, about: About) -> dict[str, Any]:
    return {
        "what": "access" if notice.what == ACCESS else "held",
        "channel": about.channel,
        "platform": about.platform.value,
        "article_url": about.article_url,
        "title": about.title or None,
        "held_reason": notice.what,
        "detail": scrubbed(about.detail),
        "at": notice.at.isoformat(),
    }
