"""The desk in the journeys: people who write and press in the sandbox, and what they are shown."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from bot.app import Service
from bot.desk.room import Desk
from bot.desk.updates import Patience
from bot.domain.article import Article
from bot.sandbox import mishaps
from bot.sandbox.telegram_updates import Inbox
from bot.sandbox.telegram_world import SandboxPost
from bot.store import notices
from tests.factories import an_article
from tests.journeys.outlet import BOT_ID, Outlet, ledger, publish, queue
from tests.journeys.outlet import until as until_soon

CHIEF, EDITOR, VIEWER, ELSEWHERE, STRANGER = 1001, 1002, 1003, 1004, 1999
_CHANNEL = """
[[channels]]
name = "{name}"
platform = "telegram"
address = "{address}"
call_to_action = {{ text = "Підписуйтесь на наш Telegram", url = "https://t.me/outlet_main" }}
check_link = {check_link}
approval = "{approval}"
template = "{template}"
silent = []
rubrics = ["{rubric}"]
[channels.schedule]
windows = []
blackouts = []
min_gap = "0s"
fresh_for = "7d"
catch_up = "all"
"""
STAFF = """
[[editors]]
telegram_id = 1001
name = "Олена"
role = "chief"

[[editors]]
telegram_id = 1002
name = "Петро"
role = "editor"

[[editors]]
telegram_id = 1003
name = "Віра"
role = "viewer"

[[editors]]
telegram_id = 1004
name = "Гліб"
role = "editor"
channels = ["facebook-main"]
"""
CLOSED = -1001000000009
CHANNELS = "".join(
    _CHANNEL.format(
        name=name, address=address, check_link=check_link, approval=approval, template=template, rubric=rubric
    )
    for name, address, check_link, approval, template, rubric in (
        ("closed", CLOSED, "false", "none", "default", "Закрите"),
        ("strict", "@outlet_strict", "true", "none", "default", "Суворе"),
        ("asks", "@outlet_asks", "false", "editor", "default", "З погодженням"),
        ("odd", "@outlet_odd", "false", "none", "no-such", "Дивне"),
    )
)
PATIENCE = Patience(poll=2.0, retry=0.2, conflict=0.2)


def staff(outlet: Outlet, *, started: bool = True, **lines: str) -> None:
    """Give an outlet editors and four more channels, each for a rubric of its own.

    `closed` is private, `strict` opens each article's page, `asks` waits for an editor, `odd` has a template that is
    not there. The chief has opened the chat with the bot.
    """
    outlet.write(more=CHANNELS + STAFF, **lines)
    outlet.variables |= {"VISTNYK_DESK__UNDO": "0s", "VISTNYK_DESK__QUIET": "[]"}  # whatever the hour of the test
    telegram = outlet.sandbox.telegram
    telegram.add_channel(None, id=CLOSED, title="Закритий", bots={BOT_ID: None})
    for number, name in enumerate(("strict", "asks", "odd"), start=11):
        telegram.add_channel(f"outlet_{name}", id=-1001000000000 - number, title=name, bots={BOT_ID: None})
    for number, name in ((CHIEF, "Олена"), (EDITOR, "Петро"), (VIEWER, "Віра"), (ELSEWHERE, "Гліб")):
        telegram.add_user(number, name, started=[BOT_ID])
    telegram.add_user(STRANGER, "Хтось")
    if started:
        telegram.say(CHIEF, BOT_ID, "/start")


async def until(condition: Any, *, seconds: float = 40.0) -> None:
    """Wait until a condition holds, as long as a busy machine may need."""
    await until_soon(condition, seconds=seconds)


@asynccontextmanager
async def working(outlet: Outlet, patience: Patience = PATIENCE) -> AsyncIterator[Service]:
    """Open the bot with its desk listening; bells are rung by hand."""
    async with outlet.open() as service:
        service.desk = Desk(replace(service.desk.given, patience=patience))
        async with service.desk:
            yield service


async def greeted(outlet: Outlet) -> None:
    """Wait until the chief was greeted, and can be written to."""
    await until(lambda: any("Вітаю, Олена" in post.text for post in shown(outlet, CHIEF)))


async def line(service: Service, url: str, channel: str = "asks") -> dict[str, Any]:
    """Return an article's post in a channel, wherever it stands."""
    found = [one for one in [*await queue(service), *await ledger(service)] if one["article_url"] == url]
    return next(one for one in found if one["channel"] == channel)


def inbox(outlet: Outlet, bot: int = BOT_ID) -> Inbox:
    """Return what a bot has not confirmed yet."""
    return outlet.sandbox._post.inbox(bot)


async def settled(outlet: Outlet) -> None:
    """Wait until all that was said so far is handled and confirmed."""
    await until(lambda: not inbox(outlet).waiting)


def shown(outlet: Outlet, person: int) -> list[SandboxPost]:
    """Return what the bot has written to a person, as it reads now, oldest first."""
    return [post for post in outlet.sandbox.telegram.posts(person) if post.author == BOT_ID]


def cards(outlet: Outlet, person: int = CHIEF) -> list[SandboxPost]:
    """Return what a person was told of, greetings left out."""
    return [post for post in shown(outlet, person) if not post.text.startswith("Вітаю")]


def buttons(post: SandboxPost) -> list[str]:
    """Return the words on a message's buttons."""
    return [one["text"] for row in (post.reply_markup or {}).get("inline_keyboard", []) for one in row]


async def pressed(outlet: Outlet, person: int, post: SandboxPost, button: str) -> str:
    """Press a button and return the line that answers."""
    query = outlet.sandbox.telegram.press(person, post, button)
    return await answer_to(outlet, query)


async def forged(outlet: Outlet, person: int, post: SandboxPost, data: str) -> str:
    """Send a press with data that no button has."""
    telegram = outlet.sandbox.telegram
    return await answer_to(outlet, telegram._pressed(telegram.users[person], post, data))


async def answer_to(outlet: Outlet, query: str) -> str:
    answers = outlet.sandbox.telegram.answers
    await until(lambda: any(one["callback_query_id"] == query for one in answers))
    return next(one.get("text", "") for one in answers if one["callback_query_id"] == query)


def a_story(**changes: Any) -> Article:
    """Return an article of a minute ago, without a photo."""
    return an_article(**({"photo_credit": "", "published_at": datetime.now(UTC) - timedelta(minutes=1)} | changes))


async def unproven(service: Service, outlet: Outlet, *, arrives: bool, **changes: Any) -> str:
    """Have a post of the private channel leave without an answer; return its article's address."""
    mishap = mishaps.reset_after_publishing if arrives else mishaps.drop_before
    outlet.sandbox.telegram.next("sendMessage", mishap, chat=CLOSED)
    article = a_story(rubric="Закрите", **changes)
    await publish(service, article)
    await service.reconciler.reconcile()
    return article.url


async def open_notices(service: Service) -> list[notices.Notice]:
    async with service.house.database.read() as tx:
        return await notices.opened(tx)
