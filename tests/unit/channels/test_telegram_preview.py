from __future__ import annotations

from datetime import UTC, datetime

import pytest

from bot.channels.telegram_preview import read_preview

_WIDGET = (
    '<div class="tgme_widget_message_wrap"><div class="tgme_widget_message text_not_supported_wrap" '
    'data-post="{post}">{reply}<div class="tgme_widget_message_text js-message_text" dir="auto">{text}</div>{card}'
    '<span class="tgme_widget_message_meta"><a class="tgme_widget_message_date" href="#"><time datetime="{at}" '
    'class="time">09:00</time></a></span></div></div>'
)
_HEAD = '<html><body><div class="tgme_channel_info">Канал</div><section class="tgme_channel_history">'


def widget(post: str = "news/5", text: str = "Текст", at: str = "2026-06-01T09:00:00+03:00", **more: str) -> str:
    return _WIDGET.format(post=post, text=text, at=at, reply=more.get("reply", ""), card=more.get("card", ""))


def page(*widgets: str) -> bytes:
    return (_HEAD + "".join(widgets) + "</section></body></html>").encode()


def test_a_post_is_read_with_its_id_words_links_and_time() -> None:
    text = '<b>Міст</b><br/><br/>Рух &amp; затори 😀 <a href="https://news.example/a">Читати</a>'
    posts = read_preview(page(widget(text=text)), "news", "https://t.me")
    assert posts is not None
    (post,) = posts
    assert (post.remote_id, post.permalink) == ("5", "https://t.me/news/5")
    assert post.plain == "Міст\n\nРух & затори 😀 Читати"
    assert post.links == ("https://news.example/a",)
    assert post.published_at == datetime(2026, 6, 1, 6, 0, tzinfo=UTC)


def test_an_emoji_drawn_as_a_picture_keeps_its_sign() -> None:
    text = '<i class="emoji" style="background-image:url(\'//x/e.png\')"><b>⚡️</b></i> Терміново'
    posts = read_preview(page(widget(text=text)), "news", "https://t.me")
    assert posts is not None
    assert posts[0].plain == "⚡️ Терміново"


def test_the_card_under_a_text_counts_as_a_link_of_the_post() -> None:
    card = '<a class="tgme_widget_message_link_preview" href="https://news.example/a"></a>'
    posts = read_preview(page(widget(card=card)), "news", "https://t.me")
    assert posts is not None
    assert posts[0].links == ("https://news.example/a",)


def test_the_words_of_a_post_that_is_replied_to_are_not_taken_for_its_own() -> None:
    reply = '<a class="tgme_widget_message_reply"><div class="tgme_widget_message_text">Чуже</div></a>'
    posts = read_preview(page(widget(text="Своє", reply=reply)), "news", "https://t.me")
    assert posts is not None
    assert posts[0].plain == "Своє"


def test_posts_come_oldest_first_and_the_channels_name_is_matched_without_regard_to_case() -> None:
    posts = read_preview(page(widget("News/12"), widget("News/9")), "news", "https://t.me")
    assert posts is not None
    assert [post.remote_id for post in posts] == ["9", "12"]


def test_an_album_is_one_post_and_names_the_messages_of_its_photos() -> None:
    photos = "".join(
        f'<a class="tgme_widget_message_photo_wrap grouped_media_wrap blured" href="https://t.me/news/{number}?single">'
        "</a>"
        for number in (84, 85, 100, 86)
    )
    posts = read_preview(page(widget("news/84", reply=photos)), "news", "https://t.me")
    assert posts is not None
    assert [(post.remote_id, post.more_ids) for post in posts] == [("84", ("85", "86", "100"))]


def test_a_channel_without_posts_is_an_empty_list_not_a_failure() -> None:
    assert read_preview(page(), "news", "https://t.me") == []


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\x00\xff",
        b"<html><body><div class='tgme_page'>View in Telegram</div></body></html>",
        b"{}",
        page(widget("other/5")),
        page(widget("news/five")),
        page(widget(at="yesterday")),
        page(widget(at="2026-06-01T09:00:00")),
        page(widget().replace("tgme_widget_message_date", "renamed")),
    ],
)
def test_a_page_of_any_other_form_counts_as_not_read(content: bytes) -> None:
    assert read_preview(content, "news", "https://t.me") is None
