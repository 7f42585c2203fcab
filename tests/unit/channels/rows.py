"""The platforms' error rows: our own copy beside this file, and the project's shared one where it is at hand."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest

_HERE = Path(__file__).parent
_SHARED = Path(__file__).parents[4] / "shared" / "platforms"


def kept(name: str) -> list[dict[str, Any]]:
    """Return the rows of `<name>_errors.jsonl`."""
    lines = (_HERE / f"{name}_errors.jsonl").read_text(encoding="utf-8").splitlines()
    return [json.loads(line) for line in lines]


def shared(filename: str) -> dict[str, Any]:
    """Return a shared file of platform facts, or leave the test out where there is none."""
    path = _SHARED / filename
    if not path.exists():
        if os.environ.get("CI") == "true":
            pytest.fail("../shared/platforms is not there")
        pytest.skip("../shared/platforms is not there")
    content: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return content
