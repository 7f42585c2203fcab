"""Posts that wait for an editor: shown as their channel will show them, followed, decided once, by who may decide."""

from __future__ import annotations

import asyncio
import io
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from PIL import Image

from bot.agenda import steering
from bot.app import Service
from bot.desk import texts
from bot.domain.article import Article
from bot.domain.delivery import DeliveryId
from bot.sandbox import mishaps
from bot.sandbox.server import SitePage
from bot.sandbox.telegram_world import SandboxPost
from bot.store import channels
from bot.store.notices import told_in
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
    until,
    working,
)
from tests.journeys.outlet import BOT_ID, Outlet, publish, queue
from tests.journeys.shell import told
from tests.journeys.talking import Chat

ASIDE = [VIEWER, ELSEWHERE, STRANGER]
GROUP = -1001000000050
KYIV = ZoneInfo("Europe/Kyiv")
ALL = ["Опублікувати", "Запланувати", "Змінити", "Пропустити"]


@pytest.fixture
def desk(outlet: Outlet) -> Outlet:
    staff(outlet)
    return outlet


@pytest.fixture
def either_desk(either_outlet: Outlet) -> Outlet:
    staff(either_outlet)
    return either_outlet


def a_picture(desk: Outlet, name: str, shade: str = "L") -> str:
    kept = io.BytesIO()
    picture = Image.linear_gradient("L").resize((800, 500)).convert("RGB")
    (picture if shade == "L" else picture.rotate(180)).save(kept, "JPEG")
    desk.sandbox.site[f"/{name}.jpg"] = SitePage(kept.getvalue(), content_type="image/jpeg")
    return f"{desk.sandbox.url}/site/{name}.jpg"


def a_proposal(**changes: Any) -> Article:
    return a_story(**({"rubric": "З погодженням", "title": "Міст відкрили"} | changes))


async def proposed(service: Service, desk: Outlet, article: Article) -> SandboxPost:
    """Have an article proposed and its card shown; return the card."""
    await greeted(desk)
    await publish(service, article)
    await service.desk.look()
    return cards(desk)[-1]


def shown_in_channel(desk: Outlet) -> list[SandboxPost]:
    return list(desk.sandbox.telegram.posts("@outlet_asks"))


async def test_a_proposed_post_is_a_card_as_the_channel_will_show_it_and_goes_out_when_agreed(
    either_desk: Outlet,
) -> None:
    desk = either_desk
    article = a_proposal(photo_url=a_picture(desk, "bridge"), photo_credit="Фото: міська рада")
    async with working(desk) as service:
        card = await proposed(service, desk, article)
        assert card.photo is not None
        assert card.text.startswith("📝 asks: допис чекає на погодження\n\nМіст відкрили")
        assert buttons(card) == ALL
        assert shown_in_channel(desk) == []
        assert await pressed(desk, EDITOR, card, "Опублікувати") == texts.DONE["publish"]
        await service.worker.drain()
        (post,) = shown_in_channel(desk)
        assert card.photo == post.photo
        assert card.versions[0][1].endswith(f"\n\n{post.text}"), "the words were those of the post, in its form"
        await service.desk.look()
        assert card.text.startswith(
            "📝 Допис на погодження\nasks: Міст відкрили\n✅ Петро: відправлено в публікацію о "
        )
        assert f"{desk.sandbox.url}/outlet_asks/{post.id}" in card.html
        assert buttons(card) == []
        assert await open_notices(service) == []
    sent = [call for call in desk.sandbox.telegram.calls if call.method == "sendPhoto"]
    assert sent[0].params.get("photo", "").startswith("attach://") or "photo" not in sent[0].params
    assert "." not in sent[1].params["photo"], "Telegram had the photo: it was sent once"
    (act,) = await told(desk, "audit")
    assert (act["who"], act["action"]) == ("Петро (1002)", "publish")
    assert (act["before"]["state"], act["after"]["state"]) == ("proposed", "planned")


