"""How a command is told from words, and in which order replies leave."""

from __future__ import annotations

import asyncio
from functools import partial

import pytest

from bot.desk.dispatch import _command
from bot.desk.voice import Replies
from bot.errors import RefusedError


@pytest.mark.parametrize(
    ("text", "command", "words"),
    [
        ("/start", "start", ""),
        ("/Start@Outlet_Bot  зараз ", "start@outlet_bot", "зараз"),
        ("/post\nПерший рядок\nдругий", "post", "Перший рядок\nдругий"),
        ("/post Міст\nвідкрили", "post", "Міст\nвідкрили"),
        ("Міст /start", "", "Міст /start"),
        ("", "", ""),
        ("/", "", ""),
    ],
)
def test_a_command_is_what_follows_the_slash(text: str, command: str, words: str) -> None:
    assert _command(text) == (command, words)


async def test_replies_in_one_chat_keep_their_order_and_other_chats_do_not_wait() -> None:
    said: list[str] = []
    first_may_go, other_was_said = asyncio.Event(), asyncio.Event()
    replies = Replies()

    async def first() -> None:
        await first_may_go.wait()
        said.append("перша")

    async def second() -> None:
        said.append("друга")

    async def elsewhere() -> None:
        said.append("інша")
        other_was_said.set()

    replies.put(1, first)
    replies.put(1, second)
    replies.put(2, elsewhere)
    await asyncio.wait_for(other_was_said.wait(), 5)
    assert said == ["інша"]
    first_may_go.set()
    await replies.close(within=5)
    assert said == ["інша", "перша", "друга"]


async def test_replies_that_pile_up_are_dropped_and_a_refused_one_stops_nothing() -> None:
    said: list[int] = []
    replies = Replies(most=3)

    async def say(number: int) -> None:
        if number == 0:
            raise RefusedError("no")
        said.append(number)

    for number in range(10):
        replies.put("chat", partial(say, number))
    await replies.close(within=5)
    assert said == [1, 2]
