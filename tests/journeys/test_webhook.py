"""Updates that Telegram brings: by the right secret, in order, once, at any replica; and the way back to asking."""

from __future__ import annotations

import asyncio
import contextlib
import io
import json
import socket
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from typing import Any

import aiohttp
import pytest
from aiohttp import web

from bot.app import Service
from bot.desk import texts
from bot.desk.arrival import Arrival
from bot.desk.room import Desk
from bot.errors import DatabaseError, SettingsError
from bot.sandbox import mishaps
from bot.store import house
from tests.journeys.desk import (
    CHIEF,
    EDITOR,
    STRANGER,
    greeted,
    inbox,
    pressed,
    settled,
    shown,
    staff,
    until,
    working,
)
from tests.journeys.outlet import BOT_ID, Outlet
from tests.journeys.shell import told
from tests.journeys.test_desk_approval import a_proposal, proposed, shown_in_channel
from tests.journeys.test_desk_updates import OTHER_ID, OTHER_TOKEN, OWN

SECRET = "a-secret_of-the-journeys"
HEADER = "X-Telegram-Bot-Api-Secret-Token"


def free_port() -> int:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return int(taken.getsockname()[1])


def hooked(outlet: Outlet, port: int | None = None) -> Outlet:
    """Have an outlet's updates brought to its own web server, or to another door."""
    own = free_port()
    outlet.variables |= {
        "VISTNYK_WEB__PORT": str(own),
        "VISTNYK_TELEGRAM__WEBHOOK_URL": f"http://127.0.0.1:{port or own}",
        "VISTNYK_TELEGRAM__WEBHOOK_SECRET": SECRET,
    }
    staff(outlet)
    return outlet


@pytest.fixture
def desk(outlet: Outlet) -> Outlet:
    return hooked(outlet)


@pytest.fixture
def either_desk(either_outlet: Outlet) -> Outlet:
    return hooked(either_outlet)


@contextlib.asynccontextmanager
async def served(outlet: Outlet, look: timedelta = timedelta(minutes=1)) -> AsyncIterator[Service]:
    """Open the bot with its web server and its desk; `look` is between looks whether Telegram knows the address."""
    async with outlet.open(serve_web=True) as service:
        given = service.desk.given
        assert given.hook is not None
        service.desk = Desk(replace(given, hook=replace(given.hook, look=look)))
        async with service.desk:
            yield service


def polled(desk: Outlet) -> list[Any]:
    return [call for call in desk.sandbox.telegram.calls if call.method == "getUpdates"]


def hooks(desk: Outlet) -> list[Any]:
    return [call for call in desk.sandbox.telegram.calls if call.method == "setWebhook"]


async def post(desk: Outlet, body: Any, headers: dict[str, str] | None = None, *, bot: int = BOT_ID) -> int:
    url = f"http://127.0.0.1:{desk.variables['VISTNYK_WEB__PORT']}/telegram/webhook/{bot}"
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    async with aiohttp.ClientSession() as client, client.post(url, data=io.BytesIO(raw), headers=headers) as answer:
        return answer.status


def an_update(number: int, words: str, person: int = CHIEF) -> dict[str, Any]:
    who = {"id": person, "is_bot": False, "first_name": "Олена"}
    chat = {"id": person, "type": "private", "first_name": "Олена"}
    entity = {"type": "bot_command", "offset": 0, "length": len(words)}
    message = {"message_id": number, "date": 1_790_000_000, "chat": chat, "from": who, "text": words}
    return {"update_id": number, "message": message | {"entities": [entity]}}


async def test_updates_are_brought_and_handled_and_nobody_polls(either_desk: Outlet) -> None:
    desk = either_desk
    article = a_proposal()
    async with served(desk) as service:
        await greeted(desk)
        card = await proposed(service, desk, article)
        assert await pressed(desk, EDITOR, card, "Опублікувати") == texts.DONE["publish"]
        await service.worker.drain()
        assert len(shown_in_channel(desk)) == 1
        await settled(desk)
        assert polled(desk) == []
        (hook,) = hooks(desk)
        assert hook.params["secret_token"] == SECRET
        assert hook.params["max_connections"] == "1"
        assert set(json.loads(hook.params["allowed_updates"])) == set(service.desk.dispatcher.wanted)
    assert [one["action"] for one in await told(desk, "audit")] == ["publish"]


@pytest.mark.parametrize(
    "headers", [{}, {HEADER: ""}, {HEADER: "wrong"}, {HEADER: SECRET[:-1]}, {HEADER: SECRET.upper()}]
)
async def test_without_the_right_secret_nothing_is_taken(desk: Outlet, headers: dict[str, str]) -> None:
    async with served(desk):
        await greeted(desk)
        assert await post(desk, an_update(900_000_001, "/start"), headers) == 401
        await asyncio.sleep(0.2)
        assert len(shown(desk, CHIEF)) == 1


