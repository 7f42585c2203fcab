"""The frame that holds the project: the Makefile, the locks, what a skip means, the examples."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from PIL import Image

ROOT = Path(__file__).parents[2]
TARGETS = "venv demo test test-long lint types bench chaos chaos-long soak image lock".split()
SKIPPING = "import pytest\n\n\ndef test_that_is_skipped():\n    pytest.skip('no such part here')\n"
ALLOWED = SKIPPING.replace("def test", "@pytest.mark.may_skip('on purpose')\ndef test")
WHOLE = "import pytest\n\npytest.skip('no such part here', allow_module_level=True)\n"


def pytest_on(test: str, ci: str, folder: Path) -> subprocess.CompletedProcess[str]:
    """Run one test module by this project's rules, in a process and a folder of its own."""
    (folder / "conftest.py").write_text((ROOT / "tests/conftest.py").read_text("utf-8"))
    (folder / "test_it.py").write_text(test)
    return subprocess.run(
        [
            sys.executable,
            "-m",
            "pytest",
            "-c",
            ROOT / "pyproject.toml",
            "--rootdir",
            ".",
            "-p",
            "no:cacheprovider",
            ".",
        ],
        cwd=folder,
        env={**os.environ, "CI": ci},
        capture_output=True,
        text=True,
    )


def test_a_bare_make_lists_every_target() -> None:
    listed = subprocess.run(["make", "--no-print-directory"], cwd=ROOT, capture_output=True, text=True, check=True)
    assert re.findall(r"^  make ([a-z-]+) ", listed.stdout, re.MULTILINE) == TARGETS


@pytest.mark.parametrize("part", ["chaos", "soak"])
def test_a_part_that_is_not_there_yet_says_so_in_one_line(part: str, tmp_path: Path) -> None:
    (tmp_path / "Makefile").write_text(
        (ROOT / "Makefile").read_text("utf-8").replace(f"{part}: $(DEVELOPMENT)", f"{part}:")
    )
    ended = subprocess.run(["make", part], cwd=tmp_path, capture_output=True, text=True)
    assert ended.returncode != 0
    assert ended.stderr.splitlines()[0] == f"make {part}: comes with a later release, tests/{part}/ does not exist yet"


@pytest.mark.parametrize("lock", ["requirements.lock", "requirements-dev.lock"])
def test_a_lock_pins_every_package_by_hash_and_names_no_address(lock: str) -> None:
    text = (ROOT / lock).read_text("utf-8")
    pins = re.findall(r"^[a-z0-9][\w.-]*==\S+.*$", text, re.MULTILINE)
    assert len(pins) > 50
    assert all(pin.endswith("\\") for pin in pins)
    assert text.count("--hash=sha256:") >= len(pins)
    assert "://" not in text
    assert "index" not in text.split("==", 1)[0].replace("--no-emit-index-url", "")


def test_the_development_lock_holds_the_very_versions_that_run() -> None:
    def pins(lock: str) -> set[str]:
        return set(re.findall(r"^[a-z0-9][\w.-]*==[^\s;]+", (ROOT / lock).read_text("utf-8"), re.MULTILINE))

    assert pins("requirements.lock") <= pins("requirements-dev.lock")


@pytest.mark.parametrize(
    ("test", "ci", "code"),
    [(SKIPPING, "", 0), (SKIPPING, "true", 1), (ALLOWED, "true", 0), (WHOLE, "", 5), (WHOLE, "true", 2)],
    ids=["at home", "in CI", "in CI, on purpose", "a module at home", "a module in CI"],
)
def test_a_skip_is_a_failure_where_every_part_has_to_be_present(test: str, ci: str, code: int, tmp_path: Path) -> None:
    ended = pytest_on(test, ci, tmp_path)
    assert ended.returncode == code, ended.stdout + ended.stderr
    assert "no such part here" in ended.stdout


def test_a_failure_that_shows_a_whole_photo_stays_readable(tmp_path: Path) -> None:
    ended = pytest_on("def test_it():\n    assert b'first' + bytes(10**6) == b'last', 'x' * 10**6\n", "true", tmp_path)
    assert ended.returncode == 1
    assert "characters left out" in ended.stdout
    assert len(ended.stdout) < 30_000


def test_the_examples_are_whole_and_their_photos_are_pictures() -> None:
    from bot.domain.article import Article, Priority
    from bot.sources.files import ENDINGS, read_path

    def articles(folder: Path) -> list[Article]:
        found = []
        for file in sorted(file for file in folder.iterdir() if file.suffix in ENDINGS):
            read = read_path(file, zone=ZoneInfo("Europe/Kyiv"), root=ROOT / "examples")
            assert not read.rejected, file
            found += read.articles
        return found

    shown, later = articles(ROOT / "examples"), articles(ROOT / "examples/later")
    assert len(shown) >= 6
    assert len({article.url for article in shown}) == len(shown)
    assert all(article.url.startswith("https://news.example/") for article in shown)
    assert any(article.priority is Priority.BREAKING for article in shown)
    assert any(not article.photo_url for article in shown)
    assert any(len(article.lead) > 1024 and article.photo_url for article in shown)
    assert len({article.photo_credit.split()[0] for article in shown if article.photo_url}) >= 4
    headlines = {article.url: article.title for article in shown}
    assert later
    assert all(headlines[article.url] != article.title and article.updated_at for article in later)
    for photo in (ROOT / "examples/photos").iterdir():
        assert photo.stat().st_size < 120_000
        with Image.open(photo) as picture:
            assert (picture.format, picture.size) == ("JPEG", (1280, 853))
