"""What editors do to the queue: the same steps for the desk in Telegram and for the calendar.

Each function is given a connection whose channel rows are locked (`store.channels.turn`), who acts and the time. It
takes one step of the state machine, keeps a decision (`why`) and an audit row, and wakes the channel. It never commits
and asks for no rights: whoever calls it has looked at the role in the same transaction.

`who` is "Name (number)"; editors read the name, the audit keeps both. Where a step is not possible a DeskError says
so in Ukrainian, to be shown as it is; of two who press at once, the second one reads what the first one did.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.agenda import refusals
from bot.agenda.follow_up import follow
from bot.compose.markup import one_line, plain
from bot.domain.channel import Channel, ChannelId, Platform
from bot.domain.delivery import WAITING, Delivery, DeliveryId, HeldReason, Kind, State
from bot.domain.ledger import Receipt, unknown_id
from bot.domain.plan import FOREVER
from bot.domain.post import Method, Own
from bot.errors import DeskError, LostClaimError
from bot.store import articles, channels, deliveries, house, ledger
from bot.store.decisions import Decision, decide, last_act, record_act
from bot.store.deliveries import NewDelivery
from bot.store.tables import channels as channel_rows
from bot.store.tables import deliveries as rows
from bot.store.tables import ledger as ledger_rows

STOP = "stop"  # the fact of the house that stops everything
PUBLISH = "publish"  # the act that can be stopped for a moment
MOST_WORDS = 4096
_GRACE = timedelta(minutes=1)  # a time picked a moment ago is not past yet
_FARTHEST = timedelta(days=366)
_REMEMBERED = timedelta(days=2)  # how far back "who did this" is looked for
_WORDS = {State.HELD: "held: editor"}  # what `why` calls a step
_LETS_GO = frozenset({"agree", "release", PUBLISH})
_BY_NOBODY = frozenset({HeldReason.ACCESS, HeldReason.NO_EVIDENCE})  # these are not simply let go


@dataclass(frozen=True, slots=True, kw_only=True)
class _Act:
    """One act of one person, as the audit keeps it."""

    tx: AsyncConnection
    who: str
    now: datetime
    action: str


async def pin(
    tx: AsyncConnection, delivery_id: DeliveryId, at: datetime | None, *, who: str, now: datetime
) -> Delivery:
    """Have a post go out at a time of an editor's choice (None: now), past windows, gaps and freshness.

    That is consent, too: a proposed post is agreed to, a held one released.
    """
    act = _Act(tx=tx, who=who, now=now, action="pin")
    delivery = await _load(act, delivery_id, WAITING)
    _refuse_unsettled(delivery)
    return await _go(act, delivery, pinned_at=_chosen(delivery, at, now))


async def unpin(tx: AsyncConnection, delivery_id: DeliveryId, *, who: str, now: datetime) -> Delivery:
    """Put a post back where its article's time puts it."""
    act = _Act(tx=tx, who=who, now=now, action="unpin")
    delivery = await _load(act, delivery_id, {State.PLANNED, State.HELD})
    if delivery.pinned_at is None:
        raise DeskError(refusals.NOT_PINNED)
    return await _change(act, delivery, pinned_at=None)


async def hold(tx: AsyncConnection, delivery_id: DeliveryId, *, who: str, now: datetime) -> Delivery:
    """Keep a delivery back until somebody releases it; a time that was set is kept."""
    act = _Act(tx=tx, who=who, now=now, action="hold")
    delivery = await _load(act, delivery_id, {State.PLANNED})
    return await _step(act, delivery, State.HELD, held_reason=HeldReason.EDITOR)


async def release(tx: AsyncConnection, delivery_id: DeliveryId, *, who: str, now: datetime) -> Delivery:
    """Let a held delivery go; one whose words have aged goes now, as it is."""
    act = _Act(tx=tx, who=who, now=now, action="release")
    delivery = await _load(act, delivery_id, {State.HELD})
    _refuse_unsettled(delivery)
    aged = delivery.held_reason is HeldReason.STALE_WORDS
    return await _go(act, delivery, pinned_at=now if aged else delivery.pinned_at)


