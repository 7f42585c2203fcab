"""The composition root: builds every room from settings and owns their lifetimes.

The one file that knows them all. Rooms are given values, never the Settings object.
"""

from __future__ import annotations

import contextlib
import os
import secrets
import socket
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Any

from bot import failpoints
from bot.channels.base import Publisher
from bot.channels.facebook import FacebookPublisher
from bot.channels.photo import PhotoDesk
from bot.channels.telegram import TelegramPublisher
from bot.channels.telegram_bot import TelegramBot
from bot.channels.transport import Transport
from bot.clock import Clock, SystemClock
from bot.compose.post import Composer
from bot.configuration import Configuration
from bot.desk.furniture import Furniture
from bot.desk.room import Desk
from bot.desk.webhooks import Hook
from bot.domain.channel import Channel, ChannelId, Platform
from bot.domain.delivery import DeliveryId
from bot.errors import BotError, DatabaseError, SettingsError
from bot.insights import refresh
from bot.insights.refresh import Insights
from bot.intake.one_pass import Intake
from bot.metrics import Metrics
from bot.network import Fetcher
from bot.outbox.deliver import Deliverer
from bot.outbox.lane import Lane, Timing
from bot.outbox.preflight import Preflight
from bot.outbox.prepare import Preparer
from bot.outbox.proof import Proofreader
from bot.outbox.proving import Prover
from bot.outbox.reconcile import Reconciler
from bot.outbox.record import Recorder
from bot.outbox.worker import Worker
from bot.resources import resource
from bot.settings import (
    ChannelSettings,
    FeedSettings,
    FolderSettings,
    PageSettings,
    PushSourceSettings,
    SourceSettings,
    TableSettings,
)
from bot.sources.base import Source
from bot.sources.feed import Feed
from bot.sources.folder import Folder
from bot.sources.page import Page
from bot.sources.table import Table
from bot.store import channels as channel_rows
from bot.store import editors, pictures, steps
from bot.store import house as leases
from bot.store.bell import Bell
from bot.store.database import Database
from bot.store.pace import Limit
from bot.ticker import Ticker
from bot.web.health import Health
from bot.web.miniapp import Miniapp
from bot.web.push import Push
from bot.web.server import Server
from bot.web.session import Sessions
from bot.web.webhook import Webhook

LOOK = timedelta(seconds=5)
_LEAST_TERM = timedelta(seconds=60)  # of a replica's duty to ask a source; a dead one's is taken over after it
INGEST = "ingest"  # the name under which articles come in by hand


@dataclass(slots=True, kw_only=True)
class House:
    """The rooms that every command shares: the store, composition, the way in."""

    configuration: Configuration
    clock: Clock
    database: Database
    metrics: Metrics
    composer: Composer
    fetcher: Fetcher
    served: dict[ChannelId, Channel]
    intake: Intake
    proof: Proofreader
    queued: list[DeliveryId] = field(default_factory=list)


def templates() -> Path:
    """Return the folder of post templates: `config/templates` of the working folder, else those that came along."""
    own = Path("config/templates")
    return own if own.is_dir() else resource("config/templates")


def configured_channels(configuration: Configuration) -> list[Channel]:
    """Return the channels as the rooms know them."""
    settings = configuration.settings
    return [one.channel(settings.timezone, settings.typography) for one in settings.channels]


async def open_database(stack: AsyncExitStack, configuration: Configuration, clock: Clock) -> Database:
    """Open the database; an embedded one is brought to this release's schema by itself.

    Raises:
        DatabaseError: it is unreachable, or a PostgreSQL that is not migrated.
    """
    database = await stack.enter_async_context(Database(configuration.settings.database_url, clock))
    database.follow = steps.follow
    try:
        if database.is_embedded:
            await database.upgrade()
        await database.require_schema()
    except (BotError, OSError):
        raise
    except Exception as error:  # each driver has its own names for a database that cannot be opened
        raise DatabaseError(f"{database.shown}: {getattr(error, 'orig', None) or error}") from error
    return database


