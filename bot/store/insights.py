"""What the desk and the calendar ask about posts and their figures. Only reads, and never more than it says."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import Select, func, or_, select, text
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.domain.channel import ChannelId, Platform
from bot.domain.delivery import DeliveryId, Kind, State
from bot.domain.figures import CLICKS, VIEWS, Counted, Stats, Today, add_up, earliest, reactions
from bot.domain.timetable import Timetable
from bot.store import figures as series
from bot.store.deliveries import UNFINISHED
from bot.store.tables import articles, channels, deliveries, figures, ledger

Which = ChannelId | Collection[ChannelId] | None  # one channel, some, or all that there ever were

MOST_POSTS = 10_000  # in one account


async def totals(tx: AsyncConnection, delivery_ids: Iterable[DeliveryId]) -> dict[DeliveryId, dict[str, int]]:
    """Return what each post has by now, by the figure's name; {} for a post of which nothing was told."""
    wanted = list(dict.fromkeys(delivery_ids))
    told = await series.newest(tx, wanted)
    return {one: {name: point.value for name, point in told.get(one, {}).items()} for one in wanted}


async def reactions_of(tx: AsyncConnection, delivery_ids: Iterable[DeliveryId]) -> dict[DeliveryId, dict[str, int]]:
    """Return each post's reactions by emoji, most frequent first; posts of which nothing was told are left out."""
    told = await totals(tx, delivery_ids)
    return {one: reactions(figures_of_one) for one, figures_of_one in told.items() if figures_of_one}


async def course(tx: AsyncConnection, delivery_id: DeliveryId) -> dict[str, list[tuple[datetime, int]]]:
    """Return how each figure of a post grew: (since when, how much), oldest first."""
    query = select(figures).where(figures.c.delivery_id == delivery_id).order_by(figures.c.name, figures.c.at)
    found: dict[str, list[tuple[datetime, int]]] = {}
    for row in await tx.execute(query):
        found.setdefault(row.name, []).append((row.at, row.value))
    return found


async def stats(tx: AsyncConnection, which: Which, since: datetime, now: datetime, zone: ZoneInfo) -> Stats:
    """Return what the posts of a time add up to, with the figures that they have by now.

    A time longer than a year, or of more than `MOST_POSTS` posts, is counted from its end.
    """
    since = earliest(since, now)
    ids = await _ids(tx, which)
    within = [ledger.c.channel_id.in_(ids), ledger.c.published_at >= since, ledger.c.published_at <= now]
    query = _posts().where(*within).order_by(ledger.c.published_at.desc()).limit(MOST_POSTS + 1)
    posts = (await tx.execute(query)).all()
    cut = len(posts) > MOST_POSTS
    posts = posts[:MOST_POSTS]
    if cut:
        since = posts[-1].published_at
        within[1] = ledger.c.published_at >= since
    meant = select(ledger.c.delivery_id).where(*within)
    known: dict[DeliveryId, dict[str, int]] = {}
    held: Counter[str] = Counter()
    for figure in await tx.execute(series.newest_points(figures.c.delivery_id.in_(meant))):
        known.setdefault(figure.delivery_id, {})[figure.name] = figure.value
        held[figure.name] += figure.value
    counted = [_counted(row, known.get(row.delivery_id, {})) for row in posts]
    return add_up(counted, reactions(held), since, now, zone, cut=cut)


async def history(tx: AsyncConnection, which: Which, *, most: int = 10, before: Counted | None = None) -> list[Counted]:
    """Return the newest posts with their figures, newest first.

    Args:
        before: the last post of the page before; None for the first page.
    """
    found: list[Any] = []
    for channel_id in await _ids(tx, which):  # an index seek each, however long the ledger is
        query = _posts().where(ledger.c.channel_id == channel_id)
        if before is not None:
            query = query.where(
                ledger.c.published_at <= before.published_at,
                or_(ledger.c.published_at < before.published_at, ledger.c.delivery_id < before.delivery_id),
            )
        found += await tx.execute(query.order_by(*_NEWEST_FIRST).limit(most))
    found.sort(key=lambda row: (row.published_at, row.delivery_id), reverse=True)
    return await _with_figures(tx, found[:most])


