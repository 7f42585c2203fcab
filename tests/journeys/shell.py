"""The command line in this process: the same `main`, without the second that a new interpreter costs."""

from __future__ import annotations

import asyncio
import io
import json
import logging
import os
import sys
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass
from typing import Any
from unittest.mock import patch

import structlog

from bot.cli import main
from tests.journeys.outlet import Outlet


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """What a command said."""

    code: int
    out: str
    err: str

    @property
    def lines(self) -> list[dict[str, Any]]:
        """Its output as JSON lines; anything else on stdout is an error."""
        return [json.loads(line) for line in self.out.splitlines()]

    @property
    def all(self) -> str:
        return self.out + self.err


async def vistnyk(outlet: Outlet, *words: str, stdin: bytes = b"") -> Said:
    """Run one command with the outlet's variables; `run`, `demo` and `sandbox` want a process of their own."""
    return await asyncio.to_thread(_run, outlet.variables, words, stdin)


async def told(outlet: Outlet, *words: str) -> list[dict[str, Any]]:
    """Run one command with `--json` and return its lines."""
    said = await vistnyk(outlet, *words, "--json")
    assert (said.code, said.err) == (0, "")
    return said.lines


def _run(variables: dict[str, str], words: tuple[str, ...], stdin: bytes) -> Said:
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    out, err, code = io.StringIO(), io.StringIO(), 0
    try:
        with (
            patch.dict(os.environ, variables),
            patch.object(sys, "argv", ["vistnyk", *words]),
            patch.object(sys, "stdin", io.TextIOWrapper(io.BytesIO(stdin))),
            redirect_stdout(out),
            redirect_stderr(err),
        ):
            main()
    except SystemExit as end:
        code = end.code if isinstance(end.code, int) else 0 if end.code is None else 1
    finally:
        root.handlers[:] = handlers
        root.setLevel(level)
        structlog.reset_defaults()
    return Said(code=code, out=out.getvalue(), err=err.getvalue())
