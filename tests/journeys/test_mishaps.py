"""Trouble between us and the platforms: nothing is lost, nothing is published twice."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest

from bot.clock import SystemClock
from bot.sandbox import ReadBack, mishaps
from tests.factories import an_article
from tests.journeys.outlet import BOT_ID, PAGE, PAGE_TOKEN, Outlet, ledger, publish, queue

NOW = SystemClock().now()
QUICK = {
    "VISTNYK_DELIVERY__TIMEOUT": "300ms",
    "VISTNYK_DELIVERY__LEASE": "1s",
    "VISTNYK_DELIVERY__SETTLE": "300ms",
    "VISTNYK_DELIVERY__FACEBOOK_SETTLE": "300ms",
    "VISTNYK_DELIVERY__HOLD_AFTER": "2s",
}
LOST_ANSWERS = [
    mishaps.published_but_silent,
    mishaps.reset_after_publishing,
    mishaps.error_after_publishing,
    mishaps.html_502_after_publishing,
    mishaps.empty_404_after_publishing,
    mishaps.half_an_answer,
]
NEVER_PUBLISHED = [
    mishaps.drop_before,
    mishaps.hang,
    mishaps.html_502,
    mishaps.empty_404,
    mishaps.error_before_publishing,
]


def a_story(**changes):
    return an_article(**({"published_at": NOW - timedelta(minutes=5)} | changes))


async def settle(service, *, seconds: float = 8.0) -> None:
    """Let the bot's bells ring until nothing is in flight or waits."""
    async with asyncio.timeout(seconds):
        while True:
            await service.reconciler.reconcile()
            await service.worker.drain()
            if not [line for line in await queue(service) if line["state"] != "held"]:
                return
            await asyncio.sleep(0.1)


@pytest.mark.parametrize("mishap", LOST_ANSWERS, ids=lambda mishap: mishap.name)
async def test_a_post_whose_answer_was_lost_is_found_again_and_not_posted_twice(outlet: Outlet, mishap):
    outlet.variables |= QUICK
    outlet.sandbox.telegram.next("sendMessage", mishap)
    outlet.sandbox.facebook.next("feed", mishap)
    async with outlet.open() as service:
        await publish(service, a_story(), a_story())
        await settle(service)
        lines = await ledger(service)
    assert len(outlet.sandbox.telegram.history("@outlet_main")) == 2
    assert len(outlet.sandbox.facebook.history(PAGE)) == 2
    assert {line["state"] for line in lines} == {"published"}
    assert {line["remote_id"] for line in lines if line["platform"] == "telegram"} == {
        str(post.id) for post in outlet.telegram
    }


@pytest.mark.parametrize("mishap", NEVER_PUBLISHED, ids=lambda mishap: mishap.name)
async def test_a_post_that_never_arrived_is_proved_absent_and_sent_again(outlet: Outlet, mishap):
    outlet.variables |= QUICK
    async with outlet.open() as service:
        await publish(service, a_story())  # the known neighbour, without which absence proves nothing
        outlet.sandbox.telegram.next("sendMessage", mishap)
        await publish(service, a_story())
        await settle(service)
        lines = await ledger(service)
    assert len(outlet.sandbox.telegram.history("@outlet_main")) == 2
    assert {line["state"] for line in lines} == {"published"}


async def test_without_any_evidence_a_post_is_held_and_the_channel_goes_on(outlet: Outlet):
    outlet.variables |= QUICK
    outlet.sandbox.telegram.next("sendMessage", mishaps.published_but_silent)
    async with outlet.open() as service:
        outlet.sandbox.telegram.read_back = ReadBack(broken=True)
        first, second = a_story(), a_story()
        await publish(service, first)
        await settle(service)
        await publish(service, second)
        held = [line for line in await queue(service) if line["state"] == "held"]
    assert [(line["article_url"], line["held_reason"]) for line in held] == [(first.url, "no-evidence")]
    assert len(outlet.sandbox.telegram.history("@outlet_main")) == 2


