"""What readers do with posts reaches the desk: reactions told by Telegram, figures that a page is asked for."""

from __future__ import annotations

import asyncio
from collections import Counter
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from sqlalchemy import select, text

from bot.app import Service, ticker
from bot.clock import SystemClock
from bot.domain.channel import ChannelId, Platform
from bot.domain.delivery import DeliveryId
from bot.domain.figures import CLICKS, REACTION, VIEWERS, VIEWS
from bot.insights.reactions import on_reaction_count
from bot.sandbox import Sandbox, mishaps
from bot.store import channels, house, insights, pace
from bot.store.tables import inquiries
from tests.factories import KYIV, an_article
from tests.journeys.desk import inbox, settled, staff, working
from tests.journeys.outlet import BOT_ID, BOT_TOKEN, PAGE, PAGE_TOKEN, Outlet, ledger, publish, until
from tests.store.posts import enter_posts

NOW = SystemClock().now()
THUMB, HEART = f"{REACTION}👍", f"{REACTION}❤"
TOLD = {
    "post_media_view": 900,
    "post_total_media_view_unique": 640,
    "post_clicks": 31,
    "post_reactions_by_type_total": {"like": 8, "love": 3},
}
KEPT = {VIEWS: 900, VIEWERS: 640, CLICKS: 31, THUMB: 8, HEART: 3}


def a_story(**changes: Any):
    return an_article(**({"published_at": NOW - timedelta(minutes=5)} | changes))


# --- what is looked at ---------------------------------------------------------------------------------------------


async def of(service: Service, platform: str) -> list[DeliveryId]:
    """Return the posts on a platform, oldest first."""
    return [DeliveryId(line["delivery"]) for line in await ledger(service) if line["platform"] == platform]


async def totals(service: Service, *posts: DeliveryId) -> list[dict[str, int]]:
    async with service.house.database.read() as tx:
        return list((await insights.totals(tx, posts)).values())


def questions(outlet: Outlet) -> list[tuple[str, str]]:
    """Return what the page was asked: (post, metric), in order."""
    calls = [call for call in outlet.sandbox.facebook.calls if call.method == "insights"]
    return [(call.target.partition("/")[0], call.params["metric"]) for call in calls]


async def page_of(service: Service) -> ChannelId:
    return next(lane.id for lane in service.lanes.values() if lane.channel.platform is Platform.FACEBOOK)


# --- time that passes ----------------------------------------------------------------------------------------------


async def after_a_while(service: Service) -> int:
    """Let every question that is planned come due, and ring the bell; return how many posts were asked about."""
    await service.insights.refresh()  # plans to ask about what is new
    async with service.house.database.write() as tx:
        await tx.execute(text("UPDATE inquiries SET next_at = 0 WHERE next_at IS NOT NULL"))
    return await service.insights.refresh()


async def after_the_rest(service: Service) -> int:
    async with service.house.database.write() as tx:
        await house.keep_fact(tx, f"insights {await page_of(service)}", None)
    return await after_a_while(service)


# --- Telegram ------------------------------------------------------------------------------------------------------


@dataclass
class Told:
    """An update about reactions, in plain values: what a dispatcher of updates hands over."""

    chat: tuple[str, ...]
    message_id: int
    reactions: dict[str, int]
    at: datetime

    async def to(self, service: Service, *, later: timedelta = timedelta(0)) -> bool:
        async with service.house.database.write() as tx:
            return await on_reaction_count(tx, self.chat, self.message_id, self.reactions, self.at + later)


async def heard(outlet: Outlet) -> list[Told]:
    """Ask for updates the way a bot does, without confirming any."""
    asked = {"allowed_updates": '["message_reaction_count"]'}
    url = f"{outlet.sandbox.url}/bot{BOT_TOKEN}/getUpdates"
    async with aiohttp.ClientSession() as session, session.post(url, data=asked) as answer:
        updates = (await answer.json())["result"]
    told = []
    for update in updates:
        content = update["message_reaction_count"]
        chat = content["chat"]
        told.append(
            Told(
                (str(chat["id"]), f"@{chat['username']}"),
                content["message_id"],
                {each["type"]["emoji"]: each["total_count"] for each in content["reactions"]},
                datetime.fromtimestamp(content["date"], UTC),
            )
        )
    return told


