"""A delivery: one post to one channel, its states, the steps allowed between them, and what an error means for it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import IntEnum, StrEnum
from typing import NewType

from bot.domain.article import ArticleId
from bot.domain.channel import ChannelId
from bot.domain.post import Own
from bot.errors import (
    AccessLostError,
    GoneError,
    LateError,
    NotPublishedError,
    PhotoRefusedError,
    RefusedError,
    ThrottledError,
    TooLateError,
    TransitionError,
    UnchangedError,
    UnreachableError,
)

DeliveryId = NewType("DeliveryId", int)
AttemptId = NewType("AttemptId", int)


class Kind(StrEnum):
    """What the delivery does in the channel."""

    PUBLISH = "publish"
    EDIT = "edit"
    WITHDRAW = "withdraw"
    DIGEST = "digest"

    @property
    def makes_public(self) -> bool:
        """Whether it adds a post: such a call is never repeated on a mere guess."""
        return self in (Kind.PUBLISH, Kind.DIGEST)


class State(StrEnum):
    """Where a delivery stands."""

    PROPOSED = "proposed"  # waits for an editor
    PLANNED = "planned"  # waits for its turn
    CLAIMED = "claimed"  # being prepared; nothing is public
    SENDING = "sending"  # marked: from here on the call may have left
    PUBLISHED = "published"  # done, the platform said so or was seen to show it
    UNKNOWN = "unknown"  # the call left, no definite answer came
    HELD = "held"  # waits for a person or for access
    FAILED = "failed"  # the platform refused it for good
    CANCELLED = "cancelled"
    EXPIRED = "expired"  # too old at its turn


class HeldReason(StrEnum):
    NO_EVIDENCE = "no-evidence"
    STALE_WORDS = "stale-words"
    EDITOR = "editor"
    LINK_DEAD = "link-dead"
    ACCESS = "access"
    TEMPLATE = "template"


class Turn(IntEnum):
    """The order of those that may go at one moment; stored as the delivery's priority."""

    WITHDRAWAL = 0
    PINNED = 1  # never stored: a pinned delivery keeps its own turn for when it is unpinned
    BREAKING = 2
    EDIT = 3
    ORDINARY = 4


IN_FLIGHT = frozenset({State.CLAIMED, State.SENDING, State.UNKNOWN})
FINAL = frozenset({State.PUBLISHED, State.FAILED, State.CANCELLED, State.EXPIRED})
WAITING = frozenset({State.PROPOSED, State.PLANNED, State.HELD})

