"""Article in, post out: the one door of this room.

A post is final text: composed by the outlet's template, fitted into its platform's limits, and checked against the
platform's own rules before it leaves here. Nothing here sends, fetches or reads a clock.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Any, Literal

from markupsafe import Markup

from bot.compose import aging, album, digest, links, markup, rights, typography
from bot.compose.caption import Fitted, fit, squeeze
from bot.compose.credit import house
from bot.compose.summary import leans, summary
from bot.compose.templates import Templates
from bot.domain.article import Article
from bot.domain.channel import Approval, Channel, Platform
from bot.domain.post import Credit, Method, Own, Post
from bot.errors import ComposeError, TooLongError

DEFAULT, BREAKING, DIGEST, WORDS = "default", "breaking", "digest", "words"
_LONGEST_ALT = 250  # characters; screen readers lose patience before platforms do
_NO_ARTICLE = Article(url="urn:none", title="")
_ADDRESS = re.compile(r"https?://[^\s<>\"«»]+[^\s<>\"«».,;:!?)\]]")


@dataclass(frozen=True, slots=True, kw_only=True)
class _Parts:
    """What must stand whole in a finished post; "" for what it has not."""

    title: str = ""
    credit: str = ""
    link: str = ""
    call_text: str = ""
    call_url: str = ""


class Composer:
    """Makes posts by the templates of one folder. Holds no state but them: safe to share."""

    def __init__(self, templates: Path) -> None:
        self._templates = Templates(templates)

    def compose(
        self,
        article: Article,
        channel: Channel,
        *,
        at: datetime,
        rung: int = 0,
        template: str | None = None,
        method: Method | None = None,
        own: Own | None = None,
    ) -> Post:
        """Make the post of one article for one channel.

        Args:
            article: what to tell.
            channel: whom to.
            at: the slot; decides which words have aged and whether the post goes out silently.
            rung: of the photo ladder: 0 with photo where the channel's policy allows, 1 text with a link preview,
                2 text alone.
            template: another template than the article and channel would choose.
            method: of a public post whose words are made anew: a caption must stay one, a text, too.
            own: what an editor gave in place of the article's.

        Raises:
            ComposeError: the platform would refuse what comes out; one line with channel, template and rule.
        """
        own = own or Own()
        if own.words:
            return self.words(own, channel, at=at, article=article, rung=rung, method=method)
        if own.photo is not None:
            article = replace(article, photo_alt="")  # it describes another picture
        name = template or self._chosen(article, channel)
        title = markup.one_line(article.title)
        if not title:
            raise self._refusal(channel, name, "the title is empty")
        warnings: list[str] = []
        picture = rights.of_photo(article, channel, with_photo=rung == 0, own=own)
        warnings += picture.warnings
        sentences = self._summary(article, channel, at, warnings)
        link = _link(article, channel)
        card = link
        if link and links.is_dead_end(link):
            warnings.append(f"readers cannot follow a link like {link}")
            card = None
        parts = _Parts(
            title=title,
            credit=house(picture.credit) if picture.credit else "",
            link=link or "",
            **_call_of(channel),
        )
        values = _values(article, channel, parts)

        def render(words: str, title: str = title) -> str:
            return self._templates.render(channel.platform, name, {**values, "summary": words, "title": title})

        is_caption = picture.url is not None if method is None else method.carries_photo
        fitted, limit = None, _limit(channel, photo=is_caption)
        if is_caption:
            fitted = fit(render, sentences, channel.platform, limit, at_least=min(1, len(sentences)))
            if fitted is None and method is None:
                warnings.append(f"too long for a photo's caption ({limit}): text with a link preview instead")
                is_caption, limit = False, _limit(channel, photo=False)
        if fitted is None:
            fitted, parts = self._as_text(render, sentences, parts, channel, name, warnings, limit)
        photo_url = picture.url if is_caption else None
        if fitted.kept < len(sentences) or not fitted.whole:
            warnings.append("the summary was shortened to fit")
        self._check(fitted.text, parts, channel, name)
        asks = photo_url and method is None and own.photo is None
        asked = self._templates.album(channel.platform, name) if asks else 1
        return _post(
            channel,
            fitted.text,
            at,
            photo_url=photo_url,
            further=album.photos(article, picture.credit, asked)[1:] if asked > 1 else (),
            photo_alt=_alt(article, title) if photo_url else "",
            credit=picture.credit,
            link=link,
            link_preview=card if not is_caption and rung < 2 else None,
            warnings=tuple(warnings),
            method=method,
        )

    def notice(
        self,
        article: Article,
        channel: Channel,
        at: datetime,
        what: Literal["retracted", "corrected"] = "retracted",
        method: Method | None = None,
    ) -> Post:
        """Make the text that takes a retracted post's place, or the post that tells of a correction.

        The first fits a photo's caption, too, has no link to what was withdrawn, and asks the reader for nothing.

        Raises:
            ComposeError: as in `compose`.
        """
        if what == "corrected":
            return self.compose(article, channel, at=at, rung=1, template="corrected")
        limit, rubric = _limit(channel, photo=True), markup.one_line(article.rubric)

        def render(title: str) -> str:
            return self._templates.render(channel.platform, "retracted", {"title": title, "rubric": rubric})

        fitted = squeeze(render, markup.one_line(article.title), channel.platform, limit)
        if fitted is None:
            raise self._refusal(channel, "retracted", markup.fault(render(""), channel.platform, limit))
        return _post(channel, fitted.text, at, call=False, method=method)

    def digest(self, articles: list[Article], channel: Channel, at: datetime) -> Post:
        """Make one post of several articles, of a day or of a backlog: as many as fit, most important first as given.

        Raises:
            ComposeError: there is none, or the template loses it or leaves no room for one.
        """
        told = [article for article in articles if markup.one_line(article.title)]
        if not told:
            raise self._refusal(channel, DIGEST, "there is no article to tell of")
        call = _Parts(**_call_of(channel))
        day, one_day = digest.days(told, channel, at)
        values = {"day": day, "one_day": one_day, "call": _call(call)}

        def render(rubrics: list[dict[str, Any]], left: int) -> str:
            return self._templates.render(channel.platform, DIGEST, {**values, "rubrics": rubrics, "left": left})

        text = digest.as_many_as_fit(render, told, channel, channel.platform, _limit(channel, photo=False))
        if text is None:
            raise self._refusal(channel, DIGEST, "not even one headline fits")
        first = digest.headline(told[0], channel)
        self._check(text, replace(call, title=first["title"], link=first["link"]), channel, DIGEST)
        return _post(channel, text, at)

    def words(
        self,
        own: Own,
        channel: Channel,
        at: datetime,
        *,
        article: Article | None = None,
        rung: int = 0,
        method: Method | None = None,
    ) -> Post:
        """Make a post of an editor's own words, unaltered: credit, link and call to action are set around them.

        Args:
            article: what the words stand for; None for a text of its own.
            rung, method: as in `compose`; words that do not fit under a photo leave without it where they may.

        Raises:
            TooLongError: they are too long; an editor's words are never shortened.
            ComposeError: the text is empty, or the platform would refuse it otherwise.
        """
        platform = channel.platform
        text = markup.tidy(markup.clean(own.words))
        if not markup.one_line(markup.plain(text, Platform.TELEGRAM)):
            raise self._refusal(channel, WORDS, "the text is empty")
        picture = rights.of_photo(article or _NO_ARTICLE, channel, with_photo=rung == 0, own=own)
        warnings = list(picture.warnings)
        link = _link(article, channel) if article is not None else None
        credit = house(picture.credit) if picture.credit else ""
        parts = _Parts(credit=credit, link=link or "", **_call_of(channel))
        shown = Markup(text) if platform is Platform.TELEGRAM else markup.without_markup(text)  # noqa: S704 - checked
        values = {"text": shown, "credit": credit, "link": parts.link, "call": _call(parts)}
        composed = self._templates.render(platform, WORDS, values)
        is_caption = picture.url is not None if method is None else method.carries_photo
        over = markup.measure(composed, platform).length - _limit(channel, photo=is_caption)
        if is_caption and over > 0 and method is None:
            warnings.append(f"too long for a photo's caption, by {over}: text with a link preview instead")
            is_caption, over = False, markup.measure(composed, platform).length - _limit(channel, photo=False)
        if over > 0:
            rule = markup.fault(composed, platform, _limit(channel, photo=is_caption))
            raise TooLongError(str(self._refusal(channel, WORDS, rule)), over)
        self._check(composed, parts, channel, WORDS)
        addresses = [link] if link else [*markup.links(text, Platform.TELEGRAM), *_addresses(text)]
        card = next((one for one in addresses if not links.is_dead_end(one)), None)
        return _post(
            channel,
            composed,
            at,
            photo_url=picture.url if is_caption else None,
            photo_alt=_alt(article, article.title) if is_caption and own.photo is None and article is not None else "",
            credit=picture.credit,
            link=link,
            link_preview=card if not is_caption and rung < 2 else None,
            warnings=tuple(warnings),
            method=method,
        )

    def _chosen(self, article: Article, channel: Channel) -> str:
        if article.is_breaking and self._templates.has(channel.platform, BREAKING):
            return BREAKING
        return channel.template or DEFAULT

    def aged(self, article: Article, channel: Channel, at: datetime) -> tuple[str, ...]:
        """Return the words of the title and the summary that no longer hold at this slot; () where all do.

        Where an editor must agree (`approval = "editor"`) a post with such words is held ("stale-words"): `compose`
        leaves every sentence in, so that the editor decides about what the article says.
        """
        told = (markup.one_line(article.title), *summary(article, channel.summary))
        return aging.has_aged(" ".join(told), article.published_at, at, channel.timetable)

    def _summary(self, article: Article, channel: Channel, at: datetime, warnings: list[str]) -> list[str]:
        """Return the summary's sentences, where nobody decides without those that aged if others stay."""
        sentences = [markup.one_line(sentence) for sentence in summary(article, channel.summary)]
        aged = partial(aging.has_aged, published_at=article.published_at, at=at, timetable=channel.timetable)
        if channel.approval is not Approval.EDITOR:
            sentences = aging.without_aged(sentences, aged, leans)
        if words := aged(" ".join((markup.one_line(article.title), *sentences))):
            warnings.append(f"{aging.WARNING}: {', '.join(words)}")
        return [typography.set_in_type(sentence) for sentence in sentences] if channel.typography else sentences

    def _as_text(
        self,
        render: Callable[..., str],
        sentences: list[str],
        parts: _Parts,
        channel: Channel,
        name: str,
        warnings: list[str],
        limit: int,
    ) -> tuple[Fitted, _Parts]:
        """Fit what must be fitted: fewer sentences, then part of the first, at the very last part of the title."""
        platform = channel.platform
        fitted = fit(render, sentences, platform, limit, at_least=min(1, len(sentences)))
        fitted = fitted or squeeze(render, sentences[0] if sentences else "", platform, limit)
        if fitted:
            return fitted, parts
        fitted = squeeze(lambda title: render("", title=title), parts.title, platform, limit)
        if fitted is None or not fitted.kept:
            rule = markup.fault(render("", title=""), platform, limit)
            raise self._refusal(channel, name, rule or "no room for the title")
        warnings.append("the title was shortened to fit")
        return fitted, replace(parts, title="")

    def _check(self, text: str, parts: _Parts, channel: Channel, name: str) -> None:
        """Refuse a text that its platform would refuse, or that lost what must stand whole."""
        platform = channel.platform
        rule = markup.fault(text, platform, _limit(channel, photo=False)) or _lost(text, parts, platform)
        if rule:
            raise self._refusal(channel, name, rule)

    def _refusal(self, channel: Channel, name: str, rule: str | None) -> ComposeError:
        return ComposeError(f"{channel.name}: template {channel.platform.value}/{name}.j2: {rule}")