async def test_a_flood_without_the_secret_is_cut_off_and_holds_up_nothing(desk: Outlet) -> None:
    async with served(desk):
        await greeted(desk)
        answers = [await post(desk, b"x" * 2_000_000) for _ in range(40)]
        assert set(answers) == {401, 429}
        desk.sandbox.telegram.say(CHIEF, BOT_ID, "/start")
        await until(lambda: len(shown(desk, CHIEF)) == 2)


async def test_what_is_no_update_is_refused_and_what_cannot_be_read_is_left_out(desk: Outlet) -> None:
    ours = {HEADER: SECRET}
    async with served(desk):
        await greeted(desk)
        assert await post(desk, b"x" * 1_100_000, ours) == 413
        assert await post(desk, b"{", ours) == 400
        assert await post(desk, b"[" * 100_000, ours) == 400
        assert await post(desk, ["update"], ours) == 400
        assert await post(desk, {"update_id": "1"}, ours) == 400
        assert await post(desk, an_update(1, "/start"), ours, bot=999) == 404
        broken = {"update_id": 900_000_001, "message": {"message_id": "x", "date": "y", "chat": 7}}
        assert await post(desk, broken, ours) == 200
        assert await post(desk, {"update_id": 900_000_002, "a_kind_of_the_future": {"x": 1}}, ours) == 200
        assert len(shown(desk, CHIEF)) == 1


async def test_an_update_that_is_brought_twice_is_handled_once(either_desk: Outlet) -> None:
    desk = either_desk
    ours = {HEADER: SECRET}
    async with served(desk):
        await greeted(desk)
        update = an_update(900_000_001, "/start")
        answers = await asyncio.gather(*(post(desk, update, ours) for _ in range(5)))
        assert answers == [200] * 5
        await until(lambda: len(shown(desk, CHIEF)) == 2)
        await asyncio.sleep(0.3)
        assert len(shown(desk, CHIEF)) == 2


async def test_updates_keep_their_order_also_where_handling_one_takes_long(desk: Outlet) -> None:
    done: list[str] = []

    async def slowly(arrival: Arrival, words: str) -> None:
        await asyncio.sleep(0.3 if words == "1" else 0)
        async with arrival.turn():
            done.append(words)

    async with served(desk) as service:
        await greeted(desk)
        service.desk.dispatcher.commands.serve("today", slowly)
        for number in range(1, 6):
            desk.sandbox.telegram.say(CHIEF, BOT_ID, f"/today {number}")
        await until(lambda: len(done) == 5)
        await settled(desk)
    assert done == ["1", "2", "3", "4", "5"]


async def test_an_update_that_cannot_be_handled_now_comes_again(desk: Outlet) -> None:
    tries: list[int] = []

    async def away_twice(arrival: Arrival, _: str) -> None:
        tries.append(arrival.update.update_id)
        if len(tries) < 3:
            raise DatabaseError("the database is away")
        async with arrival.turn() as (tx, now):
            await house.keep_fact(tx, "done", now)

    async with served(desk) as service:
        await greeted(desk)
        service.desk.dispatcher.commands.serve("today", away_twice)
        desk.sandbox.telegram.say(CHIEF, BOT_ID, "/today")
        desk.sandbox.telegram.say(CHIEF, BOT_ID, "/start")
        await until(lambda: len(shown(desk, CHIEF)) == 2)
    assert len(tries) == 3
    assert len(set(tries)) == 1


async def test_a_press_during_a_restart_is_brought_to_the_next_process(desk: Outlet) -> None:
    async with served(desk) as service:
        await greeted(desk)
        card = await proposed(service, desk, a_proposal())
    desk.sandbox.telegram.press(EDITOR, card, "Опублікувати")
    await asyncio.sleep(0.3)
    assert len(inbox(desk).waiting) == 1
    async with served(desk) as service:
        await until(lambda: not inbox(desk).waiting)
        await service.worker.drain()
        assert len(shown_in_channel(desk)) == 1


async def test_strangers_are_answered_once_and_cost_the_store_nothing(desk: Outlet) -> None:
    async with served(desk) as service:
        await greeted(desk)
        async with service.house.database.read() as tx:
            before = (await tx.exec_driver_sql("SELECT * FROM inboxes")).all()
        for number in range(30):
            desk.sandbox.telegram.say(STRANGER, BOT_ID, f"спам {number}")
        await settled(desk)
        await until(lambda: shown(desk, STRANGER))
        assert len(shown(desk, STRANGER)) == 1
        async with service.house.database.read() as tx:
            assert (await tx.exec_driver_sql("SELECT * FROM inboxes")).all() == before


async def test_the_address_is_told_again_where_another_process_changed_it(desk: Outlet) -> None:
    async with served(desk, look=timedelta(milliseconds=200)):
        await greeted(desk)
        call = {"url": f"{desk.sandbox.url}/bot{desk.variables['VISTNYK_TELEGRAM__TOKEN']}/deleteWebhook"}
        async with aiohttp.ClientSession() as client, client.post(call["url"]) as answer:
            assert answer.status == 200
        await until(lambda: len(hooks(desk)) == 2)
        desk.sandbox.telegram.say(CHIEF, BOT_ID, "/start")
        await until(lambda: len(shown(desk, CHIEF)) == 2)


