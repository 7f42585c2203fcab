"""One delivery from its claim to its call: claim, prepare, mark, guard, call.

Three commits a delivery, none of them open during a call. Between mark and record the post may be public; whatever
interrupts the worker there is settled later by `reconcile`, never guessed.
"""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import datetime, timedelta

from sqlalchemy.ext.asyncio import AsyncConnection

from bot.agenda import steering
from bot.channels.guard import leave_by
from bot.clock import Clock
from bot.domain.delivery import Delivery, HeldReason, Kind, State, Verdict, after_error
from bot.domain.ledger import Attempt, Neighbour, Receipt, is_unknown, newest_of
from bot.domain.plan import Head, Status, next_slot
from bot.errors import BotError, NotPublishedError
from bot.failpoints import reach
from bot.logs import logger
from bot.metrics import Metrics
from bot.outbox.lane import Lane, Timing
from bot.outbox.prepare import Preparer, Ready, Settled
from bot.outbox.proving import Prover
from bot.outbox.record import Ended, Marked, Recorder, about
from bot.store import articles, channels, deliveries, ledger, pace
from bot.store.database import Database
from bot.store.decisions import decide

_BUSY = 0.05  # seconds before a channel that somebody else has in hand is looked at again
_NEIGHBOURS = 5
_SHORT = timedelta(seconds=1)  # a pace this near is waited for with the mark in hand
_log = logger("outbox")


