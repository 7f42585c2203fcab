"""Try templates before news depends on them: each is rendered with hard samples, and what it loses is named."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial

from bot.compose.post import Composer
from bot.domain.article import Article, Priority
from bot.domain.channel import CallToAction, Channel
from bot.domain.post import Own, Post
from bot.errors import ComposeError

_AT = datetime(2024, 3, 31, 9, tzinfo=UTC)
_PLAIN = Article(
    url="https://news.example/sample",
    title="Міст через річку відкрили для проїзду",
    lead="Міст відкрили після ремонту. Рух дозволили в обидва боки.",
    photo_url="https://news.example/sample.jpg",
    photo_credit="Фото: пресслужба міськради",
    published_at=_AT,
)
_MARKED = "<p>1 < 2 && «так»: &lt;script&gt;.</p>"
_SCRIPTS = "👩‍👩‍👧‍👦🇺🇦 Кра́сно שלום مرحبا"
_LONG = "Комісія перевірила опори, настил і освітлення та дозволила рух усіма смугами. "
_LONG_CREDIT = "Фото: пресслужба управління освіти, культури та спорту Зразкової міської ради / агентство «Приклад»"
SAMPLES: tuple[tuple[str, Article], ...] = (
    ("an ordinary article", _PLAIN),
    ("no photo", replace(_PLAIN, photo_url="", photo_credit="")),
    ("a credit but no photo", replace(_PLAIN, photo_url="", published_at=None)),
    (
        "every field filled, a long credit",
        replace(_PLAIN, rubric="Місто", tags=("міст", "ремонт"), author="Редакція", photo_credit=_LONG_CREDIT),
    ),
    ("a screenshot", replace(_PLAIN, photo_credit="Скриншот з відео ДСНС")),
    ("no summary", replace(_PLAIN, lead="", body="")),
    ("no address", replace(_PLAIN, url="urn:sha256:0")),
    (
        "markup in every field",
        replace(_PLAIN, title='<b>"A & B"</b> </i>', lead=_MARKED, photo_credit="Фото: A & B <c>"),
    ),
    ("a lead longer than any caption", replace(_PLAIN, lead=_LONG * 60)),
    ("a title of two thousand letters", replace(_PLAIN, title=("Дуже довгий заголовок " * 95).strip())),
    ("emoji, accents and right-to-left words", replace(_PLAIN, title=_SCRIPTS, lead="🇺🇦" * 40 + " так.")),
    ("an address with a query and quotes", replace(_PLAIN, url="https://news.example/a?b=\"1\"&c='2'#d")),
)


def faults(composer: Composer, channel: Channel) -> list[str]:
    """Return what is wrong with the templates this channel may use, one line each with sample and rule."""
    channel = replace(channel, summary=max(channel.summary, 200))
    if not channel.call_to_action.text:
        channel = replace(channel, call_to_action=CallToAction(text="Підписуйтесь", url="https://news.example/join"))
    attempts: list[tuple[str, Callable[[], Post]]] = []
    for name, article in SAMPLES:
        urgent = replace(article, priority=Priority.BREAKING)
        attempts += [
            (name, partial(composer.compose, article, channel, at=_AT)),
            (name, partial(composer.compose, urgent, channel, at=_AT)),
            (name, partial(composer.notice, article, channel, _AT, "retracted")),
            (name, partial(composer.notice, article, channel, _AT, "corrected")),
        ]
    articles = [article for _, article in SAMPLES]
    attempts.append(("a digest of two hundred", partial(composer.digest, articles * 20, channel, _AT)))
    own = Own(words="<b>Шановні читачі!</b> 1 &lt; 2 &amp; &lt;b&gt;")
    attempts.append(("an editor's own words", partial(composer.words, own, channel, _AT)))
    attempts.append(("an editor's words on an article", partial(composer.words, own, channel, _AT, article=_PLAIN)))
    found: list[str] = []
    for name, make in attempts:
        try:
            make()
        except ComposeError as error:
            found.append(f"{error} (sample: {name})")
    return list(dict.fromkeys(found))
