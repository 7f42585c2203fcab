from __future__ import annotations

from dataclasses import replace

import pytest
from telegram.error import InvalidToken, RetryAfter

from bot.channels.telegram import TelegramPublisher
from bot.channels.telegram_bot import TelegramBot
from bot.domain.ledger import Presence
from bot.domain.post import Method
from bot.errors import (
    AccessLostError,
    PhotoRefusedError,
    RefusedError,
    TooLateError,
    UnchangedError,
    UnreachableError,
    UploadRefusedError,
)
from bot.sandbox import ReadBack, mishaps
from bot.sandbox.telegram_rules import Refusal
from tests.channels.platforms import BOT_ID, LINK, TIMEOUT, TOKEN, TelegramStage, a_photo, photos


def another(stage: TelegramStage, address: str, bot: TelegramBot) -> TelegramPublisher:
    return TelegramPublisher(bot, address, web_url=stage.sandbox.url)


async def test_a_photo_goes_up_once_and_its_file_id_serves_the_bots_other_channels(telegram: TelegramStage) -> None:
    world = telegram.sandbox.telegram
    world.add_channel("second", -1002222222222, "Другий", {BOT_ID: None})
    async with TelegramBot(TOKEN, api_url=telegram.sandbox.url, timeout=TIMEOUT) as bot:
        second = another(telegram, "@second", bot)
        receipt = await telegram.publisher.publish(await telegram.parcel("Фото", photo=True))
        assert receipt.upload is not None
        post = telegram.post("Фото", photo=True)
        again = await second.publish(await second.prepare(post, a_photo(), receipt.upload))
    assert world.calls[-1].params["photo"] == receipt.upload
    assert "photo" not in world.calls[-2].params
    assert world.posts("@second")[0].photo == world.posts("@news")[0].photo
    assert again.upload is not None


async def test_an_album_is_one_call_with_the_words_under_its_first_photo(telegram: TelegramStage) -> None:
    entry = await telegram.publish("Альбом", photo=3)
    posts = telegram.sandbox.telegram.posts("@news")
    assert [post.text for post in posts] == ["Альбом\n\nЧитати", "", ""]
    assert len({post.album for post in posts}) == 1
    assert (entry.remote_id, *entry.more_ids) == tuple(str(post.id) for post in posts)
    assert [call.method for call in telegram.sandbox.telegram.calls] == ["sendMediaGroup"]


async def test_one_photo_that_telegram_does_not_take_refuses_the_whole_album(telegram: TelegramStage) -> None:
    first, second, third = photos(3)
    broken = replace(second, jpeg=second.jpeg[:200])
    parcel = await telegram.publisher.prepare(telegram.post("Альбом", photo=3), first, album=[broken, third])
    with pytest.raises(PhotoRefusedError):
        await telegram.publisher.publish(parcel)
    assert telegram.ever_shown() == 0


@pytest.mark.parametrize("count", [1, 11])
async def test_an_album_of_fewer_than_two_or_more_than_ten_photos_never_leaves(
    telegram: TelegramStage, count: int
) -> None:
    first, *more = photos(3)[:1] * count
    with pytest.raises(PhotoRefusedError):
        await telegram.publisher.prepare(telegram.post("Альбом", photo=3), first, album=more)
    assert telegram.calls() == 0


async def test_of_an_album_that_lost_a_photo_by_hand_the_rest_is_withdrawn(telegram: TelegramStage) -> None:
    entry = await telegram.publish("Альбом", photo=3)
    telegram.sandbox.telegram.delete_by_hand("@news", int(entry.more_ids[0]))
    await telegram.publisher.withdraw(entry)
    assert telegram.sandbox.telegram.posts("@news") == []


async def test_an_album_found_again_brings_the_ids_of_all_its_photos(telegram: TelegramStage) -> None:
    entry = await telegram.publish("Альбом", photo=3)
    evidence = await telegram.publisher.read_back(telegram.attempt(telegram.post("Альбом", photo=3), "1"))
    assert evidence.receipt is not None
    assert (evidence.receipt.remote_id, evidence.receipt.more_ids) == (entry.remote_id, entry.more_ids)


