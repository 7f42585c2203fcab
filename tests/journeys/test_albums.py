"""Several photos become one post, only where the outlet's own template asks for an album."""

from __future__ import annotations

import io
import json
import shutil
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from PIL import Image

from bot.clock import SystemClock
from bot.domain.article import Article
from bot.operations import preview
from bot.resources import resource
from bot.sandbox import SitePage, mishaps
from tests.factories import an_article
from tests.journeys.outlet import Outlet, ledger, publish

NOW = SystemClock().now()
PICTURES = ("bridge", "road", "river")


def a_picture(shade: int) -> bytes:
    kept = io.BytesIO()
    Image.new("RGB", (800, 500), (shade, 90, 120)).save(kept, "JPEG")
    return kept.getvalue()


@pytest.fixture
def gallery(outlet: Outlet, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Outlet:
    """An outlet in a working folder of its own, whose templates of both platforms ask for four photos."""
    templates = tmp_path / "config" / "templates"
    shutil.copytree(resource("config/templates"), templates)
    for platform in ("telegram", "facebook"):
        own = templates / platform / "default.j2"
        own.write_text("{% set album = 4 %}" + own.read_text("utf-8"), "utf-8")
    monkeypatch.chdir(tmp_path)
    for number, name in enumerate(PICTURES):
        outlet.sandbox.site[f"/{name}.jpg"] = SitePage(a_picture(60 * number), content_type="image/jpeg")
    return outlet


@pytest.fixture
def story(gallery: Outlet) -> Article:
    addresses = [f"{gallery.sandbox.url}/site/{name}.jpg" for name in PICTURES]
    body = "<p>Ремонт тривав три місяці.</p>" + "".join(f'<img src="{address}">' for address in addresses)
    return an_article(published_at=NOW - timedelta(minutes=5), photo_url=addresses[0], body=body)


async def test_an_album_goes_out_is_corrected_and_is_taken_back_whole(gallery: Outlet, story: Article) -> None:
    async with gallery.open() as service:
        await publish(service, story)
        assert [bool(post.text) for post in gallery.telegram] == [True, False, False]
        assert len({post.album for post in gallery.telegram}) == 1
        (page_post,) = gallery.facebook
        assert len(page_post.photos) == 3
        lines = await ledger(service)
        assert [line["remote_id"] for line in lines if line["platform"] == "telegram"] == [str(gallery.telegram[0].id)]
        await publish(service, replace(story, title="Міст відкрили знову", updated_at=NOW))
        assert gallery.telegram[0].text.startswith("Міст відкрили знову")
        assert gallery.facebook[0].message.startswith("Міст відкрили знову")
        assert (len(gallery.telegram), len(gallery.facebook[0].photos)) == (3, 3)
        await publish(service, replace(story, retracted=True, updated_at=NOW + timedelta(minutes=1)))
    assert (gallery.telegram, gallery.facebook) == ([], [])


async def test_an_album_whose_answer_was_lost_is_found_after_another_and_taken_back_whole(
    gallery: Outlet, story: Article
) -> None:
    gallery.variables |= {"VISTNYK_DELIVERY__TIMEOUT": "300ms", "VISTNYK_DELIVERY__LEASE": "2s"}
    async with gallery.open() as service:
        await publish(service, an_article(published_at=NOW, photo_url=story.photo_url, body=story.body))
        gallery.sandbox.telegram.next("sendMediaGroup", mishaps.published_but_silent)
        gallery.sandbox.facebook.next("feed", mishaps.published_but_silent)
        await publish(service, story)
        await service.reconciler.reconcile()
        lines = [line for line in await ledger(service) if line["article_url"] == story.url]
        assert sorted(line["state"] for line in lines) == ["published", "published"]
        assert (len(gallery.telegram), len(gallery.facebook)) == (6, 2)
        await publish(service, replace(story, retracted=True, updated_at=NOW))
    assert (len(gallery.telegram), len(gallery.facebook)) == (3, 1)


async def test_the_preview_names_the_call_and_the_further_photos(gallery: Outlet, story: Article) -> None:
    path = gallery.place / "story.json"
    fields = {name: getattr(story, name) for name in ("url", "title", "lead", "body", "photo_url", "photo_credit")}
    path.write_text(json.dumps(fields), "utf-8")
    shown = await preview(gallery.configuration(), str(path), url=None, published_at=None, channel=None)
    assert [line["method"] for line in shown] == ["sendMediaGroup", "attached_media"]
    assert all(len(line["album"]) == 2 for line in shown)


async def test_what_cannot_be_had_is_left_out_and_told(gallery: Outlet, story: Article) -> None:
    gallery.sandbox.site["/road.jpg"] = SitePage(b"not a picture", content_type="image/jpeg")
    async with gallery.open() as service:
        await publish(service, story)
    assert (len(gallery.telegram), len(gallery.facebook[0].photos)) == (2, 2)
    lines = await gallery.json("why", story.url)
    assert sum("a photo of the album was left out" in line["detail"] for line in lines) == 2


async def test_an_album_that_the_platform_refuses_goes_one_rung_down(gallery: Outlet, story: Article) -> None:
    words = 'Bad Request: failed to send message #2 with the error message "PHOTO_INVALID_DIMENSIONS"'
    gallery.sandbox.telegram.next("sendMediaGroup", mishaps.refuse(400, words))
    async with gallery.open() as service:
        await publish(service, story)
    assert [post.photo for post in gallery.telegram] == [None]


async def test_a_template_that_does_not_ask_gets_one_photo(gallery: Outlet, story: Article) -> None:
    shutil.rmtree(gallery.place / "config")
    async with gallery.open() as service:
        await publish(service, story)
    assert (len(gallery.telegram), len(gallery.facebook[0].photos)) == (1, 1)
