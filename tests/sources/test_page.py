"""A listing page is watched over real HTTP; each article on it is opened once."""

from __future__ import annotations

import json
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from bot.errors import FetchError, SettingsError, SourceError
from bot.network import Fetcher
from bot.sources.base import Found
from bot.sources.page import Page, open_page
from tests.sources.site import Site

KYIV = ZoneInfo("Europe/Kyiv")


def article(title: str, head: str = "") -> str:
    return f"<html><head><title>{title}</title>{head}</head><body><article><h1>{title}</h1></article></body></html>"


def listing(*links: str, base: str = "") -> str:
    items = "".join(f'<li class="news"><a href="{link}">x</a></li>' for link in links)
    return f'<html><head>{base}</head><body><a href="/about">Про нас</a><ul>{items}</ul></body></html>'


class Watched:
    """A listing that is looked at again and again with the cursor of the last time."""

    def __init__(self, site: Site, fetcher: Fetcher, links: str = ".news a", **options: Any) -> None:
        self.page = Page("site", site.url("/news/"), links, fetcher, zone=KYIV, **options)
        self.cursor: dict[str, Any] = {}

    async def look(self) -> Found:
        found = await self.page.look(self.cursor)
        self.cursor = json.loads(json.dumps(found.cursor))
        return found

    async def titles(self) -> list[str]:
        return [one.title for one in (await self.look()).articles]


async def test_new_links_are_opened_once(site: Site, fetcher: Fetcher) -> None:
    for name in "abc":
        site.has(f"/news/{name}", article(name.upper()))
    site.has("/news/", listing("a", "/news/b", "a?utm_source=main", "#top", "mailto:x@news.example", ""))
    watched = Watched(site, fetcher)
    assert await watched.titles() == ["A", "B"]
    again = await watched.look()
    assert (again.unchanged, again.articles) == (True, [])
    site.has("/news/", listing("c", "b", "a"))
    assert await watched.titles() == ["C"]
    assert sorted(site.paths()) == ["/news/", "/news/", "/news/", "/news/a", "/news/b", "/news/c"]


async def test_relative_links_are_resolved_against_the_base(site: Site, fetcher: Fetcher) -> None:
    site.has("/archive/a", article("A"))
    site.has("/news/", listing("a", base='<base href="/archive/">'))
    assert await Watched(site, fetcher).titles() == ["A"]


@pytest.mark.parametrize("selector", ["li.news", ".news > a", ".news a span", "ul a[href^='/news/']"])
async def test_a_selector_may_hit_the_link_or_what_is_around_or_in_it(
    selector: str, site: Site, fetcher: Fetcher
) -> None:
    site.has("/news/a", article("A"))
    site.has("/news/", '<ul><li class="news"><a href="/news/a"><span>A</span></a></li></ul>')
    assert await Watched(site, fetcher, selector).titles() == ["A"]


async def test_only_so_many_are_opened_at_one_look(site: Site, fetcher: Fetcher) -> None:
    names = [f"n{number}" for number in range(5)]
    for name in names:
        site.has(f"/news/{name}", article(name))
    site.has("/news/", listing(*names))
    watched = Watched(site, fetcher, per_look=2)
    assert [await watched.titles() for _ in range(4)] == [["n0", "n1"], ["n2", "n3"], ["n4"], []]


async def test_a_baseline_is_known_and_not_opened(site: Site, fetcher: Fetcher) -> None:
    site.has("/news/new", article("Нова"))
    site.has("/news/", listing("old"))
    watched = Watched(site, fetcher, baseline=True)
    assert await watched.titles() == []
    site.has("/news/", listing("new", "old"))
    assert await watched.titles() == ["Нова"]
    assert "/news/old" not in site.paths()


async def test_a_page_that_cannot_be_had_is_tried_again_and_stops_no_other(site: Site, fetcher: Fetcher) -> None:
    site.has("/news/b", article("B"))
    site.has("/news/", listing("a", "b"))
    watched = Watched(site, fetcher)
    found = await watched.look()
    assert [one.title for one in found.articles] == ["B"]
    assert [(one.where, one.why) for one in found.rejected] == [
        (site.url("/news/a"), f"{site.url('/news/a')}: answered 404 (Not Found)")
    ]
    site.has("/news/a", article("A"))
    assert await watched.titles() == ["A"]
    assert await watched.titles() == []


async def test_a_page_that_is_never_there_is_given_up(site: Site, fetcher: Fetcher) -> None:
    site.has("/news/", listing("a"))
    watched = Watched(site, fetcher)
    assert [len((await watched.look()).rejected) for _ in range(7)] == [1, 1, 1, 1, 1, 0, 0]


async def test_a_page_that_is_no_article_is_told_once(site: Site, fetcher: Fetcher) -> None:
    site.has("/news/a", b"%PDF-1.7", "application/pdf")
    site.has("/news/b", "<p>без назви</p>")
    site.has("/news/", listing("a", "b"))
    watched = Watched(site, fetcher)
    assert [one.why for one in (await watched.look()).rejected] == [
        f"{site.url('/news/a')}: not a page, but application/pdf",
        f"{site.url('/news/b')}: title: the page has none",
    ]
    assert (await watched.look()).rejected == []


async def test_one_article_under_two_addresses_is_shown_once(site: Site, fetcher: Fetcher) -> None:
    head = f'<link rel="canonical" href="{site.url("/news/a")}">'
    site.has("/news/a", article("A", head))
    site.has("/news/1", article("A", head))
    site.has("/news/", listing("1", "a"))
    watched = Watched(site, fetcher)
    assert await watched.titles() == ["A"]
    assert await watched.titles() == []


async def test_a_listing_without_links_is_told_and_forgets_nothing(site: Site, fetcher: Fetcher) -> None:
    site.has("/news/", "<html><body>Обслуговування</body></html>")
    with pytest.raises(SourceError, match=r"^source site: http://127\.0\.0\.1:\d+/news/: no link matches the selector"):
        await Watched(site, fetcher).look()
    site.has("/news/", "")
    with pytest.raises(SourceError, match=r"^source site: .*: the page is empty$"):
        await Watched(site, fetcher).look()


async def test_an_unreachable_listing_is_told_with_its_name(site: Site, fetcher: Fetcher) -> None:
    with pytest.raises(SourceError, match=r"^source site: http://.*/news/: answered 404"):
        await Watched(site, fetcher).look()


def test_a_selector_that_is_none_is_a_setting_to_mend(fetcher: Fetcher) -> None:
    with pytest.raises(SettingsError, match=r"^source site: links: 'a\[' is not a CSS selector"):
        Page("site", "https://news.example/", "a[", fetcher, zone=KYIV)


async def test_a_page_is_opened_with_its_charset_and_final_address(site: Site, fetcher: Fetcher) -> None:
    site.redirects("/old", "/new")
    site.has("/new", article("Міст відкрито").encode("windows-1251"), "text/html; charset=windows-1251")
    opened = await open_page(fetcher, site.url("/old"), zone=KYIV, rubric="Місто")
    assert (opened.title, opened.url, opened.rubric) == ("Міст відкрито", site.url("/new"), "Місто")
    with pytest.raises(FetchError):
        await open_page(fetcher, site.url("/none"), zone=KYIV)