async def test_telegram_is_told_as_soon_as_it_can_be(desk: Outlet) -> None:
    desk.sandbox.telegram.next("setWebhook", mishaps.error_before_publishing, 2)
    async with served(desk):
        await greeted(desk)
        assert len(hooks(desk)) == 3


async def test_back_to_asking_the_webhook_is_taken_down(desk: Outlet) -> None:
    async with served(desk):
        await greeted(desk)
    for name in ("URL", "SECRET"):
        del desk.variables[f"VISTNYK_TELEGRAM__WEBHOOK_{name}"]
    desk.sandbox.telegram.say(CHIEF, BOT_ID, "/start")
    async with working(desk):
        await until(lambda: len(shown(desk, CHIEF)) == 2)
        assert inbox(desk).webhook == {}
        assert polled(desk)


async def test_without_a_webhook_there_is_no_such_door(outlet: Outlet) -> None:
    outlet.variables["VISTNYK_WEB__PORT"] = str(free_port())
    staff(outlet)
    async with outlet.open(serve_web=True) as service, service.desk:
        assert await post(outlet, an_update(1, "/start"), {HEADER: SECRET}) == 404


async def test_a_channel_with_a_bot_of_its_own_has_its_own_address(desk: Outlet) -> None:
    telegram = desk.sandbox.telegram
    telegram.add_bot(OTHER_TOKEN, username="own_bot", id=OTHER_ID)
    telegram.add_channel("outlet_own", id=-1001000000071, bots={OTHER_ID: None})
    text = desk.toml.read_text("utf-8").replace("[[editors]]", OWN + "[[editors]]", 1)
    desk.toml.write_text(text, "utf-8")
    desk.variables["OWN_TOKEN"] = OTHER_TOKEN
    telegram.users[CHIEF].started.add(OTHER_ID)
    async with served(desk):
        await greeted(desk)
        await until(lambda: len(hooks(desk)) == 2)
        assert {call.params["url"].rpartition("/")[2] for call in hooks(desk)} == {str(BOT_ID), str(OTHER_ID)}
        telegram.say(CHIEF, OTHER_ID, "/start")
        await until(lambda: not inbox(desk, OTHER_ID).waiting)
        await asyncio.sleep(0.2)
        assert len(shown(desk, CHIEF)) == 1, "people are heard by the desk's bot alone"


def test_a_webhook_without_a_fitting_secret_is_a_fault_of_the_settings(desk: Outlet) -> None:
    desk.variables["VISTNYK_TELEGRAM__WEBHOOK_SECRET"] = "з пробілом"
    with pytest.raises(SettingsError, match="letters A-Z") as error:
        desk.configuration()
    assert "пробілом" not in str(error.value)
    del desk.variables["VISTNYK_TELEGRAM__WEBHOOK_SECRET"]
    with pytest.raises(SettingsError, match="webhook_url needs a webhook_secret"):
        desk.configuration()


@pytest.mark.postgres
async def test_two_replicas_that_take_turns_handle_each_update_once_and_in_order(
    outlet: Outlet, postgres_url: str
) -> None:
    outlet.variables["VISTNYK_DATABASE_URL"] = postgres_url
    balancer = free_port()
    hooked(outlet, balancer)
    done: list[str] = []

    async def note(arrival: Arrival, words: str) -> None:
        async with arrival.turn():
            done.append(words)

    ports: list[str] = []
    async with contextlib.AsyncExitStack() as stack:
        for _ in range(2):
            outlet.variables["VISTNYK_WEB__PORT"] = str(free_port())
            service = await stack.enter_async_context(served(outlet))
            service.desk.dispatcher.commands.serve("today", note)
            ports.append(outlet.variables["VISTNYK_WEB__PORT"])
        taken = await stack.enter_async_context(_balancing(balancer, ports))
        await greeted(outlet)
        for number in range(20):
            outlet.sandbox.telegram.say(CHIEF, BOT_ID, f"/today {number}")
        await until(lambda: len(done) >= 20)
        await settled(outlet)
    assert done == [str(number) for number in range(20)]
    assert min(taken.count(port) for port in ports) >= 10


@contextlib.asynccontextmanager
async def _balancing(port: int, ports: list[str]) -> AsyncIterator[list[str]]:
    """Hand requests on to one replica after the other, and every third one to both, as after a time-out."""
    taken: list[str] = []
    async with aiohttp.ClientSession() as client:

        async def hand_on(request: web.Request) -> web.Response:
            body, kept = await request.read(), {HEADER: request.headers[HEADER]}
            chosen = ports if len(taken) % 3 == 0 else [ports[len(taken) % 2]]
            taken.extend(chosen)
            statuses = []
            for one in chosen:
                async with client.post(f"http://127.0.0.1:{one}{request.path}", data=body, headers=kept) as answer:
                    statuses.append(answer.status)
            return web.Response(status=max(statuses))

        application = web.Application()
        application.router.add_post("/{path:.*}", hand_on)
        runner = web.AppRunner(application, access_log=None, shutdown_timeout=0.2)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", port).start()
        try:
            yield taken
        finally:
            await runner.cleanup()
