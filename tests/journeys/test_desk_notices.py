"""What the desk is told of without deciding: silent sources, posts that grew too old, the day; never a flood."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import text

from bot.app import Service
from bot.desk import texts
from bot.sandbox.server import SitePage
from bot.sandbox.telegram_world import SandboxPost
from bot.store import house
from tests.journeys.desk import (
    CHIEF,
    EDITOR,
    a_story,
    buttons,
    cards,
    greeted,
    open_notices,
    shown,
    staff,
    unproven,
    until,
    working,
)
from tests.journeys.outlet import BOT_ID, Outlet, publish
from tests.journeys.test_desk_approval import a_proposal

KYIV = ZoneInfo("Europe/Kyiv")
FEED = """
[[sources]]
name = "site"
kind = "feed"
url = "{url}/site/rss"

[[channels]]"""
RSS = (
    "<rss version='2.0'><channel><title>Видання</title>"
    "<item><title>Новина</title><link>https://news.example/1</link></item></channel></rss>"
)


@pytest.fixture
def desk(outlet: Outlet) -> Outlet:
    return staffed(outlet)


@pytest.fixture
def either_desk(either_outlet: Outlet) -> Outlet:
    return staffed(either_outlet)


def staffed(outlet: Outlet) -> Outlet:
    staff(outlet)
    outlet.sandbox.site["/rss"] = SitePage(RSS.encode(), "application/rss+xml")
    feed = FEED.format(url=outlet.sandbox.url)
    outlet.toml.write_text(outlet.toml.read_text("utf-8").replace("[[channels]]", feed, 1), "utf-8")
    return outlet


async def ask(service: Service, times: int = 1) -> None:
    for _ in range(times):
        for settings, source in service.sources:
            await service.look(settings, source)


async def shift(service: Service, statement: str, by: timedelta) -> None:
    """Move times of the store back, as if they were that long ago."""
    async with service.house.database.write() as tx:
        await tx.execute(text(statement), {"by": by // timedelta(microseconds=1)})


async def fact(service: Service, name: str, at: datetime) -> None:
    async with service.house.database.write() as tx:
        await house.keep_fact(tx, name, at)


async def looked(service: Service) -> None:
    """Look twice: what a look ends is gone with the next one."""
    await service.desk.look()
    await service.desk.look()


async def test_a_source_that_stays_silent_is_told_once_and_so_is_its_return(either_desk: Outlet) -> None:
    desk = either_desk
    async with working(desk) as service:
        await greeted(desk)
        await ask(service)
        desk.sandbox.site["/rss"] = SitePage(b"away", status=503)
        await ask(service, 5)
        await looked(service)
        assert cards(desk) == [], "a few minutes are nobody's trouble"
        await shift(service, "UPDATE sources SET last_success_at = last_success_at - :by", timedelta(minutes=30))
        await ask(service)
        await looked(service)
        (card,) = cards(desk)
        since = datetime.now(KYIV) - timedelta(minutes=30)
        assert card.text.startswith("📡 Джерело не відповідає\nsite\nПрочитати його не вдається від ")
        assert since.strftime("%H:") in card.text
        assert "503" in card.text
        assert buttons(card) == []
        await ask(service, 3)
        await looked(service)
        assert cards(desk) == [card]
        desk.sandbox.site["/rss"] = SitePage(RSS.encode(), "application/rss+xml")
        await ask(service)
        await looked(service)
        assert "✅ Джерело знову працює з " in card.text
        assert cards(desk) == [card]
        assert await open_notices(service) == []


async def test_a_source_that_never_worked_is_told_and_one_that_is_gone_is_not(desk: Outlet) -> None:
    desk.sandbox.site["/rss"] = SitePage(b"away", status=404)
    async with working(desk) as service:
        await greeted(desk)
        async with service.house.database.write() as tx:
            gone = house.SourceState(
                cursor={}, failures=9, error="gone", last_success_at=datetime(2026, 1, 1, tzinfo=UTC)
            )
            await house.keep_source_state(tx, "old-site", gone)
        await ask(service, 2)
        await looked(service)
        assert cards(desk) == []
        await ask(service)
        await looked(service)
        (card,) = cards(desk)
        assert texts.SOURCE_NEVER in card.text


async def expire(service: Service, channel: str, count: int, **more: object) -> None:
    """Have proposals of a channel grow too old."""
    await publish(service, *(a_proposal(title=f"Стаття {number}", **more) for number in range(count)))
    statement = "UPDATE deliveries SET turn_at = turn_at - :by WHERE state = 'proposed'"
    await shift(service, statement, timedelta(days=8))
    await service.reconciler.reconcile()


async def test_posts_that_grew_too_old_are_told_together_a_line_for_each_channel(either_desk: Outlet) -> None:
    desk = either_desk
    async with working(desk) as service:
        await greeted(desk)
        await looked(service)
        await fact(service, "expired told", datetime.now(UTC) - timedelta(hours=1))
        await expire(service, "asks", 5)
        await looked(service)
        assert cards(desk) == [], "they are gathered for some minutes"
        await shift(
            service,
            "UPDATE deliveries SET finished_at = finished_at - :by WHERE state = 'expired'",
            timedelta(minutes=6),
        )
        await fact(service, "expired told", datetime.now(UTC) - timedelta(hours=1))
        await looked(service)
        (report,) = cards(desk)
        assert report.text == ("🍂 Не вийшло, бо застаріло\nasks: 5 дописів — «Стаття 0», «Стаття 1», «Стаття 2», ще 2")
        assert buttons(report) == []
        await looked(service)
        assert cards(desk) == [report]
        await service.give_back()
    async with working(desk) as service:
        await looked(service)
        assert cards(desk) == [report]
        assert await open_notices(service) == []


async def summed_up(service: Service, desk: Outlet, person: int = CHIEF) -> SandboxPost:
    """Have the day end, and return what is told of it."""
    await looked(service)
    await fact(service, "summary told", datetime.now(UTC) - timedelta(days=1))
    await looked(service)
    return next(post for post in shown(desk, person) if post.text.startswith("📊"))


async def test_the_day_is_summed_up_once_at_its_time(either_desk: Outlet) -> None:
    desk = either_desk
    desk.variables["VISTNYK_DESK__SUMMARY_AT"] = datetime.now(KYIV).strftime("%H:%M")
    async with working(desk) as service:
        await greeted(desk)
        await looked(service)
        assert cards(desk) == [], "the first look tells nothing of a time before it"
        await publish(service, a_story(title="Міст <відкрили>"), a_story(title="Парк відкрили"))
        desk.sandbox.telegram.react("@outlet_main", desk.telegram[0].id, {"👍": 4, "😢": 1})
        await until(lambda: _reactions(service))
        await unproven(service, desk, arrives=False)
        # What happened in this minute belongs to the next account: let it have been a little earlier.
        back = timedelta(minutes=2)
        await shift(service, "UPDATE ledger SET published_at = published_at - :by", back)
        summary = await summed_up(service, desk)
        lines = summary.text.split("\n")
        assert lines[0] == "📊 Підсумок дня"
        assert "telegram-main: 3 дописи" in lines
        assert "closed: нічого не вийшло, чекають на рішення: 1" in lines
        assert lines[-2:] == ["Найбільше реакцій:", "• Міст <відкрили> (telegram-main): 5 реакцій"]
        assert f"{desk.sandbox.url}/outlet_main/{desk.telegram[0].id}" in summary.html
        await looked(service)
        await service.give_back()
    async with working(desk) as service:
        await looked(service)
        assert len([post for post in shown(desk, CHIEF) if post.text.startswith("📊")]) == 1


async def _reactions(service: Service) -> bool:
    async with service.house.database.read() as tx:
        return bool((await tx.execute(text("SELECT count(*) FROM figures"))).scalar_one())


async def test_a_chief_is_told_of_the_channels_that_are_his(desk: Outlet) -> None:
    words = desk.toml.read_text("utf-8").replace(
        'name = "Петро"\nrole = "editor"', 'name = "Петро"\nrole = "chief"\nchannels = ["asks"]'
    )
    desk.toml.write_text(words, "utf-8")
    desk.sandbox.telegram.say(EDITOR, BOT_ID, "/start")
    desk.variables["VISTNYK_DESK__SUMMARY_AT"] = datetime.now(KYIV).strftime("%H:%M")
    async with working(desk) as service:
        await greeted(desk)
        await until(lambda: shown(desk, EDITOR))
        await publish(service, a_story(), a_proposal())
        mine = await summed_up(service, desk, EDITOR)
        theirs = await summed_up(service, desk)
        assert [line.partition(":")[0] for line in mine.text.split("\n")[1:]] == ["asks"]
        assert len(theirs.text.split("\n")) == 7


async def test_at_night_only_what_is_urgent_is_told_and_the_rest_in_the_morning_together(desk: Outlet) -> None:
    desk.variables["VISTNYK_DESK__QUIET"] = '["00:00-24:00"]'
    desk.sandbox.site["/gone"] = SitePage(b"gone", status=404)
    pages = [f"{desk.sandbox.url}/site/gone?{number}" for number in range(4)]
    async with working(desk) as service:
        await greeted(desk)
        await publish(service, *(a_story(url=page, rubric="Суворе") for page in pages))
        await publish(service, a_proposal(), a_proposal(title="Парк відкрили"))
        await unproven(service, desk, arrives=False)
        desk.sandbox.telegram.set_rights("@outlet_main", BOT_ID, can_post=False)
        await publish(service, a_story())
        await looked(service)
        heads = sorted(one.text.split("\n")[0] for one in cards(desk))
        assert heads == ["❓ Чи вийшов цей допис?", "🔑 Канал не пускає бота"]
        assert all(one.silent for one in cards(desk))
        assert len(await open_notices(service)) == 8
        await service.give_back()
    desk.variables["VISTNYK_DESK__QUIET"] = "[]"
    async with working(desk) as service:
        await looked(service)
        *_, morning = cards(desk)
        assert len(cards(desk)) == 3
        assert morning.text.startswith("📋 Потребують рішення: 6\n")


async def test_a_flood_of_everything_makes_only_a_few_messages(desk: Outlet) -> None:
    desk.variables["VISTNYK_DESK__SUMMARY_AT"] = datetime.now(KYIV).strftime("%H:%M")
    desk.sandbox.site["/gone"] = SitePage(b"gone", status=404)
    desk.sandbox.site["/rss"] = SitePage(b"away", status=404)
    async with working(desk) as service:
        await greeted(desk)
        await looked(service)
        await ask(service, 3)
        for number in range(40):
            await publish(
                service,
                a_story(url=f"{desk.sandbox.url}/site/gone?{number}", rubric="Суворе"),
                a_story(rubric="Дивне"),
                a_proposal(title=f"Стаття {number}"),
            )
        await fact(service, "summary told", datetime.now(UTC) - timedelta(days=1))
        for _ in range(5):
            await service.desk.look()
        assert len(cards(desk)) <= 3
        assert any("Потребують рішення: 121" in one.text for one in cards(desk))


async def test_a_report_that_could_not_be_said_is_said_later(desk: Outlet) -> None:
    from bot.sandbox import mishaps

    desk.variables["VISTNYK_DESK__SUMMARY_AT"] = datetime.now(KYIV).strftime("%H:%M")
    async with working(desk) as service:
        await greeted(desk)
        await looked(service)
        desk.sandbox.telegram.next("sendMessage", mishaps.throttle(1), 2, chat=CHIEF)
        await fact(service, "summary told", datetime.now(UTC) - timedelta(days=1))

        async def is_told() -> bool:
            await service.desk.look()
            return bool(cards(desk))

        await until(is_told)
        assert len(cards(desk)) == 1


def test_the_moment_of_the_summary_is_by_the_outlets_clocks() -> None:
    from datetime import time

    from bot.desk.reports import Reports

    reports = Reports({}, summary_at=time(21), zone=KYIV)
    for local, last in (("2026-07-01T20:59", "2026-06-30T21:00"), ("2026-07-01T21:00", "2026-07-01T21:00")):
        now = datetime.fromisoformat(local).replace(tzinfo=KYIV)
        assert reports._moment(now.astimezone(UTC)) == datetime.fromisoformat(last).replace(tzinfo=KYIV)