async def test_a_file_id_telegram_forgot_is_left_and_the_next_try_sends_the_bytes(telegram: TelegramStage) -> None:
    post, publisher = telegram.post("Фото", photo=True), telegram.publisher
    parcel = await publisher.prepare(post, a_photo(), "AgACAgIAAxkBAAforgotten")
    with pytest.raises(UploadRefusedError) as refused:
        await publisher.publish(parcel)
    assert isinstance(refused.value, UnreachableError)  # tried again, on the same rung
    assert telegram.ever_shown() == 0
    retry = await publisher.prepare(post, a_photo(), "AgACAgIAAxkBAAforgotten")
    assert retry.upload is None
    assert (await publisher.publish(retry)).upload is not None
    assert telegram.ever_shown() == 1


async def test_a_forgotten_file_id_without_the_bytes_asks_for_a_lower_rung(telegram: TelegramStage) -> None:
    post = telegram.post("Фото", photo=True)
    with pytest.raises(PhotoRefusedError):
        await telegram.publisher.publish(await telegram.publisher.prepare(post, None, "AgACAgIAAxkBAAforgotten"))


async def test_a_text_post_shows_a_large_card_of_its_link_below_the_words(telegram: TelegramStage) -> None:
    await telegram.publish("З карткою")
    (post,) = telegram.sandbox.telegram.posts("@news")
    assert post.link_preview == {"url": LINK, "prefer_large_media": True, "show_above_text": False}


async def test_a_text_post_without_a_card_shows_none(telegram: TelegramStage) -> None:
    post = replace(telegram.post("Без картки"), link_preview=None)
    await telegram.publisher.publish(await telegram.publisher.prepare(post, None))
    (shown,) = telegram.sandbox.telegram.posts("@news")
    assert shown.link_preview == {"is_disabled": True}


@pytest.mark.parametrize("photo", [False, True])
async def test_a_silent_post_makes_no_sound(telegram: TelegramStage, photo: bool) -> None:
    post = replace(telegram.post("Тихо", photo=photo), silent=True)
    await telegram.publisher.publish(await telegram.publisher.prepare(post, a_photo() if photo else None))
    await telegram.publish("Гучно", photo=photo)
    assert [shown.silent for shown in telegram.sandbox.telegram.posts("@news")] == [True, False]


@pytest.mark.parametrize("photo", [False, True])
async def test_an_edit_that_changes_nothing_says_so(telegram: TelegramStage, photo: bool) -> None:
    entry = await telegram.publish("Те саме", photo=photo)
    with pytest.raises(UnchangedError):
        await telegram.publisher.edit(entry, await telegram.parcel("Те саме", photo=photo))


async def test_a_post_older_than_two_days_cannot_be_taken_down_but_rewritten(telegram: TelegramStage) -> None:
    entry = await telegram.publish("Давнє")
    telegram.sandbox.telegram.posts("@news")[0].date -= 48 * 3600 + 1
    with pytest.raises(TooLateError):
        await telegram.publisher.withdraw(entry)
    await telegram.publisher.edit(entry, await telegram.parcel("Новину знято"))
    assert telegram.shown()[0].startswith("Новину знято")


async def test_a_chat_that_moved_stops_the_channel_and_names_its_new_id(telegram: TelegramStage) -> None:
    world = telegram.sandbox.telegram
    world.add_group(-1003333333333, "Група", {BOT_ID: None})
    world.migrate(-1003333333333, -1004444444444)
    async with TelegramBot(TOKEN, api_url=telegram.sandbox.url, timeout=TIMEOUT) as bot:
        with pytest.raises(AccessLostError, match="-1004444444444"):
            await another(telegram, "-1003333333333", bot).publish(await telegram.parcel("Куди?"))


async def test_a_removed_bot_has_lost_its_access(telegram: TelegramStage) -> None:
    telegram.sandbox.telegram.kick("@news", BOT_ID)
    with pytest.raises(AccessLostError, match="kicked"):
        await telegram.publish("Ні")


