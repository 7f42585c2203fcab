"""/now, /at, /move, /hold, /cancel and the buttons of the queue: one outcome each, and only for those who may."""

from __future__ import annotations

import asyncio
import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from bot.app import Service
from bot.desk import answers, texts
from bot.domain.article import Article
from bot.sandbox.telegram_world import SandboxPost
from tests.factories import KYIV
from tests.journeys.desk import (
    CHIEF,
    EDITOR,
    ELSEWHERE,
    STRANGER,
    VIEWER,
    a_story,
    buttons,
    forged,
    pressed,
    shown,
    staff,
    working,
)
from tests.journeys.outlet import BOT_ID, Outlet, ledger, queue
from tests.journeys.shell import told
from tests.journeys.talking import Chat

TITLE = "Міст відкрили"


async def waiting(service: Service, **changes: Any) -> Article:
    """Queue a post in both channels, and send nothing."""
    article = a_story(**({"title": TITLE} | changes))
    await service.house.intake.accept([article], "push")
    return article


async def one(service: Service, channel: str = "telegram-main") -> dict[str, Any]:
    """Return the only post of a channel, wherever it stands."""
    (found,) = [line for line in [*await queue(service), *await ledger(service)] if line["channel"] == channel]
    return found


async def states(service: Service) -> dict[str, str]:
    return {line["channel"]: line["state"] for line in [*await queue(service), *await ledger(service)]}


async def card_of(chat: Chat, channel: str = "telegram-main") -> SandboxPost:
    """Open a post from /queue."""
    number = (await one(chat.service, channel))["delivery"]
    await chat.say(f"/queue {channel}")
    await chat.press(f"№{number}")
    return chat.last


def seal_of(card: SandboxPost) -> str:
    """Return what the buttons of a card expect."""
    rows = (card.reply_markup or {})["inline_keyboard"]
    told: list[list[str]] = [button["callback_data"].split(":") for row in rows for button in row]
    return next(parts[3] for parts in told if parts[0] == "line" and parts[3])


def local(hours: int, *, days: int = 0) -> datetime:
    """Return an hour of the outlet's day, in UTC."""
    today = datetime.now(KYIV).replace(hour=hours, minute=0, second=0, microsecond=0)
    return (today + timedelta(days=days)).astimezone(UTC)


# --- by command ---


async def test_now_lets_a_post_out_wherever_this_person_may(either_desk: Outlet) -> None:
    desk = either_desk
    async with working(desk) as service:
        article = await waiting(service, published_at=datetime.now(UTC) - timedelta(hours=1))
        chat = Chat(desk, service)
        await chat.say(f"/hold {article.url}")
        await service.worker.drain()
        assert desk.telegram == desk.facebook == []
        (answer,) = await chat.say(f"/now {article.url}")
        assert answer.text.startswith(f"{TITLE}\n• telegram-main: 🕒 Вийде сьогодні о")
        assert "• facebook-main: 🕒 Вийде" in answer.text
        await service.worker.drain()
        assert [post.text.split("\n")[0] for post in desk.telegram] == [TITLE]
        assert len(desk.facebook) == 1
    acts = await told(desk, "audit")
    assert [(act["who"], act["action"]) for act in acts] == [("Петро (1002)", "hold")] * 2 + [
        ("Петро (1002)", "publish")
    ] * 2


async def test_an_editor_of_one_channel_moves_the_post_of_that_channel_alone(desk: Outlet) -> None:
    async with working(desk) as service:
        article = await waiting(service)
        chat = Chat(desk, service, ELSEWHERE)
        (answer,) = await chat.say(f"/cancel {article.url}")
        assert answer.text.startswith(f"{TITLE}\n• facebook-main: 🗑 Скасовано.")
        assert "• telegram-main: цей канал веде інший редактор" in answer.text
        assert await states(service) == {"telegram-main": "planned", "facebook-main": "cancelled"}
        number = (await one(service))["delivery"]
        (answer,) = await chat.say(f"/cancel {number}")
        assert answer.text == texts.NOT_YOUR_CHANNEL.format(channel="telegram-main")
        assert (await states(service))["telegram-main"] == "planned"


