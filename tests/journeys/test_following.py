"""What is public follows its article: corrections, retractions, returns."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from bot.clock import SystemClock
from bot.sandbox import mishaps
from tests.factories import an_article
from tests.journeys.outlet import Outlet, ledger, publish

NOW = SystemClock().now()


def a_story(**changes):
    return an_article(**({"published_at": NOW - timedelta(minutes=5), "updated_at": NOW} | changes))


def corrected(article, **changes):
    return replace(article, updated_at=NOW + timedelta(minutes=1), **changes)


async def retract(service, article, reason="помилка"):
    assert await service.house.intake.retract(article.url, reason)
    await service.worker.drain()


async def test_a_corrected_article_edits_its_posts(either_outlet: Outlet):
    article = a_story(title="Міст відкрили")
    async with either_outlet.open() as service:
        await publish(service, article)
        await publish(service, corrected(article, title="Міст відкрили частково"))
        lines = await ledger(service)
    (telegram,), (facebook,) = either_outlet.telegram, either_outlet.facebook
    assert telegram.text.startswith("Міст відкрили частково")
    assert telegram.edited is not None
    assert facebook.message.startswith("Міст відкрили частково")
    assert [line["kind"] for line in lines].count("edit") == 2
    assert {line["state"] for line in lines} == {"published"}


async def test_an_older_version_changes_nothing(outlet: Outlet):
    article = a_story()
    async with outlet.open() as service:
        await publish(service, article)
        await publish(service, replace(article, title="Стара назва", updated_at=NOW - timedelta(days=1)))
    assert outlet.telegram[0].text.startswith(article.title)


async def test_a_change_that_readers_would_not_see_makes_no_call(outlet: Outlet):
    article = a_story()
    async with outlet.open() as service:
        await publish(service, article)
        await publish(service, corrected(article, body=article.body + " Подробиці згодом."))
    (post,) = outlet.telegram
    assert post.edited is None


async def test_an_article_corrected_before_its_turn_goes_out_once_in_its_newest_form(outlet: Outlet):
    article = a_story()
    async with outlet.open() as service:
        await service.house.intake.accept([article], "push")
        await publish(service, corrected(article, title="Нова назва"))
    (post,) = outlet.telegram
    assert post.text.startswith("Нова назва")
    assert post.edited is None


async def test_corrections_can_be_switched_off(outlet: Outlet):
    outlet.write(telegram='corrections = "off"')
    article = a_story()
    async with outlet.open() as service:
        await publish(service, article)
        await publish(service, corrected(article, title="Інша назва"))
    assert outlet.telegram[0].text.startswith(article.title)
    assert outlet.facebook[0].message.startswith("Інша назва")


async def test_a_correction_can_be_told_in_a_post_of_its_own(outlet: Outlet):
    outlet.write(telegram='corrections = "notice"')
    article = a_story()
    async with outlet.open() as service:
        await publish(service, article)
        await publish(service, corrected(article, title="Інша назва"))
        await publish(service, replace(article, title="Третя назва", updated_at=NOW + timedelta(minutes=2)))
    first, *notices = outlet.telegram
    assert first.text.startswith(article.title)
    assert ["Інша назва" in notices[0].text, "Третя назва" in notices[1].text] == [True, True]


async def test_a_retracted_article_is_taken_down_everywhere(either_outlet: Outlet):
    article = a_story()
    async with either_outlet.open() as service:
        await publish(service, article)
        await retract(service, article)
        lines = await ledger(service)
    assert either_outlet.telegram == either_outlet.facebook == []
    published = [line for line in lines if line["kind"] == "publish"]
    assert all(line["withdrawn_at"] is not None for line in published)


async def test_a_retracted_article_that_waits_never_goes_out(outlet: Outlet):
    article = a_story()
    async with outlet.open() as service:
        await service.house.intake.accept([article], "push")
        await retract(service, article)
        assert {line["state"] for line in await ledger(service)} == {"cancelled"}
    assert outlet.telegram == outlet.facebook == []


async def test_where_a_post_can_no_longer_be_taken_down_it_is_overwritten_with_a_notice(outlet: Outlet):
    article = a_story()
    async with outlet.open() as service:
        await publish(service, article)
        outlet.sandbox.telegram.next("deleteMessage", mishaps.refuse(400, "Bad Request: message can't be deleted"))
        await retract(service, article)
    (post,) = outlet.telegram
    assert "Підписуйтесь" not in post.text
    assert article.lead.split(".")[0] not in post.text
    assert outlet.facebook == []


async def test_a_retraction_can_be_a_notice_from_the_start(outlet: Outlet):
    outlet.write(telegram='retractions = "notice"')
    article = a_story()
    async with outlet.open() as service:
        await publish(service, article)
        await retract(service, article)
    (post,) = outlet.telegram
    assert article.lead.split(".")[0] not in post.text
    assert not any(call.method == "deleteMessage" for call in outlet.sandbox.telegram.calls)


async def test_an_article_that_is_brought_back_is_a_new_post(outlet: Outlet):
    article = a_story()
    async with outlet.open() as service:
        await publish(service, article)
        await retract(service, article)
        await publish(service, corrected(article, retracted=False))
        await publish(service, corrected(article, retracted=False))
    assert len(outlet.telegram) == len(outlet.facebook) == 1
    assert len(outlet.sandbox.telegram.history("@outlet_main")) == 2


async def test_a_post_that_somebody_deleted_by_hand_lets_its_edit_end_well(outlet: Outlet):
    article = a_story()
    async with outlet.open() as service:
        await publish(service, article)
        (post,) = outlet.telegram
        post.deleted_at = NOW.timestamp()
        await publish(service, corrected(article, title="Інша назва"))
        edits = [line for line in await ledger(service) if line["kind"] == "edit"]
    assert {line["state"] for line in edits} == {"published"}
    assert outlet.telegram == []


@pytest.mark.parametrize("kind", ["edit", "withdraw"])
async def test_an_unanswered_change_is_repeated_until_it_is_known_to_have_happened(outlet: Outlet, kind):
    article = a_story()
    outlet.variables |= {"VISTNYK_DELIVERY__TIMEOUT": "300ms", "VISTNYK_DELIVERY__LEASE": "1s"}
    async with outlet.open() as service:
        await publish(service, article)
        method = "editMessageText" if kind == "edit" else "deleteMessage"
        outlet.sandbox.telegram.next(method, mishaps.published_but_silent)
        if kind == "edit":
            await publish(service, corrected(article, title="Інша назва"))
        else:
            await retract(service, article)
        import asyncio

        for _ in range(60):
            await asyncio.sleep(0.1)
            await service.worker.drain()
            lines = [line for line in await ledger(service) if line["kind"] == kind]
            if len(lines) == 2:
                break
    assert [line["state"] for line in lines] == ["published", "published"]
    calls = [call for call in outlet.sandbox.telegram.calls if call.method == method]
    assert len(calls) == 2
