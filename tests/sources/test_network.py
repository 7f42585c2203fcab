"""What is fetched from addresses others chose cannot reach inside, hang, or fill the memory."""

from __future__ import annotations

import gzip
import time
import zlib
from base64 import b64encode
from ipaddress import ip_address, ip_network

import pytest
from aiohttp import web

from bot.errors import FetchError
from bot.network import Fetcher, is_allowed, shown
from tests.sources.site import Site

LIMIT = 100_000


async def test_a_page_comes_with_its_type_charset_and_validators(site: Site, fetcher: Fetcher) -> None:
    site.has("/a", "так", "text/html; charset=utf-8", ETag='"1"', Last_Modified="Wed, 31 Jan 2024 17:00:00 GMT")
    got = await fetcher.get(site.url("/a"), limit_bytes=LIMIT)
    assert (got.status, got.content_type, got.charset) == (200, "text/html", "utf-8")
    assert (got.body.decode(), got.etag, got.last_modified) == ("так", '"1"', "Wed, 31 Jan 2024 17:00:00 GMT")
    assert got.url == site.url("/a")
    assert site.asked[0].headers["User-Agent"].startswith("Vistnyk/")


async def test_what_has_not_changed_is_not_sent_again(site: Site, fetcher: Fetcher) -> None:
    async def answer(request: web.Request) -> web.StreamResponse:
        same = request.headers.get("If-None-Match") == '"1"' and "If-Modified-Since" in request.headers
        return web.Response(status=304 if same else 200)

    site.does("/a", answer)
    got = await fetcher.get(
        site.url("/a"), limit_bytes=LIMIT, etag='"1"', last_modified="Wed, 31 Jan 2024 17:00:00 GMT"
    )
    assert (got.status, got.body) == (304, b"")


@pytest.mark.parametrize(
    "host",
    [
        "127.0.0.1",
        "localhost",
        "[::1]",
        "[::ffff:127.0.0.1]",
        "[::ffff:7f00:1]",
        "[64:ff9b::7f00:1]",
        "2130706433",
        "0x7f000001",
        "0177.0.0.1",
        "127.1",
        "0.0.0.0",  # noqa: S104 - an address to be refused
        "[::]",
        "10.0.0.1",
        "172.16.0.1",
        "192.168.1.1",
        "169.254.169.254",
        "100.100.100.200",
        "168.63.129.16",
        "[fe80::1]",
        "[fd00:ec2::254]",
        "224.0.0.1",
        "255.255.255.255",
        "[2002:7f00:1::]",
        "[2001:0:7f00:1::]",
        "198.18.0.1",
    ],
)
async def test_no_spelling_of_a_private_address_is_connected_to(host: str, site: Site, guarded: Fetcher) -> None:
    site.has("/", "inside")
    with pytest.raises(FetchError, match=r"not a public address|cannot be resolved|not a valid address"):
        await guarded.get(f"http://{host}:{site.port}/", limit_bytes=LIMIT)
    assert site.asked == []


async def test_the_address_that_counts_is_the_one_connected_to_not_the_name(site: Site, fetcher: Fetcher) -> None:
    # the same name that is refused without the setting is reached with it: nothing looks at the name
    site.has("/", "inside")
    assert (await fetcher.get(site.url("/", "localhost"), limit_bytes=LIMIT)).body == b"inside"


async def test_an_allowed_network_opens_nothing_beside_itself(site: Site) -> None:
    async with Fetcher((ip_network("10.0.0.0/8"),), timeout=5) as other:
        with pytest.raises(FetchError, match=r"127\.0\.0\.1 is not a public address"):
            await other.get(site.url(), limit_bytes=LIMIT)


async def test_a_redirect_to_a_private_address_is_not_followed(site: Site, fetcher: Fetcher) -> None:
    site.redirects("/a", f"http://[::1]:{site.port}/secret")
    with pytest.raises(FetchError, match="::1 is not a public address"):
        await fetcher.get(site.url("/a"), limit_bytes=LIMIT)
    assert site.paths() == ["/a"]