async def cancel(tx: AsyncConnection, delivery_id: DeliveryId, *, who: str, now: datetime) -> Delivery:
    """Drop what waits; what an edit would have changed stays as it is until the article changes again."""
    act = _Act(tx=tx, who=who, now=now, action="cancel")
    return await _drop(act, await _load(act, delivery_id, WAITING))


async def agree(
    tx: AsyncConnection, delivery_id: DeliveryId, at: datetime | None = None, *, who: str, now: datetime
) -> Delivery:
    """Let a proposed delivery go in its turn, or at a chosen time."""
    act = _Act(tx=tx, who=who, now=now, action="agree")
    delivery = await _load(act, delivery_id, {State.PROPOSED})
    return await _go(act, delivery, pinned_at=None if at is None else _chosen(delivery, at, now))


async def publish(
    tx: AsyncConnection, delivery_id: DeliveryId, undo: timedelta = timedelta(0), *, who: str, now: datetime
) -> Delivery:
    """Have a delivery go out once `undo` is over («Опублікувати»); until then `stop` keeps it from going.

    As a pin for that time it is consent, and goes past windows, gaps and freshness. A change of a public post has no
    time of its own: it goes in its turn, but not before.
    """
    act = _Act(tx=tx, who=who, now=now, action=PUBLISH)
    delivery = await _load(act, delivery_id, WAITING)
    _refuse_unsettled(delivery)
    if delivery.kind.makes_public:
        return await _go(act, delivery, pinned_at=_chosen(delivery, now + undo, now))
    return await _go(act, delivery, turn_at=max(delivery.turn_at, now + undo))


async def stop(tx: AsyncConnection, delivery_id: DeliveryId, *, who: str, now: datetime) -> Delivery:
    """Keep back what `publish` let go («Зупинити»), while it has not left: it is held, with the time it had before."""
    act = _Act(tx=tx, who=who, now=now, action="stop")
    delivery = await _load(act, delivery_id, {State.PLANNED})
    last = await last_act(tx, subject(delivery.id), now - _REMEMBERED)
    kept = delivery.pinned_at
    if last is not None and last["action"] == PUBLISH:
        before = last["before"]["pinned_at"]
        kept = datetime.fromisoformat(before) if before is not None else None
    return await _step(act, delivery, State.HELD, held_reason=HeldReason.EDITOR, pinned_at=kept)


async def decline(tx: AsyncConnection, delivery_id: DeliveryId, *, who: str, now: datetime) -> Delivery:
    """Drop a proposed delivery."""
    act = _Act(tx=tx, who=who, now=now, action="decline")
    return await _drop(act, await _load(act, delivery_id, {State.PROPOSED}))


async def reword(tx: AsyncConnection, delivery_id: DeliveryId, text: str, *, who: str, now: datetime) -> Delivery:
    """Give a waiting delivery an editor's own words, in Telegram's HTML."""
    act = _Act(tx=tx, who=who, now=now, action="reword")
    delivery = await _load(act, delivery_id, WAITING)
    check_words(text)
    return await _change(act, delivery, **deliveries.own_columns(replace(delivery.own or Own(), words=text)))


async def give(tx: AsyncConnection, delivery_id: DeliveryId, own: Own, *, who: str, now: datetime) -> Delivery:
    """Give a waiting delivery all that an editor chose for it, and nothing of what was chosen before."""
    act = _Act(tx=tx, who=who, now=now, action="reword")
    delivery = await _load(act, delivery_id, WAITING)
    return await _change(act, delivery, rung=0, **deliveries.own_columns(own))


async def put(
    tx: AsyncConnection, new: NewDelivery, action: str, before: Any = None, *, who: str, now: datetime
) -> Delivery:
    """Queue a delivery that an editor wants.

    Args:
        before: what there was, as the audit keeps it.

    Raises:
        DeskError: the channel has this post already, or a change of it that waits.
    """
    act = _Act(tx=tx, who=who, now=now, action=action)
    made = await deliveries.queue(tx, new, now)
    if made is None:
        raise DeskError(refusals.THERE_ALREADY)
    return await _told(act, await deliveries.get(tx, made), "queued", was=[before])


