"""The HTML parse mode, against the error texts and byte offsets that tdlib's own tests state."""

from __future__ import annotations

import pytest

from bot.sandbox.telegram_markup import Marked, MarkupError, checked_link, parse_html, tidy, to_html, units

REFUSED = [
    ("🏟 🏟&lt;<abacaba", "Unclosed start tag at byte offset 13"),
    ("🏟 🏟&lt;<abac aba>", 'Unsupported start tag "abac" at byte offset 13'),
    ("<p>", 'Unsupported start tag "p" at byte offset 0'),
    ("Київ<br>", 'Unsupported start tag "br" at byte offset 8'),
    ("🏟 🏟&lt;<i   =aba>", 'Empty attribute name in the tag "i" at byte offset 13'),
    ("🏟 🏟&lt;<i    aba>", 'Can\'t find end tag corresponding to start tag "i"'),
    ("🏟 🏟&lt;<i    aba  =  ", 'Unclosed start tag "i" at byte offset 13'),
    ("<i aba", 'Unclosed start tag "i" at byte offset 0'),
    ("🏟 🏟&lt;<i    aba  =  190azAz-.,", "Unexpected end of name token at byte offset 27"),
    ('🏟 🏟&lt;<i    aba  =  "&lt;&gt;&quot;>', "Unclosed start tag at byte offset 13"),
    ("🏟 🏟&lt;<i    aba  =  '&lt;&gt;&quot;>", "Unclosed start tag at byte offset 13"),
    ("<span>x</span>", 'Tag "span" must have class "tg-spoiler" at byte offset 0'),
    ("🏟 🏟&lt;</", "Unexpected end tag at byte offset 13"),
    ("🏟 🏟&lt;<b></b></", "Unexpected end tag at byte offset 20"),
    ("🏟 🏟&lt;<i>a</i   ", "Unclosed end tag at byte offset 17"),
    ("🏟 🏟&lt;<i>a</em   >", 'Unmatched end tag at byte offset 17, expected "</i>", found "</em>"'),
    ('<tg-emoji emoji-id="x">🏟</tg-emoji>', "Invalid custom emoji identifier specified"),
    (
        "&#xDFDF;",
        "Text contains invalid Unicode characters after decoding HTML entities, check for unmatched surrogate code "
        "units",
    ),
]


@pytest.mark.parametrize(("source", "words"), REFUSED)
def test_each_way_of_breaking_html_gets_its_own_words(source: str, words: str) -> None:
    with pytest.raises(MarkupError) as caught:
        parse_html(source)
    assert str(caught.value) == words


TAKEN = [
    ("&lt;&gt;&amp;&quot;&laquo;&nbsp;&#12345678;", '<>&"&laquo;&nbsp;&#12345678;', []),
    ("➡️ ➡️<i>➡️ ➡️</i><b>➡️ ➡️</b>", "➡️ ➡️➡️ ➡️➡️ ➡️", [("italic", 5, 5), ("bold", 10, 5)]),
    ("🏟 🏟<i>🏟 &lt🏟</i>", "🏟 🏟🏟 <🏟", [("italic", 5, 6)]),
    ("🏟 🏟<i>🏟 &gt;<b aba   =   caba>&lt🏟</b></i>", "🏟 🏟🏟 ><🏟", [("italic", 5, 7), ("bold", 9, 3)]),
    ("🏟 🏟&lt;<i>a</    >", "🏟 🏟<a", [("italic", 6, 1)]),
    ("🏟 🏟&lt;<b></b>", "🏟 🏟<", []),
    ("<B>a</b>", "a", [("bold", 0, 1)]),
    ('<span class = "tg-spoiler">a</span>', "a", [("spoiler", 0, 1)]),
    ("<blockquote expandable>a</blockquote>", "a", [("expandable_blockquote", 0, 1)]),
    ('<pre><code class="language-fift">a</></>', "a", [("pre", 0, 1)]),
    ('<code class="language-fift"><pre>a</></>', "a", [("pre", 0, 1)]),
    ("<pre><code>a</code></pre>", "a", [("pre", 0, 1), ("code", 0, 1)]),
    ("&#1050;&#x438;&#x457;в", "Київ", []),
]


@pytest.mark.parametrize(("source", "text", "entities"), TAKEN)
def test_good_html_becomes_text_and_entities_in_utf16_units(
    source: str, text: str, entities: list[tuple[str, int, int]]
) -> None:
    marked = parse_html(source)
    assert marked.text == text
    assert [(one["type"], one["offset"], one["length"]) for one in marked.entities] == entities


LINKS = [
    ("telegram.org", "http://telegram.org/"),
    ("https://Example.org/Шлях?a=1#b", "https://example.org/Шлях?a=1#b"),
    ("https://example.org?x", "https://example.org/?x"),
    ("http://127.0.0.1:8080/a", "http://127.0.0.1:8080/a"),
    ("https://localhost/a", ""),
    ("javascript:alert(1)", ""),
    ("https://exa mple.org", ""),
    ("https://example.org:99999/", ""),
    ("", ""),
]


@pytest.mark.parametrize(("given", "kept"), LINKS)
def test_a_link_with_a_bad_address_is_lost_without_a_word(given: str, kept: str) -> None:
    assert checked_link(given) == kept
    entities = parse_html(f'<a href="{given}">слово</a>').entities
    assert [one["url"] for one in entities] == ([kept] if kept else [])


def test_trimming_moves_the_entities_along() -> None:
    marked = tidy(parse_html(" \n <b> Міст </b> 🏟 <i>  </i>\n"))
    assert marked.text == "Міст  🏟"
    assert marked.entities == ({"type": "bold", "offset": 0, "length": 5},)


def test_carriage_returns_and_control_characters_go_before_counting() -> None:
    marked = tidy(parse_html("а\r\n<b>б\r\nв</b>\x07г"))
    assert marked.text == "а\nб\nв г"
    assert marked.entities == ({"type": "bold", "offset": 2, "length": 3},)


def test_rendering_and_parsing_are_each_other_s_undoing() -> None:
    source = '<b>Міст 🏟 <i>відкрили</i></b> &lt;знов&gt; <a href="https://example.org/?a=1&amp;b=2">читати</a>'
    marked = parse_html(source)
    assert to_html(marked) == source
    assert parse_html(to_html(marked)) == marked


def test_a_link_made_of_entities_cannot_carry_a_script() -> None:
    entity = {"type": "text_link", "offset": 0, "length": 4, "url": "javascript:alert(1)"}
    assert to_html(Marked("клац", (entity,))) == "клац"


def test_units_count_characters_beyond_the_basic_plane_twice() -> None:
    assert units("а🏟б") == 4
