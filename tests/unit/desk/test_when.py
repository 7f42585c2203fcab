"""Times are read as people write them, and what cannot be meant is refused with a line that helps."""

from __future__ import annotations

import time as clocks
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.agenda import refusals
from bot.desk import texts
from bot.desk.when import FARTHEST, read, until
from bot.errors import DeskError

KYIV = ZoneInfo("Europe/Kyiv")
NOW = datetime(2026, 11, 26, 15, 20, 7, tzinfo=KYIV).astimezone(UTC)  # a Thursday


def shown(at: datetime) -> str:
    assert at.utcoffset() == timedelta(0)
    return at.astimezone(KYIV).strftime("%d.%m.%Y %H:%M")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("18:30", "26.11.2026 18:30"),
        ("о 18:30", "26.11.2026 18:30"),
        ("О 18.30", "26.11.2026 18:30"),
        ("об 16:05", "26.11.2026 16:05"),
        ("в 18:30", "26.11.2026 18:30"),
        ("«18:30»", "26.11.2026 18:30"),
        ("о 20", "26.11.2026 20:00"),
        ("о 20 годині", "26.11.2026 20:00"),
        ("сьогодні о 20", "26.11.2026 20:00"),
        ("завтра 9:00", "27.11.2026 09:00"),
        ("завтра о 9", "27.11.2026 09:00"),
        ("завтра, о 9:05.", "27.11.2026 09:05"),
        ("Завтра  \u00a0об 11", "27.11.2026 11:00"),
        ("о 9 завтра", "27.11.2026 09:00"),
        ("9:00 завтра", "27.11.2026 09:00"),
        ("післязавтра 10.15", "28.11.2026 10:15"),
        ("пт 10:00", "27.11.2026 10:00"),
        ("пт. 10", "27.11.2026 10:00"),
        ("у п'ятницю о 10", "27.11.2026 10:00"),
        ("у п’ятницю о 10", "27.11.2026 10:00"),
        ("в понеділок 8:30", "30.11.2026 08:30"),
        ("чт 16:00", "26.11.2026 16:00"),
        ("чт 15:00", "03.12.2026 15:00"),
        ("у середу о 7", "02.12.2026 07:00"),
        ("неділя 12:00", "29.11.2026 12:00"),
        ("27.11 10:00", "27.11.2026 10:00"),
        ("27.11 о 10", "27.11.2026 10:00"),
        ("27.11.2026 10:00", "27.11.2026 10:00"),
        ("27.11.26 10:00", "27.11.2026 10:00"),
        ("27 листопада 9:00", "27.11.2026 09:00"),
        ("27 листопада 2026 року, о 9:00", "27.11.2026 09:00"),
        ("2 грудня о 9", "02.12.2026 09:00"),
        ("5 січня 9:00", "05.01.2027 09:00"),
        ("05.01 9:00", "05.01.2027 09:00"),
        ("через 20 хв", "26.11.2026 15:40"),
        ("через 20 хвилин", "26.11.2026 15:40"),
        ("за 5 хв.", "26.11.2026 15:25"),
        ("через 2 години", "26.11.2026 17:20"),
        ("через 2 год", "26.11.2026 17:20"),
        ("через 1 год 30 хв", "26.11.2026 16:50"),
        ("за годину", "26.11.2026 16:20"),
        ("через пів години", "26.11.2026 15:50"),
        ("через 2 дні", "28.11.2026 15:20"),
        ("через тиждень", "03.12.2026 15:20"),
        ("30m", "26.11.2026 15:50"),
        ("1h30m", "26.11.2026 16:50"),
        ("2 год", "26.11.2026 17:20"),
        ("00:00 27.11", "27.11.2026 00:00"),
    ],
)
def test_a_time_is_understood_as_people_write_it(text: str, expected: str) -> None:
    assert shown(read(text, NOW, KYIV)) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("30m", "26.11.2026 15:50"),
        ("30 хв", "26.11.2026 15:50"),
        ("2 год", "26.11.2026 17:20"),
        ("на 2 години", "26.11.2026 17:20"),
        ("на годину", "26.11.2026 16:20"),
        ("годину", "26.11.2026 16:20"),
        ("до 18:00", "26.11.2026 18:00"),
        ("до завтра 9:00", "27.11.2026 09:00"),
        ("до пт 10", "27.11.2026 10:00"),
        ("18:00", "26.11.2026 18:00"),
    ],
)
def test_how_long_a_pause_lasts_is_understood(text: str, expected: str) -> None:
    assert shown(until(text, NOW, KYIV)) == expected


