"""What commands show: menus and help by role, the queue, the day, what came out, why, previews, figures, the way in."""

from __future__ import annotations

import asyncio
import io
import re
from datetime import UTC, datetime, timedelta

import pytest
from PIL import Image

from bot.desk import answers, texts
from bot.desk.commands import TABLE
from bot.domain.editor import Editor, Role
from bot.sandbox import SitePage, mishaps
from bot.store import editors
from tests.journeys.desk import (
    CHIEF,
    EDITOR,
    ELSEWHERE,
    STRANGER,
    VIEWER,
    a_story,
    buttons,
    forged,
    until,
    working,
)
from tests.journeys.outlet import BOT_ID, Outlet, ledger, publish, queue
from tests.journeys.talking import Chat, a_page, a_photo

GROUP = -1001000000055


def names(role: Role) -> list[str]:
    return [command.name for command in TABLE if command.role <= role]


def offered(desk: Outlet, chat: int) -> list[str]:
    return desk.sandbox.telegram.by_id[BOT_ID].offers(chat)


# --- who sees what ---


async def test_each_person_is_offered_what_their_role_may_do_and_strangers_nothing(either_desk: Outlet) -> None:
    desk = either_desk
    desk.variables["VISTNYK_DESK__CHAT"] = str(GROUP)
    desk.sandbox.telegram.add_group(GROUP, "Редакція", [BOT_ID])
    async with working(desk) as service:
        for person in (CHIEF, EDITOR, VIEWER):
            await Chat(desk, service, person).say("/start")
        await until(lambda: offered(desk, CHIEF) and offered(desk, EDITOR) and offered(desk, VIEWER))
        assert offered(desk, CHIEF) == names(Role.CHIEF)
        assert offered(desk, EDITOR) == names(Role.EDITOR)
        assert offered(desk, VIEWER) == names(Role.VIEWER)
        assert offered(desk, GROUP) == names(Role.EDITOR)
        assert offered(desk, STRANGER) == offered(desk, ELSEWHERE) == []
        # Another role changes the menu, and who leaves loses it.
        async with service.house.database.write() as tx:
            promoted = Editor(telegram_id=VIEWER, name="Віра", role=Role.EDITOR)
            await editors.engage(tx, [promoted, Editor(telegram_id=CHIEF, name="Олена", role=Role.CHIEF)])
        for _ in range(100):  # the bell rings again and again
            await service.desk.look()
            if offered(desk, VIEWER) == names(Role.EDITOR) and not offered(desk, EDITOR):
                break
            await asyncio.sleep(0.2)
        assert offered(desk, VIEWER) == names(Role.EDITOR)
        assert not offered(desk, EDITOR)


async def test_a_menu_that_telegram_did_not_take_is_set_later_and_holds_up_nothing(desk: Outlet) -> None:
    telegram = desk.sandbox.telegram
    telegram.next("setMyCommands", mishaps.throttle(1))
    async with working(desk) as service:
        (hello,) = await Chat(desk, service).say("/start")
        assert hello.text.startswith("Вітаю, Петро!")

        async def is_set() -> bool:
            await service.desk.look()
            return offered(desk, EDITOR) == names(Role.EDITOR)

        await until(is_set)
    made = len([call for call in telegram.calls if call.method == "setMyCommands"])
    async with working(desk) as service:
        await Chat(desk, service).say("/help")
        await service.desk.look()
    again = len([call for call in telegram.calls if call.method == "setMyCommands"])
    assert again == made, "what stands already is not set anew at each start"


@pytest.mark.parametrize("person", [CHIEF, EDITOR, VIEWER])
async def test_help_names_what_this_person_may_do_and_nothing_else(desk: Outlet, person: int) -> None:
    role = {CHIEF: Role.CHIEF, EDITOR: Role.EDITOR, VIEWER: Role.VIEWER}[person]
    async with working(desk) as service:
        (help_text,) = await Chat(desk, service, person).say("/help")
        assert re.findall(r"^/([a-z]+)", help_text.text, re.MULTILINE) == names(role)
        (unknown,) = await Chat(desk, service, person).say("/nonsense")
        assert unknown.text == texts.UNKNOWN_COMMAND


