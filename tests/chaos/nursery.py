"""The preloaded parent of all workers: forks them, signals them, and tells what became of them.

It has imported the whole bot once, so that a new worker costs tens of milliseconds. It runs no event loop and no
thread, and it alone waits for its children: a signal never meets a process that only has a dead one's number.
"""

from __future__ import annotations

import asyncio
import ctypes
import gc
import os
import signal
import socket
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from multiprocessing import connection
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
_DIES_WITH_PARENT = 1  # PR_SET_PDEATHSIG


@dataclass(frozen=True, slots=True)
class Event:
    """What became of a child: `born`, `stopped`, `died` (with its signal, or its exit code)."""

    name: str
    what: str
    pid: int
    at: float
    signal: int = 0
    code: int = 0


class Nursery:
    """The harness's end: asks for children and hears of them.

    Make it before any event loop or thread: it forks this very process.
    """

    def __init__(self) -> None:
        self._pipe, theirs = connection.Pipe()
        self._heard: dict[str, Callable[[Event], None]] = {}
        pid = os.fork()
        if pid == 0:
            self._pipe.close()
            _tend(theirs)
            os._exit(0)
        theirs.close()

    def listen(self) -> None:
        """Hear of children from now on; needs a running loop."""
        asyncio.get_running_loop().add_reader(self._pipe.fileno(), self._read)

    def fork(
        self, name: str, work: Callable[..., None], *given: Any, log: Path, heard: Callable[[Event], None]
    ) -> None:
        """Run a function in a fork of the preloaded parent; `heard` is told of the child's life."""
        self._heard[name] = heard
        self._pipe.send(("fork", name, log, (work, given)))

    def start(
        self, name: str, words: list[str], variables: dict[str, str], *, log: Path, heard: Callable[[Event], None]
    ) -> None:
        """Start `python -m bot …` as a whole process."""
        self._heard[name] = heard
        self._pipe.send(("start", name, log, (words, variables)))

    def send(self, pid: int, number: signal.Signals) -> None:
        """Send a signal to a child that is still there."""
        self._pipe.send(("signal", pid, number, None))

    def close(self) -> None:
        """End all children and the nursery."""
        self._pipe.close()

    def _read(self) -> None:
        while self._pipe.poll():
            event: Event = self._pipe.recv()
            self._heard[event.name](event)


def _tend(pipe: Connection) -> None:
    """Serve the harness until it goes away."""
    _end_with_parent()
    gc.collect()
    gc.freeze()  # what is shared with the forks is not to be copied by collecting it
    children: dict[int, str] = {}
    bell, ring = socket.socketpair()
    for end in (bell, ring):
        end.setblocking(False)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.set_wakeup_fd(ring.fileno(), warn_on_full_buffer=False)
    try:
        while True:
            ready = connection.wait([pipe, bell], timeout=1.0)
            if bell in ready:
                bell.recv(4096)
            _look_after(children, pipe)
            if pipe in ready:
                _obey(pipe, children, (bell, ring))
    except (EOFError, BrokenPipeError, ConnectionResetError):
        for pid in children:
            os.kill(pid, signal.SIGKILL)


def _look_after(children: dict[int, str], pipe: Connection) -> None:
    while children:
        pid, status = os.waitpid(-1, os.WNOHANG | os.WUNTRACED)
        if pid == 0:
            return
        at = time.time()
        if os.WIFSTOPPED(status):
            pipe.send(Event(children[pid], "stopped", pid, at))
        else:
            died = os.WTERMSIG(status) if os.WIFSIGNALED(status) else 0
            pipe.send(Event(children.pop(pid), "died", pid, at, died, os.waitstatus_to_exitcode(status)))


def _obey(pipe: Connection, children: dict[int, str], bells: tuple[socket.socket, socket.socket]) -> None:
    order, first, second, given = pipe.recv()
    if order == "signal":
        if first in children:
            os.kill(first, second)
        return
    pid = os.fork()
    if pid == 0:
        signal.set_wakeup_fd(-1)
        for end in (pipe, *bells):
            end.close()
        _become(order, second, given)
    children[pid] = first
    pipe.send(Event(first, "born", pid, time.time()))


def _become(order: str, log: Path, given: tuple[Any, ...]) -> None:
    """Be the child: its output goes to its log, its signals are the usual ones."""
    code = 1
    try:
        _end_with_parent()
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        signal.signal(signal.SIGINT, signal.SIG_DFL)
        with log.open("ab") as file:
            os.dup2(file.fileno(), 1)
            os.dup2(file.fileno(), 2)
        if order == "start":
            words, variables = given
            os.chdir(ROOT)
            os.execve(sys.executable, [sys.executable, "-m", "bot", *words], variables)
        work, arguments = given
        work(*arguments)
        code = 0
    except BaseException as error:  # the child must never return into its parent's loop
        print(f"{type(error).__name__}: {error}", file=sys.stderr)
    finally:
        sys.stderr.flush()
        sys.stdout.flush()
        os._exit(code)


def _end_with_parent() -> None:
    """Have the kernel end this process with its parent, however that ends."""
    ctypes.CDLL(None, use_errno=True).prctl(_DIES_WITH_PARENT, signal.SIGKILL)
