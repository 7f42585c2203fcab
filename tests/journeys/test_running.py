"""`vistnyk run` as a process of its own: woken, asked, refused twice, stopped; and silent about its secrets."""

from __future__ import annotations

import asyncio
import json
import resource
import signal
import socket
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import timedelta
from functools import partial
from typing import Any

import aiohttp
import pytest

from bot.clock import SystemClock
from bot.sandbox import mishaps
from tests.journeys.outlet import BOT_TOKEN, PAGE_TOKEN, PUSH_TOKEN, Outlet, until
from tests.journeys.shell import told, vistnyk

NOW = SystemClock().now()


def a_story(number: int = 1) -> dict[str, Any]:
    at = NOW - timedelta(minutes=number)
    return {"url": f"https://news.example/{number}", "title": f"Новина {number}", "published_at": at.isoformat()}


class Running:
    """A service in a process of its own."""

    def __init__(self, process: asyncio.subprocess.Process, root: str) -> None:
        self.process, self.root = process, root

    async def ready(self) -> None:
        async def answers() -> bool:
            assert self.process.returncode is None, (await self.process.communicate())[1].decode()
            try:
                async with aiohttp.ClientSession() as client, client.get(f"{self.root}/readyz") as answer:
                    return answer.status == 200
            except aiohttp.ClientError:
                return False

        await until(answers, seconds=30)

    async def shows(self, metric: str) -> bool:
        """Whether a line stands among the metrics."""
        async with aiohttp.ClientSession() as client, client.get(f"{self.root}/metrics") as answer:
            return metric in (await answer.text()).splitlines()

    async def stop(self, with_signal: signal.Signals = signal.SIGTERM) -> tuple[int, float, str]:
        """Return the exit code, how long stopping took, and all that was said."""
        began = time.monotonic()
        self.process.send_signal(with_signal)
        out, err = await asyncio.wait_for(self.process.communicate(), 30)
        assert self.process.returncode is not None
        return self.process.returncode, time.monotonic() - began, out.decode() + err.decode()


@asynccontextmanager
async def running(outlet: Outlet, *flags: str) -> AsyncIterator[Running]:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    outlet.variables["VISTNYK_WEB__PORT"] = str(port)
    process = await outlet.start("run", *flags)
    try:
        service = Running(process, f"http://127.0.0.1:{port}")
        await service.ready()
        yield service
    finally:
        if process.returncode is None:
            process.kill()
            await process.communicate()


async def test_a_running_service_is_woken_refuses_a_second_one_and_stops_when_told(outlet: Outlet) -> None:
    outlet.variables["VISTNYK_LOG__LEVEL"] = "DEBUG"
    (outlet.place / "one.json").write_text(json.dumps(a_story()), "utf-8")
    async with running(outlet) as service:
        said = await vistnyk(outlet, "ingest", str(outlet.place / "one.json"))
        assert said.out.startswith("stored ")
        await until(lambda: len(outlet.telegram) == len(outlet.facebook) == 1, seconds=6)
        code, out, err = await outlet.command("run")
        assert (code, out) == (1, "")
        last = err.splitlines()[-1]
        assert "vistnyk.db is in use by another `vistnyk run`" in last
        assert "Traceback" not in err
        async with aiohttp.ClientSession() as client:
            body, headers = json.dumps([a_story(2)]), {"Authorization": f"Bearer {PUSH_TOKEN}"}
            async with client.post(f"{service.root}/api/articles", data=body, headers=headers) as answer:
                assert answer.status == 202
            async with client.get(f"{service.root}/healthz") as answer:
                assert answer.status == 200
        await until(lambda: len(outlet.telegram) == len(outlet.facebook) == 2, seconds=6)
        code, seconds, said_by_service = await service.stop()
    assert code == 0, said_by_service
    assert seconds < 5
    lines = [json.loads(line) for line in said_by_service.splitlines()]
    assert {"the service runs", "published", "the service has stopped"} <= {line["event"] for line in lines}
    for secret in (BOT_TOKEN, BOT_TOKEN.partition(":")[2], PAGE_TOKEN, PUSH_TOKEN):
        assert secret not in said_by_service
    assert [line["state"] for line in await told(outlet, "ledger")] == ["published"] * 4


async def test_a_call_in_hand_is_finished_before_the_service_stops(outlet: Outlet) -> None:
    outlet.sandbox.telegram.next("sendMessage", mishaps.slow(2.5))
    (outlet.place / "more.jsonl").write_text("\n".join(json.dumps(a_story(n)) for n in range(1, 4)), "utf-8")
    await vistnyk(outlet, "ingest", str(outlet.place / "more.jsonl"))
    async with running(outlet) as service:
        await until(lambda: len(outlet.facebook) == 3)
        code, seconds, said = await service.stop(signal.SIGINT)
    assert code == 0, said
    assert 0.5 < seconds < 8
    assert len(outlet.telegram) == 1
    left = await told(outlet, "queue", "--channel", "telegram-main")
    assert [line["state"] for line in left] == ["planned", "planned"]
    async with outlet.open() as again:
        await again.worker.drain()
    assert len(outlet.telegram) == len(outlet.facebook) == 3