@asynccontextmanager
async def open_house(
    configuration: Configuration, *, clock: Clock | None = None, is_service: bool = False
) -> AsyncIterator[House]:
    """Open what every command shares.

    Args:
        is_service: own an embedded database; close the channels and dismiss the editors that are gone from the
            configuration.

    Raises:
        SettingsError: there is no channel to serve.
    """
    settings = configuration.settings
    if not settings.channels:
        raise SettingsError(f"{configuration.file}: channels: there is none; name at least one under [[channels]]")
    clock = clock or SystemClock()
    async with AsyncExitStack() as stack:
        database = await open_database(stack, configuration, clock)
        if is_service:
            database.own()
        configured = configured_channels(configuration)
        async with database.write() as tx:
            now = await database.now(tx)
            ids = await channel_rows.open_channels(tx, configured, now, close=is_service)
            if is_service:
                await editors.engage(tx, [one.editor() for one in settings.editors])
        served = {ids[channel.name]: channel for channel in configured}
        metrics = Metrics()
        composer = Composer(templates())
        proof = Proofreader(database, composer, served)
        house = House(
            configuration=configuration,
            clock=clock,
            database=database,
            metrics=metrics,
            composer=composer,
            fetcher=await stack.enter_async_context(Fetcher(settings.network.allow_private)),
            served=served,
            proof=proof,
            intake=Intake(
                database,
                clock,
                metrics,
                served,
                authority=[source.name for source in settings.sources],
                gather=settings.delivery.gather,
                composer=composer,
                on_queued=proof.note,
            ),
        )
        yield house


class Publishers:
    """The adapters of all channels; channels of one bot share its connections, pages share theirs."""

    def __init__(self, configuration: Configuration, stack: AsyncExitStack, pages: Transport) -> None:
        self._configuration = configuration
        self._stack = stack
        self._pages = pages
        self._bots: dict[str, TelegramBot] = {}

    async def bot(self, token: str) -> TelegramBot:
        """Return the bot of a token, the same for all that name it."""
        if token not in self._bots:
            settings = self._configuration.settings
            bot = TelegramBot(
                token,
                api_url=settings.telegram.api_url,
                timeout=settings.delivery.timeout.total_seconds(),
                longest=settings.delivery.longest.total_seconds(),
            )
            self._bots[token] = await self._stack.enter_async_context(bot)
        return self._bots[token]

    async def build(self, channel: ChannelSettings, *, two_step: bool = False) -> Publisher:
        """Return a channel's adapter; `two_step`: a page's posts are made unseen and published by their id.

        Raises:
            SettingsError: its token is missing.
        """
        settings = self._configuration.settings
        token = self._configuration.token_for(channel)
        if channel.platform is Platform.TELEGRAM:
            return TelegramPublisher(
                await self.bot(token),
                channel.address,
                web_url=settings.telegram.web_url,
                service_chat=channel.service_chat,
                token_name=channel.token_env or "VISTNYK_TELEGRAM__TOKEN",
            )
        secret = settings.facebook.app_secret
        return FacebookPublisher(
            self._pages,
            channel.address,
            token,
            api_url=settings.facebook.api_url,
            api_version=settings.facebook.api_version,
            app_id=settings.facebook.app_id,
            app_secret=secret.get_secret_value() if secret else "",
            token_name=channel.token_env,
            two_step=two_step,
        )


def two_step_fact(account: str) -> str:
    """Return the name under which the house keeps that a page was proved to publish in two steps."""
    return f"two-step {account}"


@asynccontextmanager
async def open_publishers(configuration: Configuration) -> AsyncIterator[Publishers]:
    """Open the connections to the platforms."""
    async with AsyncExitStack() as stack:
        delivery = configuration.settings.delivery
        pages = await stack.enter_async_context(
            Transport(delivery.timeout.total_seconds(), longest=delivery.longest.total_seconds())
        )
        yield Publishers(configuration, stack, pages)


