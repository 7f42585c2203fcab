"""Being too fast, and what it costs. Time moves by hand."""

from __future__ import annotations

import pytest

from bot.sandbox import Rate, Rates, Sandbox
from tests.sandbox.conftest import BOT_ID, CHANNEL, Asker, Clock


@pytest.fixture
def paced(sandbox: Sandbox) -> Sandbox:
    sandbox.telegram.rates = Rates()
    return sandbox


async def send(ask: Asker, chat: str | int = CHANNEL) -> int:
    """Send and return the wait that was asked for, 0 where it passed."""
    status, answer = await ask.bot("sendMessage", chat_id=chat, text="x")
    return int(answer["parameters"]["retry_after"]) if status == 429 else 0


async def test_a_chat_takes_one_a_second_after_its_burst(ask: Asker, paced: Sandbox, clock: Clock) -> None:
    assert [await send(ask) for _ in range(5)] == [0] * 5
    assert await send(ask) == 1
    clock.now += 1
    assert await send(ask) == 0
    assert len(paced.telegram.posts(CHANNEL)) == 6


async def test_one_busy_chat_does_not_delay_another(ask: Asker, paced: Sandbox) -> None:
    paced.telegram.add_channel("sport", -1009, "Спорт", [BOT_ID])
    assert [await send(ask) for _ in range(6)] == [0] * 5 + [1]
    assert await send(ask, -1009) == 0


async def test_calls_inside_a_ban_are_counted_and_prolong_it(ask: Asker, paced: Sandbox, clock: Clock) -> None:
    assert [await send(ask) for _ in range(6)] == [0] * 5 + [1]
    assert [await send(ask) for _ in range(3)] == [2, 3, 4]
    assert paced.telegram.calls_inside_ban == 3
    clock.now += 3.9
    assert await send(ask) > 0
    clock.now += 2
    assert await send(ask) == 0


async def test_waiting_as_long_as_was_asked_is_enough(ask: Asker, paced: Sandbox, clock: Clock) -> None:
    waits = []
    for _ in range(40):
        wait = await send(ask)
        waits.append(wait)
        clock.now += wait
    assert paced.telegram.calls_inside_ban == 0
    assert waits.count(0) >= 20


async def test_a_group_takes_twenty_at_once_and_then_twenty_a_minute(ask: Asker, paced: Sandbox, clock: Clock) -> None:
    paced.telegram.add_group(-77, "Редакція", [BOT_ID])
    paced.telegram.rates = Rates(chat=None)
    assert [await send(ask, -77) for _ in range(21)] == [0] * 20 + [3]
    clock.now += 3
    assert [await send(ask, -77) for _ in range(2)] == [0, 3]


async def test_a_bot_takes_thirty_a_second_over_all_its_chats(ask: Asker, paced: Sandbox) -> None:
    for number in range(31):
        paced.telegram.add_channel(f"kanal{number}", -2000 - number, "", [BOT_ID])
    waits = [await send(ask, f"@kanal{number}") for number in range(31)]
    assert waits == [0] * 30 + [1]


async def test_reading_and_limits_switched_off_are_never_throttled(ask: Asker, sandbox: Sandbox) -> None:
    assert [await send(ask) for _ in range(40)] == [0] * 40
    sandbox.telegram.rates = Rates(chat=Rate(1, 60))
    assert [(await ask.bot("getMe"))[0] for _ in range(5)] == [200] * 5
