"""One line a record on stderr, and no secret in any of them."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator
from typing import Any

import pytest
import structlog

from bot.logs import Scrubber, logger, scrubbed, set_up

TOKEN = "1234567890:AAF-x_a-token-of-thirty-or-more-letters"


@pytest.fixture(autouse=True)
def _as_before() -> Iterator[None]:
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield
    root.handlers[:] = handlers
    root.setLevel(level)
    structlog.reset_defaults()


def records(captured: pytest.CaptureFixture[str]) -> list[dict[str, Any]]:
    out, err = captured.readouterr()
    assert out == ""
    return [json.loads(line) for line in err.splitlines()]


@pytest.mark.parametrize(
    "text",
    [
        f"POST https://api.telegram.org/bot{TOKEN}/sendPhoto",
        f"Authorization: Bearer {TOKEN}",
        "Authorization: Bearer EAAG-a-page-token",
        "https://graph.facebook.com/me?access_token=EAAG-a-page-token&fields=id",
        "appsecret_proof=0123456789abcdef0123456789abcdef",
        "the secret is geheimnis!",
    ],
)
def test_tokens_are_hidden_known_or_not(text: str) -> None:
    said = Scrubber(["geheimnis", "ge", ""])(text)
    assert "[hidden]" in said
    for secret in (TOKEN, "EAAG-a-page-token", "0123456789abcdef", "geheimnis"):
        assert secret not in said


def test_what_is_no_secret_stays_readable() -> None:
    text = "delivery 12: https://t.me/example/34 at 12:30:45, chat -1001234567890"
    assert Scrubber(["geheimnis"])(text) == text


def test_a_secret_that_holds_another_is_hidden_whole() -> None:
    assert Scrubber(["abcd", "abcd-efgh"])("x abcd-efgh y") == "x [hidden] y"


def test_records_of_ours_and_of_libraries_are_json_lines_without_secrets(capsys: pytest.CaptureFixture[str]) -> None:
    set_up(level="INFO", form="json", secrets=["geheimnis"])
    logger("web").info("asked with geheimnis", url=f"https://x/bot{TOKEN}/getMe", names=["geheimnis", "ok"], count=3)
    logging.getLogger("aiohttp.server").warning("refused %s", "geheimnis")
    first, second = records(capsys)
    assert (first["logger"], first["level"], first["count"]) == ("vistnyk.web", "info", 3)
    assert first["names"] == ["[hidden]", "ok"]
    assert first["url"] == "https://x/bot[hidden]/getMe"
    assert first["timestamp"].endswith("Z")
    assert second["event"] == "refused [hidden]"


def test_tracebacks_are_scrubbed_too(capsys: pytest.CaptureFixture[str]) -> None:
    set_up(level="INFO", form="json", secrets=["geheimnis"])
    for log in (logger("web"), logging.getLogger("asyncio")):
        try:
            raise RuntimeError("it was geheimnis")
        except RuntimeError:
            log.exception("it failed")
    for record in records(capsys):
        assert "RuntimeError: it was [hidden]" in record["exception"]
        assert "geheimnis" not in json.dumps(record)


@pytest.mark.parametrize("level", ["DEBUG", "INFO"])
def test_what_libraries_whisper_is_never_written(capsys: pytest.CaptureFixture[str], level: str) -> None:
    set_up(level=level, form="json", secrets=[])
    for library in ("httpx", "telegram.Bot", "aiosqlite", "sqlalchemy.engine.Engine", "alembic.runtime.migration"):
        logging.getLogger(library).info("POST /bot…")
        logging.getLogger(library).debug("POST /bot…")
    logger("outbox").debug("ours")
    assert [record["event"] for record in records(capsys)] == (["ours"] if level == "DEBUG" else [])


def test_the_level_is_kept(capsys: pytest.CaptureFixture[str]) -> None:
    set_up(level="ERROR", form="json", secrets=[])
    logger("outbox").warning("no")
    logging.getLogger("aiohttp.server").warning("no")
    logger("outbox").error("yes")
    assert [record["event"] for record in records(capsys)] == ["yes"]


def test_a_console_gets_words_and_whatever_is_no_terminal_gets_json(capsys: pytest.CaptureFixture[str]) -> None:
    set_up(level="INFO", form="console", secrets=["geheimnis"])
    logger("web").info("listens", port=8080, token="geheimnis")
    _, said = capsys.readouterr()
    assert "listens" in said
    assert "port=8080" in said
    assert "geheimnis" not in said
    set_up(level="INFO", form=None, secrets=[])
    logger("web").info("listens")
    assert [record["event"] for record in records(capsys)] == ["listens"]


def test_what_is_printed_beside_the_log_is_scrubbed_of_the_same() -> None:
    set_up(level="INFO", form="json", secrets=["geheimnis"])
    assert scrubbed("geheimnis!") == "[hidden]!"