NEXT: dict[State, frozenset[State]] = {
    # Published without having been sent: it was found to be public already.
    State.PROPOSED: frozenset({State.PLANNED, State.PUBLISHED, State.CANCELLED, State.EXPIRED}),
    State.PLANNED: frozenset({State.CLAIMED, State.HELD, State.PUBLISHED, State.CANCELLED, State.EXPIRED}),
    State.CLAIMED: frozenset(
        {
            State.PLANNED,
            State.SENDING,
            State.HELD,
            State.FAILED,
            State.CANCELLED,
            State.EXPIRED,
        }
    ),
    State.SENDING: frozenset({State.PUBLISHED, State.PLANNED, State.FAILED, State.HELD, State.UNKNOWN}),
    State.UNKNOWN: frozenset({State.PUBLISHED, State.PLANNED, State.HELD}),
    State.HELD: frozenset({State.PLANNED, State.PUBLISHED, State.CANCELLED, State.EXPIRED}),
    State.FAILED: frozenset({State.PLANNED}),
    State.PUBLISHED: frozenset(),
    # Published: a retracted article's post turned up, to be taken down. Planned: an editor wants it after all.
    State.CANCELLED: frozenset({State.PUBLISHED, State.PLANNED}),
    State.EXPIRED: frozenset({State.PUBLISHED, State.PLANNED}),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """One post to one channel.

    `turn_at` orders deliveries of one turn and is the moment before which they do not go: the article's
    `published_at` (an embargo where it lies ahead), or its arrival. `rung` counts the steps down the photo ladder, or
    from taking down to overwriting. `fence` grows with every claim: a worker that lost its claim can change nothing.
    `own` is what an editor gave it; `words` the same text without markup, and all there is of one that an earlier
    release queued. `target_id` is the delivery whose post an edit or a withdrawal changes; `listed` are the articles
    of a digest.
    """

    id: DeliveryId
    kind: Kind
    channel_id: ChannelId
    article_id: ArticleId | None
    revision: int
    state: State
    turn: Turn
    turn_at: datetime
    target_id: DeliveryId | None = None
    pinned_at: datetime | None = None
    held_reason: HeldReason | None = None
    fence: int = 0
    lease_until: datetime | None = None
    attempts: int = 0
    rung: int = 0
    repost: int = 0
    backlog: bool = False
    words: str = ""
    own: Own | None = None
    listed: tuple[int, ...] = ()
    error: str = ""
    finished_at: datetime | None = None

    @property
    def has_own_words(self) -> bool:
        """Whether an editor wrote its text."""
        return bool(self.words or (self.own is not None and self.own.words))


def moved(delivery: Delivery, to: State, at: datetime) -> Delivery:
    """Return the delivery in its next state, or refuse the step."""
    if to not in NEXT[delivery.state]:
        raise TransitionError(delivery.id, delivery.state, to)
    return replace(delivery, state=to, finished_at=at if to in FINAL else None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What becomes of a delivery after its call ended without a receipt.

    `wait` is how long the channel rests; `step_down` asks for the next rung; `stops_channel` for access lost.
    `free` calls cost no attempt.
    """

    state: State
    held_reason: HeldReason | None = None
    wait: timedelta = timedelta(0)
    step_down: bool = False
    stops_channel: bool = False
    free: bool = False


LAST_RUNG = 2  # text without even a card
LONGEST_WAIT = timedelta(minutes=5)


def back_off(attempts: int) -> timedelta:
    """Return how long to rest after the nth try in vain: 1 s, 2 s, 4 s … 5 min."""
    return min(LONGEST_WAIT, timedelta(seconds=2 ** min(attempts, 10)))


def after_error(error: Exception, kind: Kind, attempts: int, lease: timedelta, rung: int = 0) -> Verdict:
    """Say what an error of a public call means; pure, one row per kind of error.

    Args:
        error: what the adapter raised; anything that is not ours counts as no answer.
        kind: what the call was to do.
        attempts: how many calls this delivery has cost before this one.
        lease: how long to leave an unanswered edit alone before it is repeated.
        rung: how far down the photo ladder the delivery is already.
    """
    match error:
        case ThrottledError():
            return Verdict(state=State.PLANNED, wait=error.retry_after, free=True)
        case LateError():  # another worker may believe this one dead by now; nothing has left
            return Verdict(state=State.PLANNED, free=True)
        case UnreachableError():
            return Verdict(state=State.PLANNED, wait=back_off(attempts))
        case UnchangedError() | GoneError() if not kind.makes_public:
            return Verdict(state=State.PUBLISHED)
        case TooLateError() if kind is Kind.WITHDRAW:
            return Verdict(state=State.PLANNED, step_down=True)
        case PhotoRefusedError() if kind.makes_public and rung < LAST_RUNG:
            return Verdict(state=State.PLANNED, step_down=True)
        case RefusedError():
            return Verdict(state=State.FAILED)
        case AccessLostError():
            return Verdict(state=State.HELD, held_reason=HeldReason.ACCESS, stops_channel=True)
        case NotPublishedError():
            return Verdict(state=State.PLANNED, wait=back_off(attempts))
        case _ if kind.makes_public:
            return Verdict(state=State.UNKNOWN)
        case _:  # an edit or a withdrawal can be repeated, but not while the lost one may still be on its way
            return Verdict(state=State.PLANNED, wait=max(lease, back_off(attempts)))
