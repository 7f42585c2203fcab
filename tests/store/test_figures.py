"""Figures as series, and the book of questions, on both databases."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from itertools import pairwise

import pytest
from sqlalchemy import func, select, text, update
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.domain.channel import ChannelId, Platform
from bot.domain.figures import CLICKS, REACTION
from bot.store import channels, figures, insights, steps
from bot.store.database import Database
from bot.store.tables import figures as rows
from bot.store.tables import inquiries, ledger
from tests.factories import NOON, a_channel
from tests.store.posts import enter_posts, hours_ago, plans

MINUTE = timedelta(minutes=1)
THUMB, HEART = f"{REACTION}👍", f"{REACTION}❤"


@pytest.fixture
async def post(database: Database, channel_id: ChannelId):
    async with database.write() as tx:
        return (await enter_posts(tx, channel_id, [NOON]))[0]


async def told(database: Database, post, minutes: float, **named: int) -> int:
    names = {"thumb": THUMB, "heart": HEART, "clicks": CLICKS}
    async with database.write() as tx:
        values = {names[name]: value for name, value in named.items()}
        return await figures.keep(tx, post, values, NOON + minutes * MINUTE, published_at=NOON)


async def count(database: Database) -> int:
    async with database.read() as tx:
        return (await tx.execute(select(func.count()).select_from(rows))).scalar_one()


async def test_only_changes_are_kept_and_the_total_is_the_newest(database, post):
    for minute, value in enumerate([1, 1, 4, 4, 4, 2]):
        await told(database, post, 10 * minute, thumb=value)
    async with database.read() as tx:
        assert await insights.course(tx, post) == {
            THUMB: [(NOON, 1), (NOON + 20 * MINUTE, 4), (NOON + 50 * MINUTE, 2)],
        }
        assert await insights.totals(tx, [post]) == {post: {THUMB: 2}}


async def test_what_is_told_twice_changes_nothing(database, post):
    assert await told(database, post, 1, thumb=3, clicks=0) == 2
    assert await told(database, post, 9, thumb=3, clicks=0) == 0
    assert await count(database) == 2


async def test_a_click_count_of_none_is_kept_and_a_reaction_that_nobody_ever_held_is_not(database, post):
    await told(database, post, 1, thumb=0, clicks=0)
    async with database.read() as tx:
        assert await insights.totals(tx, [post]) == {post: {CLICKS: 0}}


async def test_a_flood_of_changes_becomes_a_short_series_with_the_last_value(database, post):
    async with database.write() as tx:
        for second in range(0, 300, 2):
            at = NOON + timedelta(seconds=second)
            await figures.keep(tx, post, {THUMB: second + 1}, at, published_at=NOON)
    async with database.read() as tx:
        course = (await insights.course(tx, post))[THUMB]
        assert (await insights.totals(tx, [post]))[post][THUMB] == 299
    assert len(course) == 5
    assert all(later[0] - earlier[0] >= MINUTE for earlier, later in pairwise(course))


async def test_totals_are_of_the_posts_asked_for_and_name_those_without_figures(database, channel_id, post):
    async with database.write() as tx:
        silent, other = await enter_posts(tx, channel_id, hours_ago(1, 2))
    await told(database, post, 1, thumb=3)
    await told(database, other, 1, thumb=8, heart=1)
    async with database.read() as tx:
        assert await insights.totals(tx, [post, silent, post]) == {post: {THUMB: 3}, silent: {}}
        assert await insights.totals(tx, []) == {}


async def test_totals_of_thousands_of_posts_are_one_answer(database, channel_id):
    async with database.write() as tx:
        posts = await enter_posts(tx, channel_id, [NOON + timedelta(seconds=number) for number in range(700)])
        await tx.execute(rows.insert(), [{"delivery_id": one, "name": THUMB, "at": NOON, "value": 1} for one in posts])
    async with database.read() as tx:
        totals = await insights.totals(tx, posts)
    assert list(totals.values()) == [{THUMB: 1}] * 700


async def test_an_older_telling_is_not_heard_after_a_newer_one(database, channel_id, post):
    async with database.write() as tx:
        assert await figures.hear(tx, post, channel_id, NOON + 5 * MINUTE)
        assert not await figures.hear(tx, post, channel_id, NOON + 4 * MINUTE)
        assert await figures.hear(tx, post, channel_id, NOON + 5 * MINUTE)


async def test_two_that_hear_of_one_post_at_once_keep_one_after_the_other(database, channel_id, post):
    async def hear(value: int) -> None:
        async with database.write() as tx:
            await figures.hear(tx, post, channel_id, NOON + MINUTE)
            await asyncio.sleep(0.01)
            await figures.keep(tx, post, {THUMB: value}, NOON + MINUTE, published_at=NOON)

    await asyncio.gather(*(hear(value) for value in range(1, 9)))
    assert await count(database) == 1


async def test_a_post_is_found_by_any_name_of_its_chat_and_only_in_its_own(database):
    named, numbered = a_channel("named", address="@Novyny"), a_channel("numbered", address="-1001234567890")
    page = a_channel("page", platform=Platform.FACEBOOK, address="@novyny")
    async with database.write() as tx:
        ids = await channels.open_channels(tx, [named, numbered, page], NOON)
        for name in ids:
            await enter_posts(tx, ids[name], [NOON], remote_id="7")

    async def found(*addresses: str, remote_id: str = "7") -> ChannelId | None:
        async with database.read() as tx:
            post = await figures.find_post(tx, Platform.TELEGRAM, addresses, remote_id)
        return None if post is None else post[1]

    assert await found("-100777", "@novyny") == ids["named"]
    assert await found("-1001234567890", "@other") == ids["numbered"]
    assert await found("-100777") is None
    assert await found("-100777", "@novyny", remote_id="8") is None


async def test_new_posts_are_planned_for_once_and_come_due_fresh_ones_first(database, channel_id):
    async with database.write() as tx:
        old, fresh, _later = await enter_posts(tx, channel_id, hours_ago(30, 2, -1))
        withdrawn, ancient = await enter_posts(tx, channel_id, hours_ago(3, 500))
        await tx.execute(update(ledger).where(ledger.c.delivery_id == withdrawn).values(withdrawn_at=NOON))
        for _ in range(2):
            new = await figures.unasked(tx, channel_id, NOON - timedelta(days=14), 100)
            await figures.plan_inquiries(tx, channel_id, [(one, at + 10 * MINUTE) for one, at in new])
        due = await figures.due(tx, channel_id, NOON, 100)
        assert [inquiry.delivery_id for inquiry in due] == [fresh, old]
        assert (await figures.due(tx, channel_id, NOON, 1))[0].delivery_id == fresh
        planned = {row.delivery_id for row in await tx.execute(select(inquiries))}
        assert ancient not in planned
        await figures.ask_next(tx, fresh, None, ended="gone")
        await figures.ask_next(tx, old, NOON + MINUTE, misses=2)
        assert await figures.due(tx, channel_id, NOON, 100) == []
        (again,) = await figures.due(tx, channel_id, NOON + MINUTE, 100)
        assert (again.delivery_id, again.misses) == (old, 2)


async def test_planning_to_ask_changes_nothing_where_somebody_else_has_planned(database, channel_id, post):
    async with database.write() as tx:
        await figures.plan_inquiries(tx, channel_id, [(post, NOON)])
        await figures.plan_inquiries(tx, channel_id, [(post, NOON + MINUTE)])
        assert len(await figures.due(tx, channel_id, NOON, 10)) == 1


async def test_what_is_due_is_found_by_its_index_and_the_newest_point_by_the_key(database, channel_id):
    async with database.write() as tx:
        posts = await enter_posts(tx, channel_id, [NOON + timedelta(seconds=number) for number in range(600)])
        await figures.plan_inquiries(tx, channel_id, [(one, NOON) for one in posts])
        await tx.execute(update(inquiries).where(inquiries.c.delivery_id != posts[0]).values(next_at=None))
        points = [
            {"delivery_id": one, "name": THUMB, "at": NOON + number * MINUTE, "value": number}
            for one in posts
            for number in range(20)
        ]
        await tx.execute(rows.insert(), points)
        if not database.is_embedded:
            await tx.execute(text("ANALYZE"))

    async def ask(tx: AsyncConnection) -> None:
        await figures.due(tx, channel_id, NOON, 10)
        await figures.newest(tx, posts[3:5])

    found = await plans(database, ask)
    (due,) = (plan for query, plan in found.items() if "FROM inquiries" in query)
    (newest,) = (plan for query, plan in found.items() if "FROM figures" in query)
    assert "ix_inquiries_next_at" in due
    for scanned in ("SCAN figures", "Seq Scan on figures"):
        assert scanned not in newest


async def test_questions_and_rests_follow_a_clock_that_is_set(sqlite_url: str):
    from bot.store import house
    from tests.fakes import FakeClock

    hour = timedelta(hours=1)
    async with Database(sqlite_url, FakeClock(NOON)) as database:
        await database.upgrade()
        async with database.write() as tx:
            channel = (await channels.open_channels(tx, [a_channel()], NOON))["main"]
            (one,) = await enter_posts(tx, channel, [NOON])
            await figures.plan_inquiries(tx, channel, [(one, NOON + hour)])
            await house.keep_fact(tx, f"insights {channel}", NOON + hour)
            await steps.shift(tx, -5 * hour, NOON - 5 * hour)
            assert [each.delivery_id for each in await figures.due(tx, channel, NOON - 4 * hour, 9)] == [one]
            assert await house.fact(tx, f"insights {channel}") == NOON - 4 * hour
