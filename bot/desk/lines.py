"""One post of the queue as a message: where it stands, when it goes out, and the buttons that steer it.

Each button carries what its post looked like when it was shown (`seal`): an old button changes nothing, and says who
was quicker. Nothing is remembered of these messages.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from math import ceil
from zoneinfo import ZoneInfo

from sqlalchemy.ext.asyncio import AsyncConnection

from bot.agenda import refusals
from bot.agenda.forecast import coming, slot_of
from bot.agenda.wording import when
from bot.compose.markup import cut, escape, one_line
from bot.desk import answers, texts
from bot.desk.reach import Reach
from bot.desk.voice import Button, Rows
from bot.domain.channel import Channel
from bot.domain.delivery import WAITING, Delivery, DeliveryId, HeldReason, Kind, State, Turn
from bot.domain.editor import Role
from bot.domain.plan import FOREVER, Slot
from bot.domain.timetable import Timetable
from bot.store import calendar, channels, ledger

VERB = "line"
FORESEEN = timedelta(days=8)
LONGEST_TITLE = 120
_MORNING = time(9)
_AT_ONCE = timedelta(minutes=1)
_NOBODY = DeliveryId(2**62)  # stands for one more post at the end of a queue


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """A post of the queue and all that is said of it. `at` is when it goes out; None where nobody can tell."""

    delivery: Delivery
    channel: Channel
    title: str
    at: datetime | None = None
    expires: bool = False
    obstacle: str = ""
    permalink: str | None = None
    may_steer: bool = False

    @property
    def seal(self) -> str:
        return seal_of(self.delivery)

    def press(self, act: str, origin: str = "", told: str = "") -> str:
        """Return the callback data of a button."""
        return ":".join((VERB, act, str(self.delivery.id), self.seal, told, origin))


def seal_of(one: Delivery) -> str:
    """Return a mark of what can be decided about a post: with any step of anybody it changes."""
    seen = (one.state, one.held_reason, one.pinned_at, one.turn_at if one.kind is Kind.EDIT else None)
    return hashlib.sha256(repr(seen).encode()).hexdigest()[:6]


async def read(tx: AsyncConnection, delivery: Delivery, reach: Reach, now: datetime) -> Line:
    """Return a post as it stands now; its channel is one of those in reach."""
    channel = reach.channels[delivery.channel_id]
    named = await calendar.named(tx, [delivery.id])
    slot: Slot | None = None
    obstacle = ""
    if delivery.state is State.PLANNED:
        obstacle = await obstacle_of(tx, delivery, now)
        slot = await coming(tx, channel, delivery, now, until=now + FORESEEN)
    public = await ledger.entry(tx, delivery.target_id or delivery.id)
    return Line(
        delivery=delivery,
        channel=channel,
        title=title_of(named[delivery.id].title),
        at=slot.at if slot is not None else None,
        expires=slot is not None and slot.expires,
        obstacle=obstacle,
        permalink=public.permalink if public is not None else None,
        may_steer=reach.editor.may(Role.EDITOR, channel.name),
    )


async def obstacle_of(tx: AsyncConnection, delivery: Delivery, now: datetime) -> str:
    """Say what keeps all posts of a channel back; "" for nothing."""
    row = await channels.get(tx, delivery.channel_id)
    if row is None:
        return ""
    if row.access_lost_at is not None:
        return answers.KEPT_BY_ACCESS
    if row.stopped_until is not None and row.stopped_until > now:
        return answers.KEPT_BY_STOP
    return answers.KEPT_BY_PAUSE if row.paused_until == FOREVER else ""


def moment(at: datetime, now: datetime, zone: ZoneInfo) -> str:
    """Return a time as people say it: "завтра о 9:00"."""
    return when(at.astimezone(zone), now.astimezone(zone).date())


def until(at: datetime | None, now: datetime, zone: ZoneInfo) -> str:
    """Say up to when something lasts; None and FOREVER: until somebody ends it."""
    if at is None or at == FOREVER:
        return answers.UNTIL_RESUMED
    return answers.UNTIL.format(when=moment(at, now, zone))


def title_of(text: str) -> str:
    """Return a title as lists show it, plain."""
    return cut(one_line(text), LONGEST_TITLE) or texts.NO_TITLE


def shown(line: Line, now: datetime, zone: ZoneInfo) -> str:
    """Return the words of a post's message."""
    one = line.delivery
    kind = answers.KINDS.get(one.kind, "")
    parts = [
        f"<b>{escape(line.title)}</b>",
        answers.LINE_WHERE.format(number=one.id, channel=escape(line.channel.name), kind=f" · {kind}" if kind else ""),
        state_of(line, now, zone),
    ]
    return "\n".join(parts)


