"""What is public, as the store keeps it."""

from __future__ import annotations

from dataclasses import replace

import pytest

from bot.domain.delivery import Kind, State, Turn
from bot.domain.ledger import Attempt, Receipt
from bot.domain.post import Method
from bot.store import articles, deliveries, ledger
from bot.store.database import Database
from bot.store.deliveries import NewDelivery
from tests.factories import NOON, an_article


@pytest.mark.parametrize("more", [(), ("8", "9")], ids=["one message", "an album"])
async def test_a_receipt_is_kept_whole_in_the_ledger_and_where_it_came_too_late(
    database: Database, channel_id, more: tuple[str, ...]
) -> None:
    receipt = Receipt(remote_id="7", permalink="https://t.me/example/7", more_ids=more)
    async with database.write() as tx:
        outcome = await articles.store(tx, an_article(), source="site", authority=["site"], now=NOON)
        new = NewDelivery(
            kind=Kind.PUBLISH,
            channel_id=channel_id,
            article_id=outcome.stored.id,
            revision=1,
            state=State.PLANNED,
            turn=Turn.ORDINARY,
            turn_at=NOON,
        )
        delivery_id = await deliveries.queue(tx, new, NOON)
        assert delivery_id is not None
        delivery = await deliveries.get(tx, delivery_id)
        attempt = Attempt(
            delivery_id=delivery.id,
            method=Method.SEND_MEDIA_GROUP,
            text="Текст",
            plain="Текст",
            link=None,
            watermark=None,
            started_at=NOON,
            handle="100_7" if more else None,
        )
        attempt_id = await ledger.begin_attempt(tx, attempt, fence=1, payload_hash="")
        await ledger.end_attempt(tx, attempt_id, NOON, "unknown", receipt=receipt)
        await ledger.enter(tx, delivery, receipt, attempt.method, title="Міст", text="Текст", at=NOON)
    async with database.read() as tx:
        assert await ledger.last_attempt(tx, delivery.id) == (attempt_id, attempt)
        assert await ledger.late_answer(tx, delivery.id) == (attempt, replace(receipt, published_at=NOON))
        entry = await ledger.entry(tx, delivery.id)
    assert entry is not None
    assert (entry.remote_id, entry.more_ids) == ("7", more)
    assert entry.last_id == ("9" if more else "7")
