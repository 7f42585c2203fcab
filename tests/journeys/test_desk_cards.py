"""Held posts and lost access reach the desk once, as cards whose buttons settle them; nobody else's press does."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from bot.agenda import steering
from bot.app import Service
from bot.clock import SystemClock
from bot.desk import texts
from bot.domain.delivery import DeliveryId
from bot.sandbox import mishaps
from bot.sandbox.server import SitePage
from bot.store import channels
from tests.journeys.desk import (
    CHIEF,
    CLOSED,
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
    unproven,
    until,
    working,
)
from tests.journeys.outlet import BOT_ID, Outlet, ledger, publish, queue
from tests.journeys.shell import told

NOW = SystemClock().now()
ASIDE = [VIEWER, ELSEWHERE, STRANGER]  # a viewer, an editor of another channel, nobody of the outlet


@pytest.fixture
def desk(outlet: Outlet) -> Outlet:
    staff(outlet)
    return outlet


@pytest.fixture
def either_desk(either_outlet: Outlet) -> Outlet:
    staff(either_outlet)
    return either_outlet


def at_closed(desk: Outlet) -> list[str]:
    """Return the first lines of what the private channel shows."""
    return [post.text.split("\n")[0] for post in desk.sandbox.telegram.posts(CLOSED)]


async def test_a_post_that_may_be_public_is_asked_about_and_taken_for_public(either_desk: Outlet) -> None:
    desk = either_desk
    async with working(desk) as service:
        await greeted(desk)
        url = await unproven(service, desk, arrives=True, title="Міст відкрили")
        await service.desk.look()
        (card,) = cards(desk)
        assert card.text.startswith("❓ Чи вийшов цей допис?\nclosed: Міст відкрили")
        assert url in card.html
        assert buttons(card) == ["Вже є", "Надіслати ще раз", "Скасувати"]
        assert await pressed(desk, EDITOR, card, "Вже є") == texts.DONE["present"]
        await service.worker.drain()
        assert at_closed(desk) == ["Міст відкрили"]
        settled = await line(service, url, "closed")
        assert (settled["state"], settled["remote_id"]) == ("published", f"unknown:{settled['delivery']}")
        await until(lambda: "✅ Петро: підтверджено, що допис уже є в каналі о" in card.text)
        assert buttons(card) == []
        # What follows from its article cannot reach it, and ends all the same.
        article = a_story(url=url, rubric="Закрите", title="Міст відкрили, рух почався")
        await publish(service, article)
        await publish(service, replace(article, retracted=True))
        done = [one for one in await ledger(service) if one["channel"] == "closed"]
        assert {one["state"] for one in done} == {"published"}
        assert at_closed(desk) == ["Міст відкрили"]
    kept = await told(desk, "audit")
    assert [(one["who"], one["action"], one["subject"]) for one in kept] == [
        ("Петро (1002)", "present", f"delivery {settled['delivery']}")
    ]
    assert (kept[0]["before"]["held_reason"], kept[0]["after"]["state"]) == ("no-evidence", "published")


async def test_a_post_that_is_not_there_is_sent_again(desk: Outlet) -> None:
    async with working(desk) as service:
        await greeted(desk)
        await unproven(service, desk, arrives=False, title="Міст відкрили")
        await service.desk.look()
        (card,) = cards(desk)
        assert at_closed(desk) == []
        assert await pressed(desk, CHIEF, card, "Надіслати ще раз") == texts.DONE["again"]
        await service.worker.drain()
        assert at_closed(desk) == ["Міст відкрили"]
        await until(lambda: "✅ Олена: надіслано ще раз о" in card.text)


async def test_an_unproven_post_can_be_cancelled(desk: Outlet) -> None:
    async with working(desk) as service:
        await greeted(desk)
        url = await unproven(service, desk, arrives=False)
        await service.desk.look()
        (card,) = cards(desk)
        assert await pressed(desk, EDITOR, card, "Скасувати") == texts.DONE["cancel"]
        assert (await line(service, url, "closed"))["state"] == "cancelled"


async def test_who_has_no_right_changes_nothing(desk: Outlet) -> None:
    async with working(desk) as service:
        await greeted(desk)
        url = await unproven(service, desk, arrives=False)
        await service.desk.look()
        (card,) = cards(desk)
        for who in ASIDE:
            for button in buttons(card):
                assert await pressed(desk, who, card, button) == texts.NO_RIGHTS, (who, button)
        assert (await line(service, url, "closed"))["state"] == "held"
        assert "✅" not in card.text
    assert await told(desk, "audit") == []


async def test_a_post_made_by_hand_meanwhile_is_found_with_its_id(desk: Outlet) -> None:
    """The linked group tells of posts in a private channel; words of an editor under our link prove nothing alone."""
    telegram = desk.sandbox.telegram
    telegram.must(CLOSED).linked_group = telegram.add_group(-1001000000010, "Обговорення", [BOT_ID]).id
    async with working(desk) as service:
        await greeted(desk)
        url = await unproven(service, desk, arrives=False)
        await service.desk.look()
        (card,) = cards(desk)
        by_hand = telegram.say(EDITOR, CLOSED, f"Дивіться: {url}")
        assert at_closed(desk) == [f"Дивіться: {url}"]

        async def is_kept() -> bool:
            async with service.house.database.read() as tx:
                rows = await tx.exec_driver_sql("SELECT count(*) FROM found")
                return bool(rows.scalar_one())

        await until(is_kept)
        assert await pressed(desk, EDITOR, card, "Вже є") == texts.FOUND
        settled = await line(service, url, "closed")
        assert (settled["remote_id"], settled["state"]) == (str(by_hand.id), "published")


async def test_a_post_that_shows_in_the_public_preview_by_now_is_found_with_its_id(desk: Outlet) -> None:
    desk.variables |= {f"VISTNYK_DELIVERY__{name}": "400ms" for name in ("TIMEOUT", "HOLD_AFTER")}
    desk.variables["VISTNYK_DELIVERY__LEASE"] = "1s"
    telegram = desk.sandbox.telegram
    async with working(desk) as service:
        await greeted(desk)
        await publish(service, a_story())
        telegram.read_back = replace(telegram.read_back, redirect=True)
        telegram.next("sendMessage", mishaps.reset_after_publishing, chat="@outlet_main")
        article = a_story()
        await publish(service, article)

        async def is_held() -> bool:
            await service.reconciler.reconcile()
            return bool((await line(service, article.url, "telegram-main"))["held_reason"] == "no-evidence")

        await until(is_held)
        await service.desk.look()
        (card,) = cards(desk)
        telegram.read_back = replace(telegram.read_back, redirect=False)
        assert await pressed(desk, EDITOR, card, "Вже є") == texts.FOUND
        settled = await line(service, article.url, "telegram-main")
        assert settled["remote_id"] == str(desk.telegram[-1].id)


async def test_a_post_that_is_found_without_anybody_ends_its_card(desk: Outlet) -> None:
    telegram = desk.sandbox.telegram
    async with working(desk) as service:
        await greeted(desk)
        await unproven(service, desk, arrives=True)
        await service.desk.look()
        (card,) = cards(desk)
        telegram.must(CLOSED).linked_group = telegram.add_group(-1001000000010, "Обговорення", [BOT_ID]).id
        group, post = telegram.must(-1001000000010), telegram.posts(CLOSED)[0]
        copy = telegram.publish(group, CLOSED, _marked(post), forwarded_from=(CLOSED, post.id))
        telegram._forwarded_automatically(group, copy)

        async def is_found() -> bool:
            await service.reconciler.reconcile()
            await service.desk.look()
            return "✅ Допис знайшовся в каналі." in card.text

        await until(is_found)


def _marked(post: Any) -> Any:
    from bot.sandbox.telegram_markup import Marked

    return Marked(post.text, post.entities)


async def test_two_editors_at_once_give_one_outcome_and_both_read_whose(either_desk: Outlet) -> None:
    desk = either_desk
    async with working(desk) as service:
        await greeted(desk)
        await unproven(service, desk, arrives=False, title="Міст відкрили")
        await service.desk.look()
        (card,) = cards(desk)
        lines = await asyncio.gather(
            pressed(desk, CHIEF, card, "Надіслати ще раз"), pressed(desk, EDITOR, card, "Скасувати")
        )
        await service.worker.drain()
        assert lines[0] == texts.DONE["again"]
        assert lines[1].endswith("Останнє рішення — Олена: надіслано ще раз.")
        assert at_closed(desk) == ["Міст відкрили"]
        await until(lambda: "✅ Олена: надіслано ще раз" in card.text)
    assert [one["action"] for one in await told(desk, "audit")] == ["again"]


async def test_forged_and_old_callback_data_changes_nothing(desk: Outlet) -> None:
    async with working(desk) as service:
        await greeted(desk)
        url = await unproven(service, desk, arrives=False)
        await service.desk.look()
        (card,) = cards(desk)
        (notice,) = await open_notices(service)
        number = str(notice.id)
        for data in (
            "",
            "again",
            "again:",
            "again:x",
            "again:999",
            f"again:{number}:1",
            f"again:{'9' * 40}",
            "again:-1",
        ):
            assert await forged(desk, EDITOR, card, data) == texts.OLD_BUTTON, data
        for data in (f"retry:{number}", f"publish:{number}", f"skip:{number}", f"list:{number}", f"drop:{number}"):
            assert await forged(desk, EDITOR, card, data) == texts.OLD_BUTTON, data
        assert await forged(desk, STRANGER, card, f"again:{number}") == texts.NO_RIGHTS
        assert await forged(desk, EDITOR, card, "again:٣") == texts.OLD_BUTTON
        assert (await line(service, url, "closed"))["state"] == "held"
        assert await pressed(desk, EDITOR, card, "Скасувати") == texts.DONE["cancel"]
        again = await forged(desk, EDITOR, card, f"again:{number}")
        assert again.startswith("Уже не вийде")
        assert (await line(service, url, "closed"))["state"] == "cancelled"
    assert [one["action"] for one in await told(desk, "audit")] == ["cancel"]


async def test_lost_access_is_told_with_what_to_do_and_its_return_is_told_too(desk: Outlet) -> None:
    telegram = desk.sandbox.telegram
    async with working(desk) as service:
        await greeted(desk)
        telegram.set_rights("@outlet_main", BOT_ID, can_post=False)
        await publish(service, a_story(title="Міст відкрили"))
        await service.desk.look()
        await service.desk.look()
        (card,) = cards(desk)
        assert card.text.startswith("🔑 Канал не пускає бота\ntelegram-main: Міст відкрили\n")
        assert "адміністратор" in card.text
        assert "need administrator rights" in card.text
        assert buttons(card) == []
        telegram.set_rights("@outlet_main", BOT_ID)
        await service.reconciler.reconcile()
        await service.desk.look()
        assert "✅ Доступ повернувся о " in card.text
        await service.worker.drain()
        assert len(desk.telegram) == 1
        assert len(cards(desk)) == 1
        assert await open_notices(service) == []


async def test_a_dead_link_is_told_once_however_often_it_is_tried_and_can_be_tried_at_once(desk: Outlet) -> None:
    page = f"{desk.sandbox.url}/site/one"
    desk.sandbox.site["/one"] = SitePage(b"gone", status=404)
    async with working(desk) as service:
        await greeted(desk)
        await publish(service, a_story(url=page, rubric="Суворе", title="Міст відкрили"))
        await service.desk.look()
        (card,) = cards(desk)
        assert card.text.startswith("🔗 Сторінка статті не відкривається\nstrict: Міст відкрили\n")
        await service.reconciler.reconcile()  # tries dead links again
        await service.desk.look()
        await service.worker.drain()
        await service.desk.look()
        assert cards(desk) == [card]
        assert "✅" not in card.text
        assert await pressed(desk, VIEWER, card, "Спробувати ще раз") == texts.NO_RIGHTS
        assert await pressed(desk, EDITOR, card, "Спробувати ще раз") == texts.DONE["retry"]
        await service.worker.drain()
        await until(lambda: "✅ Петро: повернуто в чергу" in card.text)
        await service.desk.look()
        _, second = cards(desk)  # an editor tried, and should know that it was in vain
        desk.sandbox.site["/one"] = SitePage(b"here")
        assert await pressed(desk, EDITOR, second, "Спробувати ще раз") == texts.DONE["retry"]
        await service.worker.drain()
        assert (await line(service, page, "strict"))["state"] == "published"


async def stale(service: Service, article: Any) -> None:
    """Have an article's post held at its slot because "today" was yesterday."""
    await publish(service, article)
    proposed = next(one for one in await queue(service) if one["channel"] == "asks")
    async with channels.turn(service.house.database, service.lanes) as (tx, now):
        await steering.agree(tx, DeliveryId(proposed["delivery"]), who="Олена (1001)", now=now)
    await service.worker.drain()


