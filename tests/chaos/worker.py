"""What a forked worker runs: `vistnyk run` itself, with short bells, a stray clock, and failpoints that are noted."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from pathlib import Path

from bot import failpoints, service
from bot.channels import transport
from bot.configuration import Surroundings, read
from bot.logs import set_up
from tests.chaos.shared import Met, StrayClock


def work(name: str, variables: dict[str, str], folder: Path, bells: float) -> None:
    """Serve until killed, or until SIGTERM; `bells` are seconds. The platforms are told the worker's name."""
    transport._version = lambda: name
    configuration = read(Surroundings(variables, dotenv=folder / "nowhere", secrets=folder / "nowhere"))
    set_up(level="INFO", form="json", secrets=configuration.secrets())
    _note_failpoints(Met(folder / "met"), name)
    asyncio.run(service.run(configuration, clock=StrayClock(folder / "clock"), look=timedelta(seconds=bells)))


def _note_failpoints(met: Met, name: str) -> None:
    meet = failpoints._meet

    def noted(point: str, planned: failpoints._Planned) -> None:
        met.note(point, planned.trouble, name)
        meet(point, planned)

    failpoints._meet = noted