async def revive(
    tx: AsyncConnection, delivery_id: DeliveryId, at: datetime, action: str = "post", *, who: str, now: datetime
) -> Delivery:
    """Have a post go out at that time which was cancelled, had expired or was refused: a person answers for it."""
    act = _Act(tx=tx, who=who, now=now, action=action)
    delivery = await _load(act, delivery_id, {State.CANCELLED, State.EXPIRED, State.FAILED})
    at = _chosen(delivery, at, now)
    return await _step(act, delivery, State.PLANNED, pinned_at=at, rung=0, backlog=False, error="")


def check_words(text: str) -> None:
    """Refuse words that can be no post.

    Raises:
        DeskError: they are empty, or more than any platform takes.
    """
    words = plain(text, Platform.TELEGRAM)
    if not one_line(words):
        raise DeskError(refusals.NO_TEXT)
    if len(words) > MOST_WORDS:
        raise DeskError(refusals.LONG_TEXT.format(most=MOST_WORDS))


async def settle_held_present(
    tx: AsyncConnection,
    delivery_id: DeliveryId,
    receipt: Receipt | None,
    *,
    served: Mapping[ChannelId, Channel],
    gather: timedelta = timedelta(0),
    who: str,
    now: datetime,
) -> Delivery:
    """Take an editor's word («Вже є») that a held post is public: it enters the ledger, and follows its article.

    Args:
        receipt: where its id could be found; else it is entered under an id that no platform knows, and edits and
            withdrawals of it end without touching anything.
    """
    act = _Act(tx=tx, who=who, now=now, action="present")
    delivery = await _load_unproven(act, delivery_id)
    if receipt is not None and await _is_taken(tx, delivery.channel_id, receipt.remote_id):
        raise DeskError(refusals.TAKEN)
    known = receipt or Receipt(remote_id=unknown_id(delivery.id))
    await _move(act, delivery, State.PUBLISHED, error="")
    stored = await articles.get(tx, delivery.article_id) if delivery.article_id is not None else None
    last = await ledger.last_attempt(tx, delivery.id)
    text, plain, at = ("", "", now) if last is None else (last[1].text, last[1].plain, last[1].started_at)
    title = stored.article.title if stored is not None else plain.partition("\n")[0][:200]
    method = last[1].method if last is not None else await _plainest(tx, delivery.channel_id)
    await ledger.enter(tx, delivery, known, method, title=title, text=text, at=at)
    await channels.note_post(tx, delivery.channel_id, at)
    where = f": {known.permalink or known.remote_id}" if receipt is not None else "; its id is not known"
    told = await _told(act, delivery, "published", detail=f"an editor saw it in the channel{where}")
    if stored is not None:
        mine = {delivery.channel_id: served[delivery.channel_id]} if delivery.channel_id in served else {}
        await follow(tx, stored, mine, gather=gather, now=now)
    return told


async def settle_held_again(tx: AsyncConnection, delivery_id: DeliveryId, *, who: str, now: datetime) -> Delivery:
    """Take an editor's word («Надіслати ще раз») that a held post is not public: it goes out now."""
    act = _Act(tx=tx, who=who, now=now, action="again")
    return await _go(act, await _load_unproven(act, delivery_id), pinned_at=now)


async def answered_for(tx: AsyncConnection, delivery: Delivery) -> bool:
    """Say whether an editor looked into the channel and had this post sent all the same («Надіслати ще раз»)."""
    if delivery.pinned_at is None:
        return False
    last = await last_act(tx, subject(delivery.id), delivery.pinned_at - _REMEMBERED)
    return last is not None and last["action"] == "again"


async def agreed(tx: AsyncConnection, delivery: Delivery, since: datetime) -> bool:
    """Say whether an editor let this delivery go since then, by the last that was decided about it."""
    last = await last_act(tx, subject(delivery.id), since)
    return last is not None and last["action"] in _LETS_GO


async def pause_channel(
    tx: AsyncConnection, channel_id: ChannelId, until: datetime | None, *, who: str, now: datetime
) -> None:
    """Let no new post out of a channel until then (None: until somebody resumes it); edits and withdrawals go on."""
    if until is not None and until <= now:
        raise DeskError(refusals.PAST)
    await _pause(_Act(tx=tx, who=who, now=now, action="pause"), channel_id, until or FOREVER)


async def resume_channel(tx: AsyncConnection, channel_id: ChannelId, *, who: str, now: datetime) -> None:
    """End a pause; what has grown too old meanwhile expires at its turn."""
    await _pause(_Act(tx=tx, who=who, now=now, action="resume"), channel_id, None)


