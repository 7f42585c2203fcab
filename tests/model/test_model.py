"""No sequence of crash, answer, lease end, read-back, edit, retraction and return gives two public posts or a lost one.

Hypothesis drives the newsroom's rules step by step, as unkindly as it can; with any safety left out it finds the double
or the loss that the safety is there against.
"""

from __future__ import annotations

import sys
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from bot.domain.delivery import IN_FLIGHT, HeldReason, State
from bot.errors import (
    AccessLostError,
    PhotoRefusedError,
    RefusedError,
    ThrottledError,
    UnansweredError,
    UnreachableError,
)
from tests.model.newsroom import DoubledError, LostError, Newsroom, Safeties, Story, words
from tests.model.platform import LAG, TRANSIT, TRANSIT_OF_CHANGES, Page

WORKERS = 3
ARTICLES = 3
NOW = timedelta(0)
SILENCE = UnansweredError("nothing came back")
# What a call may come to: what the worker sees, and when the platform carries it out (None: never).
OUTCOMES: dict[str, tuple[Exception | None, timedelta | None]] = {
    "answered": (None, NOW),
    "answer lost": (SILENCE, NOW),
    "late": (SILENCE, TRANSIT),
    "vanished": (SILENCE, None),
    "a fault of ours": (RuntimeError("a fault of ours"), NOW),
    "unreachable": (UnreachableError("no connection"), None),
    "throttled": (ThrottledError("too fast", timedelta(seconds=7)), None),
    "refused": (RefusedError("no such markup"), None),
    "photo refused": (PhotoRefusedError("no picture"), None),
    "access lost": (AccessLostError("kicked"), None),
}
LIKELY = ["answered", "answer lost", "late", "vanished"]
ANY_OUTCOME = st.sampled_from([*LIKELY, *LIKELY, *LIKELY, *OUTCOMES])
SPANS = [1, 31, 130, 130, 1900]  # seconds: within the guard, past a lease, past the settle time, past all


ANY_PAGE = st.sampled_from([Page.FRESH, *Page])
PACES = st.sampled_from([None, 2, 23, 23])  # as fast as it can; as looks count


class Sending(RuleBasedStateMachine):
    """Three workers, one channel, three articles, nothing but sending and looking."""

    safe = Safeties()
    opening: tuple[int, str] | None = None  # how far the first worker has come, and what its call comes to

    def __init__(self) -> None:
        super().__init__()
        self.room = Newsroom(self.safe, WORKERS)
        self.failed = False
        self.taken_back = False  # since the last backup; a restored one cannot know of it

    @initialize(steps=st.sampled_from([1, 2, 3, 4]), outcome=ANY_OUTCOME)
    def the_first_article_is_on_its_way(self, steps: int, outcome: str) -> None:
        self.an_article_comes()
        self.a_worker_goes_on(0, *(self.opening or (steps, outcome)))

    # -- the source

    @precondition(lambda self: len(self.room.told) < ARTICLES)
    @rule()
    def an_article_comes(self) -> None:
        self.room.told[len(self.room.told) + 1] = Story()
        self.room.tell(len(self.room.told))

    # -- the workers: between any two steps a worker may stand still for long, or die

    @rule(worker=st.integers(0, WORKERS - 1), steps=st.sampled_from([1, 2, 4]), outcome=ANY_OUTCOME)
    def a_worker_goes_on(self, worker: int, steps: int, outcome: str) -> None:
        room = self.room
        for _ in range(steps):
            hand = room.hands[worker]
            if hand is None:
                room.claim(worker)
            elif hand.tried is None:
                room.mark(worker)
            elif hand.ended is None:
                error, after = OUTCOMES[outcome]
                if after is not None and not hand.delivery.kind.makes_public:
                    after = min(after, TRANSIT_OF_CHANGES)
                room.call(worker, error, after)
            else:
                room.record(worker)

    @precondition(lambda self: any(self.room.hands))
    @rule()
    def all_workers_die(self) -> None:
        self.room.hands = [None] * WORKERS

    @rule(seconds=st.sampled_from(SPANS))
    def time_passes(self, seconds: int) -> None:
        self.room.now += timedelta(seconds=seconds)
        self.room.platform.pass_time(self.room.now)

    # -- settling

    @rule(after=st.sampled_from(SPANS), page=ANY_PAGE, left_out=st.integers(0, 1), pace=PACES)
    def the_reconciler_looks(self, after: int, page: Page, left_out: int, pace: int | None) -> None:
        self.time_passes(after)
        self.room.reconcile(page, left_out)
        for _ in range(3 if pace is not None else 0):  # it goes on looking
            self.time_passes(pace or 0)
            self.room.reconcile(page, left_out)

    def settle_by_hand(self) -> None:
        self.room.access_returns()
        for one in self.room.find(State.HELD):
            if one.held_reason is HeldReason.NO_EVIDENCE and not self.room.platform.on_its_way:
                self.room.editor(one)

    # -- what must hold

    @invariant()
    def no_article_is_public_twice(self) -> None:
        for article in self.room.told:
            if len(self.room.platform.public(article)) > 1:
                self.failed = True
                raise DoubledError(f"article {article}: {self.room.platform.public(article)}")

    @invariant()
    def one_delivery_is_in_flight(self) -> None:
        assert not self.safe.one_in_flight or len(self.room.find(*IN_FLIGHT)) <= 1

    def teardown(self) -> None:
        """Let the world calm down; then each article is public, taken back, or held or ended for a stated cause."""
        if self.failed or sys.exc_info()[0] is not None:
            return
        room = self.room
        room.hands = [None] * WORKERS
        room.prove(Page.FRESH)
        for turn in range(100):
            self.settle_by_hand()
            self.the_reconciler_looks(31, Page.FRESH, 0, None)
            self.a_worker_goes_on(turn % WORKERS, 4, "answered")
            self.no_article_is_public_twice()
            if not room.find(*IN_FLIGHT, State.PLANNED, State.HELD) and not room.platform.on_its_way:
                break
        for article, source in room.told.items():
            if article not in room.excused:
                self._expect(article, source)

    def _expect(self, article: int, source: Story) -> None:
        room = self.room
        mine = [one for one in room.books.deliveries.values() if one.article_id == article]
        unsettled = [one for one in mine if one.state in IN_FLIGHT or one.state in (State.PLANNED, State.HELD)]
        public = room.platform.public(article)
        if unsettled or len(public) != (not source.retracted):
            raise LostError(f"article {article} {source}: public {public}, deliveries {mine}")
        if public and not room.restored and public[0].plain != words(article, source.revision):
            raise LostError(f"article {article} reads {public[0].plain}, not as its revision {source.revision}")


