"""The bot in small: its real pure rules (moves, verdicts, looks, planning, reading back), and few lines for the rest.

What is impure in the bot is modelled: the database (a copy of it is its backup), claims and fenced updates, workers
that stand still between any two steps, the reconciler's pass, the intake. Every safety can be left out, one by one.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from bot.channels.evidence import SKEW, among, fingerprint, judge, nothing
from bot.domain.article import ArticleId
from bot.domain.channel import ChannelId
from bot.domain.delivery import (
    FINAL,
    IN_FLIGHT,
    WAITING,
    Delivery,
    DeliveryId,
    HeldReason,
    Kind,
    State,
    Turn,
    Verdict,
    after_error,
    moved,
)
from bot.domain.follow_up import Other, correction, instead_of_again, retraction
from bot.domain.ledger import Attempt, Evidence, LedgerEntry, Neighbour, Presence, PublicPost, Receipt, newest_of
from bot.domain.looks import Looks, after_look
from bot.domain.plan import Head, Status, next_slot
from bot.domain.post import Method
from bot.errors import GoneError, LateError, LostClaimError, UnansweredError
from bot.outbox.lane import Timing
from tests.factories import a_channel
from tests.model.platform import Call, ModelPlatform, Page

CHANNEL = a_channel()
CHANNEL_ID = ChannelId(1)
TIMING = Timing()
START = datetime(2026, 6, 1, 9, 0, tzinfo=UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class Safeties:
    """What keeps a post from being doubled or lost; each may be missing."""

    mark: bool = True  # the call is committed to before it leaves
    fence: bool = True  # an update names the fence and the state that it starts from
    guard: bool = True  # no call leaves long after its mark
    settle: bool = True  # absence counts only some time after the end of the lease
    looks: bool = True  # and only after several looks that agree
    neighbour: bool = True  # on pages that show a post known before
    one_in_flight: bool = True  # at most one delivery of a channel is claimed, sent or sought
    once: bool = True  # an article is queued once for a channel
    adoption: bool = True  # after a restore the channel is compared with the ledger first


class DoubledError(AssertionError):
    """An article stands in the channel twice."""


class LostError(AssertionError):
    """Something that was to be public is not, and nothing says why."""


@dataclass(slots=True, kw_only=True)
class Story:
    """An article, as its source tells it or as the store has it."""

    revision: int = 1
    retracted: bool = False
    returns: int = 0


@dataclass(slots=True, kw_only=True)
class Tried:
    """An attempt's row."""

    attempt: Attempt
    receipt: Receipt | None = None
    looks: Looks = field(default_factory=Looks)


@dataclass(slots=True, kw_only=True)
class Books:
    """The database."""

    stories: dict[int, Story] = field(default_factory=dict)
    deliveries: dict[DeliveryId, Delivery] = field(default_factory=dict)
    ledger: dict[DeliveryId, LedgerEntry] = field(default_factory=dict)
    tried: list[Tried] = field(default_factory=list)
    found: list[PublicPost] = field(default_factory=list)
    rests_until: datetime | None = None
    access_lost: bool = False

    def copy(self) -> Books:
        return replace(
            self,
            stories={article: replace(story) for article, story in self.stories.items()},
            deliveries=dict(self.deliveries),
            ledger=dict(self.ledger),
            tried=[replace(one) for one in self.tried],
            found=list(self.found),
        )


@dataclass(slots=True, kw_only=True)
class Hand:
    """What a worker has in hand: a claimed delivery, then a marked one, then one whose call has ended."""

    delivery: Delivery
    story: Story | None
    plain: str
    tried: Tried | None = None
    asked_at: datetime | None = None
    ended: Verdict | Receipt | None = None


