"""What the desk has to be told of: derived from deliveries and channels as they stand, each told once."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Select, delete, exists, func, select, text, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.domain.channel import ChannelId, Platform
from bot.domain.delivery import DeliveryId, HeldReason, State
from bot.store.deliveries import STANDING
from bot.store.tables import articles, channels, deliveries, micros, notices

ACCESS = HeldReason.ACCESS.value
# Lost access is told of the channel, and with it what was held for it.
_TOLD = [HeldReason.NO_EVIDENCE, HeldReason.TEMPLATE, HeldReason.LINK_DEAD, HeldReason.STALE_WORDS]
_MOST = 500  # at a look; what is beyond it comes with the next ones
_NEAR = 1000  # notices told in one list have numbers not further apart


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """A message about a notice: a card of its own, or a list with others."""

    chat: int
    message: int
    is_list: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Notice:
    """One thing to be told. `what` is the reason why the delivery is held, or `access` for a channel."""

    id: int
    what: str
    channel_id: ChannelId
    delivery_id: DeliveryId | None
    at: datetime
    messages: tuple[Told, ...]
    told_at: datetime | None
    alerted_at: datetime | None
    ended_at: datetime | None

    def has_card(self, chat: int) -> bool:
        """Say whether it stands in a chat as a card of its own."""
        return any(told.chat == chat and not told.is_list for told in self.messages)


@dataclass(frozen=True, slots=True, kw_only=True)
class About:
    """What a notice is about, as it stands now. Of a channel without a held post there is no delivery to show."""

    channel: str
    platform: Platform
    access_lost_at: datetime | None
    delivery_id: DeliveryId | None = None
    state: State | None = None
    held_reason: HeldReason | None = None
    article_url: str | None = None
    title: str = ""
    detail: str = ""


async def find_new(tx: AsyncConnection, now: datetime) -> int:
    """Keep a row for all that holds and has none open; return how many are new.

    A delivery that is held anew after it was settled is told anew: its rows are numbered. Two replicas that look at
    once come to the same number, and one row stays.
    """
    opened = exists().where(notices.c.delivery_id == deliveries.c.id, text("notices.ended_at IS NULL"))
    earlier = select(func.count()).where(notices.c.delivery_id == deliveries.c.id).scalar_subquery()
    held = (
        select(deliveries.c.id, deliveries.c.channel_id, deliveries.c.held_reason, earlier.label("earlier"))
        .join(channels, channels.c.id == deliveries.c.channel_id)
        .where(
            text(STANDING),
            deliveries.c.held_reason.in_(_TOLD),
            channels.c.closed_at.is_(None),
            ~opened,
        )
        .order_by(deliveries.c.id)
        .limit(_MOST)
    )
    lost = select(channels).where(channels.c.access_lost_at.is_not(None), channels.c.closed_at.is_(None))
    new = [
        {
            "key": f"channel {row.id} access {micros(row.access_lost_at)}",
            "what": ACCESS,
            "channel_id": row.id,
            "delivery_id": None,
        }
        for row in await tx.execute(lost)
    ]
    new += [
        {
            "key": f"delivery {row.id} held {row.earlier + 1}",
            "what": row.held_reason,
            "channel_id": row.channel_id,
            "delivery_id": row.id,
        }
        for row in await tx.execute(held)
    ]
    if not new:
        return 0
    dialect = sqlite if tx.dialect.name == "sqlite" else postgresql
    query = dialect.insert(notices).values([row | {"at": now} for row in new]).on_conflict_do_nothing()
    return len((await tx.execute(query.returning(notices.c.id))).all())


async def opened(tx: AsyncConnection) -> list[Notice]:
    """Return the notices that have not ended, the oldest first."""
    query = select(notices).where(text("ended_at IS NULL")).order_by(notices.c.id).limit(_MOST)
    return [_notice(row) for row in await tx.execute(query)]


async def get(tx: AsyncConnection, notice_id: int) -> Notice | None:
    """Return a notice."""
    row = (await tx.execute(select(notices).where(notices.c.id == notice_id))).one_or_none()
    return _notice(row) if row is not None else None


async def listed_with(tx: AsyncConnection, notice: Notice) -> list[Notice]:
    """Return all that was told in the same list, the notice itself included."""
    lists = {(one.chat, one.message) for one in notice.messages if one.is_list}
    query = select(notices).where(notices.c.id.between(notice.id - _NEAR, notice.id + _NEAR)).order_by(notices.c.id)
    near = [_notice(row) for row in await tx.execute(query)]
    return [one for one in near if lists & {(told.chat, told.message) for told in one.messages if told.is_list}]


async def about(tx: AsyncConnection, wanted: Sequence[Notice]) -> dict[int, About]:
    """Return what notices are about, by their numbers."""
    lost = {notice.channel_id for notice in wanted if notice.delivery_id is None}
    of_delivery = await _held(tx, [notice.delivery_id for notice in wanted if notice.delivery_id is not None])
    of_channel = await _blocked(tx, lost)
    found = {
        notice.id: of_channel.get(notice.channel_id)
        if notice.delivery_id is None
        else of_delivery.get(notice.delivery_id)
        for notice in wanted
    }
    return {number: one for number, one in found.items() if one is not None}


async def change(tx: AsyncConnection, ids: Collection[int], **columns: Any) -> None:
    """Set columns of notices."""
    if ids:
        await tx.execute(update(notices).where(notices.c.id.in_(ids)).values(**columns))


async def forget(tx: AsyncConnection, before: datetime) -> None:
    """Drop what ended before then."""
    await tx.execute(delete(notices).where(notices.c.ended_at < before))


async def with_messages(tx: AsyncConnection, ids: Collection[int]) -> set[int]:
    """Return which of these notices stand in a message somewhere."""
    rows = await tx.execute(select(notices.c.id, notices.c.messages).where(notices.c.id.in_(ids)))
    return {row.id for row in rows if row.messages}


async def keep_message(tx: AsyncConnection, ids: Collection[int], told: Told) -> None:
    """Remember a message that tells of these notices."""
    rows = await tx.execute(select(notices.c.id, notices.c.messages).where(notices.c.id.in_(ids)))
    for row in rows.all():
        kept = [*(row.messages or []), [told.chat, told.message, told.is_list]]
        await tx.execute(update(notices).where(notices.c.id == row.id).values(messages=kept))


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
            access_lost_at=row.access_lost_at,
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
            deliveries.c.state,
            deliveries.c.held_reason,
            deliveries.c.error,
            deliveries.c.text,
            deliveries.c.words,
            articles.c.url,
            func.coalesce(articles.c.content["title"].as_string(), "").label("title"),
        )
        .join_from(deliveries, channels, deliveries.c.channel_id == channels.c.id)
        .join(articles, deliveries.c.article_id == articles.c.id, isouter=True)
    )


def _about(row: Any) -> About:
    return About(
        channel=row.name,
        platform=Platform(row.platform),
        access_lost_at=row.access_lost_at,
        delivery_id=DeliveryId(row.delivery_id),
        state=State(row.state),
        held_reason=HeldReason(row.held_reason) if row.held_reason is not None else None,
        article_url=row.url if row.url and not row.url.startswith("urn:") else None,
        title=row.title or (row.text or row.words).strip().partition("\n")[0][:200],
        detail=row.error,
    )


def _notice(row: Any) -> Notice:
    return Notice(
        id=row.id,
        what=row.what,
        channel_id=ChannelId(row.channel_id),
        delivery_id=DeliveryId(row.delivery_id) if row.delivery_id is not None else None,
        at=row.at,
        messages=tuple(
            Told(chat=chat, message=message, is_list=is_list) for chat, message, is_list in row.messages or ()
        ),
        told_at=row.told_at,
        alerted_at=row.alerted_at,
        ended_at=row.ended_at,
    )
