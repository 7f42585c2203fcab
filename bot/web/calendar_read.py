"""Reads what one editor's look at the calendar needs: the channels they see, and what stands in them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

from sqlalchemy.ext.asyncio import AsyncConnection

from bot.agenda.forecast import forecast
from bot.domain.channel import Channel, ChannelId
from bot.domain.delivery import Delivery, DeliveryId, State
from bot.domain.editor import Editor, Role
from bot.domain.figures import reactions as of
from bot.store import calendar, channels, figures
from bot.web import calendar_view
from bot.web.calendar_view import Asked, Shown, View

_MOST = 400  # posts of one kind in one look
_MOST_APART = 100
_FORESEEN = timedelta(days=8)


async def reactions(tx: AsyncConnection, shown: Sequence[DeliveryId]) -> dict[DeliveryId, dict[str, int]]:
    """Return the reactions to public posts as of now, the most frequent first; posts without any are left out."""
    told = await figures.newest(tx, shown)
    counted = {one: of({name: point.value for name, point in points.items()}) for one, points in told.items()}
    return {one: found for one, found in counted.items() if found}


async def seen_by(
    tx: AsyncConnection, served: Mapping[ChannelId, Channel], editor: Editor, now: datetime
) -> list[Shown]:
    """Return the channels that an editor may look at, in the order of the configuration."""
    found = []
    waiting = await calendar.waiting(tx, list(served))
    rows = {row.id: row for row in await channels.everyone(tx)}
    for channel_id, channel in served.items():
        row = rows.get(channel_id)
        if row is None or not editor.may(Role.VIEWER, channel.name):
            continue
        found.append(
            Shown(
                id=channel_id,
                channel=channel,
                status=await channels.status(tx, row, channel.timetable, now),
                may_move=editor.may(Role.EDITOR, channel.name),
                lost_access=row.access_lost_at is not None,
                waiting=waiting.get(channel_id, 0),
            )
        )
    return found


async def read(
    tx: AsyncConnection,
    asked: Asked,
    seen: Sequence[Shown],
    colours: Mapping[str, int],
    now: datetime,
) -> View:
    """Return what is asked for.

    Args:
        seen: at least one channel that the editor may look at.
    """
    shown = [one for one in seen if asked.channel in (None, one.channel.name)]
    ids = [one.id for one in shown]
    since, until = asked.span(shown[0].channel.timetable)
    slots = []
    if until > now:
        found = await forecast(tx, {one.id: one.channel for one in shown}, now, until=until)
        slots = [(channel, slot) for channel, slot in found if slot.at >= since]
    still = [one.id for one in shown if one.stands_still]
    apart = await calendar.unsettled(tx, ids, _MOST_APART + 1)
    if still:
        apart += await calendar.stranded(tx, still, _MOST_APART + 1)
    published = await calendar.published(tx, ids, since, until, _MOST + 1)
    more = len(slots) > _MOST or len(published) > _MOST or len(apart) > _MOST_APART
    slots, published, apart = slots[:_MOST], published[:_MOST], apart[:_MOST_APART]
    return calendar_view.view(
        asked,
        now,
        shown[0].channel.timetable.zone,
        shown,
        colours,
        slots,
        await calendar.named(tx, [slot.head.delivery for _, slot in slots]),
        apart,
        published,
        await reactions(tx, [line.delivery for line in published]),
        more=more,
    )


async def slot_of(tx: AsyncConnection, channel: Channel, delivery: Delivery, now: datetime) -> datetime | None:
    """Return when a waiting post is going to go out, None where that is not known or more than a week away."""
    if delivery.state is not State.PLANNED:
        return None
    slots = await forecast(tx, {delivery.channel_id: channel}, now, until=now + _FORESEEN)
    return next((slot.at for _, slot in slots if slot.head.delivery == delivery.id and not slot.expires), None)
