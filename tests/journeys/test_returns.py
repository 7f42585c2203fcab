"""An article that is taken back and returns while its post is on its way stands in each channel once, and stays."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from bot.app import Service
from bot.clock import SystemClock
from bot.domain.article import Article
from bot.sandbox import ReadBack, mishaps
from tests.factories import an_article
from tests.journeys.outlet import Outlet, ledger, publish, queue, until
from tests.journeys.test_mishaps import QUICK, settle

NOW = SystemClock().now()


def a_story() -> Article:
    return an_article(published_at=NOW - timedelta(minutes=5), updated_at=NOW)


async def take_back_and_return(service: Service, article: Article) -> None:
    assert await service.house.intake.retract(article.url, "помилка")
    back = replace(article, retracted=False, updated_at=NOW + timedelta(minutes=1))
    await service.house.intake.accept([back], "push")


async def on_telegram(service: Service) -> list[tuple[Any, ...]]:
    """Return what became of each post of the Telegram channel, in the order in which they were queued."""
    lines = [*await ledger(service), *await queue(service)]
    mine = sorted((line for line in lines if line["platform"] == "telegram"), key=lambda line: line["delivery"])
    return [(line["kind"], line["state"]) for line in mine]


async def test_back_while_its_post_was_being_sent_it_keeps_that_post(outlet: Outlet):
    outlet.sandbox.telegram.next("sendMessage", mishaps.slow_answer(1.5))
    article = a_story()
    async with outlet.open() as service:
        going = asyncio.create_task(publish(service, article))
        await until(lambda: len(outlet.telegram) == 1)
        await take_back_and_return(service, article)
        await going
        await service.worker.drain()
        assert await on_telegram(service) == [("publish", "published"), ("publish", "cancelled")]
    assert len(outlet.sandbox.telegram.history("@outlet_main")) == len(outlet.telegram) == 1


async def test_back_while_its_post_was_looked_for_in_vain_it_gets_no_second_one(outlet: Outlet):
    outlet.variables |= QUICK
    outlet.sandbox.telegram.next("sendMessage", mishaps.published_but_silent)
    article = a_story()
    async with outlet.open() as service:
        outlet.sandbox.telegram.read_back = ReadBack(broken=True)
        await publish(service, article)
        await settle(service)
        assert await on_telegram(service) == [("publish", "held")]
        await take_back_and_return(service, article)
        await service.worker.drain()
        assert await on_telegram(service) == [("publish", "held"), ("publish", "cancelled")]
        outlet.sandbox.telegram.read_back = ReadBack()
        await settle(service)
        assert (await on_telegram(service))[0] == ("publish", "published")
    assert len(outlet.sandbox.telegram.history("@outlet_main")) == len(outlet.telegram) == 1


@pytest.mark.parametrize("held", [False, True], ids=["and went", "and somebody holds that up"])
async def test_back_after_its_post_was_to_be_taken_down(outlet: Outlet, held: bool):
    article = a_story()
    async with outlet.open() as service:
        await publish(service, article)
        assert await service.house.intake.retract(article.url, "помилка")
        if held:
            await hold_withdrawals(service)
        back = replace(article, retracted=False, updated_at=NOW + timedelta(minutes=1))
        await service.house.intake.accept([back], "push")
        await service.worker.drain()
        states = await on_telegram(service)
    if held:  # a second post beside the first one would be one too many
        assert states == [("publish", "published"), ("withdraw", "held"), ("publish", "held")]
    else:
        assert states == [("publish", "published"), ("withdraw", "published"), ("publish", "published")]
    assert len(outlet.telegram) == 1
    assert len(outlet.sandbox.telegram.history("@outlet_main")) == 2 - held


async def hold_withdrawals(service: Service) -> None:
    from bot.agenda import steering
    from bot.domain.delivery import Kind
    from bot.store import channels, deliveries
    from bot.store.tables import deliveries as rows

    async with channels.turn(service.house.database, service.lanes) as (tx, now):
        for waits in await deliveries.find(tx, rows.c.kind == Kind.WITHDRAW):
            await steering.hold(tx, waits.id, who="Олена (1001)", now=now)
