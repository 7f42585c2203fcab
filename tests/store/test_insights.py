"""What the desk asks: stats, the day so far, history, on both databases."""

from __future__ import annotations

from datetime import date, datetime, timedelta

import pytest
from sqlalchemy import insert, text, update
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.domain.channel import ChannelId, Platform
from bot.domain.delivery import DeliveryId
from bot.domain.figures import CLICKS, REACTION, VIEWS, Day
from bot.store import channels, figures, insights
from bot.store.database import Database
from bot.store.tables import deliveries
from bot.store.tables import figures as rows
from tests.factories import KYIV, NOON, a_channel
from tests.store.posts import enter_posts, hours_ago, plans

DAY = timedelta(days=1)
THUMB, HEART = f"{REACTION}👍", f"{REACTION}❤"


@pytest.fixture
async def outlet(database: Database) -> dict[str, ChannelId]:
    page = a_channel("page", platform=Platform.FACEBOOK, address="100")
    async with database.write() as tx:
        return await channels.open_channels(tx, [a_channel(), a_channel("second"), page], NOON)


async def tell(database: Database, post: DeliveryId, at: datetime = NOON, /, **told: int) -> None:
    names = {"thumb": THUMB, "heart": HEART, "clicks": CLICKS, "views": VIEWS}
    async with database.write() as tx:
        await figures.keep(tx, post, {names[name]: value for name, value in told.items()}, at, published_at=at)


async def test_stats_count_the_posts_of_the_time_with_what_they_have_by_now(database, outlet):
    async with database.write() as tx:
        early, first, second = await enter_posts(tx, outlet["main"], hours_ago(24 * 8, 26, 2))
        (third,) = await enter_posts(tx, outlet["page"], hours_ago(3), waited=timedelta(minutes=15))
    await tell(database, early, thumb=1000)
    await tell(database, first, NOON - DAY, thumb=3, heart=1)
    await tell(database, first, thumb=5)
    await tell(database, second, thumb=1)
    await tell(database, third, heart=4, clicks=12, views=300)
    async with database.read() as tx:
        stats = await insights.stats(tx, None, NOON - 6 * DAY, NOON, KYIV)
        page = await insights.stats(tx, outlet["page"], NOON - 6 * DAY, NOON, KYIV)
        both = await insights.stats(tx, [outlet["main"], outlet["second"]], NOON - 6 * DAY, NOON, KYIV)
        none = await insights.stats(tx, [], NOON - 6 * DAY, NOON, KYIV)
    assert (stats.posts, stats.reactions, stats.by_reaction) == (3, 11, {"👍": 6, "❤": 5})
    assert (stats.facebook_reactions, stats.clicks, stats.views) == (4, 12, 300)
    assert stats.days[-2:] == (Day(date(2026, 5, 31), 1, 6), Day(date(2026, 6, 1), 2, 5))
    assert (stats.heat[6][10], stats.heat[0][10], stats.heat[0][9]) == (1, 1, 1)
    assert [post.delivery_id for post in stats.best] == [first, third, second]
    assert stats.median_minutes == 5
    assert (page.posts, page.reactions, page.median_minutes) == (1, 4, 15)
    assert (both.posts, both.reactions, both.clicks) == (2, 7, None)
    assert (none.posts, len(none.days)) == (0, 7)


async def test_a_series_counts_once_in_stats_however_long_it_is(database, outlet):
    async with database.write() as tx:
        (post,) = await enter_posts(tx, outlet["main"], hours_ago(20))
    for number in range(1, 30):
        await tell(database, post, NOON - timedelta(hours=20 - number / 2), thumb=number)
    async with database.read() as tx:
        assert len((await insights.course(tx, post))[THUMB]) == 29
        stats = await insights.stats(tx, None, NOON - DAY, NOON, KYIV)
    assert (stats.reactions, stats.best[0].reactions) == (29, 29)


async def test_of_too_many_posts_the_newest_are_counted_and_the_time_is_theirs(database, outlet, monkeypatch):
    monkeypatch.setattr(insights, "MOST_POSTS", 3)
    async with database.write() as tx:
        posts = await enter_posts(tx, outlet["main"], hours_ago(100, 50, 4, 3, 2))
    for post in posts:
        await tell(database, post, thumb=1)
    async with database.read() as tx:
        stats = await insights.stats(tx, None, NOON - 6 * DAY, NOON, KYIV)
    assert (stats.cut, stats.posts, stats.reactions, stats.by_reaction) == (True, 3, 3, {"👍": 3})
    assert stats.days == (Day(date(2026, 6, 1), 3, 3),)


