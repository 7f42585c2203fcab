"""Whatever the article, the template and the platform: what comes out is what the platform takes, and nothing is lost.

The platforms' rules are the sandbox's own, called without HTTP; `tests/channels/test_composed_posts.py` sends some.
"""

from __future__ import annotations

import io

import pytest
from hypothesis import HealthCheck, given, settings
from PIL import Image

from bot.compose import markup
from bot.domain.channel import Platform
from bot.domain.post import Post
from bot.errors import ComposeError
from bot.sandbox import facebook_rules, telegram_rules
from tests.unit.compose.any_article import ORDERS, Order

_PATIENT = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])


def _jpeg() -> bytes:
    out = io.BytesIO()
    Image.new("RGB", (60, 60)).save(out, "JPEG")
    return out.getvalue()


_JPEG = _jpeg()


@settings(_PATIENT, max_examples=1_000)
@given(ORDERS)
def test_whatever_the_article_the_post_keeps_the_platforms_rules(order: Order) -> None:
    _look_at(order)


@pytest.mark.slow
@pytest.mark.timeout(1_800)
@settings(_PATIENT, max_examples=20_000)
@given(ORDERS)
def test_whatever_the_article_the_post_keeps_the_platforms_rules_twenty_thousand_times(order: Order) -> None:
    _look_at(order)


def _look_at(order: Order) -> None:
    if order.is_empty:
        with pytest.raises(ComposeError):
            order.post()
        return
    try:
        post = order.post()
    except ComposeError:
        assert order.way == "words", "an editor's words are never shortened; whatever an article says is"
        return
    assert 0 < post.length <= post.limit
    assert post.plain == post.plain.strip()
    assert order.post() == post, "the same article makes the same post"
    _nothing_is_lost(post, order)
    if post.platform is Platform.TELEGRAM:
        _telegram_takes(post)
    else:
        _facebook_takes(post)


def _nothing_is_lost(post: Post, order: Order) -> None:
    addresses = markup.links(post.text, post.platform)
    assert post.link is None or post.link in addresses
    assert post.house_credit is None or post.house_credit in post.plain
    if order.way != "retracted":
        action = order.channel.call_to_action
        assert action.text in post.plain
        assert action.url in ("", *addresses)
    if order.way in ("card", "text", "digest", "words", "retracted", "corrected"):
        assert not post.method.carries_photo


def _telegram_takes(post: Post) -> None:
    field = "caption" if post.method.carries_photo else "text"
    call = {field: post.text, "parse_mode": "HTML", "photo": "https://news.example/a.jpg"}
    assert telegram_rules.refusal(post.method.value, call) is None
    read = telegram_rules.read_text(post.text, "HTML", limit=post.limit, too_long="too long", needed=True)
    assert read.text == post.plain
    followed = [entity["url"] for entity in read.entities if "url" in entity]
    dropped = any("cannot follow" in warning for warning in post.warnings)
    assert post.link is None or dropped or post.link in followed


def _facebook_takes(post: Post) -> None:
    if post.method.carries_photo:
        call = {"caption": post.text, "alt_text_custom": post.photo_alt}
        assert facebook_rules.refusal("photos", call, _JPEG) is None
    else:
        call = {"message": post.text, **({"link": post.link_preview} if post.link_preview else {})}
        assert facebook_rules.refusal("feed", call) is None
