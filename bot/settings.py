"""Everything an operator can set, with its defaults; `configuration` reads it. Names stand in the contract."""

from __future__ import annotations

import json
import re
from datetime import time, timedelta
from ipaddress import IPv4Network, IPv6Network
from pathlib import Path
from typing import Annotated, Literal
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    PlainSerializer,
    SecretStr,
    model_validator,
)
from pydantic_settings import (
    BaseSettings,
    NoDecode,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
)

from bot.domain import channel as domain
from bot.domain.editor import Editor, Role
from bot.domain.pace import Rate, parse_rates
from bot.domain.timetable import CatchUp, Daily, Timetable

PREFIX = "VISTNYK_"
_UNITS = {"ms": 0.001, "s": 1, "m": 60, "h": 3600, "d": 86400}
_DURATION = re.compile(r"(\d+(?:\.\d+)?)(ms|s|m|h|d)")
_DATABASES = ("sqlite+aiosqlite", "postgresql+asyncpg")
_WEBHOOK_SECRET = re.compile(r"[A-Za-z0-9_-]{1,256}")  # setWebhook
_ROOM_FOR_CALL = 0.8  # of a lease; the rest is for the record to be written


def parse_duration(value: object) -> timedelta:
    """Read "500ms", "5s", "5m", "12h" or "2d"."""
    if isinstance(value, timedelta):
        return value
    found = _DURATION.fullmatch(value.strip()) if isinstance(value, str) else None
    if not found:
        raise ValueError("a duration is written like 500ms, 5s, 5m, 12h or 2d")
    try:
        return timedelta(seconds=float(found[1]) * _UNITS[found[2]])
    except OverflowError as error:
        raise ValueError("a duration is at most 999999999d") from error


def _longer_than_nothing(span: timedelta) -> timedelta:
    if not span:
        raise ValueError("it must be longer than nothing")
    return span


def _database_url(url: str) -> str:
    try:
        parts = urlsplit(url)
        well = parts.scheme in _DATABASES and url.startswith(f"{parts.scheme}://") and (parts.port or True)
    except ValueError:
        well = False
    if not well:
        raise ValueError(f"a database is at {' or '.join(f'{scheme}://…' for scheme in _DATABASES)}")
    return url


def _variable(name: str) -> str:
    if not re.fullmatch(r"([A-Za-z_]\w{0,99})?", name):
        raise ValueError("it is the name of a variable, like NEWS_TOKEN; what the variable holds never stands here")
    return name


def _rates(value: object) -> object:
    return parse_rates(value) if isinstance(value, str) else value


def _daily(value: object) -> object:
    return Daily.parse(value) if isinstance(value, str) else value


def _zone(value: object) -> object:
    if isinstance(value, ZoneInfo):
        return value
    try:
        return ZoneInfo(str(value))
    except (ZoneInfoNotFoundError, ValueError) as error:
        raise ValueError("a zone is named like Europe/Kyiv") from error


def _listed(value: object) -> object:
    """Read a list from a variable: JSON, or simply with commas."""
    if not isinstance(value, str):
        return value
    if value.lstrip().startswith("["):
        try:
            return json.loads(value)
        except json.JSONDecodeError as error:
            raise ValueError(f"it is no JSON list: {error}") from error
    return [part.strip() for part in value.split(",") if part.strip()]


Duration = Annotated[timedelta, BeforeValidator(parse_duration)]
Stretch = Annotated[Duration, AfterValidator(_longer_than_nothing)]
Variable = Annotated[str, AfterValidator(_variable)]
Rates = Annotated[tuple[Rate, ...], NoDecode, BeforeValidator(_rates)]
Span = Annotated[Daily, BeforeValidator(_daily)]
Spans = Annotated[tuple[Span, ...], NoDecode, BeforeValidator(_listed)]
Networks = Annotated[tuple[IPv4Network | IPv6Network, ...], NoDecode, BeforeValidator(_listed)]
Secrets = Annotated[tuple[SecretStr, ...], NoDecode, BeforeValidator(_listed)]
Zone = Annotated[ZoneInfo, BeforeValidator(_zone), PlainSerializer(str)]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, arbitrary_types_allowed=True, hide_input_in_errors=True)


class TelegramSettings(_Strict):
    token: SecretStr | None = None
    api_url: str = "https://api.telegram.org"
    web_url: str = "https://t.me"
    webhook_url: str = Field(default="", pattern=r"^(https?://\S+)?$")
    webhook_secret: SecretStr | None = None

    @model_validator(mode="after")
    def _webhook_is_guarded(self) -> TelegramSettings:
        secret = self.webhook_secret.get_secret_value() if self.webhook_secret is not None else ""
        if secret and not _WEBHOOK_SECRET.fullmatch(secret):
            raise ValueError("webhook_secret is of 1 to 256 letters A-Z and a-z, digits, _ and -")
        if self.webhook_url and not secret:
            raise ValueError("webhook_url needs a webhook_secret: anybody could bring updates without it")
        return self


