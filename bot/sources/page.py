"""Pages fetched from a site: a single one opened, and a listing page watched for new ones.

A page is opened once; how an article is read from it is `page_reader`'s matter.
"""

from __future__ import annotations

import asyncio
from datetime import tzinfo
from typing import Any
from urllib.parse import urljoin

import cssselect
from lxml.html import HtmlElement

from bot.domain.article import Article
from bot.errors import FetchError, SettingsError, SourceError
from bot.network import Fetcher, shown
from bot.sources.base import Found, Rejected
from bot.sources.canonical import canonical
from bot.sources.normal import clean_line
from bot.sources.page_reader import base_of, read_page
from bot.sources.prose import decoded_page, parsed

MAX_PAGE = 8 << 20
HTML = "text/html,application/xhtml+xml;q=0.9,*/*;q=0.5"
_MAX_KNOWN = 5_000  # addresses a listing is remembered by
_TRIES = 5  # looks after which a page that cannot be had is given up


async def open_page(fetcher: Fetcher, url: str, *, zone: tzinfo | None, rubric: str = "") -> Article:
    """Fetch one page and make an article of it.

    Raises:
        FetchError: the page could not be had.
        SourceError: no article can be made of it.
    """
    answer = await fetcher.get(url, limit_bytes=MAX_PAGE, accept=HTML)
    if answer.content_type and not ("html" in answer.content_type or answer.content_type.startswith("text/")):
        raise SourceError(f"{shown(url)}: not a page, but {clean_line(answer.content_type)[:60]}")
    markup = decoded_page(answer.body, answer.charset)
    return await asyncio.to_thread(read_page, markup, answer.url, shown(answer.url), zone=zone, rubric=rubric)


class Page:
    """A listing page whose new links are opened.

    Args:
        links: CSS selector of the links to articles.
        per_look: pages opened at one look; the rest waits for the next.
        baseline: whether what the first look lists is taken as known and never opened.
    """

    def __init__(
        self,
        name: str,
        url: str,
        links: str,
        fetcher: Fetcher,
        *,
        zone: tzinfo,
        rubric: str = "",
        per_look: int = 20,
        baseline: bool = False,
    ) -> None:
        self.name = name
        self._url = url
        self._fetcher = fetcher
        self._zone = zone
        self._rubric = rubric
        self._per_look = per_look
        self._baseline = baseline
        try:
            self._links = cssselect.HTMLTranslator().css_to_xpath(links)
        except (cssselect.SelectorError, ValueError) as error:
            raise SettingsError(f"source {name}: links: {links!r} is not a CSS selector ({error})") from error

    async def look(self, cursor: dict[str, Any]) -> Found:
        """Open what the listing shows for the first time; the cursor is the addresses known and those that failed."""
        try:
            answer = await self._fetcher.get(self._url, limit_bytes=MAX_PAGE, accept=HTML)
        except FetchError as error:
            raise SourceError(f"source {self.name}: {error}") from error
        markup = decoded_page(answer.body, answer.charset)
        listed = await asyncio.to_thread(self._listed, markup, answer.url)
        known: dict[str, None] = dict.fromkeys(cursor.get("known", ()))
        failed: dict[str, int] = dict(cursor.get("failed", {}))
        if not cursor and self._baseline:
            return Found(cursor={"known": listed[:_MAX_KNOWN], "failed": {}})
        found = Found()
        fresh = [address for address in listed if address not in known]
        for address in fresh[: self._per_look]:
            try:
                article = await open_page(self._fetcher, address, zone=self._zone, rubric=self._rubric)
            except (FetchError, SourceError) as error:
                found.rejected.append(Rejected(where=address, why=str(error)))
                failed[address] = failed.get(address, 0) + 1
                if isinstance(error, FetchError) and failed[address] < _TRIES:
                    continue
            else:
                if article.url not in known:
                    found.articles.append(article)
                known[article.url] = None
            failed.pop(address, None)
            known[address] = None
        # what is listed now is never forgotten, however long the list of what was
        order = [address for address in known if address not in set(listed)] + [one for one in listed if one in known]
        still = {address: count for address, count in failed.items() if address in set(listed)}
        found.cursor.update(known=order[-max(_MAX_KNOWN, len(listed)) :], failed=still)
        return Found(
            articles=found.articles, rejected=found.rejected, cursor=found.cursor, unchanged=not fresh and bool(cursor)
        )

    def _listed(self, markup: str, url: str) -> list[str]:
        """Return the canonical addresses of the listed articles, each once, in order."""
        document = parsed(markup)
        if document is None:
            raise SourceError(f"source {self.name}: {shown(url)}: the page is empty")
        base = base_of(document, url) or url
        here = canonical(url)
        result: dict[str, None] = {}
        found = document.xpath(self._links)
        for element in found if isinstance(found, list) else ():
            anchor = _anchor(element)
            if anchor is None:
                continue
            try:
                address = canonical(urljoin(base, (anchor.get("href") or "").strip()))
            except (SourceError, ValueError):
                continue  # mailto:, javascript: and the like stand in every listing
            if address != here and address.startswith("http"):
                result[address] = None
        if not result:
            raise SourceError(f"source {self.name}: {shown(url)}: no link matches the selector of `links`")
        return list(result)


def _anchor(element: Any) -> HtmlElement | None:
    """Return the link a selector hit: the element itself, what it holds, or what holds it."""
    if not isinstance(element, HtmlElement):
        return None
    if element.get("href"):
        return element
    for near in (*element.iterdescendants("a"), *element.iterancestors("a")):
        if near.get("href"):
            return near
    return None