# --- the queue ---


async def test_the_queue_is_shown_a_page_at_a_time_in_the_order_of_the_plan(either_desk: Outlet) -> None:
    desk = either_desk
    async with working(desk) as service:
        stories = [
            a_story(title=f"Новина {number:02}", published_at=datetime.now(UTC) - timedelta(minutes=60 - number))
            for number in range(19)
        ]
        await service.house.intake.accept(stories, "push")
        chat = Chat(desk, service)
        (page,) = await chat.say("/queue telegram-main")
        assert re.findall(r"Новина \d\d", page.text) == [f"Новина {number:02}" for number in range(8)]
        assert page.text.endswith("1–8 з 19")
        assert buttons(page)[-2:] == ["🔄", "▶"]
        await chat.press("▶", card=page)
        assert re.findall(r"Новина \d\d", page.text) == [f"Новина {number:02}" for number in range(8, 16)]
        await chat.press("▶", card=page)
        assert page.text.endswith("17–19 з 19")
        assert buttons(page)[-2:] == ["◀", "🔄"]
        await service.worker.drain()
        await chat.press("🔄", card=page)
        assert page.text == "📋 Черга · telegram-main\nНічого не чекає."
        assert [post.text.split("\n")[0] for post in desk.telegram] == [f"Новина {number:02}" for number in range(19)]


async def test_the_queue_names_what_waits_for_a_person_and_what_stands_still(desk: Outlet) -> None:
    async with working(desk) as service:
        await service.house.intake.accept([a_story(title="Спірне", rubric="З погодженням")], "push")
        chat = Chat(desk, service)
        await chat.say("/pause telegram-main")
        (page,) = await chat.say("/queue")
        assert "⏸ telegram-main: на паузі без кінця." in page.text
        assert re.search(r"чекає на погодження · asks · №\d+\nСпірне", page.text)
        assert re.search(r"чекає своєї черги · telegram-main · №\d+\nСпірне", page.text)
        assert re.search(r"сьогодні об? \d\d:\d\d · facebook-main · №\d+\nСпірне", page.text)
        viewer = Chat(desk, service, VIEWER)
        (page,) = await viewer.say("/queue asks")
        number = next(line["delivery"] for line in await queue(service) if line["channel"] == "asks")
        await viewer.press(f"№{number}", card=page)
        assert "📝 Чекає на погодження." in page.text
        assert buttons(page) == ["Переглянути", "← До черги"], "a viewer only looks"
        other = Chat(desk, service, ELSEWHERE)
        (page,) = await other.say("/queue")
        assert "asks" not in page.text
        assert len(re.findall("Спірне", page.text)) == 1
        line = await forged(desk, ELSEWHERE, page, f"line:card:{number}:::0.0")
        assert line == texts.OLD_BUTTON


# --- what came out ---


async def test_today_tells_what_came_out_and_what_is_still_to_come(desk: Outlet) -> None:
    async with working(desk) as service:
        await publish(service, a_story(title="Ранкова"))
        later = a_story(title="Пізніша")
        await service.house.intake.accept([later], "push")
        chat = Chat(desk, service)
        await chat.say(f"/at {later.url} завтра 9:00")
        await service.house.intake.accept([a_story(title="Остання")], "push")
        (day,) = await chat.say("/today")
        assert "Вийшло: 2 дописи" in day.text
        assert "Ще вийде: 2 дописи" in day.text
        assert day.text.count("Ранкова") == day.text.count("Остання") == 2
        assert "Пізніша" not in day.text, "tomorrow's posts are not today's"
        link = desk.sandbox.url.replace("http://", "")
        assert f'<a href="http://{link}' in day.html
        (day,) = await Chat(desk, service, ELSEWHERE).say("/today")
        assert "Вийшло: 1 допис" in day.text


