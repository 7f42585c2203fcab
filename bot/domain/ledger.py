"""What is public: receipts, the ledger, and what a platform lets us read back."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from bot.domain.article import ArticleId
from bot.domain.channel import ChannelId
from bot.domain.delivery import DeliveryId
from bot.domain.post import Method


@dataclass(frozen=True, slots=True, kw_only=True)
class Receipt:
    """The platform's word for a public post: its id there and its address.

    `upload` is the platform's reference to the photo (Telegram `file_id`), reusable by the same account. `more_ids`
    are those of an album's further messages, in order, where the platform counts each photo as one. `published_at` is
    known of what was read back or answered late.
    """

    remote_id: str
    permalink: str | None = None
    upload: str | None = None
    more_ids: tuple[str, ...] = ()
    published_at: datetime | None = None


_UNKNOWN = "unknown:"


def unknown_id(delivery_id: DeliveryId) -> str:
    """Return the id for a post that is public by an editor's word alone: no platform knows it."""
    return f"{_UNKNOWN}{delivery_id}"


def is_unknown(remote_id: str) -> bool:
    """Say whether an id stands for a post that the platform cannot be asked about."""
    return remote_id.startswith(_UNKNOWN)


@dataclass(frozen=True, slots=True, kw_only=True)
class LedgerEntry:
    """A post that is, or was, public in a channel.

    `adopted`: it was there before us and does not read as we write, so its words are not ours to change. `hand_at`:
    since when its words are a person's, from the desk or changed in the channel; None while they are the article's.
    """

    delivery_id: DeliveryId
    channel_id: ChannelId
    article_id: ArticleId | None
    revision: int
    title: str
    remote_id: str
    permalink: str | None
    method: Method
    text: str
    published_at: datetime
    edited_at: datetime | None = None
    withdrawn_at: datetime | None = None
    more_ids: tuple[str, ...] = ()
    adopted: bool = False
    hand_at: datetime | None = None

    @property
    def last_id(self) -> str:
        """The newest id that this post brought into its channel."""
        return self.more_ids[-1] if self.more_ids else self.remote_id


@dataclass(frozen=True, slots=True, kw_only=True)
class Neighbour:
    """A post known to be public before an attempt: where it is missing, a look shows too little to prove absence."""

    remote_id: str
    published_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """One publicly visible call, as marked before it left.

    `text` is as sent, `plain` the same without markup; `watermark` is the newest remote id known in the channel when
    the call left, None where there was none; `neighbours` are the newest posts known then, newest first, at most five.
    `handle` is the post's id where it had one before it was public.
    """

    delivery_id: DeliveryId
    method: Method
    text: str
    plain: str
    link: str | None
    watermark: str | None
    started_at: datetime
    neighbours: tuple[Neighbour, ...] = ()
    handle: str | None = None


def newest_of(public: Iterable[Neighbour], most: int = 5) -> tuple[Neighbour, ...]:
    """Return the newest of some posts of one channel, newest first: by number where they are numbered, else by time."""
    posts = {post.remote_id: post for post in public}.values()
    numbered = all(post.remote_id.isdecimal() for post in posts)
    order = sorted(posts, key=lambda post: int(post.remote_id) if numbered else post.published_at.timestamp())
    return tuple(order[::-1][:most])


class Presence(StrEnum):
    """What reading back showed."""

    PRESENT = "present"
    ABSENT = "absent"
    NO_EVIDENCE = "no-evidence"


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """What the platform shows of an attempt; `receipt` where it is present.

    `for_good` says that there will never be evidence here: the channel cannot be read back at all. `shown` are the
    ids of the posts older than the attempt that the look showed: looks that leave out posts at random do not agree
    in them (`domain.looks`).
    """

    presence: Presence
    receipt: Receipt | None = None
    detail: str = ""
    for_good: bool = False
    shown: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class PublicPost:
    """A post as the platform shows it to anybody; newest last in lists.

    `links` are its addresses, `more_ids` as in `Receipt`.
    """

    remote_id: str
    plain: str
    links: tuple[str, ...]
    published_at: datetime
    permalink: str | None = None
    more_ids: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Survey:
    """What a channel shows now: its newest posts, newest last.

    `readable` is False where nothing could be learnt this time, `for_good` where nothing ever can be, `access_lost`
    where token or rights are gone. `complete` says
    that the posts reach back to one that was asked for, or to the channel's first.
    """

    posts: tuple[PublicPost, ...] = ()
    readable: bool = True
    for_good: bool = False
    access_lost: bool = False
    complete: bool = True
    detail: str = ""