async def test_at_gives_a_post_a_time_by_its_number(desk: Outlet) -> None:
    async with working(desk) as service:
        await waiting(service)
        number = (await one(service))["delivery"]
        chat = Chat(desk, service)
        (answer,) = await chat.say(f"/at {number} завтра 9:00")
        assert answer.text.startswith(f"✅ {TITLE}\ntelegram-main · №{number}\n🕒 Вийде завтра о 09:00.")
        assert (await one(service))["pinned_at"] == local(9, days=1)
        await service.worker.drain()
        assert desk.telegram == []
        assert len(desk.facebook) == 1


async def test_at_answers_a_card_of_the_queue(desk: Outlet) -> None:
    async with working(desk) as service:
        await waiting(service)
        chat = Chat(desk, service)
        card = await card_of(chat)
        (answer,) = await chat.say("/at завтра о 10", reply_to=card.id)
        assert "🕒 Вийде завтра о 10:00." in answer.text
        (answer,) = await chat.say("/move через 2 години", reply_to=answer.id)
        assert "🕒 Вийде" in answer.text
        at = (await one(service))["pinned_at"]
        assert abs(at - datetime.now(UTC) - timedelta(hours=2)) < timedelta(minutes=1)
        assert (await one(service, "facebook-main"))["pinned_at"] is None
        page = (await chat.say("/queue"))[-1]
        (answer,) = await chat.say("/hold", reply_to=page.id)
        assert answer.text == answers.WHICH_OF_LIST


async def test_a_time_that_has_passed_or_is_none_moves_nothing(desk: Outlet) -> None:
    async with working(desk) as service:
        article = await waiting(service)
        chat = Chat(desk, service)
        for words, refusal in (
            ("25.11.2025 10:00", "Цей час уже минув. Оберіть пізніший."),
            ("колись", texts.NO_TIME),
            ("", texts.NO_TIME),
            ("завтра", texts.NO_CLOCK.format(day="завтра")),
        ):
            (answer,) = await chat.say(f"/at {article.url} {words}")
            assert answer.text == refusal
        assert (await one(service))["pinned_at"] is None
    assert await told(desk, "audit") == []


async def test_move_asks_for_the_time_and_each_button_is_one(outlet: Outlet) -> None:
    desk = outlet
    # No place is offered that a post would be too old for; before noon, 12 hours would end before the next day.
    staff(desk, started=False, schedule='max_per_day = 1\nfresh_for = "7d"')
    async with working(desk) as service:
        await waiting(service)
        number = (await one(service))["delivery"]
        chat = Chat(desk, service)
        (card,) = await chat.say(f"/move {number}")
        assert card.text.endswith(answers.MOVE_WHEN)
        labels = buttons(card)
        assert labels[:2] == [texts.IN_QUARTER, texts.IN_HOUR]
        assert labels[2] == "Вільне місце: завтра о 00:00", "today's place is this post's own"
        assert labels[3:] == [texts.TOMORROW, texts.BACK]
        line = await pressed(desk, EDITOR, card, texts.TOMORROW)
        assert line == "Заплановано: завтра о 09:00."
        await chat.rest()
        assert (await one(service))["pinned_at"] == local(9, days=1)
        assert "🕒 Вийде завтра о 09:00." in card.text
        await chat.press("Перенести", texts.IN_QUARTER, card=card)
        soon = (await one(service))["pinned_at"] - datetime.now(UTC)
        assert timedelta(minutes=13) < soon < timedelta(minutes=16)
        await chat.press("Перенести", texts.IN_HOUR, card=card)
        assert (await one(service))["pinned_at"] - datetime.now(UTC) > timedelta(minutes=50)
        await chat.press("Перенести", answers.TO_ITS_TURN, card=card)
        assert (await one(service))["pinned_at"] is None
        await chat.press("Перенести", "Вільне місце: завтра о 00:00", card=card)
        assert (await one(service))["pinned_at"] == local(0, days=1)
        await service.worker.drain()
        assert desk.telegram == []