@pytest.mark.parametrize(
    ("button", "state", "line_said"),
    [("Опублікувати", "published", texts.DONE["publish"]), ("Пропустити", "cancelled", texts.DONE["skip"])],
)
async def test_words_that_have_aged_are_shown_to_an_editor_who_decides(
    desk: Outlet, button: str, state: str, line_said: str
) -> None:
    article = a_story(
        rubric="З погодженням",
        title="Сьогодні відкрили міст",
        published_at=NOW - timedelta(days=1, minutes=1),
    )
    async with working(desk) as service:
        await greeted(desk)
        await stale(service, article)
        await service.desk.look()
        (card,) = cards(desk)
        assert card.text.startswith("🕰 Слова в дописі застаріли\nasks: Сьогодні відкрили міст\n")
        assert "Ідеться про: Сьогодні." in card.text
        assert buttons(card) == ["Опублікувати", "Пропустити"]
        for who in ASIDE:
            assert await pressed(desk, who, card, button) == texts.NO_RIGHTS
        assert await pressed(desk, EDITOR, card, button) == line_said
        await service.worker.drain()
        assert (await line(service, article.url, "asks"))["state"] == state
        assert len(desk.sandbox.telegram.posts("@outlet_asks")) == (state == "published")


async def test_a_post_that_cannot_be_composed_is_shown_and_tried_again_or_dropped(desk: Outlet) -> None:
    async with working(desk) as service:
        await greeted(desk)
        first, second = a_story(rubric="Дивне"), a_story(rubric="Дивне")
        await publish(service, first, second)
        await service.desk.look()
        mine = cards(desk)
        assert [one.text.split("\n")[0] for one in mine] == ["✋ Допис не складається"] * 2
        assert "no-such.j2 is not there" in mine[0].text
        assert await pressed(desk, ELSEWHERE, mine[0], "Скасувати") == texts.NO_RIGHTS
        assert await pressed(desk, EDITOR, mine[0], "Скасувати") == texts.DONE["cancel"]
        assert await pressed(desk, EDITOR, mine[1], "Спробувати ще раз") == texts.DONE["retry"]
        states = {(await line(service, one.url, "odd"))["state"] for one in (first, second)}
        assert states == {"cancelled", "planned"}


