"""Reads times as people write them, by the outlet's clocks: «18:30», «завтра о 9», «через 20 хв», «пт 10:00»; pure.

A day without an hour is not guessed, nor is a time that has passed moved to another day: both are refused with a line
that says what to write. In the night when the clocks go back a doubled hour means its first turn, the second once the
first is over; when they go forward, a skipped time is the moment after the skip.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from bot.agenda import refusals
from bot.desk import texts
from bot.domain.timetable import Timetable
from bot.errors import DeskError

_LONGEST = 60  # characters; what is longer is no time
FARTHEST = timedelta(days=366)
_HALF_A_YEAR = timedelta(days=183)

_MINUTES = r"(?:хв|мін)[^\W\d]*\.?|m(?:in)?"
_HOURS = r"год[^\W\d]*\.?|г\.?|h"
_DAYS = r"(?:ден|дн|доб|діб)[^\W\d]*|d"
_SPAN = re.compile(
    rf"(?:(?P<days>[0-9]{{1,3}})\s*(?:{_DAYS}))?\s*"
    rf"(?:(?P<hours>[0-9]{{1,4}})\s*(?:{_HOURS}))?\s*"
    rf"(?:(?P<minutes>[0-9]{{1,5}})\s*(?:{_MINUTES}))?"
)
_WORDED: Mapping[str, timedelta] = {
    "хвилину": timedelta(minutes=1),
    "пів години": timedelta(minutes=30),
    "півгодини": timedelta(minutes=30),
    "годину": timedelta(hours=1),
    "півтори години": timedelta(minutes=90),
    "добу": timedelta(days=1),
    "день": timedelta(days=1),
    "тиждень": timedelta(days=7),
}
_CLOCK = r"(?P<lead>(?:об?|на|в|у)\s+)?(?P<hour>[0-9]{1,2})(?:[:.](?P<minute>[0-9]{2}))?(?:\s*год\w*\.?)?"
_DATED = re.compile(rf"(?P<day>\S.*?),?\s+{_CLOCK}")
_DATED_AFTER = re.compile(rf"{_CLOCK},?\s+(?P<day>\S.*)")
_BARE = re.compile(_CLOCK)
_NUMBERED = re.compile(r"(?P<day>[0-9]{1,2})[./](?P<month>[0-9]{1,2})(?:[./](?P<year>(?:20)?[0-9]{2}))?")
_NAMED = re.compile(
    r"(?P<day>[0-9]{1,2})(?:-?г?о)?\s+(?P<month>[^\W\d_]{3,})\.?(?:\s+(?P<year>20[0-9]{2})(?:\s*р\w*\.?)?)?"
)
_MONTHS = "січ лют берез квіт трав черв лип серп верес жовт листоп груд".split()
_WEEKDAY = re.compile(
    r"(?:(?:в|у|на)\s+)?(?:(пн|понеділ\w*)|(вт|вівтор\w*)|(ср|серед\w*)|(чт|четвер\w*)|(пт|пятниц\w*)|(сб|субот\w*)"
    r"|(нд|неділ\w*))\.?"
)
_NEAR: Mapping[str, int] = {"сьогодні": 0, "завтра": 1, "післязавтра": 2, "позавтра": 2}


def read(text: str, now: datetime, zone: ZoneInfo) -> datetime:
    """Return the moment that a text names, in UTC, after `now`.

    Raises:
        DeskError: it names none, one that has passed, or one more than a year ahead.
    """
    said = _plain(text)
    for lead in ("через ", "за "):
        if said.startswith(lead):
            return _checked(_later(said.removeprefix(lead), now, zone), now)
    if _SPAN.fullmatch(said):
        return _checked(_later(said, now, zone), now)
    return _checked(_named(said, now, zone), now)


def until(text: str, now: datetime, zone: ZoneInfo) -> datetime:
    """Return the moment up to which something lasts: «30m», «2 год», «на годину», «до 18:00», «до завтра 9:00».

    Raises:
        DeskError: as `read`.
    """
    said = _plain(text)
    if said.startswith("на ") and _is_span(said[3:]):
        return _checked(_later(said[3:], now, zone), now)
    if said in _WORDED:
        return _checked(_later(said, now, zone), now)
    return read(said.removeprefix("до "), now, zone)


def _plain(text: str) -> str:
    if len(text) > _LONGEST:
        raise DeskError(texts.NO_TIME)
    said = re.sub(r"['’ʼ`´\u02bc]", "", text.lower())
    return " ".join(said.split()).strip(' .,;«»"“”')


def _is_span(said: str) -> bool:
    return said in _WORDED or bool(said and _SPAN.fullmatch(said))


def _later(said: str, now: datetime, zone: ZoneInfo) -> datetime:
    """Return the moment after a span; whole days keep the hour of the clocks."""
    found = _SPAN.fullmatch(said)
    if said in _WORDED:
        span = _WORDED[said]
    elif found is not None and said:
        days, hours, minutes = (int(found[name] or 0) for name in ("days", "hours", "minutes"))
        span = timedelta(days=days, hours=hours, minutes=minutes)
    else:
        raise DeskError(texts.NO_TIME)
    if not span:
        raise DeskError(refusals.PAST)
    if span > FARTHEST:
        raise DeskError(refusals.TOO_FAR)
    if span % timedelta(days=1):
        return now + span
    local = now.astimezone(zone)
    at = Timetable(zone=zone).moment(local.date() + span, local.time())
    return at if at > now else now + span


def _named(said: str, now: datetime, zone: ZoneInfo) -> datetime:
    """Return the moment that a day and an hour name, or an hour of today."""
    found = _BARE.fullmatch(said)
    if found is not None and (found["minute"] or found["lead"]):
        at = _moment(now.astimezone(zone).date(), _clock(found), now, zone)
        if at <= now:
            raise DeskError(texts.PAST_TODAY.format(time=_clock(found).strftime("%H:%M")))
        return at
    for form in (_DATED, _DATED_AFTER):
        found = form.fullmatch(said)
        day = _day(found["day"], now, zone) if found is not None else None
        if found is not None and day is not None:
            return day(_clock(found))
    if _day(said, now, zone) is not None:
        raise DeskError(texts.NO_CLOCK.format(day=said))
    raise DeskError(texts.NO_TIME)


def _day(said: str, now: datetime, zone: ZoneInfo) -> Callable[[time], datetime] | None:
    """Return what makes a moment of an hour on the day that is named; None where none is."""
    today = now.astimezone(zone).date()

    def of(day: date) -> Callable[[time], datetime]:
        return lambda clock: _moment(day, clock, now, zone)

    if said in _NEAR:
        return of(today + timedelta(days=_NEAR[said]))
    if (found := _WEEKDAY.fullmatch(said)) is not None:
        weekday = next(number for number, name in enumerate(found.groups()) if name)
        first = today + timedelta(days=(weekday - today.weekday()) % 7)

        def coming(clock: time) -> datetime:
            at = _moment(first, clock, now, zone)
            return at if at > now else _moment(first + timedelta(days=7), clock, now, zone)

        return coming
    found = _NUMBERED.fullmatch(said) or _NAMED.fullmatch(said)
    if found is None:
        return None
    month = int(found["month"]) if found["month"].isdecimal() else _month(found["month"])
    if not month:
        return None
    year = int(found["year"] or 0)

    def dated(clock: time) -> datetime:
        try:
            day = date(year % 100 + 2000 if year else today.year, month, int(found["day"]))
            at = _moment(day, clock, now, zone)
            if not year and now - at > _HALF_A_YEAR:
                at = _moment(day.replace(year=today.year + 1), clock, now, zone)
        except ValueError:
            raise DeskError(texts.NO_SUCH_DAY) from None
        return at

    return dated


def _month(name: str) -> int:
    return next((number for number, stem in enumerate(_MONTHS, start=1) if name.startswith(stem)), 0)


def _clock(found: re.Match[str]) -> time:
    hour, minute = int(found["hour"]), int(found["minute"] or 0)
    if hour > 23 or minute > 59:
        raise DeskError(texts.NO_TIME)
    return time(hour, minute)


def _moment(day: date, clock: time, now: datetime, zone: ZoneInfo) -> datetime:
    at = Timetable(zone=zone).moment(day, clock)
    if at <= now:  # of a doubled hour the second, once the first is over
        again = datetime.combine(day, clock, tzinfo=zone).replace(fold=1).astimezone(at.tzinfo)
        return max(at, again)
    return at


def _checked(at: datetime, now: datetime) -> datetime:
    if at <= now:
        raise DeskError(refusals.PAST)
    if at > now + FARTHEST:
        raise DeskError(refusals.TOO_FAR)
    return at
