"""What a channel shows already is taken over, never sent again: old backups, lost databases, tools that came before."""

from __future__ import annotations

import asyncio
import shutil
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy.engine import make_url

from bot.app import Service
from bot.clock import SystemClock
from bot.domain.article import Article
from bot.sandbox import ReadBack
from bot.sandbox.telegram_markup import Marked
from tests.factories import an_article
from tests.journeys.outlet import BOT_ID, PAGE, PAGE_TOKEN, Outlet, ledger, queue, until
from tests.journeys.shell import told, vistnyk

NOW = SystemClock().now()


@pytest.fixture(autouse=True)
def quick(outlet: Outlet) -> None:
    """A channel that shows unknown posts is compared a second time after the settle time: keep it short."""
    outlet.variables |= {"VISTNYK_DELIVERY__SETTLE": "300ms", "VISTNYK_DELIVERY__FACEBOOK_SETTLE": "300ms"}


def stories(count: int, *, first: int = 0) -> list[Article]:
    return [
        an_article(
            url=f"https://news.example/{first + number}",
            title=f"Новина {first + number}",
            published_at=NOW - timedelta(minutes=30) + timedelta(seconds=first + number),
        )
        for number in range(count)
    ]


def shown(outlet: Outlet) -> list[str]:
    """The first lines of everything that the Telegram channel ever showed, in order."""
    return [post.text.splitlines()[0] for post in outlet.sandbox.telegram.history("@outlet_main")]


def on_the_page(outlet: Outlet) -> list[str]:
    return [post.message.splitlines()[0] for post in outlet.sandbox.facebook.history(PAGE)]


def database_file(outlet: Outlet) -> Path:
    found = make_url(outlet.variables["VISTNYK_DATABASE_URL"]).database
    assert found is not None
    return Path(found)


async def test_after_an_old_backup_was_put_back_nothing_is_published_a_second_time(outlet: Outlet):
    copy = outlet.place / "backup.db"
    async with outlet.open() as service:
        await publish(service, *stories(2))
    said = await vistnyk(outlet, "backup", str(copy))
    assert said.code == 0, said.err
    async with outlet.open() as service:
        await publish(service, *stories(3, first=2))
    for leftover in outlet.place.glob("vistnyk.db*"):
        leftover.unlink()
    shutil.copy(copy, database_file(outlet))
    async with outlet.open() as service:
        await publish(service, *stories(6))  # the feed lists everything again, and one that is new
        lines = await ledger(service)
    assert shown(outlet) == on_the_page(outlet) == [f"Новина {number}" for number in range(6)]
    of_telegram = [line for line in lines if line["platform"] == "telegram"]
    assert [line["state"] for line in of_telegram] == ["published"] * 6
    assert [line["remote_id"] for line in of_telegram] == [str(post.id) for post in outlet.telegram]


async def test_after_the_database_was_lost_the_channels_own_posts_fill_a_new_one(outlet: Outlet):
    async with outlet.open() as service:
        await publish(service, *stories(25))
    database_file(outlet).unlink()
    async with outlet.open() as service:
        await publish(service, *stories(27))
        assert len(await ledger(service)) == 54
    assert shown(outlet) == on_the_page(outlet) == [f"Новина {number}" for number in range(27)]


async def test_what_an_older_tool_has_published_is_adopted_and_its_words_are_left_alone(outlet: Outlet):
    telegram, facebook = outlet.sandbox.telegram, outlet.sandbox.facebook
    link = "https://news.example/0?utm_source=tg"
    by_hand = f"Читайте про міст {link}"
    written = Marked(by_hand, ({"type": "url", "offset": 17, "length": len(link)},))
    telegram.publish(telegram.must("@outlet_main"), BOT_ID, written)
    async with outlet.open() as service:
        await publish(service, *stories(2))
        (adopted, *_) = [line for line in await ledger(service) if line["platform"] == "telegram"]
        corrected = an_article(url="https://news.example/0", title="Новина 0, уточнена", published_at=NOW)
        await publish(service, corrected)
        await service.worker.drain()
    assert adopted["state"] == "published"
    assert adopted["text"] == ""  # nothing was sent
    assert telegram.posts("@outlet_main")[0].text == by_hand
    assert len(telegram.posts("@outlet_main")) == 2
    assert len(facebook.posts(PAGE)) == 2
    why = await told(outlet, "why", "https://news.example/0")
    assert any(line["decision"] == "adopted" and "public already" in line["detail"] for line in why)
    assert any("was there before us" in line["detail"] for line in why)