async def test_who_has_no_right_decides_nothing(desk: Outlet) -> None:
    article = a_proposal()
    async with working(desk) as service:
        card = await proposed(service, desk, article)
        for who in ASIDE:
            for button in set(ALL) - {"Змінити"}:
                assert await pressed(desk, who, card, button) == texts.NO_RIGHTS, (who, button)
            assert await pressed(desk, who, card, "Змінити") != "", who
        (notice,) = await open_notices(service)
        number = (await line(service, article.url))["delivery"]
        for who in ASIDE:
            for data in (f"at:{notice.id}:15m", f"back:{notice.id}", f"name:{notice.id}", f"stop:{number}"):
                assert await forged(desk, who, card, data) == texts.NO_RIGHTS, (who, data)
        assert (await line(service, article.url))["state"] == "proposed"
        assert buttons(card) == ALL
    assert await told(desk, "audit") == []


async def test_a_post_is_dropped(desk: Outlet) -> None:
    article = a_proposal()
    async with working(desk) as service:
        card = await proposed(service, desk, article)
        assert await pressed(desk, EDITOR, card, "Пропустити") == texts.DONE["decline"]
        await service.worker.drain()
        assert (await line(service, article.url))["state"] == "cancelled"
        await until(lambda: "✅ Петро: відхилено о " in card.text)
        assert shown_in_channel(desk) == []


@pytest.mark.parametrize(
    ("button", "wait"), [(texts.IN_QUARTER, timedelta(minutes=15)), (texts.IN_HOUR, timedelta(hours=1))]
)
async def test_a_post_is_planned_for_a_while_from_now(desk: Outlet, button: str, wait: timedelta) -> None:
    article = a_proposal()
    async with working(desk) as service:
        card = await proposed(service, desk, article)
        assert await pressed(desk, EDITOR, card, "Запланувати") == texts.WHEN
        await until(lambda: button in buttons(card))
        began = datetime.now(UTC)
        answer = await pressed(desk, EDITOR, card, button)
        planned = await line(service, article.url)
        at = datetime.fromisoformat(str(planned["pinned_at"]))
        assert planned["state"] == "planned"
        assert timedelta(0) <= at - began - wait < timedelta(seconds=30)
        assert answer.endswith(f" {at.astimezone(KYIV):%H:%M}.")
        await until(lambda: f"✅ Петро: погоджено о {began.astimezone(KYIV):%H:}" in card.text)
        assert f", вийде {texts_when(at)}" in card.text
        await service.worker.drain()
        assert shown_in_channel(desk) == []


def texts_when(at: datetime) -> str:
    from bot.agenda.wording import when

    return when(at.astimezone(KYIV), datetime.now(KYIV).date())


async def test_a_post_is_planned_for_tomorrow_morning_or_let_go_in_its_turn(desk: Outlet) -> None:
    first, second = a_proposal(), a_proposal(title="Парк відкрили")
    async with working(desk) as service:
        await greeted(desk)
        await publish(service, first, second)
        await service.desk.look()
        one, two = cards(desk)
        await pressed(desk, EDITOR, one, "Запланувати")
        await until(lambda: texts.TOMORROW in buttons(one))
        assert await pressed(desk, EDITOR, one, texts.TOMORROW) == "Заплановано: завтра о 09:00."
        at = datetime.fromisoformat(str((await line(service, first.url))["pinned_at"])).astimezone(KYIV)
        assert (at.hour, at.minute, at.date()) == (9, 0, (datetime.now(KYIV) + timedelta(days=1)).date())
        await pressed(desk, CHIEF, two, "Запланувати")
        await until(lambda: len(buttons(two)) == 5)
        in_turn = buttons(two)[2]
        assert in_turn.startswith("У чергу: сьогодні о")
        assert await pressed(desk, VIEWER, two, in_turn) == texts.NO_RIGHTS
        assert await pressed(desk, CHIEF, two, in_turn) == texts.PLANNED_IN_TURN
        await service.worker.drain()
        assert [post.text.split("\n")[0] for post in shown_in_channel(desk)] == ["Парк відкрили"]


