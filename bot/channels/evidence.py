"""How a post that was read back is told to be ours. Pure; every doubt is "no evidence"."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Sequence
from datetime import timedelta
from urllib.parse import parse_qs, urlsplit

from yarl import URL

from bot.domain.ledger import Attempt, Evidence, Presence, PublicPost, Receipt, is_unknown

SKEW = timedelta(minutes=2)  # how far a platform's clock is from ours where both are right
CLOCK = timedelta(days=1)  # how wrong ours may have been; a post so much younger than an attempt cannot be its
_ADDRESS = re.compile(r"https?://[^\s<>\"«»]+[^\s<>\"«».,:;!?)\]]")


def nothing(detail: str, *, for_good: bool = False) -> Evidence:
    """Return that nothing is known, and why; `for_good`: and never will be."""
    return Evidence(presence=Presence.NO_EVIDENCE, detail=detail, for_good=for_good)


def known_before(attempt: Attempt) -> list[str]:
    """Return the ids of the posts known to be public before an attempt, newest first, its watermark among them."""
    neighbours = [post.remote_id for post in attempt.neighbours]
    mark = [] if attempt.watermark is None or attempt.watermark in neighbours else [attempt.watermark]
    return [remote_id for remote_id in (*mark, *neighbours) if not is_unknown(remote_id)]


def judge(attempt: Attempt, posts: Sequence[PublicPost], is_newer: Callable[[PublicPost], bool]) -> Evidence:
    """Say whether an attempt's post is among those a platform shows.

    Absence is only told where one of the posts known before the attempt is shown: without it the page may be an old
    copy. `shown` of the evidence are the posts that came before the attempt.

    Args:
        posts: what was read, in any order.
        is_newer: whether a post may have come after the attempt.
    """
    newer = [post for post in posts if is_newer(post)]
    linked = [post for post in newer if attempt.link is None or any(same(attempt.link, link) for link in post.links)]
    ours = fingerprint(attempt.plain)
    for post in linked:
        if fingerprint(post.plain) == ours:
            receipt = Receipt(
                remote_id=post.remote_id,
                permalink=post.permalink,
                more_ids=post.more_ids,
                published_at=post.published_at,
            )
            return Evidence(presence=Presence.PRESENT, receipt=receipt, detail="link and words are ours")
    if attempt.link is not None and linked:
        return nothing(f"post {linked[0].remote_id} has our link but other words")
    known = set(known_before(attempt))
    if not any(remote_id in known for post in posts for remote_id in ids_of(post)):
        return nothing("none of the posts before it is visible either")
    shown = tuple(post.remote_id for post in posts if not is_newer(post))
    detail = "not among the posts that came after it, one before it is visible"
    return Evidence(presence=Presence.ABSENT, detail=detail, shown=shown)


def ids_of(post: PublicPost) -> tuple[str, ...]:
    """Return all ids of a post: an album has several."""
    return (post.remote_id, *post.more_ids)


def among(attempt: Attempt, posts: Sequence[PublicPost]) -> Receipt | None:
    """Return the receipt of an attempt's post if it is among some posts of its time, None where it is not."""
    found = judge(attempt, posts, lambda _: True)
    return found.receipt if found.presence is Presence.PRESENT else None


def fingerprint(text: str) -> str:
    """Return a text as it reads, whatever a platform does to its spaces, line ends and emoji selectors."""
    plain = unicodedata.normalize("NFC", text.replace("\N{VARIATION SELECTOR-16}", ""))
    return " ".join(plain.split())


def same(one: str, other: str) -> bool:
    """Return whether two addresses are one, however they are escaped."""
    return _canonical(one) == _canonical(other)


def addresses(text: str) -> list[str]:
    """Return the addresses written out in a text."""
    return _ADDRESS.findall(text)


def unwrapped(url: str) -> str:
    """Return the address behind Facebook's redirect `l.facebook.com/l.php?u=…`, else the address itself."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return url
    if parts.path == "/l.php" and (parts.hostname or "").endswith("facebook.com"):
        return parse_qs(parts.query).get("u", [url])[0]
    return url


def _canonical(url: str) -> str:
    try:
        known = URL(url)
        return str(known.with_fragment(None)).rstrip("/")
    except ValueError:
        return url
