"""The Bot API as python-telegram-bot and plain HTTP meet it."""

from __future__ import annotations

import json
from typing import Any

import pytest
from telegram import (
    Bot,
    BotCommand,
    BotCommandScope,
    BotCommandScopeChat,
    BotCommandScopeChatAdministrators,
    BotCommandScopeChatMember,
    BotCommandScopeDefault,
    ChatMemberAdministrator,
    InlineKeyboardButton,
    InlineKeyboardMarkup,
    InputMediaPhoto,
    LinkPreviewOptions,
    WebAppInfo,
)
from telegram.error import BadRequest, ChatMigrated, Forbidden, InvalidToken

from bot.sandbox import Sandbox
from tests.sandbox.conftest import BOT_ID, CHANNEL, CHANNEL_ID, TOKEN, Asker, Clock, picture

HTML = '<b>Міст відкрили</b>\n\nРух відновлено. <a href="https://news.example/1">Читати</a>'


async def test_a_text_post_reaches_its_readers(bot: Bot, sandbox: Sandbox) -> None:
    options = LinkPreviewOptions(url="https://news.example/1", prefer_large_media=True)
    sent = await bot.send_message(
        CHANNEL, HTML, parse_mode="HTML", link_preview_options=options, disable_notification=True
    )
    (post,) = sandbox.telegram.posts(CHANNEL)
    assert sent.message_id == post.id == 2
    assert sent.link == "https://t.me/novyny/2"
    assert (post.text, post.html) == ("Міст відкрили\n\nРух відновлено. Читати", HTML)
    assert post.silent
    assert post.link_preview == {"url": "https://news.example/1", "prefer_large_media": True}
    assert sent.text_html == HTML


async def test_a_photo_is_kept_and_may_be_sent_again_by_its_id(bot: Bot, sandbox: Sandbox) -> None:
    body = picture(1600, 1200)
    sent = await bot.send_photo(CHANNEL_ID, body, caption=HTML, parse_mode="HTML")
    again = await bot.send_photo(CHANNEL_ID, sent.photo[-1].file_id, caption="ще раз")
    first, second = sandbox.telegram.posts(CHANNEL_ID)
    assert first.photo is second.photo
    assert first.photo is not None
    assert first.photo.body == body
    assert (sent.photo[-1].width, sent.photo[-1].height) == (1600, 1200)
    assert again.photo[-1].file_unique_id == sent.photo[-1].file_unique_id
    file = await bot.get_file(sent.photo[-1].file_id)
    assert bytes(await file.download_as_bytearray()) == body


async def test_the_file_id_of_another_bot_is_refused(bot: Bot, sandbox: Sandbox, ask: Asker) -> None:
    sandbox.telegram.add_bot("222:BBtest")
    sandbox.telegram.set_rights(CHANNEL, 222)
    sent = await bot.send_photo(CHANNEL_ID, picture())
    status, answer = await ask.bot("sendPhoto", "222:BBtest", chat_id=CHANNEL, photo=sent.photo[-1].file_id)
    assert (status, answer["description"]) == (400, "Bad Request: wrong file identifier/HTTP URL specified")


@pytest.mark.parametrize(
    ("photo", "words"),
    [
        ("nonsense", "wrong remote file identifier specified: can't unserialize it. Wrong last symbol"),
        ("https://example.org/a.jpg", "failed to get HTTP URL content"),
        ("", "there is no photo in the request"),
    ],
)
async def test_photos_that_are_not_there_are_refused(ask: Asker, photo: str, words: str) -> None:
    status, answer = await ask.bot("sendPhoto", chat_id=CHANNEL, photo=photo)
    assert (status, answer) == (400, {"ok": False, "error_code": 400, "description": f"Bad Request: {words}"})


async def test_a_photo_by_address_is_fetched_from_the_sandbox_itself_only(bot: Bot, sandbox: Sandbox) -> None:
    await bot.send_photo(CHANNEL, picture())
    (post,) = sandbox.telegram.posts(CHANNEL)
    assert post.photo is not None
    await bot.send_photo(CHANNEL, sandbox.url + post.photo.path)
    assert len(sandbox.telegram.posts(CHANNEL)) == 2


