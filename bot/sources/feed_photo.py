"""The photo of a feed's item and its credit, wherever feeds put them."""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import urlsplit

from bot.sources.normal import clean_line
from bot.sources.prose import line_of, parsed, plain
from bot.sources.wording import credit_in

_IMAGE = re.compile(r"\.(?:jpe?g|png|webp|gif|avif)$", re.IGNORECASE)
_MAX_CAPTION = 300
_MAX_WIDTH_DIGITS = 5


def value_of(entry: Any, name: str) -> str:
    """Return one text of an entry of feedparser, trimmed, "" where it has none."""
    # not entry.get: feedparser's own answers "updated" with "published" and warns
    value = dict.get(entry, name)
    return value.strip() if isinstance(value, str) else ""


def dicts(entry: Any, name: str) -> list[Any]:
    """Return what an entry of feedparser lists under a name."""
    value = dict.get(entry, name)
    return [one for one in value if isinstance(one, dict)] if isinstance(value, list) else []


def photo_of(entry: Any, markup: str) -> tuple[str, str]:
    """Return the address of an item's photo and its alternative text, "" for none."""
    media = [
        one for one in dicts(entry, "media_content") if _is_image(one.get("url"), one.get("type"), one.get("medium"))
    ]
    enclosed = [
        one
        for one in dicts(entry, "links")
        if one.get("rel") == "enclosure" and _is_image(one.get("href"), one.get("type"), "")
    ]
    image = dict.get(entry, "image")
    named = image.get("href") or image.get("url") if isinstance(image, dict) else image
    pictures = [
        *(one.get("url") for one in sorted(media, key=_width, reverse=True)),
        *(one.get("href") for one in enclosed),
        named,
        *(one.get("url") for one in sorted(dicts(entry, "media_thumbnail"), key=_width, reverse=True)),
    ]
    inside, alt = first_image(markup)
    for picture in pictures:
        if isinstance(picture, str) and picture.strip():
            return picture.strip(), plain(value_of(entry, "media_picturetext"))[:500]
    return inside, alt


def _is_image(address: Any, kind: Any, medium: Any) -> bool:
    if not isinstance(address, str) or not address:
        return False
    if isinstance(kind, str) and kind:
        return kind.lower().startswith("image/")  # the type may be wrong about which, not about what
    if medium:
        return bool(medium == "image")
    try:
        return bool(_IMAGE.search(urlsplit(address).path))
    except ValueError:
        return False


def _width(media: Any) -> int:
    width = str(media.get("width") or "")
    return int(width) if width.isdecimal() and len(width) <= _MAX_WIDTH_DIGITS else 0


def first_image(markup: str) -> tuple[str, str]:
    """Return the address of the first picture in some HTML and its alternative text, "" for none."""
    if "<img" not in markup.lower():
        return "", ""
    document = parsed(f"<div>{markup}</div>")
    for image in document.iter("img") if document is not None else ():
        source = (image.get("src") or image.get("data-src") or "").strip()
        # pictures of one point count readers
        if source and not source.startswith("data:") and image.get("width") != "1" and image.get("height") != "1":
            return source, clean_line(image.get("alt") or "")[:500]
    return "", ""


def credit_of(entry: Any, markup: str) -> str:
    """Return the credit an item states for its photo, else the one printed in its HTML, "" for none."""
    stated = [one.get("content") for one in dicts(entry, "media_credit")]
    for candidate in (*stated, value_of(entry, "media_copyright")):
        line = clean_line(plain(candidate)) if isinstance(candidate, str) else ""
        if line:
            return credit_in(line) or line[:200]
    if "<" in markup:
        document = parsed(f"<div>{markup}</div>")
        for element in document.iter("figcaption", "p", "small", "em", "span", "div") if document is not None else ():
            credit = credit_in(line_of(element)) if len(line_of(element)) < _MAX_CAPTION else None
            if credit:
                return credit
    return ""
