"""The public preview of a channel: what reading back reads."""

from __future__ import annotations

import json

from lxml import html

from bot.sandbox import ReadBack, Sandbox
from tests.sandbox.conftest import BOT_ID, CHANNEL, Asker, Clock, picture


async def look(ask: Asker, path: str = "/s/novyny") -> tuple[int, html.HtmlElement | None]:
    async with ask.session.get(ask.url + path, allow_redirects=False) as answer:
        text = await answer.text()
        return answer.status, html.fromstring(text) if text else None


async def ids(ask: Asker, path: str = "/s/novyny") -> list[int]:
    _, page = await look(ask, path)
    assert page is not None
    found = page.xpath(
        "//div[contains(@class, 'js-widget_message ') or contains(@class, 'js-widget_message')]/@data-post"
    )
    return [int(str(one).rpartition("/")[2]) for one in found]


async def test_a_post_looks_as_on_t_me(ask: Asker, clock: Clock) -> None:
    text = '<b>Міст &amp; рух</b>\n\nВідновлено. <a href="https://news.example/1?a=1&amp;b=2">Читати</a>'
    await ask.bot("sendPhoto", chat_id=CHANNEL, photo=picture(), caption=text, parse_mode="HTML")
    _, page = await look(ask)
    assert page is not None
    (post,) = page.find_class("tgme_widget_message")
    assert post.get("data-post") == "novyny/2"
    (shown,) = post.find_class("tgme_widget_message_text")
    assert [br.tag for br in shown.iter("br")] == ["br", "br"]
    assert [link.get("href") for link in shown.iter("a")] == ["https://news.example/1?a=1&b=2"]
    assert shown.text_content() == "Міст & рухВідновлено. Читати"
    (moment,) = post.xpath(".//a[contains(@class, 'tgme_widget_message_date')]/time/@datetime")
    assert moment == "2026-09-21T14:13:20+00:00"
    assert post.find_class("tgme_widget_message_photo_wrap")


async def test_an_album_is_one_post_whose_photos_link_to_their_own_messages(ask: Asker) -> None:
    media = json.dumps(
        [{"type": "photo", "media": "attach://a", "caption": "Два"}, {"type": "photo", "media": "attach://b"}]
    )
    await ask.bot("sendMediaGroup", chat_id=CHANNEL, media=media, a=picture(), b=picture(320, 200))
    assert await ids(ask) == [2]
    _, page = await look(ask)
    assert page is not None
    photos = page.find_class("grouped_media_wrap")
    assert [photo.get("href") for photo in photos] == ["https://t.me/novyny/2?single", "https://t.me/novyny/3?single"]
    await ask.bot("deleteMessage", chat_id=CHANNEL, message_id="2")
    assert await ids(ask) == [3]


async def test_twenty_posts_a_page_and_the_rest_by_before_and_after(ask: Asker, sandbox: Sandbox) -> None:
    for number in range(45):
        sandbox.telegram.say(1, CHANNEL, f"допис {number}")
    assert await ids(ask) == list(range(27, 47))
    assert await ids(ask, "/s/novyny?before=27") == list(range(7, 27))
    assert await ids(ask, "/s/novyny?before=7") == list(range(2, 7))
    assert await ids(ask, "/s/novyny?after=40") == list(range(41, 47))
    _, page = await look(ask)
    assert page is not None
    assert page.xpath("//a[contains(@class, 'tme_messages_more')]/@data-before") == ["27"]


async def test_deleted_posts_leave_and_edited_ones_say_so(ask: Asker, sandbox: Sandbox) -> None:
    first, second = (sandbox.telegram.say(1, CHANNEL, text) for text in ("раз", "два"))
    sandbox.telegram.delete_by_hand(CHANNEL, first.id)
    sandbox.telegram.edit_by_hand(CHANNEL, second.id, "<b>два!</b>")
    assert await ids(ask) == [second.id]
    _, page = await look(ask)
    assert page is not None
    assert "edited" in page.find_class("tgme_widget_message_meta")[0].text_content()


async def test_unknown_and_private_channels_redirect(ask: Asker, sandbox: Sandbox) -> None:
    sandbox.telegram.add_channel(None, -1002, "Закритий", [BOT_ID])
    assert await look(ask, "/s/nichoho") == (302, None)
    status, page = await look(ask, "/nichoho")
    assert status == 200
    assert page is not None
    assert not page.find_class("tgme_widget_message")


async def test_a_welcoming_sandbox_shows_a_channel_that_nobody_has_written_to_yet(ask: Asker, sandbox: Sandbox) -> None:
    sandbox.telegram.welcoming = True
    status, page = await look(ask, "/s/brand_new")
    assert status == 200
    assert page is not None
    assert page.xpath("//a[@href='https://t.me/brand_new']/text()") == ["@brand_new"]


async def test_reading_back_can_be_late_forgetful_stale_broken_or_led_away(
    ask: Asker, sandbox: Sandbox, clock: Clock
) -> None:
    post = sandbox.telegram.say(1, CHANNEL, "раз")
    sandbox.telegram.lag = 10
    assert await ids(ask) == []
    clock.now += 10
    assert await ids(ask) == [post.id]
    sandbox.telegram.read_back = ReadBack(omit=1.0)
    assert await ids(ask) == []
    sandbox.telegram.read_back = ReadBack(stale_after=clock.now)
    clock.now += 1
    sandbox.telegram.say(1, CHANNEL, "два")
    assert await ids(ask) == [post.id]
    sandbox.telegram.delete_by_hand(CHANNEL, post.id)
    assert await ids(ask) == [post.id]
    sandbox.telegram.read_back = ReadBack(stale_after=clock.now - 1, stale_until=clock.now + 5)
    assert await ids(ask) == [post.id]
    clock.now += 5
    assert await ids(ask) == [post.id + 1]
    sandbox.telegram.read_back = ReadBack(broken=True)
    assert await ids(ask) == []
    sandbox.telegram.read_back = ReadBack(redirect=True)
    assert (await look(ask))[0] == 302


async def test_a_single_post_has_its_page(ask: Asker, sandbox: Sandbox) -> None:
    for text in ("раз", "два"):
        sandbox.telegram.say(1, CHANNEL, text)
    assert await ids(ask, "/novyny/3") == [3]
    assert await ids(ask, "/novyny/99") == []
