"""What was tried and what is public: attempts, the ledger, and the uploads a platform already has."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import and_, bindparam, delete, exists, insert, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.domain.article import ArticleId
from bot.domain.channel import ChannelId
from bot.domain.delivery import FINAL, AttemptId, Delivery, DeliveryId, HeldReason, Kind, State
from bot.domain.follow_up import Other
from bot.domain.ledger import Attempt, LedgerEntry, Neighbour, Receipt
from bot.domain.looks import Looks
from bot.domain.post import Method
from bot.store import statements
from bot.store.tables import attempts, deliveries, from_micros, ledger, micros, uploads

_LOOKED_THROUGH = 5000  # posts; there is no index by address
_BEGIN = insert(attempts).returning(attempts.c.id)
_ENTER = insert(ledger)
_NEWEST = (
    select(ledger.c.remote_id, ledger.c.more_ids, ledger.c.published_at, ledger.c.withdrawn_at)
    .where(ledger.c.channel_id == bindparam("channel"))
    .order_by(ledger.c.published_at.desc(), ledger.c.delivery_id.desc())
    .limit(bindparam("count"))
)


async def begin_attempt(tx: AsyncConnection, attempt: Attempt, *, fence: int, payload_hash: str) -> AttemptId:
    """Keep what is about to leave; part of the mark."""
    values = {
        "delivery_id": attempt.delivery_id,
        "fence": fence,
        "method": attempt.method,
        "payload_hash": payload_hash,
        "text": attempt.text,
        "plain": attempt.plain,
        "link": attempt.link,
        "watermark": attempt.watermark,
        "neighbours": [[one.remote_id, micros(one.published_at)] for one in attempt.neighbours] or None,
        "handle": attempt.handle,
        "started_at": attempt.started_at,
    }
    return AttemptId((await tx.execute(_BEGIN, values)).scalar_one())


async def end_attempt(
    tx: AsyncConnection,
    attempt_id: AttemptId,
    now: datetime,
    outcome: str,
    *,
    error: str = "",
    receipt: Receipt | None = None,
) -> None:
    """Keep how an attempt ended; the one write that a worker without its claim may still make."""
    values: dict[str, Any] = {
        "ended_at": now,
        "outcome": outcome,
        "error": error[:2000],
    }
    if receipt is not None:
        values |= {"remote_id": receipt.remote_id, "permalink": receipt.permalink, "more_ids": _more(receipt)}
    await statements.change(tx, attempts, {"id": attempt_id}, values)


async def last_attempt(tx: AsyncConnection, delivery_id: DeliveryId) -> tuple[AttemptId, Attempt] | None:
    """Return a delivery's newest attempt."""
    query = select(attempts).where(attempts.c.delivery_id == delivery_id).order_by(attempts.c.id.desc()).limit(1)
    row = (await tx.execute(query)).one_or_none()
    if row is None:
        return None
    return AttemptId(row.id), _attempt(row)


async def last_outcome(tx: AsyncConnection, delivery_id: DeliveryId) -> str:
    """Return how a delivery's newest attempt ended: a state's value, "" for one that never did."""
    query = select(attempts.c.outcome).where(attempts.c.delivery_id == delivery_id).order_by(attempts.c.id.desc())
    return (await tx.execute(query.limit(1))).scalar_one_or_none() or ""


async def late_answer(tx: AsyncConnection, delivery_id: DeliveryId) -> tuple[Attempt, Receipt] | None:
    """Return an attempt of an unpublished delivery whose answer came after its worker had lost the claim."""
    query = select(attempts).where(attempts.c.delivery_id == delivery_id, attempts.c.remote_id.is_not(None))
    row = (await tx.execute(query.order_by(attempts.c.id).limit(1))).one_or_none()
    if row is None:
        return None
    receipt = _receipt(row)
    return (_attempt(row), receipt) if receipt is not None else None


async def holds(tx: AsyncConnection, channel_id: ChannelId, remote_id: str) -> bool:
    """Say whether a post is in a channel's ledger."""
    query = select(ledger.c.delivery_id).where(ledger.c.channel_id == channel_id, ledger.c.remote_id == remote_id)
    return (await tx.execute(query)).scalar_one_or_none() is not None


