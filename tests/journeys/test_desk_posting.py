"""/post: an article or a text of one's own reaches the channels an editor chose, once; and what else it may meet."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from bot.agenda import refusals
from bot.desk import texts
from bot.sandbox import Sandbox, SitePage
from tests.journeys.desk import (
    CHIEF,
    EDITOR,
    ELSEWHERE,
    STRANGER,
    VIEWER,
    a_story,
    buttons,
    forged,
    shown,
    staff,
    working,
)
from tests.journeys.outlet import Outlet, ledger, publish, queue
from tests.journeys.shell import told
from tests.journeys.talking import LEAD, QUICK, Chat, a_page, a_photo


async def test_a_link_is_fetched_and_its_article_goes_where_the_editor_says(either_desk: Outlet) -> None:
    desk = either_desk
    url = a_page(desk, "bridge", "Міст відкрили")
    async with working(desk) as service:
        chat = Chat(desk, service)
        (card,) = await chat.say(f"/post {url}")
        assert "Міст відкрили" in card.text
        assert {"▫️ telegram-main", "▫️ facebook-main", "Далі →", "Скасувати"} <= set(buttons(card))
        await chat.press("telegram-main", "facebook-main")
        assert {"☑️ telegram-main", "☑️ facebook-main", "▫️ asks"} <= set(buttons(chat.last))
        await chat.press("Далі →", "Зараз")
        before = len(shown(desk, EDITOR))
        await chat.press("Фото статті")
        previews = shown(desk, EDITOR)[before:]
        assert [post.photo is not None for post in previews] == [False, True, False, True, False]
        assert previews[0].text == "👁 telegram-main"
        assert "Зараз" not in previews[-1].text
        assert desk.telegram == desk.facebook == [], "nothing goes out before the editor agrees"
        await chat.press("✅ Опублікувати")
        assert chat.last.text == "✅ Міст відкрили\n• telegram-main: виходить\n• facebook-main: виходить"
        assert buttons(chat.last) == []
        assert await chat.stands() is None
        await service.worker.drain()
        (post,) = desk.telegram
        assert post.html == previews[1].html, "it is public as it was shown"
        assert post.text.startswith(f"Міст відкрили\n\n{LEAD}")
        assert "Фото: ДСНС" in post.text
        assert url in post.html
        assert post.photo is not None
        assert desk.facebook[0].message == previews[3].text
        assert {line["channel"] for line in await ledger(service)} == {"telegram-main", "facebook-main"}
        assert await queue(service) == []
    kept = await told(desk, "audit")
    assert [(one["who"], one["action"], one["before"]) for one in kept] == [("Петро (1002)", "publish", None)] * 2
    why = await told(desk, "why", url)
    assert [one["decision"] for one in why[:3]] == ["stored", "queued", "queued"]


async def test_a_feed_that_tells_the_same_later_doubles_nothing_and_serves_the_others(desk: Outlet) -> None:
    url = a_page(desk, "bridge", "Міст відкрили")
    async with working(desk) as service:
        chat = Chat(desk, service)
        await chat.say(url)
        await chat.press("telegram-main", "Далі →", "Зараз", "Без фото", "✅ Опублікувати")
        await service.worker.drain()
        assert len(desk.telegram) == 1
        await publish(service, a_story(url=url, title="Міст відкрили", lead=LEAD))
        assert len(desk.telegram) == 1
        assert len(desk.facebook) == 1, "the rules go on as ever for the channels that the editor did not choose"


async def test_a_text_of_ones_own_keeps_its_formatting_where_the_platform_can_show_it(either_desk: Outlet) -> None:
    desk = either_desk
    async with working(desk) as service:
        chat = Chat(desk, service)
        words = '<b>Увага!</b> 1 &lt; 2, <i>деталі</i> — <a href="https://news.example/a?b=1&amp;c">тут</a>'
        await chat.say(html=f"/post {words}")
        await chat.press("telegram-main", "facebook-main", "Далі →", "Зараз", "Без фото")
        assert "⚠️ telegram-main: допис буде без посилання, хоча зазвичай тут воно є." in chat.last.text
        await chat.press("✅ Опублікувати")
        await service.worker.drain()
        (post,) = desk.telegram
        assert post.html.startswith(words)
        assert post.text.endswith("Підписуйтесь на наш Telegram")
        assert desk.facebook[0].message.startswith("Увага! 1 < 2, деталі — тут (https://news.example/a?b=1&c)")
        lines = await ledger(service)
        assert {(one["article_url"], one["title"]) for one in lines} == {(None, "Увага! 1 < 2, деталі — тут")}
        # The same words again are the same post.
        (refused,) = await chat.say(html=f"/post {words}")
        assert "вже опубліковано" in refused.text or "▫️ asks" in buttons(refused)
        assert "▫️ telegram-main" not in buttons(refused)


async def test_a_photo_that_was_sent_goes_out_with_the_credit_that_was_asked_for(either_desk: Outlet) -> None:
    desk = either_desk
    async with working(desk, QUICK) as service:
        chat = Chat(desk, service)
        await chat.say(html="Відкрили <b>міст</b>", photo=a_photo())
        await chat.press("telegram-main", "Далі →", "Зараз")
        assert chat.last.text.startswith("©️ Чиє це фото?")
        (refused,) = await chat.say("???")
        assert refused.text == texts.NO_CREDIT
        previews = await chat.say("Іван Петренко")
        assert previews[1].photo is not None
    async with working(desk, QUICK) as service:  # a restart: the photo is in the database
        await Chat(desk, service).press("✅ Опублікувати")
    async with working(desk, QUICK) as service:
        await service.worker.drain()
        (post,) = desk.telegram
        assert post.html.startswith("Відкрили <b>міст</b>\n\n<i>Фото: Іван Петренко</i>")
        assert post.photo is not None
        assert (post.photo.width, post.photo.height) == (640, 480)


async def test_a_time_that_is_written_is_kept(desk: Outlet) -> None:
    url = a_page(desk, "bridge", "Міст відкрили")
    async with working(desk) as service:
        chat = Chat(desk, service)
        await chat.say(url)
        await chat.press("telegram-main", "Далі →")
        (refused,) = await chat.say("колись <b>потім</b>")
        assert refused.text == texts.NO_TIME
        await chat.say("через 20 хв")
        await chat.press("Без фото", "✅ Запланувати")
        await service.worker.drain()
        assert desk.telegram == []
        (line,) = await queue(service)
        assert line["state"] == "planned"
        async with service.house.database.read() as tx:
            left: timedelta = line["pinned_at"] - await service.house.database.now(tx)
        assert timedelta(minutes=18) < left < timedelta(minutes=20)
        assert "• telegram-main: сьогодні" in chat.last.text or "• telegram-main: завтра" in chat.last.text


async def test_what_waits_already_is_moved_and_never_doubled(desk: Outlet) -> None:
    async with working(desk) as service:
        chat = Chat(desk, service)
        article = a_story(rubric="З погодженням")
        await service.house.intake.accept([article], "push")
        (line,) = [one for one in await queue(service) if one["channel"] == "asks"]
        assert line["state"] == "proposed"
        await chat.say(f"/post {article.url}?utm_source=x")
        assert "• asks: вже чекає в черзі" in chat.last.text
        assert "☑️ asks" in buttons(chat.last)
        await chat.press("Далі →", "Зараз", "Без фото", "✅ Опублікувати")
        await service.worker.drain()
        assert len(desk.sandbox.telegram.posts("@outlet_asks")) == 1
        assert {one["delivery"] for one in await ledger(service) if one["channel"] == "asks"} == {line["delivery"]}


async def test_what_was_cancelled_or_expired_goes_out_after_all(desk: Outlet) -> None:
    async with working(desk) as service:
        chat = Chat(desk, service)
        article = a_story(published_at=datetime.now(UTC) - timedelta(days=30), rubric="Закрите")
        await publish(service, article)
        assert {one["state"] for one in await ledger(service)} == {"expired"}
        await chat.say(article.url)
        await chat.press("telegram-main", "Далі →", "Коли буде місце", "Без фото", "✅ Запланувати")
        await service.worker.drain()
        assert len(desk.telegram) == 1
        assert desk.facebook == []


async def test_what_is_public_is_not_offered_again(desk: Outlet) -> None:
    async with working(desk) as service:
        await publish(service, article := a_story(rubric="Інше"))
        chat = Chat(desk, service, ELSEWHERE)
        (line,) = await chat.say(article.url)
        assert line.text.startswith("Це вже опубліковано всюди, де ви можете публікувати:\n• facebook-main")
        assert buttons(line) == []
        assert await chat.stands() is None


async def test_two_editors_at_once_make_one_post(either_desk: Outlet) -> None:
    desk = either_desk
    url = a_page(desk, "bridge", "Міст відкрили")
    async with working(desk) as service:
        chats = [Chat(desk, service, CHIEF), Chat(desk, service, EDITOR)]
        for chat in chats:
            await chat.say(url)
            await chat.press("telegram-main", "Далі →", "Зараз", "Без фото")
        await asyncio.gather(*(chat.press("✅ Опублікувати") for chat in chats))
        await service.worker.drain()
        assert len(desk.telegram) == 1
        assert len(await ledger(service)) == 1


async def test_who_has_no_right_begins_nothing_and_a_right_that_is_lost_meanwhile_counts(desk: Outlet) -> None:
    url = a_page(desk, "bridge", "Міст відкрили")
    async with working(desk) as service:
        for who in (VIEWER, STRANGER):
            chat = Chat(desk, service, who)
            await chat.say(f"/post {url}")
            assert await chat.stands() is None
        chat = Chat(desk, service, ELSEWHERE)
        (card,) = await chat.say(f"/post {url}")
        assert [one for one in buttons(card) if one.startswith(("▫️", "☑️"))] == ["☑️ facebook-main"]
        (kept,) = [await chat.stands()]
        assert kept is not None
        telegram = next(one for one, channel in service.house.served.items() if channel.name == "telegram-main")
        assert await forged(desk, ELSEWHERE, card, f"talk:{kept.version}:pick:{telegram}") == texts.USE_BUTTONS
        await chat.press("Далі →", "Зараз", "Без фото")
        async with service.house.database.write() as tx:
            await tx.exec_driver_sql(f"UPDATE editors SET role = 1 WHERE telegram_id = {ELSEWHERE}")
        assert await chat.press("✅ Опублікувати") == texts.NO_RIGHTS
        await service.worker.drain()
        assert desk.facebook == []
        assert await queue(service) == []
    assert await told(desk, "audit") == []


async def test_a_restart_in_the_middle_loses_nothing(either_desk: Outlet) -> None:
    desk = either_desk
    url = a_page(desk, "bridge", "Міст відкрили")
    async with working(desk, QUICK) as service:
        await Chat(desk, service).say(url)
        await Chat(desk, service).press("telegram-main")
    async with working(desk, QUICK) as service:
        await Chat(desk, service).press("Далі →", "Зараз")
    async with working(desk, QUICK) as service:
        await Chat(desk, service).press("Без фото", "✅ Опублікувати")
        await service.worker.drain()
    assert len(desk.telegram) == 1


@pytest.mark.postgres
async def test_another_replica_goes_on_where_the_first_one_stopped(
    tmp_path: Path, sandbox: Sandbox, postgres_url: str
) -> None:
    desk = Outlet(tmp_path, sandbox, postgres_url)
    staff(desk, started=False)
    async with AsyncExitStack() as stack:
        first = await stack.enter_async_context(working(desk, QUICK))
        async with working(desk, QUICK) as second:
            chat = Chat(desk, first)
            await chat.say(html="<b>Відкрили</b> міст", photo=a_photo())
            await chat.press("telegram-main", "Далі →", "Зараз")
            await stack.aclose()
            chat = Chat(desk, second)
            await chat.say("Іван Петренко")
            await chat.press("✅ Опублікувати")
            await second.worker.drain()
            (post,) = desk.telegram
            assert post.html.startswith("<b>Відкрили</b> міст")
            assert post.photo is not None


async def test_old_buttons_and_those_of_others_do_nothing(desk: Outlet) -> None:
    async with working(desk) as service:
        chat = Chat(desk, service)
        (old,) = await chat.say("/post перше")
        await chat.press("telegram-main")
        old_version = await chat.stands()
        (card,) = await chat.say("/post друге")
        now_is = await chat.stands()
        assert old_version is not None
        assert now_is is not None
        assert await chat.press("Далі →", card=old) == texts.OLD_BUTTON
        for data in (f"talk:{now_is.version}", "talk", f"talk:{now_is.version}:pick:{'9' * 40}", "talk:x:next"):
            assert await forged(desk, EDITOR, card, data) in (texts.OLD_BUTTON, texts.USE_BUTTONS), data
        assert await forged(desk, CHIEF, card, f"talk:{now_is.version}:next") == texts.OLD_BUTTON
        assert await chat.stands() == now_is


async def test_another_command_or_the_button_ends_it(desk: Outlet) -> None:
    async with working(desk) as service:
        chat = Chat(desk, service)
        await chat.say("/post щось")
        await chat.press("Скасувати")
        assert chat.last.text == texts.TALK_ENDED
        assert await chat.stands() is None
        await chat.say("/post щось")
        await chat.say("/start")
        assert await chat.stands() is None


async def test_a_conversation_that_was_forgotten_says_so_once_when_spoken_to(desk: Outlet) -> None:
    async with working(desk) as service:
        chat = Chat(desk, service)
        (card,) = await chat.say("/post щось")
        async with service.house.database.write() as tx:
            await tx.exec_driver_sql("UPDATE conversations SET expires_at = 0")
        before = len(shown(desk, EDITOR))
        await asyncio.sleep(0.1)
        assert len(shown(desk, EDITOR)) == before
        assert await chat.press("Далі →", card=card) == texts.TALK_EXPIRED
        (line,) = await chat.say("18:30")
        assert line.text == texts.TALK_EXPIRED
        (line,) = await chat.say("18:30")
        assert line.text == texts.NOT_UNDERSTOOD
        await service.worker.drain()
        assert desk.telegram == []


@pytest.mark.parametrize(
    ("words", "answer"),
    [
        ("/post http://[", texts.BAD_LINK),
        ("/post https://10.0.0.1/a", texts.NO_PAGE),
        ("/post {site}/nothing", texts.NO_PAGE),
        ("/post {site}/empty", texts.NO_PAGE),
        ("/post {site}/photo", texts.NO_PAGE),
    ],
)
async def test_a_link_that_leads_nowhere_is_answered_with_one_line(desk: Outlet, words: str, answer: str) -> None:
    desk.sandbox.site["/empty"] = SitePage(b"", "text/html")
    desk.sandbox.site["/photo"] = SitePage(a_photo(), "image/jpeg")
    async with working(desk) as service:
        chat = Chat(desk, service)
        (line,) = await chat.say(words.format(site=f"{desk.sandbox.url}/site"))
        assert line.text == answer or (answer is texts.BAD_LINK and "▫️ telegram-main" in buttons(line))
        async with service.house.database.read() as tx:
            assert (await tx.exec_driver_sql("SELECT count(*) FROM articles")).scalar_one() == 0


async def test_hostile_and_huge_words_are_shown_as_words_or_refused_with_how_much_is_too_much(desk: Outlet) -> None:
    async with working(desk) as service:
        chat = Chat(desk, service)
        await chat.say("/post <script>alert(1)</script> & <b>x</i> \u202e\x00 {{ call.text }} {% raw %}")
        await chat.press("telegram-main", "Далі →", "Зараз", "Без фото", "✅ Опублікувати")
        await service.worker.drain()
        assert desk.telegram[0].text.startswith("<script>alert(1)</script> & <b>x</i>")
        assert "{{ call.text }} {% raw %}" in desk.telegram[0].text
        await chat.say("/post " + "я" * 4090)
        await chat.press("telegram-main", "Далі →", "Зараз", "Без фото")
        over = 4090 + len("\n\nПідписуйтесь на наш Telegram") - 4096
        assert chat.last.text == texts.TOO_LONG.format(channel="telegram-main", over=over)
        assert "✅ Опублікувати" not in buttons(chat.last)
        await chat.say("я" * (4090 - over))
        await chat.press("✅ Опублікувати")
        await service.worker.drain()
        assert len(desk.telegram[-1].text) == 4096


async def test_empty_words_are_asked_for_and_what_is_no_photo_is_refused(desk: Outlet) -> None:
    async with working(desk) as service:
        chat = Chat(desk, service)
        (asked,) = await chat.say("/post")
        assert asked.text == "📝 Новий допис\nНадішліть посилання на статтю, текст або фото з підписом."
        url = a_page(desk, "bridge", "Міст відкрили")
        (card,) = await chat.say(url)
        assert "Міст відкрили" in card.text
        await chat.press("Скасувати")
        (line,) = await chat.say("x", photo=a_photo(width=20))
        assert line.text == texts.NO_PICTURE
        assert await chat.stands() is None


async def test_a_forwarded_post_of_a_known_article_is_about_that_article(desk: Outlet) -> None:
    async with working(desk) as service:
        await publish(service, article := a_story(rubric="Інше"))
        chat = Chat(desk, service)
        (card,) = await chat.say(forwarded=desk.telegram[0])
        assert "• telegram-main: вже опубліковано (дивитися)" in card.text
        assert "▫️ asks" in buttons(card)
        await chat.press("asks", "Далі →", "Зараз", "Без фото", "✅ Опублікувати")
        await service.worker.drain()
        (post,) = desk.sandbox.telegram.posts("@outlet_asks")
        assert post.text.startswith(article.title)


async def test_what_the_site_took_back_is_not_posted(desk: Outlet) -> None:
    async with working(desk) as service:
        await publish(service, article := a_story())
        await publish(service, replace(article, retracted=True))
        (line,) = await Chat(desk, service).say(f"/post {article.url}")
        assert line.text == refusals.RETRACTED