def limits(configuration: Configuration, keys: Sequence[tuple[str, str]]) -> tuple[Limit, ...]:
    """Return the rates kept under some names (`Publisher.pace_keys`), each under the name that shares it."""
    pace = configuration.settings.pace
    rates = {"chat": pace.chat, "bot": pace.bot, "page": pace.page}
    return tuple(
        (f"{key} {rate.count}/{rate.period.total_seconds():g}s", rate) for scope, key in keys for rate in rates[scope]
    )


@dataclass(slots=True, kw_only=True)
class Service:
    """The whole house at work."""

    house: House
    lanes: dict[ChannelId, Lane]
    worker: Worker
    reconciler: Reconciler
    sources: list[tuple[SourceSettings, Source]]
    holder: str
    preflight: Preflight
    desk: Desk
    insights: Insights
    server: Server | None = None

    async def look(self, settings: SourceSettings, source: Source) -> None:
        """Ask one source and take in what it shows; of several replicas one at a time does."""
        term = max(3 * settings.every, _LEAST_TERM)
        async with self.house.database.write() as tx:
            now = await self.house.database.now(tx)
            if not await leases.take_lease(tx, f"source {settings.name}", self.holder, now, term):
                return
        publish_first = settings.first_pass == "publish"
        await self.house.intake.look(source, publish_first=publish_first, per_pass=settings.per_pass)

    async def give_back(self) -> None:
        """Let other replicas take over this one's duties at once."""
        with contextlib.suppress(DatabaseError):
            async with self.house.database.write() as tx:
                await leases.drop_leases(tx, self.holder)


@asynccontextmanager
async def open_service(
    configuration: Configuration, *, clock: Clock | None = None, serve_web: bool = True
) -> AsyncIterator[Service]:
    """Build the whole house. Nothing rings yet; the caller runs the worker.

    Raises:
        SettingsError: a token is missing.
        DatabaseError: the database is unreachable, not migrated, or an embedded one that another process owns.
    """
    settings = configuration.settings
    if settings.failpoints:
        failpoints.arm(settings.failpoints)
    async with AsyncExitStack() as stack:
        house = await stack.enter_async_context(open_house(configuration, clock=clock, is_service=True))
        publishers = await stack.enter_async_context(open_publishers(configuration))
        lanes: dict[ChannelId, Lane] = {}
        by_name = {one.name: one for one in settings.channels}
        async with house.database.read() as tx:
            proved = {
                one.name: await leases.fact(tx, two_step_fact(f"{one.platform}:{one.address}")) is not None
                for one in settings.channels
            }
        for channel_id, channel in house.served.items():
            two_step = proved[channel.name] and settings.mode != "shadow"
            publisher = await publishers.build(by_name[channel.name], two_step=two_step)
            lanes[channel_id] = Lane(
                id=channel_id, channel=channel, publisher=publisher, limits=limits(configuration, publisher.pace_keys)
            )
            house.metrics.channel_access.labels(channel.name).set(1)
        timing = Timing(**{name: getattr(settings.delivery, name) for name in Timing.__dataclass_fields__})
        folders = [one.path for one in settings.sources if isinstance(one, FolderSettings)]
        photos = await stack.enter_async_context(PhotoDesk(house.fetcher, folders, partial(_kept, house.database)))
        recorder = Recorder(house.database, house.clock, house.metrics, lanes, timing)
        prover = Prover(house.database, house.clock, house.composer, timing)
        preparer = Preparer(house.database, house.composer, photos, house.fetcher, budget=timing.lease / 4)
        deliverer = Deliverer(
            house.database,
            house.clock,
            house.metrics,
            preparer,
            recorder,
            prover,
            timing,
            shadow=settings.mode == "shadow",
        )
        worker = Worker(house.database, house.clock, house.metrics, lanes, deliverer)
        prover.on_proven = worker.ring
        # An embedded database has one process at a time: the next one need not wait for a dead one's duties.
        embedded = house.database.is_embedded
        holder = "embedded" if embedded else f"{socket.gethostname()}:{os.getpid()}:{secrets.token_hex(4)}"
        service = Service(
            house=house,
            holder=holder,
            insights=await stack.enter_async_context(_insights(configuration, house, lanes, holder)),
            lanes=lanes,
            worker=worker,
            reconciler=Reconciler(
                house.database, house.clock, house.metrics, lanes, recorder, prover, timing, holder=holder
            ),
            sources=[
                (one, build_source(configuration, house.fetcher, one))
                for one in settings.sources
                if not isinstance(one, PushSourceSettings)
            ],
            preflight=Preflight(house.database, house.clock, preparer, lanes, holder=holder),
            desk=await _desk(configuration, house, lanes, photos, holder),
        )

        def queued(new: list[DeliveryId]) -> None:
            house.proof.note(new)
            service.preflight.note(new)

        house.intake.on_queued = queued
        await stack.enter_async_context(Bell(house.database, worker.ring))
        if serve_web:
            calendar = _calendar(configuration, service, photos)
            service.server = await stack.enter_async_context(_server(configuration, service, calendar))
            stack.callback(calendar.live.close)  # before the server waits for pages that only listen
        yield service


