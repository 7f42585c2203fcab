"""What is read of a message: its formatting as any bot may send it, whatever offsets come along."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st
from telegram import Chat, Message, MessageEntity

from bot.compose.markup import escape, fault, plain
from bot.desk.said import formatted, read, read_command
from bot.domain.channel import Platform

KINDS = ["bold", "italic", "underline", "strikethrough", "spoiler", "code", "pre", "blockquote", "mention", "hashtag"]


def a_message(text: str, *entities: MessageEntity) -> Message:
    chat = Chat(id=1, type="private")
    return Message(message_id=1, date=datetime.now(UTC), chat=chat, text=text, entities=entities)


def entity(kind: str, offset: int, length: int, url: str | None = None) -> MessageEntity:
    return MessageEntity(type=kind, offset=offset, length=length, url=url)


@pytest.mark.parametrize(
    ("text", "entities", "html"),
    [
        ("Міст & <рух>", [], "Міст &amp; &lt;рух&gt;"),
        ("Міст відкрили", [entity("bold", 0, 4)], "<b>Міст</b> відкрили"),
        ("🇺🇦 Міст", [entity("italic", 5, 4)], "🇺🇦 <i>Міст</i>"),
        ("Міст", [entity("bold", 0, 4), entity("italic", 0, 4)], "<b><i>Міст</i></b>"),
        ("Міст тут", [entity("bold", 0, 8), entity("text_link", 5, 3, "https://a.example/?b=1&c")],
         '<b>Міст <a href="https://a.example/?b=1&amp;c">тут</a></b>'),
        ("Міст", [entity("text_link", 0, 4, "tg://user?id=1")], "Міст"),
        ("Міст", [entity("text_link", 0, 4, "javascript:alert(1)")], "Міст"),
        ("Міст", [entity("custom_emoji", 0, 4), entity("hashtag", 0, 4)], "Міст"),
        ("абвгд", [entity("bold", 0, 3), entity("italic", 2, 3)], "<b>аб<i>в</i></b>гд"),
        ("аб", [entity("bold", 1, 99), entity("italic", 50, 3)], "а<b>б</b>"),
    ],
)  # fmt: skip
def test_formatting_becomes_the_markup_that_a_post_may_have(text, entities, html):
    assert formatted(text, entities) == html


@given(
    st.text(st.characters(exclude_categories=["Cs"]), max_size=40),
    st.lists(st.tuples(st.sampled_from(KINDS), st.integers(0, 50), st.integers(1, 50)), max_size=6),
    st.integers(0, 20),
)
def test_any_entities_at_all_give_whole_markup_and_the_same_words(text, marks, start):
    html = formatted(text, [entity(*mark) for mark in marks], start)
    units = text.encode("utf-16-le")[2 * start :].decode("utf-16-le", "replace")
    assert plain(html, Platform.TELEGRAM) == units.strip()
    assert fault(html, Platform.TELEGRAM, 10_000) in (None, "the text is empty")


def test_a_command_is_no_part_of_what_is_said():
    said = read_command(
        a_message("/post@outlet_bot  Міст відкрили", entity("bot_command", 0, 16), entity("bold", 18, 4))
    )
    assert (said.text, said.words) == ("Міст відкрили", "<b>Міст</b> відкрили")
    assert read_command(a_message("/post")).text == ""


def test_links_are_those_written_out_and_those_behind_words():
    url = "https://a.example/міст"
    said = read(
        a_message(
            f"🇺🇦 {url} тут", entity("url", 5, len(url)), entity("text_link", 6 + len(url), 3, "https://b.example")
        )
    )
    assert said.links == (url, "https://b.example")
    assert said.lone_link == ""
    assert read(a_message(url, entity("url", 0, len(url)))).lone_link == url
    assert read(a_message(escape(url))).lone_link == ""
