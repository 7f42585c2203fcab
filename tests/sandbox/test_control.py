"""The control API: another process builds a world, scripts trouble and counts what became public."""

from __future__ import annotations

import json
import time
from typing import Any

import aiohttp
import pytest

from bot.sandbox import ReadBack, Sandbox, SitePage
from tests.sandbox.conftest import Asker, picture


async def put(ask: Asker, path: str, **given: Any) -> Any:
    async with ask.session.post(f"{ask.url}/control/{path}", json=given) as answer:
        body = await answer.json()
        assert answer.status == 200, body
        return body["result"]


async def get(ask: Asker, path: str) -> Any:
    async with ask.session.get(f"{ask.url}/control/{path}") as answer:
        assert answer.status == 200
        return await answer.json()


async def test_a_world_is_built_broken_and_counted_from_outside(ask: Asker) -> None:
    await put(ask, "reset")
    await put(ask, "telegram/bots", token="7:x", username="hoved_bot")
    await put(ask, "telegram/channels", username="pershyi", id=-1007, title="Перший", bots=[7])
    await put(ask, "facebook/pages", id="77", name="Перший", token="EAA7")
    await put(ask, "mishaps", platform="telegram", method="sendMessage", mishap="error_after_publishing", count=1)
    await put(ask, "mishaps", platform="facebook", method="feed", mishap="throttle", retry_after=5)
    status, _ = await ask.bot("sendMessage", "7:x", chat_id="@pershyi", text="<b>раз</b>", parse_mode="HTML")
    assert status == 500
    status, _ = await ask.graph("POST", "77/feed", token="EAA7", message="раз")
    assert status == 403
    (post,) = await get(ask, "posts?platform=telegram&channel=-1007")
    assert (post["text"], post["html"], post["deleted_at"]) == ("раз", "<b>раз</b>", None)
    assert await get(ask, "history?platform=facebook&channel=77") == []
    (call,) = await get(ask, "calls?platform=telegram")
    assert (call["method"], call["outcome"], call["public"]) == ("sendMessage", "error_after_publishing: ok", True)
    assert (await get(ask, "state"))["telegram"]["bots"] == [7]


async def test_people_act_from_outside(ask: Asker, sandbox: Sandbox) -> None:
    await put(ask, "telegram/users", id=1001, name="Олена")
    await put(ask, "telegram/say", user=1001, chat=111, text="/start")
    markup = '{"inline_keyboard": [[{"text": "Так", "callback_data": "yes"}]]}'
    _, sent = await ask.bot("sendMessage", chat_id=1001, text="Публікувати?", reply_markup=markup)
    message_id = sent["result"]["message_id"]
    await put(ask, "telegram/press", user=1001, chat=1001, message_id=message_id, button="yes")
    _, updates = await ask.bot("getUpdates")
    assert [sorted(one.keys() - {"update_id"}) for one in updates["result"]] == [["message"], ["callback_query"]]


async def test_rates_rights_and_reading_back_are_set_from_outside(ask: Asker, sandbox: Sandbox) -> None:
    await put(ask, "rates", platform="telegram", chat={"calls": 1, "seconds": 60, "burst": 1})
    assert [(await ask.bot("sendMessage", chat_id=-1001, text="x"))[0] for _ in range(2)] == [200, 429]
    await put(ask, "rates", platform="telegram", off=True)
    await put(ask, "read_back", platform="telegram", lag=5)
    assert sandbox.telegram.lag == 5
    wrong: dict[str, Any] = {
        "lag": 1,
        "omit": 0.5,
        "stale_after": 100,
        "stale_until": 200,
        "broken": True,
        "redirect": True,
        "seed": 3,
    }
    for platform in ("telegram", "facebook"):
        await put(ask, "read_back", platform=platform, **wrong)
    assert sandbox.telegram.read_back == sandbox.facebook.read_back == ReadBack(**wrong)
    await put(ask, "telegram/rights", chat=-1001, bot_id=111, kicked=True)
    assert (await ask.bot("getChat", chat_id=-1001))[0] == 403
    await put(ask, "telegram/revoke", token="111:AAtest")
    assert (await ask.bot("getMe"))[0] == 401


@pytest.mark.parametrize(
    ("path", "given", "status"),
    [
        ("mishaps", {"platform": "telegram", "method": "sendMessage", "mishap": "meteor"}, 400),
        ("mishaps", {"platform": "myspace", "method": "x", "mishap": "hang"}, 400),
        ("read_back", {"platform": "telegram", "lagg": 3}, 400),
        ("telegram/bots", {"name": "x"}, 400),
        ("dreams", {}, 404),
    ],
)
async def test_wrong_use_is_told(ask: Asker, path: str, given: dict[str, Any], status: int) -> None:
    async with ask.session.post(f"{ask.url}/control/{path}", json=given) as answer:
        assert answer.status == status
        assert (await answer.json())["error"]