class FacebookSettings(_Strict):
    api_url: str = "https://graph.facebook.com"
    api_version: str = "v26.0"
    app_id: str = ""
    app_secret: SecretStr | None = None


class WebSettings(_Strict):
    host: str = "127.0.0.1"
    port: int = Field(default=8080, ge=0, le=65535)
    public_url: str = ""
    ops_port: int = Field(default=0, ge=0, le=65535)
    trusted_proxies: Networks = ()


class PushSettings(_Strict):
    tokens: Secrets = ()
    token: SecretStr | None = None

    @property
    def accepted(self) -> tuple[str, ...]:
        """All bearer tokens that open the push API."""
        several = [token.get_secret_value() for token in self.tokens]
        one = [self.token.get_secret_value()] if self.token else []
        return tuple(token for token in several + one if token)


class NetworkSettings(_Strict):
    allow_private: Networks = ()


class LogSettings(_Strict):
    level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = "INFO"
    format: Literal["console", "json"] | None = None


class DeliverySettings(_Strict):
    timeout: Stretch = timedelta(seconds=8)
    lease: Stretch = timedelta(seconds=30)
    settle: Duration = timedelta(seconds=90)
    facebook_settle: Duration = timedelta(minutes=10)
    hold_after: Duration = timedelta(minutes=30)
    gather: Duration = timedelta(minutes=2)

    @property
    def longest(self) -> timedelta:
        """How long a call with a large body may take: what the guard leaves of the lease, but for the record."""
        return self.lease * _ROOM_FOR_CALL - self.lease / 3

    @model_validator(mode="after")
    def _holds_the_guard(self) -> DeliverySettings:
        if self.timeout > self.longest:
            raise ValueError(
                f"lease {self.lease.total_seconds():g}s is too short for timeout {self.timeout.total_seconds():g}s:"
                f" lease/3 + timeout must not exceed {_ROOM_FOR_CALL:g} of the lease"
            )
        return self


class PaceSettings(_Strict):
    chat: Rates = parse_rates("1/s,20/m")
    bot: Rates = parse_rates("30/s")
    page: Rates = parse_rates("1/s")


class DeskSettings(_Strict):
    chat: int = 0
    undo: Duration = timedelta(seconds=10)
    quiet: Spans = (Daily.parse("23:00-07:00"),)
    summary_at: time = time(21)


class _Source(_Strict):
    name: str = Field(pattern=r"^[\w.-]{1,64}$")
    every: Stretch = timedelta(seconds=60)
    rubric: str = ""
    first_pass: Literal["baseline", "publish"] = "baseline"
    per_pass: int = Field(default=20, ge=1)


class FeedSettings(_Source):
    kind: Literal["feed"]
    url: str = Field(pattern=r"^https?://")
    full_text: bool = False


class PageSettings(_Source):
    kind: Literal["page"]
    url: str = Field(pattern=r"^https?://")
    links: str


class FolderSettings(_Source):
    kind: Literal["folder"]
    path: Path
    every: Stretch = timedelta(seconds=5)
    first_pass: Literal["baseline", "publish"] = "publish"


class TableSettings(_Source):
    kind: Literal["table"]
    database_env: Annotated[Variable, Field(min_length=1)]
    query: str
    columns: dict[str, str] = {}


class PushSourceSettings(_Source):
    kind: Literal["push"]


SourceSettings = Annotated[
    FeedSettings | PageSettings | FolderSettings | TableSettings | PushSourceSettings, Field(discriminator="kind")
]


class CallToActionSettings(_Strict):
    text: str = ""
    url: str = Field(default="", pattern=r"^(https?://.*)?$")


class ScheduleSettings(_Strict):
    windows: Spans = (Daily.parse("07:00-23:00"),)
    blackouts: Spans = (Daily.parse("09:00-09:02"),)
    min_gap: Duration = timedelta(minutes=5)
    max_per_day: int = Field(default=0, ge=0)
    fresh_for: Duration = timedelta(hours=12)
    catch_up: CatchUp = CatchUp.LATEST


