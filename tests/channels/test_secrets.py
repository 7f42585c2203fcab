"""No token leaves in a text: not in an error, a chain of errors, a repr, or a log."""

from __future__ import annotations

import asyncio
import logging
import traceback

import pytest
from telegram import Bot
from telegram.error import TelegramError

from bot.channels.telegram_bot import TelegramBot
from bot.errors import BotError
from bot.sandbox import mishaps
from bot.sandbox.mishaps import Mishap
from tests.channels.platforms import TIMEOUT, TOKEN, Stage, a_photo
from tests.channels.rough_server import RoughServer, Treat, answering, babbling

TROUBLE = [*mishaps.CONSTANTS.values(), mishaps.throttle(9), mishaps.refuse(400, "chat not found")]


def all_of(error: BaseException) -> str:
    """Return everything that an error and those behind it say, hidden ones included."""
    said, waiting = [], [error]
    while waiting:
        one = waiting.pop()
        said += [repr(one), str(one), *traceback.format_exception(one)]
        waiting += [other for other in (one.__cause__, one.__context__) if other is not None]
    return "\n".join(said)


@pytest.mark.parametrize("mishap", TROUBLE, ids=lambda mishap: mishap.name)
async def test_no_error_of_a_call_holds_a_secret(
    stage: Stage, mishap: Mishap, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    logging.getLogger("asyncio").setLevel(logging.INFO)
    entry = await stage.publish("Є")
    parcels = [await stage.parcel("Слова"), await stage.parcel("Слова", photo=True)]
    for deed in ("text", "photo", "edit text", "withdraw"):
        stage.meets(deed, mishap)
    calls = [
        stage.publisher.publish(parcels[0]),
        stage.publisher.publish(parcels[1]),
        stage.publisher.edit(entry, parcels[0]),
        stage.publisher.withdraw(entry),
    ]
    for error in await asyncio.gather(*calls, return_exceptions=True):
        assert isinstance(error, BotError)
        assert not any(secret in all_of(error) for secret in stage.secrets)
    said = caplog.text + repr(stage.publisher) + repr(vars(stage.publisher).values())
    assert not any(secret in said for secret in stage.secrets)


async def test_no_error_of_a_platform_that_is_down_or_raves_holds_a_secret(stage: Stage) -> None:
    await stage.sandbox.__aexit__(None, None, None)
    with pytest.raises(BotError) as down:
        await stage.publisher.publish(await stage.publisher.prepare(stage.post("Слова", photo=True), a_photo()))
    assert not any(secret in all_of(down.value) for secret in stage.secrets)
    for finding in await stage.publisher.check():
        assert not any(secret in finding.detail for secret in stage.secrets)
    await stage.sandbox.__aenter__()


@pytest.mark.parametrize(
    "answer",
    [
        babbling,
        answering(b"<html>", status="200 OK"),
        answering(b'{"ok": true, "result": {"unknown": 1}}'),
        answering(b'{"ok": true}'),
        answering(b"", status="302 Found\r\nLocation: http://[bad"),
        answering(b"", status="200 OK\r\nContent-Encoding: gzip"),
        answering(b"xx", status="200 OK\r\nTransfer-Encoding: chunked"),
    ],
)
async def test_an_answer_that_is_nonsense_is_unanswered_and_holds_no_secret(answer: Treat) -> None:
    async with RoughServer(answer) as server, TelegramBot(TOKEN, api_url=server.root, timeout=TIMEOUT) as bot:
        with pytest.raises(BotError) as error:
            await bot.ask(lambda library: library.send_message("@news", "Слова"))
    assert type(error.value).__name__ == "UnansweredError"
    assert TOKEN not in all_of(error.value)


async def test_a_bot_that_the_library_shows_or_initializes_keeps_its_token_to_itself(stage: Stage) -> None:
    wrong = "123456789:AAwrongwrongwrongwrongwrongwrongwrong"
    async with TelegramBot(wrong, api_url=stage.sandbox.url, timeout=TIMEOUT) as bot:
        assert wrong not in repr(bot) + repr(bot.library) + str(bot.library)
        with pytest.raises(TelegramError) as error:
            await bot.library.initialize()
    assert wrong not in all_of(error.value)
    assert wrong in repr(Bot(wrong))  # what the library does by itself
