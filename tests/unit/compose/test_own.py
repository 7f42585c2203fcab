"""What an editor gives a post in place of the article's: words, a photo, a credit."""

from __future__ import annotations

from dataclasses import replace

import pytest

from bot.domain.channel import Channel, PhotoPolicy, Platform
from bot.domain.post import Method, Own
from bot.errors import ComposeError, TooLongError
from tests.unit.compose.samples import NOON, a_channel, an_article, composer

BOTH = pytest.mark.parametrize("platform", list(Platform))


@BOTH
def test_an_editors_words_take_the_place_of_headline_and_summary_alone(platform: Platform) -> None:
    own = Own(words='<b>Міст</b> відкрили: <a href="https://news.example/details">деталі</a> &amp; фото')
    article = an_article(photo_url="https://news.example/a.jpg", photo_credit="Фото: ДСНС")
    channel = a_channel(platform)
    post, as_told = (
        composer().compose(article, channel, at=NOON, own=own),
        composer().compose(article, channel, at=NOON),
    )
    words = {
        Platform.TELEGRAM: "Міст відкрили: деталі & фото",
        Platform.FACEBOOK: "Міст відкрили: деталі (https://news.example/details) & фото",
    }[platform]
    assert post.plain.startswith(words + "\n\nФото: ДСНС")
    assert article.title not in post.plain
    assert (post.method, post.photo_url, post.house_credit) == (as_told.method, as_told.photo_url, "Фото: ДСНС")
    assert (post.link, post.call_to_action) == (as_told.link, as_told.call_to_action)
    assert post.plain.rpartition("Фото: ДСНС")[2] == as_told.plain.rpartition("Фото: ДСНС")[2]


@BOTH
def test_another_photo_brings_its_own_credit_or_stays_behind(platform: Platform) -> None:
    article = an_article(photo_url="https://news.example/a.jpg", photo_credit="Фото: ДСНС")
    strict, free = a_channel(platform), a_channel(platform, photo=PhotoPolicy.ALWAYS)

    def made(channel: Channel, own: Own) -> tuple[str | None, str | None]:
        post = composer().compose(article, channel, at=NOON, own=own)
        return post.photo_url, post.house_credit

    other = Own(photo="kept:1", credit="Іван Петренко")
    assert made(strict, other) == ("kept:1", "Фото: Іван Петренко")
    assert made(strict, replace(other, credit="")) == (None, None)
    assert made(free, replace(other, credit="")) == ("kept:1", None)
    assert made(strict, Own(photo="")) == (None, "Фото: ДСНС")
    bare = replace(article, photo_credit="")
    post = composer().compose(bare, strict, at=NOON, own=Own(credit="Оксана Мельник"))
    assert (post.photo_url, post.house_credit) == (article.photo_url, "Фото: Оксана Мельник")


def test_words_too_long_for_a_caption_leave_without_the_photo_where_they_may() -> None:
    article = an_article(photo_url="https://news.example/a.jpg", photo_credit="Фото: ДСНС")
    own, channel = Own(words="я" * 1100), a_channel(Platform.TELEGRAM)
    post = composer().compose(article, channel, at=NOON, own=own)
    assert (post.method, post.photo_url, post.link_preview) == (Method.SEND_MESSAGE, None, article.url)
    with pytest.raises(TooLongError) as refused:
        composer().compose(article, channel, at=NOON, own=own, method=Method.SEND_PHOTO)
    short = Own(words="я" * (1100 - refused.value.over))
    assert composer().compose(article, channel, at=NOON, own=short, method=Method.SEND_PHOTO).length == 1024


def test_markup_that_telegram_would_refuse_is_refused_here() -> None:
    for words in ("<b>незакрите", "<script>x</script>", "<b><i>навхрест</b></i>", "1 < 2"):
        with pytest.raises(ComposeError):
            composer().words(Own(words=words), a_channel(Platform.TELEGRAM), NOON)
