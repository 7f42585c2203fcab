"""Questions come often while a post is fresh, rarely when it is old, and end."""

from __future__ import annotations

from datetime import datetime, timedelta
from itertools import pairwise

from bot.insights import rhythm
from tests.factories import NOON


def questions() -> list[timedelta]:
    """Return at which ages a post that always answers is asked about."""
    ages: list[timedelta] = []
    at: datetime | None = NOON + rhythm.FIRST
    while at is not None:
        ages.append(at - NOON)
        at = rhythm.next_question(NOON, at)
    return ages


def test_a_post_is_asked_about_often_in_its_first_hours_and_seldom_after_days():
    ages = questions()
    assert sum(age <= timedelta(hours=2) for age in ages) >= 5
    assert sum(age > timedelta(days=7) for age in ages) <= 3


def test_the_distance_between_questions_never_shrinks_until_the_last():
    ages = questions()
    gaps = [later - earlier for earlier, later in pairwise(ages)]
    assert gaps[:-1] == sorted(gaps[:-1])


def test_the_last_question_comes_when_the_time_is_over_and_none_after_it():
    ages = questions()
    assert ages[-1] == rhythm.LASTS
    assert len(ages) < 30
    assert rhythm.next_question(NOON, NOON + rhythm.LASTS + timedelta(days=1)) is None


def test_a_post_from_the_future_of_a_wrong_clock_is_asked_about_like_a_fresh_one():
    assert rhythm.next_question(NOON + timedelta(days=1), NOON) == NOON + rhythm.FIRST


def test_every_question_in_vain_is_followed_by_a_longer_wait_up_to_half_a_day():
    waits = [rhythm.after_miss(NOON, misses) - NOON for misses in range(1, 1000)]
    assert waits[:3] == [timedelta(minutes=30), timedelta(hours=2), timedelta(hours=8)]
    assert set(waits[3:]) == {timedelta(hours=12)}
