"""The page a reader sees: complete, escaped, without outside resources, and fresh by itself."""

from __future__ import annotations

import asyncio

import pytest
from lxml import html

from bot.sandbox import Sandbox
from bot.sandbox.reader import counted, initials
from tests.sandbox.conftest import BOT_ID, CHANNEL, PAGE, Asker, picture


async def look(ask: Asker, path: str = "/") -> html.HtmlElement:
    async with ask.session.get(ask.url + path) as answer:
        assert answer.status == 200
        return html.fromstring(await answer.text())


async def test_both_platforms_stand_side_by_side(ask: Asker, sandbox: Sandbox) -> None:
    text = '<b>Міст відкрили</b>\n\n<a href="https://news.example/1">Читати</a>'
    await ask.bot("sendPhoto", chat_id=CHANNEL, photo=picture(), caption=text, parse_mode="HTML")
    await ask.graph(
        "POST", f"{PAGE}/feed", message="Міст відкрили\nhttps://news.example/1", link="https://news.example/1"
    )
    page = await look(ask)
    assert page.get("lang") == "uk"
    (bubble,) = page.find_class("bubble")
    assert bubble.xpath(".//b/text()") == ["Міст відкрили"]
    assert bubble.xpath("./img/@alt") == ["Міст відкрили"]
    (card,) = page.find_class("card")
    assert card.xpath(".//div[contains(@class, 'text')]/a/@href") == ["https://news.example/1"]
    (share,) = card.find_class("share")
    # The photo post about the same address lends its picture and headline.
    assert share.xpath(".//strong/text()") == ["Міст відкрили"]
    assert share.xpath("./img/@src") == bubble.xpath("./img/@src")


async def test_nothing_comes_from_outside(ask: Asker, sandbox: Sandbox) -> None:
    await ask.bot("sendPhoto", chat_id=CHANNEL, photo=picture(), caption="x")
    page = await look(ask)
    assert page.xpath("//script/@src | //link[@rel='stylesheet']/@href") == []
    assert all(str(source).startswith("/photos/") for source in page.xpath("//img/@src"))
    for source in page.xpath("//img/@src"):
        async with ask.session.get(ask.url + str(source)) as answer:
            assert (answer.status, answer.content_type) == (200, "image/jpeg")


async def test_what_people_write_stays_text(ask: Asker, sandbox: Sandbox) -> None:
    evil = "<script>alert(1)</script>"
    sandbox.telegram.add_channel("evil", -1009, evil, [BOT_ID])
    sandbox.telegram.say(1, "@evil", evil)
    await ask.graph("POST", f"{PAGE}/feed", message=evil, link='https://a.b/"><script>alert(2)</script>')
    page = await look(ask)
    assert len(page.xpath("//script")) == 1
    assert page.find_class("bubble")[0].find_class("text")[0].text_content() == evil


async def test_a_long_message_is_folded(ask: Asker) -> None:
    await ask.graph("POST", f"{PAGE}/feed", message="речення. " * 60)
    await ask.graph("POST", f"{PAGE}/feed", message="коротко")
    page = await look(ask)
    assert [len(card.find_class("more")) for card in page.find_class("card")] == [0, 1]


async def test_an_empty_sandbox_says_so(ask: Asker) -> None:
    page = await look(ask)
    assert len(page.find_class("empty")) == 2


async def test_the_part_is_only_what_changes(ask: Asker) -> None:
    page = await look(ask, "/?part=1")
    assert page.xpath("//style | //script") == []


async def test_an_open_page_is_told_of_every_change(ask: Asker, sandbox: Sandbox) -> None:
    async with ask.session.get(f"{ask.url}/events") as stream, asyncio.timeout(5):
        assert await stream.content.readline() == b"retry: 1000\n"
        sandbox.telegram.say(1, CHANNEL, "x")
        lines = [await stream.content.readline() for _ in range(2)]
        assert lines[1].startswith(b"data: ")


async def test_many_posts_do_not_make_the_page_heavy(ask: Asker, sandbox: Sandbox) -> None:
    for number in range(3000):
        sandbox.telegram.say(1, CHANNEL, f"допис {number}")
    page = await look(ask)
    assert len(page.find_class("bubble")) == 40
    assert "3000 дописів" in page.find_class("head")[0].text_content()


@pytest.mark.parametrize(
    ("number", "words"),
    [(0, "0 дописів"), (1, "1 допис"), (3, "3 дописи"), (11, "11 дописів"), (12, "12 дописів"), (22, "22 дописи")],
)
def test_posts_are_counted_in_ukrainian(number: int, words: str) -> None:
    assert counted(number) == words


@pytest.mark.parametrize(("title", "short"), [("Новини Тихої", "НТ"), ("@kanal", "K"), ("— «»", "•"), ("", "•")])
def test_initials_stand_for_a_picture(title: str, short: str) -> None:
    assert initials(title) == short
