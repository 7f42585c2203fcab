"""A channel: one Telegram channel or Facebook Page and how the outlet wants it served. Holds no token."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import time
from enum import StrEnum
from typing import NewType

from bot.domain.article import Article
from bot.domain.timetable import Daily, Timetable

ChannelId = NewType("ChannelId", int)


class Platform(StrEnum):
    TELEGRAM = "telegram"
    FACEBOOK = "facebook"


class PhotoPolicy(StrEnum):
    """When a photo goes along."""

    REQUIRE_CREDIT = "require-credit"
    ALWAYS = "always"
    NEVER = "never"


class Approval(StrEnum):
    NONE = "none"
    EDITOR = "editor"


class Corrections(StrEnum):
    """What a changed article does to its public post."""

    EDIT = "edit"
    NOTICE = "notice"
    OFF = "off"


class Retractions(StrEnum):
    """What a retracted article does to its public post."""

    DELETE = "delete"
    NOTICE = "notice"
    OFF = "off"


class SameStory(StrEnum):
    """What a near-duplicate of a public post becomes."""

    EDIT = "edit"
    SKIP = "skip"
    FOLLOW_UP = "follow-up"
    PUBLISH = "publish"


@dataclass(frozen=True, slots=True, kw_only=True)
class CallToAction:
    """The closing line of each post: words, and where they lead ("" for nowhere)."""

    text: str = ""
    url: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Channel:
    """One channel as configured. `name` is the operator's, `address` the platform's: "@name", chat id or page id."""

    name: str
    platform: Platform
    address: str
    timetable: Timetable
    sources: tuple[str, ...] = ()
    rubrics: tuple[str, ...] = ()
    exclude_rubrics: tuple[str, ...] = ()
    template: str = "default"
    call_to_action: CallToAction = field(default_factory=CallToAction)
    photo: PhotoPolicy = PhotoPolicy.REQUIRE_CREDIT
    default_credit: str = ""
    summary: int = 400
    approval: Approval = Approval.NONE
    require_link: bool = True
    check_link: bool = True
    silent: tuple[Daily, ...] = (Daily(time(22), time(8)),)
    corrections: Corrections = Corrections.EDIT
    retractions: Retractions = Retractions.DELETE
    same_story: SameStory = SameStory.EDIT
    link_parameters: tuple[tuple[str, str], ...] = ()
    service_chat: int = 0
    typography: bool = False


def why_not(channel: Channel, article: Article, source: str) -> str | None:
    """Return why this channel does not want this article, or None where it does.

    Rubrics are compared without regard to case.
    """
    if channel.sources and source not in channel.sources:
        return f"source {source!r} is not among this channel's sources"
    rubric = article.rubric.casefold()
    if channel.rubrics and rubric not in {name.casefold() for name in channel.rubrics}:
        return f"rubric {article.rubric!r} is not among this channel's rubrics"
    if rubric and rubric in {name.casefold() for name in channel.exclude_rubrics}:
        return f"rubric {article.rubric!r} is excluded"
    if channel.require_link and article.link is None:
        return "it has no address, and this channel wants a link (require_link)"
    return None
