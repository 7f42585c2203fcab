"""When looking for a post in vain is proof that it is not there; pure.

One look proves nothing: a page may be an old copy, or leave posts out. So absence is believed only after the settle
time, when several looks in a row, some time apart, saw the channel alike and did not see the post. Pages that leave
posts out at random hardly ever agree in what they show; a post that somebody took down is missing from all of them,
and hinders nothing.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

ENOUGH = 3  # looks that agree
_NEGLIGIBLE = 1e-6


@dataclass(frozen=True, slots=True, kw_only=True)
class Looks:
    """The looks in a row that agreed: how many, when the last was, and which older posts they showed."""

    count: int = 0
    at: datetime | None = None
    shown: tuple[str, ...] = ()

    @property
    def enough(self) -> bool:
        """Whether the post may be taken to be absent."""
        return self.count >= ENOUGH


def after_look(
    before: Looks, shown: Collection[str], now: datetime, *, settled_at: datetime, apart: timedelta
) -> Looks:
    """Return the looks after one more that did not show the post.

    Args:
        shown: ids of the posts older than the attempt on the page.
        settled_at: from when on absence counts at all: the settle time after the end of the lease.
        apart: the least time between two looks that count.
    """
    if now < settled_at:
        return Looks()
    if before.at is not None and timedelta(0) <= now - before.at < apart:  # below: the clock was set back
        return before
    agrees = before.count and alike(before.shown, shown)
    return Looks(count=before.count + 1 if agrees else 1, at=now, shown=tuple(sorted(shown)))


def nothing_escapes(looks: Sequence[Collection[str]]) -> bool:
    """Say whether several looks at a channel together showed all of its posts, but for a chance of one in a million.

    How often looks leave a post out is read from those that some of them showed and others did not.

    Args:
        looks: the ids that each look showed, of the posts that all of them could show.
    """
    shown = set().union(*looks) if looks else set()
    if len(looks) < ENOUGH or not shown:
        return len(looks) >= ENOUGH
    missed = sum(len(shown) - len(look) for look in looks)
    return (missed / (len(looks) * len(shown))) ** len(looks) <= _NEGLIGIBLE


def alike(one: Collection[str], other: Collection[str]) -> bool:
    """Say whether two looks showed the same of what both could show; of an empty one nothing can be said.

    New posts push old ones off a page, so numbered posts are compared from the younger of the two first ones on.
    """
    if not one or not other:
        return False
    if all(remote_id.isdecimal() for remote_id in (*one, *other)):
        from_here = max(min(map(int, one)), min(map(int, other)))
        one = [remote_id for remote_id in one if int(remote_id) >= from_here]
        other = [remote_id for remote_id in other if int(remote_id) >= from_here]
    return bool(one) and set(one) == set(other)
