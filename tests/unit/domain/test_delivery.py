"""The steps a delivery may take, and what each error means for it."""

from datetime import UTC, datetime, timedelta

import pytest

from bot.domain.article import ArticleId
from bot.domain.channel import ChannelId
from bot.domain.delivery import (
    FINAL,
    IN_FLIGHT,
    LAST_RUNG,
    NEXT,
    WAITING,
    Delivery,
    DeliveryId,
    HeldReason,
    Kind,
    State,
    Turn,
    Verdict,
    after_error,
    back_off,
    moved,
)
from bot.errors import (
    AccessLostError,
    GoneError,
    LateError,
    LostClaimError,
    NotPublishedError,
    PhotoRefusedError,
    RefusedError,
    ThrottledError,
    TooLateError,
    TransitionError,
    UnansweredError,
    UnchangedError,
    UnreachableError,
    UploadRefusedError,
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


UNKNOWN, DONE, FAILED = (Verdict(state=state) for state in (State.UNKNOWN, State.PUBLISHED, State.FAILED))
TRIED = 2
AGAIN = Verdict(state=State.PLANNED, wait=timedelta(seconds=4))  # the second try in vain
REPEATED = Verdict(state=State.PLANNED, wait=LEASE)  # the lost one may still be on its way
FREE = Verdict(state=State.PLANNED, free=True)
WAITS = Verdict(state=State.PLANNED, wait=timedelta(seconds=7), free=True)
LOWER = Verdict(state=State.PLANNED, step_down=True)
STOPS = Verdict(state=State.HELD, held_reason=HeldReason.ACCESS, stops_channel=True)

# What each error means for a post, a digest, an edit, a withdrawal.
MEANS = {
    UnansweredError("x"): (UNKNOWN, UNKNOWN, REPEATED, REPEATED),
    RuntimeError("a fault of our own"): (UNKNOWN, UNKNOWN, REPEATED, REPEATED),
    TimeoutError(): (UNKNOWN, UNKNOWN, REPEATED, REPEATED),
    LostClaimError("x"): (UNKNOWN, UNKNOWN, REPEATED, REPEATED),
    NotPublishedError("x"): (AGAIN, AGAIN, AGAIN, AGAIN),
    UnreachableError("x"): (AGAIN, AGAIN, AGAIN, AGAIN),
    UploadRefusedError("x"): (AGAIN, AGAIN, AGAIN, AGAIN),
    LateError("x"): (FREE, FREE, FREE, FREE),
    ThrottledError("x", timedelta(seconds=7)): (WAITS, WAITS, WAITS, WAITS),
    RefusedError("x"): (FAILED, FAILED, FAILED, FAILED),
    PhotoRefusedError("x"): (LOWER, LOWER, FAILED, FAILED),
    GoneError("x"): (FAILED, FAILED, DONE, DONE),
    UnchangedError("x"): (FAILED, FAILED, DONE, DONE),
    TooLateError("x"): (FAILED, FAILED, FAILED, LOWER),
    AccessLostError("x"): (STOPS, STOPS, STOPS, STOPS),
}
KINDS = (Kind.PUBLISH, Kind.DIGEST, Kind.EDIT, Kind.WITHDRAW)
ROWS = [(error, kind, verdict) for error, row in MEANS.items() for kind, verdict in zip(KINDS, row, strict=True)]


@pytest.mark.parametrize(
    ("error", "kind", "verdict"), ROWS, ids=[f"{type(error).__name__}-{kind}" for error, kind, _ in ROWS]
)
def test_what_an_error_means(error, kind, verdict):
    assert after_error(error, kind, TRIED, LEASE) == verdict
    assert verdict.state in NEXT[State.SENDING]


def test_every_error_of_a_call_has_its_row():
    def all_of(kind):
        return {kind}.union(*(all_of(one) for one in kind.__subclasses__()))

    assert all_of(NotPublishedError) | all_of(UnansweredError) <= {type(error) for error in MEANS}


@pytest.mark.parametrize(("error", "kind", "verdict"), ROWS)
def test_only_what_certainly_did_not_happen_is_free(error, kind, verdict):
    assert not verdict.free or isinstance(error, NotPublishedError)
    assert verdict.state is not State.UNKNOWN or kind.makes_public


@pytest.mark.parametrize("kind", [Kind.PUBLISH, Kind.DIGEST])
def test_a_refused_photo_goes_down_to_the_last_rung_and_no_further(kind):
    seen = [after_error(PhotoRefusedError("x"), kind, 1, LEASE, rung) for rung in range(LAST_RUNG + 1)]
    assert seen == [LOWER] * LAST_RUNG + [FAILED]


def test_an_unanswered_edit_is_left_alone_for_a_lease():
    assert after_error(UnansweredError("x"), Kind.EDIT, 1, LEASE).wait >= LEASE


def test_rests_grow_and_stay_bounded():
    rests = [back_off(attempts) for attempts in range(20)]
    assert rests == sorted(rests)
    assert rests[-1] == timedelta(minutes=5)
