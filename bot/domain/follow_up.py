"""What a changed or retracted article does to its public post; pure."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta

from bot.domain.channel import Approval, Channel, Corrections, Retractions
from bot.domain.delivery import HeldReason, Kind, State, Turn

NO_WAIT = timedelta(0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """A delivery to be queued for a public post, or (`kind` None) the reason why none is.

    `rung` 1 of a withdrawal overwrites the post instead of taking it down.
    """

    kind: Kind | None
    why: str
    turn: Turn = Turn.EDIT
    state: State = State.PLANNED
    rung: int = 0
    wait: timedelta = NO_WAIT


def correction(
    channel: Channel, *, headline_changed: bool, gather: timedelta, ours: bool = True, by_hand: bool = False
) -> Change:
    """Say what a new revision does to the post that shows an older one.

    Args:
        ours: whether we wrote the post; another's words are never edited by us.
        by_hand: whether its words are a person's: they are not taken away without an editor's consent.
    """
    match channel.corrections:
        case Corrections.EDIT if not ours:
            return Change(kind=None, why="the article changed; its post was there before us, change it by hand")
        case Corrections.OFF:
            return Change(kind=None, why="the article changed; this channel's posts are left as they are (corrections)")
        case Corrections.NOTICE:
            asks = channel.approval is Approval.EDITOR
            return Change(
                kind=Kind.PUBLISH,
                why="the article changed: a notice follows" + (" once an editor agrees" if asks else ""),
                turn=Turn.ORDINARY,
                state=State.PROPOSED if asks else State.PLANNED,
            )
        case Corrections.EDIT:
            asks = by_hand or (channel.approval is Approval.EDITOR and headline_changed)
            told = ": its post, whose words are a person's," if by_hand else ": its post"
            return Change(
                kind=Kind.EDIT,
                why=f"the article changed{told} is edited" + (" once an editor agrees" if asks else ""),
                state=State.PROPOSED if asks else State.PLANNED,
                wait=gather,
            )


def retraction(channel: Channel) -> Change:
    """Say what a retraction does to a public post."""
    match channel.retractions:
        case Retractions.OFF:
            return Change(kind=None, why="the article was retracted; this channel's posts stay (retractions)")
        case Retractions.NOTICE:
            return Change(
                kind=Kind.WITHDRAW,
                turn=Turn.WITHDRAWAL,
                rung=1,
                why="the article was retracted: its post is overwritten with a notice",
            )
        case Retractions.DELETE:
            return Change(
                kind=Kind.WITHDRAW, turn=Turn.WITHDRAWAL, why="the article was retracted: its post is taken down"
            )


@dataclass(frozen=True, slots=True, kw_only=True)
class Other:
    """Another post of the same article in the same channel: from before it was taken back, or from after its return.

    `is_leaving` says that a withdrawal of it waits or is on its way.
    """

    state: State
    held_reason: HeldReason | None = None
    is_public: bool = False
    is_leaving: bool = False


def instead_of_again(others: Iterable[Other]) -> tuple[State, str] | None:
    """Say where a post goes whose article another post shows, or may show; None where it may go out.

    An article that was taken back and returned while its post was on its way needs no second one: the first one is
    settled, and follows the article.
    """
    for other in others:
        if other.is_public and other.is_leaving:
            return State.HELD, "its earlier post is still public, and taking that down is held up"
        if other.is_public:
            return State.CANCELLED, "an earlier post of it is public and follows it"
        if other.state is State.HELD and other.held_reason is HeldReason.NO_EVIDENCE:
            return (
                State.CANCELLED,
                "an earlier post of it is still looked for: it is public, or goes out in place of this",
            )
    return None
