from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from bot.channels.errors_facebook import Aim, meaning
from bot.errors import BotError, NotPublishedError, ThrottledError, UnansweredError
from tests.unit.channels.rows import kept, shared

_CLASSES = {
    "transient": "UnansweredError",
    "rate": "ThrottledError",
    "permission": "AccessLostError",
    "token": "AccessLostError",
    "param": "RefusedError",
    "blocked": "ThrottledError",
    "duplicate": "UnansweredError",
    "link scrape": "RefusedError",
    "image": "PhotoRefusedError",
}


def _named(row: dict[str, Any]) -> BotError:
    aim, transient = Aim[row["aim"]], row.get("transient", False)
    return meaning(row["status"], row["code"], row["subcode"], row["message"], aim=aim, transient=transient)


@pytest.mark.parametrize(
    "row", kept("facebook"), ids=lambda row: f"{row['status']} {row['code']} {row['subcode']} {row['aim']}"
)
def test_each_known_answer_means_one_of_our_errors(row: dict[str, Any]) -> None:
    assert type(_named(row)).__name__ == row["means"]


def test_every_code_that_was_collected_means_what_its_class_says() -> None:
    known = {(row["code"], row["subcode"]) for row in kept("facebook")}
    for row in shared("facebook_spec.json")["hand"]["errors"]:
        codes = range(200, 300) if row["code"] == "200-299" else [row["code"]]
        words = row.get("message", "")
        wanted = "RefusedError" if "non-app posts" in words else _CLASSES[row["class"]]
        for code in codes:
            for subcode in (row.get("error_subcode", 0), *map(int, row.get("subcodes", {}))):
                assert type(meaning(400, code, subcode, words, aim=Aim.CHANGE)).__name__ == wanted
        for subcode in (row.get("error_subcode", 0), *map(int, row.get("subcodes", {}))):
            assert (codes[0], subcode) in known


def test_a_duplicate_is_read_back_and_neither_success_nor_a_reason_to_send_again() -> None:
    error = meaning(400, 506, 1455006, "Duplicate status message")
    assert isinstance(error, UnansweredError)
    assert not isinstance(error, NotPublishedError)


def test_a_throttle_waits_as_long_as_the_usage_headers_say() -> None:
    error = meaning(400, 80001, regain=timedelta(minutes=12))
    assert isinstance(error, ThrottledError)
    assert error.retry_after == timedelta(minutes=12)
    assert error.scope == "page"


def test_a_block_for_posting_too_fast_rests_an_hour_at_least() -> None:
    error = meaning(400, 368, regain=timedelta(minutes=12))
    assert isinstance(error, ThrottledError)
    assert error.retry_after == timedelta(hours=1)
