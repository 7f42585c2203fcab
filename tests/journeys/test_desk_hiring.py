"""/editors: chiefs choose who works at the desk; roles take effect at once, and the last chief stays."""

from __future__ import annotations

from typing import Any

import pytest

from bot.agenda import refusals
from bot.app import Service
from bot.desk import texts
from bot.domain.editor import Editor, Role
from bot.store import editors
from tests.journeys.desk import CHIEF, EDITOR, STRANGER, VIEWER, a_story, buttons, forged, shown, staff, until, working
from tests.journeys.outlet import BOT_ID, Outlet, publish
from tests.journeys.shell import told
from tests.journeys.talking import QUICK, Chat

NEWCOMER = 1005


@pytest.fixture
def desk(outlet: Outlet) -> Outlet:
    staff(outlet, started=False)
    outlet.sandbox.telegram.add_user(NEWCOMER, "Оксана", started=[BOT_ID])
    return outlet


@pytest.fixture
def either_desk(either_outlet: Outlet) -> Outlet:
    staff(either_outlet, started=False)
    either_outlet.sandbox.telegram.add_user(NEWCOMER, "Оксана", started=[BOT_ID])
    return either_outlet


async def known(service: Service, number: int = NEWCOMER) -> Editor | None:
    async with service.house.database.read() as tx:
        return await editors.find(tx, number)


async def test_somebody_is_taken_on_given_a_role_and_channels_and_let_go(either_desk: Outlet) -> None:
    desk = either_desk
    async with working(desk, QUICK) as service:
        chat = Chat(desk, service, CHIEF)
        (card,) = await chat.say("/editors")
        assert "• Олена: головний редактор, усі канали (із конфігурації)" in card.text
        assert "• Гліб: редактор, facebook-main (із конфігурації)" in card.text
        await chat.press("Додати людину")
        await chat.say("Добрий день", forwarded=NEWCOMER)
        assert chat.last.text == "Яку роль дати? Оксана"
        await chat.press("глядач")
        assert await known(service) == Editor(telegram_id=NEWCOMER, name="Оксана", role=Role.VIEWER)
        newcomer = Chat(desk, service, NEWCOMER)
        (line,) = await newcomer.say("/start")
        assert line.text.startswith("Вітаю, Оксана!")
        assert "post" not in desk.sandbox.telegram.by_id[BOT_ID].offers(NEWCOMER)
        (line,) = await newcomer.say("/post щось")
        assert line.text == texts.NOT_FOR_ROLE.format(role="редактори")
        await chat.press("редактор")
        assert "Роль: редактор" in card.text or "Роль: редактор" in chat.last.text
        (line,) = await newcomer.say("/post щось")
        assert "▫️ telegram-main" in buttons(line), "at once"
        await until(lambda: "post" in desk.sandbox.telegram.by_id[BOT_ID].offers(NEWCOMER))
        await chat.press("Канали", "facebook-main", "Далі →")
        assert await known(service) == Editor(
            telegram_id=NEWCOMER, name="Оксана", role=Role.EDITOR, channels=("facebook-main",)
        )
        (line,) = await newcomer.say("/post щось")
        assert [one for one in buttons(line) if one[0] in "▫☑"] == ["☑️ facebook-main"]
    async with working(desk, QUICK) as service:  # the configuration does not name her, and she stays
        chat = Chat(desk, service, CHIEF)
        assert await known(service) is not None
        await chat.press("Прибрати", "Так, прибрати")
        assert await known(service) is None
        assert await Chat(desk, service, NEWCOMER).stands() is None
        await Chat(desk, service, NEWCOMER).say("/post щось")
        assert await Chat(desk, service, NEWCOMER).stands() is None
    acts = await told(desk, "audit")
    assert [(one["who"], one["action"], one["subject"]) for one in acts] == [
        ("Олена (1001)", action, f"editor {NEWCOMER}") for action in ("hire", "role", "channels", "dismiss")
    ]
    assert acts[0]["after"] == {"name": "Оксана", "role": "viewer", "channels": []}
    assert (acts[2]["before"]["channels"], acts[2]["after"]["channels"]) == ([], ["facebook-main"])
    assert acts[3]["after"] is None


