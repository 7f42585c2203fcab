"""A post: finished text and photo, made for one channel and checked against its platform's rules."""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum

from bot.domain.channel import Platform


class Method(StrEnum):
    """The platform's call that makes a post public.

    `ATTACHED_MEDIA` is a `feed` with photos that were uploaded unpublished, named after the parameter that adds them.
    """

    SEND_MESSAGE = "sendMessage"
    SEND_PHOTO = "sendPhoto"
    SEND_MEDIA_GROUP = "sendMediaGroup"
    FEED = "feed"
    PHOTOS = "photos"
    ATTACHED_MEDIA = "attached_media"

    @property
    def carries_photo(self) -> bool:
        return self not in (Method.SEND_MESSAGE, Method.FEED)


class CreditKind(StrEnum):
    """What the credited picture is."""

    PHOTO = "photo"
    SCREENSHOT = "screenshot"
    ILLUSTRATION = "illustration"
    COLLAGE = "collage"
    VIDEO = "video"
    INFOGRAPHIC = "infographic"


@dataclass(frozen=True, slots=True, kw_only=True)
class Credit:
    """Who made a picture: "ДПСУ", "news.usni.org"; `source` is "" where only the kind is known ("Кадр з відео").

    `from_video` tells a screenshot of a video from one of a page; a frame (`CreditKind.VIDEO`) is from one anyway.
    """

    kind: CreditKind
    source: str = ""
    illustrative: bool = False
    from_video: bool = False

    def __post_init__(self) -> None:
        if "\n" in self.source:
            raise ValueError(f"a credit is one line, got {self.source!r}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Own:
    """What an editor gave a post in place of the article's; what is not given stays the article's.

    `words` stand for headline and summary, in Telegram's HTML ("" for none given); credit, link and call to action are
    set around them. `photo` is the address of another photo, "" for none at all, None for the article's; `credit` is
    that photo's, as an editor wrote it.
    """

    words: str = ""
    photo: str | None = None
    credit: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Post:
    """What a channel's readers will see.

    `text` is in the platform's markup (HTML for Telegram, plain for Facebook); `plain` is the same without markup,
    as the platform counts and shows it. `length` and `limit` are in the platform's own unit. `photo_url` is the
    picture to send along, None for none, `album` the addresses of further ones. `link` is the article's address as
    readers will open it. `link_preview` is the address whose card stands under a text post, None for no card.
    `house_credit` is the credit as printed in the post.
    """

    channel: str
    platform: Platform
    method: Method
    text: str
    plain: str
    length: int
    limit: int
    photo_url: str | None = None
    photo_alt: str = ""
    album: tuple[str, ...] = ()
    credit: Credit | None = None
    house_credit: str | None = None
    link: str | None = None
    link_preview: str | None = None
    call_to_action: str = ""
    silent: bool = False
    warnings: tuple[str, ...] = ()

    def with_one_photo(self) -> Post:
        """Return the same post with its first photo alone."""
        alone = {Method.SEND_MEDIA_GROUP: Method.SEND_PHOTO, Method.ATTACHED_MEDIA: Method.PHOTOS}
        return replace(self, method=alone.get(self.method, self.method), album=())
