from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from bot.channels.errors_telegram import meaning
from bot.errors import AccessLostError, BotError, ThrottledError, UnansweredError
from tests.unit.channels.rows import kept, shared


@pytest.mark.parametrize("row", kept("telegram"), ids=lambda row: f"{row['status']} {row['description'][:50]}")
def test_each_known_answer_means_one_of_our_errors(row: dict[str, Any]) -> None:
    assert type(meaning(row["status"], row["description"], row.get("parameters"))).__name__ == row["means"]


def test_every_answer_that_was_collected_is_in_the_table() -> None:
    known = {(row["status"], row["description"].replace("after 17", "after N")) for row in kept("telegram")}
    for row in shared("telegram_errors.json")["errors"]:
        words = "" if "(HTML body" in row["description"] else row["description"]
        assert (row["http_status"], words) in known
        assert isinstance(meaning(row["http_status"], words), BotError)


def test_every_markup_complaint_is_a_refusal_of_the_post() -> None:
    for template in shared("telegram_errors.json")["html_errors"]:
        error = meaning(400, template.format(n=7, tag="p", a="b", b="i"))
        assert type(error).__name__ == "RefusedError"


def test_a_throttle_tells_how_long_to_wait() -> None:
    error = meaning(429, "Too Many Requests: retry after 5", {"retry_after": 35})
    assert isinstance(error, ThrottledError)
    assert error.retry_after == timedelta(seconds=35)
    assert error.scope == "chat"


def test_a_throttle_without_its_number_is_read_from_the_words_or_waits_a_while() -> None:
    told, silent = meaning(429, "Too Many Requests: retry after 5"), meaning(429, "Too Many Requests")
    assert isinstance(told, ThrottledError)
    assert isinstance(silent, ThrottledError)
    assert told.retry_after == timedelta(seconds=5)
    assert silent.retry_after > timedelta(seconds=10)


def test_a_chat_that_moved_names_its_new_id() -> None:
    words = "Bad Request: group chat was upgraded to a supergroup chat"
    error = meaning(400, words, {"migrate_to_chat_id": -100777})
    assert isinstance(error, AccessLostError)
    assert "-100777" in str(error)


def test_a_server_error_is_never_a_definite_refusal_whatever_it_says() -> None:
    for words in ("Bad Request: chat not found", "Too Many Requests: retry after 3", "Unauthorized"):
        assert isinstance(meaning(500, words), UnansweredError)
