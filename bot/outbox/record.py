"""Writes down how a call ended: the delivery's next state, the attempt, the ledger, and what follows from it."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from sqlalchemy.ext.asyncio import AsyncConnection

from bot.agenda.follow_up import follow
from bot.clock import Clock
from bot.domain.channel import ChannelId
from bot.domain.delivery import AttemptId, Delivery, Kind, State, Verdict
from bot.domain.ledger import Attempt, Receipt
from bot.errors import (
    DatabaseError,
    LostClaimError,
    NotPublishedError,
    PhotoRefusedError,
    ThrottledError,
    UploadRefusedError,
)
from bot.failpoints import reach
from bot.logs import logger
from bot.metrics import Metrics
from bot.outbox.lane import Lane, Timing
from bot.outbox.prepare import Ready
from bot.store import articles, channels, deliveries, ledger, pace
from bot.store.database import Database
from bot.store.decisions import Decision, cap, decide

_DONE = {Kind.PUBLISH: "published", Kind.DIGEST: "published", Kind.EDIT: "edited", Kind.WITHDRAW: "withdrawn"}
_log = logger("outbox")


@dataclass(frozen=True, slots=True, kw_only=True)
class Marked:
    """A delivery whose call may leave now. `asked_at` is running time from before the mark was asked for."""

    delivery: Delivery
    attempt_id: AttemptId
    asked_at: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Ended:
    """How a call ended: with a receipt, with an error, or not begun at all."""

    verdict: Verdict
    error: str = ""
    cause: Exception | None = None
    ready: Ready | None = None
    receipt: Receipt | None = None


class Recorder:
    """The only writer of outcomes."""

    def __init__(
        self, database: Database, clock: Clock, metrics: Metrics, lanes: Mapping[ChannelId, Lane], timing: Timing
    ) -> None:
        self._database = database
        self._clock = clock
        self._metrics = metrics
        self._served = {lane.id: lane.channel for lane in lanes.values()}
        self._timing = timing

    async def record(self, lane: Lane, marked: Marked, ended: Ended) -> None:
        """Write an outcome down. Tried again while the database is away, until the lease is over.

        Raises:
            DatabaseError: it stayed away; the delivery is left to `reconcile`.
        """
        reach("record.before")
        deadline = marked.asked_at + self._timing.lease.total_seconds()
        while True:
            try:
                await self._record(lane, marked, ended)
                reach("record.after")
                break
            except DatabaseError as fault:
                if self._clock.running() > deadline:
                    _log.error("an outcome could not be recorded", delivery=marked.delivery.id, why=str(fault))
                    raise
                await asyncio.sleep(0.5)
        if ended.error:
            level = _log.warning if isinstance(ended.cause, NotPublishedError) else _log.error
            level(
                "a call ended without a receipt",
                delivery=marked.delivery.id,
                channel=lane.channel.name,
                becomes=ended.verdict.state,
                why=ended.error,
            )

    async def record_unsent(self, lane: Lane, delivery: Delivery, ended: Ended) -> None:
        """Write down that a claimed delivery could not be made ready; nothing was public."""
        async with channels.turn(self._database, [lane.id]) as (tx, now):
            await self._leave(tx, lane, delivery, ended, now)
        self._log_end(lane, delivery, ended)

    async def record_found(self, lane: Lane, delivery: Delivery, attempt: Attempt, receipt: Receipt, how: str) -> None:
        """Write down that an unanswered post was found to be public."""
        async with channels.turn(self._database, [lane.id]) as (tx, now):
            await self.enter_found(tx, lane, delivery, attempt, receipt, how, now)
            reach("settle.before")
        reach("settle.after")

    async def enter_found(
        self,
        tx: AsyncConnection,
        lane: Lane,
        delivery: Delivery,
        attempt: Attempt,
        receipt: Receipt,
        how: str,
        now: datetime,
    ) -> None:
        """Do the same within a transaction that has the channel's turn."""
        if delivery.state is State.CLAIMED:
            await deliveries.move(tx, delivery, State.PLANNED, now)
            delivery = replace(delivery, state=State.PLANNED)
        await deliveries.move(tx, delivery, State.PUBLISHED, now, error="")
        stored = await articles.get(tx, delivery.article_id) if delivery.article_id is not None else None
        title = stored.article.title if stored is not None else attempt.plain.partition("\n")[0][:200]
        await ledger.enter(tx, delivery, receipt, attempt.method, title=title, text=attempt.text, at=attempt.started_at)
        # The call may have left, and the post appeared, some time after the mark; whose clock is right is not known.
        await channels.note_post(tx, lane.id, min(now, max(attempt.started_at, receipt.published_at or now)))
        await channels.change(tx, lane.id, wake_at=now)
        await decide(tx, [about(delivery, "published", f"{how}: {receipt.permalink or receipt.remote_id}")], now)
        await self.follow_own(tx, delivery, now)
        self.count(lane, delivery.kind, State.PUBLISHED)

    def count(self, lane: Lane, kind: Kind, state: State) -> None:
        """Count a delivery that came to an end, or to a halt."""
        self._metrics.deliveries.labels(lane.channel.name, lane.channel.platform, kind, state).inc()

    async def _record(self, lane: Lane, marked: Marked, ended: Ended) -> None:
        delivery, state = marked.delivery, ended.verdict.state
        async with channels.turn(self._database, [lane.id]) as (tx, now):
            await ledger.end_attempt(tx, marked.attempt_id, now, state.value, error=ended.error, receipt=ended.receipt)
            await lane.rest(tx, now)
            try:
                if state is State.PUBLISHED and ended.ready is not None:
                    await deliveries.move(tx, delivery, state, now, error=ended.error)
                    await self._published(tx, lane, delivery, ended.ready, ended, now)
                else:
                    await self._leave(tx, lane, delivery, ended, now)
            except LostClaimError:
                # Fenced out: the receipt on the attempt is evidence for whoever settles it.
                _log.warning("a late answer was kept as evidence", delivery=delivery.id, channel=lane.channel.name)
                return
        self._log_end(lane, delivery, ended)

    def _log_end(self, lane: Lane, delivery: Delivery, ended: Ended) -> None:
        state = ended.verdict.state
        if isinstance(ended.cause, ThrottledError):
            self._metrics.throttled.labels(lane.channel.platform).inc()
        if ended.verdict.stops_channel:
            self._metrics.channel_access.labels(lane.channel.name).set(0)
        if state is not State.PLANNED:
            self.count(lane, delivery.kind, state)
        if ended.receipt is not None:
            _log.info("published", delivery=delivery.id, channel=lane.channel.name, link=ended.receipt.permalink)

    async def _leave(self, tx: AsyncConnection, lane: Lane, delivery: Delivery, ended: Ended, now: datetime) -> None:
        """Take a delivery that is not public where its error sends it."""
        verdict = ended.verdict
        more: dict[str, Any] = {}
        if verdict.free and delivery.state is State.SENDING:
            more["attempts"] = delivery.attempts - 1
        if verdict.step_down:
            more["rung"] = delivery.rung + 1
        await deliveries.move(
            tx, delivery, verdict.state, now, error=ended.error, held_reason=verdict.held_reason, **more
        )
        if isinstance(ended.cause, ThrottledError):
            scope = ended.cause.scope
            banned = [limit for limit in lane.limits if limit[0].startswith(scope)]
            await pace.ban(tx, banned, now + ended.cause.retry_after)
        if (
            isinstance(ended.cause, PhotoRefusedError | UploadRefusedError)
            and ended.ready is not None
            and ended.ready.parcel.photo
        ):
            await ledger.forget_upload(tx, lane.publisher.account, ended.ready.parcel.photo.key)
        rests_until = now + verdict.wait if verdict.wait else None
        await channels.change(tx, lane.id, wake_at=rests_until or now, rests_until=rests_until)
        if verdict.stops_channel:
            await channels.change(tx, lane.id, access_lost_at=now, access_detail=ended.error, wake_at=None)
        if verdict.state is State.FAILED and delivery.article_id is not None:
            await self.follow_own(tx, delivery, now)  # a newer revision may pass where this one was refused
        told = ended.error + (f" (attempt {delivery.attempts})" if delivery.attempts else "")
        await decide(tx, [about(delivery, _word(verdict), told)], now)
        if verdict.state is State.PLANNED and delivery.article_id is not None:
            await cap(tx, delivery.article_id)

    async def follow_own(self, tx: AsyncConnection, delivery: Delivery, now: datetime) -> None:
        """Let the posts of a delivery's article follow what changed while it was on its way."""
        if delivery.article_id is None:
            return
        revision, retracted_at = await articles.standing(tx, delivery.article_id)
        if revision > delivery.revision or retracted_at is not None:
            stored = await articles.get(tx, delivery.article_id)
            mine = {delivery.channel_id: self._served[delivery.channel_id]}
            await follow(tx, stored, mine, gather=self._timing.gather, now=now)

    async def _published(
        self, tx: AsyncConnection, lane: Lane, delivery: Delivery, ready: Ready, ended: Ended, now: datetime
    ) -> None:
        """Enter what is public now, and let it follow what changed while it was on its way."""
        post, receipt = ready.parcel.post, ended.receipt
        told = ended.error
        if receipt is not None:
            await ledger.enter(tx, delivery, receipt, post.method, title=ready.title, text=post.text, at=now)
            if receipt.upload is not None and ready.parcel.photo is not None and ready.parcel.upload is None:
                await ledger.keep_upload(tx, lane.publisher.account, ready.parcel.photo.key, receipt.upload, now)
            told = receipt.permalink or f"id {receipt.remote_id}"
        elif ready.target is not None:
            await ledger.amend(tx, ready.target.delivery_id, **_amended(delivery, ready, now))
        last_at = {"last_at": now} if receipt is not None else {}
        await channels.change(tx, lane.id, wake_at=now, rests_until=None, **last_at)
        notes = "; ".join(part for part in (told, *ready.notes) if part)
        await decide(tx, [about(delivery, _DONE[delivery.kind], notes)], now)
        await self.follow_own(tx, delivery, now)
        stored = ready.stored
        if receipt is not None and stored is not None and delivery.repost >= 0:
            arrived = max(stored.first_seen_at, stored.article.published_at or stored.first_seen_at)
            self._metrics.article_to_post_seconds.observe(max(0.0, (now - arrived).total_seconds()))


def about(delivery: Delivery, decision: str, detail: str) -> Decision:
    """Return a decision about a delivery."""
    return Decision(
        decision=decision,
        detail=detail,
        article_id=delivery.article_id,
        channel_id=delivery.channel_id,
        delivery_id=delivery.id,
    )


def _amended(delivery: Delivery, ready: Ready, now: datetime) -> dict[str, Any]:
    """Return what of a public post an edit or a withdrawal changed."""
    text = ready.parcel.post.text
    if delivery.kind is Kind.WITHDRAW:
        return {"withdrawn_at": now, "revision": delivery.revision} | ({"text": text} if delivery.rung else {})
    return {
        "edited_at": now,
        "hand_at": now if delivery.has_own_words else None,
        "text": text,
        "title": ready.title,
        "revision": delivery.revision,
        "article_id": delivery.article_id,  # another one where the same story was told anew
    }


def _word(verdict: Verdict) -> str:
    """Name in one word what `why` should say of a call that gave no receipt."""
    if verdict.state is State.PLANNED:
        return "throttled" if verdict.free else "tried in vain"
    return f"held: {verdict.held_reason}" if verdict.held_reason is not None else verdict.state.value
