"""A thousand articles pushed at once to four channels: articles a second from push to published, and peak memory.

The sandbox runs in a process of its own; the bot's process is measured alone.
"""

from __future__ import annotations

import asyncio
import json
import multiprocessing
import resource
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from multiprocessing.connection import Connection
from pathlib import Path

from bot.app import open_service
from bot.clock import SystemClock
from bot.configuration import Surroundings, read
from bot.logs import set_up
from bot.sandbox import Rates, Sandbox
from bot.store.database import Database
from bot.store.deliveries import depth

CHANNELS = 4
_A_REQUEST = 100  # articles; a request holds at most 2 MiB
BOT_TOKEN = "100000001:AAE-sandbox-token-for-the-benchmark-1"
_CHANNEL = """
[[channels]]
name = "{name}"
platform = "{platform}"
address = "{address}"
token_env = "{token}"
call_to_action = {{ text = "Підписуйтесь на наш канал", url = "https://t.me/outlet" }}
check_link = false
silent = []
[channels.schedule]
windows = []
blackouts = []
min_gap = "0s"
catch_up = "all"
"""


def _serve(pipe: Connection) -> None:
    async def serve() -> None:
        async with Sandbox(welcoming=True) as sandbox:
            sandbox.telegram.rates = Rates.off()
            pipe.send(sandbox.url)
            await asyncio.to_thread(pipe.recv)
            pipe.send(
                {
                    "telegram": [len(sandbox.telegram.history(name)) for name in ("@outlet_1", "@outlet_2")],
                    "facebook": [
                        len(sandbox.facebook.history(str(page))) for page in (300000000000001, 300000000000002)
                    ],
                }
            )

    asyncio.run(serve())


def a_channel(name: str, *, platform: str, address: str, token: str) -> str:
    """Return a channel's part of the configuration."""
    return _CHANNEL.format(name=name, platform=platform, address=address, token=token)


async def migrate(database_url: str) -> None:
    """Bring a database to this release's schema."""
    async with Database(database_url, SystemClock()) as database:
        await database.upgrade()


@contextmanager
def a_sandbox(serve: Callable[[Connection], None]) -> Iterator[tuple[str, Connection]]:
    """Run a sandbox in a process of its own; yield its address, and the pipe by which it is told to stop."""
    ours, theirs = multiprocessing.Pipe()
    process = multiprocessing.get_context("spawn").Process(target=serve, args=(theirs,), daemon=True)
    process.start()
    try:
        yield ours.recv(), ours
    finally:
        if process.is_alive():
            process.terminate()
        process.join()


def _told(count: int) -> list[dict[str, str]]:
    now = datetime.now(UTC) - timedelta(hours=1)
    paragraph = "Роботи тривали три місяці, і в міській раді кажуть, що завершили їх вчасно та без перевитрат. "
    return [
        {
            "url": f"https://news.example/{number}",
            "title": f"Новина {number} про життя громади",
            "lead": "Рух мостом відновили зранку. Першими проїхали тролейбуси.",
            "body": "".join(f"<p>{paragraph * 3}</p>" for _ in range(5)),
            "photo_credit": "Фото: міська рада",
            "published_at": (now + timedelta(seconds=number)).isoformat(),
        }
        for number in range(count)
    ]


async def _push(url: str, database_url: str, place: Path, count: int) -> dict[str, float]:
    import aiohttp

    channels = [a_channel(f"telegram-{n}", platform="telegram", address=f"@outlet_{n}", token="") for n in (1, 2)] + [
        a_channel(f"facebook-{n}", platform="facebook", address=f"30000000000000{n}", token=f"PAGE_{n}") for n in (1, 2)
    ]
    (place / "vistnyk.toml").write_text('[[sources]]\nname = "push"\nkind = "push"\n' + "".join(channels), "utf-8")
    variables = {
        "VISTNYK_DATABASE_URL": database_url,
        "VISTNYK_TELEGRAM__TOKEN": BOT_TOKEN,
        "VISTNYK_TELEGRAM__API_URL": url,
        "VISTNYK_TELEGRAM__WEB_URL": url,
        "VISTNYK_FACEBOOK__API_URL": f"{url}/graph",
        "VISTNYK_NETWORK__ALLOW_PRIVATE": "127.0.0.0/8",
        "VISTNYK_WEB__PORT": "0",
        "VISTNYK_PUSH__TOKEN": "bench",
        "VISTNYK_PACE__CHAT": "off",
        "VISTNYK_PACE__BOT": "off",
        "VISTNYK_PACE__PAGE": "off",
        "PAGE_1": "page-token-300000000000001",
        "PAGE_2": "page-token-300000000000002",
    }
    set_up(level="ERROR", form="json", secrets=[])
    configuration = read(
        Surroundings(variables, dotenv=place / "no", secrets=place / "no"), config=place / "vistnyk.toml"
    )
    async with open_service(configuration) as service:
        await service.reconciler.recover()
        working = asyncio.create_task(service.worker.run())
        assert service.server is not None
        address = f"http://127.0.0.1:{service.server.port}/api/articles"
        cpu, started = time.process_time(), time.perf_counter()
        async with aiohttp.ClientSession(headers={"Authorization": "Bearer bench"}) as session:
            told = _told(count)
            batches = [told[start : start + _A_REQUEST] for start in range(0, count, _A_REQUEST)]
            answers = await asyncio.gather(*(session.post(address, data=json.dumps(batch)) for batch in batches))
            assert {answer.status for answer in answers} == {202}, await answers[0].text()
        accepted = time.perf_counter() - started
        while True:
            await asyncio.sleep(0.5)
            async with service.house.database.read() as tx:
                if not await depth(tx):
                    break
        wall, cpu = time.perf_counter() - started, time.process_time() - cpu
        await service.worker.stop()
        await working
    return {"wall": wall, "cpu": cpu, "accepted": accepted}


def run(database_url: str, count: int = 1000) -> list[tuple[str, str]]:
    """Push `count` articles to four channels and return the figures as (name, value)."""
    with tempfile.TemporaryDirectory(prefix="vistnyk-bench-") as folder, a_sandbox(_serve) as (url, pipe):
        url_here = database_url or f"sqlite+aiosqlite:///{folder}/bench.db"
        asyncio.run(migrate(url_here))
        figures = asyncio.run(_push(url, url_here, Path(folder), count))
        pipe.send("stop")
        public = pipe.recv()
    assert public == {"telegram": [count, count], "facebook": [count, count]}, public
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return [
        ("articles/s from push to published in 4 channels", f"{count / figures['wall']:.1f}"),
        ("posts/s", f"{CHANNELS * count / figures['wall']:.1f}"),
        ("seconds until the push was answered", f"{figures['accepted']:.1f}"),
        ("CPU ms a post (the bot's process alone)", f"{1000 * figures['cpu'] / (CHANNELS * count):.1f}"),
        ("peak memory, MiB", f"{peak:.0f}"),
        ("public exactly once", f"{sum(map(sum, public.values()))} of {CHANNELS * count}"),
    ]
