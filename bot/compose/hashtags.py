"""Rubrics and tags as hashtags, for templates that want them."""

from __future__ import annotations

import re
from collections.abc import Iterable


def hashtag(words: str) -> str:
    """Return words as one hashtag, «Судові історії» → "#СудовіІсторії"; "" where no letter is in them.

    Platforms end a hashtag at anything but letters, figures and "_", and take none of figures alone.
    """
    parts = re.findall(r"\w+", re.sub(r"['’ʼ`\u0300-\u036f]", "", words))
    tag = "".join(part if len(parts) == 1 else part[:1].upper() + part[1:] for part in parts)
    return f"#{tag}" if re.search(r"[^\W\d_]", tag) else ""


def hashtags(names: Iterable[str]) -> str:
    """Return several names as hashtags with spaces between, each once whatever its case."""
    found: dict[str, str] = {}
    for tag in map(hashtag, names):
        found.setdefault(tag.casefold(), tag)
    return " ".join(filter(None, found.values()))
