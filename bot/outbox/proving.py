"""Compares each channel with its ledger before anything is published there by this process.

The ledger may be younger than the channel (a restored backup), empty (a lost database), or begun later than the
channel (another tool came before). So a channel is unproven until its newest public posts were seen; what is in none
of our books is kept, and adopted where it waits. A channel that can never be read is served as it is; one that cannot
be read now is waited for.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.agenda import adoption
from bot.channels.base import Publisher
from bot.clock import Clock
from bot.compose.post import Composer
from bot.domain.channel import ChannelId
from bot.domain.delivery import Delivery, HeldReason, State
from bot.domain.ledger import Neighbour, PublicPost, Survey, is_unknown
from bot.domain.looks import nothing_escapes
from bot.errors import DatabaseError
from bot.failpoints import reach
from bot.logs import logger
from bot.outbox.lane import Lane, Timing
from bot.outbox.record import about
from bot.store import channels, deliveries, found, ledger
from bot.store.database import Database
from bot.store.decisions import decide
from bot.store.tables import deliveries as rows

_KNOWN = 50  # posts of the ledger, one of which a survey should reach
_MOST = 1000  # posts that a survey reads where it reaches none
_NEIGHBOURS = 5
_PATIENCE = 1.0  # seconds between looks at a channel that is not compared yet
_LONG_AGO = timedelta(days=3)
_LOOKS = 12  # at one survey, before a channel counts as unreadable
_FAILED = 2  # looks of one survey that may
_SOON = 0.2  # seconds until the look after one that failed
_log = logger("proving")


@dataclass(slots=True, kw_only=True)
class _Trying:
    """A channel that is not proven yet: since when, until when not again, and why.

    `unread`: the last look could not be had. `surprised`: it showed what was in no book, so the book is an old one and
    the page may be an old copy, too.
    """

    since: float
    again_at: float
    wait: float
    why: str
    unread: bool = True
    access_lost: bool = False
    surprised: bool = False


class Prover:
    """Knows which channels this process may publish to.

    `before_serving` is called with each channel that was just proven, before anything is sent there; `on_proven` once
    what waits there may be sent.
    """

    def __init__(self, database: Database, clock: Clock, composer: Composer, timing: Timing) -> None:
        self._database = database
        self._clock = clock
        self._composer = composer
        self._timing = timing
        self._seen: dict[ChannelId, tuple[Neighbour, ...]] = {}
        self._trying: dict[ChannelId, _Trying] = {}
        self._locks: dict[ChannelId, asyncio.Lock] = {}
        self._left: dict[ChannelId, float] = {}
        self.before_serving: Callable[[Lane], Awaitable[None]] | None = None
        self.on_proven: Callable[[], None] = lambda: None

    def is_proven(self, channel_id: ChannelId) -> bool:
        """Whether what the channel shows is in the books."""
        return channel_id in self._seen

    def given_up(self, channel_id: ChannelId) -> tuple[HeldReason, str] | None:
        """Say why a channel cannot be read, where a person has to see to it; None where that may pass by itself."""
        trying = self._trying.get(channel_id)
        if trying is not None and trying.access_lost:
            return HeldReason.ACCESS, trying.why
        patience = self._timing.hold_after.total_seconds()
        if trying is None or not trying.unread or self._clock.running() - trying.since < patience:
            return None
        return HeldReason.NO_EVIDENCE, f"the channel cannot be compared with the ledger since the start: {trying.why}"

    def neighbours(self, channel_id: ChannelId) -> tuple[Neighbour, ...]:
        """Return the newest posts that the channel showed when it was proven, newest first."""
        return self._seen.get(channel_id, ())

    def leave(self, channel_id: ChannelId) -> None:
        """Let this process look at a channel again only after a while: what waits there is not for it to send."""
        self._left[channel_id] = self._clock.running() + _PATIENCE

    def is_left(self, channel_id: ChannelId) -> bool:
        """Whether this process looks at another time."""
        return channel_id not in self._seen and self._clock.running() < self._left.get(channel_id, 0.0)

    async def prove_all(self, lanes: Iterable[Lane]) -> None:
        """Try to prove channels, all at one time."""
        await asyncio.gather(*(self.prove(lane) for lane in lanes))

    async def prove(self, lane: Lane) -> bool:
        """Compare a channel with its ledger, unless that was done or tried just now; say whether it is proven."""
        try:
            return await self._prove(lane)
        except DatabaseError:
            raise
        except Exception as error:
            _log.exception("a channel could not be compared", channel=lane.channel.name)
            self._try_again(lane, self._trying.get(lane.id), Survey(readable=False, detail=type(error).__name__))
            return False

    async def _prove(self, lane: Lane) -> bool:
        async with self._locks.setdefault(lane.id, asyncio.Lock()):
            trying = self._trying.get(lane.id)
            now = self._clock.running()
            if lane.id in self._seen or (trying is not None and now < trying.again_at):
                return lane.id in self._seen
            async with self._database.read() as tx:
                if await lane.is_banned(tx, await self._database.now(tx)):
                    return False  # the next bell asks again; waiting as we were told is no failure
                public = [post for post in await ledger.newest(tx, lane.id, _KNOWN) if post.withdrawn_at is None]
                known = {post.remote_id for post in public if not is_unknown(post.remote_id)}
            shown = await _in_full(lane.publisher, known)
            await lane.heed(self._database)
            if shown.readable and not self._reaches(lane, shown, known):
                shown = replace(shown, readable=False, detail=f"it shows more than {_MOST} posts that no book has")
            if not shown.readable and not shown.for_good:
                self._try_again(lane, trying, shown)
                return False
            strangers = await self._enter(lane, shown)
            if strangers and not (trying is not None and trying.surprised):
                self._look_once_more(lane, strangers)
                return False
            if self.before_serving is not None:
                await self.before_serving(lane)
            self._seen[lane.id] = tuple(_neighbour(post) for post in reversed(shown.posts[-_NEIGHBOURS:]))
            self._trying.pop(lane.id, None)
            self.on_proven()
            if not shown.readable:
                _log.warning("the channel can never be read back", channel=lane.channel.name, why=shown.detail)
            return True

    def _reaches(self, lane: Lane, shown: Survey, known: set[str]) -> bool:
        """Say whether a survey goes back far enough: to a known post, or to what would be too old to be sent again."""
        if shown.complete or not known or not shown.posts:
            return True
        oldest = max(lane.channel.timetable.fresh_for, _LONG_AGO)
        return shown.posts[0].published_at < self._clock.now() - oldest

    def _try_again(self, lane: Lane, before: _Trying | None, shown: Survey) -> None:
        now = self._clock.running()
        wait = min(30.0, self._timing.hold_after.total_seconds() / 10, 2 * before.wait if before is not None else 1.0)
        self._trying[lane.id] = _Trying(
            since=before.since if before is not None and before.unread else now,
            again_at=now + wait,
            wait=wait,
            why=shown.detail,
            access_lost=shown.access_lost,
            surprised=before is not None and before.surprised,
        )
        if before is None:
            said = "the channel cannot be read yet, nothing new is published there"
            _log.warning(said, channel=lane.channel.name, why=shown.detail)

    def _look_once_more(self, lane: Lane, strangers: int) -> None:
        """Wait until even an old copy of the page shows what was published just before this start."""
        now, wait = self._clock.running(), self._timing.settle_of(lane.channel.platform).total_seconds()
        why = "the channel shows posts that the ledger does not have; it is compared once more"
        self._trying[lane.id] = _Trying(since=now, again_at=now + wait, wait=1.0, why=why, unread=False, surprised=True)
        _log.warning(why, channel=lane.channel.name, posts=strangers, seconds=wait)

    async def _enter(self, lane: Lane, shown: Survey) -> int:
        """Keep and adopt what the channel shows; return how many of its posts were in no book."""
        async with self._database.read() as tx:
            news = await found.strangers(tx, lane.id, shown.posts) or await found.matches(tx, [lane.id])
            if not news and not await _held_unsent(tx, lane.id):
                return 0  # as after most starts
        async with channels.turn(self._database, [lane.id]) as (tx, now):
            strangers = await adoption.remember(tx, lane.channel, lane.id, shown.posts, now)
            await self._release(tx, lane.id, now)
            mine = {lane.id: lane.channel}
            adopted = await adoption.adopt(tx, self._composer, mine, now)
            adopted += await adoption.adopt_retracted(tx, self._composer, mine, now)
            if strangers and shown.posts:  # the channel's gap counts from what it showed last
                await channels.note_post(tx, lane.id, min(now, shown.posts[-1].published_at))
            await channels.wake(tx, [lane.id], now)
            reach("adopt.before")
        reach("adopt.after")
        if adopted:
            _log.warning("posts that were public already were adopted", channel=lane.channel.name, posts=adopted)
        return strangers

    async def _release(self, tx: AsyncConnection, channel_id: ChannelId, now: datetime) -> None:
        """Let posts go on that were held only because the channel could not be compared: they were never sent."""
        for delivery in await _held_unsent(tx, channel_id):
            await deliveries.move(tx, delivery, State.PLANNED, now, error="")
            await decide(tx, [about(delivery, "planned", "the channel was compared with the ledger")], now)


async def _held_unsent(tx: AsyncConnection, channel_id: ChannelId) -> list[Delivery]:
    """Return what is held although it was never sent: its channel could not be compared."""
    return await deliveries.find(
        tx,
        text(deliveries.STANDING),
        rows.c.channel_id == channel_id,
        rows.c.held_reason == HeldReason.NO_EVIDENCE,
        rows.c.attempts == 0,
    )


async def _in_full(publisher: Publisher, known: set[str]) -> Survey:
    """Survey a channel until nothing escapes: one look alone may have left posts out.

    A few looks may fail in between; what the others showed is not forgotten for that.
    """
    looks: list[Survey] = []
    failed = 0
    while len(looks) < _LOOKS:
        shown = await publisher.survey(known, _MOST)
        if not shown.readable or shown.for_good:
            failed += 1
            if shown.for_good or shown.access_lost or failed > _FAILED or publisher.rest_for:
                return shown
            await asyncio.sleep(_SOON)
            continue
        looks.append(shown)
        if nothing_escapes(_comparable(looks)):
            posts = {post.remote_id: post for look in looks for post in look.posts}
            in_order = sorted(posts.values(), key=lambda post: post.published_at)
            return replace(shown, posts=tuple(in_order))
    return Survey(readable=False, detail="the channel shows other posts at each look")


def _comparable(looks: list[Survey]) -> list[set[str]]:
    """Return what each look showed, from the youngest of their first posts on: older ones are beyond a page's end."""
    begin = max((look.posts[0].published_at for look in looks if look.posts), default=None)
    return [
        {post.remote_id for post in look.posts if begin is not None and post.published_at >= begin} for look in looks
    ]


def _neighbour(post: PublicPost) -> Neighbour:
    last = post.more_ids[-1] if post.more_ids else post.remote_id
    return Neighbour(remote_id=last, published_at=post.published_at)