async def test_a_private_channel_has_its_own_kind_of_link_and_no_read_back(telegram: TelegramStage) -> None:
    telegram.sandbox.telegram.add_channel(None, -1005555555555, "Закритий", {BOT_ID: None})
    async with TelegramBot(TOKEN, api_url=telegram.sandbox.url, timeout=TIMEOUT) as bot:
        private = another(telegram, "-1005555555555", bot)
        receipt = await private.publish(await telegram.parcel("Тут"))
        attempt = telegram.attempt(telegram.post("Тут"), "1")
        assert receipt.permalink == f"{telegram.sandbox.url}/c/5555555555/{receipt.remote_id}"
        evidence = await private.read_back(attempt)
        assert (evidence.presence, evidence.for_good) == (Presence.NO_EVIDENCE, True)
        assert (await private.survey((), 3)).for_good
        findings = await private.check()
    assert all(finding.ok for finding in findings)
    assert "private" in findings[-1].detail


async def test_a_public_channel_known_by_its_number_links_and_reads_back_by_its_name(telegram: TelegramStage) -> None:
    async with TelegramBot(TOKEN, api_url=telegram.sandbox.url, timeout=TIMEOUT) as bot:
        numbered = another(telegram, "-1001234567890", bot)
        receipt = await numbered.publish(await telegram.parcel("Тут"))
        assert receipt.permalink == f"{telegram.sandbox.url}/news/{receipt.remote_id}"
        newest = await numbered.survey((), 1)
    assert newest.posts[0].remote_id == receipt.remote_id


async def test_older_pages_of_the_preview_are_turned_until_there_are_enough_posts(telegram: TelegramStage) -> None:
    for number in range(45):
        await telegram.publish(f"Новина {number}", link=None)
    newest = await telegram.publisher.survey((), 42)
    assert [post.plain for post in newest.posts] == [f"Новина {number}" for number in range(3, 45)]
    assert not newest.complete
    everything = await telegram.publisher.survey((), 500)
    assert len(everything.posts) == 45
    assert everything.complete


async def test_without_a_watermark_only_a_post_of_this_moment_is_ours(telegram: TelegramStage) -> None:
    await telegram.publish("Міст відкрили")
    attempt = telegram.attempt(telegram.post("Міст відкрили"), None)
    assert (await telegram.publisher.read_back(attempt)).presence is Presence.PRESENT
    telegram.sandbox.telegram.posts("@news")[0].date -= 600
    assert (await telegram.publisher.read_back(attempt)).presence is Presence.NO_EVIDENCE


async def test_two_pages_that_show_different_posts_prove_nothing(telegram: TelegramStage) -> None:
    entries = [await telegram.publish(f"Новина {number}", link=None) for number in range(15)]
    attempt = telegram.attempt(telegram.post("Міст відкрили"), entries[-1].remote_id)
    assert (await telegram.publisher.read_back(attempt)).presence is Presence.ABSENT
    telegram.sandbox.telegram.read_back = ReadBack(omit=0.2, seed=4)
    seen = [await telegram.publisher.read_back(attempt) for _ in range(5)]
    assert {evidence.presence for evidence in seen} == {Presence.NO_EVIDENCE}
    assert any("do not show the same" in evidence.detail for evidence in seen)


async def test_posts_beyond_number_can_not_be_looked_through(telegram: TelegramStage) -> None:
    entry = await telegram.publish("Раніше", link=None)
    attempt = telegram.attempt(telegram.post("Міст відкрили"), entry.remote_id)
    for number in range(1020):
        telegram.sandbox.telegram.say(1, "@news", f"чуже {number}")
    evidence = await telegram.publisher.read_back(attempt)
    assert (evidence.presence, evidence.for_good) == (Presence.NO_EVIDENCE, False)
    assert "more than" in evidence.detail
    for post in telegram.sandbox.telegram.posts("@news")[30:]:
        post.date += 2 * 86_400  # much younger than the attempt: none of its
    assert (await telegram.publisher.read_back(attempt)).presence is Presence.ABSENT


@pytest.mark.parametrize("right", ["can_post", "can_edit", "can_delete"])
async def test_the_check_names_the_right_that_is_missing(telegram: TelegramStage, right: str) -> None:
    telegram.sandbox.telegram.set_rights("@news", BOT_ID, **{right: False})
    finding = (await telegram.publisher.check())[-1]
    assert (finding.name, finding.ok) == ("rights", False)
    assert right.removeprefix("can_") in finding.detail