async def _kept(database: Database, address: str) -> bytes | None:
    async with database.read() as tx:
        return await pictures.get(tx, address)


def _insights(configuration: Configuration, house: House, lanes: dict[ChannelId, Lane], holder: str) -> Insights:
    """Return the room that asks pages for figures; beside an older tool it asks nothing."""
    pages = [
        refresh.Page(id=lane.id, name=lane.channel.name, asker=lane.publisher.insights, limits=lane.limits)
        for lane in lanes.values()
        if isinstance(lane.publisher, FacebookPublisher) and configuration.settings.mode == "publish"
    ]
    return Insights(house.database, house.clock, pages, holder=holder)


def build_source(configuration: Configuration, fetcher: Fetcher, source: SourceSettings) -> Source:
    """Return a source that is asked for articles.

    Raises:
        SettingsError: the variable with its database is not set.
    """
    zone, rubric = configuration.settings.timezone, source.rubric
    most, baseline = source.per_pass, source.first_pass == "baseline"
    match source:
        case FeedSettings():
            return Feed(
                source.name,
                source.url,
                fetcher,
                zone=zone,
                rubric=rubric,
                full_text=source.full_text,
                per_look=most,
                baseline=baseline,
            )
        case PageSettings():
            return Page(
                source.name,
                source.url,
                source.links,
                fetcher,
                zone=zone,
                rubric=rubric,
                per_look=most,
                baseline=baseline,
            )
        case FolderSettings():
            return Folder(source.name, source.path, zone=zone, rubric=rubric)
        case TableSettings():
            url = configuration.secret_for(f"sources.{source.name}.database_env", source.database_env)
            return Table(source.name, url, source.query, source.columns, zone=zone, rubric=rubric)
        case PushSourceSettings():
            raise ValueError("a push source is not asked, it tells")


def ticker(service: Service, look: timedelta = LOOK) -> Ticker:
    """Return the bells of the service: sources, reconciling, proofreading, pre-flight, the desk's notices.

    Args:
        look: how often to see to what does not move by itself.
    """
    bells = Ticker(service.house.clock)
    if service.desk.notices is not None:
        bells.every(look, "notices", service.desk.look)
        if service.house.configuration.settings.mode == "publish":  # a look is a call to the platforms
            bells.every(4 * look, "preflight", service.preflight.look)
    bells.every(look, "reconcile", service.reconciler.reconcile)
    bells.every(look, "prove", service.reconciler.prove)
    bells.every(look, "proofread", service.house.proof.look)
    if service.insights.asks:
        bells.every(refresh.EVERY, "insights", service.insights.refresh)
    for settings, source in service.sources:
        bells.every(settings.every, f"source {settings.name}", partial(service.look, settings, source))
    return bells


