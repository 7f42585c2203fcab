"""After an outage: what missed its turn is sent, thinned out or gathered, as each channel asks."""

from __future__ import annotations

import asyncio
import json
from datetime import timedelta
from typing import Any

import pytest

from bot.clock import SystemClock
from bot.domain.article import to_json
from bot.store import house
from tests.factories import an_article
from tests.journeys.outlet import Outlet, ledger, publish, queue

NOW = SystemClock().now()
WINDOW = 'windows = ["00:00-24:00"]'


def catch_up(outlet: Outlet, how: str) -> None:
    outlet.toml.write_text(outlet.toml.read_text("utf-8").replace('catch_up = "all"', f'catch_up = "{how}"'), "utf-8")


def stories(count: int):
    return [
        an_article(title=f"Новина {number}", published_at=NOW - timedelta(hours=3, minutes=-number))
        for number in range(count)
    ]


async def away_since(service, span: timedelta) -> None:
    async with service.house.database.write() as tx:
        await house.keep_fact(tx, "beat", NOW - span)


async def after_an_outage(outlet: Outlet, how: str, count: int) -> list[dict[str, Any]]:
    catch_up(outlet, how)
    async with outlet.open() as service:
        await service.house.intake.accept(stories(count), "push")
        await away_since(service, timedelta(hours=4))
    async with outlet.open() as service:
        await service.worker.drain()
        return await ledger(service)


async def test_by_default_the_newest_five_are_sent_and_the_rest_expires_with_a_reason(outlet: Outlet):
    lines = await after_an_outage(outlet, "latest", 8)
    assert [post.text.splitlines()[0] for post in outlet.telegram] == [f"Новина {number}" for number in range(3, 8)]
    expired = [line for line in lines if line["state"] == "expired" and line["platform"] == "telegram"]
    assert [line["title"] for line in expired] == ["Новина 0", "Новина 1", "Новина 2"]
    assert all("catch_up = latest" in line["error"] for line in expired)


async def test_all_of_a_backlog_can_be_sent(outlet: Outlet):
    await after_an_outage(outlet, "all", 8)
    assert len(outlet.telegram) == 8


async def test_a_backlog_can_become_one_digest(outlet: Outlet):
    lines = await after_an_outage(outlet, "digest", 8)
    (post,) = outlet.telegram
    assert all(f"Новина {number}" in post.text for number in range(8))
    digest = [line for line in lines if line["kind"] == "digest"]
    assert {line["state"] for line in digest} == {"published"}
    assert {line["article_url"] for line in digest} == {None}


async def test_what_waited_only_for_the_gap_is_no_backlog(outlet: Outlet):
    catch_up(outlet, "latest")
    async with outlet.open() as service:
        await service.house.intake.accept(stories(8), "push")
        await away_since(service, timedelta(minutes=10))
    async with outlet.open() as service:
        await service.worker.drain()
    assert len(outlet.telegram) == 8


async def test_a_pushed_article_is_never_backlog_while_the_service_runs(outlet: Outlet):
    catch_up(outlet, "latest")
    async with outlet.open() as service:
        await publish(service, *stories(8))
    assert len(outlet.telegram) == 8


@pytest.mark.parametrize("gap", [timedelta(minutes=20), timedelta(hours=4)])
async def test_a_source_that_was_away_brings_a_backlog(outlet: Outlet, gap):
    folder = outlet.place / "drop"
    folder.mkdir()
    outlet.write(more=f'[[sources]]\nname = "drop"\nkind = "folder"\npath = "{folder}"')
    catch_up(outlet, "latest")
    async with outlet.open() as service:
        ((settings, source),) = service.sources
        await service.look(settings, source)
        async with service.house.database.write() as tx:
            state = await house.source_state(tx, "drop")
            from dataclasses import replace

            await house.keep_source_state(tx, "drop", replace(state, last_success_at=NOW - gap))
        import os

        for number, article in enumerate(stories(8)):
            file = folder / f"{number}.json"
            file.write_text(json.dumps(to_json(article)), "utf-8")
            os.utime(file, (NOW.timestamp() - 60, NOW.timestamp() - 60))
        await service.look(settings, source)
        await service.worker.drain()
        assert await queue(service) == []
    assert len(outlet.telegram) == (8 if gap < timedelta(minutes=30) else 5)


async def test_what_the_first_pass_finds_is_known_and_not_published(outlet: Outlet):
    folder = outlet.place / "drop"
    folder.mkdir()
    for number, article in enumerate(stories(3)):
        (folder / f"{number}.json").write_text(json.dumps(to_json(article)), "utf-8")
    outlet.write(more=f'[[sources]]\nname = "drop"\nkind = "folder"\nfirst_pass = "baseline"\npath = "{folder}"')
    async with outlet.open() as service:
        ((settings, source),) = service.sources
        await asyncio.sleep(0.6)  # a file is left alone until it has rested
        await service.look(settings, source)
        (folder / "new.json").write_text(json.dumps(to_json(an_article(title="Свіжа", published_at=NOW))), "utf-8")
        await asyncio.sleep(0.6)
        await service.look(settings, source)
        await service.worker.drain()
    (post,) = outlet.telegram
    assert post.text.startswith("Свіжа")


async def test_no_more_new_articles_than_asked_are_queued_a_pass_and_none_is_lost(outlet: Outlet):
    folder = outlet.place / "drop"
    folder.mkdir()
    lines = "\n".join(json.dumps(to_json(article)) for article in stories(7))
    (folder / "all.jsonl").write_text(lines, "utf-8")
    outlet.write(more=f'[[sources]]\nname = "drop"\nkind = "folder"\nper_pass = 3\npath = "{folder}"')
    async with outlet.open() as service:
        ((settings, source),) = service.sources
        await asyncio.sleep(0.6)
        counts = []
        for _ in range(3):
            await service.look(settings, source)
            await service.worker.drain()
            counts.append(len(outlet.telegram))
    assert counts == [3, 6, 7]


async def test_of_two_replicas_one_asks_a_source_and_the_other_takes_over_when_it_stops(
    tmp_path, sandbox, postgres_url
):
    outlet = Outlet(tmp_path, sandbox, postgres_url)
    folder = outlet.place / "drop"
    folder.mkdir()
    (folder / "new.json").write_text(json.dumps(to_json(an_article(published_at=NOW))), "utf-8")
    outlet.write(more=f'[[sources]]\nname = "drop"\nkind = "folder"\npath = "{folder}"')
    await asyncio.sleep(0.6)  # a file is left alone until it has rested
    async with outlet.open() as first, outlet.open() as second:
        async with first.house.database.write() as tx:
            now = await first.house.database.now(tx)
            assert await house.take_lease(tx, "source drop", first.holder, now, timedelta(minutes=1))
        await second.look(*second.sources[0])
        assert await queue(second) == []
        await first.give_back()
        await second.look(*second.sources[0])
        assert len(await queue(second)) == 2
