"""The outlet's templates: one folder per platform, Jinja2 in a sandbox, read from disk once.

Every value a template is given is already escaped for its platform, so a template holds nothing but markup and words.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from jinja2 import BaseLoader, FileSystemLoader, StrictUndefined, Template, TemplateError, TemplateNotFound, nodes
from jinja2.sandbox import ImmutableSandboxedEnvironment
from markupsafe import Markup

from bot.compose import hashtags, markup
from bot.domain.channel import Platform
from bot.errors import ComposeError


class Templates:
    """All templates of one folder; `default.j2` of each platform must be there."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._albums: dict[tuple[Platform, str], int] = {}
        self._environments = {
            platform: _environment(FileSystemLoader(folder / platform.value), platform) for platform in Platform
        }

    def has(self, platform: Platform, name: str) -> bool:
        """Say whether a platform has a template of this name."""
        return (self._folder / platform.value / f"{name}.j2").is_file()

    def get(self, platform: Platform, name: str) -> Template:
        """Return one template.

        Raises:
            ComposeError: it is not there or cannot be read; the text says which and why.
        """
        try:
            return self._environments[platform].get_template(f"{name}.j2")
        except TemplateNotFound as error:
            raise ComposeError(f"template {platform.value}/{name}.j2 is not there") from error
        except TemplateError as error:
            raise ComposeError(f"template {platform.value}/{name}.j2: {_one_line(error)}") from error

    def album(self, platform: Platform, name: str) -> int:
        """Return how many photos a template asks for with `{% set album = 4 %}`; 1 where it says nothing.

        Raises:
            ComposeError: as `get`.
        """
        if (platform, name) not in self._albums:
            self.get(platform, name)
            environment = self._environments[platform]
            source, _, _ = FileSystemLoader(self._folder / platform.value).get_source(environment, f"{name}.j2")
            said = (
                assigned.node.value
                for assigned in environment.parse(source).find_all(nodes.Assign)
                if isinstance(assigned.target, nodes.Name)
                and assigned.target.name == "album"
                and isinstance(assigned.node, nodes.Const)
            )
            asked = next(said, 1)
            self._albums[platform, name] = asked if isinstance(asked, int) else 1
        return self._albums[platform, name]

    def render(self, platform: Platform, name: str, values: dict[str, Any]) -> str:
        """Return a template's text, tidied, with each string in `values` escaped for the platform.

        Raises:
            ComposeError: the template is missing, wrong, or asks for a value that there is not.
        """
        template = self.get(platform, name)
        try:
            return markup.tidy(template.render(escaped(values, platform)))
        except (TemplateError, TypeError, ValueError, ArithmeticError, LookupError, AttributeError) as error:
            raise ComposeError(f"template {platform.value}/{name}.j2: {_one_line(error)}") from error


def escaped(values: Any, platform: Platform) -> Any:
    """Return values of any depth with each string ready for the platform's markup."""
    if platform is Platform.FACEBOOK or isinstance(values, Markup):
        return values
    if isinstance(values, str):
        return Markup(markup.escape(values))  # noqa: S704 - escaped just here
    if isinstance(values, dict):
        return {key: escaped(value, platform) for key, value in values.items()}
    if isinstance(values, (list, tuple)):
        return [escaped(value, platform) for value in values]
    return values


def _environment(loader: BaseLoader, platform: Platform) -> ImmutableSandboxedEnvironment:
    environment = ImmutableSandboxedEnvironment(
        loader=loader,
        autoescape=platform is Platform.TELEGRAM,
        undefined=StrictUndefined,
        auto_reload=False,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["hashtag"] = _on_plain(hashtags.hashtag)
    environment.filters["hashtags"] = _on_all(hashtags.hashtags)
    return environment


def _on_plain(function: Callable[[str], str]) -> Callable[[str], str]:
    """Let a filter see the words, not their escapes."""
    return lambda value: function(value.unescape() if isinstance(value, Markup) else value)


def _on_all(function: Callable[[list[str]], str]) -> Callable[[list[str]], str]:
    return lambda values: function([value.unescape() if isinstance(value, Markup) else value for value in values])


def _one_line(error: Exception) -> str:
    return " ".join(str(error).split()) or type(error).__name__
