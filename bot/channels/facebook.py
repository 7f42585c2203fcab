"""A Facebook Page: posts, edits, deletions, and the page's own list by which an unanswered post is found again.

Calls: developers.facebook.com/docs/pages-api/posts, /docs/graph-api/reference/page/photos; several photos are uploaded
unpublished, which nobody sees, and attached to one post. Only the words of a post can be edited, only by the app that
made it; it can be deleted at any time.
"""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from bot.channels.base import Finding, Parcel, Photo
from bot.channels.errors_facebook import Aim
from bot.channels.evidence import LATEST, SKEW, addresses, judge, known_before, nothing, unwrapped
from bot.channels.facebook_check import look_over
from bot.channels.facebook_graph import Graph, next_page, posted_id
from bot.channels.transport import Transport
from bot.domain.ledger import Attempt, Evidence, LedgerEntry, Presence, PublicPost, Receipt, Survey, is_unknown
from bot.domain.post import Method, Post
from bot.errors import (
    AccessLostError,
    BotError,
    GoneError,
    PhotoRefusedError,
    RefusedError,
    UnansweredError,
    UnreachableError,
)

_FIELDS = "id,message,created_time,permalink_url,attachments{url,unshimmed_url,target}"
_PER_ANSWER = 100  # posts, the platform's own bound
_MOST = 1000  # posts read for one attempt
_ANSWERS = 30  # read for one list: some of them may be short, or empty
_BACK = timedelta(days=7)


