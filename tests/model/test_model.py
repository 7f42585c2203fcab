"""No sequence of crash, answer, lease end, read-back, edit, retraction and return gives two public posts or a lost one.

Hypothesis drives the newsroom's rules step by step, as unkindly as it can; with any safety left out it finds the double
or the loss that the safety is there against.
"""

from __future__ import annotations

import sys
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule, run_state_machine_as_test

from bot.domain.delivery import IN_FLIGHT, HeldReason, State
from bot.errors import (
    AccessLostError,
    PhotoRefusedError,
    RefusedError,
    ThrottledError,
    UnansweredError,
    UnreachableError,
)
from tests.model.newsroom import TIMING, DoubledError, LostError, Newsroom, Safeties, Story, words
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
SPANS = [1, 12, 31, 95, 130, 1900]  # seconds: within the guard, past it, past a lease, past the settle time, past all


class Chaos(RuleBasedStateMachine):
    """Three workers, one channel, three articles."""

    safe = Safeties()

    def __init__(self) -> None:
        super().__init__()
        self.room = Newsroom(self.safe, WORKERS)
        self.failed = False
        self.taken_back = False  # since the last backup; a restored one cannot know of it

    # -- the source

    @rule()
    def an_article_comes(self) -> None:
        if len(self.room.told) < ARTICLES:
            self.room.told[len(self.room.told) + 1] = Story()
            self.room.tell(len(self.room.told))

    @precondition(lambda self: self.room.told)
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

    # -- the workers: between any two steps a worker may stand still for long, or die

    @rule(worker=st.integers(0, WORKERS - 1), steps=st.integers(1, 4), outcome=st.sampled_from(sorted(OUTCOMES)))
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

    @rule(worker=st.integers(0, WORKERS - 1))
    def a_worker_dies(self, worker: int) -> None:
        self.room.hands[worker] = None

    @rule(seconds=st.sampled_from(SPANS))
    def time_passes(self, seconds: int) -> None:
        self.room.now += timedelta(seconds=seconds)
        self.room.platform.pass_time(self.room.now)

    # -- settling

    @rule(page=st.sampled_from(list(Page)), left_out=st.integers(0, 2), looks=st.integers(1, 4))
    def the_reconciler_looks(self, page: Page, left_out: int, looks: int) -> None:
        for _ in range(looks):
            self.room.reconcile(page, left_out)
            if looks > 1:  # it goes on looking, at its own pace
                self.time_passes(int(TIMING.settle.total_seconds() / 4))

    @precondition(lambda self: self.room.find(State.HELD) or self.room.books.access_lost)
    @rule()
    def an_editor_settles_what_is_held(self) -> None:
        self.room.access_returns()
        for one in self.room.find(State.HELD):
            if one.held_reason is HeldReason.NO_EVIDENCE and not self.room.platform.on_its_way:
                self.room.editor(one)

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
        for turn in range(60):
            self.an_editor_settles_what_is_held()
            self.the_reconciler_looks(Page.FRESH, 0, 1)
            self.a_worker_goes_on(turn % WORKERS, 4, "answered")
            self.no_article_is_public_twice()
            self.time_passes(31)
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


def run(safe: Safeties, *phases: Phase, **more: Any) -> None:
    machine = type("Chaos", (Chaos,), {"safe": safe})
    run_state_machine_as_test(  # type: ignore[no-untyped-call]
        machine,
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
    run(Safeties(), Phase.generate, Phase.shrink, max_examples=300, stateful_step_count=40)


@pytest.mark.slow
def test_no_longer_sequence_of_events_does_either():
    run(Safeties(), Phase.generate, Phase.shrink, max_examples=5000, stateful_step_count=80)
