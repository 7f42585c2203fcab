"""The way in: one pass over what a source shows, in one transaction: merge, decide per channel, queue.

Does not compose and does not send; every article ends in a decision that `why` can show.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from sqlalchemy.ext.asyncio import AsyncConnection

from bot.agenda import backlog
from bot.agenda.adoption import adopt, adopt_retracted
from bot.agenda.follow_up import follow
from bot.agenda.posting import turn_of
from bot.clock import Clock
from bot.compose.post import Composer
from bot.domain.article import Article
from bot.domain.channel import Approval, Channel, ChannelId, SameStory, why_not
from bot.domain.delivery import DeliveryId, HeldReason, Kind, State, Turn
from bot.errors import SourceError
from bot.failpoints import reach
from bot.intake.stories import same_story, traces
from bot.logs import logger
from bot.metrics import Metrics
from bot.sources.base import Rejected, Source
from bot.store import articles, channels, deliveries, house
from bot.store.articles import Outcome, StoredArticle
from bot.store.database import Database
from bot.store.decisions import Decision, cap, decide
from bot.store.deliveries import NewDelivery
from bot.store.tables import deliveries as rows

STORY_SPAN = timedelta(hours=48)
_log = logger("intake")


@dataclass(frozen=True, slots=True, kw_only=True)
class Accepted:
    """What became of one article: `stored`, `updated` or `unchanged`."""

    url: str
    revision: int
    status: str


@dataclass(slots=True, kw_only=True)
class Report:
    """What a pass came to. `left` articles wait for the next pass."""

    accepted: list[Accepted] = field(default_factory=list)
    rejected: list[Rejected] = field(default_factory=list)
    left: int = 0
    queued: list[DeliveryId] = field(default_factory=list)


class Intake:
    """Takes articles in for all channels.

    Args:
        served: the open channels by id.
        authority: names of sources, the most authoritative first.
        gather: how long a correction waits for further ones.
        composer: tells whether a post that is public already reads as ours.
        on_queued: called after a commit that gave the outbox something to do.
    """

    def __init__(
        self,
        database: Database,
        clock: Clock,
        metrics: Metrics,
        served: Mapping[ChannelId, Channel],
        *,
        authority: Sequence[str],
        gather: timedelta,
        composer: Composer,
        on_queued: Callable[[list[DeliveryId]], None],
    ) -> None:
        self._database = database
        self._clock = clock
        self._metrics = metrics
        self._served = served
        self._authority = authority
        self._gather = gather
        self._composer = composer
        self.on_queued = on_queued

    async def look(self, source: Source, *, publish_first: bool, per_pass: int) -> Report:
        """Ask a source once and take in what it shows.

        A source that cannot be had is counted and remembered, never raised.
        """
        async with self._database.read() as tx:
            state = await house.source_state(tx, source.name)
        try:
            found = await source.look(state.cursor)
        except SourceError as error:
            await self._failed(source.name, state, str(error))
            return Report(rejected=[Rejected(where=source.name, why=str(error))])
        first = state.first_pass_at is None
        report = Report(rejected=list(found.rejected))
        for rejected in found.rejected:
            self._metrics.source_errors.labels(source.name).inc()
            _log.warning("article rejected", source=source.name, where=rejected.where, why=rejected.why)
        async with channels.turn(self._database, self._served) as (tx, now):
            baseline = first and not publish_first
            away_since = _away_since(state, now)
            await self._take(
                tx,
                found.articles,
                source.name,
                now,
                report,
                baseline=baseline,
                most=None if baseline or away_since is not None else per_pass,
                away_since=away_since,
            )
            # What waits for the next pass must be shown again: the cursor stays where it was.
            kept = state.cursor if report.left else found.cursor
            await house.keep_source_state(
                tx,
                source.name,
                house.SourceState(cursor=kept, first_pass_at=state.first_pass_at or now, last_success_at=now),
            )
            reach("intake.before")
        reach("intake.after")
        self._metrics.source_success.labels(source.name).set(now.timestamp())
        self.on_queued(report.queued)
        return report

    async def accept(self, told: Sequence[Article], source: str) -> Report:
        """Take in articles that were handed over (push, `ingest`): all of them or, on an error, none."""
        report = Report()
        async with channels.turn(self._database, self._served) as (tx, now):
            await self._take(tx, told, source, now, report, baseline=False, most=None, away_since=None)
            reach("intake.before")
        reach("intake.after")
        self.on_queued(report.queued)
        return report

    async def keep(self, tx: AsyncConnection, article: Article, source: str, now: datetime) -> StoredArticle:
        """Make an article known without queueing it: an editor says where, and the rules once a source tells it."""
        known = await articles.find(tx, article.url)
        if known is not None:
            return known
        outcome = await articles.store(tx, article, source=source, authority=self._authority, now=now)
        await articles.leave_traces(tx, outcome.stored.id, traces(article))
        await decide(tx, [_of(outcome.stored, "stored", f"an editor brought it, revision 1, from {source}")], now)
        return outcome.stored

    async def retract(self, url: str, reason: str) -> bool:
        """Take an article back; False where it is not known."""
        async with channels.turn(self._database, self._served) as (tx, now):
            stored = await articles.find(tx, url)
            if stored is None:
                return False
            stored = await articles.retract(tx, stored.id, reason, now)
            await decide(tx, [Decision(decision="retracted", detail=reason, article_id=stored.id)], now)
            await follow(tx, stored, self._served, gather=self._gather, now=now)
        self.on_queued([])
        return True

    async def _take(
        self,
        tx: AsyncConnection,
        told: Sequence[Article],
        source: str,
        now: datetime,
        report: Report,
        *,
        baseline: bool,
        most: int | None,
        away_since: datetime | None,
    ) -> None:
        fresh = 0
        late: set[ChannelId] = set()
        for article in sorted(told, key=lambda one: one.published_at or now):
            if most is not None and fresh >= most and await articles.find(tx, article.url) is None:
                report.left += 1
                continue
            outcome = await articles.store(
                tx, article, source=source, authority=self._authority, now=now, baseline=baseline
            )
            fresh += outcome.status == "stored"
            stored = outcome.stored
            report.accepted.append(Accepted(url=stored.article.url, revision=stored.revision, status=outcome.status))
            if outcome.status == "unchanged" and not outcome.first_told:
                continue
            late |= await self._decide(tx, outcome, source, now, report, away=away_since is not None)
        if report.queued:
            await adopt(tx, self._composer, self._served, now, queued=report.queued)
        if any(article.retracted for article in told):
            await adopt_retracted(tx, self._composer, self._served, now)
        if report.accepted:
            await channels.wake(tx, list(self._served), now)
        for channel_id in late:
            await backlog.settle(tx, self._served[channel_id], channel_id, now)

    async def _decide(
        self, tx: AsyncConnection, outcome: Outcome, source: str, now: datetime, report: Report, *, away: bool
    ) -> set[ChannelId]:
        """Decide what each channel does with a new or changed article; return where a backlog grew."""
        stored = outcome.stored
        detail = f"{outcome.status} from {source}, revision {stored.revision}"
        word = "told again" if outcome.status == "unchanged" else outcome.status
        made = [Decision(decision=word, detail=detail, article_id=stored.id)]
        if stored.baseline:
            if outcome.status == "stored":
                made.append(
                    _of(stored, "known", "it was there before this source's first pass (first_pass = baseline)")
                )
            await decide(tx, made, now)
            if outcome.status == "updated":  # an editor may have had it published all the same
                await self._catch_up(tx, stored, now)
            return set()
        earlier = None
        if outcome.status == "stored" and stored.retracted_at is None:
            stored, earlier = await self._twin(tx, stored)
        grew: set[ChannelId] = set()
        planned = await self._planned(tx, stored) if outcome.status != "stored" else set()
        if stored.retracted_at is None:
            for channel_id, channel in self._served.items():
                if (channel_id, stored.returns) in planned:
                    continue
                missed = away and backlog.missed(channel, stored.article, now)
                queued, decision = await self._queue(tx, channel_id, channel, stored, earlier, source, now, missed)
                made.append(decision)
                if queued is not None:
                    report.queued.append(queued)
                    if missed:
                        grew.add(channel_id)
        elif outcome.status == "stored":
            made.append(_of(stored, "not queued", "it came retracted"))
        await decide(tx, made, now)
        if outcome.status == "updated":
            await self._catch_up(tx, stored, now)
        return grew

    async def _catch_up(self, tx: AsyncConnection, stored: StoredArticle, now: datetime) -> None:
        """Let the posts of a changed article follow it, those that wait and those that are public."""
        await cap(tx, stored.id)
        await self._mend(tx, stored, now)
        await self._retime(tx, stored)
        await follow(tx, stored, self._served, gather=self._gather, now=now)

    async def _queue(
        self,
        tx: AsyncConnection,
        channel_id: ChannelId,
        channel: Channel,
        stored: StoredArticle,
        earlier: StoredArticle | None,
        source: str,
        now: datetime,
        missed: bool,
    ) -> tuple[DeliveryId | None, Decision]:
        article = stored.article
        unwanted = why_not(channel, article, source)
        if unwanted is not None:
            return None, _of(stored, "not wanted", unwanted, channel_id)
        if earlier is not None and channel.same_story is not SameStory.PUBLISH:
            settled = await self._settle_twin(tx, channel_id, channel, stored, earlier, now)
            if settled is not None:
                return None, settled
        turn, turn_at = turn_of(stored)
        new = NewDelivery(
            kind=Kind.PUBLISH,
            channel_id=channel_id,
            article_id=stored.id,
            repost=stored.returns,
            revision=stored.revision,
            state=State.PROPOSED if channel.approval is Approval.EDITOR else State.PLANNED,
            turn=turn,
            turn_at=turn_at,
            backlog=missed,
        )
        queued = await deliveries.queue(tx, new, now)
        detail = "waits for an editor" if new.state is State.PROPOSED else "waits for its turn"
        if turn_at > now:
            detail += f", under embargo until {turn_at.isoformat()}"
        if missed:
            detail += ", as part of a backlog"
        return queued, replace(_of(stored, "queued", detail, channel_id), delivery_id=queued)

    async def _twin(self, tx: AsyncConnection, stored: StoredArticle) -> tuple[StoredArticle, StoredArticle | None]:
        """Find the first article of the last two days that tells the same story."""
        hashes = traces(stored.article)
        candidates = await articles.alike(tx, hashes, stored.first_seen_at - STORY_SPAN)
        await articles.leave_traces(tx, stored.id, hashes)
        for earlier in candidates:
            if earlier.retracted_at is None and not earlier.baseline and same_story(earlier.article, stored.article):
                await articles.link_story(tx, stored.id, earlier.id)
                return replace(stored, story_of=earlier.id), earlier
        return stored, None

    async def _settle_twin(
        self,
        tx: AsyncConnection,
        channel_id: ChannelId,
        channel: Channel,
        stored: StoredArticle,
        earlier: StoredArticle,
        now: datetime,
    ) -> Decision | None:
        """Do what `same_story` asks; None where the story is to be published after all."""
        theirs = await deliveries.find(
            tx,
            rows.c.channel_id == channel_id,
            rows.c.article_id == earlier.id,
            rows.c.kind == Kind.PUBLISH,
            rows.c.repost == earlier.returns,
            rows.c.state.not_in([State.CANCELLED, State.EXPIRED, State.FAILED]),
        )
        if not theirs or channel.same_story is SameStory.FOLLOW_UP:
            return None
        told = f"it tells the same story as {earlier.article.url}"
        if channel.same_story is SameStory.SKIP:
            return _of(stored, "same story", f"{told} (same_story = skip)", channel_id)
        first = theirs[0]
        if first.held_reason is HeldReason.NO_EVIDENCE:
            return _of(stored, "same story", f"{told}, of which nobody knows yet whether it is public", channel_id)
        if first.state in (State.PROPOSED, State.PLANNED, State.HELD):
            handed = f"{stored.article.url} tells the story anew and goes out instead"
            await deliveries.move(tx, first, State.CANCELLED, now, error=handed)
            await decide(tx, [_of(earlier, "same story", handed, channel_id)], now)
            return None
        await deliveries.queue(
            tx,
            NewDelivery(
                kind=Kind.EDIT,
                channel_id=channel_id,
                article_id=stored.id,
                revision=stored.revision,
                target_id=first.id,
                state=State.PROPOSED if channel.approval is Approval.EDITOR else State.PLANNED,
                turn=Turn.EDIT,
                turn_at=now + self._gather,
            ),
            now,
        )
        return _of(stored, "same story", f"{told}, whose post is edited (same_story = edit)", channel_id)

    async def _planned(self, tx: AsyncConnection, stored: StoredArticle) -> set[tuple[ChannelId, int]]:
        """Return (channel, repost) of the posts an article has or had, and of the stories it was folded into."""
        mine = await deliveries.find(
            tx, rows.c.article_id == stored.id, rows.c.kind.in_([Kind.PUBLISH, Kind.EDIT]), rows.c.repost >= 0
        )
        listed = {(delivery.channel_id, delivery.repost) for delivery in mine}
        if stored.story_of is not None:
            listed |= {(channel_id, stored.returns) for channel_id in self._served}
        return listed

    async def _mend(self, tx: AsyncConnection, stored: StoredArticle, now: datetime) -> None:
        """Let what was held for the article's own faults try again with the new revision."""
        held = await deliveries.find(
            tx,
            rows.c.article_id == stored.id,
            rows.c.state == State.HELD,
            rows.c.held_reason.in_(["template", "link-dead"]),
        )
        for delivery in held if stored.retracted_at is None else ():
            await deliveries.move(tx, delivery, State.PLANNED, now)
            await channels.wake(tx, [delivery.channel_id], now)

    async def _retime(self, tx: AsyncConnection, stored: StoredArticle) -> None:
        """Let what waits follow a changed embargo, time or priority."""
        turn, turn_at = turn_of(stored)
        waiting = await deliveries.find(
            tx,
            rows.c.article_id == stored.id,
            rows.c.kind == Kind.PUBLISH,
            rows.c.repost >= 0,
            rows.c.state.in_([State.PROPOSED, State.PLANNED, State.HELD, State.CLAIMED]),
        )
        for delivery in waiting:
            await deliveries.change(tx, delivery.id, turn=turn.value, turn_at=turn_at)

    async def _failed(self, name: str, state: house.SourceState, why: str) -> None:
        self._metrics.source_errors.labels(name).inc()
        _log.warning("source failed", source=name, why=why, failures=state.failures + 1)
        async with self._database.write() as tx:
            await house.keep_source_state(tx, name, replace(state, failures=state.failures + 1, error=why))


def _away_since(state: house.SourceState, now: datetime) -> datetime | None:
    """Return since when the source was not seen, where that is long enough to have missed a turn."""
    last = state.last_success_at
    return last if last is not None and now - last > backlog.MISSED_BY else None


def _of(stored: StoredArticle, decision: str, detail: str, channel_id: ChannelId | None = None) -> Decision:
    return Decision(decision=decision, detail=detail, article_id=stored.id, channel_id=channel_id)
