"""Furnishes the commands that need no conversation: builds each and makes its command and its buttons known."""

from __future__ import annotations

from collections.abc import Callable

from bot.desk.accounts import Accounts
from bot.desk.dispatch import Dispatcher
from bot.desk.doorway import Doorway
from bot.desk.furniture import Furniture
from bot.desk.moving import Moving
from bot.desk.pauses import Pauses
from bot.desk.previewing import Previewing
from bot.desk.queue import Queue
from bot.desk.reasons import Reasons
from bot.desk.rounds import Rounds
from bot.desk.showing import Shower
from bot.desk.speaking import Speaker
from bot.desk.stories import opener
from bot.desk.voice import Replies, Voice


def take_orders(
    given: Furniture, dispatcher: Dispatcher, voice: Voice, replies: Replies, stirred: Callable[[], None]
) -> None:
    """Have the desk's bot take commands.

    Args:
        stirred: called when an editor has changed the queue.
    """
    database, served, zone = given.database, given.served, given.zone
    speaker = Speaker(voice, replies)
    shower = Shower(voice, given.photos.get)
    previewing = Previewing(database, served, given.composer, speaker, shower, opener(given))
    moving = Moving(database, served, speaker, look=previewing.look, stirred=stirred, undo=given.undo, zone=zone)
    rooms = (
        previewing,
        moving,
        Queue(database, served, speaker, zone),
        Accounts(database, served, speaker, zone),
        Reasons(database, served, speaker, zone),
        Rounds(database, served, given.publishers, speaker, zone),
        Pauses(database, served, speaker, stirred=stirred, zone=zone),
        Doorway(database, speaker, given.calendar_url),
    )
    for room in rooms:
        room.serve(dispatcher)
