"""How notices read: whatever comes from outside is shown as text, cut to a size that fits, and in plain words."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any

import pytest

from bot.agenda import refusals
from bot.desk import cards, texts
from bot.domain.channel import ChannelId, Platform
from bot.domain.delivery import DeliveryId, HeldReason, State
from bot.store.notices import About, Notice
from tests.factories import NOON


def a_notice(what: str = "no-evidence", **changes: Any) -> Notice:
    values: dict[str, Any] = {
        "id": 7,
        "what": what,
        "channel_id": ChannelId(1),
        "delivery_id": DeliveryId(17),
        "at": NOON,
        "messages": (),
        "told_at": None,
        "alerted_at": None,
        "ended_at": None,
    }
    return Notice(**(values | changes))


def about(**changes: Any) -> About:
    values: dict[str, Any] = {
        "channel": "telegram-main",
        "platform": Platform.TELEGRAM,
        "access_lost_at": None,
        "delivery_id": DeliveryId(17),
        "state": State.HELD,
        "held_reason": HeldReason.NO_EVIDENCE,
        "article_url": "https://news.example/1?a=1&b=2",
        "title": "Міст відкрили",
        "detail": "",
    }
    return About(**(values | changes))


@pytest.mark.parametrize("what", sorted(cards.BUTTONS))
@pytest.mark.parametrize("platform", Platform)
def test_every_kind_of_card_can_be_told(what: str, platform: Platform) -> None:
    text, rows = cards.card(a_notice(what), about(platform=platform, detail="words that have aged: сьогодні"))
    assert text.startswith(texts.HEADS[what])
    assert '<a href="https://news.example/1?a=1&amp;b=2">Міст відкрили</a>' in text
    assert all(len(button.press.encode()) <= 64 for row in rows for button in row)
    assert bool(rows) == (what != "access"), "lost access is mended elsewhere"


def test_what_comes_from_outside_is_text_and_no_longer_than_fits() -> None:
    nasty = '<b>"&' + "х" * 5000
    text, _ = cards.card(a_notice("template"), about(title=nasty, detail=nasty, channel="<i>"))
    assert len(text) < 2000
    assert re.findall(r"<(?!/?(?:b|a|code)\b)", text) == []
    assert "&lt;i&gt;" in text


def test_a_token_in_an_error_of_a_platform_is_not_told() -> None:
    text, _ = cards.card(a_notice("access"), about(detail="bot 123456789:AAFakeTokenOfTheSandbox-0123456789abc failed"))
    assert "AAFake" not in text


def test_a_post_without_an_article_is_named_by_its_words() -> None:
    text, _ = cards.card(a_notice(), about(article_url=None, title="<b>Свої</b> слова &amp; усе"))
    assert "telegram-main: Свої слова &amp; усе" in text
    assert texts.NO_TITLE in cards.card(a_notice(), about(article_url=None, title=""))[0]


def test_a_channel_without_a_held_post_is_named_alone() -> None:
    text, _ = cards.card(a_notice("access", delivery_id=None), about(delivery_id=None, title="", article_url=None))
    assert text.split("\n")[1] == "telegram-main"


def test_a_list_names_the_first_and_counts_the_rest() -> None:
    told = [(a_notice(id=number), about(title=f"Стаття {number}")) for number in range(1, 31)]
    text, rows = cards.listing(told)
    assert text.startswith(texts.LIST_HEAD.format(count=30))
    assert text.count("\n") == cards.MOST_LISTED + 1
    assert text.endswith(texts.LIST_MORE.format(count=10))
    assert len(text) < 4096
    assert rows
    done = [(replace(notice, ended_at=NOON), one) for notice, one in told]
    text, rows = cards.listing(done)
    assert (text.split("\n")[0], rows) == (texts.LIST_HEAD_DONE, [])


def test_every_reason_that_is_told_has_its_words() -> None:
    told = {"no-evidence", "template", "link-dead", "stale-words", "access"}
    assert set(texts.HEADS) == set(texts.MARKS) == set(cards.BUTTONS) == told
    assert set(texts.BODIES) == told - {"access"}
    pressed = {verb for rows in cards.BUTTONS.values() for verb, _ in rows}
    assert set(texts.DONE) == pressed


def test_lines_that_answer_a_press_fit_an_answer() -> None:
    longest = refusals.with_act(
        refusals.too_late(DeliveryId(10**6), State.UNKNOWN, None), {"who": "Олена" * 5 + " (1)", "action": "present"}
    )
    for line in (*texts.DONE.values(), texts.NO_RIGHTS, texts.OLD_BUTTON, texts.FOUND, texts.WENT_WRONG, longest):
        assert len(line) <= 200, line
