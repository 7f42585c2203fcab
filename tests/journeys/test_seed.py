"""The printed page that lies beside the repository, from its file to both channels. None of its words stand here."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.journeys.outlet import Outlet
from tests.journeys.shell import told, vistnyk

URL = "https://news.example/china"
FLAGS = ("--url", URL, "--published-at", "2024-01-31T19:00:00+02:00")
_DAY = re.compile(r"[0-3]\d\.[01]\d")
_CREDIT = re.compile(r"(?:Фото|Скрин|Колаж|Відео|Інфографік)")


@dataclass(frozen=True, slots=True, kw_only=True)
class Printed:
    """The page as a reader of the file tells it apart, by other means than the bot."""

    path: Path
    title: str
    lead: str
    page_call: str
    author: str
    teasers: list[list[str]]  # lines of each: rubric, credit or headline, text…, day


@pytest.fixture(scope="module")
def printed(seeds: Path) -> Printed:
    (path,) = [file for file in seeds.glob("*.txt") if "news.usni.org" in file.read_text("utf-8")]
    lines = [line.strip() for line in path.read_text("utf-8").splitlines() if line.strip()]
    ends = next(number for number, line in enumerate(lines) if line.startswith("Автор:"))
    teasers: list[list[str]] = [[]]
    for line in lines[ends + 1 :]:
        teasers[-1].append(line)
        if _DAY.fullmatch(line):
            teasers.append([])
    calls = [line for line in lines[:ends] if line.startswith("Підписуйтесь")]
    return Printed(
        path=path, title=lines[0], lead=lines[1], page_call=calls[0], author=lines[ends], teasers=teasers[:-1]
    )


def assert_it_reads_right(text: str, printed: Printed, call: str) -> None:
    assert text.startswith(printed.title)
    assert printed.lead in text
    assert text.count("Фото: news.usni.org") == text.count("usni.org") == 1
    assert text.count("Підписуйтесь") == text.count(call) == 1
    assert printed.page_call not in text
    assert printed.author not in text
    for _, _, *told_in_teaser, _ in printed.teasers:
        assert not any(line in text for line in told_in_teaser)


async def test_the_seed_previews_right_for_both_platforms(outlet: Outlet, printed: Printed) -> None:
    lines = await told(outlet, "preview", *FLAGS, str(printed.path))
    calls = {"telegram": "Підписуйтесь на наш Telegram", "facebook": "Підписуйтесь на нашу сторінку"}
    assert {line["platform"] for line in lines} == set(calls)
    for line in lines:
        call = calls[line["platform"]]
        assert_it_reads_right(line["plain"], printed, call)
        assert (line["credit"], line["credit_kind"], line["credit_source"]) == (
            "Фото: news.usni.org",
            "photo",
            "news.usni.org",
        )
        assert (line["link"], line["call_to_action"]) == (URL, call)
        assert line["length"] <= line["limit"]


async def test_the_seeds_teasers_are_told_apart_with_rubric_credit_and_day(outlet: Outlet, printed: Printed) -> None:
    line, _ = await told(outlet, "preview", *FLAGS, str(printed.path))
    assert len(line["teasers"]) == len(printed.teasers) == 28
    for teaser, (rubric, second, *text, day) in zip(line["teasers"], printed.teasers, strict=True):
        assert set(teaser) == {"rubric", "credit", "title", "text", "day"}
        assert (teaser["rubric"], teaser["day"]) == (rubric, day)
        assert (teaser["credit"] if _CREDIT.match(second) else teaser["title"]) == second
        assert (teaser["credit"] is None) != (teaser["title"] is None)
        assert all(part in teaser["text"] for part in text)


async def _ingested(outlet: Outlet, printed: Printed) -> list[dict[str, Any]]:
    said = await vistnyk(outlet, "ingest", *FLAGS, str(printed.path))
    assert (said.code, said.out) == (0, f"stored     {URL} (revision 1)\n")
    async with outlet.open() as service:
        await service.worker.drain()
    return await told(outlet, "ledger")


async def test_the_seed_goes_out_on_both_channels(outlet: Outlet, printed: Printed) -> None:
    outlet.write(schedule='fresh_for = "9999d"')
    lines = await _ingested(outlet, printed)
    assert {(line["state"], line["attempts"]) for line in lines} == {("published", 1)}
    (telegram,), (facebook,) = outlet.telegram, outlet.facebook
    assert_it_reads_right(telegram.text, printed, "наш Telegram")
    assert_it_reads_right(facebook.message, printed, "нашу сторінку")
    assert f'href="{URL}"' in telegram.html
    assert URL in facebook.message


async def test_with_the_usual_freshness_the_old_seed_expires_and_why_says_so(outlet: Outlet, printed: Printed) -> None:
    lines = await _ingested(outlet, printed)
    assert {line["state"] for line in lines} == {"expired"}
    assert outlet.telegram == outlet.facebook == []
    for channel in ("telegram-main", "facebook-main"):
        *_, last = await told(outlet, "why", URL, "--channel", channel)
        assert (last["decision"], last["channel"]) == ("expired", channel)
        assert "12:00:00 (fresh_for)" in last["detail"]
