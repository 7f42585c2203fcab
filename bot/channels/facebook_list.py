"""A page's own list of posts as evidence.

It shows new posts after some lag, and not all posts: Meta lists about 600 ranked ones a year. So what is missing from
it counts only beside a post that is known to be there, and when it is missing from two answers that are alike.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import UTC, datetime, timedelta

from bot.channels.errors_facebook import Aim
from bot.channels.evidence import CLOCK, SKEW, addresses, judge, known_before, nothing, unwrapped
from bot.channels.facebook_graph import Graph, next_page
from bot.domain.ledger import Attempt, Evidence, Presence, PublicPost, Survey
from bot.errors import AccessLostError, BotError, UnansweredError

_FIELDS = "id,message,created_time,permalink_url,attachments{url,unshimmed_url,target}"
_PER_ANSWER = 100  # posts, the platform's own bound
_MOST = 1000  # posts read for one attempt
_ANSWERS = 30  # read for one list: some of them may be short, or empty
_BACK = timedelta(days=7)
_BELOW = 20  # posts that are compared, from the newest known one down


class PageList:
    """The published posts of one page."""

    def __init__(self, graph: Graph, page_id: str) -> None:
        self._graph = graph
        self._page = page_id

    async def look(self, attempt: Attempt) -> Evidence:
        """Look for an attempt's post. Never raises for what Meta answers.

        The list is asked for from before the oldest known neighbour on: what it shows of those tells what it is worth.
        """
        try:
            evidence = await self._look(attempt, per_answer=_PER_ANSWER)
            if evidence.presence is not Presence.ABSENT:
                return evidence
            again = await self._look(attempt, per_answer=_PER_ANSWER // 2)
        except BotError as error:
            return nothing(f"the page's posts could not be read: {error}")
        if again.presence is Presence.ABSENT and set(again.shown) != set(evidence.shown):
            return nothing("two answers do not list the same posts")
        return again

    async def _look(self, attempt: Attempt, *, per_answer: int) -> Evidence:
        """Judge by the order of the list: what stands above the newest known post came after it, whatever a clock says.

        `shown` are that post and those below it, a fixed number, so that they stay the same while others are published.
        """
        known = set(known_before(attempt))
        since = min((post.published_at for post in attempt.neighbours), default=attempt.started_at - _BACK) - CLOCK
        query = {"since": str(int(since.timestamp()))}
        if (attempt.started_at + CLOCK).timestamp() < time.time():
            query["until"] = str(int((attempt.started_at + CLOCK).timestamp()))
        posts, complete = await self._listed(
            query, per_answer, _MOST, lambda posts: len(posts) - _newest_known(posts, known) >= _BELOW
        )
        first = _newest_known(posts, known)
        if first == len(posts):
            return judge(attempt, posts, lambda post: post.published_at >= attempt.started_at - SKEW)
        # Within the second of the newest known post the order decides nothing.
        above = {post.remote_id for post in posts if post.published_at >= posts[first].published_at} - known
        evidence = judge(attempt, posts[: first + _BELOW], lambda post: post.remote_id in above)
        if evidence.presence is Presence.ABSENT and not complete:
            return nothing(f"there are more than {_MOST} posts after it")
        return evidence

    async def survey(self, known: Collection[str], most: int) -> Survey:
        """Return the newest posts of the page, back to a known one."""
        try:
            posts, complete = await self._listed({}, _PER_ANSWER, most, lambda posts: _reaches(posts, known))
        except BotError as error:
            lost = isinstance(error, AccessLostError)
            return Survey(readable=False, access_lost=lost, detail=f"the page's posts could not be read: {error}")
        if not posts and known:
            return Survey(readable=False, detail="the page lists no post at all, although some are known")
        # Times are whole seconds: within one, the order of the list decides.
        in_order = sorted(posts[::-1], key=lambda post: post.published_at)
        return Survey(posts=tuple(in_order), complete=complete)

    async def _listed(
        self, query: Mapping[str, str], per_answer: int, most: int, enough: Callable[[list[PublicPost]], bool]
    ) -> tuple[list[PublicPost], bool]:
        """Return the page's newest posts, newest first, and whether those are all, or enough.

        Raises:
            UnansweredError: the answer is no list of posts, or one of them cannot be read.
            NotPublishedError: as `Graph.call`.
        """
        posts: list[PublicPost] = []
        asked = {"fields": _FIELDS, **query, "limit": str(min(most, per_answer))}
        turn: Mapping[str, str] | None = {}
        for _ in range(_ANSWERS):
            if turn is None or len(posts) >= most or enough(posts):
                break
            path = f"{self._page}/published_posts"
            content = await self._graph.call("GET", path, query={**asked, **turn}, aim=Aim.READ)
            listed = content.get("data")
            if not isinstance(listed, list):
                raise UnansweredError("Facebook: answered without a list of posts")
            posts += map(_read, listed)
            turn = next_page(content)
        return posts[:most], turn is None or enough(posts)


def _reaches(posts: Collection[PublicPost], known: Collection[str]) -> bool:
    return any(post.remote_id in known for post in posts)


def _newest_known(posts: Sequence[PublicPost], known: Collection[str]) -> int:
    """Return the place of the newest known post, their number where none is among them."""
    return next((place for place, post in enumerate(posts) if post.remote_id in known), len(posts))


def _read(content: object) -> PublicPost:
    """Return a post of the list.

    Raises:
        UnansweredError: its id or its time cannot be read.
    """
    if not isinstance(content, dict) or not isinstance(content.get("id"), str):
        raise UnansweredError("Facebook: listed something that is no post")
    post_id, message, permalink = content["id"], content.get("message"), content.get("permalink_url")
    published_at = _moment(content.get("created_time"))
    if published_at is None:
        raise UnansweredError(f"Facebook: listed post {post_id} without the time it was made")
    plain = message if isinstance(message, str) else ""
    return PublicPost(
        remote_id=post_id,
        plain=plain,
        links=tuple(dict.fromkeys([*addresses(plain), *_attached(content.get("attachments"))])),
        published_at=published_at,
        permalink=permalink if isinstance(permalink, str) else None,
    )


def _moment(told: object) -> datetime | None:
    try:
        read = datetime.fromisoformat(str(told))
    except ValueError:
        return None
    return read.astimezone(UTC) if read.tzinfo is not None else None


def _attached(attachments: object) -> list[str]:
    """Return the addresses of the cards under a post."""
    cards = attachments.get("data") if isinstance(attachments, dict) else None
    found: list[str] = []
    for card in cards if isinstance(cards, list) else []:
        target = card.get("target") if isinstance(card, dict) else None
        places = [card.get("unshimmed_url"), card.get("url")] if isinstance(card, dict) else []
        places.append(target.get("url") if isinstance(target, dict) else None)
        found += [unwrapped(place) for place in places if isinstance(place, str)]
    return found
