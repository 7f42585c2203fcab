"""The precedence table of the contract, row by row, and the plan as a fold of it."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import count, pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.domain.delivery import DeliveryId, Kind, Turn
from bot.domain.plan import FOREVER, Head, Status, after_post, next_slot, plan
from bot.domain.timetable import Daily, Timetable

KYIV = ZoneInfo("Europe/Kyiv")
NOON = datetime(2026, 6, 1, 9, 0, tzinfo=UTC)  # 12:00 in Kyiv
NIGHT = datetime(2026, 6, 1, 0, 0, tzinfo=UTC)  # 03:00 in Kyiv
OPENS = datetime(2026, 6, 1, 4, 0, tzinfo=UTC)  # 07:00 in Kyiv
TABLE = Timetable(zone=KYIV, windows=(Daily.parse("07:00-23:00"),), min_gap=timedelta(minutes=5))
_numbers = count(1)


def a_head(turn: Turn = Turn.ORDINARY, *, at: datetime = NIGHT, pinned_at: datetime | None = None) -> Head:
    kinds = {Turn.WITHDRAWAL: Kind.WITHDRAW, Turn.EDIT: Kind.EDIT}
    return Head(
        delivery=DeliveryId(next(_numbers)),
        kind=kinds.get(turn, Kind.PUBLISH),
        turn=turn,
        turn_at=at,
        pinned_at=pinned_at,
    )


def when(head: Head, status: Status, now: datetime, table: Timetable = TABLE) -> datetime | None:
    slot = next_slot(table, status, [head], now)
    return slot.at if slot else None


ORDINARY, BREAKING, EDIT, WITHDRAWAL = (
    a_head(turn) for turn in (Turn.ORDINARY, Turn.BREAKING, Turn.EDIT, Turn.WITHDRAWAL)
)
PINNED = a_head(pinned_at=NIGHT)
ALL = {"ordinary": ORDINARY, "breaking": BREAKING, "pinned": PINNED, "edit": EDIT, "withdrawal": WITHDRAWAL}


@pytest.mark.parametrize(
    ("obstacle", "waits"),
    [
        ("window", {"ordinary"}),
        ("blackout", {"ordinary", "breaking", "pinned"}),
        ("min_gap", {"ordinary"}),
        ("max_per_day", {"ordinary"}),
        ("pace", {"ordinary", "breaking", "pinned", "edit", "withdrawal"}),
        ("pause", {"ordinary", "breaking", "pinned"}),
        ("stop", {"ordinary", "breaking", "pinned", "edit"}),
    ],
)
def test_the_table_of_what_gives_way_to_what(obstacle, waits):
    table, status, now = TABLE, Status(), NOON
    later = NOON + timedelta(minutes=3)
    match obstacle:
        case "window":
            now = NIGHT
        case "blackout":
            table = replace(TABLE, blackouts=(Daily.parse("12:00-12:03"),))
        case "min_gap":
            status = Status(last_at=NOON - timedelta(minutes=2))
        case "max_per_day":
            table = replace(TABLE, max_per_day=1)
            status = Status(day=TABLE.day_of(NOON), day_count=1)
        case "pace":
            status = Status(rests_until=later)
        case "pause":
            status = Status(paused_until=later)
        case "stop":
            status = Status(stopped_until=later)
    assert {name for name, head in ALL.items() if when(head, status, now, table) != now} == waits


def test_a_closed_window_is_waited_for():
    assert when(ORDINARY, Status(), NIGHT) == OPENS


def test_a_full_day_is_followed_by_the_next_one():
    status = Status(day=TABLE.day_of(NOON), day_count=3)
    assert when(ORDINARY, status, NOON, replace(TABLE, max_per_day=3)) == OPENS + timedelta(days=1)


def test_a_pause_without_an_end_has_no_slot():
    assert when(ORDINARY, Status(paused_until=FOREVER), NOON) is None


def test_an_embargo_is_kept_even_by_breaking_news():
    later = NOON + timedelta(hours=2)
    assert when(a_head(Turn.BREAKING, at=later), Status(), NOON) == later


def test_of_those_that_may_go_now_the_order_is_withdrawal_pinned_breaking_edit_ordinary():
    heads = [ORDINARY, EDIT, BREAKING, PINNED, WITHDRAWAL]
    at_once = replace(TABLE, min_gap=timedelta(0))
    order = [slot.head for slot in plan(at_once, Status(), heads, NOON)]
    assert order == [WITHDRAWAL, PINNED, BREAKING, EDIT, ORDINARY]


def test_a_pinned_post_whose_time_is_not_yet_come_lets_others_pass():
    pinned = a_head(pinned_at=NOON + timedelta(hours=1))
    assert [slot.head for slot in plan(TABLE, Status(), [pinned, ORDINARY], NOON)] == [ORDINARY, pinned]


@pytest.mark.parametrize(
    ("head", "expires"),
    [
        (a_head(at=NOON - timedelta(hours=13)), True),
        (a_head(Turn.BREAKING, at=NOON - timedelta(hours=13)), True),
        (a_head(at=NOON - timedelta(hours=11)), False),
        (a_head(at=NOON - timedelta(hours=13), pinned_at=NOON), False),
        (a_head(Turn.EDIT, at=NOON - timedelta(days=3)), False),
    ],
)
def test_an_article_too_old_at_its_turn_expires_unless_an_editor_pinned_it(head, expires):
    slot = next_slot(TABLE, Status(), [head], NOON)
    assert slot is not None
    assert slot.expires is expires


def test_a_post_counts_for_its_own_day_and_for_the_gap():
    status = after_post(TABLE, Status(day=TABLE.day_of(NOON), day_count=2), NOON)
    assert (status.last_at, status.day_count) == (NOON, 3)
    assert after_post(TABLE, status, NOON + timedelta(days=1)).day_count == 1


@given(
    st.lists(
        st.tuples(st.sampled_from([Turn.ORDINARY, Turn.BREAKING, Turn.EDIT]), st.integers(0, 3000)),
        max_size=25,
    )
)
def test_the_plan_names_each_waiting_delivery_once_and_never_goes_back_in_time(waiting):
    heads = [a_head(turn, at=NOON + timedelta(minutes=minutes)) for turn, minutes in waiting]
    slots = list(plan(TABLE, Status(), heads, NOON))
    assert sorted(slot.head.delivery for slot in slots) == sorted(head.delivery for head in heads)
    assert [slot.at for slot in slots] == sorted(slot.at for slot in slots)
    ordinary = [slot.at for slot in slots if slot.head.turn is Turn.ORDINARY and not slot.expires]
    assert all(later - earlier >= TABLE.min_gap for earlier, later in pairwise(ordinary))
