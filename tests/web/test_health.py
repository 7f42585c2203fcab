"""What an orchestrator and a Prometheus are told, and on which door."""

from __future__ import annotations

import os
import re
import socket
from dataclasses import dataclass
from datetime import timedelta
from ipaddress import ip_network
from typing import Any

import aiohttp
import pytest
from aiohttp import web

from bot.clock import SystemClock
from bot.errors import BotError
from bot.metrics import Metrics
from bot.sandbox import mishaps
from bot.store.database import Database
from bot.web.health import Health
from bot.web.problems import CLIENT
from bot.web.server import Server
from tests.factories import an_article
from tests.fakes import FakeClock
from tests.journeys.outlet import PAGE_TOKEN, Outlet, publish
from tests.web.conftest import ARTICLES, Visitor

NOW = SystemClock().now()
SAMPLE = re.compile(r"(\w+)(?:\{(.*)\})? (\S+)")


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


async def metrics(visitor: Visitor) -> dict[str, dict[str, float]]:
    """Return each metric's samples by their labels."""
    answer = await visitor.ask("GET", "/metrics")
    assert answer.status == 200
    assert answer.headers["Content-Type"].startswith("text/plain; version=")
    found: dict[str, dict[str, float]] = {}
    for line in answer.body.decode().splitlines():
        if not line.startswith("#"):
            sample = SAMPLE.fullmatch(line)
            assert sample, line
            found.setdefault(sample[1], {})[sample[2] or ""] = float(sample[3])
    return found


async def test_a_service_at_work_is_healthy_and_ready(visitor: Visitor) -> None:
    healthy, ready = await visitor.ask("GET", "/healthz"), await visitor.ask("GET", "/readyz")
    assert (healthy.status, healthy.json["status"]) == (200, "ok")
    assert (ready.status, ready.json["status"]) == (200, "ready")
    assert (await visitor.ask("HEAD", "/healthz")).status == 200


async def test_a_worker_that_stands_still_is_not_healthy_and_the_reason_is_said(
    client: aiohttp.ClientSession, sqlite_url: str
) -> None:
    clock = FakeClock()
    began = clock.running()
    async with Database(sqlite_url, clock) as database:
        health = Health(database, Metrics(), lambda: clock.running() - began)
        async with Server(host="127.0.0.1", port=0, ops_port=0, public=[], operations=[health]) as server:
            address = f"http://127.0.0.1:{server.port}"
            clock.tick(timedelta(seconds=59))
            assert (await client.get(f"{address}/healthz")).status == 200
            clock.tick(timedelta(seconds=1))
            answer = await client.get(f"{address}/healthz")
            assert answer.status == 503
            assert "for 60 s" in (await answer.json())["reason"]
            unready = await client.get(f"{address}/readyz")
            assert unready.status == 503
            assert "not migrated" in (await unready.json())["reason"]
            await database.upgrade()
            assert (await client.get(f"{address}/readyz")).status == 200
            async with database.write() as tx:
                await tx.exec_driver_sql("UPDATE alembic_version SET version_num = '9999'")
            assert (await client.get(f"{address}/readyz")).status == 200


async def test_every_metric_of_the_contract_is_there_after_a_few_deliveries(outlet: Outlet, client: Any) -> None:
    outlet.write(more=f'[[sources]]\nname = "drop"\nkind = "folder"\npath = "{outlet.place}"\n')
    broken = outlet.place / "broken.json"
    broken.write_text("[1]", "utf-8")
    os.utime(broken, (1e9, 1e9))  # what was written this moment may not be whole yet
    outlet.sandbox.telegram.next("sendMessage", mishaps.throttle(1))
    waiting = an_article(published_at=NOW + timedelta(hours=1))
    async with outlet.open(serve_web=True) as service:
        visitor = Visitor(client, service)
        await publish(service, *(an_article(published_at=NOW) for _ in range(3)), waiting)
        for settings, source in service.sources:
            await service.look(settings, source)
        await service.reconciler.reconcile()
        found = await metrics(visitor)
        outlet.sandbox.facebook.expire(PAGE_TOKEN)
        await publish(service, an_article(published_at=NOW))
        lost = await metrics(visitor)
    facebook = 'channel="facebook-main",kind="publish",outcome="published",platform="facebook"'
    assert found["vistnyk_deliveries_total"][facebook] == 3
    assert found["vistnyk_queue_depth"]['channel="facebook-main",state="planned"'] == 1
    assert found["vistnyk_publish_seconds_count"][""] >= 4
    assert found["vistnyk_article_to_post_seconds_count"][""] >= 3
    assert found["vistnyk_source_last_success_timestamp_seconds"]['source="drop"'] >= NOW.timestamp()
    assert found["vistnyk_source_errors_total"]['source="drop"'] == 1
    assert found["vistnyk_throttled_total"]['platform="telegram"'] == 1
    assert found["vistnyk_channel_access"] == {'channel="telegram-main"': 1, 'channel="facebook-main"': 1}
    assert "vistnyk_heartbeat_timestamp_seconds" in found
    assert lost["vistnyk_channel_access"] == {'channel="telegram-main"': 1, 'channel="facebook-main"': 0}


