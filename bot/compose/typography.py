"""Ukrainian quotation marks, dashes and apostrophes, for channels that ask for them (`typography = true`)."""

from __future__ import annotations

import re

_LETTER = "А-Яа-яІіЇїЄєҐґA-Za-z"


def set_in_type(text: str) -> str:
    """Return the text with «ялинки» (inner ones „лапки“), dashes between words, and the apostrophe ’.

    Idempotent. Hyphens inside words and minus signs before figures stay.
    """
    text = re.sub(rf"(?<=[{_LETTER}])['ʼ`](?=[{_LETTER}])", "’", text)
    text = re.sub(r"(?<=\S)[ \u00a0](?:-|–|--)[ ](?=\S)", "\u00a0— ", text)
    text = re.sub(r"\b((?:19|20)\d\d)-((?:19|20)\d\d)\b", "\\1–\\2", text)
    return _quotes(text)


def _quotes(text: str) -> str:
    """Set straight and English quotation marks by their depth; text with one that has no partner keeps its marks."""
    if text.count('"') % 2:
        return text
    result: list[str] = []
    depth = 0
    for at, mark in enumerate(text):
        before = text[at - 1] if at else " "
        if mark in "«»":
            depth += 1 if mark == "«" else -1
        elif mark in '"“”„':
            closes_low = mark == "“" and "„" in result
            opens = mark == "„" or (mark != "”" and not closes_low and (before.isspace() or before in "([«„—–-"))
            if opens:
                mark = "«" if depth <= 0 else "„"
                depth += 1
            else:
                depth -= 1
                mark = "»" if depth <= 0 else "“"
        result.append(mark)
    return "".join(result) if depth == 0 else text
