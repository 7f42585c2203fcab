"""The guard at the socket: it looks at the clock right before bytes of a call leave, and lets none leave late.

A process may be frozen between deciding to call and calling, and in the middle of an upload: a body that goes on an
hour later is published all the same, when others have long taken its post for lost. So the clock is asked where the
kernel is: the first byte of a call leaves by the deadline of `leave_by`, its last one before its time-out is over.
What stays open is the time between the look and the system call after it, some microseconds.

It relies on asyncio handing each write to the socket's own `send` or `sendmsg`, as its selector loops do.
"""

from __future__ import annotations

import math
import socket
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from bot.errors import BotError, LateError, UnansweredError, UnreachableError

if TYPE_CHECKING:
    from _typeshed import ReadableBuffer

_leave_by: ContextVar[float] = ContextVar("leave_by", default=math.inf)


@contextmanager
def leave_by(deadline: float) -> Iterator[None]:
    """Let no call of this task begin to leave after a deadline; such a call ends in LateError.

    Args:
        deadline: as `Clock.running()` counts.
    """
    token = _leave_by.set(deadline)
    try:
        yield
    finally:
        _leave_by.reset(token)


@dataclass(slots=True)
class Call:
    """What has become of one call: whether it got a connection, and whether its bytes began to leave.

    `ends_at` is when its time-out is over, as `running` counts. Only a `repeatable` call may be begun twice.
    """

    running: Callable[[], float]
    ends_at: float
    repeatable: bool
    connected: bool = False
    begun: bool = False
    stopped: bool = False

    def look(self) -> None:
        """Pass bytes on their way out, or stop the call.

        Raises:
            ConnectionAbortedError: it is too late.
        """
        now = self.running()
        if now > (self.ends_at if self.begun else min(self.ends_at, _leave_by.get())):
            self.stopped = True
            raise ConnectionAbortedError("too late")
        self.begun = self.connected  # what leaves before is the greeting of TLS

    def fault(self, where: str, why: str) -> BotError:
        """Return the error that the call ended with."""
        if self.stopped and not self.begun:
            return LateError(f"{where}not sent, it was too late for it")
        if self.connected:
            return UnansweredError(f"{where}no whole answer ({why})")
        return UnreachableError(f"{where}no connection ({why})")


# Bytes that have to wait are sent by the loop, which does so in the context of whoever wrote them.
_call: ContextVar[Call | None] = ContextVar("call", default=None)


@contextmanager
def guarded(call: Call) -> Iterator[Call]:
    """Let the sockets of this task look at this call's times."""
    token = _call.set(call)
    try:
        yield call
    except BaseException:
        call.ends_at = -math.inf  # its connection is closed, but asyncio would first send what still waits
        raise
    else:
        call.ends_at = math.inf  # its connection is kept, and with it this context, for the calls to come
    finally:
        _call.reset(token)


class GuardedSocket(socket.socket):
    """A socket that asks before it sends."""

    def send(self, data: ReadableBuffer, flags: int = 0, /) -> int:
        _look()
        return super().send(data, flags)

    def sendmsg(self, buffers: Iterable[ReadableBuffer], /, *more: Any) -> int:
        _look()
        return super().sendmsg(buffers, *more)


def _look() -> None:
    call = _call.get()
    if call is not None:
        call.look()
