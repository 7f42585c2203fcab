"""Steps that several conversations share: which channels, and when."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from zoneinfo import ZoneInfo

from bot.agenda.forecast import slot_of
from bot.agenda.wording import when
from bot.compose.markup import escape
from bot.desk import texts
from bot.desk.said import Said
from bot.desk.talks import Screen, Talk
from bot.desk.voice import Button, Rows
from bot.domain.channel import Channel, ChannelId
from bot.domain.delivery import Delivery, DeliveryId, Kind, State, Turn
from bot.domain.editor import Role
from bot.errors import DeskError

NOW, SLOT = "now", "slot"  # times of a post that are no moments
PICK, NEXT, AT = "pick", "next", "at"
MOST_SHOWN = 40  # channels with a button
_NEVER_QUEUED = DeliveryId(2**62)  # stands for a post that is not queued yet
When = Callable[[str, datetime], datetime]  # reads a time as people write it, by the outlet's clock; raises DeskError


def mine(talk: Talk, served: Mapping[ChannelId, Channel]) -> dict[ChannelId, Channel]:
    """Return the channels that a person may publish in.

    Raises:
        DeskError: there is none.
    """
    found = {one: channel for one, channel in served.items() if talk.editor.may(Role.EDITOR, channel.name)}
    if not found:
        raise DeskError(texts.NO_CHANNELS)
    return found


def allowed(talk: Talk, served: Mapping[ChannelId, Channel], ids: Iterable[int]) -> dict[ChannelId, Channel]:
    """Return the channels of these ids, of all of which a person must be an editor now.

    Raises:
        DeskError: one is gone, or no longer that person's.
    """
    found = {}
    for one in map(ChannelId, ids):
        channel = served.get(one)
        if channel is None:
            raise DeskError(texts.OLD_BUTTON)
        if not talk.editor.may(Role.EDITOR, channel.name):
            raise DeskError(texts.NOT_YOUR_CHANNEL.format(channel=channel.name))
        found[one] = channel
    if not found:
        raise DeskError(texts.CHOOSE_CHANNEL)
    return found


def channel_rows(channels: Mapping[ChannelId, Channel], chosen: Iterable[int]) -> Rows:
    """Return a button a channel, ticked where it is chosen, and the one that goes on."""
    ticked = set(chosen)
    shown = list(channels.items())[:MOST_SHOWN]
    rows = [
        [Button(f"{texts.CHOSEN if one in ticked else texts.NOT_CHOSEN} {channel.name}", f"{PICK}:{one}")]
        for one, channel in shown
    ]
    return [*rows, [Button(texts.NEXT, NEXT)]]


def toggled(talk: Talk, said: Said, channels: Mapping[ChannelId, Channel]) -> bool:
    """Take a press on a channel's button; True where the person goes on, with at least one channel chosen.

    Raises:
        DeskError: it is no press on one of these.
    """
    chosen = [one for one in talk.gathered.get("channels", ()) if one in channels]
    match said.press:
        case ("pick", number) if number.isascii() and number.isdecimal() and int(number[:18]) in channels:
            one = int(number)
            talk.gathered["channels"] = (
                [*chosen, one] if one not in chosen else [each for each in chosen if each != one]
            )
            return False
        case ("next",):
            if not chosen:
                raise DeskError(texts.CHOOSE_CHANNEL)
            talk.gathered["channels"] = chosen
            return True
    raise DeskError(texts.USE_BUTTONS)


async def ask_time(talk: Talk) -> Screen:
    """Ask when something goes out."""
    rows = [[Button(texts.NOW, f"{AT}:{NOW}"), Button(texts.SLOT, f"{AT}:{SLOT}")]]
    return Screen(text=texts.POST_TIME + hint(talk), rows=rows)


def take_time(talk: Talk, said: Said, read: When) -> None:
    """Take the time, pressed or written.

    Raises:
        DeskError: it is none.
    """
    match said.press:
        case ("at", "now" | "slot" as choice):
            talk.gathered["at"] = choice
        case ():
            talk.gathered["at"] = read(said.text, talk.now).isoformat()
        case _:
            raise DeskError(texts.USE_BUTTONS)


def moment(talk: Talk) -> datetime | None:
    """Return the moment that was chosen; None for now, and for the next slot."""
    at = talk.gathered.get("at", NOW)
    return None if at in (NOW, SLOT) else datetime.fromisoformat(at)


async def next_slot(talk: Talk, channel_id: ChannelId, channel: Channel, waiting: DeliveryId | None = None) -> datetime:
    """Return when a channel has room next, after all that waits in it.

    Args:
        waiting: the delivery that is to go there, where it waits already.
    """
    imagined = Delivery(
        id=waiting or _NEVER_QUEUED,
        kind=Kind.PUBLISH,
        channel_id=channel_id,
        article_id=None,
        revision=1,
        state=State.PROPOSED,
        turn=Turn.ORDINARY,
        turn_at=talk.now,
    )
    return await slot_of(talk.tx, channel, imagined, talk.now) or talk.now


def shown_time(at: datetime, now: datetime, zone: ZoneInfo) -> str:
    """Return a time as people say it."""
    return when(at.astimezone(zone), now.astimezone(zone).date())


def hint(talk: Talk) -> str:
    """Return what is said beside a question that is answered in words."""
    return "" if talk.is_private else texts.IN_A_GROUP


def names(channels: Iterable[Channel]) -> str:
    """Return the names of channels, escaped."""
    return ", ".join(escape(channel.name) for channel in channels)
