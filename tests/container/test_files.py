"""The container files say what the code knows: no engine is needed to see a name that has gone."""

from __future__ import annotations

import ast
import asyncio
import os
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from aiohttp import web
from aiohttp.test_utils import TestServer
from pydantic import BaseModel

ROOT = Path(__file__).parents[2]
DOCKERFILE = (ROOT / "Dockerfile").read_text("utf-8")
COMPOSE = (ROOT / "compose.yaml").read_text("utf-8")
SERVICES: dict[str, dict[str, Any]] = yaml.safe_load(COMPOSE)["services"]
OURS = {name: service for name, service in SERVICES.items() if service["image"] == "vistnyk"}
OUTSIDE_SETTINGS = {"VISTNYK_CONFIG"}  # names the TOML file that the settings are read from


def instructions() -> list[tuple[str, str]]:
    """Return the Dockerfile's instructions in order, continued lines joined: [("FROM", "python:… AS builder"), …]."""
    lines = [line for line in DOCKERFILE.splitlines() if line.strip() and not line.startswith("#")]
    joined = re.sub(r"\\\n\s*", " ", "\n".join(lines))
    return [(word, rest) for word, rest in (line.split(" ", 1) for line in joined.splitlines())]


def of(word: str) -> list[str]:
    return [rest for name, rest in instructions() if name == word]


def variables(model: type[BaseModel], prefix: str) -> Iterator[str]:
    """Yield every variable that a settings class reads, groups nested by two underscores."""
    for name, field in model.model_fields.items():
        variable = prefix + name.upper()
        if isinstance(field.annotation, type) and issubclass(field.annotation, BaseModel):
            yield from variables(field.annotation, variable + "__")
        else:
            yield variable


@pytest.fixture(scope="module")
def known() -> set[str]:
    from bot.settings import PREFIX, Settings

    return set(variables(Settings, PREFIX)) | OUTSIDE_SETTINGS


@pytest.mark.parametrize("text", [DOCKERFILE, COMPOSE], ids=["Dockerfile", "compose.yaml"])
def test_every_variable_that_the_files_name_is_a_setting(known: set[str], text: str) -> None:
    named = set(re.findall(r"VISTNYK_[A-Z_]*[A-Z]", text))
    assert named
    assert named <= known


def test_every_secret_is_a_setting_or_the_token_that_a_channel_names(known: set[str]) -> None:
    secrets = yaml.safe_load(COMPOSE)["secrets"]
    assert {name.upper() for name in secrets} - {"FACEBOOK_PAGE_TOKEN"} <= known
    for service in OURS.values():
        assert set(service["secrets"]) == set(secrets)
    assert all(re.fullmatch(r"secrets/\w+", secret["file"]) for secret in secrets.values())


def test_every_copied_file_exists_and_reaches_the_engine() -> None:
    kept = {line[1:] for line in (ROOT / ".dockerignore").read_text("utf-8").splitlines() if line.startswith("!")}
    copied = [path for rest in of("COPY") if "--from=" not in rest for path in rest.split()[:-1]]
    assert copied
    for path in copied:
        assert (ROOT / path).exists(), path
        assert path in kept, f".dockerignore hides {path}"


def test_the_wheel_carries_only_what_the_builder_has() -> None:
    import tomllib

    build = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["tool"]["hatch"]["build"]["targets"]["wheel"]
    copied = {path for rest in of("COPY") for path in rest.split()[:-1]}
    for path in [*build["packages"], *build["force-include"]]:
        assert (ROOT / path).exists(), path
        assert path.split("/")[0] in copied, path


def test_base_images_are_pinned_by_a_tag_with_a_version() -> None:
    images = [rest.split()[0] for rest in of("FROM")]
    images += [service["image"] for name, service in SERVICES.items() if name not in OURS]
    assert len(images) == 3
    for image in images:
        assert re.fullmatch(r"[a-z]+:\d+(\.\d+)*-[a-z-]+", image), image


def test_the_image_runs_as_somebody_who_is_not_root_and_owns_its_data() -> None:
    user = of("USER")[-1].split(":")[0]
    assert user.isdigit()
    assert int(user) >= 1000
    assert f"--owner={user}" in DOCKERFILE
    assert of("VOLUME") == ["/data"]


def test_the_image_migrates_runs_and_stops_like_a_service() -> None:
    assert ast.literal_eval(of("ENTRYPOINT")[0]) == ["vistnyk"]
    assert ast.literal_eval(of("CMD")[0]) == ["run", "--migrate"]
    assert of("STOPSIGNAL") == ["SIGTERM"]


def test_the_health_check_is_python_that_asks_healthz() -> None:
    command = ast.literal_eval(of("HEALTHCHECK")[0].split("CMD ")[1])
    assert command[:2] == ["python", "-c"]
    assert "'/healthz'" in command[2]


@pytest.mark.parametrize(("status", "code"), [(200, 0), (503, 1)])
@pytest.mark.parametrize("variable", ["VISTNYK_WEB__PORT", "VISTNYK_WEB__OPS_PORT"])
async def test_the_health_check_passes_only_where_the_service_is_well(variable: str, status: int, code: int) -> None:
    async def healthz(_: web.Request) -> web.Response:
        return web.Response(status=status)

    service = web.Application()
    service.router.add_get("/healthz", healthz)
    command = ast.literal_eval(of("HEALTHCHECK")[0].split("CMD ")[1])
    async with TestServer(service) as server:
        asked = await asyncio.create_subprocess_exec(
            sys.executable, *command[1:], env={**os.environ, variable: str(server.port)}
        )
        assert await asked.wait() == code


def test_every_replica_may_write_to_its_volume_only_and_gets_time_to_finish() -> None:
    assert len(OURS) == 2
    for service in OURS.values():
        assert service["read_only"] is True
        assert service["tmpfs"] == ["/tmp"]  # noqa: S108 - in the container
        assert service["stop_grace_period"] == "15s"
        assert service["cap_drop"] == ["ALL"]


def test_one_replica_is_the_default_and_two_share_a_postgres() -> None:
    default = [service for service in OURS.values() if "profiles" not in service]
    assert len(default) == 1
    assert default[0]["environment"]["VISTNYK_DATABASE_URL"] == "sqlite+aiosqlite:////data/vistnyk.db"
    assert "data:/data" in default[0]["volumes"]
    shared = [service for service in OURS.values() if service.get("profiles") == ["postgres"]]
    assert len(shared) == 1
    assert shared[0]["deploy"]["replicas"] == 2
    assert shared[0]["environment"]["VISTNYK_DATABASE_URL"].startswith("postgresql+asyncpg://")
    assert SERVICES["database"]["profiles"] == ["postgres"]