async def test_the_check_names_a_bot_that_is_no_administrator(telegram: TelegramStage) -> None:
    telegram.sandbox.telegram.set_rights("@news", BOT_ID, administrator=False)
    finding = (await telegram.publisher.check())[-1]
    assert (finding.name, finding.ok) == ("rights", False)
    assert "not an administrator of @news" in finding.detail


async def test_the_check_names_an_address_that_does_not_exist(telegram: TelegramStage) -> None:
    async with TelegramBot(TOKEN, api_url=telegram.sandbox.url, timeout=TIMEOUT) as bot:
        finding = (await another(telegram, "@nowhere_news", bot).check())[-1]
    assert (finding.name, finding.ok) == ("address", False)
    assert "@nowhere_news" in finding.detail


async def test_the_check_tells_a_missing_token_from_a_wrong_one(telegram: TelegramStage) -> None:
    for token, words in (("", "VISTNYK_TELEGRAM__TOKEN is not set"), ("123456:wrong", "does not accept")):
        async with TelegramBot(token, api_url=telegram.sandbox.url, timeout=TIMEOUT) as bot:
            (finding,) = await another(telegram, "@news", bot).check()
        assert not finding.ok
        assert words in finding.detail


async def test_without_a_token_no_call_is_made(telegram: TelegramStage) -> None:
    async with TelegramBot("", api_url=telegram.sandbox.url, timeout=TIMEOUT) as bot:
        with pytest.raises(AccessLostError, match="no token"):
            await another(telegram, "@news", bot).publish(await telegram.parcel("Ні"))
    assert telegram.calls() == 0


async def test_a_bot_knows_who_has_started_it(telegram: TelegramStage) -> None:
    world = telegram.sandbox.telegram
    world.add_user(1001, "Олена", started={BOT_ID})
    world.add_user(1002, "Тарас")
    world.add_user(1003, "Ірина", started={BOT_ID})
    world.block(1003, BOT_ID)
    async with TelegramBot(TOKEN, api_url=telegram.sandbox.url, timeout=TIMEOUT) as bot:
        assert [await bot.has_started(user) for user in (1001, 1002, 1003, 1004)] == [True, False, False, False]
        world.revoke(TOKEN)
        with pytest.raises(AccessLostError):
            await bot.has_started(1001)


async def test_the_library_itself_still_speaks_in_its_own_errors(telegram: TelegramStage) -> None:
    telegram.meets("text", mishaps.throttle(7))
    async with TelegramBot(TOKEN, api_url=telegram.sandbox.url, timeout=TIMEOUT) as bot:
        with pytest.raises(RetryAfter):
            await bot.library.send_message("@news", "Швидко")
        telegram.sandbox.telegram.revoke(TOKEN)
        with pytest.raises(InvalidToken):
            await bot.library.initialize()


async def test_a_long_poll_may_take_longer_than_a_call(telegram: TelegramStage) -> None:
    async with TelegramBot(TOKEN, api_url=telegram.sandbox.url, timeout=TIMEOUT) as bot:
        assert await bot.library.get_updates(timeout=1) == ()


async def test_a_refused_card_of_a_text_post_is_a_refusal_of_the_post(telegram: TelegramStage) -> None:
    telegram.meets("text", mishaps.refuse(400, "wrong HTTP URL specified"))
    with pytest.raises(RefusedError) as refused:
        await telegram.publish("Картка")
    assert not isinstance(refused.value, PhotoRefusedError)
    assert Refusal(400, "wrong HTTP URL specified").full in str(refused.value)


async def test_an_answer_in_a_form_nobody_knows_is_unanswered(telegram: TelegramStage) -> None:
    telegram.meets("text", mishaps.refuse(400, "chat not found", status=418))
    with pytest.raises(Exception, match="HTTP 418") as odd:
        await telegram.publish("?")
    assert type(odd.value).__name__ == "UnansweredError"


@pytest.mark.parametrize("guess", [Method.SEND_MESSAGE, Method.SEND_PHOTO])
async def test_a_post_of_another_kind_than_was_guessed_is_edited_all_the_same(telegram: TelegramStage, guess) -> None:
    made = await telegram.publish("Раніше", photo=0 if guess is Method.SEND_PHOTO else 1)
    adopted = replace(made, method=guess)
    await telegram.publisher.edit(adopted, await telegram.parcel("Тепер"))
    assert telegram.shown() == ["Тепер\n\nЧитати"]
