"""What there is to tell the desk: derived from deliveries, channels and sources as they stand."""

from __future__ import annotations

import zlib
from collections.abc import Collection, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import Select, case, exists, func, or_, select, text
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.domain.channel import ChannelId, Platform
from bot.domain.delivery import DeliveryId, HeldReason, Kind, State, Turn
from bot.store import warnings
from bot.store.deliveries import STANDING
from bot.store.notices import ACCESS, PROPOSED, REPORTS, SOURCE, WARNS, About, Notice
from bot.store.tables import articles, channels, deliveries, ledger, micros, notices, sources

# Lost access is told of the channel, and with it what was held for it.
_TOLD = [
    HeldReason.NO_EVIDENCE,
    HeldReason.TEMPLATE,
    HeldReason.LINK_DEAD,
    HeldReason.STALE_WORDS,
    HeldReason.EDITOR,
]
_MOST = 500  # at a look; what is beyond it comes with the next ones
_FAILS = 3  # times in a row
_FAILS_FOR = timedelta(minutes=10)
_LONG_AGO = datetime.fromtimestamp(0, UTC)


async def find_new(tx: AsyncConnection, now: datetime, configured: Collection[str] = ()) -> int:
    """Keep a row for all that holds and has none open; return how many are new.

    A delivery that is held anew after it was settled is told anew: its rows are numbered. Two replicas that look at
    once come to the same number, and one row stays.

    Args:
        configured: the sources that are asked; others may have failed last and are nobody's trouble any more.
    """
    new = [
        *await _lost(tx),
        *await _failing(tx, now, configured),
        *await _warned(tx),
        *await _standing(tx),
    ]
    if not new:
        return 0
    dialect = sqlite if tx.dialect.name == "sqlite" else postgresql
    query = dialect.insert(notices).values([row | {"at": now} for row in new]).on_conflict_do_nothing()
    return len((await tx.execute(query.returning(notices.c.id))).all())


async def _standing(tx: AsyncConnection) -> list[dict[str, Any]]:
    """Return what waits for a person: proposed, or held for what a person can settle."""
    opened = exists().where(
        notices.c.delivery_id == deliveries.c.id,
        notices.c.what.not_like(f"{WARNS}%"),
        text("notices.ended_at IS NULL"),
    )
    earlier = select(func.count()).where(notices.c.delivery_id == deliveries.c.id).scalar_subquery()
    query = (
        select(
            deliveries.c.id,
            deliveries.c.channel_id,
            case((deliveries.c.state == State.PROPOSED, PROPOSED), else_=deliveries.c.held_reason).label("what"),
            earlier.label("earlier"),
        )
        .join(channels, channels.c.id == deliveries.c.channel_id)
        .where(
            text(STANDING),
            or_(deliveries.c.state == State.PROPOSED, deliveries.c.held_reason.in_(_TOLD)),
            channels.c.closed_at.is_(None),
            ~opened,
        )
        .order_by(deliveries.c.id)
        .limit(_MOST)
    )
    return [
        {
            "key": f"delivery {row.id} held {row.earlier + 1}",
            "what": row.what,
            "channel_id": row.channel_id,
            "delivery_id": row.id,
        }
        for row in await tx.execute(query)
    ]


async def _lost(tx: AsyncConnection) -> list[dict[str, Any]]:
    query = select(channels).where(channels.c.access_lost_at.is_not(None), channels.c.closed_at.is_(None))
    return [
        {
            "key": f"channel {row.id} access {micros(row.access_lost_at)}",
            "what": ACCESS,
            "channel_id": row.id,
            "delivery_id": None,
        }
        for row in await tx.execute(query)
    ]


async def _failing(tx: AsyncConnection, now: datetime, configured: Collection[str]) -> list[dict[str, Any]]:
    """Return the sources that have failed several times and for some minutes; one that never worked, for any time."""
    query = select(sources).where(
        sources.c.name.in_(configured),
        sources.c.failures >= _FAILS,
        or_(sources.c.last_success_at.is_(None), sources.c.last_success_at < now - _FAILS_FOR),
    )
    return [
        {
            "key": f"source {row.name} {micros(row.last_success_at) if row.last_success_at is not None else 0}",
            "what": SOURCE,
            "channel_id": None,
            "delivery_id": None,
        }
        for row in await tx.execute(query)
    ]


async def _warned(tx: AsyncConnection) -> list[dict[str, Any]]:
    """Return what was found wrong before its time: of a post each cause once, of a channel each time anew."""
    found = await warnings.standing(tx)
    wanted = [one.delivery_id for one in found if one.delivery_id is not None]
    query = select(deliveries.c.id, deliveries.c.channel_id).where(deliveries.c.id.in_(wanted))
    channel_of = {row.id: row.channel_id for row in await tx.execute(query)} if wanted else {}
    return [
        {
            "key": f"{one.subject} {WARNS}{one.cause}" + ("" if one.delivery_id else f" {micros(one.at)}"),
            "what": f"{WARNS}{one.cause}",
            "channel_id": one.channel_id or channel_of.get(one.delivery_id),
            "delivery_id": one.delivery_id,
        }
        for one in found
    ]


