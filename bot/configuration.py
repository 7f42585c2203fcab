"""Reads the settings: environment over `.env` over files in /run/secrets over the TOML file.

What is wrong is told in one line each: where, which key, what value, what is allowed. Secrets are told by name only.
"""

from __future__ import annotations

import os
import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from dotenv import dotenv_values
from pydantic import SecretStr, ValidationError
from pydantic_core import ErrorDetails
from pydantic_settings import EnvSettingsSource

from bot.errors import SettingsError
from bot.settings import PREFIX, ChannelSettings, Settings, TableSettings

SECRETS = Path("/run/secrets")
_SECRETIVE = re.compile(r"token|secret|password|database_url|alert_url", re.IGNORECASE)


class _Variables(EnvSettingsSource):
    """Reads settings from variables that are already merged."""

    def __init__(self, variables: Mapping[str, str]) -> None:
        self._variables = {name.lower(): value for name, value in variables.items()}
        super().__init__(Settings)

    def _load_env_vars(self) -> Mapping[str, str | None]:
        return self._variables


class Surroundings:
    """The variables around the process: environment over `.env` over files in /run/secrets."""

    def __init__(
        self, environment: Mapping[str, str] | None = None, *, dotenv: Path = Path(".env"), secrets: Path = SECRETS
    ) -> None:
        merged: dict[str, str] = {}
        if secrets.is_dir():
            for file in secrets.iterdir():
                if file.is_file():
                    merged[file.name.upper()] = file.read_text("utf-8").strip()
        merged |= {name.upper(): value for name, value in dotenv_values(dotenv).items() if value is not None}
        merged |= {name.upper(): value for name, value in (os.environ if environment is None else environment).items()}
        self.variables: Mapping[str, str] = merged

    def lookup(self, name: str) -> SecretStr | None:
        """Return the variable that TOML names, None where it is not set."""
        value = self.variables.get(name.upper(), "")
        return SecretStr(value) if value else None


def load(surroundings: Surroundings | None = None, *, config: Path | None = None) -> Settings:
    """Read all settings.

    Args:
        surroundings: the variables; those of the process if none are given.
        config: the TOML file; VISTNYK_CONFIG or config/vistnyk.toml if none is given.

    Raises:
        SettingsError: one line for each fault.
    """
    surroundings = surroundings or Surroundings()
    named = surroundings.variables.get(f"{PREFIX}CONFIG", "")
    path = config or Path(named or "config/vistnyk.toml")
    if named and config is None and not path.is_file():
        raise SettingsError(f"VISTNYK_CONFIG: {path} is no file; name a TOML file like config/vistnyk.toml")
    toml = _toml(path) if path.is_file() else {}
    try:
        variables = _Variables(surroundings.variables)()
    except Exception as error:
        raise SettingsError(f"environment: {_plain(error)}") from error
    try:
        return Settings(**_over(toml, variables))
    except ValidationError as error:
        lines = [_complaint(fault, path, variables) for fault in error.errors(include_url=False)]
        raise SettingsError("\n".join(lines)) from None


def _toml(path: Path) -> dict[str, Any]:
    try:
        toml = tomllib.loads(path.read_text("utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, OSError) as error:
        raise SettingsError(f"{path}: {error}") from error
    for place, name in _secret_keys(toml):
        raise SettingsError(f"{path}: {place}: secrets never stand in TOML; set {PREFIX}{name} in the environment")
    return toml


def _secret_keys(toml: dict[str, Any]) -> list[tuple[str, str]]:
    """Name the keys of Settings that hold secrets and yet stand in TOML."""
    found = []
    for group, key in (
        ("telegram", "token"),
        ("telegram", "webhook_secret"),
        ("facebook", "app_secret"),
        ("push", "token"),
        ("push", "tokens"),
    ):
        if isinstance(toml.get(group), dict) and key in toml[group]:
            found.append((f"{group}.{key}", f"{group}__{key}".upper()))
    return found + [(key, key.upper()) for key in ("alert_url",) if key in toml]


def _over(low: dict[str, Any], high: dict[str, Any]) -> dict[str, Any]:
    merged = dict(low)
    for key, value in high.items():
        both = isinstance(value, dict) and isinstance(low.get(key), dict)
        merged[key] = _over(low[key], value) if both else value
    return merged


def _complaint(fault: ErrorDetails, path: Path, variables: dict[str, Any]) -> str:
    kinds = {"feed", "page", "folder", "table", "push"}
    steps = [step for step in fault["loc"] if not (step in kinds and len(fault["loc"]) > 2)]
    from_environment = bool(steps) and str(steps[0]) in variables
    if from_environment:
        where = PREFIX + "__".join(str(step) for step in steps if not isinstance(step, int)).upper()
    else:
        key = "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in steps).lstrip(".")
        where = f"{path}: {key}" if key else str(path)
    if fault["type"] == "extra_forbidden":
        return f"{where}: there is no such key; see config/vistnyk.toml for those there are"
    value = fault.get("input")
    shown = "" if _SECRETIVE.search(where) or isinstance(value, dict | list) or value is None else f" = {value!r}"
    return f"{where}{shown}: {fault['msg'].removeprefix('Value error, ')}"


def _plain(error: Exception) -> str:
    return str(error).splitlines()[0]


@dataclass(frozen=True, slots=True)
class Configuration:
    """The settings, and the variables that they name."""

    settings: Settings
    surroundings: Surroundings

    def secret_for(self, place: str, name: str) -> str:
        """Return the secret in a variable that TOML names.

        Raises:
            SettingsError: it is not set.
        """
        found = self.surroundings.lookup(name)
        if found is None:
            raise SettingsError(f"{place} = {name!r}: the variable {name} is not set")
        return found.get_secret_value()

    def token_for(self, channel: ChannelSettings) -> str:
        """Return the token that a channel is served with.

        Raises:
            SettingsError: it is not set.
        """
        if channel.token_env:
            return self.secret_for(f"channels.{channel.name}.token_env", channel.token_env)
        if self.settings.telegram.token is None:
            raise SettingsError(f"channels.{channel.name}: there is no token; set {PREFIX}TELEGRAM__TOKEN")
        return self.settings.telegram.token.get_secret_value()

    def secrets(self) -> list[str]:
        """Return every secret this process knows, for the scrubber of the logs."""
        settings = self.settings
        telegram, facebook = settings.telegram, settings.facebook
        own = [telegram.token, telegram.webhook_secret, facebook.app_secret, settings.push.token, settings.alert_url]
        named = [channel.token_env for channel in settings.channels if channel.token_env]
        named += [source.database_env for source in settings.sources if isinstance(source, TableSettings)]
        found = [*own, *settings.push.tokens, *(self.surroundings.lookup(name) for name in named)]
        secrets = [secret.get_secret_value() for secret in found if secret is not None]
        return secrets + [
            password for url in (settings.database_url, *secrets) if (password := _password(url)) is not None
        ]


def read(surroundings: Surroundings | None = None, *, config: Path | None = None) -> Configuration:
    """Read all there is to configure; as `load`."""
    surroundings = surroundings or Surroundings()
    return Configuration(load(surroundings, config=config), surroundings)


def _password(url: str) -> str | None:
    try:
        return urlsplit(url).password
    except ValueError:
        return None
