"""Decisions are told in the desk's words, with who made them, as far as they are known."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from bot.compose.markup import TELEGRAM_TEXT
from bot.desk.reasons import reason, told
from bot.desk.speaking import joined
from tests.factories import KYIV

NOW = datetime(2026, 11, 26, 12, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("decision", "detail", "said"),
    [
        ("stored", "stored from site, revision 1", "стаття надійшла"),
        ("queued", "waits for its turn", "стоїть у черзі"),
        ("queued", "waits for an editor", "стоїть у черзі: чекає на погодження"),
        (
            "not wanted",
            "rubric 'А' is not among this channel's rubrics",
            "цьому каналу не підходить: не та рубрика",
        ),
        (
            "expired",
            "it was older than 12:00:00 (fresh_for)",
            "не вийде, бо застаріло: минув час, поки вона свіжа",
        ),
        ("held: stale-words", "words that have aged: сьогодні, щойно", "затримано: слова застаріли: сьогодні, щойно"),
        ("held: editor", "hold (Олена (1001))", "відкладено (Олена)"),
        ("pin", "pin, for 2026-11-27T07:00:00+00:00 (Олена (1001))", "призначено час (Олена)"),
        ("planned", "pin, for 2026-11-27T07:00:00+00:00 (Олена (1001))", "чекає своєї черги: призначено час (Олена)"),
        ("cancelled", "cancel (<b>Олена</b> (1001))", "не вийде: скасовано (&lt;b&gt;Олена&lt;/b&gt;)"),
        ("a word of a later release", "something", "a word of a later release"),
    ],
)
def test_a_decision_is_said_in_the_desks_words(decision: str, detail: str, said: str) -> None:
    assert reason(decision, detail) == said


def test_of_many_decisions_the_newest_are_told_and_the_rest_counted() -> None:
    kept = [
        {"at": NOW - timedelta(minutes=400 - number), "channel": "main", "decision": "updated", "detail": str(number)}
        for number in range(400)
    ]
    lines = told(kept, NOW, KYIV)
    assert len("\n".join(lines)) < TELEGRAM_TEXT
    assert lines[0] == f"…і ще {400 - len(lines) + 1} раніше"
    assert lines[-1] == "сьогодні о 13:59 · main\nстаттю виправлено"


def test_a_long_list_fits_one_message_and_says_how_much_is_left_out() -> None:
    text = joined([f"{number:04} {'х' * 95}" for number in range(100)])
    assert len(text) < TELEGRAM_TEXT
    shown = text.count("\n")
    assert text.endswith(f"…і ще {100 - shown}")
    assert joined(["а", "б"]) == "а\nб"