async def test_an_album_shares_one_group_id(bot: Bot, sandbox: Sandbox) -> None:
    media = [InputMediaPhoto(picture(), caption="<b>Перше</b>", parse_mode="HTML"), InputMediaPhoto(picture(320, 200))]
    sent = await bot.send_media_group(CHANNEL, media)
    assert len({one.media_group_id for one in sent}) == 1
    assert [post.text for post in sandbox.telegram.posts(CHANNEL)] == ["Перше", ""]


async def test_one_bad_photo_of_an_album_fails_all_of_it(ask: Asker, sandbox: Sandbox) -> None:
    media = json.dumps([{"type": "photo", "media": "attach://a"}, {"type": "photo", "media": "attach://b"}])
    status, answer = await ask.bot("sendMediaGroup", chat_id=CHANNEL, media=media, a=picture(), b=b"<html>")
    assert (status, answer["description"]) == (
        400,
        'Bad Request: failed to send message #2 with the error message "IMAGE_PROCESS_FAILED"',
    )
    assert sandbox.telegram.history(CHANNEL) == []


@pytest.mark.parametrize(
    ("params", "words"),
    [
        ({"text": "x"}, "Bad Request: chat_id is empty"),
        ({"chat_id": "@nobody", "text": "x"}, "Bad Request: chat not found"),
        ({"chat_id": -42, "text": "x"}, "Bad Request: chat not found"),
        ({"chat_id": CHANNEL}, "Bad Request: message text is empty"),
        (
            {"chat_id": CHANNEL, "text": "x", "reply_parameters": '{"message_id": 99}'},
            "Bad Request: message to be replied not found",
        ),
        (
            {"chat_id": CHANNEL, "text": "x", "reply_markup": "oops"},
            "Bad Request: can't parse reply keyboard markup JSON object",
        ),
    ],
)
async def test_a_wrong_call_is_answered_with_the_server_s_words(ask: Asker, params: dict[str, Any], words: str) -> None:
    status, answer = await ask.bot("sendMessage", **params)
    assert (status, answer["error_code"], answer["description"]) == (400, 400, words)


async def test_rights_decide_who_may_post(ask: Asker, sandbox: Sandbox) -> None:
    async def said() -> str:
        _, answer = await ask.bot("sendMessage", chat_id=CHANNEL, text="x")
        return str(answer.get("description", "ok"))

    assert await said() == "ok"
    sandbox.telegram.set_rights(CHANNEL, BOT_ID, can_post=False)
    assert await said() == "Bad Request: need administrator rights in the channel chat"
    sandbox.telegram.set_rights(CHANNEL, BOT_ID, member=False)
    assert await said() == "Forbidden: bot is not a member of the channel chat"
    sandbox.telegram.kick(CHANNEL, BOT_ID)
    assert await said() == "Forbidden: bot was kicked from the channel chat"


async def test_a_bot_outside_may_look_at_a_public_channel_but_not_at_its_members(ask: Asker, sandbox: Sandbox) -> None:
    sandbox.telegram.add_bot("222:BBtest")
    status, answer = await ask.bot("getChat", "222:BBtest", chat_id=CHANNEL)
    assert (status, answer["result"]["title"]) == (200, "Новини Тихої")
    _, answer = await ask.bot("getChatMember", "222:BBtest", chat_id=CHANNEL, user_id=222)
    assert answer["description"] == "Bad Request: member list is inaccessible"


async def test_a_stranger_to_a_private_channel_does_not_find_it(ask: Asker, sandbox: Sandbox) -> None:
    sandbox.telegram.add_channel(None, -1002, "Закритий")
    _, answer = await ask.bot("getChat", chat_id=-1002)
    assert answer["description"] == "Bad Request: chat not found"


async def test_python_telegram_bot_reads_chats_and_members(bot: Bot) -> None:
    chat = await bot.get_chat(CHANNEL)
    assert (chat.id, chat.username) == (CHANNEL_ID, "novyny")
    member = await bot.get_chat_member(CHANNEL, BOT_ID)
    assert isinstance(member, ChatMemberAdministrator)
    assert (member.can_post_messages, member.can_edit_messages, member.can_delete_messages) == (True, True, True)
    (admin,) = await bot.get_chat_administrators(CHANNEL)
    assert admin.user.id == BOT_ID
    assert await bot.get_chat_member_count(CHANNEL) >= 1


