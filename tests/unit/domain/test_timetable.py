"""Windows, blackouts and the two nights on which the clocks change."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.domain.timetable import Daily, Timetable

KYIV = ZoneInfo("Europe/Kyiv")


def a_timetable(*windows: str, blackouts: tuple[str, ...] = ()) -> Timetable:
    return Timetable(
        zone=KYIV,
        windows=tuple(Daily.parse(text) for text in windows),
        blackouts=tuple(Daily.parse(text) for text in blackouts),
    )


def local(text: str, fold: int = 0) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=KYIV, fold=fold).astimezone(UTC)


def test_inside_a_window_a_post_may_go_at_once():
    at = local("2026-06-01T12:00")
    assert a_timetable("07:00-23:00").opens(at) == at


def test_before_a_window_a_post_waits_for_it_to_open():
    assert a_timetable("07:00-23:00").opens(local("2026-06-01T05:30")) == local("2026-06-01T07:00")


def test_at_the_moment_a_window_closes_a_post_waits_for_the_next_day():
    assert a_timetable("07:00-23:00").opens(local("2026-06-01T23:00")) == local("2026-06-02T07:00")


def test_a_window_on_working_days_skips_the_weekend():
    friday_night = local("2026-06-05T23:30")
    assert a_timetable("Mon-Fri 07:00-23:00").opens(friday_night) == local("2026-06-08T07:00")


def test_a_window_across_midnight_is_open_on_both_sides_of_it():
    timetable = a_timetable("Sat 22:00-02:00")
    assert timetable.opens(local("2026-06-07T01:30")) == local("2026-06-07T01:30")
    assert timetable.opens(local("2026-06-07T02:00")) == local("2026-06-13T22:00")


def test_a_blackout_inside_a_window_is_waited_out():
    timetable = a_timetable("07:00-23:00", blackouts=("09:00-09:02",))
    assert timetable.opens(local("2026-06-01T09:00")) == local("2026-06-01T09:02")


def test_blackouts_that_touch_are_waited_out_together():
    timetable = a_timetable(blackouts=("09:00-09:30", "09:30-10:00"))
    assert timetable.opens(local("2026-06-01T09:10")) == local("2026-06-01T10:00")


def test_blackouts_that_cover_the_day_never_open():
    assert a_timetable(blackouts=("00:00-12:00", "12:00-24:00")).opens(local("2026-06-01T09:10")) is None


def test_a_window_that_a_blackout_swallows_is_passed_over():
    timetable = a_timetable("09:00-10:00", blackouts=("Mon 08:00-11:00",))
    assert timetable.opens(local("2026-06-01T07:00")) == local("2026-06-02T09:00")


def test_without_windows_a_post_may_always_go():
    at = local("2026-06-01T03:00")
    assert a_timetable().opens(at) == at


def test_a_window_that_opens_in_the_hour_which_spring_skips_opens_right_after_it():
    opens = a_timetable("03:30-05:00").opens(local("2026-03-29T00:30"))
    assert opens == datetime(2026, 3, 29, 1, 0, tzinfo=UTC)


def test_a_window_wholly_inside_the_skipped_hour_does_not_happen_that_night():
    opens = a_timetable("03:10-03:50").opens(local("2026-03-29T00:30"))
    assert opens == local("2026-03-30T03:10")


def test_a_window_that_opens_in_the_doubled_hour_opens_at_its_first_pass():
    opens = a_timetable("03:30-05:00").opens(local("2026-10-25T00:30"))
    assert opens == datetime(2026, 10, 25, 0, 30, tzinfo=UTC)


def test_the_night_of_25_hours_counts_as_one_day():
    timetable = a_timetable()
    first, second = local("2026-10-25T03:30", fold=0), local("2026-10-25T03:30", fold=1)
    assert second - first == timedelta(hours=1)
    assert timetable.day_of(first) == timetable.day_of(second)


@pytest.mark.parametrize("text", ["7-9", "07:00", "25:00-26:00", "Foo 07:00-08:00", "", "07:00-08:61"])
def test_what_is_no_span_is_refused(text):
    with pytest.raises(ValueError, match=r"not like|must be in"):
        Daily.parse(text)


@given(st.datetimes(datetime(2026, 1, 1), datetime(2027, 12, 31), timezones=st.just(UTC)))  # noqa: DTZ001 - hypothesis wants naive bounds
def test_what_opens_is_never_earlier_and_always_inside_a_window_and_outside_a_blackout(at):
    timetable = a_timetable("Mon-Fri 07:00-23:00", "Sat 22:00-02:00", blackouts=("09:00-09:02", "23:50-00:10"))
    opens = timetable.opens(at)
    assert opens is not None
    assert opens >= at
    assert any(window.covers(opens, KYIV) for window in timetable.windows)
    assert not any(blackout.covers(opens, KYIV) for blackout in timetable.blackouts)
