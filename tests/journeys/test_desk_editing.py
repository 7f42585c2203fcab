"""/edit and edits by hand: a post reads as its editor wrote, and no correction takes that away unasked."""

from __future__ import annotations

import asyncio
from dataclasses import replace

from bot.agenda import refusals
from bot.desk import texts
from bot.domain.editor import Role
from bot.sandbox import SitePage, mishaps
from tests.journeys.desk import (
    CHIEF,
    EDITOR,
    ELSEWHERE,
    VIEWER,
    a_story,
    buttons,
    cards,
    forged,
    shown,
    until,
    working,
)
from tests.journeys.outlet import BOT_ID, Outlet, ledger, publish, queue
from tests.journeys.shell import told
from tests.journeys.talking import Chat, a_photo

NOT_FOR_ROLE = texts.NOT_FOR_ROLE.format(role=texts.ROLES_WHO[Role.EDITOR])
CALL = "Підписуйтесь на наш Telegram"


async def test_the_words_of_public_posts_are_changed_and_the_rest_stays(either_desk: Outlet) -> None:
    desk = either_desk
    desk.sandbox.site["/a.jpg"] = SitePage(a_photo(), "image/jpeg")
    article = a_story(photo_url=f"{desk.sandbox.url}/site/a.jpg", photo_credit="Фото: ДСНС")
    async with working(desk) as service:
        await publish(service, article)
        was = desk.telegram[0].text
        chat = Chat(desk, service)
        await chat.say(f"/edit {article.url}")
        assert {"☑️ telegram-main", "☑️ facebook-main"} <= set(buttons(chat.last))
        await chat.press("Далі →")
        before = len(shown(desk, EDITOR))
        await chat.say(html='<b>Міст</b> <i>через Тиху</i> знову працює, <a href="https://news.example/d">деталі</a>')
        previews = [post.text for post in shown(desk, EDITOR)[before:]]
        assert previews[0] == "👁 telegram-main"
        assert desk.telegram[0].text == was, "nothing changes before the editor agrees"
        await chat.press("✅ Змінити")
        assert chat.last.text == "✅ Змінюю: telegram-main, facebook-main."
        await service.worker.drain()
        (post,) = desk.telegram
        assert post.html.startswith(
            '<b>Міст</b> <i>через Тиху</i> знову працює, <a href="https://news.example/d">деталі</a>\n\n<i>Фото: ДСНС'
        )
        assert article.url in post.html
        assert post.text.endswith(CALL)
        assert post.photo is not None
        page = desk.facebook[0].message
        assert page.startswith("Міст через Тиху знову працює, деталі (https://news.example/d)\n\nФото: ДСНС")
        assert article.title not in post.text + page
    acts = await told(desk, "audit")
    assert [(one["who"], one["action"]) for one in acts] == [("Петро (1002)", "edit")] * 2
    assert article.title in acts[0]["before"]["words"]
    assert acts[0]["after"]["words"].startswith("<b>Міст</b> <i>через Тиху</i>")
    assert [one["decision"] for one in await told(desk, "why", article.url)].count("edited") == 2


async def test_a_correction_of_a_post_with_an_editors_words_asks_first(either_desk: Outlet) -> None:
    desk = either_desk
    article = a_story(title="Міст відкрили")
    async with working(desk) as service:
        chat = Chat(desk, service, CHIEF)
        await chat.say("/start")
        await publish(service, article)
        await chat.say(f"/edit {article.url}")
        await chat.press("facebook-main", "Далі →")
        await chat.say("Слова редакторки")
        await chat.press("✅ Змінити")
        await service.worker.drain()
        assert desk.telegram[0].text.startswith("Слова редакторки")
        corrected = replace(article, title="Міст відкрили ввечері")
        await publish(service, corrected)
        assert desk.telegram[0].text.startswith("Слова редакторки")
        assert desk.facebook[0].message.startswith("Міст відкрили ввечері"), "where nobody wrote, it is corrected"
        await service.desk.look()
        (card,) = [one for one in cards(desk) if "змінити допис, що вже вийшов?" in one.text]
        assert "Міст відкрили ввечері" in card.text
        await chat.press("Пропустити", card=card)
        await publish(service, replace(corrected, lead="Уточнено: рух відкрили о сьомій."))
        await service.desk.look()
        (again,) = [one for one in cards(desk) if "змінити допис, що вже вийшов?" in one.text and buttons(one)]
        assert desk.telegram[0].text.startswith("Слова редакторки")
        await chat.press("Опублікувати", card=again)
        await service.worker.drain()
        assert desk.telegram[0].text.startswith("Міст відкрили ввечері\n\nУточнено")


