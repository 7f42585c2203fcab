"""The queue on both databases: whose turn it is, claims, fences, and posts that exist once."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError

from bot.domain.delivery import Delivery, DeliveryId, Kind, State, Turn
from bot.errors import LostClaimError
from bot.store import articles, channels, deliveries, pace
from bot.store.database import Database
from bot.store.decisions import MOST_PER_ARTICLE, Decision, cap, decide, why
from bot.store.deliveries import HEADS, NewDelivery
from bot.store.tables import deliveries as rows
from tests.factories import NOON, a_channel, an_article
from tests.fakes import FakeClock

LEASE = timedelta(seconds=30)


async def queued(
    database: Database, channel_id, *, turn: Turn = Turn.ORDINARY, at: datetime = NOON, **more
) -> DeliveryId:
    async with database.write() as tx:
        outcome = await articles.store(tx, an_article(), source="site", authority=["site"], now=NOON)
        values = {
            "kind": Kind.PUBLISH,
            "channel_id": channel_id,
            "article_id": outcome.stored.id,
            "revision": 1,
            "state": State.PLANNED,
            "turn": turn,
            "turn_at": at,
        }
        made = await deliveries.queue(tx, NewDelivery(**(values | more)), NOON)
    assert made is not None
    return made


async def claimed(database: Database, delivery_id: DeliveryId, at: datetime = NOON) -> Delivery | None:
    async with database.write() as tx:
        return await deliveries.claim(tx, delivery_id, at + LEASE)


async def test_the_first_of_each_turn_is_found(database, channel_id):
    later = await queued(database, channel_id, at=NOON + timedelta(minutes=1))
    first = await queued(database, channel_id)
    breaking = await queued(database, channel_id, turn=Turn.BREAKING)
    pinned = await queued(database, channel_id, pinned_at=NOON + timedelta(hours=1))
    await queued(database, channel_id, state=State.PROPOSED)
    async with database.read() as tx:
        heads = {head.delivery for head in await deliveries.heads(tx, channel_id) or ()}
    assert heads == {first, breaking, pinned}
    assert later not in heads


async def test_an_article_is_queued_once_for_a_channel(database, channel_id):
    delivery_id = await queued(database, channel_id)
    async with database.write() as tx:
        known = await deliveries.get(tx, delivery_id)
        new = NewDelivery(
            kind=Kind.PUBLISH,
            channel_id=channel_id,
            article_id=known.article_id,
            revision=2,
            state=State.PLANNED,
            turn=Turn.ORDINARY,
            turn_at=NOON,
        )
        assert await deliveries.queue(tx, new, NOON) is None
        assert await deliveries.queue(tx, replace(new, repost=1), NOON) is not None


async def test_without_the_unique_index_an_article_would_be_queued_twice(database, channel_id):
    delivery_id = await queued(database, channel_id)
    async with database.write() as tx:
        await tx.execute(text("DROP INDEX uq_deliveries_once"))
        known = await deliveries.get(tx, delivery_id)
        new = NewDelivery(
            kind=Kind.PUBLISH,
            channel_id=channel_id,
            article_id=known.article_id,
            revision=1,
            state=State.PLANNED,
            turn=Turn.ORDINARY,
            turn_at=NOON,
        )
        assert await deliveries.queue(tx, new, NOON) is not None


async def test_nothing_else_of_a_channel_is_claimed_while_one_is_in_flight(database, channel_id):
    first, second = await queued(database, channel_id), await queued(database, channel_id)
    assert await claimed(database, first) is not None
    with pytest.raises(IntegrityError):
        async with database.write() as tx:
            await tx.execute(rows.update().where(rows.c.id == second).values(state=State.CLAIMED))
    async with database.read() as tx:
        assert await deliveries.heads(tx, channel_id) is None


async def test_two_claims_of_one_delivery_give_it_to_one(database, channel_id):
    delivery_id = await queued(database, channel_id)
    both = await asyncio.gather(claimed(database, delivery_id), claimed(database, delivery_id))
    assert sum(one is not None for one in both) == 1


async def test_a_worker_that_lost_its_claim_can_change_nothing(database, channel_id):
    delivery_id = await queued(database, channel_id)
    stale = await claimed(database, delivery_id)
    assert stale is not None
    async with database.write() as tx:
        await deliveries.move(tx, stale, State.PLANNED, NOON)
    fresh = await claimed(database, delivery_id)
    assert fresh is not None
    assert fresh.fence == stale.fence + 1
    with pytest.raises(LostClaimError):
        async with database.write() as tx:
            await deliveries.move(tx, stale, State.SENDING, NOON)
    async with database.write() as tx:
        await deliveries.move(tx, fresh, State.SENDING, NOON)


async def test_a_claim_uses_the_partial_indexes_and_never_scans_the_history(database, channel_id):
    async with database.write() as tx:
        history = [
            {
                "kind": "digest",
                "channel_id": channel_id,
                "revision": 1,
                "state": "published",
                "turn": 4,
                "turn_at": NOON,
                "queued_at": NOON,
            }
            for _ in range(3000)
        ]
        await deliveries.add_many(tx, history)
    await queued(database, channel_id)
    if not database.is_embedded:
        async with database.write() as tx:
            await tx.execute(text("ANALYZE deliveries"))
    explain = "EXPLAIN QUERY PLAN " if database.is_embedded else "EXPLAIN "
    async with database.read() as tx:
        lines = await tx.execute(text(explain + HEADS), {"channel": channel_id})
        told = "\n".join(" ".join(map(str, line)) for line in lines)
    assert "ix_deliveries_turn" in told
    assert "ix_deliveries_pinned" in told
    assert "uq_deliveries_in_flight" in told
    assert "Seq Scan" not in told
    assert "SCAN deliveries" not in told


async def test_the_time_is_told_when_the_channels_are_locked_and_not_before(database, channel_id):
    first_is_in, told = asyncio.Event(), []

    async def hold() -> None:
        async with channels.turn(database, [channel_id]):
            first_is_in.set()
            await asyncio.sleep(0.3)
            async with database.read() as tx:
                told.append(await database.now(tx))

    holding = asyncio.create_task(hold())
    await first_is_in.wait()
    async with channels.turn(database, [channel_id]) as (_, now):
        told.append(now)
    await holding
    assert told[0] <= told[1]


async def test_a_channel_that_another_has_in_hand_is_not_waited_for(database, channel_id):
    if not database.is_embedded:  # there, whoever writes is alone
        async with channels.turn(database, [channel_id]), database.write() as other:
            assert await channels.alone(database, other, channel_id) is None
    async with database.write() as tx:
        taken = await channels.alone(database, tx, channel_id)
        assert taken is not None
        assert taken[0].id == channel_id
        assert abs(taken[1] - await database.now(tx)) < timedelta(seconds=5)


async def test_a_channel_sleeps_until_something_wakes_it_and_only_ever_wakes_earlier(database, channel_id):
    async with database.write() as tx:
        await channels.change(tx, channel_id, wake_at=None)
        assert await channels.due(tx, NOON, 10) == []
        await channels.wake(tx, [channel_id], NOON + timedelta(hours=1))
        await channels.wake(tx, [channel_id], NOON + timedelta(hours=2))
        assert await channels.next_wake(tx, NOON) == NOON + timedelta(hours=1)
        assert await channels.due(tx, NOON + timedelta(hours=1), 10) == [channel_id]


async def test_a_channel_gone_from_the_configuration_loses_its_queue_and_keeps_its_row(database, channel_id):
    delivery_id = await queued(database, channel_id)
    async with database.write() as tx:
        moved = await channels.open_channels(tx, [a_channel(address="@elsewhere")], NOON)
        assert moved["main"] != channel_id
        assert (await deliveries.get(tx, delivery_id)).state is State.CANCELLED
        back = await channels.open_channels(tx, [a_channel()], NOON)
    assert back["main"] == channel_id


async def test_a_reserved_place_is_taken_from_all_who_share_the_rate(database):
    from bot.domain.pace import Rate

    limit = ("bot 1", Rate.parse("1/s"))
    async with database.write() as tx:
        first = await pace.reserve(tx, [limit], NOON)
        second = await pace.reserve(tx, [limit], NOON)
    assert (first, second) == (NOON, NOON + timedelta(seconds=1))


async def test_a_ban_moves_every_later_call_behind_it(database):
    from bot.domain.pace import Rate

    limits = [("chat 1 a", Rate.parse("20/m")), ("chat 1 b", Rate.parse("1/s"))]
    until = NOON + timedelta(seconds=40)
    async with database.write() as tx:
        await pace.ban(tx, limits, until)
        assert await pace.earliest(tx, limits, NOON) == until
        assert await pace.reserve(tx, limits, NOON) == until


async def test_two_transactions_that_read_and_write_lose_no_update(database, channel_id):
    async def add_one() -> None:
        async with database.write() as tx:
            row = await channels.get(tx, channel_id)
            locked = "" if database.is_embedded else " FOR UPDATE"
            count = (
                await tx.execute(text(f"SELECT access_detail FROM channels WHERE id = :id{locked}"), {"id": channel_id})
            ).scalar_one()
            await asyncio.sleep(0.001)
            assert row is not None
            await channels.change(tx, channel_id, access_detail=str(int(count or 0) + 1))

    await asyncio.gather(*(add_one() for _ in range(20)))
    async with database.read() as tx:
        row = await channels.get(tx, channel_id)
    assert row is not None
    assert row.access_detail == "20"


async def test_times_come_back_aware_and_exact(database, channel_id):
    odd = NOON + timedelta(microseconds=123457)
    async with database.write() as tx:
        await channels.change(tx, channel_id, last_at=odd)
    async with database.read() as tx:
        row = await channels.get(tx, channel_id)
    assert row is not None
    assert row.last_at == odd
    assert row.last_at.tzinfo is not None


async def test_a_time_without_a_zone_is_refused_before_it_reaches_the_database(database, channel_id):
    naive = NOON.replace(tzinfo=None)
    with pytest.raises(Exception, match="without a zone"):
        async with database.write() as tx:
            await channels.change(tx, channel_id, last_at=naive)


async def test_a_second_owner_of_an_embedded_database_is_refused(tmp_path):
    from bot.errors import DatabaseError

    url = f"sqlite+aiosqlite:///{tmp_path}/one.db"
    async with Database(url, FakeClock(NOON)) as first, Database(url, FakeClock(NOON)) as second:
        first.own()
        with pytest.raises(DatabaseError, match="in use by another"):
            second.own()


async def test_an_article_keeps_only_its_newest_decisions(database, channel_id):
    delivery_id = await queued(database, channel_id)
    async with database.write() as tx:
        article_id = (await deliveries.get(tx, delivery_id)).article_id
        assert article_id is not None
        many = [Decision(decision="tried in vain", detail=str(number), article_id=article_id) for number in range(500)]
        await decide(tx, many, NOON)
        await cap(tx, article_id)
        kept = [line["detail"] for line in await why(tx, article_id)]
    assert kept == [str(number) for number in range(500 - MOST_PER_ARTICLE, 500)]


async def test_the_first_few_of_each_turn_are_told(database, channel_id):
    for number in range(9):
        await queued(database, channel_id, at=NOON + timedelta(minutes=number))
    breaking = await queued(database, channel_id, turn=Turn.BREAKING, at=NOON)
    async with database.read() as tx:
        told = await deliveries.first(tx, channel_id, 3)
    assert [head.delivery for head in told if head.turn is Turn.BREAKING] == [breaking]
    found = [head for head in told if head.turn is Turn.ORDINARY]
    assert [head.turn_at for head in found] == [NOON + timedelta(minutes=number) for number in range(3)]
