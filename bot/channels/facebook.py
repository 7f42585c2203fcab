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
from bot.channels.evidence import SKEW, addresses, judge, nothing, unwrapped
from bot.channels.facebook_check import look_over
from bot.channels.facebook_graph import Graph, posted_id
from bot.channels.facebook_insights import FacebookInsights
from bot.channels.transport import Transport
from bot.domain.ledger import Attempt, Evidence, LedgerEntry, PublicPost, Receipt, Survey, is_unknown
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
_MOST = 100  # posts in one answer, the platform's own bound
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
    def insights(self) -> FacebookInsights:
        """What the page's posts may be asked for; it shares this channel's allowance."""
        return FacebookInsights(self._graph)

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
        """Look for an attempt's post in the page's own list, which shows new posts after some lag."""
        since = attempt.started_at - _BACK
        try:
            posts = await self._list({"since": str(int(since.timestamp())), "limit": str(_MOST)})
        except BotError as error:
            return nothing(f"the page's posts could not be read: {error}")
        earliest = attempt.started_at - SKEW
        return judge(
            attempt,
            posts,
            lambda post: post.published_at >= earliest and post.remote_id != attempt.watermark,
            neighbour_visible=any(post.remote_id == attempt.watermark for post in posts),
        )

    async def survey(self, known: Collection[str], most: int) -> Survey:
        """Return the newest posts of the page, at most a hundred."""
        try:
            posts = await self._list({"limit": str(min(most, _MOST))})
        except BotError as error:
            lost = isinstance(error, AccessLostError)
            return Survey(readable=False, access_lost=lost, detail=f"the page's posts could not be read: {error}")
        complete = len(posts) < min(most, _MOST) or any(post.remote_id in known for post in posts)
        return Survey(posts=tuple(posts), complete=complete)

    async def check(self) -> list[Finding]:
        """Test token, scopes, page and read-back, each with a line on what to do."""
        return await look_over(self._graph, self._page, self._token_name, now=time.time())

    async def _list(self, query: Mapping[str, str]) -> list[PublicPost]:
        """Return posts, oldest first."""
        content = await self._graph.call(
            "GET", f"{self._page}/published_posts", query={"fields": _FIELDS, **query}, aim=Aim.READ
        )
        listed = content.get("data")
        posts = [_read(each) for each in listed if isinstance(each, dict)] if isinstance(listed, list) else []
        # Listed newest first; times are whole seconds, so the order of the list decides within one.
        return sorted((post for post in reversed(posts) if post is not None), key=lambda post: post.published_at)


def _words(post: Post) -> dict[str, str]:
    return {"message": post.text} | ({"link": post.link_preview} if post.link_preview else {})


def _post_id(public: LedgerEntry) -> str:
    if is_unknown(public.remote_id):
        raise GoneError("the id of this post was never learnt: change it by hand")
    return public.remote_id


def _done(content: Mapping[str, Any]) -> None:
    if content.get("success") is False:
        raise RefusedError("Facebook: answered that it did not succeed")


def _read(content: Mapping[str, Any]) -> PublicPost | None:
    """Return a post of the list, None where its id or time cannot be read."""
    try:
        published_at = datetime.fromisoformat(str(content.get("created_time")))
    except ValueError:
        return None
    post_id = content.get("id")
    if published_at.tzinfo is None or not isinstance(post_id, str):
        return None
    message, permalink = content.get("message"), content.get("permalink_url")
    plain = message if isinstance(message, str) else ""
    return PublicPost(
        remote_id=post_id,
        plain=plain,
        links=tuple(dict.fromkeys([*addresses(plain), *_attached(content.get("attachments"))])),
        published_at=published_at.astimezone(UTC),
        permalink=permalink if isinstance(permalink, str) else None,
    )


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