async def stop_all(tx: AsyncConnection, *, who: str, now: datetime) -> None:
    """Stop everything but withdrawals, in all channels, until somebody resumes it."""
    act = _Act(tx=tx, who=who, now=now, action="stop all")
    if await house.fact(tx, STOP) is not None:
        raise DeskError(refusals.with_act(refusals.STOPPED, await _last(act, "everything")))
    await house.keep_fact(tx, STOP, FOREVER, note=who)
    await record_act(tx, who=who, action=act.action, subject="everything", before=None, after="stopped", now=now)


async def resume_all(tx: AsyncConnection, *, who: str, now: datetime) -> None:
    """End the stop of everything: what waits goes out in order, and what is no longer fresh expires at its turn."""
    act = _Act(tx=tx, who=who, now=now, action="resume all")
    if await house.fact(tx, STOP) is None:
        raise DeskError(refusals.with_act(refusals.NOT_STOPPED, await _last(act, "everything")))
    await house.keep_fact(tx, STOP, None)
    await channels.wake(tx, [row.id for row in await channels.everyone(tx)], now)
    await record_act(tx, who=who, action=act.action, subject="everything", before="stopped", after=None, now=now)


async def overtaken(tx: AsyncConnection, delivery: Delivery, now: datetime) -> DeskError:
    """Return the error for somebody who acts on what stands no longer as they saw it: where it stands, and whose."""
    found = await last_act(tx, subject(delivery.id), now - _REMEMBERED)
    return DeskError(refusals.too_late(delivery.id, delivery.state, found))


def subject(delivery_id: DeliveryId) -> str:
    """Name a delivery as the audit does."""
    return f"delivery {delivery_id}"


async def _load(act: _Act, delivery_id: DeliveryId, states: Collection[State]) -> Delivery:
    found = await deliveries.find(act.tx, rows.c.id == delivery_id)
    if not found:
        raise DeskError(refusals.no_such(delivery_id))
    if found[0].state not in states:
        raise await overtaken(act.tx, found[0], act.now)
    return found[0]


async def _load_unproven(act: _Act, delivery_id: DeliveryId) -> Delivery:
    delivery = await _load(act, delivery_id, {State.HELD})
    if delivery.held_reason is not HeldReason.NO_EVIDENCE or not delivery.kind.makes_public:
        raise DeskError(refusals.KNOWN)
    return delivery


def _refuse_unsettled(delivery: Delivery) -> None:
    if delivery.held_reason in _BY_NOBODY:
        unproven = delivery.held_reason is HeldReason.NO_EVIDENCE
        raise DeskError(refusals.NO_EVIDENCE if unproven else refusals.NO_ACCESS)


def _chosen(delivery: Delivery, at: datetime | None, now: datetime) -> datetime:
    """Return the time for a pin, or say why it is none."""
    if not delivery.kind.makes_public:
        raise DeskError(refusals.ONLY_POSTS)
    return check_time(at, delivery.turn_at, now)


def check_time(at: datetime | None, turn_at: datetime, now: datetime) -> datetime:
    """Return the time for a post of an editor's choice (None: now).

    Raises:
        DeskError: it is past, too far ahead, or before the article's own time.
    """
    if at is not None and at < now - _GRACE:
        raise DeskError(refusals.PAST)
    if at is not None and at > now + _FARTHEST:
        raise DeskError(refusals.TOO_FAR)
    chosen = now if at is None else max(at, now)
    if chosen < turn_at:
        raise DeskError(refusals.EMBARGO)
    return chosen


async def _go(act: _Act, delivery: Delivery, **times: datetime | None) -> Delivery:
    """Have a delivery planned, whatever it waited for."""
    if delivery.state is State.PLANNED:
        return await _change(act, delivery, **times)
    return await _step(act, delivery, State.PLANNED, error="", **times)


async def _drop(act: _Act, delivery: Delivery) -> Delivery:
    if delivery.kind is Kind.EDIT and delivery.target_id is not None and delivery.article_id is not None:
        # Or the post would be taken to be out of date, and the same change be proposed again.
        stored = await articles.get(act.tx, delivery.article_id)
        await ledger.amend(act.tx, delivery.target_id, revision=stored.revision)
    return await _step(act, delivery, State.CANCELLED, error=f"an editor decided so: {act.who}")


