"""Lost access and held posts are told once each, in Telegram and by the alert address, whatever stops in between."""

from __future__ import annotations

import asyncio
import json
import signal
import sqlite3
from collections.abc import AsyncIterator
from contextlib import closing
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import aiohttp
import pytest
from aiohttp import web

from bot.sandbox import mishaps
from tests.journeys.desk import (
    CHIEF,
    CLOSED,
    EDITOR,
    a_story,
    cards,
    greeted,
    open_notices,
    settled,
    shown,
    staff,
    unproven,
    until,
    working,
)
from tests.journeys.outlet import BOT_ID, Outlet, publish, queue
from tests.journeys.shell import vistnyk
from tests.journeys.test_running import running

SECRET = "a-secret-in-the-address"
GROUP = -1001000000050


@dataclass
class Siren:
    """A service of the operator's that takes alerts; `statuses` are its next answers, then 200."""

    url: str = ""
    taken: list[dict[str, Any]] = field(default_factory=list)
    tries: int = 0
    statuses: list[int] = field(default_factory=list)

    async def hear(self, request: web.Request) -> web.Response:
        self.tries += 1
        status = self.statuses.pop(0) if self.statuses else 200
        if status == 200:
            self.taken.append(await request.json())
        return web.Response(status=status)


@pytest.fixture
async def siren() -> AsyncIterator[Siren]:
    siren = Siren()
    application = web.Application()
    application.router.add_post(f"/{SECRET}", siren.hear)
    runner = web.AppRunner(application, access_log=None, shutdown_timeout=0.2)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    siren.url = f"http://127.0.0.1:{runner.addresses[0][1]}/{SECRET}"
    yield siren
    await runner.cleanup()


@pytest.fixture
def desk(outlet: Outlet, siren: Siren) -> Outlet:
    outlet.variables["VISTNYK_ALERT_URL"] = siren.url
    staff(outlet)
    return outlet


async def test_lost_access_and_a_held_post_are_alerted_with_all_that_is_known(desk: Outlet, siren: Siren) -> None:
    async with working(desk) as service:
        await greeted(desk)
        desk.sandbox.telegram.set_rights("@outlet_main", BOT_ID, can_post=False)
        story = a_story(title="Міст відкрили")
        await publish(service, story)
        url = await unproven(service, desk, arrives=True, title="Парк відкрили")
        await service.desk.look()
        await service.desk.look()
    by_what = {one["what"]: one for one in siren.taken}
    assert len(siren.taken) == len(by_what) == 2
    at = datetime.fromisoformat(by_what["access"].pop("at"))
    assert abs(datetime.now(UTC) - at) < timedelta(minutes=5)
    detail = by_what["access"].pop("detail")
    assert "need administrator rights" in detail
    assert by_what["access"] == {
        "what": "access",
        "channel": "telegram-main",
        "platform": "telegram",
        "article_url": story.url,
        "title": "Міст відкрили",
        "held_reason": "access",
    }
    held = by_what["held"]
    assert (held["channel"], held["article_url"], held["held_reason"]) == ("closed", url, "no-evidence")


async def test_an_alert_is_tried_until_it_is_taken_and_never_twice(desk: Outlet, siren: Siren) -> None:
    siren.statuses = [500, 302]
    async with working(desk) as service:
        await greeted(desk)
        await unproven(service, desk, arrives=True)

        async def is_taken() -> bool:
            await service.desk.look()
            return bool(siren.taken)

        await until(is_taken)
        await service.desk.look()
        assert (len(siren.taken), siren.tries) == (1, 3)
        assert len(cards(desk)) == 1, "Telegram did not wait for it"


async def test_an_alert_comes_even_where_the_trouble_is_over_by_then(desk: Outlet, siren: Siren) -> None:
    siren.statuses = [503]
    telegram = desk.sandbox.telegram
    async with working(desk) as service:
        await greeted(desk)
        telegram.set_rights("@outlet_main", BOT_ID, can_post=False)
        await publish(service, a_story())
        await service.desk.look()
        assert siren.taken == []
        telegram.set_rights("@outlet_main", BOT_ID)
        await service.reconciler.reconcile()

        async def is_over() -> bool:
            await service.desk.look()
            return not await open_notices(service)

        await until(is_over)
        assert [one["what"] for one in siren.taken] == ["access"]


