"""Makes a claimed delivery ready to leave. Nothing here is visible to anybody, and no transaction stays open."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Protocol

from bot.agenda import steering
from bot.agenda.composing import Material, compose, material
from bot.channels.base import Parcel, Photo
from bot.compose.post import Composer
from bot.domain.channel import Approval
from bot.domain.delivery import Delivery, HeldReason, Kind, State
from bot.domain.follow_up import Other, instead_of_again
from bot.domain.ledger import LedgerEntry
from bot.domain.post import Post
from bot.errors import ComposeError, FetchError
from bot.outbox.lane import Lane
from bot.outbox.pictures import Photos, collect
from bot.store import ledger
from bot.store.articles import StoredArticle
from bot.store.database import Database

_ALIVE_FOR = 60.0  # seconds; four channels need not ask for one page four times
_OK = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class Ready:
    """A delivery that can leave: what to send, the public post it changes, and what `why` should know.

    `stored` is the article the text was made of, None for a text or a digest of its own.
    """

    parcel: Parcel
    title: str
    stored: StoredArticle | None = None
    target: LedgerEntry | None = None
    notes: tuple[str, ...] = field(default=())


@dataclass(frozen=True, slots=True, kw_only=True)
class Settled:
    """A delivery that will not leave now: where it goes instead, and why."""

    state: State
    why: str
    held_reason: HeldReason | None = None
    text: str = ""
    revision: int | None = None  # what the public post is known to show already

    @property
    def word(self) -> str:
        """Name in one word what `why` should say."""
        return f"held: {self.held_reason}" if self.held_reason is not None else self.state.value


class Pages(Protocol):
    """Who looks whether an address can be opened."""

    async def alive(self, url: str) -> int:
        """Return the status that an address answers with, or raise FetchError."""
        ...


class Preparer:
    """Composes, checks the link, gets the photo.

    Args:
        budget: the most that one fetch may take, so that a claim's lease covers them all.
    """

    def __init__(
        self, database: Database, composer: Composer, photos: Photos, pages: Pages, *, budget: timedelta
    ) -> None:
        self._database = database
        self._composer = composer
        self._photos = photos
        self._pages = pages
        self._budget = budget.total_seconds()
        self._alive: dict[str, float] = {}

    async def prepare(self, delivery: Delivery, lane: Lane, at: datetime) -> Ready | Settled:
        """Make a delivery ready.

        Args:
            at: the time of the slot, for words that age and for silent hours.

        Raises:
            NotPublishedError: the adapter cannot make it ready.
            DatabaseError: the store could not be read.
        """
        made_of, others, is_agreed = await self._load(delivery)
        stored, target = made_of.stored, made_of.target
        settled = _settled(made_of, others, is_agreed=is_agreed)
        if settled is not None:
            return settled
        aged = self._aged(delivery, lane, stored, at)
        if aged:
            why = f"words that have aged: {', '.join(aged)}"
            return Settled(state=State.HELD, held_reason=HeldReason.STALE_WORDS, why=why)
        try:
            post = compose(self._composer, made_of, lane.channel, at=at)
        except ComposeError as error:
            if delivery.kind is Kind.WITHDRAW and delivery.rung == 0 and target is not None:
                return Ready(parcel=Parcel(post=_as_shown(lane, target)), title=target.title, target=target)
            return Settled(state=State.HELD, held_reason=HeldReason.TEMPLATE, why=str(error))
        if delivery.kind is Kind.EDIT and target is not None and post.text == target.text:
            shown = stored.revision if stored is not None else None
            return Settled(state=State.CANCELLED, why="the post reads so already", revision=shown)
        if delivery.kind is Kind.PUBLISH and lane.channel.check_link and stored is not None and stored.article.link:
            dead = await self._dead(stored.article.link)
            if dead is not None:
                return Settled(state=State.HELD, held_reason=HeldReason.LINK_DEAD, why=dead)
        notes = list(post.warnings)
        if target is not None:  # only the words of a public post change; its photo stays
            parcel = Parcel(post=post)
        else:
            collected = await collect(post, self._photos, self._budget)
            post, photos = collected.post, collected.photos
            notes += collected.notes
            if post.photo_url is not None and not photos:
                post = compose(self._composer, made_of, lane.channel, at=at, least_rung=1)
            photo = photos[0] if photos else None
            parcel = await lane.publisher.prepare(post, photo, await self._upload(lane, photo), photos[1:])
            if len(parcel.album) < len(photos[1:]):
                notes.append(f"the platform took {len(parcel.album) + 1} of {len(photos)} photos")
        title = stored.article.title if stored is not None else post.plain.strip().partition("\n")[0][:200]
        return Ready(parcel=parcel, title=title, stored=stored, target=target, notes=tuple(notes))

    async def examine(self, delivery: Delivery, lane: Lane, at: datetime) -> dict[str, str]:
        """Say what would keep a delivery from going out as it should, by its cause; sends and uploads nothing.

        Args:
            at: the time of its slot.
        """
        made_of, others, is_agreed = await self._load(delivery)
        stored = made_of.stored
        if _settled(made_of, others, is_agreed=is_agreed) is not None or delivery.kind is Kind.WITHDRAW:
            return {}
        try:
            post = compose(self._composer, made_of, lane.channel, at=at)
        except ComposeError as error:
            return {"compose": str(error)}
        wrong: dict[str, str] = {}
        if delivery.state is State.PLANNED and (aged := self._aged(delivery, lane, stored, at)):
            wrong["words"] = ", ".join(aged)
        if delivery.kind is Kind.PUBLISH and lane.channel.check_link and stored is not None and stored.article.link:
            dead = await self._dead(stored.article.link)
            if dead is not None:
                wrong["link"] = dead
        if made_of.target is None and post.photo_url is not None:
            collected = await collect(post, self._photos, self._budget)
            if not collected.photos:
                wrong["photo"] = "; ".join(collected.notes)
        return wrong

    async def _load(self, delivery: Delivery) -> tuple[Material, list[Other], bool]:
        """Return what a post is made of, the other posts of its article, and whether an editor agreed to an edit."""
        async with self._database.read() as tx:
            made_of = await material(tx, delivery)
            stored, target = made_of.stored, made_of.target
            returned = stored is not None and stored.returns > 0 and delivery.kind is Kind.PUBLISH
            others = await ledger.others(tx, delivery) if returned and delivery.repost >= 0 else []
            by_hand = target.hand_at if target is not None and delivery.kind is Kind.EDIT else None
            is_agreed = by_hand is None or delivery.has_own_words or await steering.agreed(tx, delivery, by_hand)
        return made_of, others, is_agreed

    def _aged(self, delivery: Delivery, lane: Lane, stored: StoredArticle | None, at: datetime) -> tuple[str, ...]:
        """Return the words an editor should see before they go out; a time that an editor set is consent."""
        asks = lane.channel.approval is Approval.EDITOR and delivery.pinned_at is None and not delivery.has_own_words
        if not asks or stored is None or delivery.kind is not Kind.PUBLISH or delivery.repost < 0:
            return ()
        return self._composer.aged(stored.article, lane.channel, at)

    async def _dead(self, link: str) -> str | None:
        """Say why an article's page does not answer, None where it does."""
        now = time.monotonic()
        if self._alive.get(link, -_ALIVE_FOR) > now - _ALIVE_FOR:
            return None
        try:
            status = await asyncio.wait_for(self._pages.alive(link), self._budget)
        except FetchError as error:
            return f"the article's page cannot be opened: {error}"
        except TimeoutError:
            return f"the article's page does not answer in time: {link}"
        if status != _OK:
            return f"the article's page answers {status}, not 200: {link}"
        if len(self._alive) > 10_000:
            self._alive.clear()
        self._alive[link] = now
        return None

    async def _upload(self, lane: Lane, photo: Photo | None) -> str | None:
        if photo is None:
            return None
        async with self._database.read() as tx:
            return await ledger.find_upload(tx, lane.publisher.account, photo.key)