@pytest.mark.parametrize("target", ["file:///etc/passwd", "ftp://example.org/", "gopher://127.0.0.1/", "data:,x"])
async def test_a_redirect_leads_nowhere_but_to_http(target: str, site: Site, fetcher: Fetcher) -> None:
    site.redirects("/a", target)
    with pytest.raises(FetchError, match=r"only http and https|not a valid address"):
        await fetcher.get(site.url("/a"), limit_bytes=LIMIT)


@pytest.mark.parametrize("address", ["file:///etc/passwd", "ftp://example.org/", "javascript:1", "", "http://", "//x"])
async def test_only_http_is_spoken(address: str, guarded: Fetcher) -> None:
    with pytest.raises(FetchError):
        await guarded.get(address, limit_bytes=LIMIT)


async def test_three_redirects_are_followed_and_a_fourth_is_not(site: Site, fetcher: Fetcher) -> None:
    site.has("/end", "there")
    for number, target in ((1, "/end"), (2, "/1"), (3, "/2"), (4, "/3")):
        site.redirects(f"/{number}", target, 301 if number % 2 else 308)
    got = await fetcher.get(site.url("/3"), limit_bytes=LIMIT)
    assert (got.body, got.url) == (b"there", site.url("/end"))
    with pytest.raises(FetchError, match="redirected more than 3 times"):
        await fetcher.get(site.url("/4"), limit_bytes=LIMIT)


async def test_a_body_over_the_limit_is_refused_before_it_is_read(site: Site, fetcher: Fetcher) -> None:
    site.has("/big", b"x" * (LIMIT + 1))
    site.has("/fits", b"x" * LIMIT)
    with pytest.raises(FetchError, match="larger than 100,000 bytes"):
        await fetcher.get(site.url("/big"), limit_bytes=LIMIT)
    assert len((await fetcher.get(site.url("/fits"), limit_bytes=LIMIT)).body) == LIMIT


async def test_an_endless_body_of_unstated_length_is_cut_off(site: Site, fetcher: Fetcher) -> None:
    sent = 0

    async def endless(request: web.Request) -> web.StreamResponse:
        nonlocal sent
        response = web.StreamResponse()
        await response.prepare(request)
        while True:
            await response.write(b"x" * 10_000)
            sent += 10_000

    site.does("/", endless)
    with pytest.raises(FetchError, match="larger than 100,000 bytes"):
        await fetcher.get(site.url(), limit_bytes=LIMIT)
    assert sent < 50_000_000


@pytest.mark.parametrize("coding", ["gzip", "deflate"])
async def test_a_bomb_is_stopped_by_what_comes_out_of_it(coding: str, site: Site, fetcher: Fetcher) -> None:
    bomb = gzip.compress(bytes(20_000_000)) if coding == "gzip" else zlib.compress(bytes(20_000_000))
    assert len(bomb) < LIMIT
    site.has("/", bomb, Content_Encoding=coding)
    with pytest.raises(FetchError, match="larger than 100,000 bytes"):
        await fetcher.get(site.url(), limit_bytes=LIMIT)


async def test_compressed_answers_are_read_in_every_form_servers_send(site: Site, fetcher: Fetcher) -> None:
    text = "новини ".encode() * 900
    raw = zlib.compressobj(wbits=-zlib.MAX_WBITS)
    site.has("/gzip", gzip.compress(text), Content_Encoding="gzip")
    site.has("/zlib", zlib.compress(text), Content_Encoding="deflate")
    site.has("/raw", raw.compress(text) + raw.flush(), Content_Encoding="deflate")
    for path in ("/gzip", "/zlib", "/raw"):
        assert (await fetcher.get(site.url(path), limit_bytes=LIMIT)).body == text


async def test_broken_and_torn_compression_is_told_in_one_line(site: Site, fetcher: Fetcher) -> None:
    site.has("/broken", b"no gzip at all", Content_Encoding="gzip")
    site.has("/torn", gzip.compress(bytes(range(256)) * 50)[:-40], Content_Encoding="gzip")
    site.has("/other", b"x", Content_Encoding="br")
    for path, why in (("/broken", "is broken"), ("/torn", "breaks off"), ("/other", "was not asked for: br")):
        with pytest.raises(FetchError, match=why):
            await fetcher.get(site.url(path), limit_bytes=LIMIT)