async def test_alerts_need_neither_editors_nor_a_bot_that_listens(outlet: Outlet, siren: Siren) -> None:
    outlet.variables["VISTNYK_ALERT_URL"] = siren.url
    outlet.sandbox.telegram.set_rights("@outlet_main", BOT_ID, can_post=False)
    async with outlet.open() as service, service.desk:
        await publish(service, a_story())
        await service.desk.look()
        await service.desk.look()
    assert [one["channel"] for one in siren.taken] == ["telegram-main"]
    assert outlet.sandbox._post.inbox(BOT_ID).poller == 0


@pytest.mark.parametrize("database", ["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)])
async def test_each_is_told_once_though_the_service_starts_three_times(
    request: pytest.FixtureRequest, desk: Outlet, siren: Siren, database: str
) -> None:
    desk.variables["VISTNYK_DATABASE_URL"] = request.getfixturevalue(f"{database}_url")
    async with working(desk) as service:
        await greeted(desk)
        desk.sandbox.telegram.set_rights("@outlet_main", BOT_ID, can_post=False)
        await publish(service, a_story())
        await unproven(service, desk, arrives=True)
        await service.desk.look()
        await service.give_back()
    for _ in range(2):
        async with working(desk) as service:
            await service.worker.drain()
            await service.desk.look()
            await service.desk.look()
            assert len(await open_notices(service)) == 2
            await service.give_back()
    assert sorted(one["what"] for one in siren.taken) == ["access", "held"]
    assert len(cards(desk)) == 2


@pytest.mark.postgres
async def test_two_replicas_tell_each_once(outlet: Outlet, siren: Siren, postgres_url: str) -> None:
    outlet.variables |= {"VISTNYK_DATABASE_URL": postgres_url, "VISTNYK_ALERT_URL": siren.url}
    staff(outlet)
    async with working(outlet) as one, working(outlet) as two:
        await greeted(outlet)
        await unproven(one, outlet, arrives=True)
        for _ in range(3):
            await asyncio.gather(one.desk.look(), two.desk.look())
        assert len(cards(outlet)) == len(siren.taken) == 1
        await one.give_back()
        await asyncio.gather(two.desk.look(), one.desk.look())
        assert len(cards(outlet)) == len(siren.taken) == 1


@pytest.mark.timeout(300)  # three starts of a whole process
async def test_a_running_service_tells_by_itself_and_once_though_it_is_killed_twice(desk: Outlet, siren: Siren) -> None:
    telegram = desk.sandbox.telegram
    desk.variables["VISTNYK_LOG__LEVEL"] = "DEBUG"
    telegram.set_rights("@outlet_main", BOT_ID, can_post=False)
    (desk.place / "one.json").write_text(json.dumps({"url": "https://news.example/1", "title": "Міст"}), "utf-8")
    await vistnyk(desk, "ingest", str(desk.place / "one.json"))
    said = ""
    async with running(desk) as service:
        await until(lambda: siren.taken and cards(desk) and _is_written_down(desk))
        said += (await service.stop(signal.SIGKILL))[2]
    async with running(desk) as service:
        telegram.say(EDITOR, BOT_ID, "/start")
        await until(lambda: shown(desk, EDITOR))
        said += (await service.stop(signal.SIGKILL))[2]
    async with running(desk) as service:
        await _bells(service)
        telegram.set_rights("@outlet_main", BOT_ID)
        code, _, last = await service.stop()
        assert code == 0
        said += last
    assert len(siren.taken) == len(cards(desk)) == 1
    assert SECRET not in said


def _is_written_down(desk: Outlet) -> bool:
    """A kill between a message and its row would repeat it, which is what is promised: wait for the row."""
    path = desk.variables["VISTNYK_DATABASE_URL"].partition("///")[2]
    with closing(sqlite3.connect(path)) as database:
        return bool(database.execute("SELECT count(*) FROM notices WHERE told_at > 0 AND alerted_at > 0").fetchone()[0])


async def _bells(service: Any) -> None:
    """Wait until the service has rung its bells a few times."""
    seen: set[str] = set()

    async def rang() -> bool:
        async with aiohttp.ClientSession() as client, client.get(f"{service.root}/metrics") as answer:
            text = await answer.text()
        seen.add(next(line for line in text.splitlines() if line.startswith("vistnyk_heartbeat_timestamp_seconds ")))
        return len(seen) >= 3

    await until(rang, seconds=60)


async def test_the_desks_own_chat_is_told_where_there_is_one(desk: Outlet) -> None:
    telegram = desk.sandbox.telegram
    telegram.add_group(GROUP, "Редакція", [BOT_ID])
    desk.variables["VISTNYK_DESK__CHAT"] = str(GROUP)
    async with working(desk) as service:
        await unproven(service, desk, arrives=True)
        await service.desk.look()
    assert [post.text.split("\n")[0] for post in telegram.posts(GROUP)] == ["❓ Чи вийшов цей допис?"]
    assert cards(desk) == []


async def test_the_desk_is_told_as_soon_as_somebody_can_be_told(outlet: Outlet) -> None:
    staff(outlet, started=False)
    telegram = outlet.sandbox.telegram
    async with working(outlet) as service:
        await unproven(service, outlet, arrives=True)
        await service.desk.look()
        telegram.say(EDITOR, BOT_ID, "/start")
        await settled(outlet)
        await service.desk.look()
        assert cards(outlet) == cards(outlet, EDITOR) == [], "an editor is no chief"
        telegram.say(CHIEF, BOT_ID, "/start")
        await greeted(outlet)
        await service.desk.look()
        assert len(cards(outlet)) == 1


@pytest.mark.parametrize(
    "trouble", [mishaps.throttle(1), mishaps.drop_before, mishaps.html_502], ids=lambda one: one.name
)
async def test_what_could_not_be_said_is_said_later_and_lasting_refusals_are_not_repeated_without_end(
    desk: Outlet, trouble: mishaps.Mishap
) -> None:
    telegram = desk.sandbox.telegram
    async with working(desk) as service:
        await greeted(desk)
        await unproven(service, desk, arrives=True)
        telegram.next("sendMessage", trouble, 2, chat=CHIEF)

        async def is_told() -> bool:
            await service.desk.look()
            return bool(cards(desk))

        await until(is_told)
        await service.desk.look()
        assert len(cards(desk)) == 1
        assert telegram.calls_inside_ban == 0


async def test_a_chief_who_has_blocked_the_bot_is_not_tried_without_end(desk: Outlet) -> None:
    telegram = desk.sandbox.telegram
    async with working(desk) as service:
        await greeted(desk)
        await unproven(service, desk, arrives=True)
        telegram.block(CHIEF, BOT_ID)
        for _ in range(5):
            await service.desk.look()
        tried = [call for call in telegram.calls if call.method == "sendMessage" and call.outcome.startswith("403")]
        assert len(tried) == 1


async def test_at_night_the_desk_is_told_without_a_sound(desk: Outlet) -> None:
    desk.variables["VISTNYK_DESK__QUIET"] = '["00:00-24:00"]'
    async with working(desk) as service:
        await greeted(desk)
        await unproven(service, desk, arrives=True)
        await service.desk.look()
        (card,) = cards(desk)
        assert card.silent


async def test_other_channels_go_on_where_one_has_lost_its_access(desk: Outlet) -> None:
    desk.sandbox.telegram.set_rights("@outlet_main", BOT_ID, can_post=False)
    async with working(desk) as service:
        await publish(service, a_story(rubric="Закрите"), a_story())
        assert len(desk.sandbox.telegram.posts(CLOSED)) == 1
        assert len(desk.facebook) == 2
        waiting = {one["state"] for one in await queue(service) if one["channel"] == "telegram-main"}
        assert waiting == {"held", "planned"}
