"""What will go wrong is told while it can still be mended, once for each post and cause, and ticked off when it is."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from bot.agenda import steering
from bot.app import Service
from bot.desk import texts
from bot.domain.article import Article
from bot.domain.delivery import DeliveryId
from bot.outbox.preflight import Preflight
from bot.sandbox import mishaps
from bot.sandbox.server import SitePage
from bot.store import channels, warnings
from tests.journeys.desk import (
    CHIEF,
    EDITOR,
    ELSEWHERE,
    STRANGER,
    VIEWER,
    a_story,
    buttons,
    cards,
    forged,
    greeted,
    line,
    open_notices,
    pressed,
    staff,
    until,
    working,
)
from tests.journeys.outlet import BOT_ID, Outlet, publish
from tests.journeys.shell import told
from tests.journeys.test_desk_approval import a_picture

ASIDE = [VIEWER, ELSEWHERE, STRANGER]


@pytest.fixture
def desk(outlet: Outlet) -> Outlet:
    staff(outlet)
    return outlet


@pytest.fixture
def either_desk(either_outlet: Outlet) -> Outlet:
    staff(either_outlet)
    return either_outlet


def eager(service: Service) -> None:
    """Have what was found wrong looked at again with each look."""
    preflight = service.preflight
    service.preflight = Preflight(
        service.house.database,
        service.house.clock,
        preflight._preparer,
        service.lanes,
        holder=service.holder,
        again=timedelta(0),
    )


async def planned(
    service: Service, article: Article, channel: str, *, within: timedelta = timedelta(minutes=10)
) -> DeliveryId:
    """Take an article in and have its post go out in a while; the other channels go on."""
    await service.house.intake.accept([article], "push")
    number = DeliveryId((await line(service, article.url, channel))["delivery"])
    async with channels.turn(service.house.database, service.lanes) as (tx, now):
        await steering.pin(tx, number, now + within, who="Олена (1001)", now=now)
    await service.worker.drain()
    return number


async def looked(service: Service) -> None:
    await service.preflight.look()
    await service.desk.look()
    await service.desk.look()


async def test_a_photo_that_cannot_be_had_is_told_and_ticked_off_when_it_can(either_desk: Outlet) -> None:
    desk = either_desk
    page = f"{desk.sandbox.url}/site/bridge.jpg"
    article = a_story(rubric="Закрите", title="Міст відкрили", photo_url=page, photo_credit="Фото: рада")
    async with working(desk) as service:
        await greeted(desk)
        eager(service)
        await planned(service, article, "closed")
        await looked(service)
        await looked(service)
        (card,) = cards(desk)
        assert card.text.startswith("⚠️ Фото допису не відкривається\nclosed: Міст відкрили\n")
        assert "404" in card.text
        assert buttons(card) == ["Змінити", "Відкласти", "Скасувати"]
        assert "warned: photo" in [one["decision"] for one in await told(desk, "why", article.url)]
        a_picture(desk, "bridge")
        await looked(service)
        assert f"✅ {texts.MENDED}" in card.text
        assert buttons(card) == []
        del desk.sandbox.site["/bridge.jpg"]
        service.preflight._preparer._photos._photos.clear()  # type: ignore[attr-defined]  # what was had is kept
        service.preflight._looked.clear()  # as some minutes later
        await looked(service)
        await looked(service)
        assert cards(desk) == [card], "each cause of a post is told once"
        async with service.house.database.read() as tx:
            assert [one.cause for one in await warnings.standing(tx)] == ["photo"]


@pytest.mark.parametrize(
    ("body", "kind", "words"),
    [(b"not a picture", "image/jpeg", "bridge.jpg"), (b"<p>404</p>", "text/html", "bridge.jpg")],
)
async def test_a_photo_that_is_none_is_told(desk: Outlet, body: bytes, kind: str, words: str) -> None:
    desk.sandbox.site["/bridge.jpg"] = SitePage(body, content_type=kind)
    article = a_story(rubric="Закрите", photo_url=f"{desk.sandbox.url}/site/bridge.jpg", photo_credit="Фото: рада")
    async with working(desk) as service:
        await greeted(desk)
        await planned(service, article, "closed")
        await looked(service)
        (card,) = cards(desk)
        assert card.text.startswith("⚠️ Фото допису не відкривається")
        assert words in card.text


async def test_a_dead_page_is_told_before_the_slot_and_can_be_put_off(desk: Outlet) -> None:
    page = f"{desk.sandbox.url}/site/one"
    desk.sandbox.site["/one"] = SitePage(b"gone", status=410)
    async with working(desk) as service:
        await greeted(desk)
        await planned(service, a_story(url=page, rubric="Суворе", title="Міст відкрили"), "strict")
        await looked(service)
        (card,) = cards(desk)
        assert card.text.startswith("⚠️ Сторінка статті не відкривається\nstrict: Міст відкрили\n")
        assert "410" in card.text
        for who in ASIDE:
            for button in ("Відкласти", "Скасувати"):
                assert await pressed(desk, who, card, button) == texts.NO_RIGHTS
        (notice,) = await open_notices(service)
        for data in (f"publish:{notice.id}", f"release:{notice.id}", f"at:{notice.id}:15m", f"hold:{notice.id + 9}"):
            assert await forged(desk, EDITOR, card, data) == texts.OLD_BUTTON
        assert await pressed(desk, EDITOR, card, "Відкласти") == texts.DONE["hold"]
        assert (await line(service, page, "strict"))["held_reason"] == "editor"
        await until(lambda: "✅ Петро: відкладено о " in card.text)
        assert (await forged(desk, CHIEF, card, f"hold:{notice.id}")).startswith("Уже не вийде")


async def test_a_post_that_will_not_compose_is_told_and_can_be_dropped(desk: Outlet) -> None:
    article = a_story(rubric="Дивне", title="Міст відкрили")
    async with working(desk) as service:
        await greeted(desk)
        await planned(service, article, "odd")
        await looked(service)
        (card,) = cards(desk)
        assert card.text.startswith("⚠️ Допис не складеться\nodd: Міст відкрили\n")
        assert "no-such.j2 is not there" in card.text
        assert await pressed(desk, EDITOR, card, "Скасувати") == texts.DONE["cancel"]
        assert (await line(service, article.url, "odd"))["state"] == "cancelled"
        await until(lambda: "✅ Петро: скасовано о " in card.text)


async def test_a_channel_that_will_not_let_the_bot_in_is_told_once_and_its_return_too(either_desk: Outlet) -> None:
    desk = either_desk
    telegram = desk.sandbox.telegram
    async with working(desk) as service:
        await greeted(desk)
        eager(service)
        for number in range(3):
            await planned(service, a_story(title=f"Стаття {number}"), "telegram-main")
        telegram.set_rights("@outlet_main", BOT_ID, can_post=False)
        await looked(service)
        assert cards(desk) == [], "a line that is down for a moment looks the same: it is looked at twice"
        await looked(service)
        await looked(service)
        (card,) = cards(desk)
        assert card.text.startswith("⚠️ Канал не пустить бота\ntelegram-main\n")
        assert "has no right to post messages" in card.text
        assert buttons(card) == []
        telegram.set_rights("@outlet_main", BOT_ID)
        await looked(service)
        assert f"✅ {texts.MENDED}" in card.text
        assert cards(desk) == [card]
        async with service.house.database.read() as tx:
            row = next(row for row in await channels.everyone(tx) if row.name == "telegram-main")
        assert row.access_lost_at is None, "a warning stops nothing"


async def test_once_the_channel_is_lost_in_earnest_the_warning_gives_way(desk: Outlet) -> None:
    async with working(desk) as service:
        await greeted(desk)
        eager(service)
        await planned(service, a_story(), "telegram-main")
        desk.sandbox.telegram.set_rights("@outlet_main", BOT_ID, can_post=False)
        await looked(service)
        await looked(service)
        (card,) = cards(desk)
        await publish(service, a_story())
        await looked(service)
        _, second = cards(desk)
        assert second.text.startswith("🔑 Канал не пускає бота")
        assert "✅" in card.text


async def test_a_channel_that_cannot_be_asked_for_a_moment_is_no_trouble(desk: Outlet) -> None:
    async with working(desk) as service:
        await greeted(desk)
        eager(service)
        await planned(service, a_story(), "telegram-main")
        desk.sandbox.telegram.next("getMe", mishaps.html_502, 1)
        await looked(service)
        await looked(service)
        await looked(service)
        assert cards(desk) == []


async def test_words_that_will_have_aged_are_told_before(desk: Outlet) -> None:
    text = desk.toml.read_text("utf-8")
    window = (datetime.now(UTC) + timedelta(minutes=5)).strftime("%H:%M")
    end = (datetime.now(UTC) + timedelta(minutes=65)).strftime("%H:%M")
    text = text.replace('timezone = "Europe/Kyiv"', 'timezone = "UTC"').replace(
        "windows = []", f'windows = ["{window}-{end}"]'
    )
    desk.toml.write_text(text, "utf-8")
    article = a_story(
        rubric="З погодженням",
        title="Сьогодні відкрили міст",
        published_at=datetime.now(UTC) - timedelta(days=1, minutes=1),
    )
    async with working(desk) as service:
        await greeted(desk)
        await service.house.intake.accept([article], "push")
        number = DeliveryId((await line(service, article.url))["delivery"])
        async with channels.turn(service.house.database, service.lanes) as (tx, now):
            await steering.agree(tx, number, who="Олена (1001)", now=now)
        await looked(service)
        (card,) = cards(desk)
        assert card.text.startswith("⚠️ Слова в дописі застаріють\nasks: Сьогодні відкрили міст\n")
        assert "Ідеться про: Сьогодні." in card.text


async def test_what_is_far_away_is_looked_at_when_it_is_queued_and_then_not_before_its_time(desk: Outlet) -> None:
    page = f"{desk.sandbox.url}/site/one"
    desk.sandbox.site["/one"] = SitePage(b"here")
    async with working(desk) as service:
        await greeted(desk)
        await planned(service, a_story(url=page, rubric="Суворе"), "strict", within=timedelta(hours=3))
        looks = _looks(service)
        await looked(service)
        assert looks == ["strict"]
        await looked(service)
        await looked(service)
        assert looks == ["strict"]
        desk.sandbox.site["/two"] = SitePage(b"gone", status=404)
        await planned(
            service, a_story(url=page.replace("one", "two"), rubric="Суворе"), "strict", within=timedelta(hours=4)
        )
        await looked(service)
        assert looks == ["strict", "strict"]
        (card,) = cards(desk)
        assert "404" in card.text


def _looks(service: Service) -> list[str]:
    """Return the channels of the posts that are looked at from now on."""
    seen: list[str] = []
    examine = service.preflight._preparer.examine

    async def noted(delivery, lane, at):
        seen.append(lane.channel.name)
        return await examine(delivery, lane, at)

    service.preflight._preparer.examine = noted  # type: ignore[method-assign]
    return seen


async def test_a_long_queue_costs_a_look_at_its_first_few_alone(desk: Outlet) -> None:
    async with working(desk) as service:
        await greeted(desk)
        async with channels.turn(service.house.database, service.lanes) as (tx, now):
            for lane in service.lanes.values():
                await steering.pause_channel(tx, lane.id, now + timedelta(minutes=5), who="Олена (1001)", now=now)
        await service.house.intake.accept([a_story(rubric="Закрите") for _ in range(60)], "push")
        service.preflight._new.clear()
        looks = _looks(service)
        await service.preflight.look()
        await service.preflight.look()
        await service.preflight.look()
        assert looks.count("closed") == 5


async def test_a_post_that_has_gone_leaves_no_warning_behind(desk: Outlet) -> None:
    article = a_story(
        rubric="Закрите", photo_url=f"{desk.sandbox.url}/site/none.jpg", photo_credit="Фото: рада", title="Міст"
    )
    async with working(desk) as service:
        await greeted(desk)
        eager(service)
        number = await planned(service, article, "closed")
        await looked(service)
        (card,) = cards(desk)
        async with channels.turn(service.house.database, service.lanes) as (tx, now):
            await steering.pin(tx, number, None, who="Олена (1001)", now=now)
        await service.worker.drain()
        await looked(service)
        assert "✅" in card.text
        async with service.house.database.read() as tx:
            assert await warnings.standing(tx) == []


async def test_a_correction_that_mends_the_article_ticks_the_warning_off(desk: Outlet) -> None:
    article = a_story(
        rubric="Закрите", photo_url=f"{desk.sandbox.url}/site/none.jpg", photo_credit="Фото: рада", title="Міст"
    )
    async with working(desk) as service:
        await greeted(desk)
        eager(service)
        await planned(service, article, "closed")
        await looked(service)
        (card,) = cards(desk)
        await publish(service, replace(article, photo_url=a_picture(desk, "new")))
        await looked(service)
        assert f"✅ {texts.MENDED}" in card.text


@pytest.mark.postgres
async def test_of_two_replicas_one_looks(outlet: Outlet, postgres_url: str) -> None:
    outlet.variables["VISTNYK_DATABASE_URL"] = postgres_url
    staff(outlet)
    async with working(outlet) as one, working(outlet) as two:
        await greeted(outlet)
        article = a_story(rubric="Закрите", photo_url=f"{outlet.sandbox.url}/site/none.jpg", photo_credit="Фото: рада")
        await planned(one, article, "closed")
        looks = [_looks(one), _looks(two)]
        for service in (one, two, two, one):
            await service.preflight.look()
        assert looks == [["closed"], []]
        for service in (one, two):
            await service.desk.look()
        assert len(cards(outlet)) == 1