async def test_a_number_and_a_name_are_as_good_as_a_message(desk: Outlet) -> None:
    async with working(desk) as service:
        chat = Chat(desk, service, CHIEF)
        await chat.say("/editors")
        await chat.press("Додати людину")
        wrong: list[tuple[dict[str, Any], str]] = [
            ({"words": "Оксана"}, texts.STAFF_NOT_A_PERSON),
            ({"words": "0"}, texts.STAFF_NOT_A_PERSON),
            ({"words": "9" * 40 + " Оксана"}, texts.STAFF_NOT_A_PERSON),
            ({"words": "999999999999999999 Оксана"}, texts.STAFF_NOT_A_PERSON),
            ({"words": f"{EDITOR} Петро"}, refusals.KNOWN_ALREADY),
            ({"words": "x", "forwarded": 0}, texts.STAFF_HIDDEN),
            ({"words": "x" * 4000}, texts.STAFF_NOT_A_PERSON),
        ]
        for given, answer in wrong:
            (line,) = await chat.say(**given)
            assert line.text == answer, given
        await chat.say(f"{NEWCOMER} <b>Оксана</b> & Ко")
        await chat.press("редактор")
        found = await known(service)
        assert found is not None
        assert found.name == "<b>Оксана</b> & Ко"
        assert "👤 <b>Оксана</b> & Ко (1005)" in chat.last.text


async def test_who_is_named_by_the_configuration_is_changed_there_alone(desk: Outlet) -> None:
    async with working(desk) as service:
        chat = Chat(desk, service, CHIEF)
        (card,) = await chat.say("/editors")
        await chat.press("Петро")
        assert "задано в конфігурації" in card.text
        assert buttons(card) == [texts.BACK, texts.ALL_DONE]
        stands = await chat.stands()
        assert stands is not None
        for data in ("role:chief", "to:remove", "to:channels"):
            assert await forged(desk, CHIEF, card, f"talk:{stands.version}:{data}") == refusals.FROM_CONFIG
        assert await known(service, EDITOR) == Editor(telegram_id=EDITOR, name="Петро", role=Role.EDITOR)
    assert await told(desk, "audit") == []


async def test_the_last_chief_of_all_channels_stays(desk: Outlet) -> None:
    async with working(desk) as service:
        chat = Chat(desk, service, CHIEF)
        await chat.say("/editors")
        await chat.press("Додати людину")
        await chat.say(f"{NEWCOMER} Оксана")
        await chat.press("головний редактор")
        async with service.house.database.write() as tx:  # as if the configuration named nobody
            await tx.exec_driver_sql("DELETE FROM editors WHERE from_config")
        newcomer = Chat(desk, service, NEWCOMER)
        await newcomer.say("/editors")
        await newcomer.press("Оксана")
        assert await newcomer.press("редактор") == refusals.LAST_CHIEF
        await newcomer.press("Прибрати")
        assert await newcomer.press("Так, прибрати") == refusals.LAST_CHIEF
        await newcomer.press(texts.BACK, "Оксана", "Канали", "telegram-main")
        assert await newcomer.press("Далі →") == refusals.LAST_CHIEF
        found = await known(service)
        assert found is not None
        assert (found.role, found.channels) == (Role.CHIEF, ())


async def test_nobody_but_a_chief_of_all_channels_sees_or_changes_who_works_here(desk: Outlet) -> None:
    async with working(desk) as service:
        for who in (EDITOR, VIEWER, STRANGER):
            chat = Chat(desk, service, who)
            await chat.say("/editors")
            assert await chat.stands() is None
            assert not any("Редакція" in one.text for one in shown(desk, who))
        assert shown(desk, EDITOR)[-1].text == texts.NOT_FOR_ROLE.format(role="головні редактори")
        chat = Chat(desk, service, CHIEF)
        (card,) = await chat.say("/editors")
        stands = await chat.stands()
        assert stands is not None
        assert await forged(desk, EDITOR, card, f"talk:{stands.version}:of:{EDITOR}") == texts.OLD_BUTTON
        await chat.press("Додати людину")
        await chat.say(f"{NEWCOMER} Оксана")
        async with service.house.database.write() as tx:
            await tx.exec_driver_sql(f"UPDATE editors SET channels = '[\"asks\"]' WHERE telegram_id = {CHIEF}")
        assert await chat.press("головний редактор") == texts.ONLY_CHIEFS
        assert await known(service) is None
        await publish(service, a_story())
    assert await told(desk, "audit") == []
