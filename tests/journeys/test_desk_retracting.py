"""/retract and /digest: an article is taken back where its editor may, and a day becomes one post."""

from __future__ import annotations

import asyncio
from dataclasses import replace

from bot.desk import texts
from bot.domain.editor import Role
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
from tests.journeys.talking import Chat

NOT_FOR_ROLE = texts.NOT_FOR_ROLE.format(role=texts.ROLES_WHO[Role.EDITOR])


async def test_a_retracted_article_disappears_everywhere_and_goes_out_nowhere(either_desk: Outlet) -> None:
    desk = either_desk
    article = a_story(title="Міст відкрили", rubric="З погодженням")
    async with working(desk) as service:
        await publish(service, article)
        assert (len(desk.telegram), len(desk.facebook)) == (1, 1)
        chat = Chat(desk, service)
        (card,) = await chat.say(f"/retract {article.url} помилка в даті <b>")
        assert card.text.startswith("🗑 Міст відкрили\n• telegram-main: зникне з каналу (дивитися)")
        assert "• asks: не вийде, хоча стоїть у черзі" in card.text
        assert "Причина: помилка в даті <b>" in card.text
        assert len(desk.telegram) == 1, "nothing is taken down before the editor agrees"
        await chat.press("🗑 Зняти")
        assert chat.last.text == "✅ Знімаю «Міст відкрили»: telegram-main, facebook-main, asks."
        await service.worker.drain()
        assert desk.telegram == desk.facebook == []
        assert await queue(service) == []
        await publish(service, replace(article, title="Міст відкрили знову"))
        assert desk.telegram == [], "only the site brings it back"
        (line,) = await chat.say(f"/retract {article.url}")
        assert line.text == texts.RETRACT_DONE_ALREADY
    (act,) = [one for one in await told(desk, "audit") if one["action"] == "retract"]
    assert (act["who"], act["subject"]) == ("Петро (1002)", f"article {article.url}")
    assert (act["before"], act["after"]["retracted"]) == ({"retracted": False}, True)
    why = [one for one in await told(desk, "why", article.url) if one["decision"] == "retracted"]
    assert why[0]["detail"] == "помилка в даті <b> (Петро (1002))"


async def test_an_editor_of_one_channel_takes_it_down_there_alone(either_desk: Outlet) -> None:
    desk = either_desk
    article = a_story()
    async with working(desk) as service:
        await publish(service, article)
        chat = Chat(desk, service, ELSEWHERE)
        (card,) = await chat.say(f"/retract {article.url}")
        assert "• telegram-main: лишиться, це не ваш канал" in card.text
        assert texts.RETRACT_MINE in card.text
        await chat.press("🗑 Зняти")
        await service.worker.drain()
        assert desk.facebook == []
        assert len(desk.telegram) == 1
        await publish(service, replace(article, title="Виправлений заголовок"))
        assert desk.facebook == [], "what was taken down stays down"
        assert desk.telegram[0].text.startswith("Виправлений заголовок"), "elsewhere it lives on"
    acts = [(one["who"], one["action"]) for one in await told(desk, "audit")]
    assert acts == [("Гліб (1004)", "withdraw"), ("Гліб (1004)", "retract")]


async def test_a_channel_that_keeps_retracted_posts_or_overwrites_them_does_so(desk: Outlet) -> None:
    staff(desk, started=False, telegram='retractions = "notice"', facebook='retractions = "off"')
    article = a_story(title="Міст відкрили")
    async with working(desk) as service:
        await publish(service, article)
        chat = Chat(desk, service)
        (card,) = await chat.say(f"/retract {article.url}")
        assert "• telegram-main: замість допису буде повідомлення" in card.text
        assert "• facebook-main: допис лишиться" in card.text
        await chat.press("🗑 Зняти")
        await service.worker.drain()
        assert desk.telegram[0].text.startswith("Новину знято з публікації")
        assert desk.facebook[0].message.startswith("Міст відкрили")


async def test_who_has_no_right_takes_nothing_down(desk: Outlet) -> None:
    article = a_story(rubric="Закрите")
    async with working(desk) as service:
        await publish(service, article)
        for who in (VIEWER, STRANGER):
            await Chat(desk, service, who).say(f"/retract {article.url}")
        assert shown(desk, VIEWER)[-1].text == NOT_FOR_ROLE
        chat = Chat(desk, service, EDITOR)
        (card,) = await chat.say(f"/retract {article.url}")
        kept = await chat.stands()
        assert kept is not None
        assert await forged(desk, VIEWER, card, f"talk:{kept.version}:go") == texts.OLD_BUTTON
        async with service.house.database.write() as tx:
            await tx.exec_driver_sql("UPDATE editors SET channels = '[\"asks\"]' WHERE telegram_id = 1002")
        assert await chat.press("🗑 Зняти") == texts.NOT_YOUR_CHANNEL.format(channel="telegram-main")
        await service.worker.drain()
        assert (len(desk.telegram), len(desk.facebook)) == (1, 1)
    assert await told(desk, "audit") == []


