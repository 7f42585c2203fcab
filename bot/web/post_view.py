"""One post as its platform shows it: public already, or composed now as it would be at its turn. Publishes nothing."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime
from html.parser import HTMLParser
from urllib.parse import urlsplit

from markupsafe import Markup, escape
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.agenda.composing import Material, compose, material
from bot.compose.post import Composer
from bot.domain.channel import Channel, Platform
from bot.domain.delivery import WAITING, Delivery, DeliveryId
from bot.domain.ledger import LedgerEntry
from bot.errors import ComposeError
from bot.store import deliveries, ledger
from bot.store.tables import deliveries as rows
from bot.web import texts

_ADDRESS = re.compile(r"https?://[^\s<>\"«»]+[^\s<>\"«».,;:!?)\]]")
_NOTHING = Markup()
_KEPT = frozenset("b strong i em u ins s strike del code pre blockquote".split())


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """A delivery's post: what it is made of, and as it is public already."""

    made_of: Material
    public: LedgerEntry | None

    @property
    def delivery(self) -> Delivery:
        """The delivery itself."""
        return self.made_of.delivery


@dataclass(frozen=True, slots=True, kw_only=True)
class Preview:
    """What readers see, or will. `photos` are addresses, for the photo desk and nobody else."""

    title: str
    text: Markup = _NOTHING
    photos: tuple[str, ...] = ()
    photo_alt: str = ""
    card: tuple[str, str] | None = None  # the site and the headline of a link's card
    permalink: str | None = None
    problem: str = ""


async def find(tx: AsyncConnection, delivery_id: int) -> Found | None:
    """Return a delivery with what it is made of; None where there is none."""
    found = await deliveries.find(tx, rows.c.id == delivery_id)
    if not found:
        return None
    return Found(made_of=await material(tx, found[0]), public=await ledger.entry(tx, DeliveryId(delivery_id)))


def preview(found: Found, channel: Channel, composer: Composer, at: datetime) -> Preview:
    """Show a post.

    Args:
        at: when it goes out, for words that age.
    """
    stored, public = found.made_of.stored, found.public
    title = (public.title if public else "") or (stored.article.title if stored else "") or texts.NO_TITLE
    if public is not None:
        permalink = public.permalink if (public.permalink or "").startswith("https://") else None
        photos = _photos_again(found, channel, composer) if public.method.carries_photo else ()
        return Preview(title=title, text=_safe(public.text, channel.platform), photos=photos, permalink=permalink)
    if found.delivery.state in WAITING and stored is not None and stored.retracted_at is not None:
        return Preview(title=title, problem=texts.GONE)
    try:
        post = compose(composer, found.made_of, channel, at=at)
    except ComposeError as error:
        return Preview(title=title, problem=texts.NOT_COMPOSED.format(why=error))
    card = None
    if post.link_preview:
        site = (urlsplit(post.link_preview).hostname or "").removeprefix("www.")
        card = (site, title)
    return Preview(
        title=title,
        text=_safe(post.text, channel.platform),
        photos=(post.photo_url, *post.album) if post.photo_url else (),
        photo_alt=post.photo_alt,
        card=card,
    )


def _photos_again(found: Found, channel: Channel, composer: Composer) -> tuple[str, ...]:
    """Return the photos of a public post: the ledger keeps its words, the article its pictures."""
    try:
        post = compose(composer, found.made_of, channel, at=found.delivery.turn_at)
    except ComposeError:
        return ()
    return (post.photo_url, *post.album) if post.photo_url else ()


def _safe(text: str, platform: Platform) -> Markup:
    """Return a post's text as HTML of which nothing but words, formatting and links is left."""
    if platform is Platform.TELEGRAM:
        reader = _TelegramHtml()
        reader.feed(text)
        reader.close()
        return reader.done()
    parts, end = [], 0
    for found in _ADDRESS.finditer(text):
        parts += [escape(text[end : found.start()]), _link(found[0]), escape(found[0]), Markup("</a>")]
        end = found.end()
    return Markup("").join([*parts, escape(text[end:])])


def _link(href: str) -> Markup:
    return Markup('<a href="{}" target="_blank" rel="noopener noreferrer">').format(href)


class _TelegramHtml(HTMLParser):
    """Keeps the formatting that Telegram has, and of attributes the address of a link alone."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self._parts: list[Markup] = []
        self._opened: list[tuple[str, str]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        href = dict(attrs).get("href") or ""
        if tag == "a" and href.startswith(("https://", "http://")):
            self._parts.append(_link(href))
            self._opened.append((tag, "a"))
        elif tag in _KEPT:
            self._parts.append(Markup("<{}>").format(tag))
            self._opened.append((tag, tag))

    def handle_endtag(self, tag: str) -> None:
        if any(name == tag for name, _ in self._opened):
            while True:
                name, written = self._opened.pop()
                self._parts.append(Markup("</{}>").format(written))
                if name == tag:
                    break

    def handle_data(self, data: str) -> None:
        self._parts.append(escape(data))

    def done(self) -> Markup:
        """Return what was read, with everything closed."""
        closing = [Markup("</{}>").format(written) for _, written in reversed(self._opened)]
        return Markup("").join([*self._parts, *closing])