async def test_many_at_once_are_one_list_whose_cards_come_when_asked_for(desk: Outlet) -> None:
    async with working(desk) as service:
        await greeted(desk)
        desk.sandbox.site["/gone"] = SitePage(b"gone", status=404)
        pages = [f"{desk.sandbox.url}/site/gone?{number}" for number in range(7)]
        await publish(service, *(a_story(url=page, rubric="Суворе") for page in pages))
        await service.desk.look()
        await service.desk.look()
        (only,) = cards(desk)
        assert only.text.startswith("📋 Потребують рішення: 7\n🔗 strict: ")
        assert only.text.count("\n") == 7
        assert await pressed(desk, STRANGER, only, "Показати по одному") == texts.NO_RIGHTS
        assert await pressed(desk, VIEWER, only, "Показати по одному") == texts.NO_RIGHTS
        assert await pressed(desk, CHIEF, only, "Показати по одному") == texts.SHOWN
        await pressed(desk, CHIEF, only, "Показати по одному")  # in a hurry

        async def all_shown() -> bool:
            return all(len(one.messages) == 2 for one in await open_notices(service))

        await until(all_shown)
        assert await pressed(desk, CHIEF, only, "Показати по одному") == texts.NOTHING_LEFT
        assert len(cards(desk)) == 8
        one_of_them = cards(desk)[3]
        assert await pressed(desk, CHIEF, one_of_them, "Скасувати") == texts.DONE["cancel"]
        await until(lambda: only.text.count("✅") == 1)
        assert only.text.startswith("📋 Потребують рішення: 6")
        await until(lambda: "✅ Олена: скасовано" in one_of_them.text)
        # New ones wait until the desk had time to look at these.
        await publish(service, a_story(url=f"{pages[0]}0", rubric="Суворе"))
        await service.desk.look()
        assert len(cards(desk)) == 8
