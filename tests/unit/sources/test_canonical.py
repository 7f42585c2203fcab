"""One article has one address, however it is spelled; two articles never share one."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.errors import SourceError
from bot.sources.canonical import MAX_ADDRESS, absolute, canonical, name_for


@pytest.mark.parametrize(
    ("spelled", "form"),
    [
        ("HTTPS://News.Example/A", "https://news.example/A"),
        ("https://news.example", "https://news.example/"),
        ("  https://news.example/a  ", "https://news.example/a"),
        ("https://news.example:443/a", "https://news.example/a"),
        ("http://news.example:80/a", "http://news.example/a"),
        ("http://news.example:443/a", "http://news.example:443/a"),
        ("https://news.example./a", "https://news.example/a"),
        ("https://news.example/a/", "https://news.example/a/"),
        ("https://news.example/a#comments", "https://news.example/a"),
        ("https://editor:hunter2@news.example/a", "https://news.example/a"),
        ("https://news.example/a?utm_source=tg&UTM_Medium=x&fbclid=1&gclid=2&yclid=3", "https://news.example/a"),
        ("https://news.example/a?b=2&utm_source=tg&a=1", "https://news.example/a?b=2&a=1"),
        ("https://news.example/a?id=1&id=2&flag", "https://news.example/a?id=1&id=2&flag"),
        ("https://news.example/a?", "https://news.example/a"),
        ("https://news.example/a?&&b=1&", "https://news.example/a?b=1"),
        ("https://Новини.УКР/a", "https://xn--b1amarcd.xn--j1amh/a"),
        ("https://xn--B1AMARCD.xn--j1amh/a", "https://xn--b1amarcd.xn--j1amh/a"),
        ("https://news.example/міст", "https://news.example/%D0%BC%D1%96%D1%81%D1%82"),
        ("https://news.example/%d0%bc%d1%96%d1%81%d1%82", "https://news.example/%D0%BC%D1%96%D1%81%D1%82"),
        ("https://news.example/100%", "https://news.example/100%25"),
        ("https://news.example/a b?q=a b", "https://news.example/a%20b?q=a%20b"),
        ("http://[2001:DB8::1]:8080/a", "http://[2001:db8::1]:8080/a"),
        ("http://127.0.0.1:8080/a", "http://127.0.0.1:8080/a"),
        ("URN:SHA256:" + "AB" * 32, "urn:sha256:" + "ab" * 32),
    ],
)
def test_spellings_of_one_address_have_one_form(spelled: str, form: str) -> None:
    assert canonical(spelled) == form
    assert canonical(form) == form


@pytest.mark.parametrize(
    "spelled",
    [
        "",
        "news.example/a",
        "ftp://news.example/a",
        "javascript:alert(1)",
        "https://",
        "https:///a",
        "https://news example/a",
        "https://-news-.example/",
        "https://news.example:99999/",
        "https://[::1/",
        "https://news.example/\x00",
        "https://news.example/\ud800",
        "urn:sha256:abc",
        "https://news.example/" + "a" * MAX_ADDRESS,
        "https://" + "я" * 300 + ".укр/",
    ],
)
def test_what_is_no_address_is_refused_in_one_line(spelled: str) -> None:
    with pytest.raises(SourceError) as caught:
        canonical(spelled)
    assert "\n" not in str(caught.value)
    assert len(str(caught.value)) < 300


def test_a_refusal_does_not_show_a_password() -> None:
    with pytest.raises(SourceError) as caught:
        canonical("https://editor:hunter2@news example/")
    assert "hunter2" not in str(caught.value)


HOSTS = st.sampled_from(["news.example", "NEWS.example:443", "новини.укр", "u:p@news.example", "127.0.0.1:81"])


@given(st.sampled_from(["http", "https", "HTTPS"]), HOSTS, st.text(max_size=30), st.text(max_size=30))
def test_the_form_of_a_form_is_itself(scheme: str, host: str, path: str, query: str) -> None:
    try:
        form = canonical(f"{scheme}://{host}/{path}?{query}")
    except SourceError:
        return
    assert canonical(form) == form
    assert form.isascii()
    assert "#" not in form


@given(st.text(max_size=80))
def test_no_text_makes_it_raise_anything_but_ours(text: str) -> None:
    try:
        canonical(text)
    except SourceError:
        return


def test_a_relative_address_is_completed_and_a_hopeless_one_is_none() -> None:
    assert absolute("../b?utm_id=1", "https://news.example/a/c") == "https://news.example/b"
    assert absolute("//cdn.example/p.jpg", "https://news.example/") == "https://cdn.example/p.jpg"
    assert [absolute(one, "https://news.example/") for one in ("mailto:a@b.example", "", None, 7)] == [""] * 4


def test_an_article_without_an_address_is_named_by_its_words() -> None:
    assert name_for("а", "б", "в") == name_for("а", "б", "в")
    assert len({name_for("а", "б", "в"), name_for("аб", "", "в"), name_for("а", "", "бв")}) == 3
    assert canonical(name_for("а")) == name_for("а")
