"""How many calls a rate lets through, in any window and at any start."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.domain.pace import Rate, parse_rates

START = datetime(2026, 6, 1, 9, 0, tzinfo=UTC)


def calls(rate: Rate, wants: list[float]) -> list[datetime]:
    arrival, left = None, []
    for seconds in wants:
        at = rate.earliest(arrival, START + timedelta(seconds=seconds))
        arrival = rate.after(arrival, at)
        left.append(at)
    return left


def test_once_a_second_leaves_once_a_second_however_many_wait():
    assert calls(Rate.parse("1/s"), [0] * 4) == [START + timedelta(seconds=number) for number in range(4)]


def test_twenty_a_minute_lets_five_through_at_once():
    left = calls(Rate.parse("20/m"), [0] * 7)
    assert left[4] == START
    assert left[5] == START + timedelta(seconds=4)


def test_off_is_no_rate():
    assert parse_rates("off") == ()


@pytest.mark.parametrize("text", ["1", "1/x", "0/s", "-1/s", "1/s;2/m"])
def test_what_is_no_rate_is_refused(text):
    with pytest.raises(ValueError, match="is not like"):
        parse_rates(text)


@given(
    st.sampled_from(["1/s", "20/m", "30/s", "100/h", "3/m"]),
    st.lists(st.floats(0, 300), min_size=1, max_size=80).map(sorted),
)
def test_no_window_of_a_rates_period_ever_holds_more_calls_than_it_allows(text, wants):
    rate = Rate.parse(text)
    left = calls(rate, wants)
    for first in left:
        within = [at for at in left if first <= at < first + rate.period - timedelta(microseconds=100)]
        assert len(within) <= rate.count