async def test_reactions_arrive_and_are_kept_as_a_series(either_outlet: Outlet):
    outlet = either_outlet
    async with outlet.open() as service:
        await publish(service, a_story())
        await heard(outlet)
        (post,) = outlet.telegram
        for reactions in ({"👍": 2}, {"👍": 5, "❤": 1}, {"❤": 4}):
            outlet.sandbox.telegram.react("@outlet_main", post.id, reactions)
        for number, told in enumerate(await heard(outlet)):
            assert await told.to(service, later=number * timedelta(minutes=30))
        (delivery,) = await of(service, "telegram")
        assert await totals(service, delivery) == [{THUMB: 0, HEART: 4}]
        async with service.house.database.read() as tx:
            course = await insights.course(tx, delivery)
            both = await insights.history(tx, None, most=2)  # which of the two came out last is chance
        (line,) = [one for one in both if one.delivery_id == delivery]
        assert [value for _, value in course[THUMB]] == [2, 5, 0]
        assert [value for _, value in course[HEART]] == [1, 4]
        assert line.reactions == 4


async def test_updates_that_come_again_after_a_restart_double_nothing(either_outlet: Outlet):
    outlet = either_outlet
    async with outlet.open() as service:
        await publish(service, a_story())
        await heard(outlet)
        (post,) = outlet.telegram
        outlet.sandbox.telegram.react("@outlet_main", post.id, {"👍": 2})
        outlet.sandbox.telegram.react("@outlet_main", post.id, {"👍": 7})
        first, second = await heard(outlet)
        await first.to(service)
        await second.to(service, later=timedelta(minutes=30))
    async with outlet.open() as service:
        (delivery,) = await of(service, "telegram")
        for told, later in ((first, 0), (second, 30), (first, 0)):
            await told.to(service, later=timedelta(minutes=later))
        assert await totals(service, delivery) == [{THUMB: 7}]
        async with service.house.database.read() as tx:
            assert len((await insights.course(tx, delivery))[THUMB]) == 2


async def test_reactions_to_what_is_not_ours_are_left_alone(outlet: Outlet):
    async with outlet.open() as service:
        await publish(service, a_story())
        (post,) = outlet.telegram
        foreign = Told(("-100999", "@elsewhere"), post.id, {"👍": 9}, NOW)
        unknown = Told(("-1001000000001", "@outlet_main"), post.id + 500, {"👍": 9}, NOW)
        assert not await foreign.to(service)
        assert not await unknown.to(service)
        assert await totals(service, *await of(service, "telegram")) == [{}]


async def test_a_hostile_count_costs_a_bounded_amount(outlet: Outlet):
    async with outlet.open() as service:
        await publish(service, a_story())
        (post,) = outlet.telegram
        reactions = {f"{number}" * 500: -number for number in range(9)} | {f"x{number}": 1 for number in range(5000)}
        assert await Told(("@outlet_main",), post.id, reactions, NOW).to(service)
        (kept,) = await totals(service, *await of(service, "telegram"))
        assert len(kept) <= 100
        assert all(value >= 0 and len(name) < 100 for name, value in kept.items())


async def test_the_desk_hears_of_reactions_by_itself_also_of_those_without_an_emoji(outlet: Outlet):
    staff(outlet, started=False)
    async with working(outlet) as service:
        await publish(service, a_story())
        (post,) = outlet.telegram
        (delivery,) = await of(service, "telegram")
        await until(lambda: inbox(outlet).wants("message_reaction_count"))
        outlet.sandbox.telegram.react("@outlet_main", post.id, {"👍": 2, "❤": 1})
        await until(lambda: _held(service, delivery, {"👍": 2, "❤": 1}))
        content: dict[str, Any] = {
            "chat": {"id": -1001000000001, "type": "channel", "title": "Видання"},  # a private one has no name
            "message_id": post.id,
            "date": int(NOW.timestamp()) + 3600,
            "reactions": [
                {"type": {"type": "custom_emoji", "custom_emoji_id": "5368324170671202286"}, "total_count": 4},
                {"type": {"type": "paid"}, "total_count": 3},
            ],
        }
        bot = outlet.sandbox.telegram.by_id[BOT_ID]
        outlet.sandbox.telegram.put_update(bot, "message_reaction_count", content)
        await settled(outlet)
        assert await totals(service, delivery) == [{THUMB: 2, HEART: 1}]  # a chat that no channel is configured by
        content["chat"]["username"] = "outlet_main"
        outlet.sandbox.telegram.put_update(bot, "message_reaction_count", content)
        await until(lambda: _held(service, delivery, {"5368324170671202286": 4, "⭐": 3}))