async def test_two_editors_at_once_take_it_down_once(either_desk: Outlet) -> None:
    desk = either_desk
    article = a_story()
    async with working(desk) as service:
        await publish(service, article)
        chats = [Chat(desk, service, CHIEF), Chat(desk, service, EDITOR)]
        for chat in chats:
            await chat.say(f"/retract {article.url}")
        lines = await asyncio.gather(*(chat.press("🗑 Зняти") for chat in chats))
        assert sorted(lines) == ["", texts.RETRACT_DONE_ALREADY]
        await service.worker.drain()
        assert desk.telegram == desk.facebook == []
        assert len([one for one in await ledger(service) if one["kind"] == "withdraw"]) == 2
    assert len([one for one in await told(desk, "audit") if one["action"] == "retract"]) == 1


async def test_what_names_no_article_gets_one_helpful_line(desk: Outlet) -> None:
    async with working(desk) as service:
        chat = Chat(desk, service)
        for words in ("https://news.example/unknown", "щось", "<script>", "я" * 4000):
            (line,) = await chat.say(f"/retract {words}")
            assert line.text == texts.RETRACT_UNKNOWN, words
        (line,) = await chat.say("/retract")
        assert line.text == texts.RETRACT_WHAT


async def test_a_digest_tells_of_todays_posts_once(either_desk: Outlet) -> None:
    desk = either_desk
    async with working(desk) as service:
        stories = [a_story(title=f"Новина {number}") for number in range(3)]
        await publish(service, *stories)
        taken = a_story(title="Знята")
        await publish(service, taken)
        await publish(service, replace(taken, retracted=True))
        chats = [Chat(desk, service, CHIEF), Chat(desk, service, EDITOR)]
        for chat in chats:
            await chat.say("/digest telegram-main")
            await chat.press("Зараз")
        preview = shown(desk, EDITOR)[-2]
        assert preview.text.startswith("Головне за день")
        assert [f"Новина {number}" in preview.text for number in range(3)] == [True] * 3
        assert "Знята" not in preview.text
        assert len(desk.telegram) == 3
        lines = await asyncio.gather(*(chat.press("✅ Опублікувати") for chat in chats))
        assert sorted(bool(line) for line in lines) == [False, True], "the second one reads whose was quicker"
        await service.worker.drain()
        assert len(desk.telegram) == 4
        assert desk.telegram[-1].text == preview.text
        assert len(desk.facebook) == 3
        await chats[1].say("/digest telegram-main")
        await chats[1].press("Зараз")
        assert (await chats[1].press("✅ Опублікувати")).startswith("Уже не вийде")
        await service.worker.drain()
        assert len(desk.telegram) == 4, "the same day is told once"
    assert len(await told(desk, "audit")) == 1


async def test_a_digest_of_nothing_or_nowhere_or_by_nobody_is_refused(desk: Outlet) -> None:
    async with working(desk) as service:
        chat = Chat(desk, service)
        (line,) = await chat.say("/digest telegram-main")
        assert line.text == texts.DIGEST_TOO_FEW.format(channel="telegram-main")
        (line,) = await chat.say("/digest <b>немає</b>")
        assert line.text.startswith("Каналу «<b>немає</b>» немає. Є такі: ")
        (card,) = await chat.say("/digest")
        assert {"telegram-main", "facebook-main", "asks"} <= set(buttons(card))
        await publish(service, a_story(), a_story())
        (line,) = await Chat(desk, service, ELSEWHERE).say("/digest telegram-main")
        assert line.text == "Каналу «telegram-main» немає. Є такі: facebook-main."
        (line,) = await Chat(desk, service, VIEWER).say("/digest telegram-main")
        assert line.text == NOT_FOR_ROLE
        await chat.press("telegram-main")
        await chat.say("через 30 хв")
        await chat.press("✅ Запланувати")
        assert chat.last.text.startswith("✅ Добірка: telegram-main — ")
        (waiting,) = await queue(service)
        assert (waiting["kind"], waiting["state"]) == ("digest", "planned")
