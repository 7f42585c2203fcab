"""Furnishes the conversations: builds each story and makes its command and its buttons known."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from functools import partial
from importlib import import_module

from bot.desk import talks, when
from bot.desk.dispatch import Dispatcher
from bot.desk.drafts import Open, Tools
from bot.desk.editing import Editing
from bot.desk.furniture import Furniture
from bot.desk.gathering import Gathering
from bot.desk.hiring import Hiring
from bot.desk.posting import Posting
from bot.desk.retracting import Retracting
from bot.desk.showing import Shower
from bot.desk.subjects import Subjects
from bot.desk.talks import Talks
from bot.desk.voice import Replies, Voice
from bot.domain.article import Article

_PAGE_WITHIN = 8.0  # seconds: others are not heard meanwhile


def converse(
    given: Furniture,
    dispatcher: Dispatcher,
    voice: Voice,
    replies: Replies,
    stirred: Callable[[], None],
    moved: Callable[[], None],
) -> None:
    """Have the desk's bot hold conversations.

    Args:
        stirred: called when an editor has changed the queue.
        moved: called when somebody came, went, or got another role.
    """
    shower = Shower(voice, given.photos.get)
    told = Talks(given.database, voice, replies, shower, given.served)
    tools = Tools(
        database=given.database,
        served=given.served,
        composer=given.composer,
        open_page=opener(given),
        keep=given.intake.keep,
        when=partial(when.read, zone=given.zone),
        zone=given.zone,
        undo=given.undo,
        stirred=stirred,
        queued=lambda new: given.intake.on_queued(new),
    )
    dispatcher.hears, dispatcher.leaves = told.hear, told.leave
    dispatcher.presses[talks.PRESS] = told.press
    dispatcher.commands.serve("post", Posting(told, tools).command)
    subjects = Subjects(given.served)
    editing = Editing(told, tools, subjects)
    dispatcher.commands.serve("edit", editing.command)
    dispatcher.presses["edit"] = editing.press
    dispatcher.commands.serve("editors", Hiring(told, given.served, moved).command)
    dispatcher.commands.serve("digest", Gathering(told, tools).command)
    dispatcher.commands.serve("retract", Retracting(told, tools, subjects).command)


def opener(given: Furniture) -> Open:
    """Return what fetches a page and reads its article."""

    async def open_page(url: str) -> Article:
        # Reading pages weighs a second: loaded with the first one, while others are served.
        page = await asyncio.to_thread(import_module, "bot.sources.page")
        async with asyncio.timeout(_PAGE_WITHIN):
            article: Article = await page.open_page(given.fetcher, url, zone=given.zone)
            return article

    return open_page
