"""What may be said to the bot: one table of commands, for the dispatcher, for /help and for Telegram's own menus.

The table knows names, roles and what to say of each; handlers are served by the rooms that have them, and a command
that nobody serves is not shown.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator, Sequence
from dataclasses import dataclass

from bot.desk import texts
from bot.desk.arrival import Arrival
from bot.domain.editor import Editor, Role

# Given the words after the command. What it refuses it raises as a DeskError, and the dispatcher says it.
Handler = Callable[[Arrival, str], Awaitable[None]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Command:
    """One command: `line` says what it does, `takes` what stands after it; `role` is the least one anywhere."""

    name: str
    role: Role
    line: str
    takes: str = ""


TABLE: Sequence[Command] = tuple(
    Command(name=name, role=role, line=texts.COMMANDS[name][0], takes=texts.COMMANDS[name][1])
    for role, names in (
        (Role.VIEWER, "start help queue today history calendar preview why stats channels"),
        (Role.EDITOR, "post now at move hold cancel edit retract digest pause resume stop"),
        (Role.CHIEF, "editors"),
    )
    for name in names.split()
)


class Commands:
    """The table with its handlers."""

    def __init__(self, table: Sequence[Command] = TABLE) -> None:
        self._table = {command.name: command for command in table}
        self._handlers: dict[str, Handler] = {}

    def serve(self, name: str, handler: Handler) -> None:
        """Have a command of the table handled.

        Raises:
            KeyError: it does not stand there.
        """
        self._handlers[self._table[name].name] = handler

    def find(self, name: str) -> tuple[Command, Handler] | None:
        """Return a command that is served."""
        handler = self._handlers.get(name)
        return (self._table[name], handler) if handler is not None else None

    def __iter__(self) -> Iterator[Command]:
        return (command for command in self._table.values() if command.name in self._handlers)

    def of(self, role: Role) -> list[Command]:
        """Return what somebody of this role may say, in the order of the table."""
        return [command for command in self if command.role <= role]

    def help(self, editor: Editor) -> str:
        """Return what this person may do, a line each, as Telegram's HTML."""
        lines = [
            texts.HELP_LINE.format(
                name=command.name, takes=f" {command.takes}" if command.takes else "", line=command.line
            )
            for command in self.of(editor.role)
        ]
        return "\n".join([texts.HELP_HEAD.format(role=texts.ROLES[editor.role]), *lines, texts.HELP_FOOT])