async def test_an_editor_who_never_pressed_start_cannot_be_written_to(bot: Bot, sandbox: Sandbox) -> None:
    sandbox.telegram.add_user(1001, "Олена")
    with pytest.raises(Forbidden, match="bot can't initiate conversation with a user"):
        await bot.send_chat_action(1001, "typing")
    sandbox.telegram.say(1001, BOT_ID, "/start")
    assert await bot.send_chat_action(1001, "typing")
    sandbox.telegram.block(1001, BOT_ID)
    with pytest.raises(Forbidden, match="bot was blocked by the user"):
        await bot.send_message(1001, "Добрий день")
    with pytest.raises(BadRequest, match="Chat not found"):
        await bot.send_chat_action(1002, "typing")


async def test_an_upgraded_group_names_its_new_id(bot: Bot, sandbox: Sandbox) -> None:
    sandbox.telegram.add_group(-77, "Редакція", [BOT_ID])
    sandbox.telegram.migrate(-77, -1005)
    with pytest.raises(ChatMigrated) as caught:
        await bot.send_message(-77, "x")
    assert caught.value.new_chat_id == -1005
    await bot.send_message(-1005, "x")


async def test_revoked_and_unknown_tokens_are_unauthorized(ask: Asker, sandbox: Sandbox) -> None:
    assert await ask.bot("getMe", "333:CC") == (
        401,
        {"ok": False, "error_code": 401, "description": "Unauthorized"},
    )
    sandbox.telegram.revoke(TOKEN)
    assert (await ask.bot("getMe"))[0] == 401
    with pytest.raises(InvalidToken):
        async with Bot(TOKEN, base_url=f"{sandbox.url}/bot"):
            pass
    assert (await ask.bot("getMe", "nonsense"))[1]["description"] == "Not Found"


async def test_an_unknown_method_is_not_found(ask: Asker) -> None:
    assert await ask.bot("sendTelegraph") == (
        404,
        {"ok": False, "error_code": 404, "description": "Not Found: method not found"},
    )


async def test_parameters_may_come_as_json_query_or_form(ask: Asker, sandbox: Sandbox) -> None:
    base = f"{sandbox.url}/bot{TOKEN}/sendMessage"
    markup = {"inline_keyboard": [[{"text": "Читати", "url": "https://news.example"}]]}
    for request in (
        ask.session.post(base, json={"chat_id": CHANNEL_ID, "text": "раз", "reply_markup": markup}),
        ask.session.get(base, params={"chat_id": CHANNEL, "text": "два"}),
        ask.session.post(base, data={"chat_id": CHANNEL, "text": "три", "unknown": "1"}),
    ):
        async with request as answer:
            assert answer.status == 200
    assert [post.text for post in sandbox.telegram.posts(CHANNEL)] == ["раз", "два", "три"]
    assert sandbox.telegram.calls[-1].params["unknown"] == "1"


async def test_editing_changes_the_public_text_and_says_when_nothing_changed(bot: Bot, sandbox: Sandbox) -> None:
    sent = await bot.send_message(CHANNEL, "Було")
    await bot.edit_message_text("<b>Стало</b>", CHANNEL, sent.message_id, parse_mode="HTML")
    (post,) = sandbox.telegram.posts(CHANNEL)
    assert (post.html, post.edited is not None) == ("<b>Стало</b>", True)
    assert [text for _, text in post.versions] == ["Було", "Стало"]
    with pytest.raises(BadRequest, match="Message is not modified"):
        await bot.edit_message_text("<b>Стало</b>", CHANNEL, sent.message_id, parse_mode="HTML")


async def test_a_text_has_no_caption_and_a_photo_no_text(bot: Bot, sandbox: Sandbox) -> None:
    text = await bot.send_message(CHANNEL, "текст")
    photo = await bot.send_photo(CHANNEL, picture(), caption="підпис")
    with pytest.raises(BadRequest, match="There is no caption in the message to edit"):
        await bot.edit_message_caption(CHANNEL, text.message_id, caption="x")
    with pytest.raises(BadRequest, match="There is no text in the message to edit"):
        await bot.edit_message_text("x", CHANNEL, photo.message_id)
    await bot.edit_message_caption(CHANNEL, photo.message_id, caption="інший")
    await bot.edit_message_media(InputMediaPhoto(picture(100, 100), caption="третій"), CHANNEL, photo.message_id)
    assert [post.text for post in sandbox.telegram.posts(CHANNEL)] == ["текст", "третій"]