@pytest.mark.parametrize(
    ("text", "refusal"),
    [
        ("", texts.NO_TIME),
        ("колись", texts.NO_TIME),
        ("9", texts.NO_TIME),
        ("25:00", texts.NO_TIME),
        ("18:60", texts.NO_TIME),
        ("завтра о 24", texts.NO_TIME),
        ("через", texts.NO_TIME),
        ("через рік", texts.NO_TIME),
        ("<b>18:30</b>", texts.NO_TIME),
        ("18:30" * 2000, texts.NO_TIME),
        ("завтра", texts.NO_CLOCK.format(day="завтра")),
        ("27.11.2026", texts.NO_CLOCK.format(day="27.11.2026")),
        ("27 листопада", texts.NO_CLOCK.format(day="27 листопада")),
        ("15:20", texts.PAST_TODAY.format(time="15:20")),
        ("9:00", texts.PAST_TODAY.format(time="09:00")),
        ("сьогодні 9:00", refusals.PAST),
        ("25.11 10:00", refusals.PAST),
        ("01.06.2026 10:00", refusals.PAST),
        ("через 0 хв", refusals.PAST),
        ("31.11 10:00", texts.NO_SUCH_DAY),
        ("27.13 10:00", texts.NO_SUCH_DAY),
        ("29 лютого 10:00", texts.NO_SUCH_DAY),
        ("через 999 днів", refusals.TOO_FAR),
        ("через 9999 годин", refusals.TOO_FAR),
        ("27.11.2099 10:00", refusals.TOO_FAR),
    ],
)
def test_what_is_no_time_to_come_is_refused_with_a_line_that_helps(text: str, refusal: str) -> None:
    for reader in (read, until):
        with pytest.raises(DeskError) as refused:
            reader(text, NOW, KYIV)
        assert str(refused.value) == refusal


def test_a_doubled_hour_means_its_first_turn_and_the_second_once_that_is_over() -> None:
    before = datetime(2026, 10, 25, 0, 0, tzinfo=UTC)  # 3:00 summer time; at 4:00 the clocks go back to 3:00
    assert read("3:30", before, KYIV) == datetime(2026, 10, 25, 0, 30, tzinfo=UTC)
    between = datetime(2026, 10, 25, 0, 45, tzinfo=UTC)  # 3:45, for the first time
    assert read("3:30", between, KYIV) == datetime(2026, 10, 25, 1, 30, tzinfo=UTC)
    with pytest.raises(DeskError):
        read("3:30", datetime(2026, 10, 25, 1, 30, tzinfo=UTC), KYIV)


def test_a_skipped_time_is_the_moment_after_the_skip() -> None:
    before = datetime(2026, 3, 28, 12, 0, tzinfo=UTC)  # in the night to 29 March 3:00 becomes 4:00
    assert shown(read("завтра 3:30", before, KYIV)) == "29.03.2026 04:00"


def test_hours_are_as_long_as_they_are_and_days_keep_the_hour_of_the_clocks() -> None:
    eve = datetime(2026, 3, 28, 20, 0, tzinfo=KYIV).astimezone(UTC)
    assert shown(read("через 12 годин", eve, KYIV)) == "29.03.2026 09:00"
    assert shown(read("через 1 день", eve, KYIV)) == "29.03.2026 20:00"


MOMENTS = st.integers(0, 6 * 366 * 86_400).map(
    lambda seconds: datetime(2024, 1, 1, tzinfo=UTC) + timedelta(seconds=seconds)
)
PIECES = (
    "через за о об в у на до завтра сьогодні післязавтра пт пятницю чт 18:30 9 10.15 27.11 31.12 29.02 листопада "
    "грудня 2 30 хв год дні m h d тиждень годину 2027 00:00 03:30 «» , . - : ٣ ² İ"
).split()
TEXTS = st.one_of(st.text(max_size=80), st.lists(st.sampled_from(PIECES), max_size=6).map(" ".join))


@settings(max_examples=600, deadline=None)
@given(text=TEXTS, now=MOMENTS, zone=st.sampled_from(["Europe/Kyiv", "America/Sao_Paulo", "Asia/Kathmandu", "UTC"]))
def test_any_text_is_a_time_to_come_or_is_refused(text: str, now: datetime, zone: str) -> None:
    for reader in (read, until):
        with suppress(DeskError):
            at = reader(text, now, ZoneInfo(zone))
            assert now < at <= now + FARTHEST
            assert at.utcoffset() == timedelta(0)


@pytest.mark.parametrize("text", ["1" * 2_000_000, "завтра " * 300_000, "\ud800" * 100_000, " " * 1_000_000])
def test_a_huge_text_is_refused_at_once(text: str) -> None:
    began = clocks.perf_counter()
    for reader in (read, until):
        with pytest.raises(DeskError):
            reader(text, NOW, KYIV)
    assert clocks.perf_counter() - began < 0.5
