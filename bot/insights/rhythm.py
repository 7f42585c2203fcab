"""When to ask for a post's figures again: often while it is fresh, rarely when it is old, then never; pure."""

from __future__ import annotations

from datetime import datetime, timedelta

LASTS = timedelta(days=14)  # after which hardly anybody meets the post; some twenty questions a post lie within it
FIRST = timedelta(minutes=10)
MOST_MISSES = 3  # after which a post that is not there counts as gone: its token may have lacked a right meanwhile

_SHARE_OF_AGE = 2
_RETRY = timedelta(minutes=30)
_LONGEST_RETRY = timedelta(hours=12)


def next_question(published_at: datetime, now: datetime) -> datetime | None:
    """Return when to ask again after a question that was answered, None for never."""
    age = max(timedelta(0), now - published_at)
    if age >= LASTS:
        return None
    return min(now + max(FIRST, age / _SHARE_OF_AGE), published_at + LASTS)


def after_miss(now: datetime, misses: int) -> datetime:
    """Return when to ask again after so many questions in a row that brought nothing."""
    return now + min(_RETRY * (1 << 2 * min(misses - 1, 10)), _LONGEST_RETRY)
