"""Articles made of any text at all, channels of any settings, and every way to make a post of them."""

from __future__ import annotations

import string
from dataclasses import dataclass, replace
from datetime import timedelta

from hypothesis import strategies as st

from bot.compose.markup import escape, one_line
from bot.domain.article import Article, Priority
from bot.domain.channel import CallToAction, Channel, PhotoPolicy, Platform
from bot.domain.post import Own, Post
from tests.unit.compose.samples import NOON, a_channel, composer

WAYS = ("article", "card", "text", "breaking", "corrected", "retracted", "digest", "words")
_RUNGS = {"card": 1, "text": 2}
_COMPOSER = composer()

_HARD = 'абв ҐЇ .!?…«»„“"<>&;#/\n\t🇺🇦👩‍💻\u0301\u200f\u200bא\ufeffﷺ'
_TEXT = (
    st.text(st.characters(), max_size=400)  # lone surrogates and controls among them
    | st.text(alphabet=_HARD, max_size=3000)
    | st.builds(lambda word, times: f"{word}. " * times, st.text(max_size=30), st.integers(0, 900))
)
_LINE = st.text(max_size=60)
ARTICLES = st.builds(
    Article,
    url=st.just("urn:sha256:0")
    | st.text(string.printable, max_size=60).map(lambda path: f"https://news.example/{path}")
    | st.sampled_from(["https://новини.укр/міст?б=1#верх", "http://localhost/a", "https://news.example:8443/%D1%96"]),
    title=_TEXT,
    lead=_TEXT,
    body=_TEXT | _TEXT.map(lambda text: f"<p>{text}</p><figcaption>Фото: {text}</figcaption>"),
    rubric=_LINE,
    author=_LINE,
    tags=st.lists(_LINE, max_size=4).map(tuple),
    photo_url=st.sampled_from(["", "https://news.example/a.jpg"]),
    photo_credit=st.sampled_from(["", "Фото: ДСНС", "Скриншот з відео"]) | st.text(max_size=150),
    photo_alt=_TEXT,
    published_at=st.sampled_from([None, NOON, NOON - timedelta(days=3)]),
    priority=st.sampled_from([None, Priority.BREAKING]),
)
CHANNELS = st.builds(
    a_channel,
    st.sampled_from(Platform),
    summary=st.integers(0, 6000),
    photo=st.sampled_from(PhotoPolicy),
    default_credit=st.sampled_from(["", "Фото: редакція"]),
    typography=st.booleans(),
    call_to_action=st.sampled_from(
        [
            CallToAction(),
            CallToAction(text="Ми & <тут>", url="https://t.me/a?b=1&c=2"),
            CallToAction(url="https://t.me/a"),
            CallToAction(text="Пишіть нам"),
        ]
    ),
    link_parameters=st.sampled_from([(), (("utm_source", "a&b"), ("utm_term", "так"))]),
)


@dataclass(frozen=True, slots=True)
class Order:
    """One post that is asked for; `way` is one of WAYS."""

    article: Article
    channel: Channel
    way: str

    @property
    def is_empty(self) -> bool:
        """Whether there is nothing to make a post of."""
        if self.way == "retracted":
            return False
        return not one_line(self.article.lead if self.way == "words" else self.article.title)

    def post(self) -> Post:
        """Compose it.

        Raises:
            ComposeError: as the composer.
        """
        article, channel = self.article, self.channel
        if self.way == "digest":
            return _COMPOSER.digest([article, replace(article, rubric="Інше")] * 40, channel, at=NOON)
        if self.way == "words":
            return _COMPOSER.words(Own(words=escape(article.lead)), channel, at=NOON)
        if self.way == "retracted":
            return _COMPOSER.notice(article, channel, NOON, "retracted")
        if self.way == "corrected":
            return _COMPOSER.notice(article, channel, NOON, "corrected")
        template = "breaking" if self.way == "breaking" else None
        return _COMPOSER.compose(article, channel, at=NOON, rung=_RUNGS.get(self.way, 0), template=template)


ORDERS = st.builds(Order, ARTICLES, CHANNELS, st.sampled_from(WAYS))
