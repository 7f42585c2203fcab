"""When a channel's readers welcome a post: windows, blackouts, gaps and caps, in the outlet's own zone.

The only place where local time is reckoned. Windows and blackouts are wall-clock times: on a night when the clocks
change, a window opens and closes when the wall clock says so, however long the hour in between is.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum
from zoneinfo import ZoneInfo

_DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_DAILY = re.compile(r"(?:(?P<days>[A-Za-z,\s-]+?)\s+)?(?P<from>\d{1,2}:\d\d)\s*-\s*(?P<to>\d{1,2}:\d\d)")
_HORIZON_DAYS = 15  # a weekly window is met within 8 days; twice that covers blackouts that swallow one


class CatchUp(StrEnum):
    """What becomes of a backlog after an outage."""

    LATEST = "latest"
    ALL = "all"
    DIGEST = "digest"


@dataclass(frozen=True, slots=True)
class Daily:
    """A span of each given weekday's wall clock; one that ends at or before its start crosses midnight.

    `days` are weekdays on which it starts, Monday 0.
    """

    start: time
    end: time
    days: frozenset[int] = frozenset(range(7))

    @classmethod
    def parse(cls, text: str) -> Daily:
        """Read "07:00-23:00", "Mon-Fri 07:00-23:00" or "Sat,Sun 22:00-02:00"; "24:00" is midnight.

        Raises:
            ValueError: the text is none of these.
        """
        found = _DAILY.fullmatch(text.strip())
        if not found:
            raise ValueError(f"{text!r} is not like '07:00-23:00' or 'Mon-Fri 07:00-23:00'")
        return cls(_clock(found["from"]), _clock(found["to"]), _days(found["days"]))

    def span_on(self, day: date, zone: ZoneInfo) -> tuple[datetime, datetime] | None:
        """Return (opens, closes) in UTC of the span that starts on a local day, None where none does."""
        if day.weekday() not in self.days:
            return None
        closing = day if self.end > self.start else day + timedelta(days=1)
        opens, closes = _utc(day, self.start, zone), _utc(closing, self.end, zone)
        return (opens, closes) if opens < closes else None  # the hour that spring skips holds no span

    def ends_after(self, at: datetime, zone: ZoneInfo) -> datetime | None:
        """Return when the span that covers `at` ends, None where it lies outside."""
        day = at.astimezone(zone).date()
        for start in (day - timedelta(days=1), day):
            span = self.span_on(start, zone)
            if span and span[0] <= at < span[1]:
                return span[1]
        return None

    def covers(self, at: datetime, zone: ZoneInfo) -> bool:
        """Say whether `at` lies in the span."""
        return self.ends_after(at, zone) is not None


@dataclass(frozen=True, slots=True, kw_only=True)
class Timetable:
    """When posts may go out. No windows means always."""

    zone: ZoneInfo
    windows: tuple[Daily, ...] = ()
    blackouts: tuple[Daily, ...] = ()
    min_gap: timedelta = timedelta(minutes=5)
    max_per_day: int = 0
    fresh_for: timedelta = timedelta(hours=12)
    catch_up: CatchUp = CatchUp.LATEST

    def day_of(self, at: datetime) -> date:
        """Return the outlet's calendar day of a moment."""
        return at.astimezone(self.zone).date()

    def day_starts(self, day: date) -> datetime:
        """Return the moment a local day begins, in UTC."""
        return _utc(day, time(0), self.zone)

    def moment(self, day: date, clock: time) -> datetime:
        """Return when the outlet's clocks show that time on that day, in UTC: of a doubled hour the first."""
        return _utc(day, clock, self.zone)

    def opens(self, at: datetime, *, windows: bool = True) -> datetime | None:
        """Return the first moment from `at` on that is outside every blackout and, if asked, inside a window.

        None where there is no such moment within two weeks.
        """
        if not windows or not self.windows:
            return self._past_blackouts(at)
        day = self.day_of(at) - timedelta(days=1)
        for _ in range(_HORIZON_DAYS):
            for opens, closes in sorted(span for daily in self.windows if (span := daily.span_on(day, self.zone))):
                moment = self._past_blackouts(max(at, opens))
                if moment is not None and moment < closes:
                    return moment
            day += timedelta(days=1)
        return None

    def _past_blackouts(self, at: datetime) -> datetime | None:
        for _ in range(_HORIZON_DAYS * max(1, len(self.blackouts))):
            ends = [end for daily in self.blackouts if (end := daily.ends_after(at, self.zone))]
            if not ends:
                return at
            at = max(ends)
        return None


def _utc(day: date, at: time, zone: ZoneInfo) -> datetime:
    """Return a wall-clock moment in UTC: of a doubled hour the first, of a skipped one the moment after the skip."""
    local = datetime.combine(day, at, tzinfo=zone)
    moment = local.astimezone(UTC)
    if moment.astimezone(zone).replace(tzinfo=None) == local.replace(tzinfo=None):
        return moment
    # In the skipped hour the offset before the skip (fold=0) points past it; step back to the skip itself.
    before, after = local.replace(fold=0).utcoffset(), local.replace(fold=1).utcoffset()
    skipped = abs((after or before or timedelta()) - (before or timedelta()))
    low, high = moment - skipped, moment
    while high - low > timedelta(seconds=1):
        middle = low + (high - low) / 2
        if middle.astimezone(zone).utcoffset() == before:
            low = middle
        else:
            high = middle
    return high.replace(microsecond=0)


def _clock(text: str) -> time:
    hour, minute = (int(part) for part in text.split(":"))
    if (hour, minute) == (24, 0):
        return time(0)
    return time(hour, minute)


def _days(text: str | None) -> frozenset[int]:
    if text is None:
        return frozenset(range(7))
    days: set[int] = set()
    for part in text.lower().replace(" ", "").split(","):
        first, _, last = part.partition("-")
        if first not in _DAYS or (last and last not in _DAYS):
            raise ValueError(f"{text!r} is not like 'Mon-Fri' or 'Sat,Sun'")
        start, end = _DAYS.index(first), _DAYS.index(last or first)
        days |= {day % 7 for day in range(start, (end if end >= start else end + 7) + 1)}
    return frozenset(days)