async def test_an_edit_needs_a_message_and_a_right(bot: Bot, sandbox: Sandbox) -> None:
    with pytest.raises(BadRequest, match="Message to edit not found"):
        await bot.edit_message_text("x", CHANNEL, 99)
    theirs = sandbox.telegram.say(1001, CHANNEL, "рукою редактора")
    sandbox.telegram.set_rights(CHANNEL, BOT_ID, can_edit=False)
    with pytest.raises(BadRequest, match="Message can't be edited"):
        await bot.edit_message_text("x", CHANNEL, theirs.id)
    with pytest.raises(BadRequest, match="Message_too_long"):
        await bot.edit_message_text("x" * 4097, CHANNEL, theirs.id)


async def test_a_channel_post_can_be_deleted_until_it_is_48_hours_old(bot: Bot, sandbox: Sandbox, clock: Clock) -> None:
    first = await bot.send_message(CHANNEL, "раз")
    second = await bot.send_message(CHANNEL, "два")
    clock.now += 48 * 3600 - 1
    await bot.delete_message(CHANNEL, first.message_id)
    with pytest.raises(BadRequest, match="Message to delete not found"):
        await bot.delete_message(CHANNEL, first.message_id)
    clock.now += 1
    with pytest.raises(BadRequest, match="Message can't be deleted"):
        await bot.delete_message(CHANNEL, second.message_id)
    assert [post.text for post in sandbox.telegram.posts(CHANNEL)] == ["два"]
    assert [post.text for post in sandbox.telegram.history(CHANNEL)] == ["раз", "два"]


async def test_deleting_many_skips_what_is_not_there(ask: Asker, bot: Bot, sandbox: Sandbox) -> None:
    sent = await bot.send_message(CHANNEL, "раз")
    assert await bot.delete_messages(CHANNEL, [sent.message_id, 98, 99])
    assert sandbox.telegram.posts(CHANNEL) == []
    _, answer = await ask.bot("deleteMessages", chat_id=CHANNEL, message_ids=json.dumps(list(range(1, 102))))
    assert answer["description"] == "Bad Request: too many message identifiers specified"


async def test_forwarding_proves_what_is_there(bot: Bot, sandbox: Sandbox) -> None:
    sandbox.telegram.add_channel(None, -1002, "Службовий", [BOT_ID])
    sent = await bot.send_photo(CHANNEL, picture(), caption=HTML, parse_mode="HTML")
    copy = await bot.forward_message(-1002, CHANNEL, sent.message_id)
    assert copy.forward_origin is not None
    assert copy.forward_origin.to_dict()["message_id"] == sent.message_id
    assert copy.caption_html == HTML
    with pytest.raises(BadRequest, match="Message to forward not found"):
        await bot.forward_message(-1002, CHANNEL, 99)
    with pytest.raises(BadRequest, match="Message to copy not found"):
        await bot.copy_message(-1002, CHANNEL, 99)
    assert (await bot.copy_message(-1002, CHANNEL, sent.message_id)).message_id == copy.message_id + 1


async def test_protected_content_cannot_be_forwarded(bot: Bot, sandbox: Sandbox) -> None:
    sandbox.telegram.add_channel("closed", -1003, "Захищений", [BOT_ID], protected=True)
    sent = await bot.send_message("@closed", "x")
    with pytest.raises(BadRequest, match="Message can't be forwarded"):
        await bot.forward_message(CHANNEL, "@closed", sent.message_id)


async def test_commands_are_kept_by_scope_and_language(bot: Bot) -> None:
    await bot.set_my_commands([BotCommand("plan", "що і коли вийде")], language_code="uk")
    assert [one.command for one in await bot.get_my_commands(language_code="uk")] == ["plan"]
    assert await bot.get_my_commands() == ()
    with pytest.raises(BadRequest, match="Bot_command_invalid"):
        await bot.set_my_commands([("Велика", "x")])
    await bot.delete_my_commands(language_code="uk")
    assert await bot.get_my_commands(language_code="uk") == ()


