"""A feed that is asked for what is new: RSS, Atom, JSON Feed.

Asks politely (ETag, Last-Modified), reads in a thread, and, where wanted, opens each new item's page for what the feed
does not say.
"""

from __future__ import annotations

import asyncio
import hashlib
from dataclasses import replace
from datetime import tzinfo
from typing import Any

from bot.domain.article import Article, fingerprint
from bot.errors import FetchError, SourceError
from bot.network import Fetcher
from bot.sources.base import Found, Rejected
from bot.sources.feed_items import Items, read_feed
from bot.sources.page import open_page

MAX_FEED = 16 << 20
XML = "application/rss+xml,application/atom+xml,application/feed+json,application/xml;q=0.9,application/json;q=0.8,*/*"


class Feed:
    """One feed.

    Args:
        zone: of times that state none.
        rubric: of items that state none.
        full_text: whether each new item's page is opened for body, photo, credit and author.
        per_look: pages opened at one look; the rest waits for the next.
        baseline: whether the first look is only to know what is there, so that no page is opened for it.
    """

    def __init__(
        self,
        name: str,
        url: str,
        fetcher: Fetcher,
        *,
        zone: tzinfo,
        rubric: str = "",
        full_text: bool = False,
        per_look: int = 20,
        baseline: bool = False,
    ) -> None:
        self.name = name
        self._url = url
        self._fetcher = fetcher
        self._zone = zone
        self._rubric = rubric
        self._full_text = full_text
        self._per_look = per_look
        self._baseline = baseline

    async def look(self, cursor: dict[str, Any]) -> Found:
        """Return what the feed shows; the cursor is its validators, and with `full_text` what was opened."""
        try:
            answer = await self._fetcher.get(
                self._url,
                limit_bytes=MAX_FEED,
                accept=XML,
                etag=cursor.get("etag"),
                last_modified=cursor.get("last_modified"),
            )
        except FetchError as error:
            raise SourceError(f"source {self.name}: {error}") from error
        if answer.status == 304:
            return Found(cursor=cursor, unchanged=True)
        digest = hashlib.sha256(answer.body).hexdigest()
        if digest == cursor.get("sha"):
            return Found(cursor={**cursor, "etag": answer.etag, "last_modified": answer.last_modified}, unchanged=True)
        kind = answer.content_type + (f"; charset={answer.charset}" if answer.charset else "")
        try:
            items = await asyncio.to_thread(
                read_feed, answer.body, answer.url, kind, zone=self._zone, rubric=self._rubric
            )
        except SourceError as error:
            raise SourceError(f"source {self.name}: {error}") from error
        state = {"etag": answer.etag, "last_modified": answer.last_modified, "sha": digest}
        if not self._full_text:
            return Found(articles=items.articles, rejected=items.rejected, cursor=state)
        return await self._opened(items, cursor, state)

    async def _opened(self, items: Items, cursor: dict[str, Any], state: dict[str, Any]) -> Found:
        """Open the pages of new and changed items.

        An item that was opened and has not changed is not shown again: without its page it would look like a change.
        """
        before: dict[str, str] = cursor.get("opened", {})
        opened: dict[str, str] = {}
        found = Found(rejected=items.rejected)
        first = not cursor and self._baseline
        waiting = 0
        pages = 0
        for article in items.articles:
            mark = fingerprint(article)
            if before.get(article.url) == mark:
                opened[article.url] = mark
                continue
            if not first and article.link is not None:
                if pages >= self._per_look:
                    waiting += 1
                    continue
                pages += 1
                article = await self._with_page(article, found.rejected)
            opened[article.url] = mark
            found.articles.append(article)
        # while something waits, the feed is not to be answered with "not modified"
        found.cursor.update({"opened": opened} if waiting else {**state, "opened": opened})
        return found

    async def _with_page(self, article: Article, rejected: list[Rejected]) -> Article:
        try:
            page = await open_page(self._fetcher, article.url, zone=self._zone)
        except (FetchError, SourceError) as error:
            rejected.append(Rejected(where=article.url, why=f"its page was left out: {error}"))
            return article
        return completed(article, page)


def completed(article: Article, page: Article) -> Article:
    """Return a feed's article with what its page says better.

    The page wins for body, author and photo with its credit and description; the feed for all the rest, gaps filled.
    """
    # a photo and its credit come from one hand: the credit of another picture would be a false one
    photo = page if page.photo_url else article
    other = article if photo is page else page
    same_photo = not other.photo_url or other.photo_url == photo.photo_url
    return replace(
        article,
        body=page.body or article.body,
        author=page.author or article.author,
        photo_url=photo.photo_url,
        photo_credit=photo.photo_credit or (other.photo_credit if same_photo else ""),
        photo_alt=photo.photo_alt or (other.photo_alt if same_photo else ""),
        lead=article.lead or page.lead,
        rubric=article.rubric or page.rubric,
        tags=article.tags or page.tags,
        published_at=article.published_at or page.published_at,
        updated_at=article.updated_at or page.updated_at,
    )
