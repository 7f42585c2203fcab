"""What one file holds, by its ending; used by the watched folder, by `ingest` and by `preview`."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from datetime import datetime, tzinfo
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

from bot.domain.article import Article
from bot.errors import SourceError
from bot.sources.base import Found, Rejected
from bot.sources.canonical import canonical
from bot.sources.normal import FieldError, article_from
from bot.sources.page_reader import read_page
from bot.sources.printed import decoded, read_printed
from bot.sources.prose import decoded_page

ENDINGS = (".html", ".htm", ".txt", ".json", ".jsonl")
MAX_FILE = 64 << 20
_WEB = re.compile(r"https?:", re.IGNORECASE)


class BrokenOffError(SourceError):
    """A file is no whole JSON: it may still be written."""


def read_path(
    path: Path,
    url: str | None = None,
    published_at: datetime | None = None,
    *,
    zone: tzinfo | None,
    rubric: str = "",
    root: Path | None = None,
) -> Found:
    """Read the articles of one file. Never raises for what the file holds: that is in `rejected`.

    Args:
        url: the article's address, where the file holds one article; wins over what the file says.
        published_at: the same for its time; aware.
        zone: of dates in `.txt` and `.html` without an offset.
        rubric: of articles that state none.
        root: the folder photos must lie in; None: the file's own.
    """
    where = str(path)
    try:
        if not path.is_file():
            raise SourceError("no such file" if not path.exists() else "is not a file")
        if path.stat().st_size > MAX_FILE:
            raise SourceError(f"larger than {MAX_FILE:,} bytes")
        found = read_bytes(path.read_bytes(), path, where=where, zone=zone, rubric=rubric, root=root or path.parent)
        return _overridden(found, url, published_at, where)
    except OSError as error:
        return Found(rejected=[Rejected(where=where, why=error.strerror or "cannot be read")])
    except SourceError as error:
        return Found(rejected=[Rejected(where=where, why=str(error))])


def read_lines(
    text: str, where: str = "stdin", *, url: str | None = None, published_at: datetime | None = None
) -> Found:
    """Read JSON lines, one article each, as they come on standard input; photos must be http(s) addresses."""
    try:
        return _overridden(_lines(text, where, "", None), url, published_at, where)
    except SourceError as error:
        return Found(rejected=[Rejected(where=where, why=str(error))])


def read_bytes(
    raw: bytes, path: Path, *, where: str, zone: tzinfo | None, rubric: str = "", root: Path | None = None
) -> Found:
    """Read what a file holds, whose ending says how; `path` is not opened.

    Raises:
        BrokenOffError: JSON that ends too early; everything else wrong is in `rejected`.
    """
    photos = None if root is None else _Photos(root, path.parent)
    ending = path.suffix.lower()
    try:
        if ending in (".html", ".htm"):
            article = read_page(
                decoded_page(raw), None, "", zone=zone, rubric=rubric, photo=None if photos is None else photos.if_there
            )
            return Found(articles=[article])
        text = decoded(raw)
        if ending == ".txt":
            return Found(articles=[read_printed(text, "", zone=zone, rubric=rubric)])
        if ending == ".jsonl":
            return _lines(text, where, rubric, photos)
        if ending == ".json":
            return _whole(text, where, rubric, photos)
    except BrokenOffError:
        raise
    except SourceError as error:
        return Found(rejected=[Rejected(where=where, why=str(error).removeprefix(": "))])
    return Found(rejected=[Rejected(where=where, why=f"not one of {' '.join(ENDINGS)}")])


class _Photos:
    """Photos that lie beside the articles, inside one folder."""

    def __init__(self, root: Path, beside: Path) -> None:
        self._root = root.resolve()
        self._beside = beside

    def address(self, name: str) -> str:
        """Return the `file:` address of a photo named by a path or a `file:` address.

        Raises:
            SourceError: it does not lie inside the folder.
        """
        path = unquote(urlsplit(name).path) if name.lower().startswith("file:") else name
        try:
            place = (self._beside / path).resolve()
        except (OSError, ValueError, RuntimeError) as error:
            raise SourceError("is not a path") from error
        if not place.is_relative_to(self._root):
            raise SourceError("does not lie inside the folder")
        return place.as_uri()

    def if_there(self, name: str) -> str:
        """Return the same for what a page shows, "" for a picture that is not at hand."""
        try:
            address = self.address(unquote(urlsplit(name).path))
        except (SourceError, ValueError):
            return ""
        return address if Path(unquote(urlsplit(address).path)).is_file() else ""


def _overridden(found: Found, url: str | None, published_at: datetime | None, where: str) -> Found:
    if url is None and published_at is None:
        return found
    if len(found.articles) > 1:
        raise SourceError("holds several articles: an address or a time given for it would be theirs all")
    changes: dict[str, Any] = {}
    if url is not None:
        changes["url"] = canonical(url)
    if published_at is not None:
        changes["published_at"] = published_at
    return replace(found, articles=[replace(article, **changes) for article in found.articles])


def _lines(text: str, where: str, rubric: str, photos: _Photos | None) -> Found:
    found = Found()
    lines = text.split("\n")
    last = max((number for number, line in enumerate(lines) if line.strip()), default=-1)
    for number, line in enumerate(lines):
        if not line.strip():
            continue
        place = f"{where}:{number + 1}"
        try:
            found.articles.append(_article(_parsed(line, last_one=False), rubric, photos))
        except BrokenOffError as error:
            # photos is None on standard input, where nothing more will come
            if number == last and photos is not None and not text.endswith("\n"):
                raise
            found.rejected.append(Rejected(where=place, why=str(error)))
        except SourceError as error:
            found.rejected.append(Rejected(where=place, why=str(error)))
    return found


def _whole(text: str, where: str, rubric: str, photos: _Photos | None) -> Found:
    value = _parsed(text, last_one=True)
    if not isinstance(value, list):
        return Found(articles=[_article(value, rubric, photos)])
    found = Found()
    for number, one in enumerate(value):
        try:
            found.articles.append(_article(one, rubric, photos))
        except SourceError as error:
            found.rejected.append(Rejected(where=f"{where}[{number}]", why=str(error)))
    return found


def _parsed(text: str, *, last_one: bool) -> Any:
    try:
        return json.loads(text, parse_constant=_refuse)
    except json.JSONDecodeError as error:
        line = f"line {error.lineno} " if last_one else ""
        raise BrokenOffError(f"not JSON: {error.msg} at {line}column {error.colno}") from error
    except RecursionError as error:
        raise SourceError("not JSON that can be read: nested too deep") from error
    except ValueError as error:
        raise SourceError(f"not JSON: {error}") from error


def _refuse(constant: str) -> Any:
    raise ValueError(f"{constant} is not a JSON value")


def _article(value: Any, rubric: str, photos: _Photos | None) -> Article:
    if not isinstance(value, dict):
        raise SourceError("an article is a JSON object")
    photo = value.get("photo_url")
    local = photos is not None and isinstance(photo, str) and bool(photo.strip()) and not _WEB.match(photo.strip())
    if photos is not None and isinstance(photo, str) and local:
        try:
            value = {**value, "photo_url": photos.address(photo.strip())}
        except SourceError as error:
            raise FieldError("", "photo_url", str(error)) from error
    article = article_from(value, "", file_photo=local)
    return article if article.rubric else replace(article, rubric=rubric)
