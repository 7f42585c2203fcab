"""python-telegram-bot's request class on our own transport.

The library keeps its own errors, so that whatever else is built on it works as its documentation says. Each of them
has the error of ours that it stands for as its `__cause__`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from telegram.error import (
    BadRequest,
    ChatMigrated,
    Conflict,
    Forbidden,
    InvalidToken,
    NetworkError,
    RetryAfter,
    TelegramError,
)
from telegram.request import BaseRequest, RequestData

from bot.channels.errors_telegram import meaning
from bot.channels.transport import Answer, Transport, Upload
from bot.errors import BotError, ThrottledError

if TYPE_CHECKING:
    from telegram._utils.types import ODVInput

_BY_STATUS: dict[int, type[TelegramError]] = {
    400: BadRequest,
    401: InvalidToken,
    403: Forbidden,
    404: InvalidToken,
    409: Conflict,
}


class TransportRequest(BaseRequest):
    """Sends the library's calls through a transport that somebody else opens and closes."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    @property
    def read_timeout(self) -> float:
        """Seconds for one whole call; long polls add their own."""
        return self._transport.timeout

    async def initialize(self) -> None:
        """Do nothing: the transport is opened by its owner."""

    async def shutdown(self) -> None:
        """Do nothing: the transport is closed by its owner."""

    async def do_request(
        self,
        url: str,
        method: str,
        request_data: RequestData | None = None,
        read_timeout: ODVInput[float] = BaseRequest.DEFAULT_NONE,
        write_timeout: ODVInput[float] = BaseRequest.DEFAULT_NONE,
        connect_timeout: ODVInput[float] = BaseRequest.DEFAULT_NONE,
        pool_timeout: ODVInput[float] = BaseRequest.DEFAULT_NONE,
    ) -> tuple[int, bytes]:
        """Make one call and return status and body of a success; every other end is raised.

        `read_timeout`, where given, is for the call as a whole; the others are not used.
        """
        try:
            answer = await self._transport.call(
                method,
                url,
                fields=request_data.json_parameters if request_data else None,
                files=_files(request_data),
                within=read_timeout if isinstance(read_timeout, int | float) else None,
            )
        except BotError as error:
            raise NetworkError(str(error)) from error
        if method == "GET":  # a file, not an answer of the Bot API
            if answer.status == 200:
                return answer.status, answer.body
            raise NetworkError(f"the file could not be had: HTTP {answer.status}")
        content = answer.content()
        if 200 <= answer.status < 300 and content is not None and content.get("ok") is True and "result" in content:
            return answer.status, answer.body
        raise _refusal(answer, content or {})


def _files(request_data: RequestData | None) -> dict[str, Upload] | None:
    if request_data is None or not request_data.contains_files:
        return None
    files = {}
    for name, (filename, content, kind) in request_data.multipart_data.items():
        files[name] = (filename, content if isinstance(content, bytes) else content.read(), kind)
    return files


def _refusal(answer: Answer, content: dict[str, Any]) -> TelegramError:
    """Return the library's error for an answer, with ours as its cause."""
    description, code = content.get("description"), content.get("error_code")
    in_form = content.get("ok") is False and isinstance(description, str) and code == answer.status
    words = str(description) if in_form else ""
    given = content.get("parameters")
    parameters = given if in_form and isinstance(given, dict) else {}
    ours = meaning(answer.status, words, parameters)
    theirs: TelegramError
    if isinstance(ours, ThrottledError):
        theirs = RetryAfter(ours.retry_after)
    elif isinstance(parameters.get("migrate_to_chat_id"), int):
        theirs = ChatMigrated(parameters["migrate_to_chat_id"])
    else:
        theirs = _BY_STATUS.get(answer.status if in_form else 0, NetworkError)(words or str(ours))
    theirs.__cause__ = ours
    return theirs
