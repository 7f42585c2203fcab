"""Publishing on a page in two steps: a post is made unpublished, which nobody sees, and then published by its id.

What has an id can be asked about by it, whatever the page's list leaves out, and publishing it twice is publishing it
once. Whether Meta does it so is nowhere promised: it is used only on pages where `check --two-step` has proved it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from contextlib import suppress

from bot.channels.base import Finding
from bot.channels.errors_facebook import Aim
from bot.channels.evidence import nothing
from bot.channels.facebook_graph import Graph, done, posted_id
from bot.domain.ledger import Evidence, Presence, Receipt
from bot.errors import BotError, GoneError, NotPublishedError, UnansweredError, UnreachableError

NAME = "two-step"
_WORDS = "Перевірка зв’язку: цей допис зникне за мить."
_PAUSE = 2.0  # seconds between two looks at the list


class TwoStep:
    """One page's posts that nobody sees yet.

    Args:
        web_url: where permalinks lead, without a slash at its end.
    """

    def __init__(self, graph: Graph, page_id: str, web_url: str) -> None:
        self._graph = graph
        self._page = page_id
        self._web_url = web_url
        self._unused: str | None = None

    async def create(self, fields: Mapping[str, str]) -> str:
        """Make a post that nobody sees, and return its id; one that was made before and never published is deleted.

        Raises:
            NotPublishedError: it could not be made, or nobody knows whether it was.
        """
        unused, self._unused = self._unused, None
        if unused is not None:
            with suppress(BotError):  # an unseen post that stays harms nobody
                await self._graph.call("DELETE", unused, aim=Aim.CHANGE)
        hidden = {**fields, "published": "false"}
        try:
            made = posted_id(await self._graph.call("POST", f"{self._page}/feed", fields=hidden, aim=Aim.PUBLISH), "id")
        except UnansweredError as error:
            raise UnreachableError(f"a post that nobody sees yet could not be made: {error}") from error
        self._unused = made
        return made

    async def publish(self, handle: str) -> Receipt:
        """Let readers see a post; without an answer it is asked once more, which cannot make two of it.

        Raises:
            UnansweredError: neither call was answered; it may be public.
            NotPublishedError: it is not.
        """
        self._unused = None
        try:
            await self._reveal(handle)
        except UnansweredError as lost:
            try:
                await self._reveal(handle)
            except BotError:
                raise lost from None
        except GoneError as error:
            raise NotPublishedError(f"the post that nobody saw yet is gone, another is made: {error}") from error
        except NotPublishedError:
            self._unused = handle
            raise
        return self._receipt(handle)

    async def look(self, handle: str) -> Evidence:
        """Say whether readers see a post. Never raises for what Meta answers."""
        try:
            shown = await self._is_public(handle)
        except GoneError:
            shown = False
        except BotError as error:
            return nothing(f"post {handle} could not be asked about: {error}")
        if shown:
            return Evidence(presence=Presence.PRESENT, receipt=self._receipt(handle), detail="published, by its id")
        return Evidence(presence=Presence.ABSENT, detail="not published, by its id", shown=(handle,))

    async def prove(self, *, patience: float = 60.0) -> Finding:
        """Go through all of it with a post that is deleted again; readers may see it for some seconds.

        Args:
            patience: seconds until the published post has to be in the page's list.
        """
        handle = ""
        try:
            handle = await self.create({"message": _WORDS})
            fault = await self._try_out(handle, patience)
        except BotError as error:
            fault = f"it cannot be done on this page: {error}"
        if handle:
            try:
                done(await self._graph.call("DELETE", handle, aim=Aim.CHANGE))
            except BotError as error:
                fault = f"{fault or 'it works'}; delete post {handle} by hand, it could not be deleted: {error}"
        detail = fault or "a post was made unseen, published by its id twice, seen once, and deleted"
        return Finding(name=NAME, ok=not fault, detail=detail)

    async def _try_out(self, handle: str, patience: float) -> str:
        """Return what is not as it should be, "" where all is."""
        if await self._is_public(handle):
            return "a post that should not be published was"
        await self.publish(handle)
        await self._reveal(handle)
        if not await self._is_public(handle):
            return "a post was published by its id, and is not public"
        loop = asyncio.get_running_loop()
        end = loop.time() + patience
        while (seen := await self._times_listed(handle)) != 1:
            if seen > 1 or loop.time() > end:
                return f"the page lists the published post {seen} times"
            await asyncio.sleep(min(_PAUSE, patience / 10))
        return ""

    async def _times_listed(self, handle: str) -> int:
        query = {"fields": "id,message", "limit": "10"}
        content = await self._graph.call("GET", f"{self._page}/published_posts", query=query, aim=Aim.READ)
        listed = content.get("data")
        posts = [post for post in listed if isinstance(post, dict)] if isinstance(listed, list) else []
        return sum(post.get("id") == handle or post.get("message") == _WORDS for post in posts)

    async def _reveal(self, handle: str) -> None:
        done(await self._graph.call("POST", handle, fields={"is_published": "true"}, aim=Aim.CHANGE))

    async def _is_public(self, handle: str) -> bool:
        content = await self._graph.call("GET", handle, query={"fields": "id,is_published"}, aim=Aim.CHANGE)
        shown = content.get("is_published")
        if not isinstance(shown, bool):
            raise UnansweredError(f"Facebook: does not tell whether post {handle} is published")
        return shown

    def _receipt(self, handle: str) -> Receipt:
        return Receipt(remote_id=handle, permalink=f"{self._web_url}/{handle}")
