"""What the calendar shows of a day or a week, as plain values for templates. Pure: reads no clock and no database."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from itertools import groupby
from zoneinfo import ZoneInfo

from bot.domain.channel import Channel, ChannelId, Platform
from bot.domain.delivery import WAITING, Delivery, DeliveryId, HeldReason, State
from bot.domain.plan import FOREVER, Slot, Status
from bot.domain.timetable import Daily, Timetable
from bot.store.calendar import Line
from bot.web import texts

DAY, WEEK = "day", "week"
_STEP = {DAY: timedelta(minutes=15), WEEK: timedelta(hours=1)}
_FAR = timedelta(days=366)
_COLOURS = 6
_LANES = 4  # channels that have a column of their own on a wide screen

Span = tuple[datetime, datetime]


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """A channel that the editor sees. `may_move` says whether they may set times in it."""

    id: ChannelId
    channel: Channel
    status: Status
    may_move: bool
    lost_access: bool = False
    waiting: int = 0

    @property
    def stands_still(self) -> bool:
        """Whether nothing of it has a time, whatever its timetable says."""
        return self.lost_access or FOREVER in (self.status.paused_until, self.status.stopped_until)


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """Which part of the calendar is looked at; no channel means all."""

    view: str
    day: date
    channel: str | None = None

    @classmethod
    def read(cls, query: Mapping[str, str], today: date) -> Asked:
        """Read an address; what it says wrongly is as if it were not said."""
        try:
            day = date.fromisoformat(query.get("day", ""))
        except ValueError:
            day = today
        if abs(day - today) > _FAR:
            day = today
        view = WEEK if query.get("view") == WEEK else DAY
        return cls(view=view, day=day, channel=query.get("channel") or None)

    @property
    def first(self) -> date:
        """The first day shown."""
        return self.day - timedelta(days=self.day.weekday()) if self.view == WEEK else self.day

    @property
    def count(self) -> int:
        """How many days are shown."""
        return 7 if self.view == WEEK else 1

    def span(self, timetable: Timetable) -> Span:
        """Return when what is shown begins and ends."""
        return timetable.day_starts(self.first), timetable.day_starts(self.first + timedelta(days=self.count))

    def turned(self, steps: int) -> Asked:
        """Return the days before or after."""
        return replace(self, day=self.day + steps * timedelta(days=self.count))


@dataclass(frozen=True, slots=True, kw_only=True)
class Card:
    """A post in the calendar. `at` is None where it has no time yet; `notes` say what is special about it."""

    delivery: DeliveryId
    channel: str
    platform: Platform
    colour: int
    lane: int
    title: str
    at: datetime | None
    state: State
    movable: bool
    pinned: bool = False
    notes: tuple[str, ...] = ()
    reactions: int | None = None

    @property
    def clock(self) -> str:
        return self.at.strftime("%H:%M") if self.at else ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """A stretch of time that a post can be dropped at. `at` is what is sent then; `marks` are CSS classes."""

    at: datetime
    starts: datetime
    marks: tuple[str, ...] = ()
    note: str = ""
    cards: tuple[Card, ...] = ()

    @property
    def label(self) -> str:
        return self.at.strftime("%H:%M")


@dataclass(frozen=True, slots=True, kw_only=True)
class Hour:
    label: str
    places: tuple[Place, ...]

    @property
    def is_low(self) -> bool:
        """Whether nobody waits for anything in it: shown lower than others."""
        return all({"closed", "past"} & {*place.marks} and not place.cards for place in self.places)


@dataclass(frozen=True, slots=True, kw_only=True)
class Day:
    date: date
    hours: tuple[Hour, ...]
    is_today: bool

    @property
    def is_empty(self) -> bool:
        return not any(place.cards for hour in self.hours for place in hour.places)

    @property
    def name(self) -> str:
        return texts.day_name(self.date)


@dataclass(frozen=True, slots=True, kw_only=True)
class View:
    """One look at the calendar."""

    asked: Asked
    today: date
    now: datetime
    days: tuple[Day, ...]
    tray: tuple[Card, ...]  # what has no time
    banners: tuple[str, ...]
    more: bool = False  # there is more than is shown
    lanes: int = 1  # channels side by side, where there is room
    rows: tuple[tuple[str, tuple[Place | None, ...]], ...] = field(default=())  # a week by hours


def view(
    asked: Asked,
    now: datetime,
    zone: ZoneInfo,
    shown: Sequence[Shown],
    colours: Mapping[str, int],
    slots: Iterable[tuple[Channel, Slot]],
    lines: Mapping[DeliveryId, Line],
    apart: Iterable[Line],
    published: Iterable[Line],
    reactions: Mapping[DeliveryId, Mapping[str, int]],
    *,
    more: bool,
) -> View:
    """Lay out what was read.

    Args:
        slots: what goes out within the days that are asked for; `lines` names each.
        apart: what waits without a time, or is on its way.
        published: what went out within those days.
    """
    by_id = {one.id: one for one in shown}
    by_name = {one.channel.name: one for one in shown}
    lanes = {name: place for place, name in enumerate(by_name)}

    def card(line: Line, at: datetime | None, notes: Iterable[str] = ()) -> Card:
        one = by_id[line.channel_id]
        marks = [texts.KINDS[line.kind], *notes]
        return Card(
            delivery=line.delivery,
            channel=one.channel.name,
            platform=one.channel.platform,
            colour=colours[one.channel.name],
            lane=lanes[one.channel.name],
            title=line.title or texts.NO_TITLE,
            at=at.astimezone(zone) if at else None,
            state=line.state,
            movable=one.may_move and is_movable(line),
            pinned=line.pinned_at is not None and line.state in WAITING,
            notes=tuple(mark for mark in marks if mark),
            reactions=sum(reactions[line.delivery].values()) if line.delivery in reactions else None,
        )

    cards = [
        card(lines[slot.head.delivery], slot.at, [texts.EXPIRES] if slot.expires else [])
        for channel, slot in slots
        if slot.head.delivery in lines and channel.name in by_name
    ]
    cards += [card(line, line.published_at, [texts.WITHDRAWN] if line.withdrawn_at else []) for line in published]
    tray = []
    for line in apart:
        note = texts.HELD[line.held_reason] if line.held_reason else texts.STATES[line.state]
        if line.state in WAITING:
            tray.append(card(line, None, [note]))
        elif asked.first <= now.astimezone(zone).date() < asked.first + timedelta(days=asked.count):
            cards.append(card(line, now, [note]))
    today = now.astimezone(zone).date()
    days = _days(asked, now, zone, shown, cards)
    return View(
        asked=asked,
        today=today,
        now=now.astimezone(zone),
        days=days,
        tray=tuple(tray),
        banners=tuple(_banners(shown, now, zone)),
        more=more,
        lanes=len(shown) if len(shown) <= _LANES else 0,
        rows=_rows(days) if asked.view == WEEK else (),
    )


def is_movable(waits: Line | Delivery) -> bool:
    """Say whether the time of a delivery is for an editor to choose."""
    settled = waits.held_reason not in (HeldReason.ACCESS, HeldReason.NO_EVIDENCE)
    return waits.kind.makes_public and waits.state in WAITING and settled


def _days(
    asked: Asked, now: datetime, zone: ZoneInfo, shown: Sequence[Shown], cards: Sequence[Card]
) -> tuple[Day, ...]:
    step = _STEP[asked.view]
    timetable = shown[0].channel.timetable if shown else Timetable(zone=zone)
    starts, ends = asked.span(timetable)
    hatches = [_Hatch(one, asked.first, asked.count) for one in shown]
    by_place: dict[datetime, list[Card]] = {}
    for card in sorted(cards, key=lambda one: (one.at or now, one.delivery)):
        if card.at is not None and starts <= card.at < ends:
            by_place.setdefault(starts + (card.at - starts) // step * step, []).append(card)
    days: dict[date, list[Place]] = {}
    at = starts
    while at < ends:
        place = _place(at, step, now, zone, hatches, by_place.get(at, ()))
        days.setdefault(place.starts.date(), []).append(place)
        at += step
    today = now.astimezone(zone).date()
    return tuple(
        Day(
            date=day,
            is_today=day == today,
            hours=tuple(
                Hour(label=label, places=tuple(group))
                # The offset, too: the hour that autumn doubles is shown twice.
                for (label, _), group in groupby(
                    places, key=lambda place: (place.starts.strftime("%H:00"), place.starts.utcoffset())
                )
            ),
        )
        for day, places in days.items()
    )


def _place(
    at: datetime, step: timedelta, now: datetime, zone: ZoneInfo, hatches: Sequence[_Hatch], cards: Sequence[Card]
) -> Place:
    marks, note, drop = [], "", at
    if at + step <= now:
        marks.append("past")
    elif at <= now:
        # What is dropped into the running stretch goes out as soon as its clock shows a whole minute.
        marks.append("now")
        drop = now.replace(second=0, microsecond=0) + timedelta(minutes=1)
    if hatches and all(hatch.is_closed(at) for hatch in hatches):
        marks.append("closed")
    if hatches and all(hatch.is_paused(at, step) for hatch in hatches):
        marks.append("paused")
    quiet = [hatch.quiet_within(at, at + step) for hatch in hatches]
    if quiet and all(quiet):
        first = next(span for span in quiet if span)
        marks += ["quiet"] if first[0] <= at and at + step <= first[1] else ["quiet", "partly"]
        note = "–".join(moment.astimezone(zone).strftime("%H:%M") for moment in first)
    return Place(
        at=drop.astimezone(zone), starts=at.astimezone(zone), marks=tuple(marks), note=note, cards=tuple(cards)
    )


class _Hatch:
    """A channel's windows, blackouts and pause over the days shown, reckoned once."""

    def __init__(self, one: Shown, first: date, count: int) -> None:
        timetable = one.channel.timetable
        self._windows = _spans(timetable, timetable.windows, first, count) if timetable.windows else None
        self._quiet = _spans(timetable, timetable.blackouts, first, count)
        pauses = (one.status.paused_until, one.status.stopped_until)
        self._paused = max((until for until in pauses if until is not None), default=datetime.min.replace(tzinfo=UTC))

    def is_closed(self, at: datetime) -> bool:
        return self._windows is not None and not any(opens <= at < closes for opens, closes in self._windows)

    def is_paused(self, at: datetime, step: timedelta) -> bool:
        return at + step <= self._paused if self._paused != FOREVER else True

    def quiet_within(self, starts: datetime, ends: datetime) -> Span | None:
        return next(((opens, closes) for opens, closes in self._quiet if opens < ends and starts < closes), None)