async def test_what_waits_at_a_start_leaves_once_its_channel_was_compared_and_not_at_the_next_look(
    outlet: Outlet,
) -> None:
    (outlet.place / "one.json").write_text(json.dumps(a_story()), "utf-8")
    await vistnyk(outlet, "ingest", str(outlet.place / "one.json"))
    async with running(outlet):
        began = time.monotonic()
        await until(lambda: len(outlet.telegram) == len(outlet.facebook) == 1, seconds=30)
    assert time.monotonic() - began < 4.5  # the worker looks by itself every five seconds


async def test_a_photo_that_never_comes_does_not_hold_up_a_stop(outlet: Outlet) -> None:
    reached, enough = asyncio.Event(), asyncio.Event()

    async def never_answer(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        reached.set()
        await enough.wait()
        writer.close()

    server = await asyncio.start_server(never_answer, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    story = a_story() | {"photo_url": f"http://127.0.0.1:{port}/1.jpg", "photo_credit": "Фото: міська рада"}
    (outlet.place / "one.json").write_text(json.dumps(story), "utf-8")
    await vistnyk(outlet, "ingest", str(outlet.place / "one.json"))
    async with running(outlet) as service:
        await asyncio.wait_for(reached.wait(), 10)
        code, seconds, said = await service.stop()
    enough.set()
    server.close()
    await asyncio.sleep(0.1)
    assert code == 0, said
    assert seconds < 12
    assert "Traceback" not in said
    assert outlet.telegram == outlet.facebook == []
    assert {line["state"] for line in await told(outlet, "queue")} <= {"planned", "claimed"}


async def test_with_wrong_tokens_the_service_lives_holds_what_waits_and_says_no_secret(outlet: Outlet) -> None:
    wrong = {
        "VISTNYK_TELEGRAM__TOKEN": "100000001:AAE-a-token-that-telegram-does-not-know",
        "PAGE_TOKEN": "EAAG-a-page-token-nobody-knows",
        "VISTNYK_PUSH__TOKEN": "a-push-token-nobody-knows",
        "VISTNYK_FACEBOOK__APP_SECRET": "an-app-secret-nobody-knows",
    }
    outlet.variables |= wrong | {"VISTNYK_LOG__LEVEL": "DEBUG"}
    (outlet.place / "one.json").write_text(json.dumps(a_story()), "utf-8")
    said = [(await vistnyk(outlet, "ingest", str(outlet.place / "one.json"))).all]
    async with running(outlet) as service:

        async def held() -> bool:
            return {line["state"] for line in await told(outlet, "queue")} == {"held"}

        await until(held, seconds=15)
        await until(lambda: service.shows('vistnyk_channel_access{channel="telegram-main"} 0.0'))
        await until(lambda: service.shows('vistnyk_channel_access{channel="facebook-main"} 0.0'))
        code, _, told_by_service = await service.stop()
    assert code == 0
    waiting = await told(outlet, "queue")
    assert {line["held_reason"] for line in waiting} == {"access"}
    words = ("check", "queue", "ledger", "plan", "audit", "why https://news.example/1", "db check", "nonsense")
    for command in words:
        said += [(await vistnyk(outlet, *command.split(), *flags)).all for flags in ((), ("--json",))]
    everything = "\n".join([told_by_service, *said])
    for secret in wrong.values():
        assert secret not in everything
        assert secret.partition(":")[2] not in everything or ":" not in secret


@pytest.mark.postgres
async def test_run_refuses_an_unmigrated_postgresql_and_migrates_it_when_told(
    outlet: Outlet, postgres_url: str
) -> None:
    outlet.variables["VISTNYK_DATABASE_URL"] = postgres_url
    code, out, err = await outlet.command("run")
    assert (code, out, len(err.splitlines())) == (1, "", 1)
    assert "vistnyk db upgrade" in err
    (outlet.place / "one.json").write_text(json.dumps(a_story()), "utf-8")
    async with running(outlet, "--migrate") as service:
        await vistnyk(outlet, "ingest", str(outlet.place / "one.json"))
        await until(lambda: len(outlet.telegram) == len(outlet.facebook) == 1, seconds=8)
        code, seconds, said = await service.stop()
    assert (code, seconds < 5) == (0, True), said


async def test_cheap_commands_start_cheaply(outlet: Outlet) -> None:
    """CPU seconds of a whole process, as shares of what the library of commands itself needs on this machine now."""
    await outlet.migrate()
    bare = await _least(partial(_bare, "-c", "import typer.rich_utils"))
    for words, share in ((("--help",), 2.2), (("queue", "--json"), 6.5)):
        used = await _least(partial(outlet.command, *words))
        assert used < share * bare, (
            f"vistnyk {' '.join(words)} used {used:.2f} s of CPU, {used / bare:.1f} of {bare:.2f}"
        )


async def _bare(*words: str) -> tuple[int, str, str]:
    process = await asyncio.create_subprocess_exec(sys.executable, *words, stderr=asyncio.subprocess.PIPE)
    _, err = await process.communicate()
    return process.returncode or 0, "", err.decode()


async def _least(run: Callable[[], Awaitable[tuple[int, str, str]]]) -> float:
    """Return the least CPU seconds of three runs: the rest is the machine's own business."""
    runs = []
    for _ in range(3):
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        code, _, err = await run()
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        assert code == 0, err
        runs.append(after.ru_utime - before.ru_utime + after.ru_stime - before.ru_stime)
    return min(runs)