async def test_a_slow_body_ends_with_the_time_out_of_the_whole_fetch(site: Site, fetcher: Fetcher) -> None:
    site.is_slow("/slow")
    began = time.monotonic()
    with pytest.raises(FetchError, match=r"no full answer within 0\.2 s"):
        await fetcher.get(site.url("/slow"), limit_bytes=LIMIT, timeout=0.2)
    assert time.monotonic() - began < 2


async def test_refusals_name_the_status_and_no_secret(site: Site, fetcher: Fetcher) -> None:
    address = f"http://editor:hunter2@127.0.0.1:{site.port}/none?access_token=abc&page=2"
    with pytest.raises(FetchError) as caught:
        await fetcher.get(address, limit_bytes=LIMIT)
    assert str(caught.value) == f"http://127.0.0.1:{site.port}/none?access_token=…&page=2: answered 404 (Not Found)"
    assert site.asked[0].headers["Authorization"] == "Basic " + b64encode(b"editor:hunter2").decode()


async def test_credentials_do_not_travel_to_another_host(site: Site, fetcher: Fetcher) -> None:
    async with Site() as other:
        other.has("/", "there")
        site.redirects("/", other.url("/"))
        got = await fetcher.get(f"http://editor:hunter2@127.0.0.1:{site.port}/", limit_bytes=LIMIT)
        assert got.body == b"there"
        assert "Authorization" not in other.asked[0].headers


async def test_proxies_of_the_environment_are_not_used(
    site: Site, fetcher: Fetcher, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:1")
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:1")
    site.has("/", "direct")
    assert (await fetcher.get(site.url(), limit_bytes=LIMIT)).body == b"direct"


async def test_cookies_are_not_kept(site: Site, fetcher: Fetcher) -> None:
    site.has("/", "x", Set_Cookie="a=1; Path=/")
    await fetcher.get(site.url(), limit_bytes=LIMIT)
    await fetcher.get(site.url(), limit_bytes=LIMIT)
    assert "Cookie" not in site.asked[1].headers


async def test_no_connection_is_told_in_one_line(fetcher: Fetcher) -> None:
    async with Site() as gone:
        url = gone.url("/")
    with pytest.raises(FetchError, match=r"^http://127\.0\.0\.1:\d+/: no connection \([^\n]+\)$"):
        await fetcher.get(url, limit_bytes=LIMIT)


async def test_alive_is_the_status_a_reader_would_get(site: Site, fetcher: Fetcher) -> None:
    site.has("/there", "x" * 5_000_000)
    site.redirects("/moved", "/there", 301)
    site.redirects("/away", "/none", 302)
    found = [await fetcher.alive(site.url(path)) for path in ("/there", "/moved", "/away", "/none")]
    assert found == [200, 200, 404, 404]


async def test_alive_is_guarded_too(site: Site, guarded: Fetcher) -> None:
    with pytest.raises(FetchError, match="not a public address"):
        await guarded.alive(site.url())


async def test_nothing_is_fetched_before_the_fetcher_is_open() -> None:
    with pytest.raises(RuntimeError, match="async with"):
        await Fetcher().get("http://127.0.0.1/", limit_bytes=1)


@pytest.mark.parametrize(
    ("address", "fit"),
    [
        ("https://u:p@x.ua/a?api_key=1&id=2#f", "https://x.ua/a?api_key=…&id=2"),
        ("http://[broken", "(an address that cannot be read)"),
        ("https://x.ua/a\nb\x1b[31m", "https://x.ua/ab�[31m"),
    ],
)
def test_an_address_is_shown_without_what_must_not_be_seen(address: str, fit: str) -> None:
    assert shown(address) == fit


@pytest.mark.parametrize("address", ["8.8.8.8", "2a00:1450:4001::1", "::ffff:8.8.8.8", "64:ff9b::808:808", "193.0.0.1"])
def test_public_addresses_may_be_connected_to(address: str) -> None:
    assert is_allowed(ip_address(address))
