"""Several photos only where the template asks, and never one that the printed credit is not true of."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from bot.compose.post import Composer
from bot.domain.article import Article
from bot.domain.channel import Channel, PhotoPolicy
from bot.domain.post import Method
from tests.unit.compose.samples import NOON, TEMPLATES, a_channel, an_article

_OWN = "https://news.example/bridge.jpg"
_BODY = """<p>Текст.</p><img src="https://news.example/plain.jpg">
    <figure><img src="https://news.example/same.jpg"><figcaption>Опори. Фото: пресслужба міськради</figcaption></figure>
    <figure><img src="https://news.example/other.jpg"><figcaption>Настил. Фото: ДСНС</figcaption></figure>
    <figure><img src="https://news.example/caption.jpg"><figcaption>Вид згори</figcaption></figure>
    <img src="https://news.example/plain.jpg"><img src="/relative.jpg"><img src="https://news.example/icon.png"><img>"""


@pytest.fixture
def composer(tmp_path: Path) -> Composer:
    """A composer whose template "gallery" asks for four photos."""
    shutil.copytree(TEMPLATES, tmp_path / "templates")
    own = (TEMPLATES / "telegram" / "default.j2").read_text("utf-8")
    (tmp_path / "templates" / "telegram" / "gallery.j2").write_text("{% set album = 4 %}" + own, "utf-8")
    return Composer(tmp_path / "templates")


def _album(composer: Composer, article: Article, channel: Channel) -> tuple[str, ...]:
    """Return the addresses of all photos of a post."""
    post = composer.compose(article, channel, at=NOON)
    return (post.photo_url, *post.album) if post.photo_url else ()


def test_photos_of_the_same_maker_and_those_without_a_credit_go_along(composer: Composer) -> None:
    album = _album(composer, an_article(body=_BODY), a_channel(template="gallery"))
    names = ("bridge", "plain", "same", "caption")
    assert album == tuple(f"https://news.example/{name}.jpg" for name in names)


def test_a_template_that_asks_for_no_album_has_one_photo(composer: Composer) -> None:
    assert _album(composer, an_article(body=_BODY), a_channel()) == (_OWN,)
    with_set = composer.compose(an_article(), a_channel(template="gallery"), at=NOON)
    assert with_set.text == composer.compose(an_article(), a_channel(), at=NOON).text


def test_a_text_post_has_no_photos_however_many_there_are(composer: Composer) -> None:
    channel = a_channel(template="gallery", photo=PhotoPolicy.NEVER)
    assert _album(composer, an_article(body=_BODY), channel) == ()
    uncredited = an_article(body="<img src='https://news.example/plain.jpg'>", photo_credit="")
    assert _album(composer, uncredited, a_channel(template="gallery")) == ()


def test_an_album_holds_no_more_than_ten(tmp_path: Path, composer: Composer) -> None:
    file = tmp_path / "templates" / "telegram" / "gallery.j2"
    file.write_text(file.read_text("utf-8").replace("album = 4", "album = 40"), "utf-8")
    body = "".join(f"<img src='https://news.example/{number}.jpg'>" for number in range(30))
    assert len(_album(composer, an_article(body=body), a_channel(template="gallery"))) == 10


def test_an_album_goes_out_by_its_platforms_own_call_and_an_edit_keeps_the_call_of_the_post(composer: Composer) -> None:
    channel, article = a_channel(template="gallery"), an_article(body=_BODY)
    album = composer.compose(article, channel, at=NOON)
    assert (album.method, album.limit) == (Method.SEND_MEDIA_GROUP, 1024)
    assert composer.compose(an_article(), channel, at=NOON).method is Method.SEND_PHOTO
    assert composer.compose(article, channel, at=NOON, rung=1).album == ()
    edit = composer.compose(article, channel, at=NOON, method=Method.SEND_PHOTO)
    assert (edit.method, edit.album) == (Method.SEND_PHOTO, ())
    assert composer.compose(article, channel, at=NOON, method=album.method).text == album.text
