"""Makes what is public follow its article: corrections, retractions, returns.

Called when an article changed, and again when a post of it has just gone public: what changed in between is caught.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta

from sqlalchemy.ext.asyncio import AsyncConnection

from bot.domain import follow_up
from bot.domain.channel import Channel, ChannelId
from bot.domain.delivery import HeldReason, Kind, State
from bot.domain.ledger import LedgerEntry
from bot.store import channels, deliveries, ledger
from bot.store.articles import StoredArticle
from bot.store.decisions import Decision, decide
from bot.store.tables import deliveries as rows


async def follow(
    tx: AsyncConnection,
    stored: StoredArticle,
    served: Mapping[ChannelId, Channel],
    *,
    gather: timedelta,
    now: datetime,
) -> None:
    """Queue what the public posts of an article need, and drop what waits in vain.

    Args:
        served: the channels to look at by id, their rows locked; posts of closed ones are left alone.
        gather: how long an edit waits for further corrections.
    """
    made: list[Decision] = []
    if stored.retracted_at is not None:
        made += await _cancel_waiting(tx, stored, list(served), now)
    for public in await ledger.public_posts(tx, stored.id):
        channel = served.get(public.channel_id)
        if channel is None:
            continue
        if stored.retracted_at is not None:
            change = await _unless_told_anew(tx, stored, public, follow_up.retraction(channel))
        elif public.revision < stored.revision:
            changed = stored.article.title != public.title
            change = follow_up.correction(
                channel,
                headline_changed=changed,
                gather=gather,
                ours=not public.adopted,
                by_hand=public.hand_at is not None,
            )
        else:
            continue
        made += await _queue(tx, stored, public, change, now)
    await decide(tx, made, now)


async def _unless_told_anew(
    tx: AsyncConnection, stored: StoredArticle, public: LedgerEntry, change: follow_up.Change
) -> follow_up.Change:
    """Leave a post alone that is about to tell the story of another article: an address that changed, mostly."""
    taking_over = await deliveries.find(
        tx,
        rows.c.target_id == public.delivery_id,
        rows.c.kind == Kind.EDIT,
        rows.c.article_id != stored.id,
        rows.c.state.in_([State.PROPOSED, State.PLANNED, State.CLAIMED, State.SENDING, State.HELD]),
    )
    if not taking_over:
        return change
    return follow_up.Change(kind=None, why="the article was retracted; another one takes its post over")


async def _queue(
    tx: AsyncConnection, stored: StoredArticle, public: LedgerEntry, change: follow_up.Change, now: datetime
) -> list[Decision]:
    decision = Decision(
        decision="left" if change.kind is None else "follow-up",
        detail=change.why,
        article_id=stored.id,
        channel_id=public.channel_id,
        delivery_id=public.delivery_id,
    )
    if change.kind is None:
        await ledger.amend(tx, public.delivery_id, revision=stored.revision)
        return [decision]
    is_notice = change.kind is Kind.PUBLISH
    queued = await deliveries.queue(
        tx,
        deliveries.NewDelivery(
            kind=change.kind,
            channel_id=public.channel_id,
            article_id=stored.id,
            revision=stored.revision,
            # A notice of a correction is a post of its own: its number is that of the revision, below zero.
            repost=-stored.revision if is_notice else 0,
            target_id=None if is_notice else public.delivery_id,
            state=change.state,
            turn=change.turn,
            turn_at=now + change.wait,
            rung=change.rung,
        ),
        now,
    )
    if is_notice:
        await ledger.amend(tx, public.delivery_id, revision=stored.revision)
    await channels.wake(tx, [public.channel_id], now + change.wait)
    return [decision] if queued is not None else []


async def _cancel_waiting(
    tx: AsyncConnection, stored: StoredArticle, served: list[ChannelId], now: datetime
) -> list[Decision]:
    """Drop what waits for a retracted article, its edits included."""
    made = []
    waiting = await deliveries.find(
        tx,
        rows.c.article_id == stored.id,
        rows.c.channel_id.in_(served),
        rows.c.kind != Kind.WITHDRAW,
        rows.c.state.in_([State.PROPOSED, State.PLANNED, State.HELD]),
        rows.c.held_reason.is_distinct_from(HeldReason.NO_EVIDENCE),  # it may be public
    )
    for delivery in waiting:
        await deliveries.move(tx, delivery, State.CANCELLED, now, error="the article was retracted")
        made.append(
            Decision(
                decision="cancelled",
                detail="the article was retracted before it went out",
                article_id=stored.id,
                channel_id=delivery.channel_id,
                delivery_id=delivery.id,
            )
        )
    return made
