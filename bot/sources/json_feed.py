"""JSON Feed 1.x (jsonfeed.org) made fields of articles."""

from __future__ import annotations

import json
from datetime import tzinfo
from typing import Any

from bot.domain.article import Article
from bot.errors import SourceError
from bot.sources.canonical import absolute
from bot.sources.feed_photo import credit_of, first_image
from bot.sources.normal import article_from, clean_line
from bot.sources.prose import body_of, lead_from, pairs_of, plain, whole_sentences
from bot.sources.times import moment


def json_items(body: bytes, where: str) -> list[Any]:
    """Return the items of a feed.

    Raises:
        SourceError: the bytes are no JSON Feed.
    """
    try:
        feed = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise SourceError(f"{where}: no feed: broken JSON") from error
    items = feed.get("items")
    if not isinstance(items, list) or "jsonfeed.org" not in str(feed.get("version", "")):
        raise SourceError(f"{where}: JSON, but no JSON Feed")
    return items


def from_json(item: Any, base: str, zone: tzinfo, rubric: str) -> Article:
    """Make an article of one item.

    Raises:
        SourceError: it is no object, or a field cannot be taken.
    """
    if not isinstance(item, dict):
        raise SourceError("is no object")
    text = {key: value for key, value in item.items() if isinstance(value, str)}
    title = plain(text.get("title", ""))
    content = text.get("content_html", "")
    pairs = (
        pairs_of(content) if content else [("p", clean_line(one)) for one in text.get("content_text", "").split("\n")]
    )
    words = " ".join(line for _, line in pairs)
    names = [one["name"] for one in _objects(item, "authors", "author") if isinstance(one.get("name"), str)]
    tags = [tag for tag in item["tags"] if isinstance(tag, str)] if isinstance(item.get("tags"), list) else []
    attached = [one["url"] for one in _objects(item, "attachments") if _is_picture(one)]
    inside, alt = first_image(content)
    photo = next((one for one in (text.get("image"), text.get("banner_image"), *attached) if one), inside)
    identity = text.get("id", "")
    address = text.get("url") or text.get("external_url") or (identity if identity.startswith("http") else "")
    published, updated = (moment(text.get(name, ""), zone) for name in ("date_published", "date_modified"))
    return article_from(
        {
            "url": absolute(address, base),
            "title": title,
            "lead": lead_from(whole_sentences(plain(text.get("summary", ""))), title, words),
            "body": body_of([(kind, line) for kind, line in pairs if line], title),
            "author": ", ".join(names),
            "rubric": clean_line(tags[0]) if tags else rubric,
            "tags": tags[:50],
            "photo_url": absolute(photo, base),
            "photo_credit": credit_of({}, content) if photo else "",
            "photo_alt": alt if photo == inside else "",
            "published_at": published or updated,
            "updated_at": updated if published and updated and updated > published else None,
        },
        "",
    )


def _objects(item: dict[str, Any], *names: str) -> list[dict[str, Any]]:
    for name in names:
        value = item.get(name)
        listed = [one for one in (value if isinstance(value, list) else [value]) if isinstance(one, dict)]
        if listed:
            return listed
    return []


def _is_picture(attachment: dict[str, Any]) -> bool:
    return str(attachment.get("mime_type", "")).startswith("image/") and isinstance(attachment.get("url"), str)
