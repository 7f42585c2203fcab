"""Addresses as they stand in a post: safe to print, with the channel's parameters, the rest untouched."""

from __future__ import annotations

from urllib.parse import parse_qsl, quote, urlencode, urlsplit

_KEPT = "!#$%&'()*+,/:;=?@[]~"  # what an address may hold beside letters, figures, "-", "_" and "."


def printable(address: str) -> str:
    """Return an address without a character that would end it in a text or an attribute: those are percent-encoded.

    Letters of other scripts stay as they are: readers see them, and platforms open them.
    """
    return "".join(
        letter if letter.isalnum() or letter in _KEPT or letter in "-_." else quote(letter, errors="replace")
        for letter in address
    )


def is_dead_end(address: str) -> bool:
    """Say whether the platforms make nothing of this address.

    Telegram keeps http and https addresses whose host holds a dot and whose port is one, and prints the words of an
    anchor to another one without its link (tdlib, `LinkManager`); Facebook refuses a post whose `link` has no such
    host (error 100, subcode 1500).
    """
    try:
        parts = urlsplit(address)
        return (
            parts.scheme.lower() not in ("http", "https")
            or "." not in (parts.hostname or "").strip(".")
            or parts.port == 0
        )
    except ValueError:
        return True


def with_parameters(address: str, parameters: tuple[tuple[str, str], ...]) -> str:
    """Return an address with parameters added after its own, before its fragment.

    A parameter the address already has is left as it is; so the outlet's own tagging wins. Nothing else of the
    address changes; one that cannot be read is returned as it is.
    """
    try:
        parts = urlsplit(address)
    except ValueError:
        return address
    present = {name for name, _ in parse_qsl(parts.query, keep_blank_values=True)}
    added = urlencode([(name, value) for name, value in parameters if name not in present])
    if not added:
        return address
    before, mark, fragment = address.partition("#")
    joint = "?" if "?" not in before else "" if before.endswith(("?", "&")) else "&"
    return f"{before}{joint}{added}{mark}{fragment}"
