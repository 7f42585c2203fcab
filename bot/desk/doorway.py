"""/calendar: the way into the calendar, inside Telegram where it opens there, else by a link that serves once."""

from __future__ import annotations

from urllib.parse import urlsplit

from bot.desk import answers
from bot.desk.arrival import Arrival
from bot.desk.dispatch import Dispatcher
from bot.desk.speaking import Speaker
from bot.desk.voice import Button
from bot.domain.editor import Role
from bot.errors import DeskError
from bot.store import editors, passes
from bot.store.database import Database


class Doorway:
    """Lets people into the calendar.

    Args:
        address: under which the service is reached; "" where it serves no calendar.
    """

    def __init__(self, database: Database, speaker: Speaker, address: str) -> None:
        self._database = database
        self._speaker = speaker
        self._address = address.rstrip("/")

    def serve(self, dispatcher: Dispatcher) -> None:
        """Make the command known."""
        dispatcher.commands.serve("calendar", self._command)

    async def _command(self, arrival: Arrival, _: str) -> None:
        if not self._address:
            raise DeskError(answers.NO_CALENDAR)
        if arrival.chat != arrival.person.id:  # whoever presses there would come in as the one who asked
            raise DeskError(answers.CALENDAR_IN_PRIVATE)
        if urlsplit(self._address).scheme == "https":
            button = Button(answers.OPEN_CALENDAR, url=f"{self._address}/app", is_app=True)
            self._speaker.say(arrival, answers.CALENDAR, [[button]])
            return
        async with arrival.turn() as (tx, now):
            editor = await editors.find(tx, arrival.person.id)
            if editor is None or not editor.may(Role.VIEWER):
                raise DeskError(answers.NO_CHANNELS_SEEN)
            token = await passes.make_link(tx, editor.telegram_id, now)
        button = Button(answers.OPEN_CALENDAR, url=f"{self._address}/app?link={token}")
        self._speaker.say(arrival, answers.CALENDAR_LINK, [[button]])