async def _held(service: Service, delivery: DeliveryId, reactions: dict[str, int]) -> bool:
    async with service.house.database.read() as tx:
        return (await insights.reactions_of(tx, [delivery])).get(delivery) == reactions


# --- Facebook ------------------------------------------------------------------------------------------------------


async def test_a_fresh_post_is_asked_about_when_its_time_has_come_and_its_figures_are_kept(either_outlet: Outlet):
    outlet = either_outlet
    async with outlet.open() as service:
        await publish(service, a_story())
        outlet.sandbox.facebook.set_insights(outlet.facebook[0].id, TOLD)
        assert await service.insights.refresh() == 0
        assert questions(outlet) == []
        assert await after_a_while(service) == 1
        (delivery,) = await of(service, "facebook")
        assert await totals(service, delivery) == [KEPT]
        assert await service.insights.refresh() == 0
        assert len(questions(outlet)) == 4
        async with service.house.database.read() as tx:
            stats = await insights.stats(tx, None, NOW - timedelta(days=6), SystemClock().now(), KYIV)
        assert (stats.posts, stats.facebook_reactions, stats.clicks, stats.views) == (2, 11, 31, 900)


async def test_totals_do_not_double_after_a_restart(either_outlet: Outlet):
    outlet = either_outlet
    async with outlet.open() as service:
        await publish(service, a_story())
        outlet.sandbox.facebook.set_insights(outlet.facebook[0].id, TOLD)
        await after_a_while(service)
    async with outlet.open() as service:
        (delivery,) = await of(service, "facebook")
        await after_a_while(service)
        assert await totals(service, delivery) == [KEPT]
        async with service.house.database.read() as tx:
            assert {len(points) for points in (await insights.course(tx, delivery)).values()} == {1}


async def test_a_metric_that_is_gone_spoils_nothing_and_is_not_asked_for_again_and_again(outlet: Outlet):
    async with outlet.open() as service:
        for _ in range(5):
            await publish(service, a_story())
        for post in outlet.facebook:
            outlet.sandbox.facebook.set_insights(post.id, TOLD)
        outlet.sandbox.facebook.gone_metrics = frozenset({"post_reactions_by_type_total"})
        await after_a_while(service)
        without = {name: value for name, value in KEPT.items() if name not in (THUMB, HEART)}
        assert await totals(service, *await of(service, "facebook")) == [without] * 5
        asked = Counter(metric for _, metric in questions(outlet))
        assert asked["post_reactions_by_type_total"] == 3
        assert {asked[metric] for metric in TOLD if metric != "post_reactions_by_type_total"} == {5}


async def test_a_page_that_is_throttled_is_left_alone(either_outlet: Outlet):
    outlet = either_outlet
    outlet.variables["VISTNYK_PACE__PAGE"] = "50/s"
    async with outlet.open() as service:
        for _ in range(3):
            await publish(service, a_story())
        outlet.sandbox.facebook.next("insights", mishaps.throttle(600, 80001))
        assert await after_a_while(service) == 1
        assert len(questions(outlet)) == 1
        for _ in range(3):
            assert await after_a_while(service) == 0
        assert outlet.sandbox.facebook.calls_inside_ban == 0
        page = await page_of(service)
        async with service.house.database.write() as tx:
            now = await service.house.database.now(tx)
            allowed_at = await pace.earliest(tx, service.lanes[page].limits, now)
            assert timedelta(minutes=9) < allowed_at - now <= timedelta(minutes=10)
        await service.give_back()
    async with outlet.open() as service:  # a restart does not forget it
        assert await after_a_while(service) == 0
        # Neither does the end of the rest, as long as the page's own ban holds.
        assert await after_the_rest(service) == 1
        assert len(questions(outlet)) == 1


