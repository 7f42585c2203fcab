"""A thousand articles at once to four channels: each exactly once, in order, and the ledger tells the same."""

from __future__ import annotations

import asyncio
from collections import Counter
from datetime import timedelta

import aiohttp
import pytest

from bot.clock import SystemClock
from bot.domain.article import to_json
from tests.factories import an_article
from tests.journeys.outlet import BOT_ID, PUSH_TOKEN, Outlet, ledger, queue

NOW = SystemClock().now()
COUNT = 1000
SECOND_PAGE = "200000000000002"
FOUR = f"""
[[channels]]
name = "telegram-second"
platform = "telegram"
address = "@outlet_second"
check_link = false
silent = []
[channels.schedule]
windows = []
blackouts = []
min_gap = "0s"
catch_up = "all"

[[channels]]
name = "facebook-second"
platform = "facebook"
address = "{SECOND_PAGE}"
token_env = "SECOND_TOKEN"
check_link = false
silent = []
[channels.schedule]
windows = []
blackouts = []
min_gap = "0s"
catch_up = "all"
"""


def with_four_channels(outlet: Outlet) -> None:
    sandbox = outlet.sandbox
    sandbox.telegram.add_channel("outlet_second", id=-1001000000002, title="Друге", bots={BOT_ID: None})
    sandbox.facebook.add_page(SECOND_PAGE, name="Друге", token="second-page-token")
    sandbox.facebook.rate = None
    outlet.variables["SECOND_TOKEN"] = "second-page-token"
    outlet.write(more=FOUR)


@pytest.mark.timeout(300)
async def test_a_thousand_pushed_articles_reach_four_channels_exactly_once_and_in_order(outlet: Outlet):
    with_four_channels(outlet)
    told = [
        to_json(an_article(title=f"Новина {number}", published_at=NOW - timedelta(hours=1, seconds=-number)))
        for number in range(COUNT)
    ]
    async with outlet.open(serve_web=True) as service:
        worker = asyncio.create_task(service.worker.run())
        assert service.server is not None
        address = f"http://127.0.0.1:{service.server.port}/api/articles"
        async with aiohttp.ClientSession(headers={"Authorization": f"Bearer {PUSH_TOKEN}"}) as session:
            answer = await session.post(address, json=told)
            assert answer.status == 202
            assert Counter(one["status"] for one in await answer.json()) == {"stored": COUNT}

        async with asyncio.timeout(240):
            while await queue(service):  # noqa: ASYNC110 - there is no event to wait for
                await asyncio.sleep(2)
        await service.worker.stop()
        await worker
        lines = await ledger(service)
    sandbox = outlet.sandbox
    public = {
        "telegram-main": [(str(post.id), post.text) for post in sandbox.telegram.history("@outlet_main")],
        "telegram-second": [(str(post.id), post.text) for post in sandbox.telegram.history("@outlet_second")],
        "facebook-main": [(post.id, post.message) for post in sandbox.facebook.history("200000000000001")],
        "facebook-second": [(post.id, post.message) for post in sandbox.facebook.history(SECOND_PAGE)],
    }
    for channel, posts in public.items():
        numbers = [int(text.splitlines()[0].split()[1]) for _, text in posts]
        assert numbers == list(range(COUNT)), channel
        mine = [line for line in lines if line["channel"] == channel]
        assert [line["remote_id"] for line in mine] == [remote_id for remote_id, _ in posts]
        assert [line["title"] for line in mine] == [text.splitlines()[0] for _, text in posts]
        assert {line["state"] for line in mine} == {"published"}
