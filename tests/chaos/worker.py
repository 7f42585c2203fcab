"""What a forked worker runs: the whole service, as `vistnyk run` does, with short bells, a stray clock, failpoints."""

from __future__ import annotations

import asyncio
import contextlib
import signal
from datetime import timedelta
from pathlib import Path

import bot.app
from bot import failpoints
from bot.app import open_service, ticker
from bot.configuration import Configuration, Surroundings, read
from bot.logs import set_up
from tests.chaos.shared import Met, StrayClock

BELLS = timedelta(milliseconds=200)


def work(variables: dict[str, str], plan: str, folder: Path) -> None:
    """Serve until killed, or until SIGTERM."""
    configuration = read(Surroundings(variables, dotenv=folder / "nowhere", secrets=folder / "nowhere"))
    set_up(level="INFO", form="json", secrets=configuration.secrets())
    failpoints.arm(plan)
    _note_failpoints(Met(folder / "met"))
    bot.app._LOOK = BELLS
    asyncio.run(_serve(configuration, StrayClock(folder / "clock")))


async def _serve(configuration: Configuration, clock: StrayClock) -> None:
    stop = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    async with open_service(configuration, clock=clock) as service:
        await service.reconciler.recover()
        serving = asyncio.create_task(service.worker.run())
        async with ticker(service):
            waiting = asyncio.create_task(stop.wait())
            await asyncio.wait({waiting, serving}, return_when=asyncio.FIRST_COMPLETED)
            waiting.cancel()
        await service.give_back()
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(service.worker.stop(), 10)
        await asyncio.wait_for(serving, 1)


def _note_failpoints(met: Met) -> None:
    meet = failpoints._meet

    def noted(point: str, planned: failpoints._Planned) -> None:
        met.note(point, planned.trouble)
        meet(point, planned)

    failpoints._meet = noted
