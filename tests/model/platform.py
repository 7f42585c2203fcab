"""A platform of a few lines: what a channel shows, calls that arrive late, and pages that tell less than the truth.

It is as unkind as the design allows for, and no more; each bound below is one that the promise rests on.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum

from bot.domain.delivery import DeliveryId, Kind
from bot.domain.ledger import PublicPost

LAG = timedelta(seconds=45)  # how old a page may be that shows the newest posts
TRANSIT = timedelta(
    seconds=60
)  # how long a call may be on its way; with LAG and the guard within lease and settle time
TRANSIT_OF_CHANGES = timedelta(seconds=15)  # of an edit or a withdrawal: it is repeated once the lease is over
OMITTED_IN_A_ROW = 2  # looks in a row that may leave out one and the same post
STRANGERS = 7  # posts of other hands that were there before us; an old copy shows the first two alone


class Page(StrEnum):
    """What a look may get to see."""

    FRESH = "fresh"
    LAGGING = "lagging"
    OMITTING = "omitting"  # one post is left out
    OLD = "an old copy"  # from before everything that we know of
    UNREADABLE = "unreadable"


@dataclass(slots=True, kw_only=True)
class Post:
    """One post as the platform has it. `article` is None for other hands' posts and for what was overwritten."""

    number: int
    article: int | None
    by: DeliveryId | None
    plain: str
    link: str
    public_at: datetime
    gone_at: datetime | None = None

    def shown(self) -> PublicPost:
        return PublicPost(remote_id=str(self.number), plain=self.plain, links=(self.link,), published_at=self.public_at)


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """A call that has left us: what it does when it arrives."""

    kind: Kind
    by: DeliveryId
    article: int
    plain: str
    link: str
    target: str | None = None
    overwrites: bool = False


@dataclass(slots=True)
class ModelPlatform:
    """The one channel, and all that is on its way to it."""

    opened_at: datetime
    posts: list[Post] = field(default_factory=list)
    on_its_way: list[tuple[datetime, Call]] = field(default_factory=list)
    omitted: Counter[int] = field(default_factory=Counter)

    def __post_init__(self) -> None:
        for number in range(1, STRANGERS + 1):
            self.posts.append(
                Post(
                    number=number,
                    article=None,
                    by=None,
                    plain=f"Чужий допис {number}",
                    link=f"https://else.example/{number}",
                    public_at=self.opened_at - timedelta(days=1),
                )
            )

    def arrive(self, call: Call, now: datetime) -> Post | None:
        """Carry a call out; None where what it should change is not there."""
        if call.kind.makes_public:
            post = Post(
                number=len(self.posts) + 1,
                article=call.article,
                by=call.by,
                plain=call.plain,
                link=call.link,
                public_at=now,
            )
            self.posts.append(post)
            return post
        target = next((post for post in self.posts if str(post.number) == call.target and post.gone_at is None), None)
        if target is None:
            return None
        if call.kind is Kind.WITHDRAW and not call.overwrites:
            target.gone_at = now
        else:
            target.plain = call.plain
            if call.kind is Kind.WITHDRAW:
                target.article = None
        return target

    def pass_time(self, now: datetime) -> None:
        """Let arrive what was on its way until now."""
        due = sorted((one for one in self.on_its_way if one[0] <= now), key=lambda one: one[0])
        self.on_its_way = [one for one in self.on_its_way if one[0] > now]
        for at, call in due:
            self.arrive(call, at)

    def public(self, article: int) -> list[Post]:
        """Return the posts of an article that everybody can see now."""
        return [post for post in self.posts if post.article == article and post.gone_at is None]

    def look(self, page: Page, now: datetime, left_out: int = 0) -> list[PublicPost] | None:
        """Return what a look gets to see; None where it gets nothing at all."""
        if page is Page.UNREADABLE:
            return None
        at = now - LAG if page is Page.LAGGING else now
        seen = [post for post in self.posts if post.public_at <= at and (post.gone_at is None or post.gone_at > at)]
        if page is Page.OLD:
            seen = seen[:2]
        hidden = None
        if page is Page.OMITTING:
            hidden = seen[-1 - left_out % len(seen)]
            if self.omitted[hidden.number] >= OMITTED_IN_A_ROW:
                hidden = None
        self.omitted = Counter({hidden.number: self.omitted[hidden.number] + 1}) if hidden is not None else Counter()
        return [post.shown() for post in seen if post is not hidden]