def _lost(text: str, parts: _Parts, platform: Platform) -> str | None:
    plain, addresses = markup.plain(text, platform), markup.links(text, platform)
    for what, words in (("title", parts.title), ("credit", parts.credit), ("call to action", parts.call_text)):
        if words and words not in plain:
            return f"the {what} is not in the post"
    for what, address in (("link to the article", parts.link), ("link of the call to action", parts.call_url)):
        if address and address not in addresses and address not in plain.split():
            return f"the {what} is not in the post"
    return None


def _link(article: Article, channel: Channel) -> str | None:
    return links.printable(links.with_parameters(article.link, channel.link_parameters)) if article.link else None


def _addresses(text: str) -> list[str]:
    return [found[0] for found in _ADDRESS.finditer(markup.plain(text, Platform.TELEGRAM))]


def _values(article: Article, channel: Channel, parts: _Parts) -> dict[str, Any]:
    """Return what a template may use; see config/templates/README.md."""
    zone = channel.timetable.zone
    return {
        "title": parts.title,
        "credit": parts.credit,
        "link": parts.link,
        "call": _call(parts),
        "rubric": markup.one_line(article.rubric),
        "tags": [tag for tag in map(markup.one_line, article.tags) if tag],
        "author": markup.one_line(article.author),
        "published": f"{article.published_at.astimezone(zone):%d.%m.%Y %H:%M}" if article.published_at else "",
        "breaking": article.is_breaking,
        "channel": channel.name,
    }