async def test_history_goes_back_page_by_page(either_desk: Outlet) -> None:
    desk = either_desk
    async with working(desk) as service:
        stories = [a_story(title=f"Новина {number:02}") for number in range(12)]
        for story in stories:
            await publish(service, story)
        chat = Chat(desk, service)
        (page,) = await chat.say("/history telegram-main")
        assert re.findall(r"Новина \d\d", page.text) == [f"Новина {number:02}" for number in range(11, 3, -1)]
        await chat.press(answers.OLDER, card=page)
        assert re.findall(r"Новина \d\d", page.text) == [f"Новина {number:02}" for number in range(3, -1, -1)]
        assert buttons(page) == [answers.NEWER]
        await chat.press(answers.NEWER, card=page)
        assert "Новина 11" in page.text
        (all_channels,) = await chat.say("/history")
        assert " · facebook-main · " in all_channels.text


async def test_why_tells_every_decision_in_the_desks_words(desk: Outlet) -> None:
    async with working(desk) as service:
        story = a_story(title="Міст відкрили")
        await service.house.intake.accept([story], "push")
        chat = Chat(desk, service)
        await chat.say(f"/hold {story.url}")
        await chat.say(f"/now {story.url}")
        await service.worker.drain()
        (account,) = await chat.say(f"/why {story.url}")
        assert account.text.startswith("Міст відкрили\n")
        for line in (
            "стаття надійшла",
            "стоїть у черзі",
            "цьому каналу не підходить: не та рубрика",
            "відкладено (Петро)",
            "відправлено в публікацію (Петро)",
            "опубліковано",
        ):
            assert line in account.text, line
        assert not re.search(r"[a-z]{5,} [a-z]{3,}", account.text), "nothing of it is left in English"
        permalink = next(line["permalink"] for line in await ledger(service) if line["channel"] == "telegram-main")
        (by_post,) = await chat.say(f"/why {permalink}")
        assert by_post.text == account.text
        (foreign,) = await Chat(desk, service, ELSEWHERE).say(f"/why {story.url}")
        assert "facebook-main" in foreign.text
        assert "telegram-main" not in foreign.text


# --- previews ---


async def test_a_preview_of_an_unknown_page_is_fetched_shown_as_each_channel_would_and_stored_nowhere(
    desk: Outlet,
) -> None:
    url = a_page(desk, "bridge", "Міст відкрили")
    async with working(desk) as service:
        chat = Chat(desk, service, VIEWER)
        said = await chat.say(f"/preview {url}")
        heads = [post.text for post in said if post.text.startswith("👁")]
        assert heads == [f"👁 {name}" for name in ("telegram-main", "facebook-main", "closed", "strict", "asks")]
        assert said[1].photo is not None
        assert said[1].text.startswith("Міст відкрили\n\n")
        assert "Фото: ДСНС" in said[1].text
        assert "odd: платформа такого тексту не прийме" in said[-1].text
        assert desk.telegram == [] == await queue(service)
        async with service.house.database.read() as tx:
            assert (await tx.exec_driver_sql("SELECT count(*) FROM articles")).scalar_one() == 0


async def test_a_preview_is_what_goes_out(desk: Outlet) -> None:
    async with working(desk) as service:
        desk.sandbox.site["/p.jpg"] = SitePage(a_photo(), "image/jpeg")
        story = a_story(title="Міст відкрили", photo_url=f"{desk.sandbox.url}/site/p.jpg", photo_credit="Фото: ДСНС")
        await service.house.intake.accept([story], "push")
        chat = Chat(desk, service)
        said = await chat.say(f"/preview {story.url}")
        mine = next(said[place + 1] for place, post in enumerate(said) if post.text == "👁 telegram-main")
        assert buttons(mine) == [answers.STEER]
        await chat.press(answers.STEER, card=mine)
        assert buttons(chat.last)[:2] == ["Зараз", "Перенести"]
        (answer,) = await chat.say("/hold", reply_to=mine.id)
        assert "⏸ Відкладено." in answer.text
        await chat.press("Зараз", card=answer)
        await service.worker.drain()
        (post,) = desk.telegram
        assert (post.html, post.photo) == (mine.html, mine.photo)
        said = await chat.say(f"/preview {story.url}")
        assert said[0].text.startswith("👁 telegram-main: вже в каналі (дивитися)")
        assert said[1].text == post.text


