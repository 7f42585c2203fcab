"""The public pages of a Telegram channel as evidence: which posts they show, newest or around an attempt.

A page may be an old copy, or leave posts out. So a post that is not on the newest page is looked for a second time by
another address, in a run of pages that begins before the attempt; what both ways show must be the same.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence

from bot.channels.evidence import CLOCK, SKEW, ids_of, judge, known_before, nothing
from bot.channels.telegram_bot import TelegramBot
from bot.channels.telegram_preview import read_preview
from bot.domain.ledger import Attempt, Evidence, Presence, PublicPost, Survey

PAGE = 20  # posts on a page
_RUN = 50  # pages read from an attempt on
_BACK = 10  # how far before the oldest post that should be seen a run begins
_REACH = 60  # how much older than the newest known post one may be that should be seen
_NO_PREVIEW = "Telegram shows no preview of the channel"


class PublicPages:
    """The pages under `t.me/s/`, read through a bot's connections.

    Args:
        web_url: root of the web site, without a slash at its end.
    """

    def __init__(self, bot: TelegramBot, web_url: str) -> None:
        self._bot = bot
        self._web_url = web_url

    async def read(self, name: str, *, before: int | None = None, after: int | None = None) -> list[PublicPost] | None:
        """Return the posts of one page, oldest first; None where Telegram shows something else.

        Raises:
            UnansweredError, UnreachableError: the page could not be had.
        """
        part = f"?before={before}" if before is not None else f"?after={after}" if after is not None else ""
        answer = await self._bot.look(f"{self._web_url}/s/{name}{part}")
        return read_preview(answer.body, name, self._web_url) if answer.status == 200 else None

    async def look(self, name: str, attempt: Attempt) -> Evidence:
        """Look for an attempt's post.

        Raises:
            UnansweredError, UnreachableError: a page could not be had.
        """
        newest = await self.read(name)
        if newest is None:
            return nothing(_NO_PREVIEW)
        if not newest:
            return nothing("the preview shows no post at all")
        known = numbers(known_before(attempt))
        if not known:
            since = attempt.started_at - SKEW
            return judge(attempt, newest, lambda post: post.published_at >= since)
        mark = max(known)

        def is_newer(post: PublicPost) -> bool:
            return _number(post) > mark

        evidence = judge(attempt, newest, is_newer)
        if evidence.presence is Presence.PRESENT:
            return evidence
        run = await self._run(name, attempt, known, newest)
        if isinstance(run, str):
            return nothing(run)
        evidence = judge(attempt, [*run, *newest], is_newer)
        if evidence.presence is not Presence.ABSENT:
            return evidence
        if _differ(run, newest):
            return nothing("two pages of the channel do not show the same posts")
        return judge(attempt, run, is_newer)  # its beginning stays where it is, whatever is published later

    async def _run(
        self, name: str, attempt: Attempt, known: Sequence[int], newest: Sequence[PublicPost]
    ) -> list[PublicPost] | str:
        """Return all posts from before an attempt to where its post can no longer be, else why that cannot be read.

        Each page begins with the last post of the one before, so that none is an older copy than that.
        """
        mark = max(known)
        run: list[PublicPost] = []
        after = max(0, min(number for number in known if number >= mark - _REACH) - _BACK - 1)
        for _ in range(_RUN):
            page = await self.read(name, after=after)
            if page is None:
                return _NO_PREVIEW
            if run and run[-1].remote_id not in {post.remote_id for post in page}:
                return "pages of the channel do not fit together"
            more = [post for post in page if not run or _number(post) > _number(run[-1])]
            run += more
            if run and (_number(run[-1]) >= _number(newest[-1]) or run[-1].published_at > attempt.started_at + CLOCK):
                return run
            if not more:
                return "the newest page shows posts that the one before them does not lead to"
            after = _number(run[-1]) - 1
        return f"there are more than {_RUN * PAGE} posts after it"

    async def survey(self, name: str, known: Collection[str], most: int) -> Survey:
        """Read page by page back to a known post, at most `most` posts.

        Raises:
            UnansweredError, UnreachableError: a page could not be had.
        """
        posts = await self.read(name)
        if posts is None:
            return Survey(readable=False, detail=_NO_PREVIEW)
        if not posts and known:
            return Survey(readable=False, detail="the preview shows no post at all, although some are known")
        complete = len(posts) < PAGE
        while not complete and len(posts) < most and not reaches(posts, known):
            earlier = await self.read(name, before=_number(posts[0]))
            if earlier is None:
                return Survey(readable=False, detail=_NO_PREVIEW)
            older = [post for post in earlier if _number(post) < _number(posts[0])]
            complete, posts = not older, older + posts
        return Survey(posts=tuple(posts[-most:]), complete=complete or reaches(posts, known))


def numbers(ids: Collection[str]) -> list[int]:
    """Return the ids that are message numbers, newest first."""
    return sorted((int(remote_id) for remote_id in ids if remote_id.isdecimal()), reverse=True)


def reaches(posts: Collection[PublicPost], known: Collection[str]) -> bool:
    """Say whether a known post is among some posts."""
    return any(remote_id in known for post in posts for remote_id in ids_of(post))


def _number(post: PublicPost) -> int:
    return int(post.remote_id)


def _differ(one: Sequence[PublicPost], other: Sequence[PublicPost]) -> bool:
    """Say whether two views that should be alike show different posts where they overlap."""
    if not one or not other:
        return False
    first, last = max(_number(one[0]), _number(other[0])), min(_number(one[-1]), _number(other[-1]))
    ids = [{post.remote_id for post in view if first <= _number(post) <= last} for view in (one, other)]
    return ids[0] != ids[1]
