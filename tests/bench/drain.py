"""A full queue against the platform's limits: how much of the permitted rate is used, and is it ever overstepped?

Two thousand deliveries wait in forty channels of one bot. The sandbox allows one call a second in a chat and thirty a
second by a bot, both without a burst, answers after 50 ms, and refuses with 429 whatever comes too early. Forty chats
could take forty posts a second: the bot's limit is the one that counts. The rate is measured by the sandbox's record,
from the first post to the last.
"""

from __future__ import annotations

import asyncio
import tempfile
import time
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from multiprocessing.connection import Connection
from pathlib import Path

from bot.app import open_service
from bot.configuration import Surroundings, read
from bot.domain.article import Article
from bot.logs import set_up
from bot.sandbox import Rate, Rates, Sandbox
from bot.store.deliveries import depth
from tests.bench.throughput import BOT_TOKEN, a_channel, a_sandbox, migrate

CHANNELS, ARTICLES = 40, 50
A_BOT = 30  # calls a second
LATENCY = 0.05
# The sandbox meets each call a little later or earlier than it left: it forgives what its own queue may add.
_LIMITS = Rates(chat=Rate(1, 1.0, burst=2), bot=Rate(A_BOT, 1.0, burst=8), group=None)


def _serve(pipe: Connection) -> None:
    async def serve() -> None:
        async with Sandbox() as sandbox:
            telegram = sandbox.telegram
            telegram.latency, telegram.rates = LATENCY, _LIMITS
            telegram.add_bot(BOT_TOKEN, "bench_bot", 100000001)
            for number in range(CHANNELS):
                telegram.add_channel(f"@outlet_{number}", -1001000000000 - number, f"Канал {number}", [100000001])
            pipe.send(sandbox.url)
            await asyncio.to_thread(pipe.recv)
            shown = [[post.date for post in telegram.history(f"@outlet_{n}")] for n in range(CHANNELS)]
            refused = sum(call.outcome.startswith("429") for call in telegram.calls)
            pipe.send((shown, refused))

    asyncio.run(serve())


async def _drain(url: str, database_url: str, place: Path) -> float:
    """Fill the queue, then let it run empty; return the CPU seconds of the bot."""
    channels = [
        a_channel(f"telegram-{n}", platform="telegram", address=f"@outlet_{n}", token="") for n in range(CHANNELS)
    ]
    (place / "vistnyk.toml").write_text('[[sources]]\nname = "push"\nkind = "push"\n' + "".join(channels), "utf-8")
    variables = {
        "VISTNYK_DATABASE_URL": database_url,
        "VISTNYK_TELEGRAM__TOKEN": BOT_TOKEN,
        "VISTNYK_TELEGRAM__API_URL": url,
        "VISTNYK_TELEGRAM__WEB_URL": url,
        "VISTNYK_PACE__CHAT": "1/s",
        "VISTNYK_PACE__BOT": f"{A_BOT}/s",
    }
    set_up(level="ERROR", form="json", secrets=[])
    surroundings = Surroundings(variables, dotenv=place / "no", secrets=place / "no")
    configuration = read(surroundings, config=place / "vistnyk.toml")
    async with open_service(configuration, serve_web=False) as service:
        await service.reconciler.recover()
        now = datetime.now(UTC) - timedelta(hours=1)
        told = [
            Article(
                url=f"https://news.example/{number}",
                title=f"Новина {number} про життя громади",
                lead="Рух мостом відновили зранку. Першими проїхали тролейбуси.",
                published_at=now + timedelta(seconds=number),
            )
            for number in range(ARTICLES)
        ]
        await service.house.intake.accept(told, "push")
        cpu = time.process_time()
        working = asyncio.create_task(service.worker.run())
        left = True
        while left:
            await asyncio.sleep(1)
            async with service.house.database.read() as tx:
                left = bool(await depth(tx))
        cpu = time.process_time() - cpu
        await service.worker.stop()
        await working
        return cpu


def run(database_url: str) -> list[tuple[str, str]]:
    """Drain the queue and return the figures as (name, value)."""
    with tempfile.TemporaryDirectory(prefix="vistnyk-bench-") as folder, a_sandbox(_serve) as (url, pipe):
        here = database_url or f"sqlite+aiosqlite:///{folder}/bench.db"
        asyncio.run(migrate(here))
        cpu = asyncio.run(_drain(url, here, Path(folder)))
        pipe.send("stop")
        shown, refused = pipe.recv()
    return figures(shown, refused, cpu)


def figures(shown: list[list[float]], refused: int, cpu: float) -> list[tuple[str, str]]:
    """Return what the sandbox's record of each channel's posts (Unix seconds) says."""
    times = sorted(at for channel in shown for at in channel)
    seconds = times[-1] - times[0]
    rate = (len(times) - 1) / seconds
    nearest = min(later - earlier for channel in shown for earlier, later in pairwise(sorted(channel)))
    return [
        ("posts, each once in its channel", f"{len(times)} of {CHANNELS * ARTICLES}"),
        ("seconds from the first post to the last", f"{seconds:.1f}"),
        (f"posts/s; the limits allow {A_BOT}", f"{rate:.2f}"),
        ("share of the permitted rate", f"{100 * rate / A_BOT:.1f} %"),
        ("answers 429", str(refused)),
        ("most posts in any second", str(_densest(times))),
        ("least time between two posts of a channel, s", f"{nearest:.3f}"),
        ("CPU seconds of the bot", f"{cpu:.1f}"),
    ]


def _densest(times: list[float]) -> int:
    """Count the posts of the fullest second."""
    most, first = 0, 0
    for last, at in enumerate(times):
        while times[first] <= at - 1.0:
            first += 1
        most = max(most, last - first + 1)
    return most