async def test_the_wait_is_from_the_later_of_an_articles_arrival_and_its_date_and_never_of_a_return(database, outlet):
    async with database.write() as tx:
        posts = await enter_posts(tx, outlet["main"], hours_ago(1, 2, 3, 4), waited=timedelta(minutes=30))
        await enter_posts(tx, outlet["main"], hours_ago(5), waited=None)
        dated = (NOON - timedelta(hours=1, minutes=10), posts[0])
        await tx.execute(
            text(
                "UPDATE articles SET published_at = :at WHERE id = (SELECT article_id FROM deliveries WHERE id = :one)"
            ),
            {"at": int(dated[0].timestamp() * 1_000_000), "one": dated[1]},
        )
        await tx.execute(update(deliveries).where(deliveries.c.id == posts[1]).values(repost=1))
        seen = {"at": int(NOON.timestamp() * 1_000_000), "one": posts[2]}
        await tx.execute(
            text(
                "UPDATE articles SET first_seen_at = :at WHERE id = (SELECT article_id FROM deliveries WHERE id = :one)"
            ),
            seen,
        )
    async with database.read() as tx:
        waits = [post.waited for post in await insights.history(tx, None)]
    assert waits == [timedelta(minutes=10), None, None, timedelta(minutes=30), None]


async def test_history_shows_the_newest_first_and_goes_on_where_the_page_ended(database, outlet):
    same = [NOON - timedelta(hours=7)] * 3
    async with database.write() as tx:
        mine = await enter_posts(tx, outlet["main"], hours_ago(1, 4, 6, 9))
        theirs = await enter_posts(tx, outlet["second"], hours_ago(2, 3, 8))
        twins = [(await enter_posts(tx, outlet["page"], [at], waited=None))[0] for at in same]
    await tell(database, theirs[0], thumb=2, heart=5, clicks=3)
    order = [mine[0], *theirs[:2], mine[1], mine[2], *twins[::-1], theirs[2], mine[3]]
    found, before = [], None
    async with database.read() as tx:
        while page := await insights.history(tx, None, most=3, before=before):
            assert len(page) <= 3
            found += page
            before = page[-1]
        assert [post.delivery_id for post in found] == order
        own = await insights.history(tx, outlet["main"])
        assert [post.delivery_id for post in own] == mine
    assert (found[1].reactions, found[1].clicks, found[1].channel) == (7, 3, "second")


async def test_today_begins_with_the_outlets_day_and_counts_all_that_happened(database, outlet):
    midnight = datetime(2026, 5, 31, 21, tzinfo=NOON.tzinfo)  # in Kyiv
    async with database.write() as tx:
        await enter_posts(tx, outlet["main"], [midnight - timedelta(minutes=1)])
        posts = await enter_posts(tx, outlet["main"], [midnight, NOON - timedelta(hours=1)])
        row = {"channel_id": outlet["main"], "revision": 1, "turn": 4, "turn_at": NOON, "queued_at": NOON}
        for kind, state in [
            ("edit", "published"),
            ("withdraw", "published"),
            ("publish", "failed"),
            ("publish", "expired"),
            ("digest", "expired"),
            ("publish", "cancelled"),
            ("edit", "cancelled"),
            ("publish", "planned"),
            ("publish", "planned"),
            ("publish", "proposed"),
            ("publish", "held"),
            ("publish", "unknown"),
        ]:
            done = {"finished_at": NOON} if state in ("published", "failed", "expired", "cancelled") else {}
            await tx.execute(insert(deliveries).values(kind=kind, state=state, **row, **done))
        long_ago = row | {"finished_at": midnight - DAY}
        await tx.execute(insert(deliveries).values(kind="publish", state="failed", **long_ago))
    await tell(database, posts[1], thumb=6)
    async with database.read() as tx:
        today = await insights.today(tx, None, NOON, KYIV)
        short = await insights.today(tx, outlet["main"], NOON, KYIV, most=1)
        other = await insights.today(tx, outlet["second"], NOON, KYIV)
    assert today.day == date(2026, 6, 1)
    assert [post.delivery_id for post in today.posts] == posts[::-1]
    assert today.posts[0].reactions == 6
    assert (today.published, today.edited, today.withdrawn) == (2, 1, 1)
    assert (today.failed, today.expired, today.cancelled) == (1, 2, 1)
    assert (today.planned, today.proposed, today.held, today.in_flight) == (2, 1, 1, 1)
    assert (len(short.posts), short.published) == (1, 2)
    assert (other.published, other.planned, other.posts) == (0, 0, ())


async def test_questions_about_a_long_ledger_touch_only_what_they_show(database, outlet):
    """The queries of this module, as the database gets them, on a ledger of many posts."""
    async with database.write() as tx:
        posts = await enter_posts(tx, outlet["main"], [NOON - timedelta(hours=number) for number in range(1000)])
        points = [
            {"delivery_id": one, "name": THUMB, "at": NOON - number * DAY, "value": 1}
            for one in posts
            for number in range(40)
        ]
        await tx.execute(rows.insert(), points)
        if not database.is_embedded:
            await tx.execute(text("ANALYZE"))

    async def ask(tx: AsyncConnection) -> None:
        await insights.today(tx, outlet["main"], NOON, KYIV)
        await insights.history(tx, outlet["main"])
        await insights.stats(tx, outlet["main"], NOON - DAY, NOON, KYIV)

    found = await plans(database, ask)
    assert len(found) >= 7
    for statement, plan in found.items():
        for scanned in ("SCAN ledger", "SCAN figures", "Seq Scan on ledger", "Seq Scan on figures"):
            assert scanned not in plan, (statement, plan)
    assert sum("ix_ledger_channel_id_published_at" in plan for plan in found.values()) >= 4, found