async def test_hold_and_cancel_are_taken_back_by_nobody_but_a_person(desk: Outlet) -> None:
    async with working(desk) as service:
        article = await waiting(service)
        chat = Chat(desk, service)
        (answer,) = await chat.say(f"/hold {article.url}")
        assert answer.text == f"{TITLE}\n• telegram-main: ⏸ Відкладено.\n• facebook-main: ⏸ Відкладено."
        (answer,) = await Chat(desk, service, CHIEF).say(f"/hold {article.url}")
        assert "відкладено. Останнє рішення — Петро: відкладено." in answer.text
        await service.worker.drain()
        assert desk.telegram == desk.facebook == []
        (answer,) = await chat.say(f"/cancel {article.url}")
        assert answer.text.count("🗑 Скасовано.") == 2
        await service.worker.drain()
        assert desk.telegram == desk.facebook == []


# --- by button ---


async def test_a_post_is_steered_from_the_queue_by_its_buttons(either_desk: Outlet) -> None:
    desk = either_desk
    async with working(desk) as service:
        await waiting(service)
        chat = Chat(desk, service)
        card = await card_of(chat)
        assert card.text.startswith(f"{TITLE}\ntelegram-main · №")
        assert buttons(card) == ["Зараз", "Перенести", "Відкласти", "Скасувати", "Переглянути", "← До черги"]
        assert await chat.press("Відкласти", card=card) == answers.HELD_BACK
        assert buttons(card) == ["Зараз", "Перенести", "Повернути в чергу", "Скасувати", "Переглянути", "← До черги"]
        assert (await one(service))["state"] == "held"
        assert await chat.press("Повернути в чергу", card=card) == texts.DONE["release"]
        assert (await one(service))["state"] == "planned"
        await chat.press("← До черги", card=card)
        assert card.text.startswith("📋 Черга · telegram-main")
        await chat.press(f"№{(await one(service))['delivery']}", "Зараз", card=card)
        await service.worker.drain()
        assert [post.text.split("\n")[0] for post in desk.telegram] == [TITLE]
        await chat.press("Переглянути", card=card)
        assert shown(desk, EDITOR)[-1].text.startswith(TITLE)
    acts = [(act["who"], act["action"]) for act in await told(desk, "audit")]
    assert acts == [("Петро (1002)", action) for action in ("hold", "release", "publish")]


async def test_a_post_is_shown_before_it_goes_and_cancelled(desk: Outlet) -> None:
    async with working(desk) as service:
        await waiting(service)
        chat = Chat(desk, service)
        card = await card_of(chat)
        await chat.press("Переглянути", card=card)
        preview = shown(desk, EDITOR)[-1]
        await chat.press("Скасувати", card=card)
        assert buttons(card) == ["← До черги"]
        assert (await one(service))["state"] == "cancelled"
        await service.worker.drain()
        assert desk.telegram == []
        assert preview.text.startswith(TITLE)


async def test_what_is_let_go_can_be_stopped_for_a_moment(desk: Outlet) -> None:
    desk.variables["VISTNYK_DESK__UNDO"] = "60s"
    async with working(desk) as service:
        article = await waiting(service)
        chat = Chat(desk, service)
        card = await card_of(chat)
        assert await chat.press("Зараз", card=card) == texts.AGREED.format(seconds=60)
        assert buttons(card) == ["Зупинити", "← До черги"]
        await chat.press("Зупинити", card=card)
        assert (await one(service))["state"] == "held"
        (answer,) = await chat.say(f"/now {article.url}")
        assert set(buttons(answer)) == {"Зупинити: telegram-main", "Зупинити: facebook-main"}
        await chat.press("Зупинити: facebook-main", card=answer)
        await service.worker.drain()
        assert desk.telegram == desk.facebook == []
        assert await states(service) == {"telegram-main": "planned", "facebook-main": "held"}