async def test_a_page_that_was_banned_by_a_post_is_asked_nothing(outlet: Outlet):
    outlet.variables["VISTNYK_PACE__PAGE"] = "50/s"
    async with outlet.open() as service:
        await publish(service, a_story())
        page = await page_of(service)
        async with service.house.database.write() as tx:
            now = await service.house.database.now(tx)
            await pace.ban(tx, service.lanes[page].limits, now + timedelta(minutes=1))
        await after_a_while(service)
        assert questions(outlet) == []


async def test_questions_keep_the_pages_pace(outlet: Outlet):
    outlet.variables["VISTNYK_PACE__PAGE"] = "5/s"
    async with outlet.open() as service:
        for _ in range(2):
            await publish(service, a_story())
        await after_a_while(service)
    asked = [call.at for call in outlet.sandbox.facebook.calls if call.method == "insights"]
    assert len(asked) == 8
    assert max(asked) - min(asked) > 7 * 0.2 - 0.15


async def test_a_page_that_has_used_much_of_its_allowance_is_asked_little(outlet: Outlet):
    async with outlet.open() as service:
        for _ in range(3):
            await publish(service, a_story())
        outlet.sandbox.facebook.page_usage["call_count"] = 60
        assert await after_a_while(service) == 1
        assert await after_a_while(service) == 0
        outlet.sandbox.facebook.page_usage["call_count"] = 10
        assert await after_the_rest(service) == 3
        asked = len(questions(outlet))
        outlet.sandbox.facebook.page_usage["call_count"] = 99
        await publish(service, a_story())
        await after_a_while(service)  # its answer to the post was told: the page is not asked once
        assert len(questions(outlet)) == asked


async def test_a_post_that_is_gone_stops_being_asked_about(either_outlet: Outlet):
    outlet = either_outlet
    async with outlet.open() as service:
        await publish(service, a_story())
        await publish(service, a_story())
        gone, there = outlet.facebook
        outlet.sandbox.facebook.remove(gone)
        for _ in range(6):
            await after_a_while(service)
        asked = Counter(post for post, _ in questions(outlet))
        assert (asked[gone.id], asked[there.id]) == (3, 24)
        async with service.house.database.read() as tx:
            ended = {row.delivery_id: row.ended for row in await tx.execute(select(inquiries))}
        assert ended == dict(zip(await of(service, "facebook"), ["gone", ""], strict=True))


async def test_a_post_that_was_taken_down_by_us_is_not_asked_about(outlet: Outlet):
    article = a_story()
    async with outlet.open() as service:
        await publish(service, article)
        await service.insights.refresh()
        await service.house.intake.retract(article.url, "помилка")
        await service.worker.drain()
        assert outlet.facebook == []
        await after_a_while(service)
        assert questions(outlet) == []
        assert await after_a_while(service) == 0


async def test_a_page_of_few_likes_is_asked_seldom(outlet: Outlet):
    outlet.sandbox.facebook.pages[PAGE].likes = 99
    async with outlet.open() as service:
        for _ in range(3):
            await publish(service, a_story())
        assert await after_a_while(service) == 3
        assert await after_a_while(service) == 0
        assert await totals(service, *await of(service, "facebook")) == [{}, {}, {}]
        outlet.sandbox.facebook.pages[PAGE].likes = 100
        assert await after_the_rest(service) == 3
        assert all(CLICKS in told for told in await totals(service, *await of(service, "facebook")))


async def test_a_token_without_the_right_to_figures_stops_the_questions_and_never_the_news(outlet: Outlet):
    token = outlet.sandbox.facebook.tokens[PAGE_TOKEN]
    token.scopes = token.scopes - {"read_insights"}
    async with outlet.open() as service:
        await publish(service, a_story())
        await after_a_while(service)
        await after_a_while(service)
        assert len(questions(outlet)) == 1
        await publish(service, a_story())
        assert len(outlet.facebook) == 2
        async with service.house.database.read() as tx:
            row = await channels.get(tx, await page_of(service))
        assert row is not None
        assert row.access_lost_at is None