async def test_an_edit_by_hand_in_the_channel_is_kept_and_corrections_ask(either_desk: Outlet) -> None:
    desk = either_desk
    article = a_story(title="Міст відкрили")
    async with working(desk) as service:
        chat = Chat(desk, service, CHIEF)
        await chat.say("/start")
        await publish(service, article)
        (post,) = desk.telegram
        desk.sandbox.telegram.edit_by_hand("@outlet_main", post.id, "<b>Міст</b> відкрили, <i>поправлено вручну</i>")
        await chat.rest()
        (line,) = [one for one in await ledger(service) if one["channel"] == "telegram-main"]
        await publish(service, replace(article, title="Міст відкрили ввечері"))
        await service.worker.drain()
        assert post.text == "Міст відкрили, поправлено вручну"
        assert desk.facebook[0].message.startswith("Міст відкрили ввечері")
        await service.desk.look()
        waiting = [one for one in cards(desk) if "змінити допис, що вже вийшов?" in one.text]
        assert len(waiting) == 1
        await chat.press("Опублікувати", card=waiting[0])
        await service.worker.drain()
        assert post.text.startswith("Міст відкрили ввечері")
    why = [one for one in await told(desk, "why", article.url) if one["channel"] == "telegram-main"]
    assert "edited by hand" in [one["decision"] for one in why]
    assert any("whose words are a person's" in one["detail"] for one in why)
    (act,) = [one for one in await told(desk, "audit") if one["action"] == "edit by hand"]
    assert (act["who"], act["subject"]) == (texts.SOMEBODY, f"delivery {line['delivery']}")
    assert act["after"] == {"text": "Міст відкрили, поправлено вручну"}


async def test_a_correction_on_its_way_meets_the_hand_that_was_quicker(desk: Outlet) -> None:
    article = a_story(title="Міст відкрили")
    async with working(desk) as service:
        chat = Chat(desk, service, CHIEF)
        await chat.say("/start")
        await publish(service, article)
        (post,) = desk.telegram
        await service.house.intake.accept([replace(article, title="Міст відкрили ввечері")], "push")
        desk.sandbox.telegram.edit_by_hand("@outlet_main", post.id, "Поправлено вручну")
        await chat.rest()
        await service.worker.drain()
        assert post.text == "Поправлено вручну"
        (line,) = [one for one in await queue(service) if one["channel"] == "telegram-main"]
        assert (line["kind"], line["state"]) == ("edit", "proposed")


async def test_our_own_words_are_no_hand_edit_whichever_bot_hears_of_them(desk: Outlet) -> None:
    article = a_story()
    async with working(desk) as service:
        chat = Chat(desk, service)
        await publish(service, article)
        (post,) = desk.telegram
        desk.sandbox.telegram.edit_by_hand("@outlet_main", post.id, post.html)
        other = desk.sandbox.telegram.say(CHIEF, "@outlet_main", "Допис, якого бот не робив")
        desk.sandbox.telegram.edit_by_hand("@outlet_main", other.id, "Змінений допис, якого бот не робив")
        await chat.rest()
        await publish(service, replace(article, title="Виправлений заголовок"))
        assert post.text.startswith("Виправлений заголовок")
    assert await told(desk, "audit") == []


