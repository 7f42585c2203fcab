"""The guarded way to everything that is fetched from addresses we did not choose: feeds, pages, photos.

An address in a feed may name a machine inside our own network, a redirect may lead there, a name may resolve there,
an answer may be endless or a bomb. Checked is the address a socket is really about to connect to, at every step.
It keeps no cookies, runs no proxies, and knows nothing of articles.
"""

from __future__ import annotations

import asyncio
import errno
import re
import socket
import ssl
import zlib
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address
from types import TracebackType
from typing import Self
from urllib.parse import SplitResult, urljoin, urlsplit, urlunsplit

import aiohttp
from aiohttp.typedefs import LooseHeaders
from yarl import URL

from bot.errors import FetchError

Network = IPv4Network | IPv6Network

MAX_REDIRECTS = 3
_REDIRECTS = frozenset({301, 302, 303, 307, 308})
_CHUNK = 64 * 1024
_MAX_SHOWN = 200
_SECRET_NAME = re.compile(r"token|secret|key|pass|pwd|sig|auth|session|credential|code", re.IGNORECASE)
_NAT64 = IPv6Network("64:ff9b::/96")
# Special-purpose blocks that `is_global` of some Python versions lets through (IANA registries, RFC 6890, RFC 6598,
# RFC 8215, RFC 9637, RFC 4380, RFC 3056), and the metadata services that clouds keep on public-looking addresses.
_NEVER = (
    IPv4Network("0.0.0.0/8"),
    IPv4Network("100.64.0.0/10"),
    IPv4Network("168.63.129.16/32"),
    IPv4Network("192.0.0.0/24"),
    IPv4Network("192.88.99.0/24"),
    IPv4Network("198.18.0.0/15"),
    IPv4Network("224.0.0.0/3"),
    IPv6Network("::/96"),
    IPv6Network("64:ff9b:1::/48"),
    IPv6Network("100::/64"),
    IPv6Network("2001::/23"),
    IPv6Network("2002::/16"),
    IPv6Network("3fff::/20"),
    IPv6Network("5f00::/16"),
    IPv6Network("fec0::/10"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Fetched:
    """One answer.

    `url` is the final address after redirects, without userinfo. `status` is 200–299, or 304 where validators were
    sent. `content_type` is the bare type in lower case ("" where none was stated), `charset` its parameter or None.
    `body` is decompressed.
    """

    url: str
    status: int
    content_type: str
    charset: str | None
    body: bytes
    etag: str | None
    last_modified: str | None


def is_allowed(address: IPv4Address | IPv6Address, allow_private: Sequence[Network] = ()) -> bool:
    """Return whether an address may be connected to: it is public, or inside a network the operator allowed."""
    plain = _unwrapped(address)
    if any(known.version == net.version and known in net for net in allow_private for known in (plain, address)):
        return True
    if not plain.is_global or plain.is_multicast:
        return False
    return not any(plain.version == net.version and plain in net for net in _NEVER)


def _unwrapped(address: IPv4Address | IPv6Address) -> IPv4Address | IPv6Address:
    """Return the IPv4 address that an IPv6 one stands for, where it does."""
    if isinstance(address, IPv6Address):
        if address.ipv4_mapped is not None:
            return address.ipv4_mapped
        if address in _NAT64:
            return IPv4Address(int(address) & 0xFFFF_FFFF)
    return address


def shown(url: str) -> str:
    """Return an address fit for an error text or a log: no userinfo, no secret-looking values, not too long."""
    try:
        parts = urlsplit(url)
        query = "&".join(_hidden(pair) for pair in parts.query.split("&")) if parts.query else ""
        safe = urlunsplit((parts.scheme, _netloc(parts), parts.path, query, ""))
    except ValueError:
        return "(an address that cannot be read)"
    safe = "".join(character if character.isprintable() else "\N{REPLACEMENT CHARACTER}" for character in safe)
    return safe if len(safe) <= _MAX_SHOWN else safe[: _MAX_SHOWN - 1] + "…"


def _hidden(pair: str) -> str:
    name, equals, value = pair.partition("=")
    return f"{name}=…" if equals and value and _SECRET_NAME.search(name) else pair


def _netloc(parts: SplitResult) -> str:
    return parts.netloc.rpartition("@")[2]


class Fetcher:
    """Fetches what others named, under guard. Use as an async context manager; one for the whole bot.

    Args:
        allow_private: networks that may be fetched from although they are not public.
        timeout: seconds for one fetch as a whole, redirects and body included.
    """

    def __init__(self, allow_private: tuple[Network, ...] = (), timeout: float = 20.0) -> None:
        self._allow_private = allow_private
        self._timeout = timeout
        self._session: aiohttp.ClientSession | None = None

    async def __aenter__(self) -> Self:
        self._session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(socket_factory=self._socket, limit=32, limit_per_host=4, ttl_dns_cache=60),
            cookie_jar=aiohttp.DummyCookieJar(),
            headers={"User-Agent": f"Vistnyk/{_version()}", "Accept-Encoding": "gzip, deflate"},
            timeout=aiohttp.ClientTimeout(total=None),  # one asyncio time-out covers all steps of a fetch
            auto_decompress=False,  # the cap has to count what comes out of the decompressor
            trust_env=False,
        )
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._session is not None:
            await self._session.close()
            self._session = None

    async def get(
        self,
        url: str,
        *,
        limit_bytes: int,
        accept: str = "*/*",
        etag: str | None = None,
        last_modified: str | None = None,
        timeout: float | None = None,  # noqa: ASYNC109 - of all steps together
    ) -> Fetched:
        """Fetch one address.

        Args:
            url: http or https; userinfo in it is sent as basic authorization to that host alone.
            limit_bytes: the largest body taken, counted after decompression.
            accept: value of the Accept header.
            etag: what the last answer named, to be told "not modified".
            last_modified: the same, of the Last-Modified header.
            timeout: seconds for everything together; None: that of the fetcher.

        Raises:
            FetchError: no answer of 2xx (or 304) could be had, or must not be; one line naming the address.
        """
        headers = {"Accept": accept}
        if etag:
            headers["If-None-Match"] = etag
        if last_modified:
            headers["If-Modified-Since"] = last_modified
        async with self._answer(url, headers, timeout) as answer:
            unchanged = answer.status == 304 and bool(etag or last_modified)
            if not (200 <= answer.status < 300 or unchanged):
                raise FetchError(f"{shown(url)}: answered {answer.status}{_reason(answer)}")
            body = b"" if unchanged else await _body(answer, limit_bytes, url)
            return Fetched(
                url=_bare(answer.url),
                status=answer.status,
                content_type=answer.content_type if "Content-Type" in answer.headers else "",
                charset=answer.charset,
                body=body,
                etag=answer.headers.get("ETag"),
                last_modified=answer.headers.get("Last-Modified"),
            )

    async def alive(self, url: str, *, timeout: float | None = None) -> int:  # noqa: ASYNC109 - as in `get`
        """Return the status a reader opening this address would get, after redirects; the body is not read.

        Raises:
            FetchError: there was no answer at all, or the address must not be opened.
        """
        async with self._answer(url, {"Accept": "text/html,*/*;q=0.8"}, timeout) as answer:
            return answer.status

    @asynccontextmanager
    async def _answer(
        self,
        url: str,
        headers: LooseHeaders,
        timeout: float | None,  # noqa: ASYNC109 - as in `get`
    ) -> AsyncIterator[aiohttp.ClientResponse]:
        """Open an address and what it redirects to; the time-out runs until the answer is left."""
        if self._session is None:
            raise RuntimeError("the fetcher is not open: use `async with`")
        seconds = self._timeout if timeout is None else timeout
        answer: aiohttp.ClientResponse | None = None
        try:
            async with asyncio.timeout(seconds):
                answer = await self._follow(self._session, url, headers)
                yield answer
        except TimeoutError as error:
            raise FetchError(f"{shown(url)}: no full answer within {seconds:g} s") from error
        except (aiohttp.ClientError, OSError, ValueError, zlib.error) as error:
            raise FetchError(f"{shown(url)}: {_cause(error)}") from error
        finally:
            if answer is not None:
                answer.close()  # not released: the rest of a body we refused must not be read into the pool

    async def _follow(self, session: aiohttp.ClientSession, url: str, headers: LooseHeaders) -> aiohttp.ClientResponse:
        here = url
        for _ in range(MAX_REDIRECTS + 1):
            answer = await session.get(_checked(here), headers=headers, allow_redirects=False)
            target = answer.headers.get("Location")
            if answer.status not in _REDIRECTS or not target:
                return answer
            answer.close()
            # urljoin carries userinfo over only where the redirect stays relative, that is on the same host
            here = urljoin(here, target)
        raise FetchError(f"{shown(url)}: redirected more than {MAX_REDIRECTS} times, last to {shown(here)}")

    def _socket(self, info: aiohttp.AddrInfoType) -> socket.socket:
        """Open the socket for an address, or refuse it: the last moment before connecting, names resolved."""
        family, kind, protocol, _, target = info
        try:
            address = ip_address(str(target[0]).partition("%")[0])
        except ValueError as error:
            raise OSError(errno.EACCES, "refused: not an internet address") from error
        if not is_allowed(address, self._allow_private):
            raise OSError(errno.EACCES, f"refused: {address} is not a public address")
        return socket.socket(family=family, type=kind, proto=protocol)


def _checked(url: str) -> URL:
    try:
        target = URL(url)
        host = target.host
    except ValueError as error:
        raise FetchError(f"{shown(url)}: not a valid address") from error
    if target.scheme not in ("http", "https"):
        raise FetchError(f"{shown(url)}: only http and https are fetched")
    if not host:
        raise FetchError(f"{shown(url)}: the address names no host")
    return target


def _bare(url: URL) -> str:
    return str(url.with_user(None).with_fragment(None))


async def _body(answer: aiohttp.ClientResponse, limit: int, url: str) -> bytes:
    """Read the body, decompressed, and stop at the first byte over the limit."""
    too_large = FetchError(f"{shown(url)}: larger than {limit:,} bytes")
    if answer.content_length is not None and answer.content_length > limit:
        raise too_large
    coding = answer.headers.get("Content-Encoding", "identity").strip().lower() or "identity"
    if coding not in ("identity", "gzip", "x-gzip", "deflate"):
        raise FetchError(f"{shown(url)}: sent in an encoding that was not asked for: {coding[:40]}")
    inflate = None if coding == "identity" else _Inflate(coding)
    body = bytearray()
    async for chunk in answer.content.iter_chunked(_CHUNK):
        body += chunk if inflate is None else inflate.some(chunk, limit + 1 - len(body))
        if len(body) > limit:
            raise too_large
    if inflate is not None and not inflate.complete:
        raise FetchError(f"{shown(url)}: the compressed answer breaks off")
    return bytes(body)


class _Inflate:
    """Decompresses gzip and deflate (both ways servers write it), never more than asked for."""

    def __init__(self, coding: str) -> None:
        self._zlib = zlib.decompressobj(zlib.MAX_WBITS | 16 if coding.endswith("gzip") else zlib.MAX_WBITS)
        self._may_be_raw = coding == "deflate"
        self._fed = False

    def some(self, chunk: bytes, at_most: int) -> bytes:
        """Return what the chunk holds, cut at `at_most` (≥ 1) bytes."""
        self._fed = True
        try:
            out = self._zlib.decompress(chunk, at_most)
        except zlib.error:
            if not self._may_be_raw:
                raise
            self._zlib = zlib.decompressobj(-zlib.MAX_WBITS)
            out = self._zlib.decompress(chunk, at_most)
        self._may_be_raw = False
        return out

    @property
    def complete(self) -> bool:
        return self._zlib.eof or not self._fed


def _reason(answer: aiohttp.ClientResponse) -> str:
    reason = "".join(filter(str.isprintable, answer.reason or ""))[:60]
    return f" ({reason})" if reason else ""


def _cause(error: Exception) -> str:
    """Say in a few words what kept us from the answer; library texts may hold addresses with secrets."""
    text = str(error)
    if "is not a public address" in text:
        found = re.search(r"refused: (\S+) is not a public address", text)
        return f"{found[1] if found else 'its host'} is not a public address and not in network.allow_private"
    if isinstance(error, aiohttp.ClientConnectorCertificateError | ssl.SSLCertVerificationError):
        return "its certificate is not valid"
    if isinstance(error, aiohttp.ClientConnectorDNSError):
        return "its host name cannot be resolved"
    if isinstance(error, aiohttp.ClientSSLError):
        return "no TLS connection could be made"
    if isinstance(error, aiohttp.ClientConnectorError):
        return f"no connection ({error.strerror or 'refused'})"
    if isinstance(error, zlib.error):
        return "the compressed answer is broken"
    if isinstance(error, aiohttp.InvalidURL | ValueError):
        return "not a valid address"
    if isinstance(error, aiohttp.ClientPayloadError | aiohttp.ServerDisconnectedError | ConnectionError):
        return "the connection broke off"
    return f"no readable answer ({type(error).__name__})"


def _version() -> str:
    try:
        return version("vistnyk")
    except PackageNotFoundError:  # run from a source tree that is not installed
        return "0"
