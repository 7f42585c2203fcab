"""The chaos suite runs: one tiny cell of it, with every kind of trouble, as `make chaos` starts it."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

from tests.chaos.nursery import ROOT


@pytest.mark.timeout(300)
def test_a_tiny_cell_loses_and_doubles_nothing_and_says_what_it_did():
    words = "--cells sqlite-a --kills 4 --deliveries 48 --json".split()
    done = subprocess.run(
        [sys.executable, "-m", "tests.chaos", *words],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=280,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    told = json.loads(done.stdout)
    assert told["passed"]
    assert int(told["deliveries"]) >= 48
    assert int(told["kills"].split()[0]) >= 4
    assert (told["lost"], told["doubled"], told["out of order"]) == ("0", "0", "0")
    assert "seed" in done.stderr


def test_an_unknown_cell_is_refused_with_the_names_of_those_there_are():
    words = [sys.executable, "-m", "tests.chaos", "--cells", "oracle"]
    done = subprocess.run(words, cwd=ROOT, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 2
    assert "sqlite-a, sqlite-b, postgres-1, postgres-2, postgres-4" in done.stderr
