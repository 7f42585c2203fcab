"""Knows what waits for a person, has it told, and sees how it ended.

What is told is derived from the store as it stands, by one replica at a time: posts that are held and channels that
lost their access get a row first, then the messages and the alert, then the row says so. Each is therefore told once,
across restarts and replicas; a crash between a message and its row repeats that message, and none is ever lost.
"""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Sequence
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from bot.clock import Clock
from bot.desk.alerts import Alerts
from bot.desk.standing import Phase, Standing, stand
from bot.desk.telling import Teller
from bot.domain.delivery import HeldReason
from bot.logs import scrubbed
from bot.store import causes, house
from bot.store import notices as rows
from bot.store.database import Database
from bot.store.notices import ACCESS, About, Notice

DUTY = "notices"
_TERM = timedelta(seconds=30)
_KEPT = timedelta(days=60)
_SWEEP = timedelta(hours=1)
_ALERTED = frozenset(reason.value for reason in HeldReason) - {HeldReason.EDITOR.value}


class Notices:
    """Looks on a bell.

    Args:
        teller: speaks in Telegram; None where only alerts are sent.
        alerts: None where there is no address for them.
        zone: by whose clock times are told.
        sources: the names of those that are asked.
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
        sources: Collection[str] = (),
    ) -> None:
        self._database = database
        self._clock = clock
        self._teller = teller
        self._alerts = alerts
        self._holder = holder
        self._zone = zone
        self._sources = sources
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
            over = [one for one in standing.notices if standing.phase(one) is Phase.OVER]
            await self._end([one for one in over if one.id not in unalerted], standing)
            if self._teller is not None:
                gone = {notice.id for notice in over}
                left = [one for one in standing.notices if one.id not in gone]
                await self._teller.keep_up(left, standing, self._is_on_duty)
                await self._teller.tell([one for one in left if one.told_at is None], standing, self._is_on_duty)

    def _is_on_duty(self) -> bool:
        return self._clock.running() < self._duty_until

    async def _stand(self) -> Standing | None:
        """Take the duty, keep rows of what is new, and read what is open; None where another has the duty."""
        asked_at = self._clock.running()
        async with self._database.write() as tx:
            now = await self._database.now(tx)
            if not await house.take_lease(tx, DUTY, self._holder, now, _TERM):
                return None
            await causes.find_new(tx, now, self._sources)
            if self._teller is not None:
                await self._teller.reports.note(tx, now)
            if self._swept_at is None or now - self._swept_at > _SWEEP:
                self._swept_at = now
                await rows.forget(tx, now - _KEPT)
        self._duty_until = asked_at + _TERM.total_seconds() * 2 / 3
        async with self._database.read() as tx:
            return await stand(tx, await rows.opened(tx), now)

    async def _alert(self, standing: Standing) -> set[int]:
        """Send the alerts that were not taken yet; return the numbers of those that still wait."""
        if self._alerts is None:
            return set()
        due = [one for one in standing.notices if one.alerted_at is None and one.what in _ALERTED]
        waiting = [one for one in due if one.id in standing.about]
        left = {notice.id for notice in waiting}
        for notice in waiting:
            content = _alert(notice, standing.about[notice.id])
            if self._alerts.rests or not self._is_on_duty() or not await self._alerts.post(content):
                break
            async with self._database.write() as tx:
                await rows.change(tx, [notice.id], alerted_at=await self._database.now(tx))
            left.discard(notice.id)
        return left

    async def _end(self, over: Sequence[Notice], standing: Standing) -> None:
        """Have the messages say how each ended, and close its row; what cannot be said now is said at a later look."""
        said = {notice.id for notice in over}
        if self._teller is not None and over:
            ends = {notice.id: standing.ending(notice, self._zone) for notice in over}
            said = await self._teller.end(over, standing, ends, self._is_on_duty)
        if said:
            async with self._database.write() as tx:
                await rows.change(tx, said, ended_at=await self._database.now(tx))


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
