"""Times as outlets write them: a moment that is certain, or none. A wrong time is worse than no time."""

from __future__ import annotations

import re
from datetime import UTC, datetime, tzinfo
from email.utils import parsedate_to_datetime

# Before the first news sites and far beyond any embargo: a broken clock, not a time.
_FIRST, _LAST = 1995, 2100
_ISO = re.compile(
    r"(\d{4}-\d{2}-\d{2})[T ](\d{1,2}:\d{2}(?::\d{2}(?:\.\d{1,9})?)?)\s*(Z|UTC|GMT|[+-]\d{2}:?(?:\d{2})?)?",
    re.IGNORECASE,
)
_DOTTED = re.compile(r"(\d{1,2})\.(\d{1,2})\.(\d{4}),?\s+(?:о\s+)?(\d{1,2}):(\d{2})(?::(\d{2}))?")
_MAIL = re.compile(r"(?:[A-Za-z]{3,9},?\s+)?\d{1,2}\s+[A-Za-z]{3,9}\s+\d{4}\s+\d{1,2}:\d{2}")
_MAIL_COLON = re.compile(r"([+-]\d{2}):(\d{2})\s*$")
_DAY = re.compile(r"(\d{4})-(\d{2})-(\d{2})|(\d{1,2})\.(\d{1,2})\.(\d{4})")


def moment(text: str, zone: tzinfo | None) -> datetime | None:
    """Read ISO 8601, RFC 822 and "31.01.2024 19:00".

    Args:
        text: the time as printed; a day without a time of day is no moment.
        zone: of times that state none; None: such times are not read.

    Returns:
        Aware, UTC; None where the text is anything else.
    """
    text = text.strip()
    try:
        at = _iso(text) or _dotted(text) or _mail(text)
        return None if at is None else in_utc(at, zone)
    except (ValueError, OverflowError, TypeError):
        return None


def day(text: str, zone: tzinfo | None) -> datetime | None:
    """Read a bare day, ISO or "31.01.2024", as its first moment in `zone`; None where it is none."""
    found = _DAY.fullmatch(text.strip())
    if not found or zone is None:
        return None
    year, month, number = (found[1], found[2], found[3]) if found[1] else (found[6], found[5], found[4])
    try:
        return in_utc(datetime(int(year), int(month), int(number), tzinfo=zone), zone)
    except (ValueError, OverflowError):
        return None


def in_utc(at: datetime, zone: tzinfo | None) -> datetime | None:
    """Return a time in UTC, a naive one taken in `zone`; None where that is unknown or the year cannot be meant."""
    if at.tzinfo is None:
        if zone is None:
            return None
        at = at.replace(tzinfo=zone)
    try:
        at = at.astimezone(UTC)
    except (ValueError, OverflowError):
        return None
    return at if _FIRST <= at.year <= _LAST else None


def _iso(text: str) -> datetime | None:
    found = _ISO.fullmatch(text)
    if not found:
        return None
    clock = found[2] if found[2].index(":") == 2 else "0" + found[2]
    whole, _, part = clock.partition(".")
    offset = (found[3] or "").upper().replace("UTC", "Z").replace("GMT", "Z")
    return datetime.fromisoformat(f"{found[1]}T{whole}{'.' + part[:6].ljust(6, '0') if part else ''}{offset}")


def _dotted(text: str) -> datetime | None:
    found = _DOTTED.fullmatch(text)
    if not found:
        return None
    number, month, year, hour, minute, second = (int(part or 0) for part in found.groups())
    return datetime(year, month, number, hour, minute, second)  # noqa: DTZ001 - its zone is the reader's to give


def _mail(text: str) -> datetime | None:
    if not _MAIL.match(text):
        return None
    return parsedate_to_datetime(_MAIL_COLON.sub(r"\1\2", text))
