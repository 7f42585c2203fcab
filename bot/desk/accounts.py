"""/today, /history and /stats: what came out, and what readers made of it."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from functools import partial
from zoneinfo import ZoneInfo

from sqlalchemy.ext.asyncio import AsyncConnection

from bot.agenda.wording import WEEKDAYS, posts, reactions, short_day
from bot.compose.markup import cut, escape, one_line
from bot.desk import answers, lines, queue, texts
from bot.desk.arrival import Arrival
from bot.desk.dispatch import Dispatcher
from bot.desk.reach import Reach, reach
from bot.desk.speaking import Speaker, joined
from bot.desk.voice import Button, Rows
from bot.domain.channel import Channel, ChannelId, Platform
from bot.domain.delivery import DeliveryId
from bot.domain.figures import MOST_DAYS, Counted, Stats
from bot.domain.timetable import Timetable
from bot.errors import DeskError
from bot.store import insights
from bot.store.database import Database
from bot.store.tables import from_micros, micros

_ON_A_PAGE = 8
_TODAY = 12
_TITLE = 80
_DAYS = 7
_SPAN = re.compile(r"([0-9]{1,4})\s*(?:(д|d)\w*|(т|w)\w*|(м|m)\w*)", re.IGNORECASE)
_WORDED = {"день": 1, "сьогодні": 1, "тиждень": 7, "місяць": 30, "рік": 365}
_NUMBER = re.compile(r"[0-9]{1,18}")


class Accounts:
    """Tells what came out."""

    def __init__(
        self,
        database: Database,
        served: Mapping[ChannelId, Channel],
        speaker: Speaker,
        zone: ZoneInfo,
    ) -> None:
        self._database = database
        self._served = served
        self._speaker = speaker
        self._zone = zone

    def serve(self, dispatcher: Dispatcher) -> None:
        """Make the commands and the buttons known."""
        dispatcher.commands.serve("today", self._today)
        dispatcher.commands.serve("history", self._history)
        dispatcher.commands.serve("stats", self._stats)
        dispatcher.presses["history"] = self._older

    # --- today ---

    async def _today(self, arrival: Arrival, words: str) -> None:
        async with self._database.read() as tx:
            now = await self._database.now(tx)
            mine = await reach(tx, arrival.person.id, self._served)
            shown = _shown(mine, mine.named(words) if words.strip() else None)
            day = await insights.today(tx, list(shown), now, self._zone, most=_TODAY)
            ends = Timetable(zone=self._zone).day_starts(day.day + timedelta(days=1))
            coming = await queue.waiting(tx, shown, now, until=ends)
            still = await queue.standstills(tx, shown, now, self._zone)
            coming_up = await queue.titled(tx, coming[:_TODAY])
        weekday, date = WEEKDAYS[day.day.weekday()].capitalize(), short_day(day.day)
        parts = [answers.TODAY_HEAD.format(weekday=weekday, date=date), *still]
        parts.append(answers.TODAY_OUT.format(posts=posts(day.published)) if day.published else answers.TODAY_NOTHING)
        parts += [self._post(post, now, alone=len(shown) == 1, clock=True) for post in day.posts]
        if day.published > len(day.posts):
            parts.append(texts.LIST_MORE.format(count=day.published - len(day.posts)))
        ended = [(day.edited, answers.TODAY_EDITED), (day.withdrawn, answers.TODAY_WITHDRAWN)]
        ended += [(day.expired, texts.SUMMARY_EXPIRED), (day.failed, texts.SUMMARY_FAILED)]
        ended += [(day.proposed + day.held, texts.SUMMARY_WAITING)]
        if told := [line.format(count=count) for count, line in ended if count]:
            parts.append(answers.TODAY_ALSO.format(told=", ".join(told)))
        parts.append(answers.TODAY_COMING.format(posts=posts(len(coming))) if coming else answers.TODAY_NO_MORE)
        parts += [
            answers.POST_LINE.format(
                when=entry.at.astimezone(self._zone).strftime("%H:%M") if entry.at else "",
                where="" if len(shown) == 1 else f" · {escape(entry.channel)}",
                title=escape(cut(entry.title, _TITLE)),
                more="",
            )
            for entry in coming_up
        ]
        if len(coming) > _TODAY:
            parts.append(texts.LIST_MORE.format(count=len(coming) - _TODAY))
        self._speaker.say(arrival, joined(parts))

    # --- history ---

    async def _history(self, arrival: Arrival, words: str) -> None:
        async with self._database.read() as tx:
            mine = await reach(tx, arrival.person.id, self._served)
            only = mine.named(words) if words.strip() else None
            text, rows = await self._page(tx, mine, only, None)
        self._speaker.say(arrival, text, rows)

    async def _older(self, arrival: Arrival, parts: Sequence[str]) -> str:
        if len(parts) != 3 or not all(_NUMBER.fullmatch(part) for part in parts):
            raise DeskError(texts.OLD_BUTTON)
        channel, micro, delivery = map(int, parts)
        try:
            before = _after(from_micros(micro), DeliveryId(delivery)) if micro else None
        except OverflowError:
            raise DeskError(texts.OLD_BUTTON) from None
        async with self._database.read() as tx:
            mine = await reach(tx, arrival.person.id, self._served)
            only = ChannelId(channel) or None
            if only is not None and only not in mine.channels:
                raise DeskError(texts.OLD_BUTTON)
            text, rows = await self._page(tx, mine, only, before)
        self._speaker.amend(arrival, text, rows)
        return ""

    async def _page(
        self, tx: AsyncConnection, mine: Reach, only: ChannelId | None, before: Counted | None
    ) -> tuple[str, Rows]:
        shown = _shown(mine, only)
        now = await self._database.now(tx)
        found = await insights.history(tx, list(shown), most=_ON_A_PAGE + 1, before=before)
        where = f" · {escape(shown[only].name)}" if only is not None else ""
        parts = [answers.HISTORY_HEAD.format(where=where)]
        parts += [self._post(post, now, alone=len(shown) == 1) for post in found[:_ON_A_PAGE]]
        if not found:
            parts.append(answers.HISTORY_EMPTY if before is None else answers.HISTORY_END)
        turns = [Button(answers.NEWER, f"history:{only or 0}:0:0")] if before is not None else []
        if len(found) > _ON_A_PAGE:
            last = found[_ON_A_PAGE - 1]
            turns.append(Button(answers.OLDER, f"history:{only or 0}:{micros(last.published_at)}:{last.delivery_id}"))
        return joined(parts), [turns] if turns else []

    def _post(self, post: Counted, now: datetime, *, alone: bool, clock: bool = False) -> str:
        at = post.published_at.astimezone(self._zone)
        title = escape(cut(one_line(post.title), _TITLE)) or texts.NO_TITLE
        if post.permalink and post.withdrawn_at is None:
            title = f'<a href="{escape(post.permalink)}">{title}</a>'
        told = [reactions(post.reactions)] if post.reactions else []
        told += [answers.CLICKED.format(count=post.clicks)] if post.clicks else []
        told += [answers.TAKEN_DOWN] if post.withdrawn_at is not None else []
        return answers.POST_LINE.format(
            when=at.strftime("%H:%M") if clock else lines.moment(post.published_at, now, self._zone),
            where="" if alone else f" · {escape(post.channel)}",
            title=title,
            more=f" ({', '.join(told)})" if told else "",
        )

    # --- stats ---

    async def _stats(self, arrival: Arrival, words: str) -> None:
        """Tell the numbers of some days beside a chart."""
        async with self._database.read() as tx:
            now = await self._database.now(tx)
            mine = await reach(tx, arrival.person.id, self._served)
            only, days = _asked(words, mine)
            today = now.astimezone(self._zone).date()
            since = Timetable(zone=self._zone).day_starts(today - timedelta(days=days - 1))
            stats = await insights.stats(tx, list(_shown(mine, only)), since, now, self._zone)
        name = mine.channels[only].name if only is not None else answers.STATS_ALL
        self._speaker.work(arrival, partial(self._show_stats, arrival.chat, stats, name))

    async def _show_stats(self, chat: int, stats: Stats, name: str) -> None:
        from bot.insights import chart  # Pillow weighs 16 MB: loaded with the first chart

        picture = await asyncio.to_thread(chart.draw, stats, name)
        await self._speaker.voice.show(chat, picture, self._told(stats, name), silent=True)

    def _told(self, stats: Stats, name: str) -> str:
        first, last = (at.astimezone(self._zone).date() for at in (stats.since, stats.until))
        span = short_day(last) if first == last else f"{short_day(first)} – {short_day(last)}"
        parts = [answers.STATS_HEAD.format(channel=escape(name), span=span), posts(stats.posts).capitalize()]
        if stats.posts:
            kinds = ", ".join(f"{escape(name)} {count}" for name, count in list(stats.by_reaction.items())[:6])
            parts.append(reactions(stats.reactions) + (f": {kinds}" if kinds else ""))
        if stats.clicks is not None:
            parts.append(answers.STATS_CLICKS.format(count=stats.clicks))
        if stats.median_minutes is not None:
            parts.append(answers.STATS_SPEED.format(minutes=round(stats.median_minutes)))
        if stats.cut:
            parts.append(answers.STATS_CUT.format(posts=posts(stats.posts)))
        return "\n".join(parts)


def _asked(words: str, mine: Reach) -> tuple[ChannelId | None, int]:
    """Return the channel and the number of days that are asked for: "telegram-main 7d".

    Raises:
        DeskError: there is no such channel, or no such time.
    """
    only, days = None, _DAYS
    said = words.split()
    while said:
        word = said.pop()
        found = _SPAN.fullmatch(word)
        if word.lower() in _WORDED:
            days = _WORDED[word.lower()]
        elif found is not None:
            days = int(found[1]) * (7 if found[3] else 30 if found[4] else 1)
        elif word[0].isdecimal() and mine.find(word) is None:
            raise DeskError(answers.STATS_SPAN)
        else:
            only = mine.named(" ".join([*said, word]))
            break
    if not 1 <= days <= MOST_DAYS:
        raise DeskError(answers.STATS_SPAN)
    return only, days


def _shown(mine: Reach, only: ChannelId | None) -> dict[ChannelId, Channel]:
    return {one: channel for one, channel in mine.channels.items() if only in (None, one)}


def _after(at: datetime, delivery: DeliveryId) -> Counted:
    """Return what stands for the last post of the page before."""
    return Counted(
        delivery_id=delivery, channel="", platform=Platform.TELEGRAM, title="", permalink=None, published_at=at
    )