class Deliverer:
    """Brings out a channel's next delivery."""

    def __init__(
        self,
        database: Database,
        clock: Clock,
        metrics: Metrics,
        preparer: Preparer,
        recorder: Recorder,
        prover: Prover,
        timing: Timing,
        *,
        shadow: bool = False,
    ) -> None:
        self._database = database
        self._clock = clock
        self._metrics = metrics
        self._preparer = preparer
        self._recorder = recorder
        self._prover = prover
        self._timing = timing
        self._shadow = shadow
        self._stopping = asyncio.Event()

    def stop(self) -> None:
        """Let what is only claimed go back to the queue."""
        self._stopping.set()

    def leaves(self, lane: Lane) -> bool:
        """Whether this process has just found that what waits in a channel is not for it to send yet."""
        return self._prover.is_left(lane.id)

    async def deliver_next(self, lane: Lane) -> bool:
        """Take the channel's next delivery and bring it to an end; False where nothing is due."""
        reach("claim.before")
        claimed = await self._claim(lane)
        if claimed is None:
            await asyncio.sleep(_BUSY)  # a replica, or a pass of the intake, has the channel in hand
            return False
        if not isinstance(claimed, Delivery):
            return claimed
        reach("claim.after")
        try:
            ready = await self._prepare(claimed, lane)
        except NotPublishedError as error:
            verdict = after_error(error, claimed.kind, claimed.attempts, self._timing.lease, claimed.rung)
            ended = Ended(verdict=verdict, error=_told(error), cause=error)
            await self._recorder.record_unsent(lane, claimed, ended)
            return True
        except BotError:
            raise
        except Exception as error:
            # A fault of ours in one article must not stop the channel for all others.
            _log.exception("a post could not be prepared", delivery=claimed.id, channel=lane.channel.name)
            why = f"a fault of the program, see the log: {type(error).__name__}: {error}"
            ready = Settled(state=State.HELD, held_reason=HeldReason.TEMPLATE, why=why)
        if ready is None:
            await self._release(lane, claimed, "the service stops")
            return False
        if self._shadow and isinstance(ready, Ready):
            why = "shadow mode: it would have gone out now"
            ready = Settled(state=State.CANCELLED, why=why, text=ready.parcel.post.text)
        if isinstance(ready, Settled):
            await self._settle(lane, claimed, ready)
            return True
        marked = await self._mark(lane, claimed, ready)
        if marked is not None:
            await self._call(lane, marked, ready)
        return True

    async def _prepare(self, delivery: Delivery, lane: Lane) -> Ready | Settled | None:
        """Make a delivery ready; None where the service was told to stop meanwhile."""
        preparing = asyncio.create_task(self._preparer.prepare(delivery, lane, self._clock.now()))
        stopping = asyncio.create_task(self._stopping.wait())
        try:
            await asyncio.wait({preparing, stopping}, return_when=asyncio.FIRST_COMPLETED)
            if self._stopping.is_set():
                return None
            return await preparing
        finally:
            stopping.cancel()
            if not preparing.done():
                preparing.cancel()
            await asyncio.gather(preparing, stopping, return_exceptions=True)

    async def _claim(self, lane: Lane) -> Delivery | bool | None:
        """Claim what is due; else True to look again at once, False to wait, None where somebody has the channel."""
        async with self._database.write() as tx:
            taken = await channels.alone(self._database, tx, lane.id)
            if taken is None:
                return None
            row, now = taken
            heads = await deliveries.heads(tx, lane.id) if row.access_lost_at is None else None
            if heads is None:
                await channels.change(tx, lane.id, wake_at=None)
                return False
            status = await channels.status(tx, row, lane.channel.timetable, now)
            servable = heads
            if not self._prover.is_proven(lane.id):
                servable = await self._servable(tx, lane, heads, status, now)
            slot = next_slot(lane.channel.timetable, status, servable, now)
            if slot is None or slot.at > now:
                if len(servable) < len(heads):
                    return False  # it stays awake for those who may send what waits
                await channels.change(tx, lane.id, wake_at=slot.at if slot is not None else None)
                return False
            if slot.expires:
                await self._expire(tx, lane, await deliveries.get(tx, slot.head.delivery), now)
                return True
            paced = await pace.earliest(tx, lane.limits, now)
            if paced > now + _SHORT:
                await channels.change(tx, lane.id, wake_at=paced)
                return False
            claimed = await deliveries.claim(tx, slot.head.delivery, now + self._timing.lease)
            if claimed is None:
                return False
            return True if await self._is_public(tx, lane, claimed, now) else claimed

    async def _servable(
        self, tx: AsyncConnection, lane: Lane, heads: list[Head], status: Status, now: datetime
    ) -> list[Head]:
        """Return what may go in a channel that is not compared with its ledger: changes, and what a person answers for.

        What waits for nobody but this comparison for too long is given to a person. Whatever else another replica
        does here is left alone: it may have compared the channel.
        """
        servable = [head for head in heads if not head.kind.makes_public]
        slot = next_slot(lane.channel.timetable, status, [head for head in heads if head.kind.makes_public], now)
        if slot is None or slot.at > now:
            return heads
        delivery = await deliveries.get(tx, slot.head.delivery)
        if await steering.answered_for(tx, delivery):
            return [*servable, slot.head]
        given_up = self._prover.given_up(lane.id)
        since = max(delivery.turn_at, delivery.pinned_at or delivery.turn_at, status.last_at or delivery.turn_at)
        if given_up is not None and (given_up[0] is HeldReason.ACCESS or now - since >= self._timing.hold_after):
            await self._give_to_a_person(tx, lane, delivery, *given_up, now=now)
        self._prover.leave(lane.id)
        return servable

    async def _give_to_a_person(
        self, tx: AsyncConnection, lane: Lane, delivery: Delivery, reason: HeldReason, why: str, *, now: datetime
    ) -> None:
        await deliveries.move(tx, delivery, State.HELD, now, held_reason=reason, error=why)
        await decide(tx, [about(delivery, f"held: {reason}", why)], now)
        if reason is HeldReason.ACCESS:
            await channels.change(tx, lane.id, access_lost_at=now, access_detail=why, wake_at=None)
            self._metrics.channel_access.labels(lane.channel.name).set(0)
        self._recorder.count(lane, delivery.kind, State.HELD)

    async def _is_public(self, tx: AsyncConnection, lane: Lane, claimed: Delivery, now: datetime) -> bool:
        """Say whether a late answer of an earlier attempt has shown the post to be public, and enter it if so."""
        late = await ledger.late_answer(tx, claimed.id) if claimed.attempts and claimed.kind.makes_public else None
        if late is None:
            return False
        attempt, receipt = late
        if await ledger.holds(tx, lane.id, receipt.remote_id):
            why = f"a late answer says that it is post {receipt.remote_id}, which is in the ledger as another one"
            await deliveries.move(tx, claimed, State.HELD, now, held_reason=HeldReason.NO_EVIDENCE, error=why)
            await decide(tx, [about(claimed, f"held: {HeldReason.NO_EVIDENCE}", why)], now)
        else:
            await self._recorder.enter_found(tx, lane, claimed, attempt, receipt, "a late answer said so", now)
        await channels.wake(tx, [lane.id], now)
        return True

    async def _expire(self, tx: AsyncConnection, lane: Lane, delivery: Delivery, now: datetime) -> None:
        why = f"at its turn it was older than {lane.channel.timetable.fresh_for} (fresh_for)"
        await deliveries.move(tx, delivery, State.EXPIRED, now, error=why)
        await decide(tx, [about(delivery, "expired", why)], now)
        self._recorder.count(lane, delivery.kind, State.EXPIRED)

    async def _settle(self, lane: Lane, delivery: Delivery, settled: Settled) -> None:
        """Take a claimed delivery where it belongs instead of out."""
        async with channels.turn(self._database, [lane.id]) as (tx, now):
            more = {"text": settled.text} if settled.text else {}
            await deliveries.move(
                tx, delivery, settled.state, now, held_reason=settled.held_reason, error=settled.why, **more
            )
            if delivery.target_id is not None and settled.revision is not None:
                await ledger.amend(tx, delivery.target_id, revision=settled.revision)
                await self._recorder.follow_own(tx, replace(delivery, revision=settled.revision), now)
            await decide(tx, [about(delivery, settled.word, settled.why)], now)
            await channels.wake(tx, [lane.id], now)
        self._recorder.count(lane, delivery.kind, settled.state)
        _log.info("not sent", delivery=delivery.id, channel=lane.channel.name, state=settled.state, why=settled.why)

    async def _release(self, lane: Lane, delivery: Delivery, why: str) -> None:
        """Put a claimed delivery back; nothing was public."""
        async with channels.turn(self._database, [lane.id]) as (tx, now):
            await deliveries.move(tx, delivery, State.PLANNED, now, error=why)
            await channels.wake(tx, [lane.id], now)

    async def _mark(self, lane: Lane, delivery: Delivery, ready: Ready) -> Marked | None:
        """Commit that the call is about to leave; None where it must not."""
        reach("prepare.after")
        asked_at = self._clock.running()
        post, stored = ready.parcel.post, ready.stored
        revision = stored.revision if stored is not None else delivery.revision
        async with channels.turn(self._database, [lane.id]) as (tx, now):
            began = self._clock.running()
            newest = await articles.standing(tx, stored.id) if stored is not None else None
            if await self._is_public(tx, lane, delivery, now):
                return None
            if stored is not None and newest != (stored.revision, stored.retracted_at):
                await deliveries.move(tx, delivery, State.PLANNED, now, error="the article changed meanwhile")
                await channels.wake(tx, [lane.id], now)
                return None
            target = ready.target
            if target is not None and await ledger.entry(tx, target.delivery_id) != target:
                await deliveries.move(tx, delivery, State.PLANNED, now, error="the post changed meanwhile")
                await channels.wake(tx, [lane.id], now)
                return None
            paced = await pace.earliest(tx, lane.limits, now, locked=True)
            if paced > now + _SHORT:  # a ban or others of the same bot came between
                await deliveries.move(tx, delivery, State.PLANNED, now)
                await channels.change(tx, lane.id, wake_at=paced)
                return None
            watermark, neighbours = await self._neighbours(tx, lane)
            await deliveries.move(
                tx,
                delivery,
                State.SENDING,
                now,
                attempts=delivery.attempts + 1,
                revision=revision,
                lease_until=now + self._timing.lease,
                text=post.text,
            )
            attempt = Attempt(
                delivery_id=delivery.id,
                method=post.method,
                text=post.text,
                plain=post.plain,
                link=post.link,
                watermark=watermark,
                started_at=now,
                neighbours=neighbours,
                handle=ready.parcel.handle,
            )
            attempt_id = await ledger.begin_attempt(
                tx, attempt, fence=delivery.fence, payload_hash=ready.parcel.payload_hash
            )
            go_at = await pace.reserve(tx, lane.limits, now)
            reach("mark.before")
        reach("mark.after")
        sending = replace(delivery, state=State.SENDING, attempts=delivery.attempts + 1, revision=revision)
        # What the transaction took is part of the wait: calls that all left late would come in a bunch.
        await asyncio.sleep(max(0.0, (go_at - now).total_seconds() - (self._clock.running() - began)))
        return Marked(delivery=sending, attempt_id=attempt_id, asked_at=asked_at)

    async def _neighbours(self, tx: AsyncConnection, lane: Lane) -> tuple[str | None, tuple[Neighbour, ...]]:
        """Return the newest id known in a channel, and the newest posts known to be public, newest first."""
        own, gone = await ledger.neighbours(tx, lane.id, 2 * _NEIGHBOURS)
        own = [post for post in own if not is_unknown(post.remote_id)]
        seen = self._prover.neighbours(lane.id)
        known = newest_of((*own, *seen), 1)
        shown = (post for post in (*own, *seen) if post.remote_id not in gone)
        return known[0].remote_id if known else None, newest_of(shown, _NEIGHBOURS)

    async def _call(self, lane: Lane, marked: Marked, ready: Ready) -> None:
        """Make the one call that readers see, and record how it ended."""
        delivery = marked.delivery
        reach("call.before")
        started = self._clock.running()
        try:
            with leave_by(marked.asked_at + self._timing.guard.total_seconds()):
                receipt = await self._send(lane, delivery, ready)
        except Exception as error:
            verdict = after_error(error, delivery.kind, delivery.attempts, self._timing.lease, delivery.rung)
            ended = Ended(verdict=verdict, error=_told(error), cause=error)
        else:
            ended = Ended(verdict=Verdict(state=State.PUBLISHED), receipt=receipt)
        reach("call.after")
        self._metrics.publish_seconds.observe(self._clock.running() - started)
        await self._recorder.record(lane, marked, replace(ended, ready=ready))

    async def _send(self, lane: Lane, delivery: Delivery, ready: Ready) -> Receipt | None:
        publisher, target = lane.publisher, ready.target
        if target is None:
            return await publisher.publish(ready.parcel)
        if delivery.kind is Kind.WITHDRAW and delivery.rung == 0:
            await publisher.withdraw(target)
        else:
            await publisher.edit(target, ready.parcel)
        return None


def _told(error: Exception) -> str:
    """Return an error in words: ours speak for themselves, of others the kind says more than the text."""
    return str(error) if isinstance(error, BotError) else f"{type(error).__name__}: {error}"