class Newsroom:
    """One channel, its database, and the workers of all replicas."""

    def __init__(self, safe: Safeties, workers: int) -> None:
        self.safe = safe
        self.now = START
        self.told: dict[int, Story] = {}  # by the source: what is so, whatever the database knows
        self.books = Books()
        self.platform = ModelPlatform(START)
        self.hands: list[Hand | None] = [None] * workers
        self.backup: Books | None = None
        self.proven = False
        self.seen: tuple[Neighbour, ...] = ()
        self.excused: set[int] = set()  # articles of which the platform refused something for good
        self.restored = False
        self.prove(Page.FRESH)

    # -- the store

    def move(self, was: Delivery, to: State, **columns: Any) -> Delivery:
        """Take a delivery one step further; without the fence it goes wherever anybody puts it."""
        row = self.books.deliveries[was.id]
        if self.safe.fence and (row.fence, row.state) != (was.fence, was.state):
            raise LostClaimError(f"{was.id} is {row.state} under {row.fence}")
        after = replace(row, **({"held_reason": None} | columns), state=moved(was, to, self.now).state)
        self.books.deliveries[was.id] = after
        return after

    def find(self, *states: State, kinds: tuple[Kind, ...] = tuple(Kind)) -> list[Delivery]:
        return [one for one in self.books.deliveries.values() if one.state in states and one.kind in kinds]

    def queue(self, kind: Kind, article: int, story: Story, **more: Any) -> Delivery | None:
        for one in self.books.deliveries.values() if self.safe.once else ():
            same = (one.kind, one.article_id) == (kind, article)
            if same and kind is Kind.PUBLISH and one.repost == more.get("repost", 0):
                return None
            if same and kind is not Kind.PUBLISH and one.target_id == more["target_id"] and one.state not in FINAL:
                return None
        made = Delivery(
            id=DeliveryId(len(self.books.deliveries) + 1),
            kind=kind,
            channel_id=CHANNEL_ID,
            article_id=ArticleId(article),
            revision=story.revision,
            state=State.PLANNED,
            **({"turn": Turn.ORDINARY, "turn_at": self.now} | more),
        )
        self.books.deliveries[made.id] = made
        return made

    def enter(self, delivery: Delivery, remote_id: str, plain: str, at: datetime) -> None:
        if any(entry.remote_id == remote_id for entry in self.books.ledger.values()):
            raise LookupError(f"{remote_id} is in the ledger already")
        self.books.ledger[delivery.id] = LedgerEntry(
            delivery_id=delivery.id,
            channel_id=CHANNEL_ID,
            article_id=delivery.article_id,
            revision=delivery.revision,
            title="",
            remote_id=remote_id,
            permalink=None,
            method=Method.SEND_MESSAGE,
            text=plain,
            published_at=at,
        )

    # -- the intake

    def tell(self, article: int) -> None:
        """Let the source tell of an article, as it stands now."""
        now_told, story = self.told[article], self.books.stories.get(article)
        if story is None:
            story = self.books.stories[article] = replace(now_told, returns=0)
            if not story.retracted:
                self.queue_post(article, story)
        else:
            back = story.retracted and not now_told.retracted
            story.revision, story.retracted = now_told.revision, now_told.retracted
            story.returns += back
            if not story.retracted:
                self.queue_post(article, story)
        self.follow(article)

    def queue_post(self, article: int, story: Story) -> None:
        made = self.queue(Kind.PUBLISH, article, story, repost=story.returns)
        if made is not None:
            self.adopt(made)

    def follow(self, article: int) -> None:
        """Make what is public follow its article."""
        story = self.books.stories[article]
        if story.retracted:
            for one in self.find(*WAITING, kinds=(Kind.PUBLISH, Kind.EDIT)):
                if one.article_id == article and one.held_reason is not HeldReason.NO_EVIDENCE:
                    self.move(one, State.CANCELLED, error="the article was retracted")
        for entry in [one for one in self.books.ledger.values() if one.article_id == article and not one.withdrawn_at]:
            if story.retracted:
                change = retraction(CHANNEL)
            elif entry.revision < story.revision:
                change = correction(CHANNEL, headline_changed=True, gather=TIMING.gather * 0)
            else:
                continue
            assert change.kind is not None
            self.queue(change.kind, article, story, target_id=entry.delivery_id, turn=change.turn, rung=change.rung)

    # -- a worker's steps

    def claim(self, worker: int) -> None:
        books = self.books
        if books.access_lost or (self.safe.one_in_flight and self.find(*IN_FLIGHT)):
            return
        heads = [
            Head(delivery=one.id, kind=one.kind, turn=one.turn, turn_at=one.turn_at, pinned_at=one.pinned_at)
            for one in self.find(State.PLANNED)
        ]
        slot = next_slot(CHANNEL.timetable, Status(rests_until=books.rests_until), heads, self.now)
        if slot is None or slot.at > self.now or (slot.head.kind.makes_public and not self.proven):
            return
        waits = books.deliveries[slot.head.delivery]
        claimed = self.move(waits, State.CLAIMED, fence=waits.fence + 1, lease_until=self.now + TIMING.lease)
        late = self.late_answer(claimed)
        if late is not None:
            self.found(self.move(claimed, State.PLANNED), *late)
            return
        self.prepare(worker, claimed)

    def prepare(self, worker: int, claimed: Delivery) -> None:
        assert claimed.article_id is not None
        story = replace(self.books.stories[claimed.article_id])
        plain = words(claimed.article_id, story.revision)
        target = self.books.ledger.get(claimed.target_id) if claimed.target_id is not None else None
        again = instead_of_again(self.others(claimed)) if claimed.kind is Kind.PUBLISH else None
        if target is not None and target.withdrawn_at:
            self.move(claimed, State.CANCELLED, error="the post was taken down already")
        elif story.retracted and claimed.kind is not Kind.WITHDRAW:
            self.move(claimed, State.CANCELLED, error="the article was retracted before it went out")
        elif again is not None:
            state, why = again
            self.move(claimed, state, error=why, held_reason=HeldReason.EDITOR if state is State.HELD else None)
        elif claimed.kind is Kind.EDIT and target is not None and target.text == plain:
            self.move(claimed, State.CANCELLED, error="the post reads so already")
            self.amend(claimed, revision=story.revision)
        else:
            self.hands[worker] = Hand(delivery=claimed, story=story, plain=plain)

    def others(self, delivery: Delivery) -> Iterator[Other]:
        leaving = {one.target_id for one in self.find(*IN_FLIGHT, *WAITING, kinds=(Kind.WITHDRAW,))}
        for one in self.find(*State, kinds=(Kind.PUBLISH,)):
            if one.article_id == delivery.article_id and one.id != delivery.id:
                entry = self.books.ledger.get(one.id)
                yield Other(
                    state=one.state,
                    held_reason=one.held_reason,
                    is_public=entry is not None and entry.withdrawn_at is None,
                    is_leaving=one.id in leaving,
                )

    def mark(self, worker: int) -> None:
        hand = self.hands[worker]
        assert hand is not None
        assert hand.delivery.article_id is not None
        story = self.books.stories[hand.delivery.article_id]
        hand.asked_at = self.now
        if not self.safe.mark:
            hand.tried = Tried(attempt=self.attempt(hand))
            return
        try:
            if hand.story is not None and (story.revision, story.retracted) != (
                hand.story.revision,
                hand.story.retracted,
            ):
                self.move(hand.delivery, State.PLANNED, error="the article changed meanwhile")
                self.hands[worker] = None
                return
            hand.tried = Tried(attempt=self.attempt(hand))
            hand.delivery = self.move(
                hand.delivery,
                State.SENDING,
                attempts=hand.delivery.attempts + 1,
                revision=story.revision,
                lease_until=self.now + TIMING.lease,
            )
            self.books.tried.append(hand.tried)
        except LostClaimError:
            self.hands[worker] = None

    def attempt(self, hand: Hand) -> Attempt:
        known = [
            Neighbour(remote_id=one.remote_id, published_at=one.published_at) for one in self.books.ledger.values()
        ]
        gone = {one.remote_id for one in self.books.ledger.values() if one.withdrawn_at}
        marks = newest_of((*known, *self.seen), 1)
        return Attempt(
            delivery_id=hand.delivery.id,
            method=Method.SEND_MESSAGE,
            text=hand.plain,
            plain=hand.plain,
            link=address(hand.delivery),
            watermark=marks[0].remote_id if marks else None,
            started_at=self.now,
            neighbours=newest_of(one for one in (*known, *self.seen) if one.remote_id not in gone),
        )

    def call(self, worker: int, error: Exception | None, arrives_after: timedelta | None) -> None:
        """Let the call leave.

        Args:
            error: what the worker gets to see instead of an answer.
            arrives_after: when the platform carries it out; None: never.
        """
        hand = self.hands[worker]
        assert hand is not None
        assert hand.asked_at is not None
        delivery = hand.delivery
        if self.safe.guard and self.now - hand.asked_at > TIMING.guard:
            error, arrives_after = LateError("too late"), None
        target = self.books.ledger[delivery.target_id].remote_id if delivery.target_id is not None else None
        assert delivery.article_id is not None
        sent = Call(
            kind=delivery.kind,
            by=delivery.id,
            article=delivery.article_id,
            plain=hand.plain,
            link=address(delivery),
            target=target,
            overwrites=delivery.rung > 0,
        )
        done = None
        if arrives_after is not None and arrives_after:
            self.platform.on_its_way.append((self.now + arrives_after, sent))
        elif arrives_after is not None:
            done = self.platform.arrive(sent, self.now)
            if done is None and error is None:
                error = GoneError("it is not there")
        if error is None and done is not None:
            hand.ended = Receipt(remote_id=str(done.number))
        else:
            unanswered = error or UnansweredError("nothing came back")
            hand.ended = after_error(unanswered, delivery.kind, delivery.attempts, TIMING.lease, delivery.rung)

    def record(self, worker: int) -> None:
        hand = self.hands[worker]
        assert hand is not None
        assert hand.tried is not None
        self.hands[worker] = None
        delivery, ended = hand.delivery, hand.ended
        try:
            if not self.safe.mark:
                delivery = self.move(delivery, State.SENDING)
            if isinstance(ended, Receipt):
                if delivery.kind.makes_public:
                    hand.tried.receipt = ended  # evidence, even where the claim is lost
                self.done(self.move(delivery, State.PUBLISHED), ended.remote_id, hand.plain)
            elif ended is not None:
                self.leave(delivery, ended, hand.plain)
        except LostClaimError:
            pass

    def leave(self, delivery: Delivery, verdict: Verdict, plain: str) -> None:
        assert delivery.article_id is not None
        after = self.move(
            delivery,
            verdict.state,
            held_reason=verdict.held_reason,
            attempts=delivery.attempts - verdict.free,
            rung=delivery.rung + verdict.step_down,
            error="the platform said so",
        )
        self.books.rests_until = self.now + verdict.wait if verdict.wait else None
        self.books.access_lost |= verdict.stops_channel
        if verdict.state is State.FAILED:
            self.excused.add(delivery.article_id)
            self.follow_own(after)
        elif verdict.state is State.PUBLISHED:  # an edit of what reads so already, a withdrawal of what is not there
            self.done(after, "", plain)

    def done(self, delivery: Delivery, remote_id: str, plain: str) -> None:
        if delivery.kind.makes_public:
            self.enter(delivery, remote_id, plain, self.now)
        elif delivery.kind is Kind.EDIT:
            self.amend(delivery, text=plain, revision=delivery.revision)
        else:
            self.amend(delivery, withdrawn_at=self.now, revision=delivery.revision)
        self.books.rests_until = None
        self.follow_own(delivery)

    def amend(self, delivery: Delivery, **columns: Any) -> None:
        assert delivery.target_id is not None
        self.books.ledger[delivery.target_id] = replace(self.books.ledger[delivery.target_id], **columns)

    def follow_own(self, delivery: Delivery) -> None:
        assert delivery.article_id is not None
        story = self.books.stories[delivery.article_id]
        if story.revision > delivery.revision or story.retracted:
            self.follow(delivery.article_id)

    # -- settling

    def late_answer(self, delivery: Delivery) -> tuple[Attempt, Receipt] | None:
        if not delivery.kind.makes_public:
            return None
        mine = (one for one in self.books.tried if one.attempt.delivery_id == delivery.id)
        return next(((one.attempt, one.receipt) for one in mine if one.receipt is not None), None)

    def found(self, delivery: Delivery, attempt: Attempt, receipt: Receipt) -> None:
        if any(entry.remote_id == receipt.remote_id for entry in self.books.ledger.values()):
            if delivery.state is not State.HELD:
                self.move(delivery, State.HELD, held_reason=HeldReason.NO_EVIDENCE, error="found as another post")
            return
        after = self.move(delivery, State.PUBLISHED)
        self.enter(after, receipt.remote_id, attempt.plain, attempt.started_at)
        self.follow_own(after)

    def end_leases(self) -> None:
        for one in self.find(State.CLAIMED, State.SENDING):
            if one.lease_until is not None and one.lease_until < self.now:
                self.move(one, State.PLANNED if one.state is State.CLAIMED else State.UNKNOWN)

    def reconcile(self, page: Page, left_out: int = 0) -> None:
        self.end_leases()
        held = [one for one in self.find(State.HELD) if one.held_reason is HeldReason.NO_EVIDENCE and one.attempts]
        for one in (*self.find(State.UNKNOWN), *held):
            self.settle(one, page, left_out)

    def settle(self, delivery: Delivery, page: Page, left_out: int) -> None:
        mine = [one for one in self.books.tried if one.attempt.delivery_id == delivery.id]
        if not delivery.kind.makes_public or not mine:
            self.move(delivery, State.PLANNED)
            return
        late = self.late_answer(delivery)
        if late is not None:
            self.found(delivery, *late)
            return
        last = mine[-1]
        entered = {entry.remote_id for entry in self.books.ledger.values()}
        since = last.attempt.started_at - SKEW
        free = [post for post in self.books.found if post.remote_id not in entered and post.published_at >= since]
        receipt = among(last.attempt, free)
        evidence = self.read_back(last.attempt, page, left_out) if receipt is None else nothing("found before")
        receipt = receipt or evidence.receipt
        if receipt is not None:
            self.found(delivery, last.attempt, receipt)
            return
        ended = delivery.lease_until or last.attempt.started_at + TIMING.lease
        settle = TIMING.settle if self.safe.settle else timedelta(0)
        last.looks = (
            after_look(last.looks, evidence.shown, self.now, settled_at=ended + settle, apart=settle / 4)
            if evidence.presence is Presence.ABSENT
            else Looks()
        )
        if last.looks.enough if self.safe.looks else last.looks.count:
            self.move(delivery, State.PLANNED)
        elif delivery.state is State.UNKNOWN and self.now >= ended + TIMING.hold_after:
            self.move(delivery, State.HELD, held_reason=HeldReason.NO_EVIDENCE)

    def read_back(self, attempt: Attempt, page: Page, left_out: int) -> Evidence:
        posts = self.platform.look(page, self.now, left_out)
        if posts is None:
            return nothing("the page cannot be read")
        if not self.safe.neighbour:
            anything = tuple(Neighbour(remote_id=one.remote_id, published_at=one.published_at) for one in posts)
            attempt = replace(attempt, neighbours=anything)
        mark = int(attempt.watermark or 0)
        return judge(attempt, posts, lambda post: int(post.remote_id) > mark)

    def editor(self, delivery: Delivery) -> None:
        """Let a person who looked say what became of a held post: «Вже є» or «Надіслати ще раз»."""
        public = [post for post in self.platform.posts if post.by == delivery.id and post.gone_at is None]
        entered = {entry.remote_id for entry in self.books.ledger.values()}
        free = [post for post in public if str(post.number) not in entered]
        if free:
            after = self.move(delivery, State.PUBLISHED)
            self.enter(after, str(free[0].number), free[0].plain, free[0].public_at)
            self.follow_own(after)
        else:
            self.move(delivery, State.PLANNED, pinned_at=self.now)

    def access_returns(self) -> None:
        self.books.access_lost = False
        for one in self.find(State.HELD):
            if one.held_reason is HeldReason.ACCESS:
                self.move(one, State.PLANNED)

    # -- a database that was put back

    def keep_backup(self) -> None:
        self.backup = self.books.copy()

    def restore(self) -> None:
        """Put the backup back; every process ends, and the feed lists everything again."""
        assert self.backup is not None
        self.books = self.backup.copy()
        self.hands = [None] * len(self.hands)
        self.restored, self.proven, self.seen = True, not self.safe.adoption, ()
        self.end_leases()
        for article in self.told:
            self.tell(article)

    def prove(self, page: Page) -> None:
        """Compare the channel with the ledger, where it can be read."""
        posts = self.platform.look(page, self.now)
        if posts is None:
            return
        entered = {entry.remote_id for entry in self.books.ledger.values()}
        self.books.found = [post for post in posts if post.remote_id not in entered]
        self.seen = tuple(Neighbour(remote_id=one.remote_id, published_at=one.published_at) for one in posts[:-6:-1])
        self.proven = True
        for one in self.find(*WAITING, kinds=(Kind.PUBLISH,)):
            self.adopt(one)

    def adopt(self, delivery: Delivery) -> None:
        """Take over what the channel shows already of a waiting delivery's article."""
        if not self.safe.adoption or delivery.held_reason is HeldReason.NO_EVIDENCE:
            return
        showing = [post for post in self.books.found if address(delivery) in post.links]
        entered = {entry.remote_id for entry in self.books.ledger.values()}
        free = [post for post in showing if post.remote_id not in entered]
        assert delivery.article_id is not None
        if delivery.repost:
            now_reads = fingerprint(words(delivery.article_id, self.books.stories[delivery.article_id].revision))
            free = [post for post in free if fingerprint(post.plain) == now_reads]
            if not free:
                return
        if free:
            after = self.move(delivery, State.PUBLISHED)
            self.enter(after, free[0].remote_id, free[0].plain, free[0].published_at)
            self.follow_own(after)
        elif showing:
            self.move(delivery, State.CANCELLED, error="it stands in a post that is public already")


def address(delivery: Delivery) -> str:
    return f"https://news.example/{delivery.article_id}"


def words(article: int, revision: int) -> str:
    return f"Новина {article}, уточнення {revision}"