async def test_the_words_of_a_waiting_post_are_changed_before_anybody_sees_it(desk: Outlet) -> None:
    article = a_story(rubric="З погодженням")
    async with working(desk) as service:
        await service.house.intake.accept([article], "push")
        (line,) = [one for one in await queue(service) if one["channel"] == "asks"]
        chat = Chat(desk, service)
        await chat.say(f"/edit {line['delivery']}")
        await chat.say("Свої <слова> редактора")
        await chat.press("✅ Змінити")
        assert chat.last.text == "✅ Змінив, вийде вже так: asks."
        (line,) = [one for one in await queue(service) if one["channel"] == "asks"]
        assert line["state"] == "proposed", "other words are no consent"
        await chat.say(f"/post {article.url}")
        await chat.press("Далі →", "Зараз", "Без фото", "✅ Опублікувати")
        await service.worker.drain()
        (post,) = desk.sandbox.telegram.posts("@outlet_asks")
        assert post.text.startswith("Свої <слова> редактора"), "another time takes no words away"


async def test_a_card_of_approval_leads_to_other_words(desk: Outlet) -> None:
    article = a_story(rubric="З погодженням")
    async with working(desk) as service:
        chat = Chat(desk, service, CHIEF)
        await chat.say("/start")
        await service.house.intake.accept([article], "push")
        await service.desk.look()
        (card,) = [one for one in cards(desk) if "чекає на погодження" in one.text]
        text = card.text
        await chat.press("Змінити", card=card)
        assert card.text == text, "the card stays what it is"
        await chat.say("Слова редакторки")
        await chat.press("✅ Змінити")
        await service.desk.look()
        await until(lambda: "Слова редакторки" in card.text)
        await chat.press("Опублікувати", card=card)
        await service.worker.drain()
        assert desk.sandbox.telegram.posts("@outlet_asks")[0].text.startswith("Слова редакторки")


async def test_an_answer_to_a_forwarded_post_and_its_address_say_which_one(desk: Outlet) -> None:
    async with working(desk) as service:
        await publish(service, a_story())
        chat = Chat(desk, service)
        copy = desk.sandbox.telegram.say(EDITOR, BOT_ID, forwarded=desk.telegram[0])
        await chat.rest()
        await chat.say("/edit", reply_to=copy.id)
        assert chat.last.text.startswith("✏️ Надішліть новий текст")
        (line,) = [one for one in await ledger(service) if one["channel"] == "telegram-main"]
        await chat.say(f"/edit {line['permalink']}")
        assert chat.last.text.startswith("✏️ Надішліть новий текст")
        await chat.say("Нові слова")
        await chat.press("✅ Змінити")
        await service.worker.drain()
        assert desk.telegram[0].text.startswith("Нові слова")
        assert not desk.facebook[0].message.startswith("Нові слова")


async def test_words_that_are_too_long_say_by_how_much(desk: Outlet) -> None:
    desk.sandbox.site["/a.jpg"] = SitePage(a_photo(), "image/jpeg")
    article = a_story(photo_url=f"{desk.sandbox.url}/site/a.jpg", photo_credit="Фото: ДСНС")
    async with working(desk) as service:
        await publish(service, article)
        (post,) = desk.telegram
        chat = Chat(desk, service)
        await chat.say(f"/edit {article.url}")
        await chat.press("facebook-main", "Далі →")
        await chat.say("я" * 1500)
        rest = len("\n\nФото: ДСНС\n\nЧитати повністю\n\n" + CALL)
        over = 1500 + rest - 1024
        assert chat.last.text == texts.TOO_LONG.format(channel="telegram-main", over=over)
        assert "✅ Змінити" not in buttons(chat.last)
        await chat.say("я" * (1500 - over))
        await chat.press("✅ Змінити")
        await service.worker.drain()
        assert len(post.text) == 1024


