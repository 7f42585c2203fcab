"""One page's HTML made an article.

What the page states for machines (JSON-LD, OpenGraph) gives title, time, author and photo; trafilatura gives the body;
the photo's credit is found by us. A page never retracts an article. Nothing is fetched here.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import datetime, tzinfo
from urllib.parse import SplitResult, urljoin, urlsplit

import lxml.etree
from lxml.html import HtmlElement

from bot.domain.article import Article
from bot.errors import SourceError
from bot.sources.canonical import canonical
from bot.sources.metadata import Metadata, read_metadata
from bot.sources.normal import MAX_LINE, FieldError, article_from, clean_line
from bot.sources.photo_credit import alt_of, credit_of, first_photo, photo_of
from bot.sources.prose import blocks, body_of, lead_from, line_of, parsed, plain, same
from bot.sources.times import moment
from bot.sources.wording import author_in

_MAX_BYLINE = 120
_NOT_A_BODY = 60  # characters; less is a cookie notice, not an article
_PUBLISHED = ("article:published_time", "datepublished", "og:published_time", "pubdate", "publish-date")
_MODIFIED = ("article:modified_time", "og:updated_time", "datemodified", "last-modified")
_STANDFIRST = re.compile(
    r"(?:^|[\s_-])(?:lead|lede|standfirst|subtitle|sub-?title|intro|perex|announce?|excerpt|anons)(?:$|[\s_-])",
    re.IGNORECASE,
)
_BYLINE = re.compile(r"(?:^|[\s_-])(?:author(?:-?name)?|byline|autor|writer)(?:$|[\s_-])", re.IGNORECASE)
_BY = re.compile(r"^(?:автор(?:ка|и)?|текст|by)\s*[:–—-]?\s+", re.IGNORECASE)
_SUFFIX = re.compile(r"\s+[|–—•·»-]\s+(?P<site>[^|–—•·»]{2,60})$")


def read_page(
    markup: str,
    url: str | None,
    where: str,
    *,
    zone: tzinfo | None,
    rubric: str = "",
    photo: Callable[[str], str] | None = None,
) -> Article:
    """Make an article of one page. Takes 5–100 ms, rarely a second: call it in a thread.

    Args:
        markup: the decoded HTML.
        url: where it was fetched from; None where that is unknown.
        where: what an error says of its place.
        zone: of times without an offset; None: such times are not read.
        rubric: taken where the page states none.
        photo: turns the address of a photo that is not absolute into a `file:` one, or "" where it may not be used.

    Raises:
        SourceError: no article can be made of it, in one line.
    """
    document = parsed(markup)
    if document is None:
        raise FieldError(where, "", "the page is empty")
    stated = read_metadata(document)
    address = _address(document, stated, url)
    title = _title(document, stated)
    if not title:
        raise FieldError(where, "title", "the page has none")
    lead, body = _lead_and_body(document, stated, markup, title)
    image, node = photo_of(stated)
    image = image or first_photo(document)
    machine = stated.stated("datePublished", "dateCreated")
    published = _time(zone, machine, *_metas(stated, _PUBLISHED), *_times_in(document))
    updated = _time(zone, stated.stated("dateModified"), *_metas(stated, _MODIFIED))
    return article_from(
        {
            "url": address,
            "title": title,
            "lead": lead,
            "body": body,
            "author": _bounded(_author(document, stated)),
            "rubric": stated.stated("articleSection") or stated.meta("article:section") or rubric,
            "tags": _tags(stated),
            "photo_url": _photo_address(image, base_of(document, address or url), photo),
            "photo_credit": credit_of(document, image, stated, node) if image else "",
            "photo_alt": _bounded(alt_of(document, image, stated)) if image else "",
            "published_at": published,
            "updated_at": updated if updated and (published is None or updated > published) else None,
        },
        where,
        file_photo=photo is not None,
    )


def _bounded(line: str) -> str:
    """Return a line that was only guessed to be this field, "" where its length says it is something else."""
    return line if len(line) <= MAX_LINE else ""


def base_of(document: HtmlElement, url: str | None) -> str | None:
    """Return what relative addresses of a page are relative to."""
    for element in document.iter("base"):
        href = (element.get("href") or "").strip()
        if href:
            try:
                return urljoin(url or "", href)
            except ValueError:
                break
    return url


def _address(document: HtmlElement, stated: Metadata, url: str | None) -> str | None:
    """Return the page's own address: what it states, if that may be true, else where it was fetched from."""
    links = [
        str(one.get("href"))
        for one in document.iter("link")
        if (one.get("rel") or "").lower() == "canonical" and one.get("href")
    ]
    main = stated.article.get("mainEntityOfPage")
    candidates = [
        *links,
        stated.meta("og:url"),
        stated.stated("url"),
        main if isinstance(main, str) else stated.node(main).get("@id"),
    ]
    own = urlsplit(url) if url else None
    for candidate in candidates:
        if not isinstance(candidate, str) or not candidate.strip():
            continue
        try:
            address = canonical(urljoin(url or "", candidate.strip()))
        except (SourceError, ValueError):
            continue
        if own is not None and not _may_be_of(address, own):
            continue  # another site's article, or a system that calls every page its front page
        return address
    return canonical(url) if url else None