def _as_shown(lane: Lane, target: LedgerEntry) -> Post:
    """Return a public post as it stands: taking it down needs no words of its own."""
    return Post(
        channel=lane.channel.name,
        platform=lane.channel.platform,
        method=target.method,
        text=target.text,
        plain=target.text,
        length=len(target.text),
        limit=len(target.text),
    )


def _settled(made_of: Material, others: list[Other], *, is_agreed: bool) -> Settled | None:
    """Say where a delivery goes that has become pointless while it waited."""
    delivery, stored, target = made_of.delivery, made_of.stored, made_of.target
    if delivery.kind in (Kind.EDIT, Kind.WITHDRAW):
        if target is None:
            return Settled(state=State.CANCELLED, why="there is no public post to change")
        if target.withdrawn_at is not None:
            return Settled(state=State.CANCELLED, why="the post was taken down already")
        if delivery.kind is Kind.WITHDRAW:
            return None
        if not is_agreed:  # proposed anew, by what follows from the revision that the post shows
            why = "the post's words are a person's now: an editor is asked first"
            return Settled(state=State.CANCELLED, why=why, revision=target.revision)
    if stored is not None and stored.retracted_at is not None:
        return Settled(state=State.CANCELLED, why="the article was retracted before it went out")
    again = instead_of_again(others)
    if again is not None:
        state, why = again
        return Settled(state=state, why=why, held_reason=HeldReason.EDITOR if state is State.HELD else None)
    return None