def _call_of(channel: Channel) -> dict[str, str]:
    action = channel.call_to_action
    return {"call_text": markup.one_line(action.text), "call_url": links.printable(action.url.strip())}


def _call(parts: _Parts) -> dict[str, str]:
    """Return the call to action's words and address; where it has only an address, that is its words, too."""
    return {"text": parts.call_text or parts.call_url, "url": parts.call_url}


def _limit(channel: Channel, *, photo: bool) -> int:
    if channel.platform is Platform.FACEBOOK:
        return markup.FACEBOOK_TEXT
    return markup.TELEGRAM_CAPTION if photo else markup.TELEGRAM_TEXT


def _alt(article: Article, title: str) -> str:
    return markup.cut(markup.one_line(article.photo_alt) or title, _LONGEST_ALT)


def _post(
    channel: Channel,
    text: str,
    at: datetime,
    *,
    photo_url: str | None = None,
    further: tuple[str, ...] = (),
    photo_alt: str = "",
    credit: Credit | None = None,
    link: str | None = None,
    link_preview: str | None = None,
    warnings: tuple[str, ...] = (),
    call: bool = True,
    method: Method | None = None,
) -> Post:
    telegram = channel.platform is Platform.TELEGRAM
    with_photo, alone = (Method.SEND_PHOTO, Method.SEND_MESSAGE) if telegram else (Method.PHOTOS, Method.FEED)
    if further:
        with_photo = Method.SEND_MEDIA_GROUP if telegram else Method.ATTACHED_MEDIA
    method = method or (with_photo if photo_url else alone)
    action = channel.call_to_action
    return Post(
        channel=channel.name,
        platform=channel.platform,
        method=method,
        text=text,
        plain=markup.plain(text, channel.platform),
        length=markup.measure(text, channel.platform).length,
        limit=_limit(channel, photo=method.carries_photo),
        photo_url=photo_url,
        photo_alt=photo_alt,
        album=further,
        credit=credit,
        house_credit=house(credit) if credit else None,
        link=link,
        link_preview=link_preview,
        call_to_action=(markup.one_line(action.text) or action.url.strip()) if call else "",
        silent=any(quiet.covers(at, channel.timetable.zone) for quiet in channel.silent),
        warnings=warnings,
    )