async def test_of_two_who_press_at_once_the_second_hears_whose_step_it_was(desk: Outlet) -> None:
    async with working(desk) as service:
        await waiting(service)
        first, second = Chat(desk, service), Chat(desk, service, CHIEF)
        mine, other = await card_of(first), await card_of(second)
        await first.press("Відкласти", card=mine)
        line = await second.press("Скасувати", card=other)
        number = (await one(service))["delivery"]
        assert line == f"Тим часом №{number} змінилося: відкладено. Останнє рішення — Петро: відкладено."
        assert (await one(service))["state"] == "held"
        assert "⏸ Відкладено." in other.text, "the old card shows how it stands by now"
        await second.press("Скасувати", card=other)
        assert (await one(service))["state"] == "cancelled"


async def test_an_old_time_button_changes_nothing(desk: Outlet) -> None:
    async with working(desk) as service:
        await waiting(service)
        number = (await one(service))["delivery"]
        chat = Chat(desk, service)
        (old,) = await chat.say(f"/move {number}")
        await chat.say(f"/at {number} завтра 12:00")
        line = await pressed(desk, EDITOR, old, texts.TOMORROW)
        assert line.startswith(f"Тим часом №{number} змінилося: чекає своєї черги. Останнє рішення — Петро:")
        assert (await one(service))["pinned_at"] == local(12, days=1)


async def test_a_post_that_left_meanwhile_is_not_touched(desk: Outlet) -> None:
    async with working(desk) as service:
        await waiting(service)
        chat = Chat(desk, service)
        card = await card_of(chat)
        await service.worker.drain()
        line = await chat.press("Скасувати", card=card)
        assert "опубліковано" in line
        assert len(desk.telegram) == 1


@pytest.mark.parametrize("person", [VIEWER, ELSEWHERE, STRANGER])
async def test_nobody_without_the_right_moves_anything_by_command_or_button(desk: Outlet, person: int) -> None:
    async with working(desk) as service:
        await waiting(service)
        number = (await one(service))["delivery"]
        chat = Chat(desk, service)
        card = await card_of(chat)
        await chat.press("Перенести", card=card)
        seal = seal_of(card)
        before = await one(service)
        for word in ("now", "hold", "cancel", "move"):
            await Chat(desk, service, person).say(f"/{word} {number}")
        await Chat(desk, service, person).say(f"/at {number} завтра 9:00")
        for act, arg in (
            ("now", ""),
            ("hold", ""),
            ("back", ""),
            ("drop", ""),
            ("move", ""),
            ("at", "15m"),
            ("at", "turn"),
        ):
            line = await forged(desk, person, card, f"line:{act}:{number}:{seal}:{arg}:0.0")
            assert line == (texts.NO_CHANNELS if person == VIEWER else texts.NO_RIGHTS)
        assert await one(service) == before
    assert await told(desk, "audit") == []


@pytest.mark.parametrize(
    "data",
    [
        "line",
        "line:now",
        "line:now:x:abcdef::0.0",
        "line:now:99999999::abc:0.0",
        "line:burn:1:abcdef::0.0",
        "line:at:1:abcdef:99:0.0",
        "line:at:1:abcdef:٣٣٣٣٣٣٣٣٣٣:0.0",
        "line:card:1:::0.0:more",
        "line:card:1:::<b>",
        "queue:0",
        "queue:x:0",
        "queue:99:0",
        "history:0:9999999999999999999:1",
        "history:0:999999999999999999:1",
        "history:77:0:0",
    ],
)
async def test_forged_data_changes_nothing_and_is_answered(desk: Outlet, data: str) -> None:
    async with working(desk) as service:
        await waiting(service)
        chat = Chat(desk, service)
        card = await card_of(chat)
        before = await one(service)
        line = await forged(desk, EDITOR, card, data)
        assert line in (texts.OLD_BUTTON, texts.NO_RIGHTS) or re.match("Тим часом", line)
        assert await one(service) == before