def _spans(timetable: Timetable, dailies: Iterable[Daily], first: date, count: int) -> list[Span]:
    days = [first + timedelta(days=number) for number in range(-1, count)]
    return [span for daily in dailies for day in days if (span := daily.span_on(day, timetable.zone))]


def _rows(days: Sequence[Day]) -> tuple[tuple[str, tuple[Place | None, ...]], ...]:
    """Return a week by hours of the clock; None where a day lacks one, as on the night when clocks go forward."""
    labels = [f"{hour:02}:00" for hour in range(24)]
    by_day = []
    for day in days:
        places: dict[str, Place] = {}
        for hour in day.hours:
            for place in hour.places:
                # Of an hour that autumn doubles the second is shown with the first.
                first = places.get(hour.label)
                places[hour.label] = replace(first, cards=first.cards + place.cards) if first else place
        by_day.append(places)
    return tuple((label, tuple(places.get(label) for places in by_day)) for label in labels)


def _banners(shown: Sequence[Shown], now: datetime, zone: ZoneInfo) -> Iterable[str]:
    today = now.astimezone(zone).date()

    def until(at: datetime) -> str:
        local = at.astimezone(zone)
        clock = local.strftime("%H:%M")
        return clock if local.date() == today else f"{clock}, {texts.short_day(local.date())}"

    stop = shown[0].status.stopped_until if shown else None
    if stop == FOREVER:
        yield texts.STOP_FOR_GOOD
    elif stop is not None and stop > now:
        yield texts.STOP_UNTIL.format(until=until(stop))
    for one in shown:
        name, pause = one.channel.name, one.status.paused_until
        if one.lost_access:
            yield texts.ACCESS_LOST.format(channel=name)
        if pause == FOREVER:
            yield texts.PAUSE_FOR_GOOD.format(channel=name)
        elif pause is not None and pause > now:
            yield texts.PAUSE_UNTIL.format(channel=name, until=until(pause))


