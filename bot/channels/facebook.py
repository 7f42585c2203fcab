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
from datetime import timedelta
from typing import Any

from bot.channels.base import Finding, Parcel, Photo
from bot.channels.errors_facebook import Aim
from bot.channels.facebook_check import look_over
from bot.channels.facebook_graph import Graph, done, posted_id
from bot.channels.facebook_insights import FacebookInsights
from bot.channels.facebook_list import PageList
from bot.channels.facebook_two_step import TwoStep
from bot.channels.transport import Transport
from bot.domain.ledger import Attempt, Evidence, LedgerEntry, Receipt, Survey, is_unknown
from bot.domain.post import Method, Post
from bot.errors import GoneError, PhotoRefusedError, RefusedError, UnansweredError, UnreachableError


class FacebookPublisher:
    """One page.

    Args:
        transport: opened by its owner; may be shared by all pages.
        page_id: digits.
        token: the page's own.
        app_id: with `app_secret`, lets `check` ask Meta about the token in the app's name.
        web_url: where permalinks lead.
        token_name: the variable that holds the token, named in findings.
        two_step: make each post unpublished and publish it by its id: only where `prove_two_step` was content.
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
        two_step: bool = False,
    ) -> None:
        self._page = page_id
        self._graph = Graph(
            transport, token, api_url=api_url, api_version=api_version, app_id=app_id, app_secret=app_secret
        )
        self._web_url = web_url.rstrip("/")
        self._token_name = token_name
        self._list = PageList(self._graph, page_id)
        self._two_step = TwoStep(self._graph, page_id, self._web_url)
        self._in_two_steps = two_step

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
            parcel = await self._with_album(post, (photo, *album))
        else:
            parcel = Parcel(post=post, photo=photo)
        return await self._made_unseen(parcel) if self._in_two_steps else parcel

    async def _made_unseen(self, parcel: Parcel) -> Parcel:
        """Make the whole post, unpublished; a photo of its own is attached, for unpublished ones are no posts."""
        if parcel.post.method is Method.PHOTOS and parcel.photo is not None:
            try:
                parcel = replace(parcel, attached=(await self._upload(parcel.photo, parcel.post.photo_alt),))
            except UnansweredError as error:
                raise UnreachableError(f"a photo that nobody sees yet could not be uploaded: {error}") from error
        return replace(parcel, handle=await self._two_step.create(_fields(parcel)))

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
        """Post words under a photo or an album, or words with the card of a link; or show what was made unseen."""
        if parcel.handle is not None:
            return await self._two_step.publish(parcel.handle)
        post = parcel.post
        if post.method is Method.PHOTOS and parcel.photo is not None:
            content = await self._post_photo(parcel.photo, {"caption": post.text}, post.photo_alt)
            post_id = posted_id(content, "post_id")
        else:
            content = await self._graph.call("POST", f"{self._page}/feed", fields=_fields(parcel), aim=Aim.PUBLISH)
            post_id = posted_id(content, "id")
        return Receipt(remote_id=post_id, permalink=f"{self._web_url}/{post_id}")

    async def edit(self, public: LedgerEntry, parcel: Parcel) -> None:
        """Rewrite a post's words."""
        fields = {"message": parcel.post.text}
        done(await self._graph.call("POST", _post_id(public), fields=fields, aim=Aim.CHANGE))

    async def withdraw(self, public: LedgerEntry) -> None:
        """Delete a post."""
        done(await self._graph.call("DELETE", _post_id(public), aim=Aim.CHANGE))

    async def read_back(self, attempt: Attempt) -> Evidence:
        """Look for an attempt's post: by its id where it had one before it was published, else in the page's list."""
        if attempt.handle is not None:
            return await self._two_step.look(attempt.handle)
        return await self._list.look(attempt)

    async def survey(self, known: Collection[str], most: int) -> Survey:
        """Return the newest posts of the page, back to a known one."""
        return await self._list.survey(known, most)

    async def check(self) -> list[Finding]:
        """Test token, scopes, page and read-back, each with a line on what to do."""
        return await look_over(self._graph, self._page, self._token_name, now=time.time())

    async def prove_two_step(self, *, patience: float = 60.0) -> Finding:
        """Find out by a test post whether posts can be made unseen and published by their id; see `TwoStep.prove`."""
        return await self._two_step.prove(patience=patience)


def _fields(parcel: Parcel) -> dict[str, str]:
    """Return what `/feed` is told of a post."""
    card = {"link": parcel.post.link_preview} if parcel.post.link_preview else {}
    photos = {
        f"attached_media[{number}]": json.dumps({"media_fbid": photo}) for number, photo in enumerate(parcel.attached)
    }
    return {"message": parcel.post.text, **card, **photos}


def _post_id(public: LedgerEntry) -> str:
    if is_unknown(public.remote_id):
        raise GoneError("the id of this post was never learnt: change it by hand")
    return public.remote_id