async def test_test_pages_are_served_as_they_were_put(ask: Asker, sandbox: Sandbox) -> None:
    sandbox.site["/rss"] = SitePage("<rss/>".encode("cp1251"), "application/rss+xml; charset=windows-1251", 201)
    sandbox.site["/a.jpg"] = SitePage(picture(), "image/jpeg")
    async with ask.session.get(f"{ask.url}/site/rss") as answer:
        assert (answer.status, answer.charset, await answer.read()) == (201, "windows-1251", b"<rss/>")
    status, _ = await ask.bot("sendPhoto", chat_id=-1001, photo=f"{ask.url}/site/a.jpg")
    assert status == 200


async def test_an_outage_is_leaving_and_entering_on_the_same_port(ask: Asker, sandbox: Sandbox) -> None:
    await ask.bot("sendMessage", chat_id=-1001, text="раз")
    await sandbox.__aexit__(None, None, None)
    with pytest.raises(aiohttp.ClientConnectionError):
        await ask.bot("sendMessage", chat_id=-1001, text="два")
    await sandbox.__aenter__()
    await ask.bot("sendMessage", chat_id=-1001, text="три")
    assert [post.text for post in sandbox.telegram.posts(-1001)] == ["раз", "три"]


async def test_a_platform_that_is_far_away_answers_late_and_truthfully(ask: Asker, sandbox: Sandbox) -> None:
    await put(ask, "latency", platform="telegram", seconds=0.3)
    await put(ask, "latency", platform="facebook", seconds=0.3)
    for call in (ask.bot("sendMessage", chat_id=-1001, text="x"), ask.graph("GET", "me")):
        asked_at = time.monotonic()
        assert (await call)[0] == 200
        assert time.monotonic() - asked_at >= 0.29
    assert [post.text for post in sandbox.telegram.posts(-1001)] == ["x"]


async def test_how_much_of_a_pages_allowance_is_used_is_set_from_outside(ask: Asker, sandbox: Sandbox) -> None:
    await put(ask, "facebook/usage", call_count=90)
    page, token = next(iter(sandbox.facebook.pages)), next(iter(sandbox.facebook.tokens))
    bearer = {"Authorization": f"Bearer {token}"}
    async with ask.session.get(f"{ask.url}/graph/{page}", headers=bearer) as answer:
        told = json.loads(answer.headers["X-Business-Use-Case-Usage"])
    assert told[page][0]["call_count"] == 90


async def test_trouble_by_chance_takes_mishaps_with_their_numbers(ask: Asker) -> None:
    rates = [{"mishap": "throttle", "retry_after": 7, "chance": 1.0}]
    await put(ask, "trouble", platform="telegram", seed=1, rates=rates, methods=["sendMessage"])
    status, answer = await ask.bot("sendMessage", chat_id=-1001, text="раз")
    assert (status, answer["parameters"]["retry_after"]) == (429, 7)


async def test_the_record_tells_who_called_inside_a_ban(ask: Asker) -> None:
    await put(ask, "mishaps", platform="telegram", method="sendMessage", mishap="throttle", retry_after=5)
    await put(ask, "mishaps", platform="facebook", method="feed", mishap="throttle", retry_after=5, code=4)
    for _ in range(2):
        await ask.bot("sendMessage", chat_id=-1001, text="раз")
        await ask.graph("POST", "2001/feed", message="раз")
    for platform in ("telegram", "facebook"):
        calls = await get(ask, f"calls?platform={platform}")
        assert [call["inside_ban"] for call in calls] == [False, True], platform
        assert calls[0]["banned_for"] == 5, platform


async def test_a_stale_page_may_come_alive_by_itself(ask: Asker, sandbox: Sandbox) -> None:
    now = sandbox.telegram.clock()
    await put(ask, "read_back", platform="telegram", stale_after=now - 5, stale_until=now + 5)
    look = sandbox.telegram.read_back
    assert [look.shows(now, now), look.shows(now - 6, now), look.shows(now, now + 5)] == [False, True, True]


async def test_the_state_counts_what_each_channel_has_shown(ask: Asker) -> None:
    await ask.bot("sendMessage", chat_id=-1001, text="раз")
    state = await get(ask, "state")
    assert 1 in state["telegram"]["posts"].values()
    assert set(state["facebook"]["posts"]) == set(state["facebook"]["pages"])