async def _desk(
    configuration: Configuration,
    house: House,
    lanes: dict[ChannelId, Lane],
    photos: PhotoDesk,
    holder: str,
) -> Desk:
    """Build the desk; with nobody to talk to it only hears what proves posts of private channels."""
    settings = configuration.settings
    async with house.database.read() as tx:
        is_staffed = bool(settings.desk.chat or await editors.everyone(tx))
    token = settings.telegram.token.get_secret_value() if settings.telegram.token is not None else ""
    speaks = bool(token and is_staffed and settings.mode == "publish")
    heard = [token] if speaks else []
    for channel in settings.channels if settings.mode == "publish" else ():
        if channel.platform is Platform.TELEGRAM and (speaks or not channel.address.startswith("@")):
            heard.append(configuration.token_for(channel))
    bots: dict[str, TelegramBot] = {}
    for one in heard:
        bot = TelegramBot(
            one,
            api_url=settings.telegram.api_url,
            timeout=settings.delivery.timeout.total_seconds(),
            longest=settings.delivery.longest.total_seconds(),
        )
        if one.strip():
            bots.setdefault(bot.account, bot)
    own = next(iter(bots.values())) if speaks else None

    def pace(chat: int) -> tuple[Limit, ...]:
        kept = limits(configuration, (("chat", f"chat:telegram:{chat}"), ("bot", f"bot:{own.account if own else ''}")))
        # The rate by the minute is that of groups; a private chat knows only the one by the second.
        return kept if chat < 0 else tuple(one for one in kept if one[1].period <= timedelta(seconds=1))

    return Desk(
        Furniture(
            database=house.database,
            clock=house.clock,
            served=house.served,
            publishers={lane.id: lane.publisher for lane in lanes.values()},
            composer=house.composer,
            photos=photos,
            intake=house.intake,
            fetcher=house.fetcher,
            holder=holder,
            zone=settings.timezone,
            bot=own,
            bots=list(bots.values()),
            limits=pace,
            chat=settings.desk.chat,
            quiet=settings.desk.quiet,
            undo=settings.desk.undo,
            summary_at=settings.desk.summary_at,
            sources=[one.name for one in settings.sources],
            alert_url=settings.alert_url.get_secret_value() if settings.alert_url is not None else "",
            web_url=settings.telegram.web_url,
            hook=_hook(configuration),
            calendar_url=_calendar_url(configuration),
        )
    )


def _calendar_url(configuration: Configuration) -> str:
    """Return where people reach the calendar; without a public address only those on this very machine do."""
    web = configuration.settings.web
    local = f"http://{web.host}:{web.port}" if web.host.startswith("127.") and web.port else ""
    return web.public_url or local


def _hook(configuration: Configuration) -> Hook | None:
    """Return where Telegram brings updates; None where it is asked for them."""
    telegram = configuration.settings.telegram
    if not telegram.webhook_url or telegram.webhook_secret is None:
        return None
    return Hook(url=telegram.webhook_url, secret=telegram.webhook_secret.get_secret_value())


def _calendar(configuration: Configuration, service: Service, photos: PhotoDesk) -> Miniapp:
    settings, house = configuration.settings, service.house
    sessions = Sessions(
        house.database, house.clock, sorted(configuration.bot_tokens()), public_url=settings.web.public_url
    )
    return Miniapp(
        house.database,
        house.clock,
        sessions,
        house.composer,
        photos,
        house.served,
    )


def _server(configuration: Configuration, service: Service, calendar: Miniapp) -> Server:
    settings, house = configuration.settings, service.house
    push = next((one.name for one in settings.sources if one.kind == "push"), "push")
    worker, clock, hook = service.worker, house.clock, service.desk.given.hook

    async def receive(number: str, plain: Mapping[str, Any]) -> bool:
        return await service.desk.receive(number, plain)

    webhooks = [Webhook(receive, clock, hook.secret)] if hook is not None else []
    return Server(
        host=settings.web.host,
        port=settings.web.port,
        ops_port=settings.web.ops_port,
        public=[Push(house.intake, clock, settings.push.accepted, push), calendar, *webhooks],
        operations=[Health(house.database, house.metrics, lambda: clock.running() - worker.beat_at)],
        trusted_proxies=settings.web.trusted_proxies,
    )
