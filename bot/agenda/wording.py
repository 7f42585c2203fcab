"""Times and numbers as people say them in Ukrainian: for the desk and the calendar alike."""

from __future__ import annotations

from datetime import date, datetime

WEEKDAYS = ("понеділок", "вівторок", "середа", "четвер", "п’ятниця", "субота", "неділя")
_IN_WEEKDAY = ("у понеділок", "у вівторок", "у середу", "у четвер", "у п’ятницю", "у суботу", "у неділю")
_MONTHS = (
    "січня лютого березня квітня травня червня липня серпня вересня жовтня листопада грудня".split()  # of which day
)


def short_day(day: date) -> str:
    """Return "1 червня"."""
    return f"{day.day}\N{NO-BREAK SPACE}{_MONTHS[day.month - 1]}"


def when(at: datetime, today: date) -> str:
    """Return "сьогодні о 18:30", "завтра о 9:00" or "у п’ятницю, 5 червня, о 10:00"; `at` in the outlet's zone."""
    clock = at.strftime("%H:%M")
    match (at.date() - today).days:
        case 0:
            return f"сьогодні {_at(at)} {clock}"
        case 1:
            return f"завтра {_at(at)} {clock}"
        case _:
            return f"{_IN_WEEKDAY[at.weekday()]}, {short_day(at.date())}, {_at(at)} {clock}"


def _at(at: datetime) -> str:
    return "об" if at.hour == 11 else "о"


def counted(number: int, one: str, few: str, many: str) -> str:
    """Return the number with the form of the word that goes with it: "1 допис", "3 дописи", "11 дописів"."""
    if number % 10 == 1 and number % 100 != 11:
        return f"{number} {one}"
    if number % 10 in (2, 3, 4) and number % 100 not in (12, 13, 14):
        return f"{number} {few}"
    return f"{number} {many}"


def posts(number: int) -> str:
    """Return "1 допис", "3 дописи", "11 дописів"."""
    return counted(number, "допис", "дописи", "дописів")


def reactions(number: int) -> str:
    """Return "1 реакція", "3 реакції", "11 реакцій"."""
    return counted(number, "реакція", "реакції", "реакцій")
