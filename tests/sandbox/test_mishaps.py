"""What a client sees of each mishap, and what became public behind its back."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable

import aiohttp
import pytest
from telegram import Bot
from telegram.error import NetworkError, RetryAfter

from bot.sandbox import Sandbox, mishaps
from bot.sandbox.mishaps import Mishap
from tests.sandbox.conftest import CHANNEL, CHANNEL_ID, PAGE, PAGE_TOKEN, TOKEN, Asker, picture

BEFORE = [
    mishaps.drop_before,
    mishaps.hang,
    mishaps.html_502,
    mishaps.empty_404,
    mishaps.error_before_publishing,
    mishaps.throttle(2),
    mishaps.refuse(400, "message is too long"),
]
AFTER = [
    mishaps.published_but_silent,
    mishaps.reset_after_publishing,
    mishaps.error_after_publishing,
    mishaps.html_502_after_publishing,
    mishaps.empty_404_after_publishing,
    mishaps.half_an_answer,
]


async def plain(ask: Asker) -> str:
    """Post once to each platform's way of asking and say what was seen: a status and the body, or the fault."""
    try:
        async with ask.session.post(
            f"{ask.url}/bot{TOKEN}/sendMessage",
            data={"chat_id": CHANNEL, "text": "Міст відкрили"},
            timeout=aiohttp.ClientTimeout(total=0.4),
        ) as answer:
            return f"{answer.status} {await answer.text()}"
    except (aiohttp.ClientError, TimeoutError) as error:
        return type(error).__name__


async def on_page(ask: Asker) -> str:
    try:
        async with ask.session.post(
            f"{ask.url}/graph/v26.0/{PAGE}/feed",
            data={"message": "Міст відкрили"},
            headers={"Authorization": f"Bearer {PAGE_TOKEN}"},
            timeout=aiohttp.ClientTimeout(total=0.4),
        ) as answer:
            return f"{answer.status} {await answer.text()}"
    except (aiohttp.ClientError, TimeoutError) as error:
        return type(error).__name__


SEEN = {
    "drop_before": "Server|ClientOSError|ClientConnectionResetError",
    "hang": "TimeoutError",
    "html_502": "502 <html>",
    "empty_404": "404 ",
    "error_before_publishing": "500 {",
    "throttle": "4",
    "refuse": "4",
    "published_but_silent": "TimeoutError",
    "reset_after_publishing": "Server|ClientOSError|ClientConnectionResetError",
    "error_after_publishing": "500 {",
    "html_502_after_publishing": "502 <html>",
    "empty_404_after_publishing": "404 ",
    "half_an_answer": "ClientPayloadError",
}


@pytest.mark.parametrize("mishap", [*BEFORE, *AFTER], ids=lambda mishap: mishap.name)
@pytest.mark.parametrize(("post", "platform"), [(plain, "telegram"), (on_page, "facebook")])
async def test_a_mishap_is_seen_as_it_says_and_publishes_only_if_it_says_so(
    ask: Asker, sandbox: Sandbox, mishap: Mishap, post: Callable[[Asker], Awaitable[str]], platform: str
) -> None:
    if platform == "telegram":
        sandbox.telegram.next("sendMessage", mishap)
    else:
        sandbox.facebook.next("feed", mishap)
    seen = await post(ask)
    assert any(seen.startswith(start) for start in SEEN[mishap.name].split("|")), seen
    telegram, facebook = len(sandbox.telegram.history(CHANNEL)), len(sandbox.facebook.history(PAGE))
    assert telegram + facebook == int(mishap.after)


async def test_a_dropped_upload_is_not_even_read(ask: Asker, sandbox: Sandbox) -> None:
    sandbox.telegram.next("sendPhoto", mishaps.drop_before)
    with pytest.raises(aiohttp.ClientError):
        await ask.bot("sendPhoto", chat_id=CHANNEL, photo=picture(2500, 2500, "BMP"))
    assert sandbox.telegram.calls[-1].outcome == "drop_before: not read"
    assert sandbox.telegram.calls[-1].params == {}


