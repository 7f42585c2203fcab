"""The photo's way: fetched once, sent as bytes once, reused; and what goes out where it cannot be had."""

from __future__ import annotations

import io
from datetime import timedelta

import pytest
from PIL import Image

from bot.clock import SystemClock
from bot.sandbox import SitePage, mishaps
from tests.factories import an_article
from tests.journeys.outlet import BOT_ID, Outlet, ledger, publish

NOW = SystemClock().now()
SECOND = """
[[channels]]
name = "telegram-second"
platform = "telegram"
address = "@outlet_second"
check_link = false
[channels.schedule]
windows = []
blackouts = []
min_gap = "0s"
"""


def a_picture() -> bytes:
    kept = io.BytesIO()
    Image.linear_gradient("L").resize((800, 500)).convert("RGB").save(kept, "JPEG")
    return kept.getvalue()


@pytest.fixture
def story(outlet: Outlet):
    outlet.sandbox.site["/photo.jpg"] = SitePage(a_picture(), content_type="image/jpeg")
    return an_article(published_at=NOW - timedelta(minutes=5), photo_url=f"{outlet.sandbox.url}/site/photo.jpg")


async def test_a_photo_is_uploaded_once_and_reused_on_the_bots_other_channels(outlet: Outlet, story):
    outlet.sandbox.telegram.add_channel("outlet_second", id=-1001000000002, title="Друге", bots={BOT_ID: None})
    outlet.write(more=SECOND)
    async with outlet.open() as service:
        await service.house.intake.accept([story], "push")
        for lane in service.lanes.values():
            while await service.worker._deliverer.deliver_next(lane):
                pass
    calls = [call for call in outlet.sandbox.telegram.calls if call.method == "sendPhoto"]
    assert [call.target for call in calls] == ["-1001000000001", "-1001000000002"]
    first, second = outlet.telegram[0], outlet.sandbox.telegram.posts("@outlet_second")[0]
    assert first.photo is not None
    assert first.photo == second.photo
    sent = [call.params.get("photo", "attach://") for call in calls]
    assert sent[0].startswith("attach://")
    assert not sent[1].startswith("attach://")
    assert outlet.facebook[0].message.count("Фото: міська рада") == 1


async def test_a_photo_that_cannot_be_had_leaves_the_post_as_text_with_a_warning(outlet: Outlet, story):
    outlet.sandbox.site["/photo.jpg"] = SitePage(b"not a picture", content_type="image/jpeg")
    async with outlet.open() as service:
        await publish(service, story)
    assert [post.photo for post in outlet.telegram] == [None]
    lines = await outlet.json("why", story.url)
    assert any("the post goes out as text" in line["detail"] for line in lines)


async def test_a_photo_that_the_platform_refuses_goes_one_rung_down(outlet: Outlet, story):
    outlet.sandbox.telegram.next("sendPhoto", mishaps.refuse(400, "Bad Request: PHOTO_INVALID_DIMENSIONS"))
    async with outlet.open() as service:
        await publish(service, story)
        line = next(line for line in await ledger(service) if line["platform"] == "telegram")
    assert [post.photo for post in outlet.telegram] == [None]
    assert (line["state"], line["attempts"]) == ("published", 2)


async def test_a_corrected_photo_post_keeps_its_photo_and_changes_its_caption(outlet: Outlet, story):
    from dataclasses import replace

    async with outlet.open() as service:
        await publish(service, story)
        await publish(service, replace(story, title="Нова назва", updated_at=NOW))
    (post,) = outlet.telegram
    assert post.photo is not None
    assert post.text.startswith("Нова назва")
    assert outlet.facebook[0].message.startswith("Нова назва")


async def test_without_a_credit_the_photo_stays_at_home(outlet: Outlet, story):
    from dataclasses import replace

    async with outlet.open() as service:
        await publish(service, replace(story, photo_credit=""))
    assert [post.photo for post in outlet.telegram] == [None]