@pytest.mark.parametrize("mishap", [mishaps.html_502, mishaps.error_before_publishing, mishaps.half_an_answer])
async def test_a_question_without_an_answer_is_repeated_later_and_what_was_told_before_it_is_kept(
    outlet: Outlet, mishap: mishaps.Mishap
):
    async with outlet.open() as service:
        await publish(service, a_story())
        outlet.sandbox.facebook.set_insights(outlet.facebook[0].id, TOLD)
        outlet.sandbox.facebook.next("insights", mishaps.slow(0), 2)
        outlet.sandbox.facebook.next("insights", mishap)
        await after_a_while(service)
        assert await totals(service, *await of(service, "facebook")) == [{THUMB: 8, HEART: 3, VIEWS: 900}]
        assert await after_a_while(service) == 0
        assert await after_the_rest(service) == 1
        assert await totals(service, *await of(service, "facebook")) == [KEPT]


async def test_a_thousand_posts_are_asked_about_a_few_at_a_time_each_in_its_turn(outlet: Outlet):
    facebook = outlet.sandbox.facebook
    async with outlet.open() as service:
        page = await page_of(service)
        ids = [facebook.publish(facebook.pages[PAGE], "1", f"Допис {number}").id for number in range(1000)]
        async with service.house.database.write() as tx:
            times = [NOW - timedelta(minutes=number) for number in range(1000)]
            await enter_posts(tx, page, times, waited=None, remote_ids=ids)
        asked: Counter[str] = Counter()
        for _ in range(2):
            facebook.calls.clear()
            assert await service.insights.refresh() == 10
            assert len(questions(outlet)) == 40
            asked.update(post for post, _ in questions(outlet))
        assert len(asked) == 20
        assert set(asked.values()) == {4}
        async with service.house.database.read() as tx:
            planned = (await tx.execute(text("SELECT count(*) FROM inquiries WHERE next_at IS NOT NULL"))).scalar_one()
        assert planned == 1000


# --- the room ------------------------------------------------------------------------------------------------------


@pytest.mark.postgres
async def test_of_two_replicas_one_asks_about_a_page(tmp_path: Path, sandbox: Sandbox, postgres_url: str):
    outlet = Outlet(tmp_path, sandbox, postgres_url)
    async with outlet.open() as one, outlet.open() as other:
        for _ in range(4):
            await publish(one, a_story())
        await one.insights.refresh()
        async with one.house.database.write() as tx:
            await tx.execute(text("UPDATE inquiries SET next_at = 0"))
        assert sorted(await asyncio.gather(one.insights.refresh(), other.insights.refresh())) == [0, 4]
        assert Counter(Counter(questions(outlet)).values()) == {1: 16}
        await one.give_back()
        assert await after_a_while(other) == 4
        assert await after_a_while(one) == 0


async def test_the_bell_rings_where_there_is_a_page_and_nowhere_else(outlet: Outlet):
    async with outlet.open() as service:
        assert service.insights.asks
        assert "insights" in {job.id for job in ticker(service)._scheduler.get_jobs()}
    outlet.variables["VISTNYK_MODE"] = "shadow"
    async with outlet.open() as service:
        assert not service.insights.asks
        assert "insights" not in {job.id for job in ticker(service)._scheduler.get_jobs()}
        assert await service.insights.refresh() == 0


async def test_an_account_of_what_was_published_becomes_a_picture(outlet: Outlet):
    async with outlet.open() as service:
        await publish(service, a_story())
        async with service.house.database.read() as tx:
            stats = await insights.stats(tx, None, NOW - timedelta(days=6), SystemClock().now(), KYIV)
        drawn = await asyncio.gather(*(service.insights.chart(stats, "усі канали") for _ in range(3)))
    assert all(png.startswith(b"\x89PNG") for png in drawn)
    assert len(set(drawn)) == 1
