"""/pause, /resume and /stop hold back what they should, for as long as they should, and only by those who may."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from bot.app import Service
from bot.desk import answers
from bot.domain.channel import ChannelId
from bot.domain.plan import FOREVER
from bot.store import channels
from bot.store.channels import ChannelRow
from tests.journeys.desk import (
    CHIEF,
    EDITOR,
    ELSEWHERE,
    STRANGER,
    VIEWER,
    a_story,
    buttons,
    forged,
    shown,
    working,
)
from tests.journeys.outlet import Outlet, publish
from tests.journeys.shell import told
from tests.journeys.talking import Chat


async def rows(service: Service) -> dict[str, ChannelRow]:
    async with service.house.database.read() as tx:
        return {row.name: row for row in await channels.everyone(tx)}


def number(service: Service, name: str) -> ChannelId:
    return next(one for one, channel in service.house.served.items() if channel.name == name)


async def test_a_paused_channel_publishes_nothing_until_it_is_let_go(either_desk: Outlet) -> None:
    desk = either_desk
    async with working(desk) as service:
        chat = Chat(desk, service)
        (answer,) = await chat.say("/pause telegram-main")
        assert answer.text == "⏸ telegram-main: на паузі без кінця. Правки й видалення йдуть далі."
        await publish(service, a_story(title="Міст відкрили"))
        assert desk.telegram == []
        assert len(desk.facebook) == 1
        assert "⏸ telegram-main: на паузі без кінця." in (await chat.say("/queue"))[-1].text
        await chat.press(answers.RESUME, card=answer)
        assert answer.text == "▶️ telegram-main: публікую далі."
        await service.worker.drain()
        assert len(desk.telegram) == 1
    acts = [(act["who"], act["action"], act["subject"]) for act in await told(desk, "audit")]
    assert acts == [("Петро (1002)", action, "channel telegram-main") for action in ("pause", "resume")]


@pytest.mark.parametrize(
    ("words", "lasts"),
    [
        ("telegram-main 30m", timedelta(minutes=30)),
        ("telegram-main 30 хв", timedelta(minutes=30)),
        ("TELEGRAM-MAIN на 2 години", timedelta(hours=2)),
        ("@outlet_main 2 год", timedelta(hours=2)),
        ("tele 1h30m", timedelta(minutes=90)),
    ],
)
async def test_a_pause_lasts_as_long_as_it_was_meant_to(desk: Outlet, words: str, lasts: timedelta) -> None:
    async with working(desk) as service:
        (answer,) = await Chat(desk, service).say(f"/pause {words}")
        assert answer.text.startswith("⏸ telegram-main: на паузі до:")
        until = (await rows(service))["telegram-main"].paused_until
        assert until is not None
        assert abs(until - datetime.now(UTC) - lasts) < timedelta(minutes=1)


async def test_without_a_name_the_channel_is_asked_for_by_buttons(desk: Outlet) -> None:
    async with working(desk) as service:
        chat = Chat(desk, service)
        (question,) = await chat.say("/pause до завтра 9:00")
        assert question.text == answers.PAUSE_WHICH
        assert buttons(question) == ["telegram-main", "facebook-main", "closed", "strict", "asks", "odd"]
        await chat.press("facebook-main", card=question)
        assert question.text.startswith("⏸ facebook-main: на паузі до: завтра о 09:00.")
        await chat.say("/pause closed")
        (question,) = await chat.say("/resume")
        assert question.text == answers.RESUME_WHICH
        assert buttons(question) == ["facebook-main", "closed"]
        await chat.press("closed", card=question)
        (answer,) = await chat.say("/resume")
        assert answer.text == "▶️ facebook-main: публікую далі."
        (answer,) = await chat.say("/resume")
        assert answer.text == answers.NOTHING_PAUSED
        # Who has one channel alone is not asked.
        (answer,) = await Chat(desk, service, ELSEWHERE).say("/pause 30m")
        assert answer.text.startswith("⏸ facebook-main: на паузі до:")
        assert {name for name, row in (await rows(service)).items() if row.paused_until} == {"facebook-main"}


async def test_of_two_who_pause_the_second_hears_of_the_first(desk: Outlet) -> None:
    async with working(desk) as service:
        await Chat(desk, service).say("/pause closed")
        (answer,) = await Chat(desk, service, CHIEF).say("/pause closed")
        assert answer.text == "Канал уже на паузі до цього часу. Останнє рішення — Петро: поставлено на паузу."
        await Chat(desk, service, CHIEF).say("/resume closed")
        (answer,) = await Chat(desk, service).say("/resume closed")
        assert answer.text == "Канал не на паузі. Останнє рішення — Олена: знято з паузи."


async def test_everything_is_stopped_at_once_and_goes_on_in_order(either_desk: Outlet) -> None:
    desk = either_desk
    async with working(desk) as service:
        chief = Chat(desk, service, CHIEF)
        (answer,) = await chief.say("/stop")
        assert answer.text == answers.STOPPED_ALL.replace("<b>", "").replace("</b>", "")
        first = a_story(title="Перша", published_at=datetime.now(UTC) - timedelta(minutes=5))
        old = a_story(title="Стара", published_at=datetime.now(UTC) - timedelta(hours=13))
        await publish(service, first, old, a_story(title="Друга"))
        assert desk.telegram == desk.facebook == []
        (again,) = await Chat(desk, service).say("/stop")
        assert again.text == "Усе вже зупинено. Останнє рішення — Олена: зупинено все."
        (page,) = await chief.say("/queue telegram-main")
        assert answers.ALL_STOPPED in page.text
        (done,) = await Chat(desk, service).say("/resume")
        assert done.text == answers.RESUMED_ALL
        await service.worker.drain()
        assert [post.text.split("\n")[0] for post in desk.telegram] == ["Перша", "Друга"]
        line = await chief.press(answers.RESUME, card=answer)
        assert line == "Зараз нічого не зупинено. Останнє рішення — Петро: усе пущено далі."
    acts = [(act["who"], act["action"]) for act in await told(desk, "audit")]
    assert acts == [("Олена (1001)", "stop all"), ("Петро (1002)", "resume all")]


async def test_who_has_not_all_channels_stops_not_everything(desk: Outlet) -> None:
    async with working(desk) as service:
        other = Chat(desk, service, ELSEWHERE)
        (answer,) = await other.say("/stop")
        assert answer.text == answers.NOT_ALL_YOURS
        await Chat(desk, service, CHIEF).say("/stop")
        (answer,) = await other.say("/resume")
        assert answer.text == answers.NOT_ALL_YOURS
        assert all(row.stopped_until == FOREVER for row in (await rows(service)).values())
        (answer,) = await Chat(desk, service, CHIEF).say("/stop telegram-main")
        assert answer.text == answers.STOP_TAKES_NOTHING


@pytest.mark.parametrize("person", [VIEWER, ELSEWHERE, STRANGER])
async def test_nobody_without_the_right_pauses_or_resumes_by_command_or_button(desk: Outlet, person: int) -> None:
    async with working(desk) as service:
        chat = Chat(desk, service)
        (card,) = await chat.say("/pause closed")
        before = await rows(service)
        other = Chat(desk, service, person)
        for words in ("/pause telegram-main", "/resume closed", "/stop"):
            await other.say(words)
        closed, main = number(service, "closed"), number(service, "telegram-main")
        for data in (f"pause:{main}:0", f"resume:{closed}", "resume-all", f"pause:{main}:99999999999", "pause:999:0"):
            await forged(desk, person, card, data)
        assert await rows(service) == before
        assert shown(desk, EDITOR)
    assert [act["action"] for act in await told(desk, "audit")] == ["pause"]
