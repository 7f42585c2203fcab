"""/queue: what goes out when, by the very plan that the worker follows, a page at a time."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from zoneinfo import ZoneInfo

from sqlalchemy.ext.asyncio import AsyncConnection

from bot.agenda import refusals
from bot.agenda.forecast import forecast
from bot.compose.markup import cut, escape
from bot.desk import answers, lines, texts
from bot.desk.arrival import Arrival
from bot.desk.dispatch import Dispatcher
from bot.desk.reach import Reach, reach
from bot.desk.speaking import Speaker, joined
from bot.desk.voice import Button, Rows
from bot.domain.channel import Channel, ChannelId
from bot.domain.delivery import DeliveryId, HeldReason, State
from bot.domain.plan import FOREVER
from bot.errors import DeskError
from bot.store import calendar, channels
from bot.store.database import Database

ON_A_PAGE = 8
_MOST_APART = 100
_MOST_STILL = 12  # channels that are named because they let nothing out
_TITLE = 80
_PAGE = re.compile(r"[0-9]{1,4}")
_CHANNEL = re.compile(r"[0-9]{1,9}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """A line of the queue."""

    delivery: DeliveryId
    channel: str
    state: State
    title: str = ""
    held_reason: HeldReason | None = None
    at: datetime | None = None
    expires: bool = False


class Queue:
    """Shows the queue."""

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
        """Make the command and its buttons known."""
        dispatcher.commands.serve("queue", self._command)
        dispatcher.presses["queue"] = self._press

    async def _command(self, arrival: Arrival, words: str) -> None:
        async with self._database.read() as tx:
            mine = await reach(tx, arrival.person.id, self._served)
            only = mine.named(words) if words.strip() else None
            now = await self._database.now(tx)
            text, rows = await self._page(tx, mine, only, 0, now)
        self._speaker.say(arrival, text, rows)

    async def _press(self, arrival: Arrival, parts: Sequence[str]) -> str:
        """Turn to another page, or look anew."""
        if len(parts) != 2 or not _CHANNEL.fullmatch(parts[0]) or not _PAGE.fullmatch(parts[1]):
            raise DeskError(texts.OLD_BUTTON)
        async with self._database.read() as tx:
            mine = await reach(tx, arrival.person.id, self._served)
            only = ChannelId(int(parts[0])) or None
            if only is not None and only not in mine.channels:
                raise DeskError(texts.OLD_BUTTON)
            now = await self._database.now(tx)
            text, rows = await self._page(tx, mine, only, int(parts[1]), now)
        self._speaker.amend(arrival, text, rows)
        return ""

    async def _page(
        self, tx: AsyncConnection, mine: Reach, only: ChannelId | None, page: int, now: datetime
    ) -> tuple[str, Rows]:
        shown = {one: channel for one, channel in mine.channels.items() if only in (None, one)}
        entries = await waiting(tx, shown, now)
        last = max(0, (len(entries) - 1) // ON_A_PAGE)
        page = min(page, last)
        here = entries[page * ON_A_PAGE : (page + 1) * ON_A_PAGE]
        here = await titled(tx, here)
        place = only or 0
        parts = [answers.QUEUE_HEAD.format(where=f" · {escape(shown[only].name)}" if only is not None else "")]
        parts += await standstills(tx, shown, now, self._zone)
        parts += [self._line(entry, now, alone=len(shown) == 1) for entry in here]
        if not entries:
            parts.append(answers.QUEUE_EMPTY)
        if last:
            first = page * ON_A_PAGE
            parts.append(answers.QUEUE_PAGE.format(first=first + 1, last=first + len(here), count=len(entries)))
        numbers = [
            Button(f"№{entry.delivery}", f"{lines.VERB}:card:{entry.delivery}:::{place}.{page}") for entry in here
        ]
        rows = [numbers[start : start + 4] for start in range(0, len(numbers), 4)]
        turns = [Button("◀", f"queue:{place}:{page - 1}")] if page else []
        turns.append(Button(answers.LOOK_AGAIN, f"queue:{place}:{page}"))
        turns += [Button("▶", f"queue:{place}:{page + 1}")] if page < last else []
        return joined(parts), [*rows, turns]

    def _line(self, entry: Entry, now: datetime, *, alone: bool) -> str:
        where = "" if alone else f" · {escape(entry.channel)}"
        title = escape(cut(entry.title, _TITLE))
        return answers.QUEUE_LINE.format(
            when=told_when(entry, now, self._zone), where=where, number=entry.delivery, title=title
        )


async def waiting(
    tx: AsyncConnection, shown: Mapping[ChannelId, Channel], now: datetime, until: datetime | None = None
) -> list[Entry]:
    """Return what waits in channels: what has a time, earliest first, then what waits for something else.

    Args:
        until: leave out what goes out then or later, and what has no time.
    """
    slots = await forecast(tx, shown, now, until=until or now + lines.FORESEEN)
    found = [
        Entry(
            delivery=slot.head.delivery,
            channel=channel.name,
            state=State.PLANNED,
            at=None if slot.expires else slot.at,
            expires=slot.expires,
        )
        for channel, slot in slots
    ]
    if until is not None:
        return [entry for entry in found if entry.at is not None]
    rows = {row.id: row for row in await channels.everyone(tx)}
    still = [one for one in shown if one in rows and _stands_still(rows[one])]
    apart = await calendar.unsettled(tx, list(shown), _MOST_APART)
    apart += await calendar.stranded(tx, still, _MOST_APART) if still else []
    known = {entry.delivery for entry in found}
    return found + [
        Entry(
            delivery=line.delivery, channel=shown[line.channel_id].name, state=line.state, held_reason=line.held_reason
        )
        for line in apart
        if line.delivery not in known
    ]


async def standstills(
    tx: AsyncConnection, shown: Mapping[ChannelId, Channel], now: datetime, zone: ZoneInfo
) -> list[str]:
    """Return a line for the stop of everything, and one for each channel that lets nothing out."""
    rows = {row.id: row for row in await channels.everyone(tx) if row.id in shown}
    if any(row.stopped_until is not None and row.stopped_until > now for row in rows.values()):
        return [answers.ALL_STOPPED]
    told = []
    for one, channel in shown.items():
        row, name = rows.get(one), escape(channel.name)
        if row is None:
            continue
        if row.access_lost_at is not None:
            told.append(answers.STANDS_ACCESS.format(channel=name))
        elif row.paused_until is not None and row.paused_until > now:
            until = lines.until(row.paused_until, now, zone)
            told.append(answers.STANDS_PAUSED.format(channel=name, until=until))
    more = [texts.LIST_MORE.format(count=len(told) - _MOST_STILL)] if len(told) > _MOST_STILL else []
    return [*told[:_MOST_STILL], *more]


async def titled(tx: AsyncConnection, entries: Sequence[Entry]) -> list[Entry]:
    """Return the same lines with their titles."""
    named = await calendar.named(tx, [entry.delivery for entry in entries])
    return [
        replace(entry, title=lines.title_of(named[entry.delivery].title if entry.delivery in named else ""))
        for entry in entries
    ]


def told_when(entry: Entry, now: datetime, zone: ZoneInfo) -> str:
    """Say in a few words when a line of the queue goes out, or what it waits for."""
    if entry.at is not None:
        return lines.moment(entry.at, now, zone)
    if entry.expires:
        return answers.QUEUE_EXPIRES
    held = answers.QUEUE_HELD.get(entry.held_reason) if entry.held_reason is not None else None
    return held if held is not None and entry.state is State.HELD else refusals.STATES[entry.state]


def _stands_still(row: channels.ChannelRow) -> bool:
    return row.access_lost_at is not None or FOREVER in (row.paused_until, row.stopped_until)