async def test_the_times_fold_back(desk: Outlet) -> None:
    async with working(desk) as service:
        card = await proposed(service, desk, a_proposal())
        own = buttons(card)
        await pressed(desk, EDITOR, card, "Запланувати")
        await until(lambda: buttons(card)[-1] == texts.BACK)
        assert await pressed(desk, VIEWER, card, texts.BACK) == texts.NO_RIGHTS
        await pressed(desk, EDITOR, card, texts.BACK)
        await until(lambda: buttons(card) == own)
    assert await told(desk, "audit") == []


async def test_two_editors_at_once_give_one_outcome_and_both_see_whose(either_desk: Outlet) -> None:
    desk = either_desk
    article = a_proposal()
    async with working(desk) as service:
        card = await proposed(service, desk, article)
        lines = await asyncio.gather(
            pressed(desk, CHIEF, card, "Опублікувати"), pressed(desk, EDITOR, card, "Пропустити")
        )
        await service.worker.drain()
        assert lines[0] == texts.DONE["publish"]
        assert lines[1].endswith("Останнє рішення — Олена: відправлено в публікацію.")
        assert len(shown_in_channel(desk)) == 1
        again = await forged(desk, EDITOR, card, f"publish:{(await _last(service)).id}")
        assert again.startswith("Уже не вийде")
        await service.worker.drain()
        assert len(shown_in_channel(desk)) == 1
    assert [one["action"] for one in await told(desk, "audit")] == ["publish"]


async def _last(service: Service) -> Any:
    from sqlalchemy import text

    async with service.house.database.read() as tx:
        return (await tx.execute(text("SELECT id FROM notices ORDER BY id DESC LIMIT 1"))).one()


async def test_every_chief_sees_what_one_of_them_decided(desk: Outlet) -> None:
    text = desk.toml.read_text("utf-8").replace('name = "Петро"\nrole = "editor"', 'name = "Петро"\nrole = "chief"')
    desk.toml.write_text(text, "utf-8")
    desk.sandbox.telegram.say(EDITOR, BOT_ID, "/start")
    article = a_proposal(photo_url=a_picture(desk, "bridge"), photo_credit="Фото: міська рада")
    async with working(desk) as service:
        await until(lambda: any("Вітаю, Петро" in post.text for post in desk.sandbox.telegram.posts(EDITOR)))
        mine = await proposed(service, desk, article)
        theirs = cards(desk, EDITOR)[-1]
        assert mine.text == theirs.text
        assert mine.photo == theirs.photo
        await pressed(desk, EDITOR, theirs, "Пропустити")
        await until(lambda: "✅ Петро: відхилено" in mine.text and "✅ Петро: відхилено" in theirs.text)
        assert buttons(mine) == buttons(theirs) == []
        answer = await forged(desk, CHIEF, mine, f"publish:{(await _last(service)).id}")
        assert answer.endswith("Останнє рішення — Петро: відхилено.")
    calls = desk.sandbox.telegram.calls
    uploads = [call for call in calls if call.method == "sendPhoto" and call.target in (str(CHIEF), str(EDITOR))]
    assert len(uploads) == 2
    assert all(not call.params["photo"].startswith("attach") for call in uploads), "Telegram had it from the channel"


async def test_a_card_follows_its_article_words_and_photo(desk: Outlet) -> None:
    article = a_proposal()
    async with working(desk) as service:
        card = await proposed(service, desk, article)
        assert card.photo is None
        with_photo = replace(
            article, title="Міст відкрили раніше", photo_url=a_picture(desk, "one"), photo_credit="Фото: рада"
        )
        await publish(service, with_photo)
        await service.desk.look()
        assert len(cards(desk)) == 1
        assert card.photo is not None
        assert "Міст відкрили раніше" in card.text
        first = card.photo
        await publish(service, replace(with_photo, photo_url=a_picture(desk, "two", "turned")))
        await service.desk.look()
        assert card.photo not in (None, first)
        await pressed(desk, EDITOR, card, "Запланувати")
        await until(lambda: texts.BACK in buttons(card))
        await publish(service, replace(with_photo, photo_url="", photo_credit=""))
        await service.desk.look()
        (anew,) = cards(desk)
        assert anew.id != card.id, "a photo cannot be taken out of a message"
        assert anew.photo is None
        assert await pressed(desk, EDITOR, anew, "Опублікувати") == texts.DONE["publish"]
        await service.worker.drain()
        assert shown_in_channel(desk)[0].text in anew.versions[0][1]
        await service.desk.look()
        calls = len(desk.sandbox.telegram.calls)
        await service.desk.look()
        await service.desk.look()
        assert len(desk.sandbox.telegram.calls) == calls, "nothing is said where nothing has changed"


