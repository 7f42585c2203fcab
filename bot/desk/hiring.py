"""/editors: who works at the desk, with which role and in which channels; for chiefs of all channels alone."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping

from telegram import MessageOriginHiddenUser, MessageOriginUser

from bot.agenda import refusals, staff
from bot.compose.markup import cut, escape, one_line
from bot.desk import steps, texts
from bot.desk.arrival import Arrival
from bot.desk.said import Said
from bot.desk.talks import Outcome, Screen, Step, Talk, Talks
from bot.desk.voice import Button
from bot.domain.channel import Channel, ChannelId
from bot.domain.editor import Editor, Role
from bot.errors import DeskError
from bot.store import editors
from bot.store.editors import Member

ABOUT = "staff"
_MOST_LISTED = 40
_LONGEST_NAME = 60
_WRITTEN = re.compile(r"(?P<number>\d{4,15})[\s,:;–—-]+(?P<name>\S.*)", re.ASCII)
_LARGEST = 2**52  # Telegram's ids have at most 52 significant bits
_ROLES = frozenset(role.name.lower() for role in Role)
_BACK = [Button(texts.BACK, "to:list")]


class Hiring:
    """The story of the staff. It gathers `of`, the person looked at, and `new`, one who is being added.

    Args:
        changed: called when somebody came, went, or got another role.
    """

    def __init__(self, talks: Talks, served: Mapping[ChannelId, Channel], changed: Callable[[], None]) -> None:
        self._talks = talks
        self._served = served
        self._changed = changed
        talks.add(
            ABOUT,
            {
                "list": Step(ask=self._ask_list, take=self._take_list),
                "one": Step(ask=self._ask_one, take=self._take_one),
                "channels": Step(ask=self._ask_channels, take=self._take_channels),
                "remove": Step(ask=self._ask_remove, take=self._take_remove),
                "add": Step(ask=self._ask_add, take=self._take_add),
                "role": Step(ask=self._ask_role, take=self._take_role),
            },
            (texts.ALL_DONE, texts.ALL_DONE),
        )

    async def command(self, arrival: Arrival, _: str) -> None:
        """Show who works here."""

        async def first(talk: Talk) -> Outcome:
            _refuse_others(talk)
            return "list"

        await self._talks.begin(arrival, ABOUT, first)

    # --- everybody ---

    async def _ask_list(self, talk: Talk) -> Screen:
        members = await editors.staff(talk.tx)
        lines = [_line(one) for one in members[:_MOST_LISTED]]
        if len(members) > _MOST_LISTED:
            lines.append(texts.STAFF_MORE.format(count=len(members) - _MOST_LISTED))
        rows = [
            [Button(cut(one.editor.name, _LONGEST_NAME) or str(one.editor.telegram_id), f"of:{one.editor.telegram_id}")]
            for one in members[:_MOST_LISTED]
        ]
        return Screen(
            text=texts.STAFF_LIST.format(lines="\n".join(lines)), rows=[*rows, [Button(texts.STAFF_ADD, "to:add")]]
        )

    async def _take_list(self, talk: Talk, said: Said) -> Outcome:
        _refuse_others(talk)
        match said.press:
            case ("of", number):
                return await self._look_at(talk, number)
            case ("to", "add"):
                return "add"
        raise DeskError(texts.USE_BUTTONS)

    async def _look_at(self, talk: Talk, number: str) -> Outcome:
        if not (number.isascii() and number.isdecimal()) or int(number[:18]) > _LARGEST:
            raise DeskError(texts.OLD_BUTTON)
        talk.gathered["of"] = int(number)
        await self._member(talk)
        return "one"

    # --- one person ---

    async def _ask_one(self, talk: Talk) -> Screen:
        member = await self._member(talk)
        one = member.editor
        text = texts.STAFF_ONE.format(
            name=escape(one.name), number=one.telegram_id, role=_role(one), channels=_channels(one)
        )
        if member.from_config:
            return Screen(text=text + texts.STAFF_ONE_FIXED, rows=[_BACK])
        roles = [
            Button(f"{texts.CHOSEN if one.role is role else texts.NOT_CHOSEN} {words}", f"role:{role.name.lower()}")
            for role, words in texts.ROLES.items()
        ]
        more = [Button(texts.STAFF_CHANNELS, "to:channels"), Button(texts.STAFF_REMOVE, "to:remove")]
        return Screen(text=text + texts.STAFF_ROLES, rows=[*([role] for role in roles), more, _BACK])

    async def _take_one(self, talk: Talk, said: Said) -> Outcome:
        _refuse_others(talk)
        match said.press:
            case ("role", name) if name in _ROLES:
                talk.afterwards.append(self._changed)
                who, role = talk.editor.signature, Role.named(name)
                await staff.give_role(talk.tx, talk.gathered["of"], role, who=who, now=talk.now)
                return talk.step
            case ("to", "channels"):
                chosen = (await self._movable(talk)).channels
                talk.gathered["channels"] = [one for one, channel in self._served.items() if channel.name in chosen]
                return "channels"
            case ("to", "remove"):
                await self._movable(talk)
                return "remove"
            case ("to", "list"):
                return "list"
        raise DeskError(texts.USE_BUTTONS)

    async def _ask_channels(self, talk: Talk) -> Screen:
        name = escape((await self._member(talk)).editor.name)
        rows = [*steps.channel_rows(self._served, talk.gathered["channels"]), [Button(texts.STAFF_EVERY, "every")]]
        return Screen(text=texts.STAFF_CHANNELS_OF.format(name=name), rows=rows)

    async def _take_channels(self, talk: Talk, said: Said) -> Outcome:
        _refuse_others(talk)
        names: tuple[str, ...] = ()
        if said.press != ("every",):
            if not steps.toggled(talk, said, self._served):
                return talk.step
            names = tuple(self._served[ChannelId(one)].name for one in talk.gathered["channels"])
        number, who = talk.gathered["of"], talk.editor.signature
        await staff.give_channels(talk.tx, number, names, who=who, now=talk.now)
        return "one"

    async def _ask_remove(self, talk: Talk) -> Screen:
        name = escape((await self._member(talk)).editor.name)
        rows = [[Button(texts.STAFF_REMOVE_YES, "yes"), *_BACK]]
        return Screen(text=texts.STAFF_REMOVE_SURE.format(name=name), rows=rows)

    async def _take_remove(self, talk: Talk, said: Said) -> Outcome:
        _refuse_others(talk)
        match said.press:
            case ("yes",):
                talk.afterwards.append(self._changed)
                await staff.dismiss(talk.tx, talk.gathered["of"], who=talk.editor.signature, now=talk.now)
                return "list"
            case ("to", "list"):
                return "list"
        raise DeskError(texts.USE_BUTTONS)

    # --- somebody new ---

    async def _ask_add(self, talk: Talk) -> Screen:
        return Screen(text=texts.STAFF_WHO + steps.hint(talk), rows=[_BACK])

    async def _take_add(self, talk: Talk, said: Said) -> Outcome:
        _refuse_others(talk)
        if said.press == ("to", "list"):
            return "list"
        number, name = _person(said)
        if await editors.find(talk.tx, number) is not None:
            raise DeskError(refusals.KNOWN_ALREADY)
        talk.gathered["new"] = [number, name]
        return "role"

    async def _ask_role(self, talk: Talk) -> Screen:
        rows = [[Button(words, f"role:{role.name.lower()}")] for role, words in texts.ROLES.items()]
        return Screen(text=texts.STAFF_ROLE.format(name=escape(talk.gathered["new"][1])), rows=[*rows, _BACK])

    async def _take_role(self, talk: Talk, said: Said) -> Outcome:
        _refuse_others(talk)
        match said.press:
            case ("role", name) if name in _ROLES:
                number, called = talk.gathered["new"]
                newcomer = Editor(telegram_id=number, name=called, role=Role.named(name))
                talk.afterwards.append(self._changed)
                await staff.hire(talk.tx, newcomer, who=talk.editor.signature, now=talk.now)
                talk.gathered["of"] = number
                return "one"
            case ("to", "list"):
                return "list"
        raise DeskError(texts.USE_BUTTONS)

    async def _member(self, talk: Talk) -> Member:
        found = next(
            (one for one in await editors.staff(talk.tx) if one.editor.telegram_id == talk.gathered["of"]), None
        )
        if found is None:
            raise DeskError(refusals.GONE_ALREADY)
        return found

    async def _movable(self, talk: Talk) -> Editor:
        member = await self._member(talk)
        if member.from_config:
            raise DeskError(refusals.FROM_CONFIG)
        return member.editor


def _refuse_others(talk: Talk) -> None:
    if not staff.may_manage(talk.editor):
        raise DeskError(texts.ONLY_CHIEFS)


def _person(said: Said) -> tuple[int, str]:
    """Return the number and the name of whom a message is about: its author, or who is written in it."""
    origin = said.message.forward_origin if said.message is not None else None
    if isinstance(origin, MessageOriginHiddenUser):
        raise DeskError(texts.STAFF_HIDDEN)
    if isinstance(origin, MessageOriginUser) and not origin.sender_user.is_bot:
        return origin.sender_user.id, _name(origin.sender_user.full_name)
    written = _WRITTEN.fullmatch(one_line(said.text))
    if written is None or origin is not None or int(written["number"]) > _LARGEST:
        raise DeskError(texts.STAFF_NOT_A_PERSON)
    return int(written["number"]), _name(written["name"])


def _name(words: str) -> str:
    name = cut(one_line(words), _LONGEST_NAME)
    if not name:
        raise DeskError(texts.STAFF_NOT_A_PERSON)
    return name


def _line(member: Member) -> str:
    one = member.editor
    notes = texts.STAFF_FIXED if member.from_config else ""
    notes += "" if member.has_started else texts.STAFF_NOT_STARTED
    return texts.STAFF_LINE.format(name=escape(one.name), role=_role(one), channels=_channels(one), notes=notes)


def _role(editor: Editor) -> str:
    return texts.ROLES[editor.role]


def _channels(editor: Editor) -> str:
    return escape(", ".join(editor.channels)) if editor.channels else texts.STAFF_ALL_CHANNELS