async def test_health_and_metrics_may_have_a_port_of_their_own(outlet: Outlet, client: aiohttp.ClientSession) -> None:
    outlet.variables["VISTNYK_WEB__OPS_PORT"] = str(port := free_port())
    async with outlet.open(serve_web=True) as service:
        visitor = Visitor(client, service)
        for path in ("/healthz", "/readyz", "/metrics"):
            assert (await visitor.ask("GET", f"http://127.0.0.1:{port}{path}")).status == 200
            (await visitor.ask("GET", path)).refuses(404)
        (await visitor.ask("POST", f"http://127.0.0.1:{port}{ARTICLES}", json={})).refuses(404)
        (await visitor.push({}, token=None)).refuses(401)


async def test_a_port_in_use_is_one_clear_line(outlet: Outlet) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        outlet.variables["VISTNYK_WEB__PORT"] = str(taken.getsockname()[1])
        with pytest.raises(BotError, match=r"127\.0\.0\.1:\d+ cannot be listened on .*VISTNYK_WEB__PORT"):
            async with outlet.open(serve_web=True):
                pass


@dataclass
class Mirror:
    """Shows a visitor who the server takes them for, or falls over."""

    def add_to(self, router: web.UrlDispatcher) -> None:
        router.add_get("/who", self.who)
        router.add_get("/fall", self.fall)

    async def who(self, request: web.Request) -> web.Response:
        return web.Response(text=request[CLIENT])

    async def fall(self, _: web.Request) -> web.Response:
        raise RuntimeError("geheimnis")


@pytest.mark.parametrize(
    ("trusted", "forwarded", "who"),
    [
        ([], "9.9.9.9", "127.0.0.1"),
        (["127.0.0.0/8"], "9.9.9.9", "9.9.9.9"),
        (["127.0.0.0/8"], "8.8.8.8, 9.9.9.9", "9.9.9.9"),
        (["127.0.0.0/8", "9.0.0.0/8"], "8.8.8.8, 9.9.9.9", "8.8.8.8"),
        (["127.0.0.0/8"], "", "127.0.0.1"),
        (["127.0.0.0/8"], "<script>", "127.0.0.1"),
        (["::1/128"], "9.9.9.9", "127.0.0.1"),
    ],
)
async def test_only_a_trusted_proxy_says_who_asks(
    client: aiohttp.ClientSession, trusted: list[str], forwarded: str, who: str
) -> None:
    networks = [ip_network(one) for one in trusted]
    async with (
        Server(
            host="127.0.0.1", port=0, ops_port=0, public=[Mirror()], operations=[], trusted_proxies=networks
        ) as server,
        client.get(f"http://127.0.0.1:{server.port}/who", headers={"X-Forwarded-For": forwarded}) as answer,
    ):
        assert await answer.text() == who
        assert answer.headers["X-Content-Type-Options"] == "nosniff"


async def test_a_door_that_falls_over_says_nothing_of_its_inside(client: aiohttp.ClientSession) -> None:
    async with (
        Server(host="127.0.0.1", port=0, ops_port=0, public=[Mirror()], operations=[]) as server,
        client.get(f"http://127.0.0.1:{server.port}/fall") as answer,
    ):
        assert answer.status == 500
        assert answer.content_type == "application/problem+json"
        assert "geheimnis" not in await answer.text()