async def test_a_mishap_meets_as_many_calls_as_was_said_and_no_more(ask: Asker, sandbox: Sandbox) -> None:
    sandbox.telegram.next("sendMessage", mishaps.html_502, count=2)
    seen = [(await plain(ask))[:3] for _ in range(3)]
    assert seen == ["502", "502", "200"]


async def test_a_mishap_may_wait_for_one_chat(ask: Asker, sandbox: Sandbox) -> None:
    sandbox.telegram.add_channel("sport", -1009, "Спорт", [111])
    sandbox.telegram.next("sendMessage", mishaps.empty_404, chat="@sport")
    assert (await ask.bot("sendMessage", chat_id=CHANNEL, text="x"))[0] == 200
    async with ask.session.post(f"{ask.url}/bot{TOKEN}/sendMessage", data={"chat_id": -1009, "text": "x"}) as answer:
        assert (answer.status, await answer.read()) == (404, b"")


async def test_a_slow_answer_is_true_and_late(ask: Asker, sandbox: Sandbox) -> None:
    sandbox.telegram.next("sendMessage", mishaps.slow_answer(0.2))
    began = asyncio.get_running_loop().time()
    assert (await plain(ask)).startswith("200")
    assert asyncio.get_running_loop().time() - began >= 0.2


async def test_throttling_carries_its_wait_in_body_and_header(ask: Asker, sandbox: Sandbox) -> None:
    sandbox.telegram.next("sendMessage", mishaps.throttle(7))
    async with ask.session.post(
        f"{ask.url}/bot{TOKEN}/sendMessage", data={"chat_id": CHANNEL_ID, "text": "x"}
    ) as answer:
        assert (answer.status, answer.headers["Retry-After"]) == (429, "7")
        assert await answer.json() == {
            "ok": False,
            "error_code": 429,
            "description": "Too Many Requests: retry after 7",
            "parameters": {"retry_after": 7},
        }


async def test_python_telegram_bot_meets_mishaps_as_its_own_errors(bot: Bot, sandbox: Sandbox) -> None:
    sandbox.telegram.next("sendMessage", mishaps.throttle(3))
    with pytest.raises(RetryAfter):
        await bot.send_message(CHANNEL, "x")
    sandbox.telegram.next("sendPhoto", mishaps.error_after_publishing, chat=CHANNEL)
    sandbox.telegram.meter.clear()
    with pytest.raises(NetworkError):
        await bot.send_photo(CHANNEL, picture())
    assert len(sandbox.telegram.posts(CHANNEL)) == 1


async def test_throttling_on_facebook_tells_when_access_comes_back(ask: Asker, sandbox: Sandbox) -> None:
    sandbox.facebook.next("feed", mishaps.throttle(300, 80001))
    async with ask.session.post(
        f"{ask.url}/graph/v26.0/{PAGE}/feed",
        data={"message": "x"},
        headers={"Authorization": f"Bearer {PAGE_TOKEN}"},
    ) as answer:
        assert (await answer.json())["error"]["code"] == 80001
        usage = json.loads(answer.headers["X-Business-Use-Case-Usage"])
    assert usage[PAGE][0]["estimated_time_to_regain_access"] == 5
    assert (await ask.graph("POST", f"{PAGE}/feed", message="x"))[1]["error"]["code"] == 32
    assert sandbox.facebook.calls_inside_ban == 1


async def test_chance_is_the_same_for_the_same_seed(ask: Asker, sandbox: Sandbox) -> None:
    async def run() -> list[str]:
        sandbox.telegram.trouble(7, {"html_502": 0.3, "error_after_publishing": 0.2})
        return [(await plain(ask))[:3] for _ in range(30)]

    first, second = await run(), await run()
    assert first == second
    assert {"200", "502", "500"} == set(first)


def test_mishaps_are_found_by_name_with_their_numbers() -> None:
    assert mishaps.named("throttle", retry_after=3) == mishaps.throttle(3)
    assert mishaps.named("published_but_silent") is mishaps.published_but_silent
    with pytest.raises(ValueError, match="no mishap 'meteor'"):
        mishaps.named("meteor")
    with pytest.raises(ValueError, match="throttle"):
        mishaps.named("throttle")