async def test_words_that_an_editor_changes_stand_in_the_card_and_then_in_the_channel(desk: Outlet) -> None:
    async with working(desk) as service:
        card = await proposed(service, desk, a_proposal())
        chat = Chat(desk, service, CHIEF)
        await pressed(desk, CHIEF, card, "Змінити")
        await until(lambda: chat.last.id > card.id)
        await chat.say(html="<b>Міст відкрили</b> для всіх")
        await chat.press(texts.EDIT_GO)
        await until(lambda: card.text.startswith("📝 asks: допис чекає на погодження\n\nМіст відкрили для всіх"))
        assert buttons(card) == ALL
        assert shown_in_channel(desk) == []
        assert await pressed(desk, EDITOR, card, "Опублікувати") == texts.DONE["publish"]
        await service.worker.drain()
        assert shown_in_channel(desk)[0].text.startswith("Міст відкрили для всіх\n")


async def test_a_photo_that_cannot_be_had_is_named_and_the_post_shown_as_it_will_go(desk: Outlet) -> None:
    article = a_proposal(photo_url=f"{desk.sandbox.url}/site/none.jpg", photo_credit="Фото: рада")
    async with working(desk) as service:
        card = await proposed(service, desk, article)
        assert card.photo is None
        assert texts.PHOTO_MISSING in card.text
        assert await pressed(desk, EDITOR, card, "Опублікувати") == texts.DONE["publish"]
        await service.worker.drain()
        assert card.versions[0][1].endswith(shown_in_channel(desk)[0].text)


async def test_a_photo_that_telegram_no_longer_knows_is_sent_anew_and_one_it_refuses_left_out(desk: Outlet) -> None:
    refusal = mishaps.refuse(400, "Bad Request: wrong file identifier/HTTP URL specified")
    picture = a_picture(desk, "bridge")
    async with working(desk) as service:
        card = await proposed(service, desk, a_proposal(photo_url=picture, photo_credit="Фото: рада"))
        assert card.photo is not None
        desk.sandbox.telegram.next("sendPhoto", refusal, 1, chat=CHIEF)
        second = await proposed(service, desk, a_proposal(photo_url=picture, photo_credit="Фото: рада", title="Друга"))
        assert second.photo == card.photo
        desk.sandbox.telegram.next("sendPhoto", refusal, 2, chat=CHIEF)
        third = await proposed(service, desk, a_proposal(photo_url=picture, photo_credit="Фото: рада", title="Третя"))
        assert third.photo is None
        assert "Третя" in third.text


async def test_a_post_as_long_as_a_caption_may_be_is_shown_whole_and_says_where_it_is_for(desk: Outlet) -> None:
    lead = "Міст стоїть. " * 200
    text = desk.toml.read_text("utf-8").replace('approval = "editor"', 'approval = "editor"\nsummary = 4000')
    desk.toml.write_text(text, "utf-8")
    article = a_proposal(lead=lead, photo_url=a_picture(desk, "bridge"), photo_credit="Фото: рада")
    async with working(desk) as service:
        card = await proposed(service, desk, article)
        assert card.photo is not None
        assert buttons(card)[0] == "Канал: asks"
        assert await pressed(desk, EDITOR, card, "Канал: asks") == "asks: чекає на рішення редактора."
        assert await pressed(desk, EDITOR, card, "Опублікувати") == texts.DONE["publish"]
        await service.worker.drain()
        assert card.versions[0][1] == shown_in_channel(desk)[0].text


