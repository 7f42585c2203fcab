"""Whatever is said to a command, it answers one helpful line and changes nothing; so for every command there is."""

from __future__ import annotations

from typing import Any

import pytest

from bot.app import Service
from bot.desk.commands import TABLE
from bot.domain.editor import Role
from tests.journeys.desk import CHIEF, ELSEWHERE, STRANGER, VIEWER, a_story, shown, working
from tests.journeys.outlet import Outlet, ledger, queue
from tests.journeys.talking import Chat

HARMLESS = {"start", "help"}  # answer whatever is said to them
TAKES_ANYTHING = {"post"}  # any words are a post of one's own: nothing goes out before it is agreed to
HUGE = "х" * 4000
HOSTILE = (
    '<b>жирно</b> <a href="javascript:alert(1)">& "тут"</a> <script>alert(1)</script> {0} %s \\ `x` ${y} 🇺🇦\u202e\u0000'
)
BAD = {
    "unknown channel": "nowhere-at-all",
    "foreign address": "https://elsewhere.example/never-seen",
    "no such number": "№999999999",
    "huge": HUGE,
    "hostile": HOSTILE,
    "a number beyond all": "9" * 400,
}


async def kept(service: Service) -> Any:
    """Return all that a command might change, but for what it remembers of a conversation."""
    async with service.house.database.read() as tx:
        counts = []
        for table in ("articles", "deliveries", "ledger", "decisions", "audit", "editors", "passes", "pictures"):
            counts.append((await tx.exec_driver_sql(f"SELECT count(*) FROM {table}")).scalar_one())
        paused = (await tx.exec_driver_sql("SELECT name, paused_until FROM channels ORDER BY name")).all()
        people = (await tx.exec_driver_sql("SELECT telegram_id, role FROM editors ORDER BY 1")).all()
    return (
        counts,
        [tuple(row) for row in paused],
        [tuple(row) for row in people],
        await queue(service),
        await ledger(service),
    )


async def test_every_command_of_the_table_is_served(desk: Outlet) -> None:
    async with working(desk) as service:
        assert [command.name for command in service.desk.dispatcher.commands] == [command.name for command in TABLE]


@pytest.mark.parametrize("what", BAD)
async def test_wrong_words_change_nothing_and_are_answered_by_one_line(desk: Outlet, what: str) -> None:
    async with working(desk) as service:
        await service.house.intake.accept([a_story()], "push")
        chat = Chat(desk, service, CHIEF)
        before = await kept(service)
        for command in TABLE:
            if command.name in HARMLESS | TAKES_ANYTHING:
                continue
            said = await chat.say(f"/{command.name} {BAD[what]}"[:4096])
            assert len(said) == 1, (command.name, what, [post.text for post in said])
            assert said[0].text
            assert len(said[0].text) < 1500, (command.name, what, said[0].text)
            assert "<b>" not in said[0].html.replace("<b>", "", said[0].html.count("</b>")), "markup of others is text"
            assert "\u202e" not in said[0].text or command.name in {"digest"}
            if command.name not in {"stop", "today", "calendar", "channels"}:
                assert await kept(service) == before, (command.name, what)


async def test_nothing_after_a_command_is_a_question_or_an_answer_but_never_a_step(desk: Outlet) -> None:
    async with working(desk) as service:
        await service.house.intake.accept([a_story()], "push")
        chat = Chat(desk, service, CHIEF)
        before = await kept(service)
        for command in TABLE:
            if command.name in ("stop", "start"):
                continue
            said = await chat.say(f"/{command.name}")
            assert 1 <= len(said) <= 2, (command.name, [post.text for post in said])
            assert await kept(service) == before, command.name


@pytest.mark.parametrize("person", [VIEWER, STRANGER])
async def test_a_command_above_ones_role_does_nothing_and_says_so_in_a_line(desk: Outlet, person: int) -> None:
    async with working(desk) as service:
        await service.house.intake.accept([a_story()], "push")
        before = await kept(service)
        chat = Chat(desk, service, person)
        for command in TABLE:
            if command.role is Role.VIEWER and person == VIEWER:
                continue
            said = await chat.say(f"/{command.name}")
            if person == STRANGER:
                assert len(shown(desk, STRANGER)) <= 1
            else:
                assert said[-1].text.startswith("Це можуть лише"), command.name
            assert await kept(service) == before


async def test_another_editors_channel_is_neither_shown_nor_touched(desk: Outlet) -> None:
    async with working(desk) as service:
        await service.house.intake.accept([a_story()], "push")
        before = await kept(service)
        chat = Chat(desk, service, ELSEWHERE)
        for name in ("queue", "history", "stats", "channels", "today", "pause", "resume"):
            (answer,) = await chat.say(f"/{name} telegram-main")
            assert answer.text == "Канал telegram-main веде інший редактор.", name
        assert await kept(service) == before
