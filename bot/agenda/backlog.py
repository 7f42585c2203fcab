"""What becomes of posts that missed their turn while the service or a source was away."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.domain.article import Article
from bot.domain.channel import Channel, ChannelId
from bot.domain.delivery import Delivery, Kind, State, Turn
from bot.domain.timetable import CatchUp
from bot.store import channels, deliveries
from bot.store.decisions import Decision, decide
from bot.store.deliveries import NewDelivery
from bot.store.tables import deliveries as rows

MISSED_BY = timedelta(minutes=30)
LATEST = 5


def missed(channel: Channel, article: Article, now: datetime) -> bool:
    """Say whether an article would have had its turn in a channel long before now."""
    if article.published_at is None or article.published_at > now:
        return False
    turn_at = channel.timetable.opens(article.published_at, windows=not article.is_breaking)
    return turn_at is not None and turn_at < now - MISSED_BY


async def settle(tx: AsyncConnection, channel: Channel, channel_id: ChannelId, now: datetime) -> None:
    """Apply the channel's `catch_up` to its backlog: send all, send the newest five, or make one digest."""
    if channel.timetable.catch_up is CatchUp.ALL:
        return
    late = await deliveries.find(tx, rows.c.channel_id == channel_id, text("state = 'planned' AND backlog"))
    late.sort(key=lambda delivery: (delivery.turn_at, delivery.id))
    if channel.timetable.catch_up is CatchUp.DIGEST:
        if len(late) > 1:
            await _gather(tx, channel_id, late, now)
        return
    dropped = late[:-LATEST]
    for delivery in dropped:
        why = f"it missed its turn during an outage, and {LATEST} newer posts did too (catch_up = latest)"
        await deliveries.move(tx, delivery, State.EXPIRED, now, error=why)
        await decide(tx, [_about(delivery, "expired", why)], now)


async def _gather(tx: AsyncConnection, channel_id: ChannelId, late: list[Delivery], now: datetime) -> None:
    digest = await deliveries.queue(
        tx,
        NewDelivery(
            kind=Kind.DIGEST,
            channel_id=channel_id,
            article_id=None,
            revision=1,
            state=State.PLANNED,
            turn=Turn.ORDINARY,
            turn_at=now,
            listed=[
                article_id
                for delivery in late
                for article_id in (delivery.listed or [delivery.article_id])
                if article_id is not None
            ],
        ),
        now,
    )
    for delivery in late:
        why = f"it missed its turn during an outage and stands in digest {digest} (catch_up = digest)"
        await deliveries.move(tx, delivery, State.CANCELLED, now, error=why)
        await decide(tx, [_about(delivery, "digest", why)], now)
    await channels.wake(tx, [channel_id], now)


def _about(delivery: Delivery, decision: str, why: str) -> Decision:
    return Decision(
        decision=decision,
        detail=why,
        article_id=delivery.article_id,
        channel_id=delivery.channel_id,
        delivery_id=delivery.id,
    )