async def test_a_page_of_facebook_is_asked_about_in_the_same_way(desk: Outlet) -> None:
    text = desk.toml.read_text("utf-8").replace(
        'address = "200000000000001"', 'address = "200000000000001"\napproval = "editor"'
    )
    desk.toml.write_text(text, "utf-8")
    article = a_story(title="Міст <відкрили> & все", lead="Рух & тиша. " * 20)
    async with working(desk) as service:
        await greeted(desk)
        await publish(service, article)
        await service.desk.look()
        card = cards(desk)[-1]
        assert card.text.startswith("📝 facebook-main: допис чекає на погодження\n\nМіст <відкрили> & все")
        assert await pressed(desk, VIEWER, card, "Опублікувати") == texts.NO_RIGHTS
        assert await pressed(desk, ELSEWHERE, card, "Опублікувати") == texts.DONE["publish"], "it is his page"
        await service.worker.drain()
        assert desk.facebook[0].message in card.versions[0][1]


async def test_a_card_ends_with_what_became_of_its_post_elsewhere(desk: Outlet) -> None:
    stories = [a_proposal(title=f"Стаття {number}") for number in range(4)]
    async with working(desk) as service:
        await greeted(desk)
        await publish(service, *stories)
        await service.desk.look()
        retracted, expired, cancelled, pinned = cards(desk)
        numbers = [DeliveryId((await line(service, one.url))["delivery"]) for one in stories]
        await publish(service, replace(stories[0], retracted=True))
        async with channels.turn(service.house.database, service.lanes) as (tx, now):
            await tx.exec_driver_sql(f"UPDATE deliveries SET turn_at = turn_at - 700000000000 WHERE id = {numbers[1]}")
            await steering.cancel(tx, numbers[2], who="Олена (1001)", now=now)
            await steering.pin(tx, numbers[3], now + timedelta(hours=2), who="Олена (1001)", now=now)
        await service.reconciler.reconcile()
        await service.desk.look()
        assert texts.CANCELLED in retracted.text
        assert texts.EXPIRED in expired.text
        assert "✅ Олена: скасовано о " in cancelled.text
        assert "✅ Олена: призначено час о " in pinned.text
        assert [buttons(one) for one in cards(desk)] == [[], [], [], []]
        for card in (retracted, expired, cancelled, pinned):
            assert "Уже не вийде" in await forged(desk, EDITOR, card, f"decline:{await _number(service, card)}")


async def _number(service: Service, card: SandboxPost) -> int:
    from sqlalchemy import text

    async with service.house.database.read() as tx:
        for row in await tx.execute(text("SELECT id, messages FROM notices")):
            if f", {card.id}, " in str(row.messages):
                return int(row.id)
    raise LookupError(card.id)


async def test_a_changed_headline_of_a_public_post_is_asked_about(desk: Outlet) -> None:
    article = a_proposal()
    async with working(desk) as service:
        card = await proposed(service, desk, article)
        await pressed(desk, EDITOR, card, "Опублікувати")
        await service.worker.drain()
        await publish(service, replace(article, title="Міст не відкрили"))
        await service.desk.look()
        second = cards(desk)[-1]
        assert second.text.startswith("✏️ asks: змінити допис, що вже вийшов?\n\nМіст не відкрили")
        assert buttons(second) == ["Опублікувати", "Змінити", "Пропустити"]
        assert "Міст відкрили" in shown_in_channel(desk)[0].text
        (notice,) = await open_notices(service)
        assert (await forged(desk, EDITOR, second, f"later:{notice.id}")).startswith("Час призначають лише новим")
        assert (await forged(desk, EDITOR, second, f"at:{notice.id}:15m")).startswith("Час призначають лише новим")
        assert await pressed(desk, EDITOR, second, "Опублікувати") == texts.DONE["publish"]
        await service.worker.drain()
        assert "Міст не відкрили" in shown_in_channel(desk)[0].text
        await service.desk.look()
        assert "✅ Петро: відправлено в публікацію" in second.text


