"""Which channels a person may look at or steer, and which of them a word means."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from sqlalchemy.ext.asyncio import AsyncConnection

from bot.desk import answers, texts
from bot.domain.channel import Channel, ChannelId
from bot.domain.editor import Editor, Role
from bot.errors import DeskError
from bot.store import editors

_MOST_NAMED = 20  # channels in one refusal
_LONGEST_NAME = 64


@dataclass(frozen=True, slots=True, kw_only=True)
class Reach:
    """A person, as of now, and the channels in which they have a role, in the order of the configuration."""

    editor: Editor
    served: Mapping[ChannelId, Channel]
    channels: Mapping[ChannelId, Channel]

    @property
    def is_whole(self) -> bool:
        """Whether these are all channels there are."""
        return len(self.channels) == len(self.served)

    def find(self, word: str) -> ChannelId | None:
        """Return the channel of theirs that a word means, if there is one."""
        return _meant(word, self.channels)

    def named(self, word: str) -> ChannelId:
        """Return the channel that a word means: its name, its address, or the beginning of the one name.

        Raises:
            DeskError: it means none of these, or another's.
        """
        found = self.find(word)
        if found is not None:
            return found
        others = _meant(word, self.served) if word.strip() else None
        if others is not None:
            raise DeskError(texts.NOT_YOUR_CHANNEL.format(channel=self.served[others].name))
        names = [channel.name for channel in self.channels.values()]
        more = [texts.AND_MORE.format(count=len(names) - _MOST_NAMED)] if len(names) > _MOST_NAMED else []
        raise DeskError(answers.NO_SUCH_CHANNEL.format(channels=", ".join([*names[:_MOST_NAMED], *more])))


async def reach(
    tx: AsyncConnection, person: int, served: Mapping[ChannelId, Channel], role: Role = Role.VIEWER
) -> Reach:
    """Return a person's channels.

    Raises:
        DeskError: there is none in which they have at least this role.
    """
    editor = await editors.find(tx, person)
    mine = {one: channel for one, channel in served.items() if editor is not None and editor.may(role, channel.name)}
    if editor is None or not mine:
        raise DeskError(texts.NO_CHANNELS if role is not Role.VIEWER else answers.NO_CHANNELS_SEEN)
    return Reach(editor=editor, served=served, channels=mine)


def _meant(word: str, channels: Mapping[ChannelId, Channel]) -> ChannelId | None:
    said = word.strip().casefold()
    if not said or len(said) > _LONGEST_NAME:
        return None
    for one, channel in channels.items():
        if said in (channel.name.casefold(), channel.address.casefold(), f"@{channel.name}".casefold()):
            return one
    begins = [one for one, channel in channels.items() if channel.name.casefold().startswith(said)]
    return begins[0] if len(begins) == 1 else None
