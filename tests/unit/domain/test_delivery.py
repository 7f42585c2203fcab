"""The steps a delivery may take, and what each error means for it."""

from datetime import UTC, datetime, timedelta

import pytest

from bot.domain.article import ArticleId
from bot.domain.channel import ChannelId
from bot.domain.delivery import (
    FINAL,
    IN_FLIGHT,
    NEXT,
    WAITING,
    Delivery,
    DeliveryId,
    HeldReason,
    Kind,
    State,
    Turn,
    after_error,
    back_off,
    moved,
)
from bot.errors import (
    AccessLostError,
    GoneError,
    PhotoRefusedError,
    RefusedError,
    ThrottledError,
    TooLateError,
    TransitionError,
    UnansweredError,
    UnchangedError,
    UnreachableError,
)

NOW = datetime(2026, 6, 1, 9, 0, tzinfo=UTC)
LEASE = timedelta(seconds=30)


def a_delivery(state: State) -> Delivery:
    return Delivery(
        id=DeliveryId(7),
        kind=Kind.PUBLISH,
        channel_id=ChannelId(1),
        article_id=ArticleId(1),
        revision=1,
        state=state,
        turn=Turn.ORDINARY,
        turn_at=NOW,
    )


def test_every_state_is_waiting_in_flight_or_final_and_only_one_of_them():
    assert set(State) == IN_FLIGHT | FINAL | WAITING
    assert len(IN_FLIGHT) + len(FINAL) + len(WAITING) == len(State)


def test_what_may_be_public_is_never_sent_again_without_evidence():
    assert NEXT[State.SENDING] >= {State.UNKNOWN}
    assert State.CLAIMED not in NEXT[State.UNKNOWN]
    assert State.CANCELLED not in NEXT[State.UNKNOWN]


def test_a_published_delivery_never_moves_again():
    for state in State:
        with pytest.raises(TransitionError):
            moved(a_delivery(State.PUBLISHED), state, NOW)


def test_a_step_into_a_final_state_is_dated():
    assert moved(a_delivery(State.SENDING), State.PUBLISHED, NOW).finished_at == NOW
    assert moved(a_delivery(State.SENDING), State.UNKNOWN, NOW).finished_at is None


@pytest.mark.parametrize(
    ("error", "kind", "state"),
    [
        (UnansweredError("x"), Kind.PUBLISH, State.UNKNOWN),
        (UnansweredError("x"), Kind.DIGEST, State.UNKNOWN),
        (UnansweredError("x"), Kind.EDIT, State.PLANNED),
        (UnansweredError("x"), Kind.WITHDRAW, State.PLANNED),
        (RuntimeError("a fault of our own"), Kind.PUBLISH, State.UNKNOWN),
        (UnreachableError("x"), Kind.PUBLISH, State.PLANNED),
        (ThrottledError("x", timedelta(seconds=7)), Kind.PUBLISH, State.PLANNED),
        (RefusedError("x"), Kind.PUBLISH, State.FAILED),
        (PhotoRefusedError("x"), Kind.PUBLISH, State.PLANNED),
        (PhotoRefusedError("x"), Kind.EDIT, State.FAILED),
        (AccessLostError("x"), Kind.PUBLISH, State.HELD),
        (GoneError("x"), Kind.EDIT, State.PUBLISHED),
        (GoneError("x"), Kind.WITHDRAW, State.PUBLISHED),
        (GoneError("x"), Kind.PUBLISH, State.FAILED),
        (UnchangedError("x"), Kind.EDIT, State.PUBLISHED),
        (TooLateError("x"), Kind.WITHDRAW, State.PLANNED),
        (TooLateError("x"), Kind.EDIT, State.FAILED),
    ],
)
def test_what_an_error_means(error, kind, state):
    verdict = after_error(error, kind, 1, LEASE)
    assert verdict.state is state
    assert verdict.state in NEXT[State.SENDING]


def test_being_throttled_costs_no_attempt_and_is_waited_out():
    verdict = after_error(ThrottledError("x", timedelta(seconds=7)), Kind.PUBLISH, 1, LEASE)
    assert (verdict.free, verdict.wait) == (True, timedelta(seconds=7))


def test_lost_access_stops_the_channel():
    verdict = after_error(AccessLostError("x"), Kind.PUBLISH, 1, LEASE)
    assert verdict.stops_channel
    assert verdict.held_reason is HeldReason.ACCESS


def test_a_refused_photo_goes_one_rung_down():
    assert after_error(PhotoRefusedError("x"), Kind.PUBLISH, 1, LEASE).step_down


def test_an_unanswered_edit_is_left_alone_for_a_lease():
    assert after_error(UnansweredError("x"), Kind.EDIT, 1, LEASE).wait >= LEASE


def test_rests_grow_and_stay_bounded():
    rests = [back_off(attempts) for attempts in range(20)]
    assert rests == sorted(rests)
    assert rests[-1] == timedelta(minutes=5)