async def test_a_throttled_call_waits_as_long_as_it_was_told_and_costs_no_attempt(outlet: Outlet):
    outlet.sandbox.telegram.next("sendMessage", mishaps.throttle(1))
    outlet.variables["VISTNYK_PACE__CHAT"] = "1/s"
    async with outlet.open() as service:
        started = SystemClock().running()
        await publish(service, a_story())
        await settle(service)
        waited = SystemClock().running() - started
        line = next(line for line in await ledger(service) if line["platform"] == "telegram")
    assert (line["state"], line["attempts"]) == ("published", 1)
    assert waited >= 1
    assert outlet.sandbox.telegram.calls_inside_ban == 0


async def test_a_refused_post_fails_with_the_platforms_own_words_and_the_next_one_goes_out(outlet: Outlet):
    outlet.sandbox.telegram.next("sendMessage", mishaps.refuse(400, "Bad Request: message is too long"))
    async with outlet.open() as service:
        await publish(service, a_story(), a_story())
        failed, published = [line for line in await ledger(service) if line["platform"] == "telegram"]
    assert failed["state"] == "failed"
    assert "essage is too long" in failed["error"]
    assert published["state"] == "published"


async def test_when_the_bot_loses_its_right_only_that_channel_stops_and_it_resumes_by_itself(outlet: Outlet):
    async with outlet.open() as service:
        outlet.sandbox.telegram.set_rights("@outlet_main", BOT_ID, can_post=False)
        await publish(service, a_story(), a_story())
        waiting = await queue(service)
        assert [(line["state"], line["held_reason"]) for line in waiting] == [("held", "access"), ("planned", None)]
        assert len(outlet.facebook) == 2
        outlet.sandbox.telegram.set_rights("@outlet_main", BOT_ID)
        await settle(service)
    assert len(outlet.telegram) == 2


async def test_an_expired_page_token_stops_the_page_and_not_telegram(outlet: Outlet):
    outlet.sandbox.facebook.expire(PAGE_TOKEN)
    async with outlet.open() as service:
        await publish(service, a_story())
        held = [line for line in await queue(service) if line["platform"] == "facebook"]
    assert [(line["state"], line["held_reason"]) for line in held] == [("held", "access")]
    assert len(outlet.telegram) == 1


async def test_an_unreachable_platform_is_waited_for(outlet: Outlet):
    async with outlet.open() as service:
        await outlet.sandbox.__aexit__(None, None, None)
        await publish(service, a_story())
        assert {line["state"] for line in await queue(service)} == {"planned"}
        await outlet.sandbox.__aenter__()
        await settle(service, seconds=12)
    assert len(outlet.telegram) == len(outlet.facebook) == 1


async def test_a_dead_page_holds_the_post_until_the_page_answers(outlet: Outlet):
    from bot.sandbox import SitePage

    outlet.write(telegram="")
    outlet.toml.write_text(outlet.toml.read_text("utf-8").replace("check_link = false", "check_link = true"), "utf-8")
    article = a_story(url=f"{outlet.sandbox.url}/site/story")
    async with outlet.open() as service:
        await publish(service, article)
        assert {line["held_reason"] for line in await queue(service)} == {"link-dead"}
        outlet.sandbox.site["/story"] = SitePage(b"<p>x</p>")
        await settle(service)
    assert len(outlet.telegram) == len(outlet.facebook) == 1


async def test_a_claim_left_by_a_dead_process_is_taken_up_again(either_outlet: Outlet):
    async with either_outlet.open() as service:
        await service.house.intake.accept([a_story()], "push")
        lane = next(iter(service.lanes.values()))
        claimed = await service.worker._deliverer._claim(lane)
        assert claimed
    either_outlet.variables |= QUICK
    async with either_outlet.open() as service:
        if not service.house.database.is_embedded:
            async with service.house.database.write() as tx:
                from bot.store.tables import deliveries

                await tx.execute(deliveries.update().values(lease_until=NOW))
        await settle(service)
    assert len(either_outlet.telegram) == len(either_outlet.facebook) == 1
