"""What editors have published, changed, taken down or gathered by themselves: each one step per channel.

As in `steering`, each function is given a connection whose channel rows are locked, who acts and the time; it asks for
no rights, keeps a decision and an audit row, and says in Ukrainian what is not possible (DeskError). Nothing here
doubles what is public or waits: UNIQUE (channel, article, repost) holds for editors, too.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from sqlalchemy.ext.asyncio import AsyncConnection

from bot.agenda import refusals, steering
from bot.agenda.adoption import adopt
from bot.agenda.follow_up import follow
from bot.compose.post import Composer
from bot.domain import follow_up
from bot.domain.article import ArticleId
from bot.domain.channel import Channel, ChannelId
from bot.domain.delivery import FINAL, WAITING, Delivery, DeliveryId, HeldReason, Kind, State, Turn
from bot.domain.ledger import LedgerEntry, is_unknown
from bot.domain.post import Own
from bot.errors import DeskError
from bot.store import articles, deliveries, ledger
from bot.store.articles import StoredArticle
from bot.store.decisions import Decision, decide, record_act
from bot.store.deliveries import NewDelivery
from bot.store.tables import deliveries as rows

NO_UNDO = timedelta(0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """Where an article stands in a channel: the delivery of its post, and the post that is public."""

    delivery: Delivery | None = None
    public: LedgerEntry | None = None

    @property
    def is_waiting(self) -> bool:
        """Whether its post is still to come."""
        return self.public is None and self.delivery is not None and self.delivery.state not in FINAL


def turn_of(stored: StoredArticle) -> tuple[Turn, datetime]:
    """Return the turn of an article's post, and the moment that orders it."""
    article = stored.article
    turn = Turn.BREAKING if article.is_breaking else Turn.ORDINARY
    return turn, article.published_at or stored.first_seen_at


async def standings(tx: AsyncConnection, stored: StoredArticle) -> dict[ChannelId, Standing]:
    """Return where an article stands in each channel that has anything of it."""
    found = await deliveries.find(
        tx, rows.c.article_id == stored.id, rows.c.kind == Kind.PUBLISH, rows.c.repost == stored.returns
    )
    public = {entry.channel_id: entry for entry in await ledger.public_posts(tx, stored.id)}
    mine = {delivery.channel_id: delivery for delivery in found}
    return {
        channel_id: Standing(delivery=mine.get(channel_id), public=public.get(channel_id))
        for channel_id in (*mine, *(one for one in public if one not in mine))
    }


async def post(
    tx: AsyncConnection,
    composer: Composer,
    served: Mapping[ChannelId, Channel],
    stored: StoredArticle,
    channel_id: ChannelId,
    *,
    at: datetime | None,
    own: Own,
    undo: timedelta = NO_UNDO,
    who: str,
    now: datetime,
) -> Delivery:
    """Have an article go out in a channel at a time of an editor's choice: queue it, or move what waits already.

    Args:
        at: None for now, once `undo` is over; until then `steering.stop` keeps it back.
        own: what the editor chose instead of the article's.
    """
    name = served[channel_id].name
    if stored.retracted_at is not None:
        raise DeskError(refusals.RETRACTED)
    standing = (await standings(tx, stored)).get(channel_id, Standing())
    if standing.public is not None:
        raise DeskError(refusals.PUBLIC_ALREADY.format(channel=name))
    turn, turn_at = turn_of(stored)
    moment = steering.check_time(at, turn_at, now) if at is not None else steering.check_time(now + undo, turn_at, now)
    action = "post" if at is not None else steering.PUBLISH
    known = standing.delivery
    if known is None:
        new = NewDelivery(
            kind=Kind.PUBLISH,
            channel_id=channel_id,
            article_id=stored.id,
            repost=stored.returns,
            revision=stored.revision,
            state=State.PLANNED,
            turn=turn,
            turn_at=turn_at,
            pinned_at=moment,
            own=own,
        )
        made = await steering.put(tx, new, action, who=who, now=now)
        await adopt(tx, composer, {channel_id: served[channel_id]}, now, queued=[made.id])
        return await deliveries.get(tx, made.id)
    if known.state is State.PUBLISHED:
        raise DeskError(refusals.TAKEN_DOWN.format(channel=name))
    if known.state in FINAL:
        await steering.revive(tx, known.id, moment, action, who=who, now=now)
    elif known.state in WAITING and at is None:
        await steering.publish(tx, known.id, undo, who=who, now=now)
    else:
        await steering.pin(tx, known.id, moment, who=who, now=now)
    await deliveries.change(tx, known.id, backlog=False)
    current = await deliveries.get(tx, known.id)
    return current if (current.own or Own()) == own else await steering.give(tx, known.id, own, who=who, now=now)


async def is_uncertain(tx: AsyncConnection, delivery: Delivery) -> bool:
    """Say whether a delivery that was given up may have gone out all the same: nobody ever learnt what became of it."""
    if delivery.state not in (State.CANCELLED, State.EXPIRED) or not delivery.attempts:
        return False
    return await ledger.last_outcome(tx, delivery.id) in (State.UNKNOWN, "")