async def test_commands_of_a_chat_are_for_a_chat_that_the_bot_has_met(bot: Bot, sandbox: Sandbox) -> None:
    telegram = sandbox.telegram
    telegram.add_user(501, "Олена", started=[BOT_ID])
    telegram.add_user(502, "Хтось")
    telegram.add_group(-1009, "Редакція", [BOT_ID])
    await bot.set_my_commands([("help", "Що я вмію")], BotCommandScopeChat(501))
    await bot.set_my_commands([("queue", "Черга")], BotCommandScopeChat(-1009))
    known = telegram.by_id[BOT_ID]
    assert (known.offers(501), known.offers(-1009), known.offers(502)) == (["help"], ["queue"], [])
    assert [one.command for one in await bot.get_my_commands(BotCommandScopeChat(501))] == ["help"]
    await bot.set_my_commands([("start", "Почати")], BotCommandScopeDefault())
    assert (known.offers(501), known.offers(502)) == (["help"], ["start"])
    await bot.delete_my_commands(BotCommandScopeChat(501))
    assert known.offers(501) == ["start"]
    for scope, refusal in (
        (BotCommandScopeChat(502), "Chat not found"),
        (BotCommandScopeChat(599), "Chat not found"),
        (BotCommandScopeChat(CHANNEL), "Can't change commands in channel chats"),
        (BotCommandScopeChatAdministrators(501), "Can't use specified scope in private chats"),
        (BotCommandScopeChatMember(-1009, 0), "Can't parse botcommandscope: invalid user_id specified"),
        (BotCommandScope("everyone"), "Can't parse botcommandscope: unsupported type specified"),
        (BotCommandScope("chat"), "Can't parse botcommandscope: can't find field"),
    ):
        with pytest.raises(BadRequest, match=f"(?i){refusal}"):
            await bot.set_my_commands([("help", "Що я вмію")], scope)


@pytest.mark.parametrize(
    ("name", "line", "refusal"),
    [
        ("", "x", "command must be non-empty"),
        ("c" * 33, "x", "command length must not exceed 32"),
        ("help", " ", "command description must be non-empty"),
        ("help", "x" * 257, "command description length must not exceed 256"),
        ("Велика", "x", "bot_command_invalid"),
    ],
)
async def test_commands_that_telegram_would_refuse_are_refused(bot: Bot, name: str, line: str, refusal: str) -> None:
    with pytest.raises(BadRequest, match=f"(?i){refusal}"):
        await bot.set_my_commands([(name, line)])
    assert await bot.get_my_commands() == ()


async def test_a_mini_app_opens_over_https_and_in_private_chats_alone(bot: Bot, sandbox: Sandbox) -> None:
    sandbox.telegram.add_user(501, "Олена", started=[BOT_ID])

    def opens(url: str) -> InlineKeyboardMarkup:
        return InlineKeyboardMarkup([[InlineKeyboardButton("Календар", web_app=WebAppInfo(url))]])

    await bot.send_message(501, "x", reply_markup=opens("https://desk.example/app"))
    with pytest.raises(BadRequest, match="only https links are allowed"):
        await bot.send_message(501, "x", reply_markup=opens("http://desk.example/app"))
    with pytest.raises(BadRequest, match=r"(?i)button_type_invalid"):
        await bot.send_message(CHANNEL, "x", reply_markup=opens("https://desk.example/app"))


async def test_every_call_is_on_record_without_its_token_or_bytes(bot: Bot, sandbox: Sandbox) -> None:
    await bot.send_photo(CHANNEL, picture(), caption="x")
    with pytest.raises(BadRequest):
        await bot.send_message("@nobody", "x")
    sent, refused = list(sandbox.telegram.calls)[-2:]
    assert (sent.method, sent.target, sent.outcome, sent.public) == ("sendPhoto", str(CHANNEL_ID), "ok", True)
    assert (refused.outcome, refused.public) == ("400 Bad Request: chat not found", False)
    assert TOKEN not in repr(sandbox.telegram.calls)
    assert "photo" not in sent.params


async def test_a_welcoming_sandbox_takes_any_token_and_channel(clock: Clock) -> None:
    async with Sandbox(welcoming=True, clock=clock) as open_house:
        async with Bot("777:anything", base_url=f"{open_house.url}/bot") as anyone:
            await anyone.send_message("@whatever", "раз")
            await anyone.send_message(-100500, "два")
            member = await anyone.get_chat_member("@whatever", anyone.id)
        assert member.status == "administrator"
        assert [post.text for post in open_house.telegram.posts("@whatever")] == ["раз"]
        assert [post.text for post in open_house.telegram.posts(-100500)] == ["два"]
