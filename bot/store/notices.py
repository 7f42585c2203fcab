"""What the desk was told of or is still to be told, each once, and the messages that tell it.

What there is to tell is found by `causes`.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import delete, select, text, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.domain.channel import ChannelId, Platform
from bot.domain.delivery import DeliveryId, HeldReason, Kind, State
from bot.store.tables import from_micros, micros, notices

ACCESS = HeldReason.ACCESS.value
PROPOSED = State.PROPOSED.value
EDITOR = HeldReason.EDITOR.value
SOURCE = "source"
EXPIRED, SUMMARY = "expired", "summary"
REPORTS = frozenset({EXPIRED, SUMMARY})  # told, and over with that
WARNS = "warns-"  # and the cause
POSTS = frozenset({PROPOSED, EDITOR})  # told by the post itself, which is kept as it would go out now
_MOST = 500  # at a look; what is beyond it comes with the next ones
_NEAR = 1000  # notices told in one list have numbers not further apart


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """A message about a notice: a card of its own, or a list with others.

    `mark` tells what a card shows, `picture` names its photo ("": words alone).
    """

    chat: int
    message: int
    is_list: bool = False
    mark: str = ""
    picture: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Notice:
    """One thing to be told.

    `what` is the reason why the delivery is held, `proposed` for one that waits for an editor, `access` for a channel,
    `source` for a source, `warns-…` for what will go wrong at its turn; reports are `expired` and `summary`. `key`
    says what it is about, as it stood then.
    """

    id: int
    key: str
    what: str
    channel_id: ChannelId | None
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
    """What a notice is about, as it stands now. Of a channel without a held post there is no delivery to show.

    `lost_at` is since when the channel has no access, or the source fails; `version` differs once the post's words
    do; `pinned_at` and `turn_at` are the delivery's.
    """

    channel: str = ""
    platform: Platform = Platform.TELEGRAM
    lost_at: datetime | None = None
    delivery_id: DeliveryId | None = None
    kind: Kind = Kind.PUBLISH
    state: State | None = None
    held_reason: HeldReason | None = None
    article_url: str | None = None
    title: str = ""
    detail: str = ""
    version: str = ""
    pinned_at: datetime | None = None
    turn_at: datetime | None = None
    permalink: str | None = None
    is_breaking: bool = False


async def opened(tx: AsyncConnection) -> list[Notice]:
    """Return the notices that have not ended, the oldest first."""
    query = select(notices).where(text("ended_at IS NULL")).order_by(notices.c.id).limit(_MOST)
    return [_notice(row) for row in await tx.execute(query)]


async def get(tx: AsyncConnection, notice_id: int) -> Notice | None:
    """Return a notice."""
    row = (await tx.execute(select(notices).where(notices.c.id == notice_id))).one_or_none()
    return _notice(row) if row is not None else None


async def told_in(tx: AsyncConnection, chat: int, message: int) -> DeliveryId | None:
    """Return the delivery that a card in a chat is about; None for any other message, and once its notice has ended."""
    for notice in await opened(tx):
        if any((told.chat, told.message) == (chat, message) and not told.is_list for told in notice.messages):
            return notice.delivery_id
    return None


async def listed_with(tx: AsyncConnection, notice: Notice) -> list[Notice]:
    """Return all that was told in the same list, the notice itself included."""
    lists = {(one.chat, one.message) for one in notice.messages if one.is_list}
    query = select(notices).where(notices.c.id.between(notice.id - _NEAR, notice.id + _NEAR)).order_by(notices.c.id)
    near = [_notice(row) for row in await tx.execute(query)]
    return [one for one in near if lists & {(told.chat, told.message) for told in one.messages if told.is_list}]


async def keep_report(tx: AsyncConnection, what: str, since: datetime, until: datetime, now: datetime) -> None:
    """Keep a row for a report of what was after `since` and up to `until`; one for each."""
    dialect = sqlite if tx.dialect.name == "sqlite" else postgresql
    key = f"{what} {micros(since)} {micros(until)}"
    await tx.execute(dialect.insert(notices).values(key=key, what=what, at=now).on_conflict_do_nothing())


def span_of(report: Notice) -> tuple[datetime, datetime]:
    """Return after when and up to when a report tells."""
    _, since, until = report.key.split(" ")
    return from_micros(int(since)), from_micros(int(until))


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
    for number, messages in await _messages(tx, ids):
        await _keep(tx, number, [*messages, told])


async def replace_message(tx: AsyncConnection, notice_id: int, before: Told, after: Told) -> None:
    """Remember what a card shows now, or that another message took its place."""
    for number, messages in await _messages(tx, [notice_id]):
        here = (before.chat, before.message)
        await _keep(tx, number, [after if (one.chat, one.message) == here else one for one in messages])


async def _messages(tx: AsyncConnection, ids: Collection[int]) -> list[tuple[int, list[Told]]]:
    """Return the messages of notices, their rows locked: whoever shows a card writes into one row."""
    query = select(notices.c.id, notices.c.messages).where(notices.c.id.in_(ids)).order_by(notices.c.id)
    return [(row.id, _told(row.messages)) for row in await tx.execute(query.with_for_update())]


async def _keep(tx: AsyncConnection, notice_id: int, messages: Sequence[Told]) -> None:
    plain = [[one.chat, one.message, one.is_list, one.mark, one.picture] for one in messages]
    await tx.execute(update(notices).where(notices.c.id == notice_id).values(messages=plain))


def _told(plain: Sequence[Sequence[Any]] | None) -> list[Told]:
    names = ("chat", "message", "is_list", "mark", "picture")
    return [Told(**dict(zip(names, one, strict=False))) for one in plain or ()]


def _notice(row: Any) -> Notice:
    return Notice(
        id=row.id,
        key=row.key,
        what=row.what,
        channel_id=ChannelId(row.channel_id) if row.channel_id is not None else None,
        delivery_id=DeliveryId(row.delivery_id) if row.delivery_id is not None else None,
        at=row.at,
        messages=tuple(_told(row.messages)),
        told_at=row.told_at,
        alerted_at=row.alerted_at,
        ended_at=row.ended_at,
    )
