"""«Опублікувати» can be taken back for a moment: pressed in time nothing is sent, too late says so."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from bot.agenda import steering
from bot.app import Service
from bot.desk import texts
from bot.domain.delivery import DeliveryId
from bot.store import channels
from tests.journeys.desk import (
    CHIEF,
    EDITOR,
    ELSEWHERE,
    STRANGER,
    VIEWER,
    a_story,
    buttons,
    cards,
    forged,
    greeted,
    line,
    open_notices,
    pressed,
    staff,
    until,
    working,
)
from tests.journeys.outlet import BOT_ID, Outlet, publish
from tests.journeys.shell import told
from tests.journeys.test_desk_approval import a_proposal, proposed, shown_in_channel
from tests.journeys.test_desk_cards import stale

ASIDE = [VIEWER, ELSEWHERE, STRANGER]


@pytest.fixture
def desk(outlet: Outlet) -> Outlet:
    return staffed(outlet)


@pytest.fixture
def either_desk(either_outlet: Outlet) -> Outlet:
    return staffed(either_outlet)


def staffed(outlet: Outlet, undo: str = "60s") -> Outlet:
    staff(outlet)
    outlet.variables["VISTNYK_DESK__UNDO"] = undo
    return outlet


async def told_in_time(service: Service, condition: Any) -> None:
    """Wait until the desk was told of something: a look that is under way already does not see it."""

    async def is_told() -> bool:
        await service.desk.look()
        return bool(condition())

    await until(is_told)


async def test_a_post_is_stopped_in_time_and_can_be_let_go_again(either_desk: Outlet) -> None:
    desk = either_desk
    article = a_proposal()
    async with working(desk) as service:
        card = await proposed(service, desk, article)
        assert await pressed(desk, EDITOR, card, "Опублікувати") == texts.AGREED.format(seconds=60)
        await until(lambda: buttons(card) == ["Зупинити"])
        assert card.text.startswith("⏳ asks: вийде о ")
        assert "(Петро)\n\nМіст відкрили" in card.text
        await service.worker.drain()
        assert shown_in_channel(desk) == []
        for who in ASIDE:
            assert await pressed(desk, who, card, "Зупинити") == texts.NO_RIGHTS
        assert await pressed(desk, CHIEF, card, "Зупинити") == texts.STOPPED
        await until(lambda: "Опублікувати" in buttons(card))
        assert card.text.startswith("⏸ asks: допис відкладено\n\nМіст відкрили")
        held = await line(service, article.url)
        assert (held["state"], held["held_reason"], held["pinned_at"]) == ("held", "editor", None)
        await service.desk.look()
        await service.worker.drain()
        assert cards(desk) == [card], "the same card, no second one"
        assert shown_in_channel(desk) == []
        await service.give_back()
    desk.variables["VISTNYK_DESK__UNDO"] = "0s"
    async with working(desk) as service:
        assert await pressed(desk, EDITOR, card, "Опублікувати") == texts.DONE["publish"]
        await service.worker.drain()
        assert len(shown_in_channel(desk)) == 1
        await told_in_time(service, lambda: "✅ Петро: відправлено в публікацію" in card.text)
    acts = [(one["who"], one["action"]) for one in await told(desk, "audit")]
    assert acts == [("Петро (1002)", "publish"), ("Олена (1001)", "stop"), ("Петро (1002)", "publish")]


async def test_when_the_moment_is_over_the_post_goes_out_and_stopping_it_is_too_late(desk: Outlet) -> None:
    desk.variables["VISTNYK_DESK__UNDO"] = "2s"
    article = a_proposal()
    async with working(desk) as service:
        card = await proposed(service, desk, article)
        began = datetime.now(UTC)
        await pressed(desk, EDITOR, card, "Опублікувати")
        number = (await line(service, article.url))["delivery"]

        async def is_public() -> bool:
            await service.worker.drain()
            return bool(shown_in_channel(desk))

        await until(is_public)
        assert datetime.now(UTC) - began >= timedelta(seconds=2)
        late = await forged(desk, CHIEF, card, f"stop:{number}")
        assert late == f"Уже не вийде: №{number} — опубліковано. Останнє рішення — Петро: відправлено в публікацію."
        await service.desk.look()
        assert buttons(card) == []
        assert len(shown_in_channel(desk)) == 1
    assert [one["action"] for one in await told(desk, "audit")] == ["publish"]


async def test_without_undo_there_is_no_button_and_no_wait(desk: Outlet) -> None:
    desk.variables["VISTNYK_DESK__UNDO"] = "0s"
    async with working(desk) as service:
        card = await proposed(service, desk, a_proposal())
        assert await pressed(desk, EDITOR, card, "Опублікувати") == texts.DONE["publish"]
        await service.worker.drain()
        assert len(shown_in_channel(desk)) == 1
        await service.desk.look()
        assert "Зупинити" not in buttons(card)


async def test_of_one_who_stops_and_one_who_drops_at_once_one_decides(either_desk: Outlet) -> None:
    desk = either_desk
    article = a_proposal()
    async with working(desk) as service:
        card = await proposed(service, desk, article)
        await pressed(desk, EDITOR, card, "Опублікувати")
        await until(lambda: buttons(card) == ["Зупинити"])
        (notice,) = await open_notices(service)
        number = (await line(service, article.url))["delivery"]
        lines = await asyncio.gather(
            forged(desk, CHIEF, card, f"stop:{number}"),
            forged(desk, EDITOR, card, f"stop:{number}"),
            forged(desk, EDITOR, card, f"publish:{notice.id}"),
        )
        assert sorted(lines).count(texts.STOPPED) == 1
        stopped = await line(service, article.url)
        assert (stopped["state"], stopped["held_reason"]) in (("held", "editor"), ("planned", None))
        await service.worker.drain()
        assert shown_in_channel(desk) == []


async def test_a_post_that_was_let_go_survives_a_restart_as_it_was(desk: Outlet) -> None:
    article = a_proposal()
    async with working(desk) as service:
        card = await proposed(service, desk, article)
        await pressed(desk, EDITOR, card, "Опублікувати")
        await until(lambda: buttons(card) == ["Зупинити"])
    async with working(desk) as service:
        await service.worker.drain()
        await service.desk.look()
        assert shown_in_channel(desk) == []
        assert buttons(card) == ["Зупинити"]
        assert await pressed(desk, EDITOR, card, "Зупинити") == texts.STOPPED
        assert (await line(service, article.url))["held_reason"] == "editor"


async def test_a_changed_headline_that_was_let_go_is_stopped_too(desk: Outlet) -> None:
    article = a_proposal()
    async with working(desk) as service:
        card = await proposed(service, desk, article)
        number = DeliveryId((await line(service, article.url))["delivery"])
        async with channels.turn(service.house.database, service.lanes) as (tx, now):
            await steering.publish(tx, number, who="Олена (1001)", now=now)
        await service.worker.drain()
        assert len(shown_in_channel(desk)) == 1
        await publish(service, _retitled(article))
        await service.desk.look()
        second = cards(desk)[-1]
        assert second is not card
        await pressed(desk, EDITOR, second, "Опублікувати")
        await until(lambda: buttons(second) == ["Зупинити"])
        await service.worker.drain()
        assert shown_in_channel(desk)[0].text.startswith("Міст відкрили")
        assert await pressed(desk, EDITOR, second, "Зупинити") == texts.STOPPED
        await until(lambda: "Повернути в чергу" not in buttons(second) and "Опублікувати" in buttons(second))
        await service.worker.drain()
        assert shown_in_channel(desk)[0].text.startswith("Міст відкрили")


def _retitled(article: Any) -> Any:
    from dataclasses import replace

    return replace(article, title="Парк відкрили")


async def test_words_that_have_aged_can_be_stopped_after_all(desk: Outlet) -> None:
    article = a_proposal(title="Сьогодні відкрили міст", published_at=datetime.now(UTC) - timedelta(days=1, minutes=1))
    async with working(desk) as service:
        await greeted(desk)
        await stale(service, article)
        await service.desk.look()
        card = cards(desk)[-1]
        assert buttons(card) == ["Опублікувати", "Пропустити"]
        await pressed(desk, EDITOR, card, "Опублікувати")
        await until(lambda: buttons(card) == ["Зупинити"])
        assert "⏳ Вийде о " in card.text
        assert await pressed(desk, EDITOR, card, "Зупинити") == texts.STOPPED
        await until(lambda: "✅ Петро: зупинено о " in card.text)
        await service.worker.drain()
        await told_in_time(service, lambda: cards(desk)[-1].text.startswith("⏸ asks: допис відкладено"))
        assert shown_in_channel(desk) == []


async def test_a_stop_under_another_message_holds_the_post_and_takes_the_button_away(desk: Outlet) -> None:
    """As after /now: the reply has the button, no card does."""
    from bot.desk.voice import Button

    article = a_story()
    async with working(desk) as service:
        await greeted(desk)
        await service.house.intake.accept([article], "push")
        number = DeliveryId((await line(service, article.url, "telegram-main"))["delivery"])
        later = datetime.now(UTC) + timedelta(hours=3)
        async with channels.turn(service.house.database, service.lanes) as (tx, now):
            await steering.pin(tx, number, later, who="Петро (1002)", now=now)
            await steering.publish(tx, number, timedelta(seconds=60), who="Петро (1002)", now=now)
        assert service.desk.notices is not None
        assert service.desk.notices._teller is not None
        voice = service.desk.notices._teller.board._voice
        await voice.say(CHIEF, "Виходить за 60 с.", [[Button(texts.STOP, f"stop:{number}")]])
        reply = next(post for post in desk.sandbox.telegram.posts(CHIEF) if post.author == BOT_ID and buttons(post))
        assert await pressed(desk, VIEWER, reply, "Зупинити") == texts.NO_RIGHTS
        assert await pressed(desk, CHIEF, reply, "Зупинити") == texts.STOPPED
        await until(lambda: buttons(reply) == [])
        await service.worker.drain()
        assert desk.telegram == []
        held = await line(service, article.url, "telegram-main")
        assert (held["state"], held["held_reason"]) == ("held", "editor")
        assert datetime.fromisoformat(str(held["pinned_at"])) == later, "the time it had before"
