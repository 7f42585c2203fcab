"""Draws posts that wait for an editor as their channel will show them: composed now, with photo. Sends nothing."""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol
from zoneinfo import ZoneInfo

from bot.agenda.composing import Material, compose, material
from bot.channels.base import Photo
from bot.compose.markup import TELEGRAM_CAPTION, TELEGRAM_TEXT, cut, escape, fault, measure
from bot.compose.post import Composer
from bot.desk import cards, texts
from bot.desk.standing import Phase, Standing, leaves_at
from bot.desk.voice import Button, Rows
from bot.domain.channel import Channel, ChannelId, Platform
from bot.domain.delivery import Delivery, Kind, State
from bot.domain.post import Post
from bot.errors import ComposeError, FetchError, PhotoError
from bot.store import deliveries, ledger
from bot.store.database import Database
from bot.store.notices import Notice

_PHOTO_WITHIN = 15.0  # seconds
_DROPS = frozenset({"publish", "later", "release"})  # of no use where no post can be made


class Photos(Protocol):
    """Where pictures come from."""

    async def get(self, photo_url: str) -> Photo:
        """Return a picture, or raise PhotoError or FetchError."""
        ...


@dataclass(slots=True, kw_only=True)
class Drawn:
    """A card ready to be said.

    `upload` is the id under which the desk's bot may send the photo again, where it has one. `link` is the address
    whose card stands under the text.
    """

    text: str
    rows: Rows
    mark: str
    photo: Photo | None = None
    upload: str | None = None
    link: str | None = None

    @property
    def picture(self) -> str:
        """The name of its photo; "" for words alone."""
        return self.photo.key if self.photo is not None else ""


def mark(notice: Notice, standing: Standing) -> str:
    """Tell what a card shows: another mark means another card."""
    about = standing.about[notice.id]
    parts = [standing.phase(notice).value]
    if cards.NAME in cards.verbs(notice.what):
        parts += [about.state or "", about.version, str(leaves_at(about) if parts[0] == Phase.LEAVES else "")]
    return " ".join(parts)


class Drawer:
    """Draws posts.

    Args:
        account: of the bot that shows them.
        handled: what presses anybody handles.
    """

    def __init__(
        self,
        database: Database,
        composer: Composer,
        photos: Photos,
        served: Mapping[ChannelId, Channel],
        *,
        account: str,
        zone: ZoneInfo,
        handled: Collection[str],
    ) -> None:
        self._database = database
        self._composer = composer
        self._photos = photos
        self._served = served
        self._account = account
        self._zone = zone
        self._handled = handled

    async def draw(self, notice: Notice, standing: Standing) -> Drawn:
        """Draw a notice: a post as it would go out now, anything else in words."""
        about, phase = standing.about[notice.id], standing.phase(notice)
        drawn = Drawn(text="", rows=cards.rows(notice, about, phase, self._handled), mark=mark(notice, standing))
        channel = self._served.get(notice.channel_id) if notice.channel_id is not None else None
        if cards.NAME not in cards.verbs(notice.what) or channel is None or notice.delivery_id is None:
            drawn.text = cards.card(notice, standing, self._zone)
            return drawn
        async with self._database.read() as tx:
            delivery = await deliveries.get(tx, notice.delivery_id)
            made_of = await material(tx, delivery)
        head = self._head(notice, standing, delivery)
        if delivery.kind is Kind.WITHDRAW:
            drawn.text = "\n".join((head, cards.title(about), texts.WITHDRAWAL))
            return drawn
        try:
            post, notes = await self._post(drawn, made_of, channel, standing.now)
        except ComposeError as error:
            why = texts.CANNOT_COMPOSE.format(why=cards.detail(str(error)))
            drawn.text = "\n".join((head, cards.title(about), why))
            left = [[one for one in row if one.press.partition(":")[0] not in _DROPS] for row in drawn.rows]
            drawn.rows = [row for row in left if row]
            return drawn
        if delivery.kind is Kind.EDIT and made_of.target is not None and made_of.target.hand_at is not None:
            notes.append(texts.BY_HAND)
        _fit(
            drawn,
            "\n".join((head, *notes)),
            post,
            Button(texts.NAMED.format(channel=channel.name), f"{cards.NAME}:{notice.id}"),
        )
        return drawn

    def _head(self, notice: Notice, standing: Standing, delivery: Delivery) -> str:
        about = standing.about[notice.id]
        if standing.phase(notice) is not Phase.ASKS:
            return cards.on_its_way(notice, standing, self._zone, texts.POST_LEAVES, texts.POST_GOES)
        if about.state is not State.PROPOSED:
            return texts.POST_HELD.format(channel=escape(about.channel))
        asks = texts.POST_EDIT_ASKS if delivery.kind is Kind.EDIT else texts.POST_ASKS
        return asks.format(channel=escape(about.channel))

    async def _post(self, drawn: Drawn, made_of: Material, channel: Channel, now: datetime) -> tuple[Post, list[str]]:
        """Compose a post and get its photo; return it as it will be, and what an editor should know of it."""
        at = max(now, made_of.delivery.turn_at)
        post = compose(self._composer, made_of, channel, at=at)
        notes: list[str] = []
        if post.photo_url is not None:
            try:
                drawn.photo = await asyncio.wait_for(self._photos.get(post.photo_url), _PHOTO_WITHIN)
            except (PhotoError, FetchError, TimeoutError):
                notes.append(texts.PHOTO_MISSING)
                post = compose(self._composer, made_of, channel, at=at, least_rung=1)
            else:
                if post.album:
                    notes.append(texts.PHOTOS_MORE.format(count=1 + len(post.album)))
                async with self._database.read() as tx:
                    drawn.upload = await ledger.find_upload(tx, self._account, drawn.photo.key)
        return post, notes


def _fit(drawn: Drawn, head: str, post: Post, name: Button) -> None:
    """Put head and post into one message; a post that leaves no room for the head is shown alone, as it is.

    Facebook takes longer texts than a message holds: of those the end is left out.
    """
    limit = TELEGRAM_CAPTION if drawn.photo is not None else TELEGRAM_TEXT
    drawn.link = post.link_preview if drawn.photo is None else None
    is_html = post.platform is Platform.TELEGRAM
    body = post.text if is_html else escape(post.text)
    drawn.text = f"{head}\n\n{body}"
    if fault(drawn.text, Platform.TELEGRAM, limit) is None:
        return
    if is_html:
        drawn.text, drawn.rows = body, [[name], *drawn.rows]
    else:
        room = limit - measure(f"{head}\n\n{texts.POST_CUT}", Platform.TELEGRAM).length
        drawn.text = f"{head}\n\n{escape(cut(post.text, max(0, room)))}{texts.POST_CUT}"