async def test_the_posts_that_a_lost_database_knew_are_corrected_and_taken_back_like_any(outlet: Outlet):
    async with outlet.open() as service:
        await publish(service, *stories(2))
    database_file(outlet).unlink()
    async with outlet.open() as service:
        await publish(service, *stories(2))
        corrected = an_article(url="https://news.example/0", title="Новина 0, уточнена", published_at=NOW)
        await publish(service, corrected)
        assert await service.house.intake.retract("https://news.example/1", "помилка")
        await service.worker.drain()
    assert [post.text.splitlines()[0] for post in outlet.telegram] == ["Новина 0, уточнена"]
    assert [post.message.splitlines()[0] for post in outlet.facebook] == ["Новина 0, уточнена"]


async def test_what_comes_back_retracted_to_a_new_database_is_taken_down_where_it_still_shows(
    outlet: Outlet,
):
    async with outlet.open() as service:
        await publish(service, *stories(2))
    database_file(outlet).unlink()
    async with outlet.open() as service:
        kept, gone = stories(2)
        await publish(service, kept, replace(gone, retracted=True))
        await service.worker.drain()
    assert [post.text.splitlines()[0] for post in outlet.telegram] == ["Новина 0"]
    assert [post.message.splitlines()[0] for post in outlet.facebook] == ["Новина 0"]
    assert len(shown(outlet)) == 2


async def test_a_correction_that_came_with_a_new_database_reaches_the_post_of_the_old_one(outlet: Outlet):
    async with outlet.open() as service:
        await publish(service, *stories(1))
    database_file(outlet).unlink()
    async with outlet.open() as service:
        (story,) = stories(1)
        await publish(service, replace(story, title="Новина 0, уточнена"))
        await service.worker.drain()
    assert [post.text.splitlines()[0] for post in outlet.telegram] == ["Новина 0, уточнена"]
    assert [post.message.splitlines()[0] for post in outlet.facebook] == ["Новина 0, уточнена"]


async def test_a_retraction_that_comes_before_the_channel_could_be_read_takes_its_post_down(outlet: Outlet):
    async with outlet.open() as service:
        await publish(service, *stories(2))
    database_file(outlet).unlink()
    outlet.sandbox.telegram.read_back = outlet.sandbox.facebook.read_back = ReadBack(redirect=True)
    async with outlet.open() as service:
        kept, gone = stories(2)
        await service.house.intake.accept([kept, replace(gone, retracted=True)], "push")
        outlet.sandbox.telegram.read_back = outlet.sandbox.facebook.read_back = ReadBack()
        await _drained(service, lambda: len(outlet.telegram) == len(outlet.facebook) == 1)
    assert [post.text.splitlines()[0] for post in outlet.telegram] == ["Новина 0"]
    assert len(shown(outlet)) == 2


async def test_the_gap_counts_from_the_newest_post_of_the_channel_also_after_a_loss(outlet: Outlet):
    outlet.write(schedule="")
    outlet.toml.write_text(outlet.toml.read_text("utf-8").replace('min_gap = "0s"', 'min_gap = "1h"'), "utf-8")
    async with outlet.open() as service:
        await publish(service, *stories(1))
    database_file(outlet).unlink()
    async with outlet.open() as service:
        await publish(service, *stories(2))
        await service.worker.drain()
    assert shown(outlet) == on_the_page(outlet) == ["Новина 0"]


async def test_a_page_that_leaves_posts_out_doubles_nothing_after_a_loss(outlet: Outlet):
    async with outlet.open() as service:
        await publish(service, *stories(12))
    database_file(outlet).unlink()
    outlet.sandbox.telegram.read_back = ReadBack(omit=0.05, seed=3)
    outlet.sandbox.facebook.read_back = ReadBack(omit=0.05, seed=3)
    async with outlet.open() as service:
        await service.house.intake.accept(stories(13), "push")
        await _drained(service, lambda: len(shown(outlet)) == len(on_the_page(outlet)) == 13)
    assert shown(outlet) == on_the_page(outlet) == [f"Новина {number}" for number in range(13)]


