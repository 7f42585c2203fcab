"""Small stand-ins for the outside world that keep what they were given. Our own code is never stood in for."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import UTC, datetime, timedelta

from bot.channels.base import Finding, Parcel, Photo
from bot.domain.ledger import Attempt, Evidence, LedgerEntry, Presence, Receipt, Survey
from bot.domain.post import Post
from bot.errors import FetchError, PhotoError


class FakeClock:
    """A clock that moves only when told."""

    def __init__(self, at: datetime = datetime(2026, 6, 1, 9, 0, tzinfo=UTC)) -> None:
        self.at = at

    def now(self) -> datetime:
        return self.at

    def running(self) -> float:
        return self.at.timestamp()

    def boot(self) -> str:
        return "fake"

    def tick(self, span: timedelta) -> None:
        self.at += span


class FakePlatform:
    """A platform that shows what it was sent, and fails as it is told: `trouble` is raised, one a call, first in."""

    def __init__(self, account: str = "bot:1") -> None:
        self.account = account
        self.pace_keys: tuple[tuple[str, str], ...] = ()
        self.rest_for = timedelta(0)
        self.public: dict[str, str] = {}
        self.calls: list[str] = []
        self.trouble: list[Exception | None] = []
        self.evidence = Evidence(presence=Presence.NO_EVIDENCE)
        self.healthy = True
        self._number = 0

    def _call(self, name: str) -> None:
        self.calls.append(name)
        if self.trouble and (error := self.trouble.pop(0)) is not None:
            raise error

    async def prepare(
        self, post: Post, photo: Photo | None, upload: str | None = None, album: Sequence[Photo] = ()
    ) -> Parcel:
        return Parcel(post=post, photo=photo, upload=upload, album=tuple(album))

    async def publish(self, parcel: Parcel) -> Receipt:
        self._call("publish")
        self._number += 1
        self.public[str(self._number)] = parcel.post.plain
        return Receipt(remote_id=str(self._number), permalink=f"https://t.me/example/{self._number}")

    async def edit(self, public: LedgerEntry, parcel: Parcel) -> None:
        self._call("edit")
        self.public[public.remote_id] = parcel.post.plain

    async def withdraw(self, public: LedgerEntry) -> None:
        self._call("withdraw")
        del self.public[public.remote_id]

    async def read_back(self, attempt: Attempt) -> Evidence:
        return self.evidence

    async def survey(self, known: Collection[str], most: int) -> Survey:
        return Survey(readable=False, for_good=True)

    async def check(self) -> list[Finding]:
        return [Finding(name="fake", ok=self.healthy)]


class NoPhotos:
    """An address book without pictures."""

    async def get(self, photo_url: str) -> Photo:
        raise PhotoError(f"{photo_url}: there are no pictures here")


class Pages:
    """Pages that answer 200 unless named otherwise; None is a page that cannot be reached."""

    def __init__(self) -> None:
        self.statuses: dict[str, int | None] = {}

    async def alive(self, url: str) -> int:
        status = self.statuses.get(url, 200)
        if status is None:
            raise FetchError(f"{url}: no answer")
        return status