def _may_be_of(address: str, own: SplitResult) -> bool:
    parts = urlsplit(address)
    front = parts.path == "/" and not parts.query
    return _site(parts.hostname) == _site(own.hostname) and not (front and own.path not in ("", "/"))


def _site(host: str | None) -> str:
    return re.sub(r"^(?:www|m|mobile|amp)\.", "", (host or "").lower())


def _title(document: HtmlElement, stated: Metadata) -> str:
    headings = [line_of(one) for one in document.iter("h1")]
    headings = [heading for heading in headings if heading]
    headline = stated.stated("headline", "name")
    page = next((line_of(one) for one in document.iter("title")), "")
    social = _without_site(stated.meta("og:title", "twitter:title"), stated)
    for title in (headline, social):
        if not title:
            continue
        longer = next((one for one in (*headings, social) if _is_cut(title, one)), None)
        return longer or title
    return (headings[0] if headings else "") or _without_site(page, stated)


def _is_cut(title: str, whole: str) -> bool:
    """Return whether a title is another one cut short, as search engines want it."""
    bare = re.sub(r"(?:…|\.\.\.)$", "", title).rstrip()
    return len(whole) > len(bare) and whole.startswith(bare) and (bare != title or len(title) >= 100)


def _without_site(title: str, stated: Metadata) -> str:
    found = _SUFFIX.search(title)
    if found and any(same(found["site"], name) for name in stated.outlet):
        return title[: found.start()]
    return title


def _author(document: HtmlElement, stated: Metadata) -> str:
    names = stated.names(stated.article.get("author"))
    people = [name for name, is_outlet in names if not is_outlet and name.casefold() not in stated.outlet]
    if people:
        return ", ".join(people)
    return _byline(document, stated) or ", ".join(name for name, _ in names)


def _byline(document: HtmlElement, stated: Metadata) -> str:
    candidates = [stated.meta("author", "article:author", "dc.creator", "parsely-author")]
    for root in [*document.iter("article", "main"), document]:
        for element in root.iterdescendants():
            if not isinstance(element.tag, str) or element.tag in ("meta", "script", "style", "img"):
                continue
            marked = "author" in (element.get("rel") or "").split() or (element.get("itemprop") or "") == "author"
            if marked or _BYLINE.search(element.get("class") or ""):
                candidates.append(line_of(element))
            elif element.tag in ("p", "div", "span", "strong", "em") and len(element) <= 3:
                candidates.append(author_in(line_of(element)) or "")
    for candidate in candidates:
        name = author_in(candidate) or _BY.sub("", candidate).strip()
        if name and len(name) <= _MAX_BYLINE and "//" not in name and name.casefold() not in stated.outlet:
            return name
    return ""


