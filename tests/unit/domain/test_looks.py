from __future__ import annotations

import random
from datetime import UTC, datetime, timedelta

from bot.domain.looks import ENOUGH, Looks, after_look, alike, nothing_escapes

NOON = datetime(2026, 6, 1, 12, tzinfo=UTC)
APART = timedelta(seconds=20)
OLDER = ("3", "4", "5")


def looked(*shown_at: tuple[int, tuple[str, ...]]) -> Looks:
    """Return the looks after some at seconds past the settle time."""
    looks = Looks()
    for seconds, shown in shown_at:
        now = NOON + timedelta(seconds=seconds)
        looks = after_look(looks, shown, now, settled_at=NOON, apart=APART)
    return looks


def test_three_looks_that_agree_prove_absence() -> None:
    assert not looked((0, OLDER), (20, OLDER)).enough
    assert looked((0, OLDER), (20, OLDER), (40, OLDER)).enough


def test_before_the_settle_time_is_over_no_look_counts() -> None:
    assert looked((-60, OLDER), (-40, OLDER), (-20, OLDER)).count == 0
    assert not looked((-20, OLDER), (0, OLDER), (20, OLDER)).enough


def test_looks_in_quick_succession_count_as_one() -> None:
    assert looked((0, OLDER), (1, OLDER), (2, OLDER), (3, OLDER)).count == 1


def test_a_look_that_shows_other_posts_begins_anew() -> None:
    assert looked((0, OLDER), (20, OLDER), (40, ("3", "5"))).count == 1


def test_looks_of_which_nothing_older_is_visible_never_agree() -> None:
    assert looked((0, ()), (20, ()), (40, ())).count == 1


def test_what_new_posts_push_off_a_numbered_page_is_not_missed() -> None:
    assert alike(("1", "2", "3"), ("2", "3"))
    assert not alike(("1", "2", "4"), ("2", "3", "4"))


def test_a_clock_that_was_set_back_does_not_stop_the_looks() -> None:
    assert looked((3600, OLDER), (0, OLDER), (20, OLDER)).enough


def test_channels_that_show_everything_are_seen_whole_after_three_looks() -> None:
    assert not nothing_escapes([OLDER] * (ENOUGH - 1))
    assert nothing_escapes([OLDER] * ENOUGH)
    assert nothing_escapes([()] * ENOUGH)


def test_the_more_looks_leave_out_the_more_of_them_it_takes() -> None:
    chance = random.Random(1)
    taken = []
    for omitted in (0.0, 0.02, 0.1, 0.3):
        looks: list[set[str]] = []
        while not nothing_escapes(looks):
            looks.append({str(number) for number in range(20) if chance.random() >= omitted})
        taken.append(len(looks))
        assert set().union(*looks) == {str(number) for number in range(20)}
    assert taken == sorted(taken)
    assert taken[0] == ENOUGH
    assert taken[-1] >= 8