class FacebookPublisher:
    """One page.

    Args:
        transport: opened by its owner; may be shared by all pages.
        page_id: digits.
        token: the page's own.
        app_id: with `app_secret`, lets `check` ask Meta about the token in the app's name.
        web_url: where permalinks lead.
        token_name: the variable that holds the token, named in findings.
    """

    def __init__(
        self,
        transport: Transport,
        page_id: str,
        token: str,
        *,
        api_url: str = "https://graph.facebook.com",
        api_version: str = "v26.0",
        app_id: str = "",
        app_secret: str = "",
        web_url: str = "https://www.facebook.com",
        token_name: str = "token_env",  # noqa: S107 - the name of a setting
    ) -> None:
        self._page = page_id
        self._graph = Graph(
            transport, token, api_url=api_url, api_version=api_version, app_id=app_id, app_secret=app_secret
        )
        self._web_url = web_url.rstrip("/")
        self._token_name = token_name

    def __repr__(self) -> str:
        return f"FacebookPublisher({self._page})"

    @property
    def account(self) -> str:
        return f"facebook:{self._page}"

    @property
    def pace_keys(self) -> tuple[tuple[str, str], ...]:
        return (("page", f"page:{self.account}"),)

    @property
    def usage(self) -> float:
        """Percent of the allowance used, as of the last answer that told."""
        return self._graph.usage

    @property
    def rest_for(self) -> timedelta:
        return self._graph.rest_for

    async def prepare(
        self, post: Post, photo: Photo | None, upload: str | None = None, album: Sequence[Photo] = ()
    ) -> Parcel:
        """Make a parcel; Facebook has no uploads to be used twice."""
        if post.method not in (Method.FEED, Method.PHOTOS, Method.ATTACHED_MEDIA):
            raise RefusedError(f"{post.method} is no call of Facebook's")
        if post.method is not Method.FEED and photo is None:
            raise PhotoRefusedError("there is no photo to send")
        if post.method is Method.ATTACHED_MEDIA and photo is not None:
            return await self._with_album(post, (photo, *album))
        return Parcel(post=post, photo=photo)

    async def _with_album(self, post: Post, photos: tuple[Photo, ...]) -> Parcel:
        """Upload what nobody sees yet; where fewer than two photos arrive, one is posted alone.

        An upload without an answer is left out, too: it would never be seen, so nothing is to be read back.
        """
        alts = (post.photo_alt, *[""] * (len(photos) - 1))
        answers = await asyncio.gather(*map(self._upload, photos, alts), return_exceptions=True)
        attached: dict[str, Photo] = {}
        for photo, answer in zip(photos, answers, strict=True):
            if isinstance(answer, str):
                attached[answer] = photo
            elif not isinstance(answer, PhotoRefusedError | UnansweredError | UnreachableError):
                raise answer
        first, *more = attached.values() or photos[:1]
        if first is not photos[0]:
            post = replace(post, photo_alt="")
        if not more:
            return Parcel(post=post.with_one_photo(), photo=first)
        return Parcel(post=post, photo=first, album=tuple(more), attached=tuple(attached))

    async def _upload(self, photo: Photo, alt: str) -> str:
        content = await self._post_photo(photo, {"published": "false"}, alt)
        return posted_id(content, "id")

    async def _post_photo(self, photo: Photo, fields: Mapping[str, str], alt: str) -> dict[str, Any]:
        return await self._graph.call(
            "POST",
            f"{self._page}/photos",
            fields={**fields, **({"alt_text_custom": alt} if alt else {})},
            files={"source": ("photo.jpg", photo.jpeg, "image/jpeg")},
            aim=Aim.PUBLISH,
        )

    async def publish(self, parcel: Parcel) -> Receipt:
        """Post words under a photo or an album, or words with the card of a link."""
        post = parcel.post
        if post.method is Method.PHOTOS and parcel.photo is not None:
            content = await self._post_photo(parcel.photo, {"caption": post.text}, post.photo_alt)
            post_id = posted_id(content, "post_id")
        else:
            fields = _words(post) | {
                f"attached_media[{number}]": json.dumps({"media_fbid": photo})
                for number, photo in enumerate(parcel.attached)
            }
            content = await self._graph.call("POST", f"{self._page}/feed", fields=fields, aim=Aim.PUBLISH)
            post_id = posted_id(content, "id")
        return Receipt(remote_id=post_id, permalink=f"{self._web_url}/{post_id}")

    async def edit(self, public: LedgerEntry, parcel: Parcel) -> None:
        """Rewrite a post's words."""
        fields = {"message": parcel.post.text}
        _done(await self._graph.call("POST", _post_id(public), fields=fields, aim=Aim.CHANGE))

    async def withdraw(self, public: LedgerEntry) -> None:
        """Delete a post."""
        _done(await self._graph.call("DELETE", _post_id(public), aim=Aim.CHANGE))

    async def read_back(self, attempt: Attempt) -> Evidence:
        """Look for an attempt's post in the page's own list, which shows new posts after some lag, and not all posts.

        The list is asked for from before the oldest known neighbour on: what it shows of those tells what it is worth.
        Where the post is missing, it is asked for twice, and both answers must be alike.
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
        known = set(known_before(attempt))
        earliest, latest = attempt.started_at - SKEW, attempt.started_at + LATEST
        since = min((post.published_at for post in attempt.neighbours), default=attempt.started_at - _BACK) - SKEW
        query = {"since": str(int(since.timestamp()))}
        if latest.timestamp() < time.time():
            query["until"] = str(int(latest.timestamp()))
        posts, complete = await self._listed(query, most=_MOST, per_answer=per_answer)
        evidence = judge(attempt, posts, lambda post: post.published_at >= earliest and post.remote_id not in known)
        if evidence.presence is Presence.ABSENT and not complete:
            return nothing(f"there are more than {_MOST} posts after it")
        return evidence

    async def survey(self, known: Collection[str], most: int) -> Survey:
        """Return the newest posts of the page, back to a known one."""
        try:
            posts, complete = await self._listed({}, most=most, known=known)
        except BotError as error:
            lost = isinstance(error, AccessLostError)
            return Survey(readable=False, access_lost=lost, detail=f"the page's posts could not be read: {error}")
        if not posts and known:
            return Survey(readable=False, detail="the page lists no post at all, although some are known")
        return Survey(posts=tuple(posts), complete=complete)

    async def check(self) -> list[Finding]:
        """Test token, scopes, page and read-back, each with a line on what to do."""
        return await look_over(self._graph, self._page, self._token_name, now=time.time())

    async def _listed(
        self, query: Mapping[str, str], *, most: int, per_answer: int = _PER_ANSWER, known: Collection[str] = ()
    ) -> tuple[list[PublicPost], bool]:
        """Return the page's newest posts, oldest first, and whether those are all, or reach back to a known one.

        Raises:
            UnansweredError: the answer is no list of posts, or one of them cannot be read.
            NotPublishedError: as `Graph.call`.
        """
        posts: list[PublicPost] = []
        asked = {"fields": _FIELDS, **query, "limit": str(min(most, per_answer))}
        turn: Mapping[str, str] | None = {}
        for _ in range(_ANSWERS):
            if turn is None or len(posts) >= most or any(post.remote_id in known for post in posts):
                break
            path = f"{self._page}/published_posts"
            content = await self._graph.call("GET", path, query={**asked, **turn}, aim=Aim.READ)
            listed = content.get("data")
            if not isinstance(listed, list):
                raise UnansweredError("Facebook: answered without a list of posts")
            posts += map(_read, listed)
            turn = next_page(content)
        # Listed newest first; times are whole seconds, so the order of the list decides within one.
        in_order = sorted(posts[:most][::-1], key=lambda post: post.published_at)
        return in_order, turn is None or any(post.remote_id in known for post in posts)


def _words(post: Post) -> dict[str, str]:
    return {"message": post.text} | ({"link": post.link_preview} if post.link_preview else {})


def _post_id(public: LedgerEntry) -> str:
    if is_unknown(public.remote_id):
        raise GoneError("the id of this post was never learnt: change it by hand")
    return public.remote_id


def _done(content: Mapping[str, Any]) -> None:
    if content.get("success") is False:
        raise RefusedError("Facebook: answered that it did not succeed")


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