async def rewrite(tx: AsyncConnection, public: LedgerEntry, words: str, *, who: str, now: datetime) -> Delivery:
    """Have a public post read as an editor wrote; an edit that waits already is given these words instead."""
    steering.check_words(words)
    current = await ledger.entry(tx, public.delivery_id)
    if current is None or current.withdrawn_at is not None or is_unknown(current.remote_id):
        raise DeskError(refusals.NOT_PUBLIC)
    if current.adopted:
        raise DeskError(refusals.OTHERS_WORDS)
    waiting = await deliveries.find(
        tx, rows.c.target_id == public.delivery_id, rows.c.kind == Kind.EDIT, rows.c.state.not_in(FINAL)
    )
    if waiting:
        given = await steering.reword(tx, waiting[0].id, words, who=who, now=now)
        if given.state is State.PROPOSED:
            return await steering.agree(tx, given.id, who=who, now=now)
        return given if given.state is State.PLANNED else await steering.release(tx, given.id, who=who, now=now)
    base = await deliveries.get(tx, current.delivery_id)
    revision, _ = (0, None) if current.article_id is None else await articles.standing(tx, current.article_id)
    new = NewDelivery(
        kind=Kind.EDIT,
        channel_id=current.channel_id,
        article_id=current.article_id,
        revision=revision or current.revision,
        target_id=current.delivery_id,
        state=State.PLANNED,
        turn=Turn.EDIT,
        turn_at=now,
        own=replace(base.own or Own(), words=words),
    )
    return await steering.put(tx, new, "edit", {"words": current.text}, who=who, now=now)


async def retract(
    tx: AsyncConnection,
    served: Mapping[ChannelId, Channel],
    stored: StoredArticle,
    mine: Collection[ChannelId],
    reason: str,
    *,
    who: str,
    now: datetime,
) -> None:
    """Take an article back in some channels: what waits is dropped, what is public taken down as each is configured.

    Whoever may decide for all channels takes back the article itself, as a source does: it goes out nowhere any more.
    """
    told = f"{reason} ({who})" if reason else who
    before = {"retracted": stored.retracted_at is not None}
    await decide(tx, [Decision(decision="retracted", detail=told, article_id=stored.id)], now)
    if set(mine) >= set(served):
        stored = await articles.retract(tx, stored.id, reason, now)
        await follow(tx, stored, served, gather=NO_UNDO, now=now)
    else:
        await _take_down(tx, {one: served[one] for one in mine}, stored, who=who, now=now)
    after = {"retracted": stored.retracted_at is not None, "channels": sorted(served[one].name for one in mine)}
    name = f"article {stored.article.url}"
    await record_act(tx, who=who, action="retract", subject=name, before=before, after=after, now=now)


async def _take_down(
    tx: AsyncConnection, mine: Mapping[ChannelId, Channel], stored: StoredArticle, *, who: str, now: datetime
) -> None:
    """Take an article's posts down in some channels alone; in the others it lives on."""
    waiting = await deliveries.find(
        tx,
        rows.c.article_id == stored.id,
        rows.c.channel_id.in_(list(mine)),
        rows.c.kind != Kind.WITHDRAW,
        rows.c.state.in_(list(WAITING)),
        rows.c.held_reason.is_distinct_from(HeldReason.NO_EVIDENCE),  # it may be public
    )
    for delivery in waiting:
        await steering.cancel(tx, delivery.id, who=who, now=now)
    for public in await ledger.public_posts(tx, stored.id):
        channel = mine.get(public.channel_id)
        change = follow_up.retraction(channel) if channel is not None else None
        if change is None or change.kind is None:
            continue
        new = NewDelivery(
            kind=change.kind,
            channel_id=public.channel_id,
            article_id=stored.id,
            revision=stored.revision,
            target_id=public.delivery_id,
            state=change.state,
            turn=change.turn,
            turn_at=now,
            rung=change.rung,
        )
        if await _is_leaving(tx, public.delivery_id):
            continue
        await steering.put(tx, new, "withdraw", who=who, now=now)


async def _is_leaving(tx: AsyncConnection, delivery_id: DeliveryId) -> bool:
    found = await deliveries.find(
        tx, rows.c.target_id == delivery_id, rows.c.kind == Kind.WITHDRAW, rows.c.state.not_in(FINAL)
    )
    return bool(found)


async def gather(
    tx: AsyncConnection,
    channel_id: ChannelId,
    listed: Sequence[ArticleId],
    *,
    at: datetime | None,
    undo: timedelta = NO_UNDO,
    who: str,
    now: datetime,
) -> Delivery:
    """Make one post of several articles, unless the channel's last one of the day tells the same or still waits."""
    since = now - timedelta(days=1)
    earlier = await deliveries.find(
        tx,
        rows.c.channel_id == channel_id,
        rows.c.kind == Kind.DIGEST,
        rows.c.queued_at >= since,
        rows.c.state.not_in([State.CANCELLED, State.EXPIRED, State.FAILED]),
    )
    for one in earlier:
        if one.state is not State.PUBLISHED or set(one.listed) >= set(listed):
            raise await steering.overtaken(tx, one, now)
    moment = steering.check_time(now + undo if at is None else at, now, now)
    new = NewDelivery(
        kind=Kind.DIGEST,
        channel_id=channel_id,
        article_id=None,
        revision=1,
        state=State.PLANNED,
        turn=Turn.ORDINARY,
        turn_at=now,
        pinned_at=moment,
        listed=list(listed),
    )
    return await steering.put(tx, new, "digest" if at is not None else steering.PUBLISH, who=who, now=now)
