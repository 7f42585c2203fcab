"""Posts in the ledger for tests of what is told of them; queued and published without any platform."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Table, event, insert
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.domain.channel import ChannelId
from bot.domain.delivery import DeliveryId
from bot.store.database import Database
from bot.store.tables import articles, deliveries, ledger
from tests.factories import NOON


async def enter_posts(
    tx: AsyncConnection,
    channel_id: ChannelId,
    times: list[datetime],
    *,
    waited: timedelta | None = timedelta(minutes=5),
    remote_ids: Sequence[str] = (),
    **changes: Any,
) -> list[DeliveryId]:
    """Enter a post at each of these times and return their numbers.

    Args:
        remote_ids: their ids on the platform, where these are not their numbers.
        waited: since when its article was there; None: a post of no article.
        changes: columns of the ledger.
    """
    article_ids: list[int | None] = [None] * len(times)
    if waited is not None:
        there = [
            {
                "url": f"https://news.example/{channel_id}/{at.timestamp()}",
                "revision": 1,
                "content": {"title": "Міст"},
                "fingerprint": "",
                "first_seen_at": at - waited,
                "changed_at": at - waited,
                "baseline": False,
            }
            for at in times
        ]
        article_ids = list(await _ids(tx, articles, there))
    queued = [
        {
            "kind": "publish" if waited is not None else "digest",
            "channel_id": channel_id,
            "article_id": article_id,
            "revision": 1,
            "state": "published",
            "turn": 4,
            "turn_at": at,
            "queued_at": at,
            "finished_at": at,
        }
        for at, article_id in zip(times, article_ids, strict=True)
    ]
    made = [DeliveryId(one) for one in await _ids(tx, deliveries, queued)]
    entered = [
        {
            "delivery_id": one,
            "channel_id": channel_id,
            "article_id": row["article_id"],
            "revision": 1,
            "title": f"Допис {one}",
            "remote_id": remote_ids[place] if remote_ids else str(one),
            "method": "sendMessage",
            "text": "",
            "published_at": row["finished_at"],
        }
        | changes
        for place, (one, row) in enumerate(zip(made, queued, strict=True))
    ]
    await tx.execute(insert(ledger), entered)
    return made


async def _ids(tx: AsyncConnection, table: Table, rows: list[dict[str, Any]]) -> list[int]:
    query = insert(table).returning(table.c.id, sort_by_parameter_order=True)
    return list((await tx.execute(query, rows)).scalars())


def hours_ago(*hours: float) -> list[datetime]:
    return [NOON - timedelta(hours=each) for each in hours]


async def plans(database: Database, work: Callable[[AsyncConnection], Awaitable[object]]) -> dict[str, str]:
    """Return how the database goes about each statement of some work, by the statement as it gets it."""
    asked: list[tuple[str, Any]] = []

    def note(_connection: Any, _cursor: Any, statement: str, parameters: Any, *_: Any) -> None:
        asked.append((statement, parameters))

    explain = "EXPLAIN QUERY PLAN " if database.is_embedded else "EXPLAIN "
    async with database.read() as tx:
        assert tx.sync_connection is not None
        engine = tx.sync_connection.engine
        event.listen(engine, "before_cursor_execute", note)
        await work(tx)
        event.remove(engine, "before_cursor_execute", note)
        found = {}
        for statement, parameters in asked:
            lines = await tx.exec_driver_sql(explain + statement, parameters)
            found[statement] = "\n".join(" ".join(map(str, line)) for line in lines)
    return found