async def today(tx: AsyncConnection, which: Which, now: datetime, zone: ZoneInfo, *, most: int = 30) -> Today:
    """Return the outlet's day so far."""
    timetable = Timetable(zone=zone)
    day = timetable.day_of(now)
    begins = timetable.day_starts(day)
    ids = await _ids(tx, which)
    of_today = [ledger.c.channel_id.in_(ids), ledger.c.published_at >= begins, ledger.c.published_at <= now]
    posts = (await tx.execute(_posts().where(*of_today).order_by(*_NEWEST_FIRST).limit(most))).all()
    count = (await tx.execute(select(func.count()).select_from(ledger).where(*of_today))).scalar_one()
    query = (
        select(deliveries.c.kind, deliveries.c.state, func.count().label("number"))
        .where(deliveries.c.channel_id.in_(ids), deliveries.c.finished_at >= begins)
        .group_by(deliveries.c.kind, deliveries.c.state)
    )
    ended = {(row.kind, row.state): row.number for row in await tx.execute(query)}
    query = select(deliveries.c.state, func.count().label("number")).where(
        deliveries.c.channel_id.in_(ids), text(UNFINISHED)
    )
    waits = {row.state: row.number for row in await tx.execute(query.group_by(deliveries.c.state))}
    return Today(
        day=day,
        posts=tuple(await _with_figures(tx, posts)),
        published=count,
        edited=ended.get((Kind.EDIT, State.PUBLISHED), 0),
        withdrawn=ended.get((Kind.WITHDRAW, State.PUBLISHED), 0),
        **{
            state.value: sum(ended.get((kind, state), 0) for kind in Kind if kind.makes_public)
            for state in (State.FAILED, State.EXPIRED, State.CANCELLED)
        },
        **{state.value: waits.pop(state, 0) for state in (State.PLANNED, State.PROPOSED, State.HELD)},
        in_flight=sum(waits.values()),
    )


_NEWEST_FIRST = (ledger.c.published_at.desc(), ledger.c.delivery_id.desc())


async def _ids(tx: AsyncConnection, which: Which) -> list[ChannelId]:
    if which is None:
        return [ChannelId(row.id) for row in await tx.execute(select(channels.c.id).order_by(channels.c.id))]
    return [which] if isinstance(which, int) else sorted(set(which))


def _posts() -> Select[Any]:
    return (
        select(
            ledger.c.delivery_id,
            channels.c.name.label("channel"),
            channels.c.platform,
            ledger.c.title,
            ledger.c.permalink,
            ledger.c.published_at,
            ledger.c.withdrawn_at,
            deliveries.c.kind,
            deliveries.c.repost,
            articles.c.first_seen_at,
            articles.c.published_at.label("dated_at"),
        )
        .join_from(ledger, channels, channels.c.id == ledger.c.channel_id)
        .join(deliveries, deliveries.c.id == ledger.c.delivery_id)
        .join(articles, articles.c.id == ledger.c.article_id, isouter=True)
    )


async def _with_figures(tx: AsyncConnection, posts: Sequence[Any]) -> list[Counted]:
    told = await totals(tx, [DeliveryId(row.delivery_id) for row in posts])
    return [_counted(row, told[row.delivery_id]) for row in posts]


def _counted(row: Any, told: dict[str, int]) -> Counted:
    waited: timedelta | None = None
    if row.first_seen_at is not None and row.kind == Kind.PUBLISH and row.repost == 0:
        waited = row.published_at - max(row.first_seen_at, row.dated_at or row.first_seen_at)
        if waited < timedelta(0):  # the post was there first, and was adopted
            waited = None
    return Counted(
        delivery_id=DeliveryId(row.delivery_id),
        channel=row.channel,
        platform=Platform(row.platform),
        title=row.title,
        permalink=row.permalink,
        published_at=row.published_at,
        withdrawn_at=row.withdrawn_at,
        reactions=sum(reactions(told).values()),
        clicks=told.get(CLICKS),
        views=told.get(VIEWS),
        waited=waited,
    )