async def looks(tx: AsyncConnection, attempt_id: AttemptId) -> Looks:
    """Return what looking for an attempt's post has shown so far."""
    kept = (await tx.execute(select(attempts.c.looks).where(attempts.c.id == attempt_id))).scalar_one_or_none()
    if not kept:
        return Looks()
    return Looks(count=kept["count"], at=from_micros(kept["at"]), shown=tuple(kept["shown"]))


async def keep_looks(tx: AsyncConnection, attempt_id: AttemptId, seen: Looks) -> None:
    """Remember what looking for an attempt's post has shown, whoever looks next."""
    kept = None if seen.at is None else {"count": seen.count, "at": micros(seen.at), "shown": list(seen.shown)}
    await tx.execute(update(attempts).where(attempts.c.id == attempt_id).values(looks=kept))


async def enter(
    tx: AsyncConnection,
    delivery: Delivery,
    receipt: Receipt,
    method: Method,
    *,
    title: str,
    text: str,
    at: datetime,
    adopted: bool = False,
) -> None:
    """Enter a post that is public; words that an editor gave it are a person's from the start."""
    values = {
        "delivery_id": delivery.id,
        "channel_id": delivery.channel_id,
        "article_id": delivery.article_id,
        "revision": delivery.revision,
        "title": title,
        "remote_id": receipt.remote_id,
        "permalink": receipt.permalink,
        "more_ids": _more(receipt),
        "method": method,
        "text": text,
        "published_at": at,
        "adopted": adopted,
        "hand_at": at if delivery.has_own_words else None,
    }
    await tx.execute(_ENTER, values)


async def entry(tx: AsyncConnection, delivery_id: DeliveryId) -> LedgerEntry | None:
    """Return the entry of a delivery's post."""
    row = (await tx.execute(select(ledger).where(ledger.c.delivery_id == delivery_id))).one_or_none()
    return _entry(row) if row else None


async def by_remote_id(tx: AsyncConnection, channel_id: ChannelId, remote_id: str) -> LedgerEntry | None:
    """Return the entry of a channel's post, by the platform's id for it."""
    query = select(ledger).where(ledger.c.channel_id == channel_id, ledger.c.remote_id == remote_id)
    row = (await tx.execute(query)).one_or_none()
    return _entry(row) if row else None


async def by_permalink(tx: AsyncConnection, address: str) -> LedgerEntry | None:
    """Return the entry of the post at an address, as the platform gave it; only the newest posts are looked through."""
    newest = select(ledger).order_by(ledger.c.delivery_id.desc()).limit(_LOOKED_THROUGH).subquery()
    query = select(newest).where(newest.c.permalink == address).order_by(newest.c.delivery_id.desc()).limit(1)
    row = (await tx.execute(query)).one_or_none()
    return _entry(row) if row else None


async def public_posts(tx: AsyncConnection, article_id: ArticleId) -> list[LedgerEntry]:
    """Return the posts of an article that are public now, oldest first."""
    query = select(ledger).where(ledger.c.article_id == article_id, ledger.c.withdrawn_at.is_(None))
    return [_entry(row) for row in await tx.execute(query.order_by(ledger.c.delivery_id))]


async def articles_since(tx: AsyncConnection, channel_id: ChannelId, since: datetime) -> list[ArticleId]:
    """Return the articles that a channel has published since then and still shows, in order, each once."""
    query = (
        select(ledger.c.article_id)
        .join(deliveries, deliveries.c.id == ledger.c.delivery_id)
        .where(
            ledger.c.channel_id == channel_id,
            ledger.c.published_at >= since,
            ledger.c.withdrawn_at.is_(None),
            ledger.c.article_id.is_not(None),
            deliveries.c.repost >= 0,
        )
        .order_by(ledger.c.published_at, ledger.c.delivery_id)
    )
    return list(dict.fromkeys(ArticleId(row.article_id) for row in await tx.execute(query)))


async def others(tx: AsyncConnection, delivery: Delivery) -> list[Other]:
    """Return the other posts that a delivery's article has, or may get, in the same channel; notices are none."""
    change = deliveries.alias("change")
    leaving = exists().where(
        change.c.target_id == deliveries.c.id, change.c.kind == Kind.WITHDRAW, change.c.state.not_in(FINAL)
    )
    query = (
        select(
            deliveries.c.state,
            deliveries.c.held_reason,
            and_(ledger.c.delivery_id.is_not(None), ledger.c.withdrawn_at.is_(None)).label("is_public"),
            leaving.label("is_leaving"),
        )
        .join(ledger, ledger.c.delivery_id == deliveries.c.id, isouter=True)
        .where(
            deliveries.c.article_id == delivery.article_id,
            deliveries.c.channel_id == delivery.channel_id,
            deliveries.c.kind == Kind.PUBLISH,
            deliveries.c.repost >= 0,
            deliveries.c.id != delivery.id,
        )
    )
    return [
        Other(
            state=State(row.state),
            held_reason=None if row.held_reason is None else HeldReason(row.held_reason),
            is_public=row.is_public,
            is_leaving=row.is_leaving,
        )
        for row in await tx.execute(query)
    ]


