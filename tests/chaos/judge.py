"""Judges one cell by the sandbox's own record. Pure: given what was wanted and what was visible, never our database.

What the database says is used for excuses alone: that a post was held (order is waived across it) or ended for a
stated reason, and a refusal counts as a reason only where the record of calls shows one.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise

Key = tuple[str, int]  # channel, number of the article


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """An article that every channel was to get. Times are Unix seconds.

    `rank` orders articles by `published_at`. `sent_at` is when the newsroom first told of it, `accepted_at` when it
    heard that it was taken. `newest` stands in the text of the newest revision alone.
    """

    number: int
    rank: float
    sent_at: float
    accepted_at: float
    newest: str
    breaking: bool = False
    retracted_at: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """A post as the sandbox showed it: since when, until when (None: still), with which text last."""

    channel: str
    article: int | None
    at: float
    gone_at: float | None
    text: str
    id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Called:
    """A call as the sandbox recorded it; `key` is whom a ban concerns, `method` what was called, `worker` by whom."""

    at: float
    key: str
    method: str = ""
    worker: str = ""
    banned_for: int = 0
    inside_ban: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Violation:
    """What must never happen."""

    kind: str
    channel: str
    article: int | None
    words: str


@dataclass(slots=True, kw_only=True)
class Verdict:
    """The figures of one cell."""

    wanted: int = 0
    once: int = 0
    spared: int = 0  # retracted before anybody saw them
    held: int = 0
    ended: int = 0  # refused by the platform for good, with its reason
    smallest_gap: float | None = None
    required_gap: float = 0.0
    unheard: int = 0  # calls inside a ban of which the worker that was told may not have heard
    violations: list[Violation] = field(default_factory=list)

    def count(self, kind: str) -> int:
        """Count violations of a kind."""
        return sum(one.kind == kind for one in self.violations)


def judge(
    wanted: Sequence[Wanted],
    shown: Sequence[Shown],
    gaps: Mapping[str, float],
    *,
    ever_held: Collection[Key] = (),
    still_held: Collection[Key] = (),
    ended: Mapping[Key, str] | None = None,
    restored_at: Sequence[float] = (),
) -> Verdict:
    """Compare what was to be seen with what was seen.

    Args:
        gaps: the least seconds between two posts, by channel; 0: none. It names all channels.
        ever_held: posts that were held at some time: later ones may overtake them.
        still_held: posts that are held at the end.
        ended: posts that the platform refused for good, and how.
        restored_at: when an older database was put back: it may bring back what was retracted since, for a while.
    """
    ended = ended or {}
    verdict = Verdict(wanted=len(wanted) * len(gaps))
    posts: dict[Key, list[Shown]] = defaultdict(list)
    for post in sorted(shown, key=lambda post: post.at):
        if post.article is None:
            verdict.violations.append(
                Violation(kind="foreign", channel=post.channel, article=None, words=f"post {post.id} is of no article")
            )
        else:
            posts[post.channel, post.article].append(post)
    for channel in gaps:
        for article in wanted:
            key = channel, article.number
            problem = _once(article, posts[key], restored_at)
            if problem is None:
                verdict.once += bool(posts[key])
                verdict.spared += not posts[key]
            elif problem[0] == "lost" and key in still_held:
                verdict.held += 1
            elif problem[0] == "lost" and key in ended:
                verdict.ended += 1
            else:
                verdict.violations.append(
                    Violation(kind=problem[0], channel=channel, article=article.number, words=problem[1])
                )
        first = {number: found[0].at for (name, number), found in posts.items() if name == channel and found}
        verdict.violations += _order(channel, wanted, first, ever_held)
    _gaps(verdict, wanted, shown, gaps)
    return verdict


def _once(article: Wanted, posts: Sequence[Shown], restored_at: Sequence[float]) -> tuple[str, str] | None:
    """Say what is wrong with the posts of one article in one channel, oldest first."""
    if article.retracted_at is None and not posts:
        return "lost", "never visible"
    for earlier, later in pairwise(posts):
        if earlier.gone_at is None or earlier.gone_at > later.at:
            return "doubled", f"posts {earlier.id} and {later.id} were visible together"
        taken_back = article.retracted_at is not None and article.retracted_at <= earlier.gone_at
        if not taken_back:
            return "doubled", f"post {later.id} came after {earlier.id}, and nobody had asked to take that one back"
        if not any(earlier.at <= moment <= later.at for moment in restored_at):
            return "doubled", f"post {later.id} came although the article had been taken back with {earlier.id}"
    visible = [post for post in posts if post.gone_at is None]
    if article.retracted_at is not None and visible:
        return "not taken back", f"post {visible[0].id} is still visible"
    if article.retracted_at is None and not visible:
        return "lost", f"post {posts[-1].id} was taken down, and nobody had asked for it"
    if visible and article.newest not in visible[0].text:
        return "not corrected", f"post {visible[0].id} does not say «{article.newest}»"
    return None


def _order(
    channel: str, wanted: Sequence[Wanted], first: Mapping[int, float], ever_held: Collection[Key]
) -> list[Violation]:
    """Find posts that overtook one that should have gone first, and was known no later than they were."""
    known = [one for one in wanted if one.number in first and not one.breaking]
    by_time = sorted(known, key=lambda one: first[one.number])
    found = []
    for place, overtaker in enumerate(by_time):
        for overtaken in by_time[place + 1 :]:
            together = overtaken.accepted_at <= overtaker.sent_at or overtaken.sent_at == overtaker.sent_at
            if overtaken.rank < overtaker.rank and together and (channel, overtaken.number) not in ever_held:
                words = f"it came {first[overtaken.number] - first[overtaker.number]:.2f} s after {overtaker.number}"
                found.append(Violation(kind="out of order", channel=channel, article=overtaken.number, words=words))
                break
    return found


def _gaps(verdict: Verdict, wanted: Sequence[Wanted], shown: Sequence[Shown], gaps: Mapping[str, float]) -> None:
    """Measure how near two posts came to each other where a gap was to be kept; breaking news may."""
    breaking = {one.number for one in wanted if one.breaking}
    verdict.required_gap = min((gap for gap in gaps.values() if gap), default=0.0)
    for channel, least in gaps.items():
        if not least:
            continue
        posts = sorted((post for post in shown if post.channel == channel), key=lambda post: post.at)
        for earlier, later in pairwise(posts):
            if later.article in breaking:
                continue
            gap = later.at - earlier.at
            verdict.smallest_gap = gap if verdict.smallest_gap is None else min(gap, verdict.smallest_gap)
            if gap < least:
                words = f"{gap:.3f} s after the post before it ({earlier.article}), {least:g} s are to be kept"
                verdict.violations.append(
                    Violation(kind="too near", channel=channel, article=later.article, words=words)
                )


def judge_bans(
    verdict: Verdict, calls: Sequence[Called], interrupted: Mapping[str, Sequence[float]], *, hearing: float
) -> None:
    """Count calls inside a ban. One cannot be kept of which the only worker that was told may not have heard.

    Args:
        calls: in order of time.
        interrupted: by worker, when it was killed, frozen or cut off, sorted: what it had just been told may be lost.
        hearing: seconds within which a ban told is written down.
    """
    begun: dict[str, Called] = {}
    for call in calls:
        if call.inside_ban:
            told = begun[call.key]
            moments = interrupted.get(told.worker, ())
            if bisect_right(moments, told.at + hearing) > bisect_left(moments, told.at - 0.05):
                verdict.unheard += 1
            else:
                words = f"{call.method} came at {call.at:.2f}, {call.at - told.at:.2f} s after the ban began"
                verdict.violations.append(Violation(kind="inside a ban", channel=call.key, article=None, words=words))
        elif call.banned_for:
            begun[call.key] = call
