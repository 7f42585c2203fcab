"""Reads what Telegram signs for a Mini App (`initData`), and believes nothing else. Pure; knows no session.

Bot API, "Validating data received via the Mini App": the key is HMAC-SHA256("WebAppData", token), the hash an HMAC over
the lines `name=value` of all fields but `hash`, in order of their names.
"""

from __future__ import annotations

import hmac
import json
import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qsl

from bot.errors import DeskError
from bot.web import texts

FRESH_FOR = timedelta(minutes=5)
_AHEAD = timedelta(seconds=30)  # Telegram's clock may be a little before ours
_LONGEST = 8192
_MOST_FIELDS = 32
_HASH = re.compile(r"[0-9a-f]{64}")
_SECONDS = re.compile(r"[0-9]{1,11}")
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")


@dataclass(frozen=True, slots=True, kw_only=True)
class Signed:
    """What Telegram vouches for. `signature` names this very data: the same data has the same one."""

    telegram_id: int
    signed_at: datetime
    signature: str


def read(given: str, tokens: Iterable[str]) -> Signed:
    """Return what one of these bots' signature vouches for, however long ago it was made.

    Raises:
        DeskError: it is not, or is no such data; the text is shown as it is.
    """
    fields = _fields(given)
    claimed = fields.pop("hash", "")
    if not _HASH.fullmatch(claimed):
        raise DeskError(texts.NOT_SIGNED)
    lines = "\n".join(f"{name}={fields[name]}" for name in sorted(fields)).encode()
    # All are compared, so that the time taken tells nothing of which.
    if not any([hmac.compare_digest(_hash(token, lines), claimed) for token in tokens]):
        raise DeskError(texts.NOT_SIGNED)
    return Signed(
        telegram_id=_person(fields.get("user", "")),
        signed_at=_signed_at(fields.get("auth_date", "")),
        signature=claimed,
    )


def require_fresh(signed: Signed, now: datetime) -> None:
    """Refuse what was signed more than five minutes ago.

    Raises:
        DeskError: it was.
    """
    if not now - FRESH_FOR <= signed.signed_at <= now + _AHEAD:
        raise DeskError(texts.TOO_OLD)


def _fields(given: str) -> dict[str, str]:
    if len(given) > _LONGEST:
        raise DeskError(texts.NOT_SIGNED)
    try:
        pairs = parse_qsl(
            given, keep_blank_values=True, strict_parsing=True, errors="strict", max_num_fields=_MOST_FIELDS
        )
    except ValueError as error:
        raise DeskError(texts.NOT_SIGNED) from error
    fields = dict(pairs)
    # A second field of a name, or a line end inside a field, would let one signature vouch for two readings.
    if len(fields) != len(pairs) or any(_CONTROL.search(name + value) or "=" in name for name, value in pairs):
        raise DeskError(texts.NOT_SIGNED)
    return fields


def _hash(token: str, lines: bytes) -> str:
    key = hmac.digest(b"WebAppData", token.encode(), "sha256")
    return hmac.digest(key, lines, "sha256").hex()


def _signed_at(seconds: str) -> datetime:
    if not _SECONDS.fullmatch(seconds):
        raise DeskError(texts.NOT_SIGNED)
    return datetime.fromtimestamp(int(seconds), UTC)


def _person(user: str) -> int:
    try:
        told = json.loads(user)
    except (ValueError, RecursionError) as error:
        raise DeskError(texts.NOT_SIGNED) from error
    number = told.get("id") if isinstance(told, dict) else None
    if not isinstance(number, int) or isinstance(number, bool) or not 0 < number < 2**52:
        raise DeskError(texts.NOT_SIGNED)
    return number
