"""Structured logs on stderr. Every record, tracebacks included, is scrubbed of the secrets the process knows."""

from __future__ import annotations

import logging
import re
import sys
from collections.abc import Iterable, MutableMapping
from typing import Any

import structlog

_HIDDEN = "[hidden]"
# A bot token in an address or a text, whoever's it is; a bearer token; a token in a query.
_TOKEN = re.compile(
    r"(?<!\d)\d{6,12}(?::|%3[Aa])[A-Za-z0-9_-]{30,}"
    r"|(?<=[Bb]earer )\S+|(?<=access_token=)[^&\s\"']+|(?<=appsecret_proof=)\w+"
)
_OURS = "vistnyk"  # above all our logs; what libraries say below a warning is never shown: it may hold anything


class Scrubber:
    """Replaces secrets in texts."""

    def __init__(self, secrets: Iterable[str] = ()) -> None:
        known = sorted({secret for secret in secrets if len(secret) >= 4}, key=len, reverse=True)
        self._known = re.compile("|".join(map(re.escape, known))) if known else None

    def __call__(self, text: str) -> str:
        """Return the text without a secret in it."""
        if self._known is not None:
            text = self._known.sub(_HIDDEN, text)
        return _TOKEN.sub(_HIDDEN, text)


_scrub = Scrubber()


def set_up(*, level: str, form: str | None, secrets: Iterable[str]) -> None:
    """Send structlog and the standard library's records the same way to stderr.

    Args:
        level: DEBUG, INFO, WARNING or ERROR.
        form: `console` or `json`; None chooses by whether stderr is a terminal.
        secrets: what must never be written.
    """
    global _scrub
    scrub = _scrub = Scrubber(secrets)
    as_json = form == "json" or (form is None and not sys.stderr.isatty())

    def clean(_: Any, __: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
        for key, value in event.items():
            event[key] = plain(value)
        return event

    def plain(value: Any) -> Any:
        if isinstance(value, int | float | bool | None):
            return value
        if isinstance(value, list | tuple):
            return [plain(one) for one in value]
        return scrub(value if isinstance(value, str) else repr(value))

    shared: list[Any] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.stdlib.ExtraAdder(),
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.StackInfoRenderer(),
        structlog.processors.format_exc_info,
    ]
    ending: list[Any] = [
        structlog.stdlib.ProcessorFormatter.remove_processors_meta,
        clean,
        structlog.processors.JSONRenderer(ensure_ascii=False)
        if as_json
        else structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty()),
    ]
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(structlog.stdlib.ProcessorFormatter(foreign_pre_chain=shared, processors=ending))
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(max(logging.WARNING, logging.getLevelName(level)))
    logging.getLogger(_OURS).setLevel(level)
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        wrapper_class=structlog.make_filtering_bound_logger(logging.getLevelName(level)),
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=False,
    )


def logger(room: str) -> Any:
    """Return the log of a room."""
    return structlog.get_logger(f"{_OURS}.{room}")


def scrubbed(text: str) -> str:
    """Return a text without the secrets that `set_up` was told of, for what is printed beside the log."""
    return _scrub(text)
