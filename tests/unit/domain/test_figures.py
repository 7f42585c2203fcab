"""What posts add up to."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any

from bot.domain.channel import Platform
from bot.domain.delivery import DeliveryId
from bot.domain.figures import MOST_DAYS, REACTION, Counted, Day, add_up, apart, earliest, reactions
from tests.factories import KYIV, NOON

DAY = timedelta(days=1)


def a_post(number: int = 1, **changes: Any) -> Counted:
    values: dict[str, Any] = {
        "delivery_id": DeliveryId(number),
        "channel": "main",
        "platform": Platform.TELEGRAM,
        "title": f"Допис {number}",
        "permalink": None,
        "published_at": NOON,
    }
    return Counted(**(values | changes))


def test_days_and_hours_are_those_of_the_outlet_and_not_of_utc():
    late = datetime(2026, 5, 31, 22, 30, tzinfo=UTC)  # 01:30 on Monday in Kyiv
    stats = add_up([a_post(published_at=late, reactions=3)], {}, late - DAY, NOON, KYIV)
    assert stats.days == (Day(date(2026, 5, 31)), Day(date(2026, 6, 1), 1, 3))
    assert stats.heat[0][1] == 1
    assert sum(map(sum, stats.heat)) == 1


def test_a_day_of_twenty_five_hours_is_one_day():
    before, after = datetime(2026, 10, 24, 21, tzinfo=UTC), datetime(2026, 10, 25, 21, 30, tzinfo=UTC)
    stats = add_up([a_post(published_at=before), a_post(2, published_at=after)], {}, before, after, KYIV)
    assert stats.days == (Day(date(2026, 10, 25), 2),)


def test_the_best_posts_are_those_with_most_reactions_and_never_one_that_was_withdrawn():
    posts = [a_post(number, reactions=number) for number in range(8)]
    posts.append(a_post(99, reactions=1000, withdrawn_at=NOON))
    stats = add_up(posts, {}, NOON - DAY, NOON, KYIV)
    assert [post.delivery_id for post in stats.best] == [7, 6, 5, 4, 3]
    assert (stats.posts, stats.withdrawn, stats.reactions) == (9, 1, 1028)


def test_where_nobody_reacted_the_best_are_those_most_clicked():
    posts = [a_post(1, clicks=5), a_post(2, clicks=9), a_post(3)]
    assert [post.delivery_id for post in add_up(posts, {}, NOON - DAY, NOON, KYIV).best] == [2, 1]


def test_what_facebook_did_not_tell_is_not_taken_for_zero():
    posts = [a_post(reactions=4), a_post(2, platform=Platform.FACEBOOK)]
    stats = add_up(posts, {}, NOON - DAY, NOON, KYIV)
    assert (stats.facebook_reactions, stats.clicks, stats.views) == (None, None, None)
    posts.append(a_post(3, platform=Platform.FACEBOOK, reactions=2, clicks=0, views=7))
    stats = add_up(posts, {}, NOON - DAY, NOON, KYIV)
    assert (stats.facebook_reactions, stats.clicks, stats.views) == (2, 0, 7)


def test_the_median_leaves_out_posts_of_no_single_article():
    waits = [timedelta(minutes=2), None, timedelta(minutes=4), timedelta(hours=9)]
    posts = [a_post(number, waited=wait) for number, wait in enumerate(waits)]
    assert add_up(posts, {}, NOON - DAY, NOON, KYIV).median_minutes == 4
    assert add_up([a_post()], {}, NOON - DAY, NOON, KYIV).median_minutes is None


def test_no_posts_are_an_account_too():
    stats = add_up([], {}, NOON - 6 * DAY, NOON, KYIV)
    assert (stats.posts, stats.reactions_per_post, len(stats.days), stats.best) == (0, 0.0, 7, ())


def test_an_account_reaches_no_further_back_than_a_year():
    assert earliest(NOON - 4000 * DAY, NOON) == NOON - MOST_DAYS * DAY
    assert earliest(NOON - DAY, NOON) == NOON - DAY


def test_reactions_come_most_frequent_first_without_those_that_nobody_holds():
    told = {f"{REACTION}👍": 2, f"{REACTION}❤": 5, f"{REACTION}😢": 0, "clicks": 9}
    assert list(reactions(told).items()) == [("❤", 5), ("👍", 2)]


def test_a_series_told_every_second_for_a_year_has_a_few_hundred_points():
    age, points = timedelta(0), 0
    while age < timedelta(days=365):
        age += apart(age)
        points += 1
    assert 300 < points < 600
