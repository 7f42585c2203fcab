"""What holds for all conversations: nothing is done twice, a hand is not overrun, and a group is not talked into."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from bot.agenda import refusals
from bot.app import Service
from bot.channels.photo import PhotoDesk
from bot.desk import texts
from bot.domain.delivery import Delivery
from bot.outbox.lane import Lane
from bot.sandbox import mishaps
from bot.sandbox.telegram_world import SandboxPost
from tests.journeys.desk import (
    CHIEF,
    CLOSED,
    EDITOR,
    PATIENCE,
    a_story,
    buttons,
    forged,
    inbox,
    pressed,
    settled,
    shown,
    unproven,
    until,
    working,
)
from tests.journeys.outlet import BOT_ID, Outlet, ledger, publish, queue
from tests.journeys.talking import Chat, a_photo

GROUP = -1001000000050


async def test_a_confirmation_that_was_handled_but_not_confirmed_is_not_repeated(desk: Outlet) -> None:
    telegram = desk.sandbox.telegram
    async with working(desk, replace(PATIENCE, poll=15)) as service:
        chat = Chat(desk, service)
        await chat.say("/post Міст відкрили")
        await chat.press("telegram-main", "Далі →", "Зараз", "Без фото")
        card = chat.last
        telegram.next("getUpdates", mishaps.hang, 50)  # from the next poll on nothing is confirmed
        telegram.press(EDITOR, card, "✅ Опублікувати")  # still reaches the poll that is open
        await until(lambda: card.text.startswith("✅"))
        await service.worker.drain()
    assert len(inbox(desk).waiting) == 1, "as after a crash: handled, never confirmed"
    telegram.script.clear()
    async with working(desk) as service:
        await settled(desk)
        await service.worker.drain()
        assert len(await ledger(service)) == 1
    assert len(desk.telegram) == 1


async def test_words_that_come_again_after_a_crash_neither_skip_nor_repeat_a_step(desk: Outlet) -> None:
    telegram = desk.sandbox.telegram
    async with working(desk, replace(PATIENCE, poll=15)) as service:
        chat = Chat(desk, service)
        await chat.say("/post", photo=a_photo())
        await chat.say("Міст відкрили")
        await chat.press("telegram-main", "Далі →", "Зараз")
        telegram.next("getUpdates", mishaps.hang, 50)
        telegram.say(EDITOR, BOT_ID, "Іван Петренко")
        await until(lambda: "✅ Опублікувати" in buttons(shown(desk, EDITOR)[-1]))
        before = await chat.stands()
    telegram.script.clear()
    async with working(desk) as service:
        chat = Chat(desk, service)
        await chat.rest()
        assert await chat.stands() == before, "the credit was not taken for other words of the post"
        await chat.press("✅ Опублікувати")
        await service.worker.drain()
        assert desk.telegram[0].text.startswith("Міст відкрили\n\nФото: Іван Петренко")


async def test_a_hand_that_comes_between_preparing_and_sending_is_not_overrun(desk: Outlet) -> None:
    article = a_story(title="Міст відкрили")
    async with working(desk) as service:
        chat = Chat(desk, service, CHIEF)
        await chat.say("/start")
        await publish(service, article)
        (post,) = desk.telegram
        _interrupt(service, chat, post)
        await service.house.intake.accept([replace(article, title="Міст відкрили ввечері")], "push")
        await service.worker.drain()
        assert post.text == "Поправлено вручну"
        (line,) = [one for one in await queue(service) if one["channel"] == "telegram-main"]
        assert (line["kind"], line["state"]) == ("edit", "proposed")


def _interrupt(service: Service, chat: Chat, post: SandboxPost) -> None:
    """Have somebody change a post by hand once the next edit of it is prepared."""
    preparer = service.worker._deliverer._preparer
    prepare = preparer.prepare
    done: list[bool] = []

    async def interrupted(delivery: Delivery, lane: Lane, at: Any) -> Any:
        ready = await prepare(delivery, lane, at)
        if lane.channel.name == "telegram-main" and not done:
            done.append(True)
            chat.outlet.sandbox.telegram.edit_by_hand("@outlet_main", post.id, "Поправлено вручну")
            await chat.rest()
        return ready

    preparer.prepare = interrupted  # type: ignore[method-assign]


async def test_in_the_desks_group_only_answers_to_the_bot_are_taken(desk: Outlet) -> None:
    telegram = desk.sandbox.telegram
    telegram.add_group(GROUP, "Редакція", [BOT_ID])
    desk.variables["VISTNYK_DESK__CHAT"] = str(GROUP)
    async with working(desk) as service:
        telegram.say(EDITOR, GROUP, "/post Міст відкрили")
        await settled(desk)
        await until(lambda: "Далі →" in buttons(telegram.posts(GROUP)[-1]))
        card = telegram.posts(GROUP)[-1]
        keyboard = (card.reply_markup or {})["inline_keyboard"]
        version = keyboard[0][0]["callback_data"].split(":")[1]
        assert await forged(desk, CHIEF, card, f"talk:{version}:next") == texts.OLD_BUTTON, "it is another's card"
        await pressed(desk, EDITOR, card, "▫️ telegram-main")
        await until(lambda: "☑️ telegram-main" in buttons(card))
        await pressed(desk, EDITOR, card, "Далі →")
        await until(lambda: "Коли публікуємо?" in card.text)
        assert texts.IN_A_GROUP.strip() in card.text
        telegram.say(EDITOR, GROUP, "о 18:30 обід")
        telegram.say(CHIEF, GROUP, "через 20 хв", reply_to=card.id)
        await settled(desk)
        assert "Коли публікуємо?" in card.text
        assert telegram.posts(GROUP)[-1].author == CHIEF, "the bot has nothing to say to that"
        telegram.say(EDITOR, GROUP, "через 20 хв", reply_to=card.id)
        await settled(desk)
        await until(lambda: "Яке фото?" in telegram.posts(GROUP)[-1].text)
        await pressed(desk, EDITOR, telegram.posts(GROUP)[-1], "Без фото")
        await until(lambda: "✅ Запланувати" in buttons(telegram.posts(GROUP)[-1]))
        await pressed(desk, EDITOR, telegram.posts(GROUP)[-1], "✅ Запланувати")
        (line,) = await queue(service)
        assert line["state"] == "planned"


async def test_a_photo_that_is_kept_no_more_lets_its_post_go_without(desk: Outlet) -> None:
    async with working(desk) as service:
        chat = Chat(desk, service)
        await chat.say(html="Відкрили <b>міст</b>", photo=a_photo())
        await chat.press("telegram-main", "Далі →", "Зараз")
        await chat.say("Іван Петренко")
        await chat.press("✅ Опублікувати")
        async with service.house.database.write() as tx:
            await tx.exec_driver_sql("DELETE FROM pictures")
        service.worker._deliverer._preparer._photos = PhotoDesk(service.house.fetcher)
        await service.worker.drain()
        (post,) = desk.telegram
        assert (post.photo, post.text.partition("\n")[0]) == (None, "Відкрили міст")


async def test_a_post_of_which_nobody_learnt_whether_it_went_out_is_asked_about_again(desk: Outlet) -> None:
    async with working(desk) as service:
        chat = Chat(desk, service, CHIEF)
        await chat.say("/start")
        url = await unproven(service, desk, arrives=False)
        await service.desk.look()
        await chat.press("Скасувати")
        await chat.say(url)
        await chat.press("closed", "Далі →", "Зараз", "Без фото")
        assert texts.UNCERTAIN.format(channel="closed") in chat.last.text
        await chat.press("✅ Опублікувати")
        await service.worker.drain()
        assert len(desk.sandbox.telegram.posts(CLOSED)) == 1


async def test_what_the_site_holds_back_until_later_is_not_let_out_before(desk: Outlet) -> None:
    later = a_story(published_at=datetime.now(UTC) + timedelta(hours=2))
    async with working(desk) as service:
        await publish(service, later)
        chat = Chat(desk, service)
        await chat.say(later.url)
        await chat.press("Далі →", "Зараз", "Без фото")
        assert await chat.press("✅ Опублікувати") == refusals.EMBARGO
        await service.worker.drain()
        assert desk.telegram == []
        await chat.press("Час")
        await chat.say("через 3 год")
        await chat.press("✅ Запланувати")
        assert chat.last.text.startswith("✅")
