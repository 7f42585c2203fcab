"""Feeds as they are met in the wild, over real HTTP."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from bot.errors import SourceError
from bot.network import Fetcher
from bot.sources.base import Found
from bot.sources.feed import Feed
from tests.sources.site import Site

SEVEN = datetime(2024, 1, 31, 17, tzinfo=UTC)
SPACES = (
    'xmlns:media="http://search.yahoo.com/mrss/" xmlns:dc="http://purl.org/dc/elements/1.1/"'
    ' xmlns:content="http://purl.org/rss/1.0/modules/content/" xmlns:yandex="http://news.yandex.ru"'
)
LONG = "Будівельники працювали у дві зміни, розповів керівник робіт на зустрічі з мешканцями. " * 12


def rss(*items: str, attributes: str = SPACES, encoding: str = "utf-8") -> bytes:
    text = (
        f'<?xml version="1.0" encoding="{encoding}"?><rss version="2.0" {attributes}><channel><title>Приклад</title>'
        f"<link>https://news.example/</link>{''.join(f'<item>{item}</item>' for item in items)}</channel></rss>"
    )
    return text.encode(encoding)


ITEM = "<title>Міст відкрито</title><link>https://news.example/a?utm_source=rss</link>"


class Asked:
    """One feed on a site, asked again and again with the cursor of the last time."""

    def __init__(self, site: Site, fetcher: Fetcher, **options: Any) -> None:
        self.feed = Feed("site", site.url("/rss"), fetcher, zone=ZoneInfo("Europe/Kyiv"), **options)
        self.cursor: dict[str, Any] = {}

    async def look(self) -> Found:
        found = await self.feed.look(self.cursor)
        self.cursor = json.loads(json.dumps(found.cursor))
        return found


async def one(site: Site, fetcher: Fetcher, item: str, **options: Any) -> Any:
    site.has("/rss", rss(ITEM + item, **options), "application/rss+xml")
    found = await Asked(site, fetcher).look()
    assert found.rejected == []
    return found.articles[0]


async def test_an_rss_item_gives_all_it_says(site: Site, fetcher: Fetcher) -> None:
    article = await one(
        site,
        fetcher,
        "<pubDate>Wed, 31 Jan 2024 19:00:00 +0200</pubDate>"
        "<description>&lt;p&gt;Рух &amp;amp; проїзд відновили.&lt;/p&gt;</description>"
        "<dc:creator>Марко Зразок</dc:creator><category>Місто</category><category>Дороги</category>"
        "<content:encoded><![CDATA[<p>Перший абзац.</p><h3>Далі</h3>"
        "<p>Другий.</p><script>x()</script>]]></content:encoded>"
        '<media:content url="/s.jpg" medium="image" width="100"/>'
        '<media:content url="/p.jpg" medium="image" width="900">'
        "<media:credit>Фото: ДСНС</media:credit><media:description>Міст уранці</media:description></media:content>",
    )
    assert (article.url, article.title, article.lead) == (
        "https://news.example/a",
        "Міст відкрито",
        "Рух & проїзд відновили.",
    )
    assert article.body == "<p>Перший абзац.</p>\n<h2>Далі</h2>\n<p>Другий.</p>"
    assert (article.author, article.rubric, article.tags) == ("Марко Зразок", "Місто", ("Місто", "Дороги"))
    assert (article.photo_url, article.photo_credit, article.photo_alt) == (
        site.url("/p.jpg"),
        "Фото: ДСНС",
        "Міст уранці",
    )
    assert (article.published_at, article.updated_at, article.retracted) == (SEVEN, None, None)


async def test_atom_is_read(site: Site, fetcher: Fetcher) -> None:
    atom = (
        '<feed xmlns="http://www.w3.org/2005/Atom"><title>Приклад</title><id>urn:x</id><entry><id>urn:x:1</id>'
        '<title type="html">Міст &amp;amp; дорога</title><link rel="alternate" href="/a"/>'
        '<link rel="enclosure" type="image/jpg"'
        ' href="/p"/><published>2024-01-31T19:00:00+02:00</published><updated>2024-01-31T18:00:00Z</updated>'
        "<author><name>Марко Зразок</name></author><summary>Рух відновили.</summary>"
        '<content type="html">&lt;p&gt;Абзац.&lt;/p&gt;</content></entry></feed>'
    )
    site.has("/rss", atom, "application/atom+xml")
    (article,) = (await Asked(site, fetcher).look()).articles
    assert (article.url, article.title, article.lead) == (site.url("/a"), "Міст & дорога", "Рух відновили.")
    assert (article.body, article.photo_url) == ("<p>Абзац.</p>", site.url("/p"))
    assert (article.published_at, article.updated_at) == (SEVEN, datetime(2024, 1, 31, 18, tzinfo=UTC))


async def test_rdf_and_old_rss_are_read(site: Site, fetcher: Fetcher) -> None:
    rdf = (
        '<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#" xmlns="http://purl.org/rss/1.0/"'
        ' xmlns:dc="http://purl.org/dc/elements/1.1/"><channel rdf:about="x"><title>П</title></channel>'
        '<item rdf:about="y">'
        f"{ITEM}<dc:date>2024-01-31T19:00:00+02:00</dc:date></item></rdf:RDF>"
    )
    site.has("/rss", rdf, "text/xml")
    (article,) = (await Asked(site, fetcher).look()).articles
    assert (article.title, article.published_at) == ("Міст відкрито", SEVEN)
    site.has("/rss", f'<rss version="0.91"><channel><title>П</title><item>{ITEM}</item></channel></rss>', "text/xml")
    (article,) = (await Asked(site, fetcher).look()).articles
    assert article.url == "https://news.example/a"


async def test_json_feed_is_read_and_its_broken_items_stop_no_other(site: Site, fetcher: Fetcher) -> None:
    feed = {
        "version": "https://jsonfeed.org/version/1.1",
        "items": [
            {
                "id": "1",
                "url": "/a",
                "title": "Міст відкрито",
                "content_html": "<p>Абзац.</p>"
                '<figure><img src="/p.jpg" alt="Міст"><figcaption>Фото: ДСНС</figcaption></figure>',
                "summary": "Рух відновили.",
                "date_published": "2024-01-31T19:00:00+02:00",
                "authors": [{"name": "Марко Зразок"}],
                "tags": ["Місто", "Дороги"],
            },
            {"id": "2", "content_text": "без назви"},
            "не об'єкт",
            {"id": "https://news.example/b", "title": "Другий", "content_text": "Абзац.\n\nДругий абзац.", "tags": "x",
             "authors": 5, "attachments": [{"url": "/q", "mime_type": "image/png"}]},
        ],
    }  # fmt: skip
    site.has("/rss", json.dumps(feed), "application/feed+json")
    found = await Asked(site, fetcher, rubric="Новини").look()
    first, second = found.articles
    assert (first.url, first.lead, first.body) == (site.url("/a"), "Рух відновили.", "<p>Абзац.</p>")
    assert (first.photo_url, first.photo_credit, first.photo_alt) == (site.url("/p.jpg"), "Фото: ДСНС", "Міст")
    assert (first.author, first.rubric, first.tags) == ("Марко Зразок", "Місто", ("Місто", "Дороги"))
    assert first.published_at == SEVEN
    assert (second.url, second.body, second.rubric) == (
        "https://news.example/b",
        "<p>Абзац.</p>\n<p>Другий абзац.</p>",
        "Новини",
    )
    assert second.photo_url == site.url("/q")
    assert [(one.where, one.why) for one in found.rejected] == [
        (f"{site.url('/rss')} item 2", "title: is missing or empty"),
        (f"{site.url('/rss')} item 3", "is no object"),
    ]


async def test_windows_1251_is_read_whatever_the_header_says(site: Site, fetcher: Fetcher) -> None:
    for kind in ("text/xml", "application/rss+xml; charset=windows-1251", "application/xml"):
        site.has("/rss", rss(ITEM, encoding="windows-1251"), kind)
        (article,) = (await Asked(site, fetcher).look()).articles
        assert article.title == "Міст відкрито"


async def test_indented_cdata_is_trimmed(site: Site, fetcher: Fetcher) -> None:
    item = "<title>\n   <![CDATA[ Міст &quot;Східний&quot; ]]>\n </title><link>\n https://news.example/a\n</link>"
    site.has("/rss", rss(item), "application/rss+xml")
    (article,) = (await Asked(site, fetcher).look()).articles
    assert (article.title, article.url) == ('Міст "Східний"', "https://news.example/a")


@pytest.mark.parametrize(
    "picture",
    [
        '<enclosure url="/p.png" type="image/jpeg" length="1"/>',
        '<enclosure url="/p.png" type="image/jpg"/>',
        '<enclosure url="/p.png"/>',
        '<media:content url="/p.png" type="image/jpeg"/>',
        '<media:thumbnail url="/p.png"/>',
        '<media:group><media:content url="/p.png" medium="image"/></media:group>',
        '<description>&lt;img src="/count.gif" width="1"&gt;&lt;img src="/p.png"&gt;Рух відновили.</description>',
        '<enclosure url="/talk.mp3" type="audio/mpeg"/><enclosure url="/p.png" type="image/png"/>',
    ],
)
async def test_the_photo_is_found_wherever_the_feed_puts_it(picture: str, site: Site, fetcher: Fetcher) -> None:
    assert (await one(site, fetcher, picture)).photo_url == site.url("/p.png")


async def test_sound_and_film_are_no_photo(site: Site, fetcher: Fetcher) -> None:
    article = await one(
        site, fetcher, '<enclosure url="/a.mp3" type="audio/mpeg"/><media:content url="/a.mp4" medium="video"/>'
    )
    assert article.photo_url == ""


async def test_a_hash_for_a_guid_is_no_address(site: Site, fetcher: Fetcher) -> None:
    item = "<title>Міст відкрито</title><guid{}>{}</guid>"
    site.has(
        "/rss",
        rss(item.format("", "d41d8cd98f"), item.format(' isPermaLink="false"', "https://news.example/b")),
        "text/xml",
    )
    found = await Asked(site, fetcher).look()
    assert [article.link for article in found.articles] == [None]
    site.has("/rss", rss(item.format("", "https://news.example/c")), "text/xml")
    assert [article.link for article in (await Asked(site, fetcher).look()).articles] == ["https://news.example/c"]


@pytest.mark.parametrize(
    "space", ["http://news.yandex.ru", "http://www.w3.org/1999/xhtml", "http://backend.userland.com/rss2"]
)
async def test_a_wrong_default_namespace_does_no_harm(space: str, site: Site, fetcher: Fetcher) -> None:
    article = await one(site, fetcher, "<category>Місто</category>", attributes=f'xmlns="{space}" {SPACES}')
    assert (article.title, article.rubric) == ("Міст відкрито", "Місто")


async def test_html_escaped_once_too_often_in_full_text_is_read(site: Site, fetcher: Fetcher) -> None:
    article = await one(
        site,
        fetcher,
        "<yandex:full-text><![CDATA[&lt;p&gt;Перший абзац.&lt;/p&gt;&lt;p&gt;Другий.&lt;/p&gt;]]></yandex:full-text>",
    )
    assert article.body == "<p>Перший абзац.</p>\n<p>Другий.</p>"


@pytest.mark.parametrize(
    ("printed", "at"),
    [
        ("00:05 год. 17 січня", None),
        ("Wed, 31 Jan 2024 19:00:00", SEVEN),
        ("2024-01-31 19:00:00", SEVEN),
        ("31.01.2024 19:00", SEVEN),
        ("Wed, 31 Jan 2024 17:00:00 GMT", SEVEN),
        ("", None),
    ],
)
async def test_a_time_is_right_or_none(printed: str, at: datetime | None, site: Site, fetcher: Fetcher) -> None:
    assert (await one(site, fetcher, f"<pubDate>{printed}</pubDate>")).published_at == at


@pytest.mark.parametrize(
    ("item", "lead", "body"),
    [
        ("<description>Рух відновили. Далі буде рем…</description>", "Рух відновили.", ""),
        ("<description>Рух відновили, далі бу...</description>", "", ""),
        ("<description>Міст відкрито</description>", "", ""),
        (f"<description>{LONG}</description>", "", f"<p>{LONG.strip()}</p>"),
        (
            "<description>Рух відновили…</description><content:encoded>Рух відновили зранку.</content:encoded>",
            "",
            "<p>Рух відновили зранку.</p>",
        ),
        (
            "<content:encoded><![CDATA[<p>Абзац<br><br>Другий</p><p>Читайте також: інше</p>]]></content:encoded>",
            "",
            "<p>Абзац</p>\n<p>Другий</p>",
        ),
    ],
)
async def test_lead_and_body_are_told_apart(item: str, lead: str, body: str, site: Site, fetcher: Fetcher) -> None:
    article = await one(site, fetcher, item)
    assert (article.lead, article.body) == (lead, body)


async def test_a_broken_item_stops_no_other_and_a_doubled_one_counts_once(site: Site, fetcher: Fetcher) -> None:
    other = ITEM.replace("/a?", "/b?")
    site.has(
        "/rss",
        rss(ITEM, "<link>https://news.example/c</link>", ITEM, f"<title>{'а' * 1_001}</title>", other),
        "text/xml",
    )
    found = await Asked(site, fetcher).look()
    assert [article.url for article in found.articles] == ["https://news.example/a", "https://news.example/b"]
    assert [one.why for one in found.rejected] == [
        "title: is missing or empty",
        "title: is longer than 1,000 characters",
    ]


@pytest.mark.parametrize(
    ("body", "kind", "why"),
    [
        ("<html><body>Обслуговування</body></html>", "text/html", "no feed, neither RSS nor Atom nor JSON Feed"),
        ("", "text/xml", "no feed, neither RSS nor Atom nor JSON Feed"),
        ("{", "application/json", "no feed: broken JSON"),
        ('{"a": 1}', "application/json", "JSON, but no JSON Feed"),
    ],
)
async def test_what_is_no_feed_is_told_in_one_line(
    body: str, kind: str, why: str, site: Site, fetcher: Fetcher
) -> None:
    site.has("/rss", body, kind)
    with pytest.raises(SourceError) as caught:
        await Asked(site, fetcher).look()
    assert str(caught.value) == f"source site: {site.url('/rss')}: {why}"


async def test_a_feed_that_breaks_off_gives_what_came(site: Site, fetcher: Fetcher) -> None:
    site.has("/rss", rss(ITEM, ITEM.replace("/a?", "/b?"))[:-40], "text/xml")
    first, *_ = (await Asked(site, fetcher).look()).articles
    assert first.url == "https://news.example/a"


async def test_an_unreachable_feed_is_told_with_its_name(fetcher: Fetcher, site: Site) -> None:
    with pytest.raises(SourceError, match=r"^source site: http://127\.0\.0\.1:\d+/rss: answered 404 \(Not Found\)$"):
        await Asked(site, fetcher).look()


async def test_a_key_in_the_address_of_a_feed_is_told_to_nobody(site: Site, fetcher: Fetcher) -> None:
    feed = Feed("site", site.url("/rss?key=hunter2"), fetcher, zone=ZoneInfo("Europe/Kyiv"))
    site.has("/rss", rss("<link>/a</link>"), "text/xml")
    (rejected,) = (await feed.look({})).rejected
    site.has("/rss", "<html>", "text/html")
    with pytest.raises(SourceError) as caught:
        await feed.look({})
    assert rejected.where == f"{site.url('/rss')}?key=… item 1"
    assert "hunter2" not in str(caught.value)


async def test_an_unchanged_feed_is_not_read_again(site: Site, fetcher: Fetcher) -> None:
    site.has("/rss", rss(ITEM), "text/xml", ETag='"1"')
    asked = Asked(site, fetcher)
    assert not (await asked.look()).unchanged
    again = await asked.look()
    assert (again.unchanged, again.articles) == (True, [])
    assert site.asked[1].headers["If-None-Match"] == '"1"'
    site.has("/rss", rss(ITEM, ITEM.replace("/a?", "/b?")), "text/xml", ETag='"2"')
    assert len((await asked.look()).articles) == 2


PAGE = """<html><head><meta property="og:title" content="Інша назва">
<meta property="og:image" content="/p/big.jpg"></head>
<body><article><h1>Інша назва</h1><span class="author">Марко Зразок</span>
<figure><img src="/p/big.jpg"><figcaption>Фото: ДСНС</figcaption></figure>
<p>Рух новим мостом відновили у середу зранку. Першими проїхали рятувальники та лікарі міста.</p>
<p>Будівельники працювали у дві зміни, розповів керівник робіт на зустрічі з мешканцями.</p></article></body></html>"""


async def test_full_text_opens_each_new_items_page_and_merges(site: Site, fetcher: Fetcher) -> None:
    item = (
        f"<title>Міст відкрито</title><link>{site.url('/a')}</link><description>Рух відновили.</description>"
        '<pubDate>Wed, 31 Jan 2024 19:00:00 +0200</pubDate><enclosure url="/small.jpg" type="image/jpeg"/>'
    )
    site.has("/rss", rss(item), "text/xml")
    site.has("/a", PAGE)
    asked = Asked(site, fetcher, full_text=True)
    (article,) = (await asked.look()).articles
    assert (article.title, article.lead, article.published_at) == ("Міст відкрито", "Рух відновили.", SEVEN)
    assert article.body.startswith("<p>Рух новим мостом")
    assert (article.author, article.photo_url, article.photo_credit) == (
        "Марко Зразок",
        site.url("/p/big.jpg"),
        "Фото: ДСНС",
    )

    site.has(
        "/rss", rss(item, ITEM), "text/xml"
    )  # a second item comes; the first is not opened again, nor shown without its page
    found = await asked.look()
    assert [article.url for article in found.articles] == ["https://news.example/a"]
    assert site.paths().count("/a") == 1

    site.has("/rss", rss(item.replace("Міст відкрито", "Міст відкрили"), ITEM), "text/xml")
    found = await asked.look()
    assert [article.title for article in found.articles] == ["Міст відкрили"]
    assert site.paths().count("/a") == 2


async def test_an_item_goes_with_what_the_feed_says_where_its_page_is_broken(site: Site, fetcher: Fetcher) -> None:
    site.has("/rss", rss(f"<title>Міст відкрито</title><link>{site.url('/none')}</link>"), "text/xml")
    found = await Asked(site, fetcher, full_text=True).look()
    assert [article.title for article in found.articles] == ["Міст відкрито"]
    assert [(one.where, one.why) for one in found.rejected] == [
        (site.url("/none"), f"its page was left out: {site.url('/none')}: answered 404 (Not Found)")
    ]


async def test_pages_beyond_the_number_of_a_look_wait_for_the_next_and_none_is_lost(
    site: Site, fetcher: Fetcher
) -> None:
    items = [f"<title>Новина {number}</title><link>{site.url(f'/{number}')}</link>" for number in range(5)]
    site.has("/rss", rss(*items), "text/xml", ETag='"1"')
    asked = Asked(site, fetcher, full_text=True, per_look=2)
    titles = [[article.title for article in (await asked.look()).articles] for _ in range(4)]
    assert titles == [["Новина 0", "Новина 1"], ["Новина 2", "Новина 3"], ["Новина 4"], []]


async def test_no_page_is_opened_for_a_baseline(site: Site, fetcher: Fetcher) -> None:
    site.has("/rss", rss(f"<title>Стара</title><link>{site.url('/old')}</link>"), "text/xml")
    asked = Asked(site, fetcher, full_text=True, baseline=True)
    assert [article.title for article in (await asked.look()).articles] == ["Стара"]
    assert site.paths() == ["/rss"]
