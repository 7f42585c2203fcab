"""A time as printed is a certain moment, or none."""

from __future__ import annotations

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.sources.times import day, moment

KYIV = ZoneInfo("Europe/Kyiv")
SEVEN = datetime(2024, 1, 31, 17, tzinfo=UTC)


@pytest.mark.parametrize(
    "text",
    [
        "2024-01-31T19:00:00+02:00",
        "2024-01-31T19:00:00+0200",
        "2024-01-31T19:00:00+02",
        "2024-01-31T17:00:00Z",
        "2024-01-31T17:00:00.000Z",
        "2024-01-31 17:00 UTC",
        "2024-01-31 19:00:00",
        "2024-01-31T19:00",
        "31.01.2024 19:00",
        "31.1.2024, 19:00:00",
        "Wed, 31 Jan 2024 19:00:00 +0200",
        "Wed, 31 Jan 2024 19:00:00 +02:00",
        "Wed, 31 Jan 2024 17:00:00 GMT",
        "31 Jan 2024 19:00:00",
        "Wed, 31 Jan 2024 19:00:00 EET",
    ],
)
def test_times_as_outlets_write_them_are_read(text: str) -> None:
    assert moment(text, KYIV) == SEVEN


@pytest.mark.parametrize(
    "text",
    [
        "",
        "00:05 год. 17 січня",
        "вчора о 19:00",
        "2024-01-31",
        "31.01.2024",
        "2024-13-31T19:00:00Z",
        "31.02.2024 19:00",
        "Wed, 31 Jan 24 19:00:00 +0200 2024",
        "1706720400",
        "0000-00-00 00:00:00",
        "1970-01-01T00:00:00Z",
        "9999-12-31T23:59:59-14:00",
        "Thu, 01 Jan 1970 00:00:00 +0000",
    ],
)
def test_what_is_no_certain_time_is_none(text: str) -> None:
    assert moment(text, KYIV) is None


def test_a_time_without_a_zone_is_none_where_no_zone_is_known() -> None:
    assert moment("2024-01-31T19:00", None) is None
    assert moment("2024-01-31T19:00+02:00", None) == SEVEN


def test_summer_and_winter_differ() -> None:
    assert moment("01.07.2024 12:00", KYIV) == datetime(2024, 7, 1, 9, tzinfo=UTC)


def test_a_day_begins_where_the_outlet_is() -> None:
    assert day("2024-01-31", KYIV) == day("31.1.2024", KYIV) == datetime(2024, 1, 30, 22, tzinfo=UTC)
    assert [day("2024-01-31", None), day("32.1.2024", KYIV), day("сьогодні", KYIV)] == [None] * 3


@given(st.text(max_size=40))
def test_no_text_makes_it_raise(text: str) -> None:
    at = moment(text, KYIV)
    assert at is None or at.tzinfo is UTC