async def test_who_has_no_right_changes_nothing(desk: Outlet) -> None:
    article = a_story()
    async with working(desk) as service:
        await publish(service, article)
        was = desk.telegram[0].text, desk.facebook[0].message
        (line,) = [one for one in await ledger(service) if one["channel"] == "telegram-main"]
        viewer, elsewhere = Chat(desk, service, VIEWER), Chat(desk, service, ELSEWHERE)
        (refused,) = await viewer.say(f"/edit {article.url}")
        assert refused.text == NOT_FOR_ROLE
        (refused,) = await elsewhere.say(f"/edit {line['delivery']}")
        assert refused.text == texts.NOT_YOUR_CHANNEL.format(channel="telegram-main")
        assert await forged(desk, ELSEWHERE, refused, f"edit:{line['delivery']}") == refused.text
        assert await forged(desk, ELSEWHERE, refused, "edit:x") == texts.OLD_BUTTON
        await elsewhere.say(f"/edit {article.url}")
        assert elsewhere.last.text.startswith("✏️ Надішліть новий текст"), "the page is that editor's"
        await elsewhere.say("Чужі слова")
        async with service.house.database.write() as tx:
            await tx.exec_driver_sql(f"DELETE FROM editors WHERE telegram_id = {ELSEWHERE}")
        await elsewhere.press("✅ Змінити")
        await service.worker.drain()
        assert (desk.telegram[0].text, desk.facebook[0].message) == was
    assert await told(desk, "audit") == []


async def test_two_editors_at_once_leave_one_text_and_both_are_written_down(either_desk: Outlet) -> None:
    desk = either_desk
    article = a_story()
    async with working(desk) as service:
        await publish(service, article)
        chats = {"Слова Олени": Chat(desk, service, CHIEF), "Слова Петра": Chat(desk, service, EDITOR)}
        for words, chat in chats.items():
            await chat.say(f"/edit {article.url}")
            await chat.press("facebook-main", "Далі →")
            await chat.say(words)
        await asyncio.gather(*(chat.press("✅ Змінити") for chat in chats.values()))
        await service.worker.drain()
        assert desk.telegram[0].text.split("\n")[0] in chats
        edits = [one for one in await ledger(service) if one["kind"] == "edit"]
        assert len(edits) == 1, "the second one's words took the place of the first one's, which had not left yet"
    acts = [(one["who"], one["action"]) for one in await told(desk, "audit")]
    assert {who for who, _ in acts} == {"Олена (1001)", "Петро (1002)"}


async def test_a_post_that_was_taken_down_meanwhile_is_not_changed(desk: Outlet) -> None:
    article = a_story()
    async with working(desk) as service:
        await publish(service, article)
        chat = Chat(desk, service)
        await chat.say(f"/edit {article.url}")
        await chat.press("facebook-main", "Далі →")
        await chat.say("Нові слова")
        await publish(service, replace(article, retracted=True))
        assert await chat.press("✅ Змінити") == refusals.NOT_PUBLIC
        await service.worker.drain()
        assert desk.telegram == []
        (line,) = await chat.say(f"/edit {article.url}")
        assert line.text == texts.EDIT_NOTHING


async def test_an_edit_whose_answer_was_lost_is_repeated_until_it_stands(desk: Outlet) -> None:
    desk.variables |= {"VISTNYK_DELIVERY__TIMEOUT": "400ms", "VISTNYK_DELIVERY__LEASE": "1s"}
    article = a_story()
    async with working(desk) as service:
        await publish(service, article)
        chat = Chat(desk, service)
        await chat.say(f"/edit {article.url}")
        await chat.press("facebook-main", "Далі →")
        await chat.say("Нові слова")
        desk.sandbox.telegram.next("editMessageText", mishaps.drop_before)
        await chat.press("✅ Змінити")

        async def stands() -> bool:
            await service.worker.drain()
            return bool(desk.telegram[0].text.startswith("Нові слова"))

        await until(stands)


async def test_what_names_no_post_gets_one_helpful_line(desk: Outlet) -> None:
    async with working(desk) as service:
        chat = Chat(desk, service)
        for words in ("99999", "https://news.example/unknown", "<b>щось</b> & ще", "№" * 3000, "http://[::1"):
            (line,) = await chat.say(f"/edit {words}")
            assert line.text == texts.EDIT_NOTHING, words
        (line,) = await chat.say("/edit")
        assert line.text == texts.EDIT_WHAT
        assert await chat.stands() is None
