"""Corners where an article could be lost, doubled or shown too early."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from bot.clock import SystemClock
from bot.domain.article import Priority
from bot.domain.delivery import State
from bot.sandbox import mishaps
from bot.store import channels, deliveries
from bot.store.pruning import prune
from bot.store.tables import deliveries as rows
from tests.factories import an_article
from tests.journeys.outlet import BOT_ID, Outlet, ledger, publish, queue
from tests.journeys.test_mishaps import settle

NOW = SystemClock().now()
WORDS = (
    "У громаді відкрили оновлений міст через річку після трьох місяців ремонту, повідомили в міській раді. "
    "Роботи виконали коштом громади, а рух тролейбусів відновили того ж ранку за новим розкладом."
)


def a_story(**changes):
    return an_article(**({"published_at": NOW - timedelta(minutes=5), "updated_at": NOW} | changes))


def corrected(article, minutes: int = 1, **changes):
    return replace(article, updated_at=NOW + timedelta(minutes=minutes), **changes)


async def test_a_second_correction_while_the_first_waits_for_access_does_not_stop_the_channel(outlet: Outlet):
    article = a_story()
    async with outlet.open() as service:
        await publish(service, article)
        outlet.sandbox.telegram.set_rights("@outlet_main", BOT_ID, can_edit=False, can_post=False)
        outlet.sandbox.telegram.next(
            "editMessageText", mishaps.refuse(400, "Bad Request: need administrator rights in the channel chat")
        )
        await publish(service, corrected(article, title="Друга назва"))
        await publish(service, corrected(article, 2, title="Третя назва"))
        outlet.sandbox.telegram.set_rights("@outlet_main", BOT_ID)
        await settle(service)
        await publish(service, a_story())
    first, _ = outlet.telegram
    assert first.text.startswith("Третя назва")


async def test_an_embargo_that_is_moved_holds_what_waits(outlet: Outlet):
    article = a_story(published_at=NOW + timedelta(hours=1))
    async with outlet.open() as service:
        await publish(service, article)
        await publish(service, corrected(article, published_at=NOW + timedelta(hours=5)))
        async with service.house.database.read() as tx:
            waiting = await deliveries.find(tx, rows.c.state == State.PLANNED)
    assert {delivery.turn_at for delivery in waiting} == {NOW + timedelta(hours=5)}


async def test_an_embargo_that_is_lifted_lets_the_post_go(outlet: Outlet):
    article = a_story(published_at=NOW + timedelta(hours=5))
    async with outlet.open() as service:
        await publish(service, article)
        await publish(service, corrected(article, published_at=NOW - timedelta(minutes=1), priority=Priority.BREAKING))
    assert len(outlet.telegram) == 1


async def test_a_story_told_anew_while_it_waits_goes_out_once_even_when_the_first_is_corrected(outlet: Outlet):
    first = a_story(title="Міст відкрили", lead=WORDS, body="")
    again = a_story(title="Оновлений міст запрацював", lead=WORDS, body="")
    async with outlet.open() as service:
        await service.house.intake.accept([first], "push")
        await publish(service, again)
        await publish(service, corrected(first, lead=WORDS + " Про це повідомили зранку."))
    (post,) = outlet.telegram
    assert post.text.startswith("Оновлений міст запрацював")


async def test_an_article_retracted_and_brought_back_at_once_is_public_once(outlet: Outlet):
    article = a_story()
    async with outlet.open() as service:
        await publish(service, article)
        await service.house.intake.retract(article.url, "помилка")
        await publish(service, corrected(article, retracted=False))
    assert len(outlet.telegram) == len(outlet.facebook) == 1


async def test_an_article_whose_address_changed_keeps_its_post(outlet: Outlet):
    outlet.variables["VISTNYK_DELIVERY__GATHER"] = "1s"
    old = a_story(title="Міст відкрили", lead=WORDS, body="")
    new = a_story(title="Міст відкрито", lead=WORDS, body="")
    async with outlet.open() as service:
        await publish(service, old)
        await publish(service, new)
        await service.house.intake.retract(old.url, "адресу змінено")
        await settle(service)
    (post,) = outlet.telegram
    assert new.url in post.html
    assert len(outlet.facebook) == 1


async def test_an_article_first_told_by_a_source_the_channel_does_not_take_arrives_with_the_one_it_takes(
    outlet: Outlet,
):
    outlet.write(telegram='sources = ["ingest"]')
    article = a_story()
    async with outlet.open() as service:
        await publish(service, article)
        assert (len(outlet.telegram), len(outlet.facebook)) == (0, 1)
        await publish(service, article, source="ingest")
        await publish(service, article, source="ingest")
    assert (len(outlet.telegram), len(outlet.facebook)) == (1, 1)


async def test_a_second_outage_keeps_what_the_first_digest_held(outlet: Outlet):
    from tests.journeys.test_catching_up import away_since, catch_up, stories

    catch_up(outlet, "digest")
    async with outlet.open() as service:
        await service.house.intake.accept(stories(3), "push")
        await away_since(service, timedelta(hours=4))
    async with outlet.open() as service:
        async with service.house.database.write() as tx:
            digests = await deliveries.find(tx, rows.c.kind == "digest")
            for digest in digests:
                await deliveries.change(tx, digest.id, turn_at=NOW - timedelta(hours=3))
            await channels.wake(tx, [digest.channel_id for digest in digests], NOW)
        later = [replace(article, title=f"Пізніша {number}") for number, article in enumerate(stories(2))]
        await service.house.intake.accept(later, "push")
        await away_since(service, timedelta(hours=4))
    async with outlet.open() as service:
        await service.worker.drain()
    (post,) = outlet.telegram
    assert all(title in post.text for title in ("Новина 0", "Новина 2", "Пізніша 1"))


async def test_a_photo_refused_again_and_again_ends_instead_of_going_round(outlet: Outlet):
    refused = mishaps.refuse(324, "(#324) Missing or invalid image file")
    outlet.sandbox.facebook.next("feed", refused, count=50)
    async with outlet.open() as service:
        await publish(service, a_story())
        line = next(line for line in await ledger(service) if line["platform"] == "facebook")
        assert await queue(service) == []
    assert (line["state"], line["attempts"]) == ("failed", 3)


async def test_an_article_that_was_pruned_and_is_shown_again_unchanged_stays_unchanged(outlet: Outlet):
    outlet.write(telegram='corrections = "notice"')
    article = a_story(body="<p>" + WORDS + "</p>")
    async with outlet.open() as service:
        await publish(service, article)
        async with service.house.database.write() as tx:
            dropped = await prune(tx, SystemClock().now() + timedelta(days=1))
        assert (dropped["bodies"], dropped["payloads"]) == (1, 1)
        await publish(service, article)
        assert {line["revision"] for line in await ledger(service)} == {1}
        await publish(service, corrected(article, title="Нова назва"))
    assert len(outlet.telegram) == 2
    assert outlet.facebook[0].message.startswith("Нова назва")
