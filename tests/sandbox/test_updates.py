"""How bots hear of people: polling, webhooks, conflicts, and what people can do."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest
from aiohttp import web
from telegram import (
    Bot,
    InlineKeyboardButton,
    InlineKeyboardMarkup,
    MessageOriginChannel,
    MessageOriginHiddenUser,
    MessageOriginUser,
)
from telegram.error import BadRequest, Conflict

from bot.sandbox import Sandbox
from tests.sandbox.conftest import BOT_ID, CHANNEL, TOKEN, Asker, picture


async def test_a_person_talks_and_the_bot_hears_until_it_confirms(bot: Bot, sandbox: Sandbox) -> None:
    sandbox.telegram.add_user(1001, "Олена")
    sandbox.telegram.say(1001, BOT_ID, "/start зараз")
    (update,) = await bot.get_updates()
    assert update.message is not None
    assert (update.message.text, update.message.chat.id) == ("/start зараз", 1001)
    assert update.message.entities[0].type == "bot_command"
    assert len(await bot.get_updates()) == 1
    assert await bot.get_updates(offset=update.update_id + 1) == ()


async def test_a_long_poll_ends_as_soon_as_something_comes(bot: Bot, sandbox: Sandbox) -> None:
    polling = asyncio.create_task(bot.get_updates(timeout=20))
    await asyncio.sleep(0.1)
    assert not polling.done()
    sandbox.telegram.say(1001, BOT_ID, "новина?")
    async with asyncio.timeout(2):
        assert len(await polling) == 1


async def test_the_second_poller_ends_the_first(bot: Bot, ask: Asker, sandbox: Sandbox) -> None:
    first = asyncio.create_task(bot.get_updates(timeout=20))
    await asyncio.sleep(0.1)
    second = asyncio.create_task(ask.bot("getUpdates", timeout=20))
    async with asyncio.timeout(5):
        with pytest.raises(Conflict, match="terminated by other getUpdates request"):
            await first
        sandbox.telegram.say(1001, BOT_ID, "x")
        assert len((await second)[1]["result"]) == 1


async def test_pressing_a_button_makes_a_query_that_is_answered_once(bot: Bot, sandbox: Sandbox) -> None:
    sandbox.telegram.add_user(1001, "Олена", started=[BOT_ID])
    keyboard = InlineKeyboardMarkup([[InlineKeyboardButton("Опублікувати", callback_data="go:7")]])
    await bot.send_message(1001, "Що робимо?", reply_markup=keyboard)
    (card,) = sandbox.telegram.posts(1001)
    sandbox.telegram.press(1001, card, "Опублікувати")
    (update,) = await bot.get_updates()
    assert update.callback_query is not None
    assert (update.callback_query.data, update.callback_query.from_user.id) == ("go:7", 1001)
    assert await bot.answer_callback_query(update.callback_query.id, "Готово")
    assert sandbox.telegram.answers[-1]["text"] == "Готово"
    with pytest.raises(BadRequest, match="Query is too old"):
        await bot.answer_callback_query(update.callback_query.id)
    with pytest.raises(KeyError, match="no button"):
        sandbox.telegram.press(1001, card, "Видалити")


async def test_a_bot_hears_of_hand_edits_but_not_of_its_own_posts(bot: Bot, sandbox: Sandbox) -> None:
    sent = await bot.send_message(CHANNEL, "Було")
    assert await bot.get_updates() == ()
    sandbox.telegram.edit_by_hand(CHANNEL, sent.message_id, "<b>Виправлено</b>")
    (update,) = await bot.get_updates()
    assert update.edited_channel_post is not None
    assert update.edited_channel_post.text == "Виправлено"


async def test_reactions_come_only_where_they_were_asked_for(bot: Bot, sandbox: Sandbox) -> None:
    sent = await bot.send_message(CHANNEL, "x")
    sandbox.telegram.react(CHANNEL, sent.message_id, {"👍": 3})
    assert await bot.get_updates() == ()
    await bot.get_updates(allowed_updates=["message", "message_reaction_count"])
    sandbox.telegram.react(CHANNEL, sent.message_id, {"👍": 4, "😢": 1})
    (update,) = await bot.get_updates()
    assert update.message_reaction_count is not None
    assert [one.total_count for one in update.message_reaction_count.reactions] == [4, 1]


async def test_a_channel_post_is_forwarded_to_its_linked_group_by_itself(bot: Bot, sandbox: Sandbox) -> None:
    sandbox.telegram.add_group(-1077, "Обговорення", [BOT_ID])
    sandbox.telegram.add_channel(None, -1078, "Закритий", [BOT_ID], linked_group=-1077)
    sent = await bot.send_message(-1078, "Міст відкрили")
    (update,) = await bot.get_updates()
    assert update.message is not None
    assert update.message.is_automatic_forward
    assert update.message.forward_origin is not None
    assert update.message.forward_origin.to_dict()["message_id"] == sent.message_id


async def test_lost_rights_are_told(bot: Bot, sandbox: Sandbox) -> None:
    sandbox.telegram.kick(CHANNEL, BOT_ID)
    (update,) = await bot.get_updates()
    assert update.my_chat_member is not None
    assert update.my_chat_member.new_chat_member.status == "kicked"


@pytest.fixture
async def hook() -> AsyncIterator[tuple[str, asyncio.Queue[tuple[str | None, dict[str, Any]]], dict[str, int]]]:
    """A web server that takes updates; its status can be set."""
    arrived: asyncio.Queue[tuple[str | None, dict[str, Any]]] = asyncio.Queue()
    mood = {"status": 200}

    async def take(request: web.Request) -> web.Response:
        secret = request.headers.get("X-Telegram-Bot-Api-Secret-Token")
        arrived.put_nowait((secret, await request.json()))
        return web.Response(status=mood["status"])

    app = web.Application()
    app.router.add_post("/hook", take)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.2)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    yield f"http://127.0.0.1:{runner.addresses[0][1]}/hook", arrived, mood
    await runner.cleanup()


async def test_a_webhook_gets_updates_in_order_with_its_secret_and_again_after_a_failure(
    bot: Bot, sandbox: Sandbox, hook: tuple[str, asyncio.Queue[tuple[str | None, dict[str, Any]]], dict[str, int]]
) -> None:
    url, arrived, mood = hook
    await bot.set_webhook(url, secret_token="tajemnyci")
    mood["status"] = 500
    sandbox.telegram.say(1001, BOT_ID, "раз")
    async with asyncio.timeout(5):
        secret, first = await arrived.get()
        mood["status"] = 200
        sandbox.telegram.say(1001, BOT_ID, "два")
        _, again = await arrived.get()
        _, second = await arrived.get()
    assert secret == "tajemnyci"
    assert first == again
    assert (first["message"]["text"], second["message"]["text"]) == ("раз", "два")
    with pytest.raises(Conflict, match="webhook is active"):
        await bot.get_updates()
    assert (await bot.get_webhook_info()).url == url
    await bot.delete_webhook()
    assert await bot.get_updates() == ()


@pytest.mark.parametrize(
    ("params", "words"),
    [
        ({"url": "https://example.org/hook"}, "bad webhook: the sandbox delivers to loopback addresses only"),
        ({"url": "http://127.0.0.1/x", "secret_token": "з пробілом"}, "secret token contains unallowed characters"),
    ],
)
async def test_a_wrong_webhook_is_refused(ask: Asker, params: dict[str, str], words: str) -> None:
    _, answer = await ask.bot("setWebhook", TOKEN, **params)
    assert answer["description"] == f"Bad Request: {words}"


async def test_a_person_sends_a_photo_that_the_bot_can_fetch(bot: Bot, sandbox: Sandbox) -> None:
    sandbox.telegram.add_user(1001, "Олена")
    sandbox.telegram.say(1001, BOT_ID, html="<b>Міст</b> відкрили", photo=picture())
    (update,) = await bot.get_updates()
    message = update.message
    assert message is not None
    assert (message.caption, message.caption_html) == ("Міст відкрили", "<b>Міст</b> відкрили")
    file = await bot.get_file(message.photo[-1].file_id)
    assert bytes(await file.download_as_bytearray()) == picture()


async def test_a_forwarded_message_names_its_channel_or_its_person(bot: Bot, sandbox: Sandbox) -> None:
    sandbox.telegram.add_user(1001, "Олена")
    sandbox.telegram.add_user(1002, "Петро")
    sent = await bot.send_message(CHANNEL, "<b>Міст</b>", parse_mode="HTML")
    (post,) = sandbox.telegram.posts(CHANNEL)
    sandbox.telegram.say(1001, BOT_ID, forwarded=post)
    sandbox.telegram.say(1001, BOT_ID, "Вітаю", forwarded=1002)
    sandbox.telegram.say(1001, BOT_ID, "Вітаю", forwarded=0)
    first, second, third = [update.message for update in await bot.get_updates()]
    assert first is not None and second is not None and third is not None  # noqa: PT018
    assert first.text_html == "<b>Міст</b>"
    assert isinstance(first.forward_origin, MessageOriginChannel)
    assert first.forward_origin.message_id == sent.message_id
    assert isinstance(second.forward_origin, MessageOriginUser)
    assert second.forward_origin.sender_user.id == 1002
    assert isinstance(third.forward_origin, MessageOriginHiddenUser)


async def test_after_an_outage_webhooks_are_served_again(
    bot: Bot, sandbox: Sandbox, hook: tuple[str, asyncio.Queue[tuple[str | None, dict[str, Any]]], dict[str, int]]
) -> None:
    url, arrived, _ = hook
    await bot.set_webhook(url)
    sandbox.telegram.say(1001, BOT_ID, "раз")
    async with asyncio.timeout(5):
        await arrived.get()
    await sandbox.__aexit__(None, None, None)
    await sandbox.__aenter__()
    await bot.set_webhook(url)
    sandbox.telegram.say(1001, BOT_ID, "два")
    async with asyncio.timeout(5):
        _, second = await arrived.get()
    assert second["message"]["text"] == "два"
