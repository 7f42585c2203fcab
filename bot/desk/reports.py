"""What the desk is told of without being asked to decide: posts that grew too old, and what the day came to.

A report is a notice like any other: its row is kept when it is due, so that it is told once, and after quiet hours.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo

from sqlalchemy.ext.asyncio import AsyncConnection

from bot.agenda.wording import counted, posts
from bot.compose.markup import cut, escape, one_line
from bot.desk import texts
from bot.domain.channel import Channel, ChannelId
from bot.domain.editor import Editor, Role
from bot.domain.timetable import Timetable
from bot.store import house, insights, reports
from bot.store import notices as rows
from bot.store.notices import EXPIRED, SUMMARY, Notice

_GATHERS = timedelta(minutes=5)  # expired posts are told together
_SETTLES = timedelta(seconds=30)  # what was decided by now is in the store by then
_TOO_LATE = timedelta(hours=12)  # for the account of a day
_MOST_TITLES = 3
_BEST = 3
_LONGEST_TITLE = 80
_EXPIRED_UP_TO = "expired told"  # facts of the house: up to when this was told
_SUMMARY_UP_TO = "summary told"


class Reports:
    """Knows when a report is due, and what it says.

    Args:
        served: the channels by id.
        summary_at: when the day's account is told, by the clock of `zone`.
    """

    def __init__(self, served: Mapping[ChannelId, Channel], *, summary_at: time, zone: ZoneInfo) -> None:
        self._served = served
        self._summary_at = summary_at
        self._zone = zone

    async def note(self, tx: AsyncConnection, now: datetime) -> None:
        """Keep a row for each report that is due."""
        await self._note_expired(tx, now)
        await self._note_summary(tx, now)

    async def _note_expired(self, tx: AsyncConnection, now: datetime) -> None:
        told, until = await house.fact(tx, _EXPIRED_UP_TO), now - _SETTLES
        if told is None:
            await house.keep_fact(tx, _EXPIRED_UP_TO, now)
            return
        if told >= until:
            return
        first = await reports.first_expired(tx, list(self._served), told, until)
        if first is None and until - told > 2 * _GATHERS:
            await house.keep_fact(tx, _EXPIRED_UP_TO, until)
        elif first is not None and first <= now - _GATHERS:
            await rows.keep_report(tx, EXPIRED, told, until, now)
            await house.keep_fact(tx, _EXPIRED_UP_TO, until)

    async def _note_summary(self, tx: AsyncConnection, now: datetime) -> None:
        due, told = self._moment(now), await house.fact(tx, _SUMMARY_UP_TO)
        if told is not None and due > told and now - due < _TOO_LATE:
            await rows.keep_report(tx, SUMMARY, self._moment(due - timedelta(hours=1)), due, now)
        if told is None or due > told:
            await house.keep_fact(tx, _SUMMARY_UP_TO, due)

    def _moment(self, now: datetime) -> datetime:
        """Return the last time that a day's account was due."""
        timetable = Timetable(zone=self._zone)
        today = timetable.day_of(now)
        at = timetable.moment(today, self._summary_at)
        return at if at <= now else timetable.moment(today - timedelta(days=1), self._summary_at)

    async def text(self, tx: AsyncConnection, told: Sequence[Notice], chief: Editor | None) -> str | None:
        """Return what reports of one kind say to somebody together; None where there is nothing for them.

        Args:
            chief: who is told of the channels that are his or hers; None for the desk's own chat, told of all.
        """
        mine = {
            one: name.name for one, name in self._served.items() if chief is None or chief.may(Role.CHIEF, name.name)
        }
        spans = [rows.span_of(notice) for notice in told]
        since, until = min(span[0] for span in spans), max(span[1] for span in spans)
        if told[0].what == EXPIRED:
            return await self._expired(tx, mine, since, until)
        return await self._summary(tx, mine, *rows.span_of(told[-1]))

    async def _expired(
        self, tx: AsyncConnection, mine: Mapping[ChannelId, str], since: datetime, until: datetime
    ) -> str | None:
        found = await reports.expired(tx, list(mine), since, until, _MOST_TITLES)
        lines = [texts.EXPIRED_HEAD]
        for channel_id, (count, titles) in found.items():
            named = [texts.QUOTED.format(title=_short(title)) for title in titles]
            more = [texts.AND_MORE.format(count=count - len(named))] if count > len(named) else []
            told = ", ".join([*named, *more])
            lines.append(texts.EXPIRED_LINE.format(channel=escape(mine[channel_id]), posts=posts(count), titles=told))
        return "\n".join(lines) if found else None

    async def _summary(
        self, tx: AsyncConnection, mine: Mapping[ChannelId, str], since: datetime, until: datetime
    ) -> str | None:
        if not mine:
            return None
        found = await reports.accounts(tx, list(mine), since, until)
        lines = [texts.SUMMARY_HEAD]
        for channel_id, name in sorted(mine.items(), key=lambda pair: pair[1]):
            account = found[channel_id]
            parts = [posts(account.published) if account.published else texts.NOTHING_OUT]
            parts += [texts.SUMMARY_WAITING.format(count=account.waiting)] if account.waiting else []
            parts += [texts.SUMMARY_EXPIRED.format(count=account.expired)] if account.expired else []
            parts += [texts.SUMMARY_FAILED.format(count=account.failed)] if account.failed else []
            lines.append(f"{escape(name)}: {', '.join(parts)}")
        stats = await insights.stats(tx, list(mine), since, until, self._zone)
        best = [one for one in stats.best if one.reactions][:_BEST]
        if best:
            lines.append(texts.SUMMARY_BEST)
        for one in best:
            title = _short(one.title)
            linked = f'<a href="{escape(one.permalink)}">{title}</a>' if one.permalink else title
            number = counted(one.reactions, *texts.REACTIONS)
            lines.append(texts.SUMMARY_BEST_LINE.format(title=linked, channel=escape(one.channel), reactions=number))
        return "\n".join(lines)


def _short(title: str) -> str:
    return escape(cut(one_line(title), _LONGEST_TITLE)) or texts.NO_TITLE
