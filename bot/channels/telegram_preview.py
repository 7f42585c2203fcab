"""Telegram's public preview of a channel, `t.me/s/<name>`, read as evidence.

Its form is nowhere promised: classes as found on t.me. Whatever cannot be read in full counts as not read at all.
"""

from __future__ import annotations

from datetime import UTC, datetime

from lxml import etree, html

from bot.domain.ledger import PublicPost

_POST = "//*[contains(concat(' ', normalize-space(@class), ' '), ' tgme_widget_message ')][@data-post]"
_TEXT = (
    ".//*[contains(concat(' ', normalize-space(@class), ' '), ' tgme_widget_message_text ')]"
    "[not(ancestor::*[contains(@class, 'tgme_widget_message_reply')])]"
)
_DATE = ".//a[contains(concat(' ', normalize-space(@class), ' '), ' tgme_widget_message_date ')]//time/@datetime"
_CARD = ".//a[contains(concat(' ', normalize-space(@class), ' '), ' tgme_widget_message_link_preview ')]/@href"
_PHOTO = ".//a[contains(concat(' ', normalize-space(@class), ' '), ' grouped_media_wrap ')]/@href"
_HEADER = "//*[contains(@class, 'tgme_channel_info') or contains(@class, 'tgme_channel_history')]"


def read_preview(page: bytes, name: str, web_url: str) -> list[PublicPost] | None:
    """Return the posts on a page, oldest first; None where it is no preview of this channel.

    Args:
        name: the channel's, without "@"; case does not matter.
        web_url: root of the web site, for permalinks.
    """
    try:
        root = html.document_fromstring(page, parser=html.HTMLParser(encoding="utf-8"))
        found = _elements(root, _POST)
        if not found and not _elements(root, _HEADER):
            return None
        posts = [_read(element, name, web_url) for element in found]
    except (etree.LxmlError, ValueError, AssertionError):
        return None
    return sorted(posts, key=lambda post: int(post.remote_id))


def _read(element: html.HtmlElement, name: str, web_url: str) -> PublicPost:
    """Return one post; an album is one, each of its photos a link to the message that it is (`…/84?single`).

    Raises:
        ValueError: it is not of the form expected.
    """
    owner, _, number = str(element.get("data-post", "")).rpartition("/")
    dates = _strings(element, _DATE)
    if owner.lower() != name.lower() or not number.isdecimal() or not dates:
        raise ValueError("not a post of this channel, or one without its date")
    published_at = datetime.fromisoformat(dates[0])
    if published_at.tzinfo is None:
        raise ValueError("a date without its zone")
    texts = _elements(element, _TEXT)
    photos = (photo.partition("?")[0].rpartition("/")[2] for photo in _strings(element, _PHOTO))
    links = [link for text in texts[:1] for link in _strings(text, ".//a/@href")] + _strings(element, _CARD)
    return PublicPost(
        remote_id=number,
        plain=_words(texts[0]) if texts else "",
        links=tuple(dict.fromkeys(links)),
        published_at=published_at.astimezone(UTC),
        permalink=f"{web_url}/{owner}/{number}",
        more_ids=tuple(sorted({photo for photo in photos if photo.isdecimal() and int(photo) > int(number)}, key=int)),
    )


def _words(element: html.HtmlElement) -> str:
    """Return what an element reads as, `<br>` as a line end."""
    found = element.xpath(".//text() | .//br")
    return "".join(str(each) if isinstance(each, str) else "\n" for each in found) if isinstance(found, list) else ""


def _elements(element: html.HtmlElement, path: str) -> list[html.HtmlElement]:
    found = element.xpath(path)
    return [each for each in found if isinstance(each, html.HtmlElement)] if isinstance(found, list) else []


def _strings(element: html.HtmlElement, path: str) -> list[str]:
    found = element.xpath(path)
    return [str(each) for each in found if isinstance(each, str)] if isinstance(found, list) else []
