"""`vistnyk check`: everything that can be known to be wrong before a post fails.

Publishes nothing, changes nothing; but for `prove_two_step`, which is asked for by name.
"""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import replace

from bot.app import (
    Publishers,
    build_source,
    configured_channels,
    open_database,
    open_publishers,
    templates,
    two_step_fact,
)
from bot.channels.base import Finding
from bot.channels.facebook import FacebookPublisher
from bot.clock import SystemClock
from bot.compose.check import faults
from bot.compose.post import Composer
from bot.configuration import Configuration, Surroundings, read
from bot.domain.channel import Platform
from bot.domain.editor import Editor
from bot.errors import BotError, DatabaseError, SettingsError
from bot.logs import set_up
from bot.network import Fetcher
from bot.store import editors, house
from bot.store.database import SCHEMA, Database

_NO_CHANNEL = "{}: there is no channel; name at least one under [[channels]]"


async def findings(surroundings: Surroundings | None = None) -> AsyncIterator[Finding]:
    """Yield every finding, in the order in which an operator would mend them."""
    try:
        configuration = read(surroundings)
    except SettingsError as error:
        for line in str(error).splitlines():
            yield Finding(name="configuration", ok=False, detail=line)
        return
    set_up(level="ERROR", form=None, secrets=configuration.secrets())
    async for finding in _findings(configuration):
        yield finding


async def prove_two_step(configuration: Configuration, name: str) -> Finding:
    """Find out by a test post whether a page lets posts be made unseen and published by their id, and remember it.

    Raises:
        SettingsError: there is no such Facebook channel.
        DatabaseError: the outcome could not be kept.
    """
    pages = {one.name: one for one in configuration.settings.channels if one.platform is Platform.FACEBOOK}
    if name not in pages:
        raise SettingsError(f"--two-step {name!r}: no Facebook channel has this name; there are: {', '.join(pages)}")
    async with AsyncExitStack() as stack:
        database = await open_database(stack, configuration, SystemClock())
        publishers = await stack.enter_async_context(open_publishers(configuration))
        publisher = await publishers.build(pages[name])
        if not isinstance(publisher, FacebookPublisher):
            raise TypeError(f"{publisher!r} is no page")
        finding = await publisher.prove_two_step()
        async with database.write() as tx:
            proved_at = await database.now(tx) if finding.ok else None
            await house.keep_fact(tx, two_step_fact(publisher.account), proved_at)
    return replace(finding, name=f"channel {name}: {finding.name}")


async def _findings(configuration: Configuration) -> AsyncIterator[Finding]:
    settings = configuration.settings
    known = f"{len(settings.channels)} channels, {len(settings.sources)} sources, {len(settings.editors)} editors"
    if settings.channels:
        yield Finding(name="configuration", ok=True, detail=known)
    else:
        yield Finding(name="configuration", ok=False, detail=_NO_CHANNEL.format(configuration.file))
    for finding in _templates(configuration):
        yield finding
    yield await _database(configuration)
    async with open_publishers(configuration) as publishers:
        async for finding in _channels(configuration, publishers):
            yield finding
        async for finding in _editors(configuration, publishers):
            yield finding
    async for finding in _sources(configuration):
        yield finding


def _templates(configuration: Configuration) -> list[Finding]:
    try:
        composer = Composer(templates())
        wrong = [fault for channel in configured_channels(configuration) for fault in faults(composer, channel)]
    except BotError as error:
        wrong = [str(error)]
    if not wrong:
        return [Finding(name="templates", ok=True, detail=str(templates()))]
    return [Finding(name="templates", ok=False, detail=fault) for fault in dict.fromkeys(wrong)]


async def _database(configuration: Configuration) -> Finding:
    name = "database"
    try:
        database = Database(configuration.settings.database_url, SystemClock())
    except SettingsError as error:
        return Finding(name=name, ok=False, detail=str(error))
    if database.path is not None and not database.path.exists():
        detail = f"{database.path} is not there yet; the first start makes it"
        return Finding(name=name, ok=False, detail=f"database not migrated: {detail} (or `vistnyk db upgrade`)")
    try:
        async with database:
            await database.require_schema()
    except (DatabaseError, OSError) as error:
        return Finding(name=name, ok=False, detail=str(error))
    except Exception as error:  # whatever the driver calls it, it is a fault to be named
        return Finding(name=name, ok=False, detail=f"{database.shown}: {error}")
    return Finding(name=name, ok=True, detail=f"{database.shown}, schema {SCHEMA}")


async def _channels(configuration: Configuration, publishers: Publishers) -> AsyncIterator[Finding]:
    for channel in configuration.settings.channels:
        name = f"channel {channel.name}"
        try:
            findings = await (await publishers.build(channel)).check()
        except BotError as error:
            yield Finding(name=name, ok=False, detail=str(error))
            continue
        for finding in findings:
            yield Finding(name=f"{name}: {finding.name}", ok=finding.ok, detail=finding.detail)


async def _everyone(configuration: Configuration) -> list[Editor]:
    """Return the editors of the configuration, and those that were added in Telegram where the store can be asked."""
    known = {one.telegram_id: one.editor() for one in configuration.settings.editors}
    database = Database(configuration.settings.database_url, SystemClock())
    if database.path is None or database.path.exists():
        with contextlib.suppress(Exception):  # what is wrong with it was told by its own finding
            async with database, database.read() as tx:
                known = {one.telegram_id: one for one in await editors.added(tx)} | known
    return list(known.values())


async def _editors(configuration: Configuration, publishers: Publishers) -> AsyncIterator[Finding]:
    """Ask whether each editor has opened the chat with the desk's bot."""
    people = await _everyone(configuration)
    token = configuration.settings.telegram.token
    if not people:
        return
    if token is None:
        yield Finding(
            name="editors", ok=False, detail="there is no token for the desk's bot; set VISTNYK_TELEGRAM__TOKEN"
        )
        return
    bot = await publishers.bot(token.get_secret_value())
    for editor in people:
        name = f"editor {editor.name}"
        try:
            started = await bot.has_started(editor.telegram_id)
        except BotError as error:
            yield Finding(name=name, ok=False, detail=str(error))
            continue
        detail = (
            "" if started else f"{editor.name} ({editor.telegram_id}) has not pressed /start in the chat with the bot"
        )
        yield Finding(name=name, ok=started, detail=detail)


async def _sources(configuration: Configuration) -> AsyncIterator[Finding]:
    async with Fetcher(configuration.settings.network.allow_private) as fetcher:
        for settings in configuration.settings.sources:
            name = f"source {settings.name}"
            if settings.kind == "push":
                accepted = configuration.settings.push.accepted
                detail = "" if accepted else "no token is accepted; set VISTNYK_PUSH__TOKENS"
                yield Finding(name=name, ok=bool(accepted), detail=detail)
                continue
            try:
                found = await build_source(configuration, fetcher, settings).look({})
            except BotError as error:
                yield Finding(name=name, ok=False, detail=str(error))
                continue
            detail = f"{len(found.articles)} articles"
            if found.rejected:
                detail += (
                    f", {len(found.rejected)} rejected; the first: {found.rejected[0].where}: {found.rejected[0].why}"
                )
            yield Finding(name=name, ok=True, detail=detail)