def forbids(one: Shown, at: datetime, now: datetime) -> str | None:
    """Return what even a time set by an editor would have to wait for, None where nothing stands in its way.

    Whether the post itself may have that time is for `agenda.steering` to say.
    """
    name, timetable = one.channel.name, one.channel.timetable
    if at < now:
        return None

    def local(moment: datetime) -> str:
        return texts.when(moment.astimezone(timetable.zone), timetable.day_of(now))

    stop, pause = one.status.stopped_until, one.status.paused_until
    if stop is not None and at < stop:
        return texts.STOPPED_FOR_GOOD if stop == FOREVER else texts.STOPPED.format(until=local(stop))
    if pause == FOREVER:
        return texts.PAUSED_FOR_GOOD.format(channel=name)
    if pause is not None and at < pause:
        return texts.PAUSED.format(channel=name, until=local(pause))
    for opens, closes in _spans(timetable, timetable.blackouts, timetable.day_of(at), 1):
        if opens <= at < closes:
            start, end = (moment.astimezone(timetable.zone).strftime("%H:%M") for moment in (opens, closes))
            return texts.QUIET.format(channel=name, start=start, end=end)
    return None


def colours(names: Iterable[str]) -> dict[str, int]:
    """Return each channel's colour, by its place among all."""
    return {name: number % _COLOURS for number, name in enumerate(names)}
