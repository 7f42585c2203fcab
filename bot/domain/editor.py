"""Who may steer which channel."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum


class Role(IntEnum):
    """Each role may do all that the ones before it may."""

    VIEWER = 1
    EDITOR = 2
    CHIEF = 3

    @classmethod
    def named(cls, name: str) -> Role:
        """Return the role written as "viewer", "editor" or "chief"."""
        return cls[name.upper()]


@dataclass(frozen=True, slots=True, kw_only=True)
class Editor:
    """A person of the desk; no channels means all of them."""

    telegram_id: int
    name: str
    role: Role
    channels: tuple[str, ...] = ()

    @property
    def signature(self) -> str:
        """Return who this is as the audit keeps it: the name, and the number that tells namesakes apart."""
        return f"{self.name} ({self.telegram_id})"

    def may(self, role: Role, channel: str | None = None) -> bool:
        """Say whether this person may do what `role` may, in that channel (None: anywhere)."""
        return self.role >= role and (channel is None or not self.channels or channel in self.channels)
