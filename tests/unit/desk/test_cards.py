"""How notices read: whatever comes from outside is shown as text, cut to a size that fits, and in plain words."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from bot.agenda import refusals
from bot.desk import cards, texts
from bot.desk.standing import Phase, Standing
from bot.desk.voice import Rows
from bot.domain.channel import ChannelId, Platform
from bot.domain.delivery import DeliveryId, HeldReason, Kind, State
from bot.store.notices import POSTS, WARNS, About, Notice
from tests.factories import KYIV, NOON


def a_notice(what: str = "no-evidence", **changes: Any) -> Notice:
    values: dict[str, Any] = {
        "id": 7,
        "key": "delivery 17 held 1",
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
        "lost_at": None,
        "delivery_id": DeliveryId(17),
        "state": State.HELD,
        "held_reason": HeldReason.NO_EVIDENCE,
        "article_url": "https://news.example/1?a=1&b=2",
        "title": "Міст відкрили",
        "detail": "",
    }
    return About(**(values | changes))


def card(notice: Notice, one: About) -> tuple[str, Rows]:
    standing = Standing(now=NOON, notices=[notice], about={notice.id: one}, acts={})
    return cards.card(notice, standing, KYIV), cards.rows(notice, one, Phase.ASKS)


@pytest.mark.parametrize("what", sorted(reason for reason in HeldReason if reason not in POSTS))
@pytest.mark.parametrize("platform", Platform)
def test_every_kind_of_card_can_be_told(what: str, platform: Platform) -> None:
    told = about(
        platform=platform,
        held_reason=HeldReason(what),
        lost_at=NOON if what == "access" else None,
        detail="words that have aged: сьогодні",
    )
    text, rows = card(a_notice(what), told)
    assert text.startswith(texts.HEADS[what])
    assert '<a href="https://news.example/1?a=1&amp;b=2">Міст відкрили</a>' in text
    assert all(len(button.press.encode()) <= 64 for row in rows for button in row)
    assert bool(rows) == (what != "access"), "lost access is mended elsewhere"


def test_what_comes_from_outside_is_text_and_no_longer_than_fits() -> None:
    nasty = '<b>"&' + "х" * 5000
    text, _ = card(
        a_notice("template"), about(title=nasty, detail=nasty, channel="<i>", held_reason=HeldReason.TEMPLATE)
    )
    assert len(text) < 2000
    assert re.findall(r"<(?!/?(?:b|a|code)\b)", text) == []
    assert "&lt;i&gt;" in text


def test_a_token_in_an_error_of_a_platform_is_not_told() -> None:
    text, _ = card(
        a_notice("access"), about(lost_at=NOON, detail="bot 123456789:AAFakeTokenOfTheSandbox-0123456789abc failed")
    )
    assert "AAFake" not in text


def test_a_post_without_an_article_is_named_by_its_words() -> None:
    text, _ = card(a_notice(), about(article_url=None, title="<b>Свої</b> слова &amp; усе"))
    assert "telegram-main: Свої слова &amp; усе" in text
    assert texts.NO_TITLE in card(a_notice(), about(article_url=None, title=""))[0]


def test_a_channel_without_a_held_post_is_named_alone() -> None:
    text, _ = card(
        a_notice("access", delivery_id=None), about(lost_at=NOON, delivery_id=None, title="", article_url=None)
    )
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
    warned = {f"{WARNS}{cause}" for cause in ("photo", "link", "compose", "words", "access")}
    told = {reason.value for reason in HeldReason} | {"proposed", "source"} | warned
    assert set(texts.HEADS) == set(texts.MARKS) == set(cards.BUTTONS) == told
    assert set(texts.BODIES) == told - POSTS - {"access", "source", "warns-access"}
    pressed = {verb for layout in cards.BUTTONS.values() for row in layout for verb, _ in row}
    assert set(texts.DONE) == pressed - {"edit", "later"}, "which say what they do by themselves"


def test_lines_that_answer_a_press_fit_an_answer() -> None:
    longest = refusals.with_act(
        refusals.too_late(DeliveryId(10**6), State.UNKNOWN, None), {"who": "Олена" * 5 + " (1)", "action": "present"}
    )
    for line in (*texts.DONE.values(), texts.NO_RIGHTS, texts.OLD_BUTTON, texts.FOUND, texts.WENT_WRONG, longest):
        assert len(line) <= 200, line


def test_a_change_of_a_public_post_has_no_time_of_its_own_and_a_withdrawal_no_words() -> None:
    def pressed(kind: Kind) -> list[str]:
        rows = cards.rows(a_notice("editor"), about(kind=kind), Phase.ASKS)
        return [button.press.partition(":")[0] for row in rows for button in row]

    assert pressed(Kind.PUBLISH) == ["publish", "later", "release", "edit", "cancel"]
    assert pressed(Kind.EDIT) == ["publish", "release", "edit", "cancel"]
    assert pressed(Kind.WITHDRAW) == ["release", "cancel"]


def test_a_button_that_nobody_handles_is_not_shown() -> None:
    rows = cards.rows(a_notice("proposed"), about(state=State.PROPOSED), Phase.ASKS, handled={"publish", "decline"})
    assert [[button.press for button in row] for row in rows] == [["publish:7"], ["decline:7"]]


def test_tomorrow_at_nine_is_by_the_outlets_clocks_also_when_they_change() -> None:
    eve = datetime(2026, 10, 24, 20, 0, tzinfo=UTC)  # the clocks go back in the night
    rows = cards.times(a_notice("proposed"), about(state=State.PROPOSED), None, eve, KYIV)
    told = int(rows[2][0].press.rpartition(":")[2])
    assert datetime.fromtimestamp(told, KYIV).strftime("%d.%m %H:%M") == "25.10 09:00"
    assert all(len(button.press.encode()) <= 64 for row in rows for button in row)