async def _step(act: _Act, delivery: Delivery, to: State, **columns: Any) -> Delivery:
    await _move(act, delivery, to, **columns)
    return await _told(act, delivery, _WORDS.get(to, to.value))


async def _move(act: _Act, delivery: Delivery, to: State, **columns: Any) -> None:
    try:
        await deliveries.move(act.tx, delivery, to, act.now, **columns)
    except LostClaimError:
        raise await overtaken(act.tx, await deliveries.get(act.tx, delivery.id), act.now) from None


async def _change(act: _Act, delivery: Delivery, **columns: Any) -> Delivery:
    await deliveries.change(act.tx, delivery.id, **columns)
    return await _told(act, delivery, act.action)


async def _told(act: _Act, before: Delivery, decision: str, detail: str = "", *, was: Sequence[Any] = ()) -> Delivery:
    """Keep the decision and the act, wake the channel, and return the delivery as it is now.

    Args:
        was: of a new delivery, the one thing that was before it.
    """
    tx, now = act.tx, act.now
    after = await deliveries.get(tx, before.id)
    pinned_before = None if was else before.pinned_at
    at = f", for {after.pinned_at.isoformat()}" if after.pinned_at not in (None, pinned_before) else ""
    made = Decision(
        decision=decision,
        detail=f"{detail or act.action}{at} ({act.who})",
        article_id=before.article_id,
        channel_id=before.channel_id,
        delivery_id=before.id,
    )
    await decide(tx, [made], now)
    await record_act(
        tx,
        who=act.who,
        action=act.action,
        subject=subject(before.id),
        before=was[0] if was else _seen(before),
        after=_seen(after),
        now=now,
    )
    await channels.wake(tx, [before.channel_id], now)
    return after


def _seen(delivery: Delivery) -> dict[str, Any]:
    """Return what an editor can change of a delivery, as plain values; of what can be given to it, what was."""
    given = {"words": delivery.words} | (asdict(delivery.own) if delivery.own is not None else {})
    return {
        "state": delivery.state.value,
        "held_reason": delivery.held_reason.value if delivery.held_reason is not None else None,
        "pinned_at": delivery.pinned_at.isoformat() if delivery.pinned_at is not None else None,
    } | {name: value for name, value in given.items() if value or (name == "photo" and value is not None)}


async def _pause(act: _Act, channel_id: ChannelId, until: datetime | None) -> None:
    row = await channels.get(act.tx, channel_id)
    if row is None:
        raise DeskError(refusals.NO_CHANNEL)
    name = f"channel {row.name}"
    if until is None and (row.paused_until is None or row.paused_until <= act.now):
        raise DeskError(refusals.with_act(refusals.NOT_PAUSED, await _last(act, name)))
    if until is not None and until == row.paused_until:
        raise DeskError(refusals.with_act(refusals.PAUSED, await _last(act, name)))
    await channels.change(act.tx, channel_id, paused_until=until)
    await channels.wake(act.tx, [channel_id], act.now)
    before, after = (_paused(at) for at in (row.paused_until, until))
    await record_act(act.tx, who=act.who, action=act.action, subject=name, before=before, after=after, now=act.now)


def _paused(until: datetime | None) -> dict[str, Any]:
    return {"paused_until": "until resumed" if until == FOREVER else until.isoformat() if until is not None else None}


async def _last(act: _Act, name: str) -> dict[str, Any] | None:
    return await last_act(act.tx, name, act.now - _REMEMBERED)


async def _is_taken(tx: AsyncConnection, channel_id: ChannelId, remote_id: str) -> bool:
    query = select(ledger_rows.c.delivery_id).where(
        ledger_rows.c.channel_id == channel_id, ledger_rows.c.remote_id == remote_id
    )
    return (await tx.execute(query)).scalar_one_or_none() is not None


async def _plainest(tx: AsyncConnection, channel_id: ChannelId) -> Method:
    query = select(channel_rows.c.platform).where(channel_rows.c.id == channel_id)
    platform = Platform((await tx.execute(query)).scalar_one())
    return Method.SEND_MESSAGE if platform is Platform.TELEGRAM else Method.FEED
