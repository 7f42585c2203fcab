"""Whether two articles tell the same story; pure.

Careful rather than clever: two articles are one story only where nearly all words of the shorter one's text stand in
the other in the same runs, and no number differs in headline or lead. A missed twin is one post too many; a false twin
is a story that readers never get.
"""

from __future__ import annotations

import re
import zlib
from itertools import pairwise

from bot.domain.article import Article

_WORD = re.compile(r"\w+(?:['’ʼ]\w+)*")
_TAG = re.compile(r"<[^>]*>")
_RUN = 4  # words in a shingle
_FEWEST = 24  # shingles: shorter texts say too little
_MOST = 400
_ALIKE = 0.85
_SEEDS = (0x9E3779B1, 0x85EBCA6B, 0xC2B2AE35, 0x27D4EB2F)


def traces(article: Article) -> list[int]:
    """Return a few minimal hashes: articles that tell the same story almost surely share one of them."""
    runs = _runs(article)
    if len(runs) < _FEWEST:
        return []
    return [min((run * seed) & 0xFFFFFFFF for run in runs) ^ place << 32 for place, seed in enumerate(_SEEDS)]


def same_story(one: Article, other: Article) -> bool:
    """Say whether two articles tell the same story."""
    ours, theirs = _runs(one), _runs(other)
    if min(len(ours), len(theirs)) < _FEWEST:
        return False
    if _numbers(one) != _numbers(other):
        return False
    return len(ours & theirs) / min(len(ours), len(theirs)) >= _ALIKE


def _runs(article: Article) -> set[int]:
    words = _WORD.findall(_TAG.sub(" ", f"{article.lead} {article.body}").casefold())[: _MOST + _RUN]
    pairs = [zlib.crc32(f"{first} {second}".encode()) for first, second in pairwise(words)]
    return {
        (pairs[place] * 31 + pairs[place + _RUN - 2]) & 0xFFFFFFFF for place in range(max(0, len(pairs) - _RUN + 2))
    }


def _numbers(article: Article) -> set[str]:
    words = _WORD.findall(f"{article.title} {_TAG.sub(' ', article.lead)}".casefold())
    return {word for word in words if any(sign.isdigit() for sign in word)}
