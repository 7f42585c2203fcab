"""What readers did with posts: figures as the platforms tell them, and what they add up to; pure.

A figure is a total of one post under a name: a reaction's, or one of the plain ones below. Times are the outlet's own
only where days and hours of its week are counted.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from statistics import median
from zoneinfo import ZoneInfo

from bot.domain.channel import Platform
from bot.domain.delivery import DeliveryId

REACTION = "reaction:"  # before the emoji, or before whatever else the platform calls a reaction
CLICKS = "clicks"
VIEWS = "views"
VIEWERS = "viewers"
MOST_DAYS = 366  # of one account
BEST = 5

_LEAST_APART = timedelta(minutes=1)
_SHARE_OF_AGE = 50


def apart(age: timedelta) -> timedelta:
    """Return how far apart the points of a series stand for a post of this age; nearer ones become one.

    It grows with the age: a post of a year has at most some 500 points a figure, however often one is told.
    """
    return max(_LEAST_APART, age / _SHARE_OF_AGE)


def reactions(figures: Mapping[str, int]) -> dict[str, int]:
    """Return the reactions among a post's figures, most frequent first, without those that nobody holds any more."""
    found = {name.removeprefix(REACTION): count for name, count in figures.items() if name.startswith(REACTION)}
    return dict(sorted(((name, count) for name, count in found.items() if count), key=lambda pair: (-pair[1], pair[0])))


@dataclass(frozen=True, slots=True, kw_only=True)
class Counted:
    """A public post and what was counted of it; clicks and views are None where nobody told any."""

    delivery_id: DeliveryId
    channel: str
    platform: Platform
    title: str
    permalink: str | None
    published_at: datetime
    withdrawn_at: datetime | None = None
    reactions: int = 0
    clicks: int | None = None
    views: int | None = None
    waited: timedelta | None = None  # from the moment its article was there; None for posts of no single article


@dataclass(frozen=True, slots=True)
class Day:
    """A day of the outlet's calendar: posts that came out on it, and the reactions these have by now."""

    day: date
    posts: int = 0
    reactions: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Stats:
    """The posts of a time, and what they have by now.

    `days` are all days from the first to the last, those without posts too; `heat[weekday][hour]` counts posts by the
    outlet's week, Monday 0. `by_reaction` is most frequent first. What Facebook alone tells is None where it told
    nothing. `cut` says that older posts of the time were left out, because there are too many.
    """

    since: datetime
    until: datetime
    posts: int = 0
    withdrawn: int = 0
    days: tuple[Day, ...] = ()
    heat: tuple[tuple[int, ...], ...] = ((0,) * 24,) * 7
    reactions: int = 0
    by_reaction: Mapping[str, int] = field(default_factory=dict)
    facebook_reactions: int | None = None
    clicks: int | None = None
    views: int | None = None
    best: tuple[Counted, ...] = ()
    median_minutes: float | None = None
    cut: bool = False

    @property
    def reactions_per_post(self) -> float:
        return self.reactions / self.posts if self.posts else 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Today:
    """A day of the outlet so far: its newest posts, newest first, and how everything else stands.

    `published` counts all posts of the day, also those that `posts` has no room for; `failed`, `expired` and
    `cancelled` are posts that ended so; `planned`, `proposed` and `held` still wait, edits and withdrawals among them,
    and those `in_flight` are on their way or being looked for.
    """

    day: date
    posts: tuple[Counted, ...] = ()
    published: int = 0
    edited: int = 0
    withdrawn: int = 0
    failed: int = 0
    expired: int = 0
    cancelled: int = 0
    planned: int = 0
    proposed: int = 0
    held: int = 0
    in_flight: int = 0


def earliest(since: datetime, until: datetime) -> datetime:
    """Return from when on posts are counted: `since`, but never longer ago than `MOST_DAYS`."""
    return max(since, until - timedelta(days=MOST_DAYS))


def add_up(
    posts: Sequence[Counted],
    by_reaction: Mapping[str, int],
    since: datetime,
    until: datetime,
    zone: ZoneInfo,
    *,
    cut: bool = False,
) -> Stats:
    """Return what posts add up to; those withdrawn count as posts, but are never among the best."""
    per_day: Counter[date] = Counter()
    liked: Counter[date] = Counter()
    heat = [[0] * 24 for _ in range(7)]
    for post in posts:
        local = post.published_at.astimezone(zone)
        per_day[local.date()] += 1
        liked[local.date()] += post.reactions
        heat[local.weekday()][local.hour] += 1
    on_facebook = [post for post in posts if post.platform is Platform.FACEBOOK]
    told = any(post.reactions or post.clicks is not None or post.views is not None for post in on_facebook)
    waits = [post.waited / timedelta(minutes=1) for post in posts if post.waited is not None]
    return Stats(
        since=since,
        until=until,
        posts=len(posts),
        withdrawn=sum(post.withdrawn_at is not None for post in posts),
        days=tuple(Day(day, per_day[day], liked[day]) for day in _days(since, until, zone)),
        heat=tuple(tuple(hours) for hours in heat),
        reactions=sum(post.reactions for post in posts),
        by_reaction=by_reaction,
        facebook_reactions=sum(post.reactions for post in on_facebook) if told else None,
        clicks=_sum(post.clicks for post in posts),
        views=_sum(post.views for post in posts),
        best=_best(posts),
        median_minutes=median(waits) if waits else None,
        cut=cut,
    )


def _days(since: datetime, until: datetime, zone: ZoneInfo) -> list[date]:
    first, last = since.astimezone(zone).date(), until.astimezone(zone).date()
    return [first + timedelta(days=number) for number in range((last - first).days + 1)]


def _sum(told: Iterable[int | None]) -> int | None:
    known = [each for each in told if each is not None]
    return sum(known) if known else None


def _best(posts: Iterable[Counted]) -> tuple[Counted, ...]:
    def worth(post: Counted) -> tuple[int, int, int]:
        return post.reactions, post.clicks or 0, post.views or 0

    liked = [post for post in posts if post.withdrawn_at is None and any(worth(post))]
    return tuple(sorted(liked, key=lambda post: (*worth(post), post.published_at), reverse=True)[:BEST])
