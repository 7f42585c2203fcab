"""What every platform's adapter is given and hands back."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Protocol

from bot.domain.ledger import Attempt, Evidence, LedgerEntry, Receipt, Survey
from bot.domain.post import Post

READ_BACK = "read-back"  # the finding that says whether unanswered posts can be looked for
INSIGHTS = "insights"  # the one that says whether figures of posts are told
NOT_NEEDED = frozenset({READ_BACK, INSIGHTS})  # to publish


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Photo:
    """A picture ready for every platform: a JPEG within its limits. `key` names its content (SHA-256, hex)."""

    jpeg: bytes
    width: int
    height: int
    key: str

    def __repr__(self) -> str:
        return f"Photo({self.key[:8]}, {self.width}x{self.height}, {len(self.jpeg)} bytes)"


@dataclass(frozen=True, slots=True, kw_only=True)
class Parcel:
    """A post made ready to leave. `upload` is a reference from an earlier receipt that spares sending the photo.

    `album` are the photos after the first; `attached` the platform's references to all photos of an album that it
    already has and shows to nobody yet; `handle` is the id of the whole post where it is there already, unseen.
    """

    post: Post
    photo: Photo | None = None
    upload: str | None = None
    album: tuple[Photo, ...] = ()
    attached: tuple[str, ...] = ()
    handle: str | None = None

    @property
    def payload_hash(self) -> str:
        """SHA-256, hex, over all that readers will see."""
        first = self.photo.key if self.photo else self.upload or ""
        seen = "\n".join((self.post.method, self.post.text, first, *(photo.key for photo in self.album)))
        return hashlib.sha256(seen.encode()).hexdigest()


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One line of a pre-flight check."""

    name: str
    ok: bool
    detail: str = ""


class Publisher(Protocol):
    """One channel's adapter.

    `account` names the bot or page whose uploads and pace are shared; `pace_keys` are the names under which this
    channel's rates are kept, with the setting each follows: ("chat", "telegram:-100…"), ("bot", "telegram-bot:1…").
    """

    @property
    def account(self) -> str: ...

    @property
    def pace_keys(self) -> tuple[tuple[str, str], ...]: ...

    @property
    def rest_for(self) -> timedelta:
        """How long to leave the platform alone from now on, so that the allowance it told of lasts."""
        ...

    async def prepare(
        self, post: Post, photo: Photo | None, upload: str | None = None, album: Sequence[Photo] = ()
    ) -> Parcel:
        """Make ready what nobody sees yet; photos of an album that the platform does not take are not in the parcel.

        Raises:
            NotPublishedError: this post cannot be sent as it is.
        """
        ...

    async def publish(self, parcel: Parcel) -> Receipt:
        """Make the post public and return the platform's id and link for it.

        Raises:
            UnansweredError: the request left but no answer came; it may be public.
            NotPublishedError: anything else; nothing was published.
        """
        ...

    async def edit(self, public: LedgerEntry, parcel: Parcel) -> None:
        """Make the public post read as the parcel does; its photo stays.

        Raises:
            UnchangedError: it reads so already.
            GoneError: it is not there.
            UnansweredError, NotPublishedError: as `publish`.
        """
        ...

    async def withdraw(self, public: LedgerEntry) -> None:
        """Take the post down.

        Raises:
            TooLateError: the platform does not allow it any more.
            GoneError: it is not there.
            UnansweredError, NotPublishedError: as `publish`.
        """
        ...

    async def read_back(self, attempt: Attempt) -> Evidence:
        """Look whether an attempt's post is public. Never raises for what the platform shows or fails to show."""
        ...

    async def survey(self, known: Collection[str], most: int) -> Survey:
        """Return what the channel shows: its newest posts back to one of `known`, at most `most` of them.

        Never raises for what the platform shows or fails to show.
        """
        ...

    async def check(self) -> list[Finding]:
        """Test token, address and rights without making anything public."""
        ...