async def test_forged_and_old_data_changes_nothing(desk: Outlet) -> None:
    article = a_proposal()
    async with working(desk) as service:
        card = await proposed(service, desk, article)
        (notice,) = await open_notices(service)
        number = notice.id
        for data in (
            "publish",
            "publish:",
            "publish:999",
            f"publish:{number}:1",
            f"at:{number}",
            f"at:{number}:",
            f"at:{number}:soon",
            f"at:{number}:15m:1",
            f"at:{number}:{'9' * 12}",
            f"at:{number}:-1",
            f"at:{number}:\N{ARABIC-INDIC DIGIT ONE}",
            "at:999:15m",
            f"release:{number}",
            f"cancel:{number}",
            f"present:{number}",
            f"again:{number}",
            "stop:",
            "stop:999",
            "stop:x",
            f"list:{number}",
        ):
            assert await forged(desk, EDITOR, card, data) == texts.OLD_BUTTON, data
        assert (await forged(desk, EDITOR, card, f"at:{number}:1")).startswith("Цей час уже минув")
        assert (await forged(desk, EDITOR, card, f"at:{number}:99999999999")).startswith("Це задалеко")
        delivery = (await line(service, article.url))["delivery"]
        assert (await forged(desk, EDITOR, card, f"stop:{delivery}")).startswith("Уже не вийде")
        assert (await line(service, article.url))["state"] == "proposed"
    assert await told(desk, "audit") == []


async def test_many_proposals_are_one_list_whose_cards_come_when_asked_for(desk: Outlet) -> None:
    async with working(desk) as service:
        await greeted(desk)
        await publish(service, *(a_proposal(title=f"Стаття {number}") for number in range(7)))
        await service.desk.look()
        (only,) = cards(desk)
        assert only.text.startswith("📋 Потребують рішення: 7\n📝 asks: Стаття 0\n")
        assert await pressed(desk, CHIEF, only, "Показати по одному") == texts.SHOWN
        await until(lambda: len(cards(desk)) == 8)
        second = cards(desk)[2]
        assert second.text.startswith("📝 asks: допис чекає на погодження\n\nСтаття 1")
        assert await pressed(desk, CHIEF, second, "Пропустити") == texts.DONE["decline"]
        await until(lambda: only.text.count("✅") == 1)


async def test_at_night_proposals_wait_for_the_morning_but_breaking_news_is_asked_about(desk: Outlet) -> None:
    desk.variables["VISTNYK_DESK__QUIET"] = '["00:00-24:00"]'
    from bot.domain.article import Priority

    async with working(desk) as service:
        await greeted(desk)
        await publish(service, a_proposal(), a_proposal(title="Терміново", priority=Priority.BREAKING))
        await service.desk.look()
        (card,) = cards(desk)
        assert "Терміново" in card.text
        assert card.silent
    desk.variables["VISTNYK_DESK__QUIET"] = "[]"
    async with working(desk) as service:
        await service.desk.look()
        assert len(cards(desk)) == 2
        assert not cards(desk)[1].silent


async def test_a_restart_between_the_card_and_the_press_loses_nothing(desk: Outlet) -> None:
    article = a_proposal(photo_url=a_picture(desk, "bridge"), photo_credit="Фото: рада")
    async with working(desk) as service:
        card = await proposed(service, desk, article)
        await pressed(desk, EDITOR, card, "Запланувати")
        await until(lambda: texts.IN_QUARTER in buttons(card))
    desk.sandbox.telegram.press(EDITOR, card, texts.IN_QUARTER)
    async with working(desk) as service:
        await until(lambda: "✅ Петро: погоджено" in card.text)
        assert (await line(service, article.url))["state"] == "planned"
        await service.desk.look()
        assert len(cards(desk)) == 1


async def test_the_desks_group_decides_together(desk: Outlet) -> None:
    desk.sandbox.telegram.add_group(GROUP, "Редакція", [BOT_ID])
    desk.variables["VISTNYK_DESK__CHAT"] = str(GROUP)
    article = a_proposal()
    async with working(desk) as service:
        await publish(service, article)
        await service.desk.look()
        (card,) = desk.sandbox.telegram.posts(GROUP)
        async with service.house.database.read() as tx:
            number = (await line(service, article.url))["delivery"]
            assert await told_in(tx, GROUP, card.id) == number
            assert await told_in(tx, GROUP, card.id + 1) is None
        assert await pressed(desk, STRANGER, card, "Опублікувати") == texts.NO_RIGHTS
        assert await pressed(desk, EDITOR, card, "Опублікувати") == texts.DONE["publish"]
        await service.worker.drain()
        assert len(shown_in_channel(desk)) == 1


