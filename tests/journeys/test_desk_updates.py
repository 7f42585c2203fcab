"""Who is heard, once and by one replica; and what strangers, crashes and other pollers change: nothing."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import timedelta
from typing import Any

import aiohttp
import pytest
from telegram import Update

from bot.desk import texts
from bot.desk.arrival import Arrival, HandledError
from bot.desk.updates import Patience
from bot.domain.editor import Role
from bot.errors import DatabaseError
from bot.sandbox import mishaps
from bot.store import editors, house
from tests.journeys.desk import (
    CHIEF,
    CLOSED,
    EDITOR,
    PATIENCE,
    STRANGER,
    a_story,
    cards,
    greeted,
    inbox,
    pressed,
    settled,
    shown,
    staff,
    unproven,
    until,
    working,
)
from tests.journeys.outlet import BOT_ID, BOT_TOKEN, Outlet, publish
from tests.journeys.shell import told

OTHER_TOKEN, OTHER_ID = "100000002:AAE-sandbox-token-for-the-journeys-02", 100000002
GROUP = -1001000000050


@pytest.fixture
def desk(outlet: Outlet) -> Outlet:
    staff(outlet, started=False)
    return outlet


def conflicts(desk: Outlet) -> int:
    return sum(call.method == "getUpdates" and "409" in call.outcome for call in desk.sandbox.telegram.calls)


def sent(desk: Outlet) -> list[Any]:
    return [call for call in desk.sandbox.telegram.calls if call.method == "sendMessage"]


async def test_an_editor_who_starts_the_chat_is_greeted_and_can_be_written_to(desk: Outlet) -> None:
    async with working(desk) as service:
        desk.sandbox.telegram.say(EDITOR, BOT_ID, "/start")
        await until(lambda: len(shown(desk, EDITOR)) == 1)
        assert shown(desk, EDITOR)[0].text == texts.WELCOME.format(name="Петро")
        async with service.house.database.read() as tx:
            assert [one.name for one in await editors.started(tx, Role.VIEWER)] == ["Петро"]
        desk.sandbox.telegram.say(EDITOR, BOT_ID, "/nonsense <b>&")
        await until(lambda: len(shown(desk, EDITOR)) == 2)
        assert shown(desk, EDITOR)[1].text == texts.UNKNOWN_COMMAND


async def test_a_stranger_gets_one_polite_line_and_nothing_else(desk: Outlet) -> None:
    telegram = desk.sandbox.telegram
    async with working(desk) as service:
        for words in ("/start", "Добрий день", "/queue", "/start", "<b>" * 500):
            telegram.say(STRANGER, BOT_ID, words)
        await settled(desk)
        await until(lambda: shown(desk, STRANGER))
        assert [post.html for post in shown(desk, STRANGER)] == [texts.STRANGER.format(number=STRANGER)]
        async with service.house.database.read() as tx:
            assert await editors.started(tx, Role.VIEWER) == []
        assert len(sent(desk)) == 1


async def test_messages_in_channels_groups_and_from_bots_are_ignored(desk: Outlet) -> None:
    telegram = desk.sandbox.telegram
    telegram.add_group(-1001000000060, "Інша група", [BOT_ID])
    telegram.add_group(GROUP, "Редакція", [BOT_ID])
    telegram.add_bot(OTHER_TOKEN, id=OTHER_ID)
    desk.variables["VISTNYK_DESK__CHAT"] = str(GROUP)
    async with working(desk):
        telegram.say(CHIEF, "@outlet_main", "/start")
        telegram.say(CHIEF, -1001000000060, "/start")
        copy = telegram.publish(telegram.must(GROUP), OTHER_ID, _marked("/start"))
        telegram._tell(telegram.must(GROUP), "message", copy)
        telegram.say(CHIEF, GROUP, "/start@another_bot")
        telegram.say(CHIEF, GROUP, "розмова про обід")
        telegram.say(STRANGER, GROUP, "і я тут")
        await settled(desk)
        assert sent(desk) == []
        telegram.say(CHIEF, GROUP, "/start@Outlet_Bot")
        await until(lambda: sent(desk))
        assert [post.text for post in telegram.posts(GROUP)][-1] == texts.WELCOME.format(name="Олена")


def _marked(words: str) -> Any:
    from bot.sandbox.telegram_markup import Marked

    return Marked(words, ())


async def test_a_flood_from_strangers_costs_little_and_delays_no_post(desk: Outlet) -> None:
    telegram = desk.sandbox.telegram
    async with working(desk) as service:
        for number in range(1500):
            telegram.say(2000 + number % 50, BOT_ID, f"спам {number}")
        await publish(service, a_story())
        assert len(desk.telegram) == 1
        assert inbox(desk).waiting, "the flood was still being heard when the post went out"
        await settled(desk)
        replies = [call for call in sent(desk) if call.target != str(desk.telegram[0].chat)]
        assert len(replies) < 20, "strangers are answered now and then, not each time"


async def test_a_press_that_was_handled_but_not_confirmed_is_not_repeated(desk: Outlet) -> None:
    telegram = desk.sandbox.telegram
    telegram.say(CHIEF, BOT_ID, "/start")
    async with working(desk, replace(PATIENCE, poll=15)) as service:
        await greeted(desk)
        await unproven(service, desk, arrives=False)
        await service.desk.look()
        (card,) = cards(desk)
        await settled(desk)
        telegram.next("getUpdates", mishaps.hang, 50)  # from the next poll on nothing is confirmed
        telegram.press(CHIEF, card, "Надіслати ще раз")  # still reaches the poll that is open
        await until(lambda: telegram.answers)
        await service.worker.drain()
    assert len(inbox(desk).waiting) == 1, "as after a crash: handled, never confirmed"
    telegram.script.clear()
    async with working(desk) as service:
        await settled(desk)
        await service.worker.drain()
        assert len(telegram.posts(CLOSED)) == 1
    assert len(telegram.answers) == 1
    assert [one["action"] for one in await told(desk, "audit")] == ["again"]


async def test_an_update_whose_handling_was_cut_off_is_handled_after_the_restart(desk: Outlet) -> None:
    reached = asyncio.Event()

    async def cut_off(arrival: Arrival, _: str) -> None:
        async with arrival.turn() as (tx, now):
            await house.keep_fact(tx, "cut", now)
            reached.set()
            await asyncio.Event().wait()

    async def whole(arrival: Arrival, _: str) -> None:
        async with arrival.turn() as (tx, now):
            done.append(await house.fact(tx, "cut"))
            await house.keep_fact(tx, "cut", now)

    done: list[Any] = []
    async with working(desk) as service:
        service.desk.dispatcher.commands.serve("today", cut_off)
        desk.sandbox.telegram.say(CHIEF, BOT_ID, "/today")
        await asyncio.wait_for(reached.wait(), 10)
    async with working(desk) as service:
        service.desk.dispatcher.commands.serve("today", whole)
        await until(lambda: done)
        await settled(desk)
    assert done == [None], "what was begun before the crash was undone, then done once"


async def test_a_database_that_is_away_for_a_moment_loses_no_update(desk: Outlet) -> None:
    tries: list[int] = []

    async def away_twice(arrival: Arrival, _: str) -> None:
        tries.append(arrival.update.update_id)
        if len(tries) < 3:
            raise DatabaseError("the database is away")
        async with arrival.turn() as (tx, now):
            await house.keep_fact(tx, "done", now)

    async with working(desk) as service:
        service.desk.dispatcher.commands.serve("today", away_twice)
        desk.sandbox.telegram.say(CHIEF, BOT_ID, "/today")
        desk.sandbox.telegram.say(CHIEF, BOT_ID, "/start")
        await greeted(desk)
    assert len(tries) == 3
    assert len(set(tries)) == 1


async def test_a_fault_of_ours_is_said_and_does_not_come_back_for_ever(desk: Outlet) -> None:
    async def faulty(_: Arrival, __: str) -> None:
        raise RuntimeError("a fault")

    async with working(desk) as service:
        service.desk.dispatcher.commands.serve("today", faulty)
        desk.sandbox.telegram.say(CHIEF, BOT_ID, "/today")
        await until(lambda: shown(desk, CHIEF))
        await settled(desk)
        assert [post.text for post in shown(desk, CHIEF)] == [texts.WENT_WRONG]


async def test_another_poller_and_an_old_webhook_are_waited_out(desk: Outlet) -> None:
    telegram = desk.sandbox.telegram
    url = f"{desk.sandbox.url}/bot{BOT_TOKEN}"
    async with aiohttp.ClientSession() as client:
        async with client.post(f"{url}/setWebhook", data={"url": "http://127.0.0.1:9/hook"}) as answer:
            assert answer.status == 200
        async with working(desk):
            telegram.say(CHIEF, BOT_ID, "/start")
            await greeted(desk)  # the webhook was taken down
            await settled(desk)
            before = conflicts(desk)
            async with client.post(f"{url}/getUpdates", data={"timeout": "1"}) as answer:
                assert answer.status in (200, 409)
            telegram.say(CHIEF, BOT_ID, "/start")
            await until(lambda: len(shown(desk, CHIEF)) == 2)
            assert conflicts(desk) > before


async def test_a_channel_with_a_bot_of_its_own_is_heard_through_it_and_people_only_by_the_desk(desk: Outlet) -> None:
    telegram = desk.sandbox.telegram
    telegram.add_bot(OTHER_TOKEN, username="own_bot", id=OTHER_ID)
    group = telegram.add_group(-1001000000070, "Обговорення", [OTHER_ID])
    telegram.add_channel("outlet_own", id=-1001000000071, bots={OTHER_ID: None}, linked_group=group.id)
    text = desk.toml.read_text("utf-8").replace("[[editors]]", OWN + "[[editors]]", 1)
    desk.toml.write_text(text, "utf-8")
    desk.variables["OWN_TOKEN"] = OTHER_TOKEN
    telegram.users[CHIEF].started.add(OTHER_ID)
    async with working(desk) as service:
        telegram.say(CHIEF, OTHER_ID, "/start")
        telegram.say(EDITOR, "@outlet_own", "Рукою: https://news.example/by-hand?utm_source=x")

        async def kept() -> list[Any]:
            async with service.house.database.read() as tx:
                return list((await tx.exec_driver_sql("SELECT link, permalink FROM found ORDER BY link")).all())

        async def is_kept() -> bool:
            return bool(await kept())

        await until(is_kept)
        assert ("https://news.example/by-hand", f"{desk.sandbox.url}/outlet_own/2") in [
            tuple(row) for row in await kept()
        ]
        await until(lambda: not inbox(desk, OTHER_ID).waiting)
        assert sent(desk) == []


OWN = """
[[channels]]
name = "own"
platform = "telegram"
address = "@outlet_own"
token_env = "OWN_TOKEN"
"""


async def test_without_editors_nobody_is_heard(outlet: Outlet) -> None:
    async with outlet.open() as service, service.desk:
        assert service.desk.notices is None
        outlet.sandbox.telegram.say(CHIEF, BOT_ID, "/start")
        await publish(service, a_story())
    assert inbox(outlet).poller == 0


async def test_in_shadow_mode_the_older_tool_keeps_its_updates(desk: Outlet) -> None:
    desk.variables["VISTNYK_MODE"] = "shadow"
    async with desk.open() as service, service.desk:
        assert service.desk.notices is None
        desk.sandbox.telegram.say(CHIEF, BOT_ID, "/start")
        await publish(service, a_story())
    assert inbox(desk).poller == 0


async def test_without_a_telegram_token_the_desk_is_quiet(outlet: Outlet) -> None:
    outlet.toml.write_text('[[sources]]\nname = "push"\nkind = "push"\n' + FACEBOOK_ONLY, "utf-8")
    del outlet.variables["VISTNYK_TELEGRAM__TOKEN"]
    async with outlet.open() as service, service.desk:
        assert service.desk.notices is None
        await service.desk.look()


FACEBOOK_ONLY = """
[[channels]]
name = "facebook-main"
platform = "facebook"
address = "200000000000001"
token_env = "PAGE_TOKEN"
[[editors]]
telegram_id = 1001
name = "Олена"
role = "chief"
"""


@pytest.mark.postgres
async def test_each_bot_is_polled_by_one_replica_and_taken_over_when_that_one_is_gone(
    outlet: Outlet, postgres_url: str
) -> None:
    outlet.variables["VISTNYK_DATABASE_URL"] = postgres_url
    staff(outlet, started=False)
    telegram = outlet.sandbox.telegram
    patience = Patience(poll=1.0, term=timedelta(seconds=3), retry=0.1, conflict=0.2)
    async with working(outlet, patience) as second:
        async with working(outlet, patience) as third, working(outlet, patience):
            for _ in range(3):
                telegram.say(CHIEF, BOT_ID, "/start")
                await asyncio.sleep(1.2)  # past a poll, so that whoever polls does so several times
            await until(lambda: len(shown(outlet, CHIEF)) == 3)
            assert conflicts(outlet) == 0
            assert second is not third
        telegram.say(CHIEF, BOT_ID, "/start")
        await until(lambda: len(shown(outlet, CHIEF)) == 4)
    assert [post.text for post in shown(outlet, CHIEF)] == [texts.WELCOME.format(name="Олена")] * 4


@pytest.mark.postgres
async def test_two_that_both_believe_they_have_the_duty_handle_each_update_once(
    outlet: Outlet, postgres_url: str
) -> None:
    """A replica that froze may hold updates that another one has handled since."""
    outlet.variables["VISTNYK_DATABASE_URL"] = postgres_url
    staff(outlet)
    async with working(outlet) as one:
        await greeted(outlet)
        await unproven(one, outlet, arrives=False)
        await one.desk.look()
        (card,) = cards(outlet)
        button = next(row[0] for row in (card.reply_markup or {})["inline_keyboard"])
        assert await pressed(outlet, CHIEF, card, button["text"]) == texts.DONE["present"]
        await settled(outlet)
        async with one.house.database.read() as tx:
            handled = (await tx.exec_driver_sql("SELECT next_update FROM inboxes")).scalar_one() - 1
        late = Update.de_json({"update_id": handled, "callback_query": _a_press(button["callback_data"])}, None)
        arrival = Arrival(account=f"telegram:{BOT_ID}", update=late, database=one.house.database)
        with pytest.raises(HandledError):
            async with arrival.turn():
                pytest.fail("it was handled before")
    assert [row["action"] for row in await told(outlet, "audit")] == ["present"]


def _a_press(data: str) -> dict[str, Any]:
    person = {"id": CHIEF, "is_bot": False, "first_name": "Олена"}
    return {"id": "1", "from": person, "chat_instance": "1", "data": data}