async def test_a_page_that_is_an_old_copy_when_a_lost_database_starts_doubles_nothing(outlet: Outlet):
    outlet.variables["VISTNYK_DELIVERY__SETTLE"] = "2s"
    async with outlet.open() as service:
        await publish(service, *stories(3))
        frozen_at = SystemClock().now().timestamp()
        await asyncio.sleep(0.1)
        await publish(service, *stories(2, first=3))
    database_file(outlet).unlink()
    thaws_at = SystemClock().now().timestamp() + 1.5
    outlet.sandbox.telegram.read_back = ReadBack(stale_after=frozen_at, stale_until=thaws_at)
    async with outlet.open() as service:
        await service.house.intake.accept(stories(6), "push")
        await _drained(service, lambda: len(shown(outlet)) == len(on_the_page(outlet)) == 6)
    assert shown(outlet) == on_the_page(outlet) == [f"Новина {number}" for number in range(6)]


async def test_a_proposal_that_is_public_already_is_adopted_too(outlet: Outlet):
    async with outlet.open() as service:
        await publish(service, *stories(1))
    database_file(outlet).unlink()
    outlet.write(telegram='approval = "editor"')
    async with outlet.open() as service:
        await publish(service, *stories(2))
        waiting = [line for line in await queue(service) if line["platform"] == "telegram"]
    assert [(line["title"], line["state"]) for line in waiting] == [("Новина 1", "proposed")]


@pytest.mark.parametrize("trouble", [ReadBack(broken=True), ReadBack(redirect=True)], ids=["broken", "redirect"])
async def test_a_channel_that_cannot_be_read_at_the_start_is_waited_for(outlet: Outlet, trouble: ReadBack):
    async with outlet.open() as service:
        await publish(service, *stories(1))
    database_file(outlet).unlink()
    outlet.sandbox.telegram.read_back = trouble
    async with outlet.open() as service:
        await publish(service, *stories(2))
        assert len(shown(outlet)) == 1
        assert len(on_the_page(outlet)) == 2
        outlet.sandbox.telegram.read_back = ReadBack()
        await _drained(service, lambda: len(shown(outlet)) == 2)
    assert shown(outlet) == ["Новина 0", "Новина 1"]


async def test_a_channel_that_stays_unreadable_asks_a_person_and_goes_on_by_itself_once_it_can_be_read(outlet: Outlet):
    outlet.variables["VISTNYK_DELIVERY__HOLD_AFTER"] = "500ms"
    outlet.sandbox.telegram.read_back = ReadBack(broken=True)
    async with outlet.open() as service:
        await publish(service, *stories(1))

        async def held() -> bool:
            await service.worker.drain()
            lines = await queue(service)
            return [(line["state"], line["held_reason"]) for line in lines] == [("held", "no-evidence")]

        await until(held)
        outlet.sandbox.telegram.read_back = ReadBack()
        await _drained(service, lambda: len(shown(outlet)) == 1)
    assert shown(outlet) == ["Новина 0"]


async def test_a_page_whose_token_is_gone_at_the_start_stops_alone_and_resumes(outlet: Outlet):
    outlet.sandbox.facebook.expire(PAGE_TOKEN)
    async with outlet.open() as service:
        await publish(service, *stories(1))
        assert [(line["state"], line["held_reason"]) for line in await queue(service)] == [("held", "access")]
        outlet.sandbox.facebook.tokens[PAGE_TOKEN].ended = 0
        service.reconciler._retry = timedelta(0)
        await _drained(service, lambda: len(on_the_page(outlet)) == 1)
    assert len(shown(outlet)) == 1


async def publish(service: Service, *articles: Article) -> None:
    """Take articles in and send what is due, once the channels are compared."""
    await service.house.intake.accept(articles, "push")
    await asyncio.sleep(0.4)
    await service.reconciler.prove()
    await service.worker.drain()


async def _drained(service: Service, condition) -> None:
    """Let the bells ring until a condition holds."""
    async with asyncio.timeout(20):
        while not condition():
            await service.reconciler.reconcile()
            await service.reconciler.prove()
            await service.worker.drain()
            await asyncio.sleep(0.05)
