"""A page on which `check --two-step` has proved it publishes in two steps: a lost answer there holds nothing up."""

from __future__ import annotations

import pytest

from bot.clock import SystemClock
from bot.domain.article import Article
from bot.sandbox import ReadBack, mishaps
from tests.factories import an_article
from tests.journeys.outlet import PAGE, Outlet, ledger, publish, queue
from tests.journeys.shell import told, vistnyk


def a_story() -> Article:
    return an_article(published_at=SystemClock().now())


async def test_a_proved_page_publishes_in_two_steps_from_the_next_start_on(outlet: Outlet) -> None:
    await outlet.migrate()
    (line,) = await told(outlet, "check", "--two-step", "facebook-main")
    assert (line["check"], line["ok"]) == ("channel facebook-main: two-step", True)
    assert outlet.facebook == []
    async with outlet.open() as service:
        outlet.sandbox.facebook.next("post", mishaps.reset_after_publishing)
        await publish(service, a_story())
        assert {line["channel"]: line["state"] for line in await ledger(service)} == {
            "telegram-main": "published",
            "facebook-main": "published",
        }
        (post,) = outlet.facebook
    assert len(outlet.sandbox.facebook.history(PAGE)) == 2  # the test post, and this one
    assert [call.method for call in outlet.sandbox.facebook.calls if call.target == post.id] == ["post", "post"]


async def test_a_post_whose_answers_are_all_lost_is_asked_about_by_its_id(outlet: Outlet) -> None:
    await outlet.migrate()
    await told(outlet, "check", "--two-step", "facebook-main")
    async with outlet.open() as service:
        for mishap in (mishaps.error_after_publishing, mishaps.error_after_publishing):
            outlet.sandbox.facebook.next("post", mishap)
        await publish(service, a_story())
        (line,) = [line for line in await queue(service) if line["channel"] == "facebook-main"]
        assert line["state"] == "unknown"
        outlet.sandbox.facebook.read_back = ReadBack(broken=True)
        await service.reconciler.reconcile()
        assert [line["state"] for line in await ledger(service)] == ["published", "published"]
    assert len(outlet.facebook) == 1


async def test_a_page_that_fails_the_proof_goes_on_in_one_step(outlet: Outlet) -> None:
    await outlet.migrate()
    await told(outlet, "check", "--two-step", "facebook-main")
    outlet.sandbox.facebook.next("post", mishaps.refuse(100, "Invalid parameter"))
    said = await vistnyk(outlet, "check", "--two-step", "facebook-main")
    assert (said.code, said.out[:4]) == (1, "FAIL")
    async with outlet.open() as service:
        await publish(service, a_story())
    assert [call.method for call in outlet.sandbox.facebook.calls][-1] in ("photos", "feed")
    assert len(outlet.facebook) == 1


@pytest.mark.parametrize("name", ["telegram-main", "nowhere"])
async def test_only_a_page_can_be_proved(outlet: Outlet, name: str) -> None:
    await outlet.migrate()
    said = await vistnyk(outlet, "check", "--two-step", name)
    assert said.code == 2
    assert "facebook-main" in said.err
