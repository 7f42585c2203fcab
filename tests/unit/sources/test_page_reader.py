"""An article is read from a page however the page says what it is."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from bot.domain.article import Article
from bot.errors import SourceError
from bot.sources.page_reader import read_page
from bot.sources.prose import decoded_page

KYIV = ZoneInfo("Europe/Kyiv")
URL = "https://news.example/city/bridge"
TEXT = """<p>Рух новим мостом відновили у середу зранку. Першими проїхали рятувальники та лікарі.</p>
<h2>Що далі</h2><p>Будівельники працювали у дві зміни, розповів керівник робіт на зустрічі з мешканцями.</p>
<ul><li>підходи до мосту</li><li>освітлення</li></ul>
<p>Наступного року місто відремонтує також набережну, обіцяють у мерії. Гроші на це вже є.</p>"""
ROBUST: dict[str, Any] = {
    "@type": "NewsArticle",
    "headline": "Міст через Стир відкрили",
    "datePublished": "2024-01-31T19:00:00",
    "dateModified": "2024-01-31T20:00:00+02:00",
    "author": {"@type": "Person", "name": "Марко Зразок"},
    "publisher": {"@type": "NewsMediaOrganization", "name": "Приклад"},
    "image": {"@type": "ImageObject", "url": "https://news.example/p/bridge.jpg"},
    "articleSection": "Місто",
    "keywords": "міст, дорога",
}


def page(*, head: str = "", body: str = TEXT, ld: Any = None, title: str = "Міст | Приклад", h1: str = "Міст") -> str:
    script = (
        ""
        if ld is None
        else f'<script type="application/ld+json">{ld if isinstance(ld, str) else json.dumps(ld)}</script>'
    )
    return (
        f"<!doctype html><html lang=uk><head><title>{title}</title>{head}{script}</head>"
        "<body><nav><a href=/>Головна</a></nav>"
        f"<article><h1>{h1}</h1>{body}</article><footer><p>© Приклад. Усі права захищено.</p></footer></body></html>"
    )


def read(markup: str, url: str | None = URL) -> Article:
    return read_page(markup, url, "", zone=KYIV)


def test_what_a_page_states_for_machines_is_taken() -> None:
    article = read(page(ld=ROBUST))
    assert article.title == "Міст через Стир відкрили"
    assert article.published_at == datetime(2024, 1, 31, 17, tzinfo=UTC)
    assert article.updated_at == datetime(2024, 1, 31, 18, tzinfo=UTC)
    assert (article.author, article.rubric, article.tags) == ("Марко Зразок", "Місто", ("міст", "дорога"))
    assert article.photo_url == "https://news.example/p/bridge.jpg"
    assert article.retracted is None


def test_the_body_is_paragraphs_and_subheads_and_nothing_else() -> None:
    call = "<p>Фото: ДСНС</p><p>Підписуйтесь на наш Telegram</p><p>Автор: Марко Зразок</p>"
    figure = "<figure><img src=a.jpg><figcaption>Міст уранці. Фото: ДСНС</figcaption></figure>"
    body = read(page(ld=ROBUST, body=f"<p>Міст через Стир відкрили</p>{TEXT}{figure}{call}")).body
    assert body.startswith("<p>Рух новим мостом")
    assert "<h2>Що далі</h2>" in body
    assert "<p>освітлення</p>" in body
    assert body.endswith("Гроші на це вже є.</p>")
    for left_out in ("Фото", "Підписуйтесь", "Автор", "уранці", "Головна", "права", "<ul>", "<li>"):
        assert left_out not in body


@pytest.mark.parametrize(
    "ld",
    [
        {"@context": "https://schema.org", "@graph": [{"@type": "WebPage", "name": "Інше"}, ROBUST]},
        [{"@type": "BreadcrumbList"}, ROBUST],
        {"@type": "WebPage", "mainEntity": ROBUST},
        {**ROBUST, "@type": ["Article", "NewsArticle"]},
        {**ROBUST, "@type": "http://schema.org/ReportageNewsArticle"},
        {**ROBUST, "image": ["https://news.example/p/bridge.jpg", "https://news.example/p/2.jpg"]},
        {**ROBUST, "image": "https://news.example/p/bridge.jpg"},
        {"@graph": [{**ROBUST, "image": {"@id": "#i"}}, {"@type": "ImageObject", "@id": "#i", "url": "/p/bridge.jpg"}]},
        {"@graph": [{**ROBUST, "author": [{"@id": "#a"}]}, {"@type": "Person", "@id": "#a", "name": "Марко Зразок"}]},
        json.dumps(ROBUST)[:-1] + ",}",
        "<!--" + json.dumps(ROBUST) + "-->",
        "//<![CDATA[\n" + json.dumps(ROBUST) + "\n//]]>",
        json.dumps(ROBUST) + ";",
        json.dumps({**ROBUST, "description": "~"}).replace("~", "рядок\nрядок"),
    ],
)
def test_json_ld_is_read_in_every_form_it_is_written(ld: Any) -> None:
    article = read(page(ld=ld))
    assert article.title == "Міст через Стир відкрили"
    assert article.author == "Марко Зразок"
    assert article.photo_url == "https://news.example/p/bridge.jpg"


@pytest.mark.parametrize("ld", ["{broken", "", "null", '"text"', "[1, 2]", "[" * 5_000])
def test_broken_json_ld_is_passed_over(ld: str) -> None:
    article = read(page(ld=ld, head='<meta property="og:title" content="Міст з OpenGraph">'))
    assert article.title == "Міст з OpenGraph"


def test_of_several_articles_the_one_that_says_most_is_meant() -> None:
    others = [{"@type": "NewsArticle", "headline": "Інша новина", "url": "https://news.example/other"}] * 3
    assert read(page(ld=[*others, ROBUST])).title == "Міст через Стир відкрили"


@pytest.mark.parametrize(
    ("head", "title", "h1", "expected"),
    [
        ('<meta property="og:title" content="Міст відкрили">', "Інше — сайт", "Ще інше", "Міст відкрили"),
        (
            '<meta property="og:title" content="Міст відкрили | Приклад">'
            '<meta property="og:site_name" content="Приклад">',
            "",
            "",
            "Міст відкрили",
        ),
        ("", "Новини дня", "Міст відкрили", "Міст відкрили"),
        ('<meta property="og:site_name" content="Приклад">', "Міст відкрили - Приклад", "", "Міст відкрили"),
        (
            '<meta property="og:title" content="Міст через Стир…">',
            "",
            "Міст через Стир відкрили",
            "Міст через Стир відкрили",
        ),
        (
            '<meta property="og:title" content="Сім&amp;nbsp;днів &amp;quot;дива&amp;quot;">',
            "",
            "",
            'Сім\u00a0днів "дива"',
        ),
    ],
)
def test_the_title_is_the_fullest_the_page_gives(head: str, title: str, h1: str, expected: str) -> None:
    assert read(page(head=head, title=title, h1=h1)).title == expected


def test_a_page_without_a_title_is_refused() -> None:
    with pytest.raises(SourceError, match=r"^title: the page has none$"):
        read("<html><body><p>текст</p></body></html>")
    with pytest.raises(SourceError, match="the page is empty"):
        read("")


@pytest.mark.parametrize(
    ("head", "body", "ld"),
    [
        ('<meta property="article:published_time" content="2024-01-31T19:00:00+02:00">', "", None),
        ('<meta itemprop="datePublished" content="2024-01-31 19:00">', "", None),
        ("", '<time datetime="2024-01-31T17:00:00Z">сьогодні</time>', None),
        ("", '<span itemprop="datePublished" content="2024-01-31T19:00:00">вчора</span>', None),
        ("", "", {**ROBUST, "datePublished": "2024-01-31T19:00:00"}),
        (
            '<meta property="article:published_time" content="2024-01-31T17:00Z">',
            "",
            {**ROBUST, "datePublished": "2024-01-31"},
        ),
    ],
)
def test_the_time_is_found_and_a_naive_one_is_the_outlets(head: str, body: str, ld: Any) -> None:
    assert read(page(head=head, body=body + TEXT, ld=ld)).published_at == datetime(2024, 1, 31, 17, tzinfo=UTC)


def test_a_day_alone_is_no_time() -> None:
    assert read(page(ld={**ROBUST, "datePublished": "2024-01-31", "dateModified": ""})).published_at is None


@pytest.mark.parametrize("byline", ['<span class="article-author">Ганна Взірець</span>', "<p>Автор: Ганна Взірець</p>",
                                    '<a rel="author" href="/a">Ганна Взірець</a>'])  # fmt: skip
@pytest.mark.parametrize(
    "author",
    [{"@type": "Organization", "name": "Приклад"}, {"@type": "Person", "name": "Приклад"}, "Приклад", None],
)
def test_a_byline_beats_an_author_that_is_the_outlet(byline: str, author: Any) -> None:
    assert read(page(ld={**ROBUST, "author": author}, body=byline + TEXT)).author == "Ганна Взірець"


def test_the_outlet_is_the_author_where_nobody_else_is_named() -> None:
    outlet = {"@type": "Organization", "name": "Приклад"}
    assert read(page(ld={**ROBUST, "author": outlet})).author == "Приклад"


@pytest.mark.parametrize(
    ("box", "credit"),
    [
        ("<figcaption>Міст уранці. Фото: ДСНС</figcaption>", "Фото: ДСНС"),
        ("<figcaption>Фото: ДСНС</figcaption>", "Фото: ДСНС"),
        ('<figcaption></figcaption><span class="photo-credit">ДСНС</span>', "ДСНС"),
        ('<div class="img-copyright">© ДСНС</div><figcaption>Міст уранці</figcaption>', "© ДСНС"),
        ('<div class="caption"><p>Міст уранці</p><p>Скриншот з відео ДСНС</p></div>', "Скриншот з відео ДСНС"),
        ('<div class="credit"> </div><figcaption> </figcaption>', ""),
        ("<figcaption>Міст уранці</figcaption>", ""),
        ("", ""),
    ],
)
def test_the_credit_is_found_at_the_picture(box: str, credit: str) -> None:
    figure = f'<figure><img src="/p/800x600/bridge.jpg?w=800" alt="Міст зблизька">{box}</figure>'
    article = read(page(ld=ROBUST, body=figure + TEXT))
    assert article.photo_credit == credit
    assert article.photo_alt == "Міст зблизька"


def test_a_printed_line_near_the_picture_is_its_credit() -> None:
    body = f'<div class="top"><img src="/p/bridge.jpg"></div><p>Фото: ДСНС</p>{TEXT}'
    assert read(page(ld=ROBUST, body=body)).photo_credit == "Фото: ДСНС"


def test_a_stated_credit_text_comes_first_and_the_outlets_rights_never() -> None:
    figure = '<figure><img src="/p/bridge.jpg"><figcaption>Фото: ДСНС</figcaption></figure>'
    image = {"@type": "ImageObject", "url": "/p/bridge.jpg"}
    holder = {"@type": "Organization", "name": "Приклад"}

    def credit(body: str = figure, **stated: Any) -> str:
        return read(page(ld={**ROBUST, "image": {**image, **stated}}, body=body + TEXT)).photo_credit

    assert credit(creditText="ДСНС Волині", copyrightHolder=holder) == "ДСНС Волині"
    assert credit(copyrightHolder=holder) == "Фото: ДСНС"
    assert credit("", copyrightHolder=holder) == ""
    assert credit("", author={"@type": "Person", "name": "Ганна Взірець"}) == "Ганна Взірець"


def test_the_credit_of_another_picture_is_not_taken_where_the_right_one_is_there() -> None:
    body = (
        '<figure><img src="/p/bridge.jpg"><figcaption>Міст уранці</figcaption></figure>' + TEXT
        + '<figure><img src="/p/other.jpg"><figcaption>Фото: поліція</figcaption></figure>'
    )  # fmt: skip
    assert read(page(ld=ROBUST, body=body)).photo_credit == ""


@pytest.mark.parametrize(
    ("head", "body", "lead"),
    [
        ('<meta property="og:description" content="Міст відкрили раніше строку.">', "", "Міст відкрили раніше строку."),
        ('<meta name="description" content="Міст відкрили раніше строку.">', "", "Міст відкрили раніше строку."),
        ('<meta property="og:description" content="Рух новим мостом відновили у середу…">', "", ""),
        ('<meta property="og:description" content="Рух новим мостом відновили у середу...">', "", ""),
        ('<meta property="og:description" content="Рух новим мостом відновили у середу">', "", ""),
        ('<meta property="og:description" content="Міст через Стир відкрили">', "", ""),
        (
            '<meta property="og:description" content="Рух новим мостом…">',
            '<p class="article-lead">Міст відкрили раніше строку.</p>',
            "Міст відкрили раніше строку.",
        ),
    ],
)
def test_the_lead_is_the_outlets_own_and_never_a_torn_one(head: str, body: str, lead: str) -> None:
    assert read(page(ld=ROBUST, head=head, body=body + TEXT)).lead == lead


@pytest.mark.parametrize(
    ("link", "address"),
    [
        ("https://news.example/city/bridge?utm_source=x", "https://news.example/city/bridge"),
        ("https://www.news.example/city/bridge-new", "https://www.news.example/city/bridge-new"),
        ("/city/bridge-new", "https://news.example/city/bridge-new"),
        ("https://other.example/bridge", URL),
        ("https://news.example/", URL),
        ("", URL),
        ("https://[broken", URL),
    ],
)
def test_the_canonical_link_is_believed_where_it_may_be_true(link: str, address: str) -> None:
    assert read(page(ld=ROBUST, head=f'<link rel="canonical" href="{link}">')).url == address


def test_a_saved_page_gives_its_own_address_or_none() -> None:
    assert read(page(ld=ROBUST, head=f'<link rel="canonical" href="{URL}">'), None).url == URL
    assert read(page(ld=ROBUST), None).link is None


def test_the_photo_of_the_article_stands_in_where_none_is_stated() -> None:
    article = read(
        page(body=f'<img src="data:image/gif;base64,R0"><img data-src="p/a.jpg">{TEXT}', head='<base href="/x/">')
    )
    assert article.photo_url == "https://news.example/x/p/a.jpg"


def test_the_body_stated_for_machines_stands_in_for_one_that_is_not_there() -> None:
    stated = "Рух новим мостом відновили у середу зранку, розповів керівник робіт.\nДалі буде ремонт."
    article = read(page(ld={**ROBUST, "articleBody": stated}, body=""))
    assert article.body == (
        "<p>Рух новим мостом відновили у середу зранку, розповів керівник робіт.</p>\n<p>Далі буде ремонт.</p>"
    )


def test_markup_in_text_is_text_again_in_the_body() -> None:
    body = read(
        page(ld=ROBUST, body=TEXT + "<p>Знак &lt;b&gt; у реченні &amp; далі пояснення того, навіщо він тут.</p>")
    ).body
    assert "&lt;b&gt; у реченні &amp; далі" in body


@pytest.mark.parametrize(
    ("raw", "charset"),
    [
        ("<title>Міст</title>".encode("windows-1251"), "windows-1251"),
        ('<meta charset="windows-1251"><title>Міст</title>'.encode("windows-1251"), None),
        ('<meta http-equiv=x content="text/html; charset=koi8-u"><title>Міст</title>'.encode("koi8-u"), None),
        ("\ufeff<title>Міст</title>".encode(), "windows-1251"),
        ("<title>Міст</title>".encode(), None),
        ("<title>Міст</title>".encode("windows-1251"), None),
        ("<title>Міст</title>".encode(), "no-such-charset"),
        (b'<meta charset="utf-8">\xff<title>' + "Міст</title>".encode(), None),
    ],
)
def test_pages_of_every_charset_are_read(raw: bytes, charset: str | None) -> None:
    assert "<title>Міст</title>" in decoded_page(raw, charset)


@pytest.mark.parametrize(
    "markup",
    [
        "<div>" * 200 + "<h1>Міст</h1>",
        "<h1>Міст",
        "\0<h1>Мі\0ст</h1>",
        '<?xml version="1.0" encoding="utf-8"?><h1>Міст</h1>',
    ],
)
def test_broken_markup_is_read_as_far_as_it_goes(markup: str) -> None:
    assert read(markup).title == "Міст"