def state_of(line: Line, now: datetime, zone: ZoneInfo) -> str:
    """Say where a post stands."""
    one, today = line.delivery, now.astimezone(zone).date()
    if one.state is State.PLANNED and line.obstacle:
        return answers.LINE_KEPT.format(why=line.obstacle) + _pinned(one, today, zone)
    if one.state is State.PLANNED and line.expires:
        return answers.LINE_EXPIRES
    if one.state is State.PLANNED and line.at is not None:
        told = answers.LINE_GOES.format(when=when(line.at.astimezone(zone), today))
        is_late = one.pinned_at is not None and line.at - max(one.pinned_at, now) > _AT_ONCE
        return told + (_pinned(one, today, zone) if is_late else "")
    if one.state is State.PLANNED:
        return answers.LINE_WAITS + _pinned(one, today, zone)
    if one.state is State.HELD and one.held_reason is not HeldReason.EDITOR:
        return answers.LINE_HELD[one.held_reason or HeldReason.NO_EVIDENCE]
    see = texts.SEE.format(link=escape(line.permalink)) if line.permalink and one.state is State.PUBLISHED else ""
    return f"{answers.STATE_MARKS[one.state]} {refusals.STATES[one.state].capitalize()}.{see}"


def _pinned(one: Delivery, today: date, zone: ZoneInfo) -> str:
    if one.pinned_at is None:
        return ""
    return answers.LINE_PINNED.format(when=when(one.pinned_at.astimezone(zone), today))


def buttons(line: Line, origin: str = "") -> Rows:
    """Return what may be done with a post, and the way back to the list it was opened from.

    Args:
        origin: "channel.page" of that list; "" for none.
    """
    one = line.delivery
    rows: list[Sequence[Button]] = []

    def button(act: str) -> Button:
        return Button(answers.ACTS_ON_LINE[act], line.press(act, origin))

    if line.may_steer and one.state in WAITING and one.held_reason not in (HeldReason.NO_EVIDENCE, HeldReason.ACCESS):
        rows.append([button("now")] + ([button("move")] if one.kind.makes_public else []))
        keep = {State.PLANNED: "hold", State.HELD: "back"}.get(one.state)
        rows.append([*([button(keep)] if keep is not None else []), button("drop")])
    if one.state not in (State.CANCELLED, State.EXPIRED):
        rows.append([button("look")])
    return [*rows, *way_back(origin)]


def opens(delivery: Delivery) -> Button:
    """Return the button that shows a post's message anew, below what it stands under."""
    return Button(answers.STEER, f"{VERB}:open:{delivery.id}:::")


def way_back(origin: str) -> Rows:
    """Return the button that leads back to a list."""
    channel, _, page = origin.partition(".")
    return [[Button(answers.TO_QUEUE, f"queue:{channel}:{page}")]] if origin else []


async def times(tx: AsyncConnection, line: Line, now: datetime, zone: ZoneInfo, origin: str = "") -> Rows:
    """Return the times that a post may be moved to, each with all that its press needs."""
    one, today = line.delivery, now.astimezone(zone).date()
    tomorrow = Timetable(zone=zone).moment(today + timedelta(days=1), _MORNING)
    last = Delivery(
        id=_NOBODY,
        kind=Kind.PUBLISH,
        channel_id=one.channel_id,
        article_id=None,
        revision=1,
        state=State.PROPOSED,
        turn=Turn.ORDINARY,
        turn_at=now,
    )
    free = await slot_of(tx, line.channel, last, now)
    rows = [
        [
            Button(texts.IN_QUARTER, line.press("at", origin, "15m")),
            Button(texts.IN_HOUR, line.press("at", origin, "60m")),
        ]
    ]
    if free is not None and free - now > _AT_ONCE:  # what is free now has its own button
        label = answers.FREE_SLOT.format(when=when(free.astimezone(zone), today))
        rows.append([Button(label, line.press("at", origin, str(ceil(free.timestamp()))))])
    rows.append([Button(texts.TOMORROW, line.press("at", origin, str(int(tomorrow.timestamp()))))])
    if one.pinned_at is not None and one.state is State.PLANNED:
        rows.append([Button(answers.TO_ITS_TURN, line.press("at", origin, "turn"))])
    rows.append([Button(texts.BACK, line.press("card", origin))])
    return rows