# --- figures and health ---


async def test_stats_are_numbers_and_a_picture(desk: Outlet) -> None:
    async with working(desk) as service:
        await publish(service, a_story(title="Міст відкрили"), a_story(title="Трамвай рушив"))
        desk.sandbox.telegram.react("@outlet_main", desk.telegram[0].id, {"👍": 5, "🔥": 2})
        chat = Chat(desk, service)
        await chat.rest()

        async def told() -> bool:
            (account,) = await chat.say("/stats telegram-main 30d")
            return "7 реакцій: 👍 5, 🔥 2" in account.text

        await until(told)
        (account,) = await chat.say("/stats telegram-main 30d")
        assert account.text.startswith("📊 telegram-main, ")
        assert "2 дописи" in account.text
        assert account.photo is not None
        drawn = Image.open(io.BytesIO(account.photo.body))
        assert drawn.size == (1080, 1350)
        (week,) = await Chat(desk, service, ELSEWHERE).say("/stats")
        assert "2 дописи" in week.text
        assert "реакцій: " not in week.text
        for wrong in ("0d", "999999d", "7x", "10000"):
            (refusal,) = await chat.say(f"/stats {wrong}")
            assert refusal.text == answers.STATS_SPAN, wrong


async def test_channels_tells_how_each_channel_is_and_whom_nobody_can_write_to(desk: Outlet) -> None:
    async with working(desk) as service:
        await Chat(desk, service, CHIEF).say("/start")
        desk.sandbox.telegram.set_rights("@outlet_strict", BOT_ID, administrator=False, can_post=False)
        story = a_story(title="Міст відкрили")
        await service.house.intake.accept([story], "push")
        (account,) = await Chat(desk, service, CHIEF).say("/channels")
        parts = dict((part.split("\n")[0], part) for part in account.text.split("\n\n"))
        assert "Токен діє, прав досить.\nНаступний допис: сьогодні о" in parts["🟢 telegram-main"]
        assert "Черга порожня." in parts["🟢 asks"]
        assert "Боту бракує прав." in parts["🔴 strict"]
        assert parts[next(reversed(parts))].endswith("Віра, Гліб, Петро.")
        (account,) = await Chat(desk, service, ELSEWHERE).say("/channels")
        assert account.text.startswith("🟢 facebook-main")
        assert "Віра" not in account.text


async def test_the_calendar_opens_inside_telegram_or_by_a_link_that_serves_once(desk: Outlet) -> None:
    async with working(desk) as service:
        (refusal,) = await Chat(desk, service).say("/calendar")
        assert refusal.text == answers.NO_CALENDAR
    for address, kind in (("https://desk.example", "web_app"), ("http://10.0.0.5:8080", "url")):
        desk.variables["VISTNYK_WEB__PUBLIC_URL"] = address
        async with working(desk) as service:
            (answer,) = await Chat(desk, service, VIEWER).say("/calendar")
            assert answer.reply_markup is not None
            ((button,),) = answer.reply_markup["inline_keyboard"]
            opened = button[kind]["url"] if kind == "web_app" else button[kind]
            assert opened == f"{address}/app" if kind == "web_app" else opened.startswith(f"{address}/app?link=")


async def test_a_link_to_the_calendar_is_never_put_into_the_group(desk: Outlet) -> None:
    desk.variables |= {"VISTNYK_DESK__CHAT": str(GROUP), "VISTNYK_WEB__PUBLIC_URL": "http://10.0.0.5:8080"}
    desk.sandbox.telegram.add_group(GROUP, "Редакція", [BOT_ID])
    async with working(desk):
        desk.sandbox.telegram.say(EDITOR, GROUP, "/calendar")
        await until(lambda: [post for post in desk.sandbox.telegram.posts(GROUP) if post.author == BOT_ID])
        (answer,) = [post for post in desk.sandbox.telegram.posts(GROUP) if post.author == BOT_ID]
        assert answer.text == answers.CALENDAR_IN_PRIVATE
        assert answer.reply_markup is None
