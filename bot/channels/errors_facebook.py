"""What an error of the Graph API says about our post: one table, pure.

Codes: developers.facebook.com/docs/graph-api/guides/error-handling, /overview/rate-limiting. HTTP 5xx and the codes 1
and 2 decide nothing: Meta has answered so and published all the same.
"""

from __future__ import annotations

from datetime import timedelta
from enum import Enum, auto

from bot.errors import (
    AccessLostError,
    BotError,
    GoneError,
    PhotoRefusedError,
    RefusedError,
    ThrottledError,
    UnansweredError,
)

_BACK_OFF = timedelta(minutes=5)  # where the answer names no time
_BLOCKED = timedelta(hours=1)
_UNKNOWN = frozenset({1, 2})
_RATES = frozenset({4, 17, 32, 341, 613, *range(80000, 80015)})
_ACCESS = frozenset({3, 10, 102, 104, 190, *range(200, 300)})
_IMAGE = frozenset({324})
_MISSING = frozenset({(100, 33), (803, 0)})  # the object named in the address does not exist, or not for this token
_NO_PERMISSION = (1, 2853006)
_UNREADABLE_IMAGE = (100, 1366046)
_BLOCKED_CODE = 368
_DUPLICATE = 506
_NOT_OURS = "cannot edit non-app posts"
_NO_PROOF = "appsecret_proof"  # missing or wrong: a 100, but nothing passes until the secret is set right


class Aim(Enum):
    """What a call was to do."""

    PUBLISH = auto()
    CHANGE = auto()  # edit or withdraw a post
    ASK = auto()  # learn something of one post
    READ = auto()


def meaning(
    status: int,
    code: int | None,
    subcode: int = 0,
    message: str = "",
    *,
    aim: Aim = Aim.PUBLISH,
    regain: timedelta | None = None,
    transient: bool = False,
) -> BotError:
    """Return the error that an answer of the Graph API stands for.

    Args:
        status: HTTP status.
        code: `error.code`; None where the answer was not in the Graph API's form.
        subcode: `error.error_subcode`, 0 for none.
        message: `error.message`, as sent.
        aim: what the call was to do: a missing object is the page when publishing, else the post.
        regain: `estimated_time_to_regain_access` of the usage headers.
        transient: `error.is_transient`.
    """
    if code is None:
        return UnansweredError(f"Facebook: HTTP {status} without an answer of the Graph API")
    text = f"Facebook: {message or 'no message'} [{code}{f'/{subcode}' if subcode else ''}]"
    if (code, subcode) == _NO_PERMISSION or (code == 100 and _NO_PROOF in message.lower()):
        return AccessLostError(text)
    if status >= 500 or code in _UNKNOWN:
        return UnansweredError(text)
    if code == _DUPLICATE:
        return UnansweredError(f"{text}: the same words may be public already, read back")
    if code in _RATES:
        return ThrottledError(text, regain or _BACK_OFF, scope="page")
    if code == _BLOCKED_CODE:
        return ThrottledError(text, max(regain or _BLOCKED, _BLOCKED), scope="page")
    if code in _ACCESS:
        return RefusedError(text) if _NOT_OURS in message.lower() else AccessLostError(text)
    if (code, subcode) in _MISSING:
        return GoneError(text) if aim in (Aim.CHANGE, Aim.ASK) else AccessLostError(text)
    if code in _IMAGE or (code, subcode) == _UNREADABLE_IMAGE:
        return PhotoRefusedError(text)
    return UnansweredError(text) if transient else RefusedError(text)