class Chaos(Sending):
    """All of that, and articles that change, editors, and databases that are put back."""

    @rule(pick=st.integers(0, ARTICLES - 1), what=st.sampled_from(["told again", "changed", "retracted or back"]))
    def an_article_is_told_again(self, pick: int, what: str) -> None:
        article = pick % len(self.room.told) + 1
        story = self.room.told[article]
        if what == "changed" and not story.retracted:
            story.revision += 1
        elif what == "retracted or back" and self.room.proven:
            story.retracted = not story.retracted
            self.taken_back = True
        self.room.tell(article)

    @precondition(lambda self: self.room.find(State.HELD) or self.room.books.access_lost)
    @rule()
    def an_editor_settles_what_is_held(self) -> None:
        self.settle_by_hand()

    @rule()
    def a_backup_is_kept(self) -> None:
        self.room.keep_backup()
        self.taken_back = False

    @precondition(lambda self: self.room.backup is not None and not self.taken_back)
    @rule()
    def the_backup_is_put_back(self) -> None:
        # Putting a backup back takes longer than a call is on its way, and than a page is old.
        self.time_passes(int((TRANSIT + LAG).total_seconds()))
        self.room.restore()

    @precondition(lambda self: not self.room.proven)
    @rule(page=st.sampled_from([Page.FRESH, Page.UNREADABLE]))
    def the_channel_is_compared(self, page: Page) -> None:
        self.room.prove(page)


def run(kind: type[Sending], *phases: Phase, **more: Any) -> None:
    run_state_machine_as_test(
        kind,
        settings=settings(
            deadline=None,
            derandomize=True,
            database=None,
            phases=phases,  # not to explain: tracing each line makes it ten times slower
            print_blob=False,
            report_multiple_bugs=False,
            suppress_health_check=list(HealthCheck),
            **more,
        ),
    )


def test_no_sequence_of_events_doubles_or_loses_a_post():
    run(Chaos, Phase.generate, Phase.shrink, max_examples=300, stateful_step_count=40)


@pytest.mark.slow
def test_no_longer_sequence_of_events_does_either():
    run(Chaos, Phase.generate, Phase.shrink, max_examples=5000, stateful_step_count=80)


@pytest.mark.parametrize(
    ("kind", "off", "opening"),
    [
        (Sending, "mark", (3, "answered")),
        (Sending, "fence", (1, "answered")),  # and the state beside it in each update: the two cover for each other
        (Sending, "guard", (2, "answered")),
        (Sending, "settle", (4, "late")),
        (Sending, "looks", (4, "answer lost")),
        (Sending, "neighbour", (4, "answer lost")),
        (Chaos, "one_in_flight", (4, "answered")),
        (Chaos, "once", (4, "answered")),
        (Chaos, "adoption", (1, "answered")),
    ],
)
def test_with_a_safety_left_out_a_post_is_doubled_or_lost(kind: type[Sending], off: str, opening: tuple[int, str]):
    lame = type(kind.__name__, (kind,), {"safe": replace(Safeties(), **{off: False}), "opening": opening})
    with pytest.raises((DoubledError, LostError)):
        run(lame, Phase.generate, max_examples=1500, stateful_step_count=40)