async def test_a_post_held_by_an_editor_has_a_card_that_releases_or_drops_it(desk: Outlet) -> None:
    first, second = a_story(title="Міст відкрили"), a_story(title="Парк відкрили")
    async with working(desk) as service:
        await greeted(desk)
        await service.house.intake.accept([first, second], "push")
        async with channels.turn(service.house.database, service.lanes) as (tx, now):
            for article in (first, second):
                number = (await line(service, article.url, "telegram-main"))["delivery"]
                await steering.hold(tx, DeliveryId(number), who="Олена (1001)", now=now)
        await service.desk.look()
        one, two = cards(desk)
        assert one.text.startswith("⏸ telegram-main: допис відкладено\n\nМіст відкрили")
        assert one.silent
        assert buttons(one) == ["Опублікувати", "Запланувати", "Повернути в чергу", "Змінити", "Скасувати"]
        for who in ASIDE:
            assert await pressed(desk, who, one, "Повернути в чергу") == texts.NO_RIGHTS
            assert await pressed(desk, who, two, "Скасувати") == texts.NO_RIGHTS
        assert await pressed(desk, EDITOR, one, "Повернути в чергу") == texts.DONE["release"]
        assert await pressed(desk, EDITOR, two, "Скасувати") == texts.DONE["cancel"]
        await service.worker.drain()
        assert [post.text.split("\n")[0] for post in desk.telegram] == ["Міст відкрили"]
        await until(lambda: "✅ Петро: повернуто в чергу" in one.text and "✅ Петро: скасовано" in two.text)


async def test_taking_a_post_down_can_be_put_off_and_let_go(desk: Outlet) -> None:
    article = a_story(title="Міст відкрили", rubric="Закрите")
    async with working(desk) as service:
        await greeted(desk)
        await publish(service, article)
        await service.house.intake.accept([replace(article, retracted=True)], "push")
        taking = next(one for one in await queue(service) if one["kind"] == "withdraw" and one["channel"] == "closed")
        async with channels.turn(service.house.database, service.lanes) as (tx, now):
            await steering.hold(tx, DeliveryId(taking["delivery"]), who="Олена (1001)", now=now)
        await service.worker.drain()
        await service.desk.look()
        (card,) = cards(desk)
        assert card.text == "⏸ closed: допис відкладено\nМіст відкрили\nВидалення допису."
        assert buttons(card) == ["Повернути в чергу", "Скасувати"]
        assert len(desk.sandbox.telegram.posts(CLOSED)) == 1
        assert await pressed(desk, EDITOR, card, "Повернути в чергу") == texts.DONE["release"]
        await service.worker.drain()
        assert desk.sandbox.telegram.posts(CLOSED) == []


@pytest.mark.postgres
async def test_whichever_replica_hears_the_press_the_card_says_so_at_once_and_two_looks_tell_once(
    outlet: Outlet, postgres_url: str
) -> None:
    outlet.variables["VISTNYK_DATABASE_URL"] = postgres_url
    staff(outlet)
    outlet.variables["VISTNYK_DESK__UNDO"] = "60s"
    async with working(outlet) as first:
        await greeted(outlet)  # this one hears the bot
        async with working(outlet) as second:
            await second.desk.look()  # and this one has the duty to tell
            await publish(first, a_proposal(photo_url=a_picture(outlet, "bridge"), photo_credit="Фото: рада"))
            for _ in range(2):
                await asyncio.gather(second.desk.look(), first.desk.look())
            (card,) = cards(outlet)
            await pressed(outlet, EDITOR, card, "Опублікувати")
            await until(lambda: buttons(card) == ["Зупинити"], seconds=3)
            await asyncio.gather(
                second.desk.look(), pressed(outlet, CHIEF, card, "Зупинити"), first.desk.look(), second.desk.look()
            )
            await until(lambda: card.text.startswith("⏸ asks: допис відкладено"))
            await second.desk.look()
            assert cards(outlet) == [card]
            assert len(await open_notices(second)) == 1