class ChannelSettings(_Strict):
    name: str = Field(pattern=r"^[\w.-]{1,64}$")
    platform: domain.Platform
    address: str
    token_env: Variable = ""
    service_chat: int = 0
    sources: tuple[str, ...] = ()
    rubrics: tuple[str, ...] = ()
    exclude_rubrics: tuple[str, ...] = ()
    template: str = Field(default="default", pattern=r"^[\w-]+$")
    call_to_action: CallToActionSettings = CallToActionSettings()
    photo: domain.PhotoPolicy = domain.PhotoPolicy.REQUIRE_CREDIT
    default_credit: str = ""
    summary: int = Field(default=400, ge=0, le=4000)
    approval: domain.Approval = domain.Approval.NONE
    require_link: bool = True
    check_link: bool = True
    silent: Spans = (Daily.parse("22:00-08:00"),)
    corrections: domain.Corrections = domain.Corrections.EDIT
    retractions: domain.Retractions = domain.Retractions.DELETE
    same_story: domain.SameStory = domain.SameStory.EDIT
    link_parameters: dict[str, str] = {}
    schedule: ScheduleSettings = ScheduleSettings()

    @model_validator(mode="after")
    def _address_fits(self) -> ChannelSettings:
        if self.platform is domain.Platform.TELEGRAM:
            if not re.fullmatch(r"@\w{4,32}|-?\d+", self.address):
                raise ValueError(f"address {self.address!r} is neither @name nor a numeric chat id")
        elif not self.address.isdigit():
            raise ValueError(f"address {self.address!r} is no Facebook page id (digits)")
        elif not self.token_env:
            raise ValueError("a Facebook channel names the variable with its page token in token_env")
        return self

    def channel(self, zone: ZoneInfo, typography: bool) -> domain.Channel:
        """Return the value the rooms work with."""
        elsewhere = {"token_env", "schedule", "call_to_action", "link_parameters"}
        return domain.Channel(
            **{name: getattr(self, name) for name in ChannelSettings.model_fields if name not in elsewhere},
            call_to_action=domain.CallToAction(**self.call_to_action.model_dump()),
            link_parameters=tuple(self.link_parameters.items()),
            typography=typography,
            timetable=Timetable(
                zone=zone, **{name: getattr(self.schedule, name) for name in ScheduleSettings.model_fields}
            ),
        )


class EditorSettings(_Strict):
    telegram_id: int = Field(gt=0)
    name: str = Field(min_length=1)
    role: Literal["viewer", "editor", "chief"]
    channels: tuple[str, ...] = ()

    def editor(self) -> Editor:
        """Return the value the rooms work with."""
        return Editor(telegram_id=self.telegram_id, name=self.name, role=Role.named(self.role), channels=self.channels)


class Settings(BaseSettings):
    """All settings; the last four come from TOML alone."""

    model_config = SettingsConfigDict(
        env_prefix=PREFIX,
        env_nested_delimiter="__",
        extra="forbid",
        frozen=True,
        arbitrary_types_allowed=True,
        hide_input_in_errors=True,
    )

    database_url: Annotated[str, AfterValidator(_database_url)] = "sqlite+aiosqlite:///data/vistnyk.db"
    mode: Literal["publish", "shadow"] = "publish"
    alert_url: SecretStr | None = None
    failpoints: str = ""  # for tests of crashes alone, see bot/failpoints.py
    telegram: TelegramSettings = TelegramSettings()
    facebook: FacebookSettings = FacebookSettings()
    web: WebSettings = WebSettings()
    push: PushSettings = PushSettings()
    network: NetworkSettings = NetworkSettings()
    log: LogSettings = LogSettings()
    delivery: DeliverySettings = DeliverySettings()
    pace: PaceSettings = PaceSettings()
    desk: DeskSettings = DeskSettings()
    timezone: Zone = ZoneInfo("Europe/Kyiv")
    typography: bool = False
    sources: tuple[SourceSettings, ...] = ()
    channels: tuple[ChannelSettings, ...] = ()
    editors: tuple[EditorSettings, ...] = ()

    @model_validator(mode="after")
    def _names_agree(self) -> Settings:
        for what, names in (
            ("sources", [source.name for source in self.sources]),
            ("channels", [channel.name for channel in self.channels]),
        ):
            twice = sorted({name for name in names if names.count(name) > 1})
            if twice:
                raise ValueError(f"{what}: the name {twice[0]!r} stands twice; each needs its own")
        known = {source.name for source in self.sources} | {"ingest"}
        for channel in self.channels:
            for name in channel.sources:
                if name not in known:
                    raise ValueError(
                        f"channels.{channel.name}.sources: {name!r} is none of the sources ({', '.join(sorted(known))})"
                    )
        here = {channel.name for channel in self.channels}
        for editor in self.editors:
            for name in editor.channels:
                if name not in here:
                    raise ValueError(f"editors.{editor.name}.channels: there is no channel {name!r}")
        return self

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        # `load` merges the environment, .env, secrets and TOML itself and hands them over as one.
        return (init_settings,)