async def about(tx: AsyncConnection, wanted: Sequence[Notice]) -> dict[int, About]:
    """Return what notices are about, by their numbers; `lost_at` of a warning is since when it is known."""
    of_delivery = await _held(tx, [notice.delivery_id for notice in wanted if notice.delivery_id is not None])
    of_channel = await _blocked(tx, {one.channel_id for one in wanted if one.delivery_id is None and one.channel_id})
    of_source = await _asked(tx, {_source(notice) for notice in wanted if notice.what == SOURCE})
    warned = {(one.subject, one.cause): one for one in await warnings.standing(tx)}
    found: dict[int, About] = {}
    for notice in wanted:
        if notice.delivery_id is not None:
            known = of_delivery.get(notice.delivery_id)
        elif notice.what == SOURCE:
            known = of_source.get(_source(notice))
        elif notice.what in REPORTS:
            known = About()
        else:
            known = of_channel.get(notice.channel_id) if notice.channel_id is not None else None
        if known is not None and notice.what.startswith(WARNS):
            kind, number, cause = notice.key.split(" ")[:3]
            one = warned.get((f"{kind} {number}", cause.removeprefix(WARNS)))
            known = replace(known, lost_at=one.at if one else None, detail=one.detail if one else "")
        if known is not None:
            found[notice.id] = known
    return found


def _source(notice: Notice) -> str:
    return notice.key.split(" ")[1]


async def _asked(tx: AsyncConnection, names: Collection[str]) -> dict[str, About]:
    """Return sources; `lost_at` is since when one has given nothing, None where it gives again."""
    if not names:
        return {}
    return {
        row.name: About(
            title=row.name,
            detail=row.error,
            lost_at=(row.last_success_at or row.first_pass_at or _LONG_AGO) if row.failures else None,
        )
        for row in await tx.execute(select(sources).where(sources.c.name.in_(names)))
    }


async def _held(tx: AsyncConnection, ids: Sequence[DeliveryId]) -> dict[DeliveryId, About]:
    rows = await tx.execute(_deliveries().where(deliveries.c.id.in_(ids))) if ids else ()
    return {DeliveryId(row.delivery_id): _about(row) for row in rows}


async def _blocked(tx: AsyncConnection, ids: Collection[ChannelId]) -> dict[ChannelId, About]:
    """Return channels, each with the first post that is held for its lost access."""
    if not ids:
        return {}
    found = {
        ChannelId(row.id): About(
            channel=row.name,
            platform=Platform(row.platform),
            lost_at=row.access_lost_at,
            detail=row.access_detail,
        )
        for row in await tx.execute(select(channels).where(channels.c.id.in_(ids)))
    }
    waiting = _deliveries().where(
        text(STANDING),
        deliveries.c.held_reason == HeldReason.ACCESS,
        deliveries.c.channel_id.in_(ids),
    )
    for row in await tx.execute(waiting.order_by(deliveries.c.id.desc())):
        found[ChannelId(row.channel_id)] = _about(row)
    return found


def _deliveries() -> Select[Any]:
    return (
        select(
            channels.c.id.label("channel_id"),
            channels.c.name,
            channels.c.platform,
            channels.c.access_lost_at,
            deliveries.c.id.label("delivery_id"),
            deliveries.c.kind,
            deliveries.c.state,
            deliveries.c.held_reason,
            deliveries.c.pinned_at,
            deliveries.c.turn,
            deliveries.c.turn_at,
            deliveries.c.error,
            deliveries.c.text,
            deliveries.c.words,
            deliveries.c.own,
            articles.c.url,
            articles.c.revision,
            ledger.c.permalink,
            func.coalesce(articles.c.content["title"].as_string(), "").label("title"),
        )
        .join_from(deliveries, channels, deliveries.c.channel_id == channels.c.id)
        .join(articles, deliveries.c.article_id == articles.c.id, isouter=True)
        .join(ledger, ledger.c.delivery_id == func.coalesce(deliveries.c.target_id, deliveries.c.id), isouter=True)
    )


def _about(row: Any) -> About:
    return About(
        channel=row.name,
        platform=Platform(row.platform),
        lost_at=row.access_lost_at,
        delivery_id=DeliveryId(row.delivery_id),
        kind=Kind(row.kind),
        state=State(row.state),
        held_reason=HeldReason(row.held_reason) if row.held_reason is not None else None,
        article_url=row.url if row.url and not row.url.startswith("urn:") else None,
        title=row.title or (row.text or row.words).strip().partition("\n")[0][:200],
        detail=row.error,
        version=f"{row.revision or 0}.{zlib.crc32(repr((row.words, row.own)).encode()):x}",
        pinned_at=row.pinned_at,
        turn_at=row.turn_at,
        permalink=row.permalink,
        is_breaking=row.turn == Turn.BREAKING,
    )