async def newest(tx: AsyncConnection, channel_id: ChannelId, count: int = 1) -> list[LedgerEntry]:
    """Return a channel's newest posts, newest first."""
    query = select(ledger).where(ledger.c.channel_id == channel_id)
    rows = await tx.execute(query.order_by(ledger.c.published_at.desc(), ledger.c.delivery_id.desc()).limit(count))
    return [_entry(row) for row in rows]


async def neighbours(tx: AsyncConnection, channel_id: ChannelId, count: int) -> tuple[list[Neighbour], set[str]]:
    """Return a channel's newest posts, newest first, and the ids of those that were taken down."""
    rows = (await tx.execute(_NEWEST, {"channel": channel_id, "count": count})).all()
    last = [((row.more_ids or [row.remote_id])[-1], row) for row in rows]
    found = [Neighbour(remote_id=remote_id, published_at=row.published_at) for remote_id, row in last]
    return found, {remote_id for remote_id, row in last if row.withdrawn_at is not None}


async def amend(tx: AsyncConnection, delivery_id: DeliveryId, **columns: Any) -> None:
    """Set what an edit or a withdrawal changed of a public post."""
    await statements.change(tx, ledger, {"delivery_id": delivery_id}, columns)


async def find_upload(tx: AsyncConnection, account: str, photo: str) -> str | None:
    """Return the platform's reference to a photo that this account has sent before."""
    query = select(uploads.c.reference).where(uploads.c.account == account, uploads.c.photo == photo)
    found: str | None = (await tx.execute(query)).scalar_one_or_none()
    return found


async def keep_upload(tx: AsyncConnection, account: str, photo: str, reference: str, now: datetime) -> None:
    """Keep the platform's reference to a photo."""
    dialect = sqlite if tx.dialect.name == "sqlite" else postgresql
    query = dialect.insert(uploads).values(account=account, photo=photo, reference=reference, at=now)
    await tx.execute(
        query.on_conflict_do_update(
            index_elements=["account", "photo"],
            set_={"reference": query.excluded.reference, "at": query.excluded.at},
        )
    )


async def forget_upload(tx: AsyncConnection, account: str, photo: str) -> None:
    """Drop a reference that the platform refused."""
    await tx.execute(delete(uploads).where(uploads.c.account == account, uploads.c.photo == photo))


def _more(receipt: Receipt) -> list[str] | None:
    return list(receipt.more_ids) or None


def _attempt(row: Any) -> Attempt:
    return Attempt(
        delivery_id=DeliveryId(row.delivery_id),
        method=Method(row.method),
        text=row.text or "",
        plain=row.plain or "",
        link=row.link,
        watermark=row.watermark,
        started_at=row.started_at,
        neighbours=tuple(
            Neighbour(remote_id=remote_id, published_at=from_micros(at)) for remote_id, at in row.neighbours or ()
        ),
        handle=row.handle,
    )


def _receipt(row: Any) -> Receipt | None:
    if not row.remote_id:
        return None
    return Receipt(
        remote_id=row.remote_id,
        permalink=row.permalink,
        more_ids=tuple(row.more_ids or ()),
        published_at=row.ended_at,
    )


def _entry(row: Any) -> LedgerEntry:
    return LedgerEntry(
        delivery_id=DeliveryId(row.delivery_id),
        channel_id=ChannelId(row.channel_id),
        article_id=None if row.article_id is None else ArticleId(row.article_id),
        revision=row.revision,
        title=row.title,
        remote_id=row.remote_id,
        permalink=row.permalink,
        method=Method(row.method),
        text=row.text,
        published_at=row.published_at,
        edited_at=row.edited_at,
        withdrawn_at=row.withdrawn_at,
        more_ids=tuple(row.more_ids or ()),
        adopted=row.adopted,
        hand_at=row.hand_at,
    )