async def test_two_at_the_same_moment_have_one_outcome_and_the_second_hears_whose(either_desk: Outlet) -> None:
    desk = either_desk
    async with working(desk) as service:
        await waiting(service)
        number = (await one(service))["delivery"]
        first, second = Chat(desk, service), Chat(desk, service, CHIEF)
        cards = [await card_of(first), await card_of(second)]
        seal = seal_of(cards[0])
        lines = await asyncio.gather(
            forged(desk, EDITOR, cards[0], f"line:hold:{number}:{seal}::"),
            forged(desk, CHIEF, cards[1], f"line:at:{number}:{seal}:60m:"),
        )
        assert sum(line.startswith("Тим часом") for line in lines) == 1, lines
        winner = "Петро" if not lines[0].startswith("Тим часом") else "Олена"
        assert any(f"Останнє рішення — {winner}" in line for line in lines)
    acts = await told(desk, "audit")
    assert len(acts) == 1
    assert acts[0]["who"].startswith(winner)


async def test_a_card_that_asks_for_agreement_is_answered_by_a_time(desk: Outlet) -> None:
    async with working(desk) as service:
        await Chat(desk, service, CHIEF).say("/start")
        await service.house.intake.accept([a_story(title="Спірне", rubric="З погодженням")], "push")
        await service.desk.look()
        chief = Chat(desk, service, CHIEF)
        card = next(post for post in shown(desk, CHIEF) if "чекає на погодження" in post.text)
        (answer, *_) = await chief.say("/at завтра 9:00", reply_to=card.id)
        assert "🕒 Вийде завтра о 09:00." in answer.text
        agreed = await one(service, "asks")
        assert (agreed["state"], agreed["pinned_at"]) == ("planned", local(9, days=1))


async def test_commands_work_in_the_desks_group_for_those_who_may_and_for_no_other_bot(desk: Outlet) -> None:
    group = -1001000000055
    desk.variables["VISTNYK_DESK__CHAT"] = str(group)
    telegram = desk.sandbox.telegram
    telegram.add_group(group, "Редакція", [BOT_ID])
    async with working(desk) as service:
        article = await waiting(service)

        async def said(person: int, words: str) -> list[str]:
            before = {post.id for post in telegram.posts(group)}
            telegram.say(person, group, words)
            await Chat(desk, service).rest()
            return [post.text for post in telegram.posts(group) if post.id not in before and post.author == BOT_ID]

        assert await said(EDITOR, f"/hold@another_bot {article.url}") == []
        (greeting,) = await said(STRANGER, f"/hold {article.url}")
        assert str(STRANGER) in greeting
        assert await said(VIEWER, f"/hold {article.url}") == ["Це можуть лише редактори. Що можете ви: /help"]
        assert await states(service) == {"telegram-main": "planned", "facebook-main": "planned"}
        (answer, *_cards) = await said(EDITOR, f"/hold@outlet_bot {article.url}")
        assert answer.startswith(f"{TITLE}\n• telegram-main: ⏸ Відкладено.")
        assert set((await states(service)).values()) == {"held"}


async def test_cancelling_an_articles_posts_does_not_keep_a_retracted_one_in_the_channel(desk: Outlet) -> None:
    async with working(desk) as service:
        story = await waiting(service)
        await service.worker.drain()
        assert len(desk.telegram) == 1
        await service.house.intake.accept([replace(story, retracted=True)], "push")
        (answer,) = await Chat(desk, service).say(f"/cancel {story.url}")
        assert "опубліковано" in answer.text
        await service.worker.drain()
        assert desk.telegram == desk.facebook == []
