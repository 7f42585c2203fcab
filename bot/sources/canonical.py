"""The one written form of an article's address, by which every room knows it.

Two spellings of one address are one article; two articles never share a form. Nothing is fetched here.
"""

from __future__ import annotations

import hashlib
import re
from urllib.parse import quote, unquote, urljoin, urlsplit

import idna

from bot.errors import SourceError

MAX_ADDRESS = 4096
_PORTS = {"http": 80, "https": 443}
_URN = re.compile(r"urn:sha256:[0-9a-f]{64}")
_ESCAPE = re.compile(r"%([0-9a-fA-F]{2})")
_LONE_PERCENT = re.compile(r"%(?![0-9a-fA-F]{2})")
_HOST = re.compile(r"[a-z0-9_]([a-z0-9_-]*[a-z0-9_])?(\.[a-z0-9_]([a-z0-9_-]*[a-z0-9_])?)*")
_IN_PATH = "%/:@!$&'()*+,;=~"
_IN_QUERY = _IN_PATH + "?[]|"
# What social networks, search engines and mailers hang on an address; it says who clicked, not what is read.
_TRACKING_PREFIXES = ("utm_", "mtm_", "pk_", "matomo_", "piwik_", "hsa_", "fb_", "__hs", "gad_")
_TRACKING_NAMES = (
    "fbclid gclid gclsrc dclid gbraid wbraid yclid ysclid ymclid msclkid twclid ttclid igshid igsh li_fat_id"
    " mc_cid mc_eid mkt_tok _ga _gl _gac _hsenc _hsmi _openstat oly_anon_id oly_enc_id vero_id vero_conv wickedid"
    " srsltid epik rb_clickid s_cid sc_campaign tblci rdt_cid"
)
_TRACKING = frozenset(_TRACKING_NAMES.split())


def canonical(address: str) -> str:
    """Return the canonical form of an http(s) address, or of a `urn:sha256:…` as it is.

    Scheme and host in lower case, IDN as punycode, no userinfo, no default port, no tracking parameters, no fragment;
    path and query percent-encoded alike, the order of what remains kept, a trailing slash kept. Idempotent.

    Raises:
        SourceError: not such an address; the text says what is wrong, without naming a field.
    """
    spelled = address.strip()
    if _URN.fullmatch(spelled.lower()):
        return spelled.lower()
    try:
        parts = urlsplit(spelled)
        scheme, host, port = parts.scheme.lower(), parts.hostname or "", parts.port
    except ValueError as error:
        raise SourceError(f"not a valid address: {_short(spelled)}") from error
    if scheme not in _PORTS or not host:
        raise SourceError(f"not an http or https address: {_short(spelled)}")
    if any(ord(character) < 32 or 0xD800 <= ord(character) <= 0xDFFF for character in spelled):
        raise SourceError(f"an address holds a control character: {_short(spelled)}")
    where = _host(host, spelled) + ("" if port in (None, _PORTS[scheme]) else f":{port}")
    kept = "&".join(pair for pair in parts.query.split("&") if pair and not _is_tracking(pair))
    result = f"{scheme}://{where}{_encoded(parts.path, _IN_PATH) or '/'}"
    if kept:
        result += f"?{_encoded(kept, _IN_QUERY)}"
    if len(result) > MAX_ADDRESS:
        raise SourceError(f"an address is longer than {MAX_ADDRESS} characters: {_short(spelled)}")
    return result


def absolute(address: object, base: str) -> str:
    """Return the canonical form of an address that may be relative to `base`, "" where it is none at all."""
    if not isinstance(address, str) or not address.strip():
        return ""
    try:
        return canonical(urljoin(base, address.strip()))
    except (SourceError, ValueError):
        return ""


def name_for(title: str, lead: str = "", body: str = "") -> str:
    """Return the name an article without an address is kept under, `urn:sha256:…` of its words.

    The same words are the same article, whatever file brings them; changed words are another one.
    """
    return "urn:sha256:" + hashlib.sha256("\x1f".join((title, lead, body)).encode()).hexdigest()


def _host(host: str, spelled: str) -> str:
    host = host.rstrip(".")
    if ":" in host:
        return f"[{host.lower()}]"
    if not host.isascii():
        try:
            host = idna.encode(host, uts46=True).decode()
        except idna.IDNAError as error:
            raise SourceError(f"an address names an impossible host: {_short(spelled)}") from error
    host = host.lower()
    if not _HOST.fullmatch(host):
        raise SourceError(f"an address names an impossible host: {_short(spelled)}")
    return host


def _is_tracking(pair: str) -> bool:
    name = unquote(pair.partition("=")[0]).lower()
    return name in _TRACKING or name.startswith(_TRACKING_PREFIXES)


def _encoded(part: str, safe: str) -> str:
    whole = _LONE_PERCENT.sub("%25", part)
    return _ESCAPE.sub(lambda found: "%" + found[1].upper(), quote(whole, safe=safe))


def _short(address: str) -> str:
    # what stands before "@" may be a password; it is shown nowhere
    return repr(re.sub(r"//[^/?#]*@", "//", address)[:120])
