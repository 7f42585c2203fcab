"""Stopping and dying in the middle of work, as processes: nothing is lost and nothing doubled."""

from __future__ import annotations

import asyncio
import signal
from collections import Counter
from datetime import timedelta

import pytest

from bot.clock import SystemClock
from bot.domain.article import to_json
from bot.sandbox import mishaps
from tests.factories import an_article
from tests.journeys.outlet import PAGE, Outlet, until

NOW = SystemClock().now()


def stories(count: int):
    return [
        an_article(title=f"Новина {number}", published_at=NOW - timedelta(minutes=10, seconds=-number))
        for number in range(count)
    ]


def hand_over(outlet: Outlet, articles) -> str:
    import json

    lines = outlet.place / "stories.jsonl"
    lines.write_text("\n".join(json.dumps(to_json(article), ensure_ascii=False) for article in articles), "utf-8")
    return str(lines)


def titles(outlet: Outlet) -> tuple[Counter[str], Counter[str]]:
    telegram = outlet.sandbox.telegram.history("@outlet_main")
    facebook = outlet.sandbox.facebook.history(PAGE)
    return (
        Counter(post.text.splitlines()[0] for post in telegram),
        Counter(post.message.splitlines()[0] for post in facebook),
    )


async def ended(process: asyncio.subprocess.Process, seconds: float = 12) -> int:
    await asyncio.wait_for(process.communicate(), seconds)
    assert process.returncode is not None
    return process.returncode


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
async def test_told_to_stop_in_the_middle_of_200_deliveries_it_stops_and_the_next_start_finishes_them(
    outlet: Outlet, number
):
    outlet.sandbox.telegram.next("sendMessage", mishaps.slow(0.02), count=300)
    code, _, err = await outlet.command("ingest", hand_over(outlet, stories(100)))
    assert code == 0, err
    first = await outlet.start("run")
    await until(lambda: len(outlet.telegram) >= 20, seconds=20)
    first.send_signal(number)
    assert await ended(first) == 0
    before = len(outlet.telegram) + len(outlet.facebook)
    assert before < 200
    second = await outlet.start("run")
    await until(lambda: len(outlet.telegram) + len(outlet.facebook) == 200, seconds=40)
    second.send_signal(signal.SIGTERM)
    assert await ended(second) == 0
    wanted = Counter(f"Новина {number}" for number in range(100))
    assert titles(outlet) == (wanted, wanted)
    order = [int(post.text.splitlines()[0].split()[1]) for post in outlet.telegram]
    assert order == sorted(order)


async def test_a_call_in_hand_is_finished_before_the_service_stops(outlet: Outlet):
    outlet.sandbox.telegram.next("sendMessage", mishaps.slow_answer(1.0))
    code, _, err = await outlet.command("ingest", hand_over(outlet, stories(1)))
    assert code == 0, err
    service = await outlet.start("run")
    await until(lambda: len(outlet.telegram) == 1, seconds=15)
    service.send_signal(signal.SIGTERM)
    assert await ended(service) == 0
    line = next(line for line in await outlet.json("ledger") if line["platform"] == "telegram")
    assert line["state"] == "published"
    assert line["remote_id"] == str(outlet.telegram[0].id)


async def test_killed_again_and_again_every_article_is_public_exactly_once(outlet: Outlet):
    outlet.variables |= {
        "VISTNYK_DELIVERY__TIMEOUT": "400ms",
        "VISTNYK_DELIVERY__LEASE": "1500ms",
        "VISTNYK_DELIVERY__SETTLE": "500ms",
        "VISTNYK_DELIVERY__FACEBOOK_SETTLE": "500ms",
    }
    outlet.sandbox.telegram.next("sendMessage", mishaps.slow_answer(0.05), count=500)
    outlet.sandbox.facebook.next("feed", mishaps.slow_answer(0.05), count=500)
    code, _, err = await outlet.command("ingest", hand_over(outlet, stories(40)))
    assert code == 0, err
    for _ in range(4):
        service = await outlet.start("run")
        already = len(outlet.telegram)
        await until(lambda seen=already: len(outlet.telegram) > seen + 2 or len(outlet.telegram) == 40, seconds=30)
        service.kill()
        await service.communicate()
    service = await outlet.start("run")
    await until(lambda: len(outlet.telegram) + len(outlet.facebook) >= 80, seconds=60)
    service.send_signal(signal.SIGTERM)
    assert await ended(service) == 0
    wanted = Counter(f"Новина {number}" for number in range(40))
    assert titles(outlet) == (wanted, wanted)
