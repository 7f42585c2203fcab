"""Feeds of every kind made fields of articles: RSS 0.9–2.0 and Atom through feedparser, JSON Feed by itself.

Knows the oddities of real feeds (tests/sources name them); fetches nothing. One broken item is one `Rejected`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import tzinfo
from typing import Any

import feedparser

from bot.domain.article import Article
from bot.errors import SourceError
from bot.network import shown
from bot.sources.base import Rejected
from bot.sources.canonical import absolute
from bot.sources.feed_photo import credit_of, dicts, photo_of, value_of
from bot.sources.json_feed import from_json, json_items
from bot.sources.normal import article_from, clean_line
from bot.sources.prose import body_of, lead_from, pairs_of, plain, unescaped, whole_sentences
from bot.sources.times import moment

_LONG_SUMMARY = 800  # characters; a description beyond is the text itself
_PICTURE_TEXT = re.compile(rb"(</?media:)description\b")
_DEFAULT_NAMESPACE = re.compile(rb"(<rss\b[^>]*?)\sxmlns\s*=\s*(?:\"[^\"]*\"|'[^']*')", re.IGNORECASE)


@dataclass(slots=True)
class Items:
    """What a feed shows, in its order."""

    articles: list[Article] = field(default_factory=list)
    rejected: list[Rejected] = field(default_factory=list)


def read_feed(body: bytes, url: str, content_type: str, *, zone: tzinfo, rubric: str = "") -> Items:
    """Read a feed. Call it in a thread: 1,400–2,700 items a second.

    Args:
        body: as it came, undecoded.
        url: what its relative addresses are relative to.
        content_type: the whole header; "" where there was none.
        zone: of times without an offset.
        rubric: of articles that state none.

    Raises:
        SourceError: these bytes are no feed.
    """
    where = shown(url)
    start = body.lstrip(b"\xef\xbb\xbf \t\r\n")[:1]
    if start == b"{":
        return _gathered(json_items(body, where), where, lambda item: from_json(item, url, zone, rubric))
    # a wrong default namespace would make every element of RSS an unknown one
    body = _DEFAULT_NAMESPACE.sub(rb"\1", body, count=1)
    # feedparser takes the description of a picture for that of the item
    body = _PICTURE_TEXT.sub(rb"\1picturetext", body)
    # no content-location: resolved against an address, a hash for a guid would look like one
    headers = {"content-type": content_type} if content_type else {}
    feed = feedparser.parse(body, response_headers=headers, sanitize_html=False, resolve_relative_uris=False)
    if not feed.get("version") and not feed.entries:
        raise SourceError(f"{where}: no feed, neither RSS nor Atom nor JSON Feed")
    return _gathered(feed.entries, where, lambda entry: _from_entry(entry, url, zone, rubric))


def _gathered(items: Iterable[Any], where: str, read: Callable[[Any], Article]) -> Items:
    result = Items()
    seen: set[str] = set()
    for number, item in enumerate(items, start=1):
        try:
            article = read(item)
        except SourceError as error:
            result.rejected.append(Rejected(where=f"{where} item {number}", why=str(error)))
        except Exception as error:  # whatever one item breaks in a parser, the others are read
            why = f"cannot be read ({type(error).__name__})"
            result.rejected.append(Rejected(where=f"{where} item {number}", why=why))
        else:
            if article.url not in seen:
                seen.add(article.url)
                result.articles.append(article)
    return result


def _from_entry(entry: Any, base: str, zone: tzinfo, rubric: str) -> Article:
    title = plain(value_of(entry, "title"))
    description = unescaped(value_of(entry, "summary"))
    longest = max((unescaped(text) for text in _contents(entry)), key=len, default="")
    if longest == description:  # feedparser shows a lone content as the summary too
        description = ""
    markup = longest or description
    lead, body = _lead_and_body(plain(description), longest, description, title)
    categories = [line for line in (clean_line(plain(tag.get("term") or "")) for tag in dicts(entry, "tags")) if line]
    photo, alt = photo_of(entry, markup)
    published = moment(value_of(entry, "published"), zone)
    updated = moment(value_of(entry, "updated"), zone)
    return article_from(
        {
            "url": _address(entry, base),
            "title": title,
            "lead": lead,
            "body": body,
            "author": _author(entry),
            "rubric": categories[0] if categories else rubric,
            "tags": categories[:50],
            "photo_url": absolute(photo, base),
            "photo_credit": credit_of(entry, markup) if photo else "",
            "photo_alt": alt if photo else "",
            "published_at": published or updated,
            "updated_at": updated if published and updated and updated > published else None,
        },
        "",
    )


def _contents(entry: Any) -> list[str]:
    texts = [str(one.get("value") or "") for one in dicts(entry, "content")]
    return [text for text in (*texts, value_of(entry, "yandex_full-text"), value_of(entry, "full-text")) if text]


def _lead_and_body(summary: str, content: str, description: str, title: str) -> tuple[str, str]:
    """Return lead (a line) and body (HTML) of an item that has a description, a content, both or none."""
    if content:
        pairs = pairs_of(content)
        body = body_of(pairs, title)
        text = " ".join(line for _, line in pairs)
        return ("" if len(summary) > _LONG_SUMMARY else lead_from(summary, title, text)), body
    if len(summary) > _LONG_SUMMARY:
        return "", body_of(pairs_of(description), title)
    return lead_from(whole_sentences(summary), title, ""), ""


def _address(entry: Any, base: str) -> str | None:
    alternates = [one.get("href") for one in dicts(entry, "links") if one.get("rel", "alternate") == "alternate"]
    links = [value_of(entry, "feedburner_origlink"), value_of(entry, "link"), *alternates]
    guid = value_of(entry, "id")
    if dict.get(entry, "guidislink") and not guid.startswith(("http://", "https://")):
        links = [link for link in links if link != guid]  # the parser makes the guid a link, whatever it is
    return next((address for address in (absolute(link, base) for link in links) if address), None)


def _author(entry: Any) -> str:
    names = [clean_line(plain(one.get("name") or "")) for one in dicts(entry, "authors")]
    unique = [name for name in dict.fromkeys(names) if name and "@" not in name]
    return ", ".join(unique)