def _lead_and_body(document: HtmlElement, stated: Metadata, markup: str, title: str) -> tuple[str, str]:
    pairs = _extracted(markup)
    if sum(len(text) for _, text in pairs) < _NOT_A_BODY:
        pairs = _stated_body(stated) or _marked_body(document) or pairs
    text = " ".join(text for kind, text in pairs if kind == "p" and not same(text, title))
    for description in (stated.meta("og:description"), stated.stated("description"), stated.meta("description")):
        lead = lead_from(plain(description), title, text)
        if lead:
            return lead, body_of(pairs, title)
    for element in document.iter("p", "div", "h2", "h3"):
        if _STANDFIRST.search(element.get("class") or "") and len(list(element.iter("p"))) <= 2:
            lead = lead_from(line_of(element), title, "")
            if lead:
                return lead, body_of(pairs, title)
    return "", body_of(pairs, title)


def _extracted(markup: str) -> list[tuple[str, str]]:
    """Return the body's blocks as trafilatura finds them."""
    import trafilatura  # 1.1–1.5 s and 12 MiB, paid by those who read pages

    try:
        found = trafilatura.bare_extraction(
            markup, favor_precision=True, include_comments=False, include_tables=False, with_metadata=False
        )
    except (ValueError, TypeError, AttributeError, lxml.etree.LxmlError):
        return []
    body = getattr(found, "body", None)
    if body is None:
        return []
    pairs: list[tuple[str, str]] = []
    for element in body.iter("head", "p", "quote", "item"):
        if element.tag in ("quote", "item") and any(True for _ in element.iterdescendants("p")):
            continue
        if element.tag == "p" and any(True for _ in element.iterdescendants("p", "item", "quote")):
            continue
        text = clean_line("".join(element.itertext()))
        if text:
            pairs.append(("h2" if element.tag == "head" else "p", text))
    return pairs


def _stated_body(stated: Metadata) -> list[tuple[str, str]]:
    body = stated.article.get("articleBody")
    if not isinstance(body, str) or len(body) < _NOT_A_BODY:
        return []
    if "<" in body:
        document = parsed(f"<div>{body}</div>")
        return [] if document is None else blocks(document)
    return [("p", line) for line in map(clean_line, body.split("\n")) if line]


def _marked_body(document: HtmlElement) -> list[tuple[str, str]]:
    for root in document.iter("article", "main"):
        pairs = [("p", line_of(one)) for one in root.iter("p")]
        if any(text for _, text in pairs):
            return [(kind, text) for kind, text in pairs if text]
    return []


def _photo_address(image: str, base: str | None, photo: Callable[[str], str] | None) -> str:
    if not image or image.startswith("data:"):
        return ""
    beside = photo(image) if photo is not None and "://" not in image[:10] else ""
    if beside:  # a picture that lies beside a saved page is at hand; the one on the site may be gone
        return beside
    try:
        address = urljoin(base or "", image)
        if urlsplit(address).scheme in ("http", "https"):
            return canonical(address)
    except (SourceError, ValueError):
        return ""
    return photo(image) if photo is not None else ""


def _time(zone: tzinfo | None, *candidates: str) -> datetime | None:
    for candidate in candidates:
        at = moment(candidate, zone) if candidate else None
        if at is not None:
            return at
    return None


def _metas(stated: Metadata, names: tuple[str, ...]) -> list[str]:
    return [stated.meta(name) for name in names]


def _times_in(document: HtmlElement) -> list[str]:
    marked = [one for one in document.iter("time") if one.get("datetime")]
    own = [one for one in marked if one.get("itemprop") == "datePublished" or one.get("pubdate") is not None]
    inside = [one for one in marked if any(parent.tag in ("article", "main") for parent in one.iterancestors())]
    props = [one for one in document.iter() if isinstance(one.tag, str) and one.get("itemprop") == "datePublished"]
    chosen = own or props or inside
    return [str(one.get("datetime") or one.get("content") or line_of(one)) for one in chosen[:1]]


def _tags(stated: Metadata) -> list[str]:
    stated_words = stated.article.get("keywords")
    words = stated_words if isinstance(stated_words, list) else []
    if isinstance(stated_words, str):
        words = stated_words.split(",")
    words = words or stated.metas.get("article:tag") or stated.meta("news_keywords").split(",")
    lines = [clean_line(plain(word)) for word in words if isinstance(word, str)]
    return [line for line in lines if line and len(line) <= 200][:50]
