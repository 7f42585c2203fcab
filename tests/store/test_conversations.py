"""Conversations, pictures and what is an editor's in a post, on both databases."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.agenda import refusals, steering
from bot.domain.channel import ChannelId
from bot.domain.delivery import DeliveryId, Kind, State, Turn
from bot.domain.ledger import Receipt
from bot.domain.post import Method, Own
from bot.errors import DeskError
from bot.store import articles, conversations, deliveries, ledger, pictures
from bot.store.conversations import Conversation, Place
from bot.store.database import Database
from bot.store.decisions import acts
from bot.store.deliveries import NewDelivery
from tests.factories import NOON, an_article

HERE = Place(account="telegram:1", chat_id=-100, person_id=1002)
TALK = Conversation(
    about="post",
    step="time",
    gathered={"channels": [1, 2], "words": "<b>Міст</b>"},
    version=700_000_001,
    expires_at=NOON + timedelta(minutes=30),
)


async def test_each_person_has_one_conversation_in_each_chat_with_each_bot(database: Database) -> None:
    others = [replace(HERE, account="telegram:2"), replace(HERE, chat_id=1002), replace(HERE, person_id=1003)]
    async with database.write() as tx:
        for place in (HERE, *others):
            assert await conversations.find(tx, place) is None
            await conversations.keep(tx, place, TALK)
        later = replace(TALK, step="photo", gathered={}, version=700_000_005)
        await conversations.keep(tx, HERE, later)
        assert await conversations.find(tx, HERE) == later
        assert await conversations.end(tx, HERE)
        assert not await conversations.end(tx, HERE)
        assert [await conversations.find(tx, place) for place in others] == [TALK] * 3
        await conversations.forget_person(tx, 1002)
        assert [await conversations.find(tx, place) for place in others] == [None, None, TALK]


async def test_an_update_that_comes_again_ends_nothing_that_came_after_it(database: Database) -> None:
    async with database.write() as tx:
        await conversations.keep(tx, HERE, TALK)
        assert not await conversations.end(tx, HERE, before=TALK.version)
        assert not await conversations.end(tx, HERE, before=TALK.version - 1)
        assert await conversations.end(tx, HERE, before=TALK.version + 1)


async def test_what_expired_long_ago_is_forgotten(database: Database) -> None:
    async with database.write() as tx:
        await conversations.keep(tx, HERE, TALK)
        assert await conversations.forget(tx, NOON) == 0
        assert await conversations.forget(tx, NOON + timedelta(days=1)) == 1


async def test_the_same_picture_is_kept_once_and_as_long_as_a_post_waits_for_it(
    database: Database, channel_id: ChannelId
) -> None:
    async with database.write() as tx:
        address = await pictures.keep(tx, b"\xff\xd8 a picture \x00", NOON)
        assert await pictures.keep(tx, b"\xff\xd8 a picture \x00", NOON) == address
        other = await pictures.keep(tx, b"another", NOON)
        assert address.startswith(pictures.KEPT)
        assert await pictures.get(tx, address) == b"\xff\xd8 a picture \x00"
        assert await pictures.get(tx, "kept:unknown") is None
        made = await _queued(tx, channel_id, Own(photo=address, credit="Фото: ДСНС"))
        assert await pictures.forget(tx, NOON + timedelta(days=1)) == 1
        assert (await pictures.get(tx, other), await pictures.get(tx, address)) == (None, b"\xff\xd8 a picture \x00")
        delivery = await deliveries.get(tx, made)
        await deliveries.move(tx, delivery, State.CANCELLED, NOON)
        assert await pictures.forget(tx, NOON + timedelta(days=1)) == 1


async def _queued(tx: AsyncConnection, channel_id: ChannelId, own: Own | None = None, **more: Any) -> DeliveryId:
    stored = (await articles.store(tx, an_article(), source="site", authority=["site"], now=NOON)).stored
    values: dict[str, Any] = {
        "kind": Kind.PUBLISH,
        "channel_id": channel_id,
        "article_id": stored.id,
        "revision": 1,
        "state": State.PLANNED,
        "turn": Turn.ORDINARY,
        "turn_at": NOON,
        "own": own,
    }
    made = await deliveries.queue(tx, NewDelivery(**(values | more)), NOON)
    assert made is not None
    return made


@pytest.mark.parametrize(
    ("own", "words"),
    [
        (None, ""),
        (Own(), ""),
        (Own(words='<b>Міст</b> &amp; <a href="https://a.example/?b&amp;c">рух</a>'), "Міст & рух"),
        (Own(photo=""), ""),
        (Own(photo="kept:1", credit="Іван"), ""),
    ],
)
async def test_what_is_an_editors_is_kept_beside_the_words_without_markup(database, channel_id, own, words):
    async with database.write() as tx:
        made = await _queued(tx, channel_id, own)
        kept = await deliveries.get(tx, made)
    assert (kept.words, kept.own) == (words, own if own != Own() else None)
    assert kept.has_own_words is bool(words)


async def test_a_post_with_an_editors_words_is_a_persons_from_the_start(database, channel_id):
    async with database.write() as tx:
        for place, (own, by_hand) in enumerate([(None, False), (Own(photo=""), False), (Own(words="Слова"), True)]):
            delivery = await deliveries.get(tx, await _queued(tx, channel_id, own))
            receipt = Receipt(remote_id=str(place))
            await ledger.enter(tx, delivery, receipt, Method.SEND_MESSAGE, title="", text="", at=NOON)
            entry = await ledger.by_remote_id(tx, channel_id, str(place))
            assert entry is not None
            assert (entry.hand_at is not None) is by_hand


async def test_two_who_give_words_at_once_leave_the_later_ones_and_two_acts(database, channel_id):
    async with database.write() as tx:
        made = await _queued(tx, channel_id)

    async def reword(who: str, words: str) -> None:
        async with database.write() as tx:
            await steering.reword(tx, made, words, who=who, now=NOON)

    await asyncio.gather(reword("Олена (1001)", "Перші"), reword("Петро (1002)", "Другі"))
    async with database.read() as tx:
        kept = await deliveries.get(tx, made)
        told = await acts(tx)
    assert kept.own == Own(words=kept.words)
    assert told[-1]["after"]["words"] == kept.words
    assert {one["who"] for one in told} == {"Олена (1001)", "Петро (1002)"}


@pytest.mark.parametrize("words", ["", "  \n", "<b></b>", "\u200b", "я" * 4097])
async def test_words_that_can_be_no_post_are_refused(database, channel_id, words):
    async with database.write() as tx:
        made = await _queued(tx, channel_id)
        with pytest.raises(DeskError):
            await steering.reword(tx, made, words, who="Олена (1001)", now=NOON)
        assert (await deliveries.get(tx, made)).own is None


async def test_a_post_that_is_there_already_is_not_put_a_second_time(database, channel_id):
    async with database.write() as tx:
        made = await _queued(tx, channel_id)
        known = await deliveries.get(tx, made)
        new = NewDelivery(
            kind=Kind.PUBLISH,
            channel_id=channel_id,
            article_id=known.article_id,
            revision=1,
            state=State.PLANNED,
            turn=Turn.ORDINARY,
            turn_at=NOON,
        )
        with pytest.raises(DeskError, match=refusals.THERE_ALREADY):
            await steering.put(tx, new, "post", who="Олена (1001)", now=NOON)


@pytest.mark.parametrize("state", [State.CANCELLED, State.EXPIRED])
async def test_what_was_given_up_is_revived_by_a_person_alone(database, channel_id, state):
    async with database.write() as tx:
        made = await _queued(tx, channel_id, backlog=True)
        await deliveries.move(tx, await deliveries.get(tx, made), state, NOON, error="why")
        after = await steering.revive(tx, made, NOON + timedelta(hours=1), who="Олена (1001)", now=NOON)
        assert (after.state, after.pinned_at, after.backlog) == (State.PLANNED, NOON + timedelta(hours=1), False)
        with pytest.raises(DeskError, match="чекає своєї черги"):
            await steering.revive(tx, made, NOON, who="Петро (1002)", now=NOON)
