"""/post: an article or a text of one's own, to chosen channels, at a chosen time, with a chosen photo.

Begun by the command, or by sending or forwarding a link, a photo or words to the bot. What goes out is queued by
`agenda.posting`, which never doubles what is public or waits.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime

from telegram.constants import ChatType

from bot.agenda import refusals, steering
from bot.agenda.posting import Standing
from bot.compose import credit as credits
from bot.compose.markup import cut, escape, one_line
from bot.desk import steps, texts
from bot.desk.arrival import Arrival
from bot.desk.confirming import Confirming
from bot.desk.drafts import ARTICLE, LONGEST_TITLE, NONE, SENT, SOURCE, Draft, Tools, draft
from bot.desk.said import Said, read_command
from bot.desk.talks import Outcome, Screen, Step, Talk, Talks
from bot.desk.voice import Button, Rows
from bot.domain.article import to_json
from bot.domain.channel import Channel, ChannelId
from bot.errors import DeskError, FetchError, SourceError
from bot.sources.canonical import canonical
from bot.store import articles, pictures

ABOUT = "post"
_MOST_LINKS = 20


class Posting:
    """The story of a post."""

    def __init__(self, talks: Talks, tools: Tools) -> None:
        self._talks = talks
        self._tools = tools
        confirming = Confirming(tools)
        talks.add(
            ABOUT,
            {
                "what": Step(ask=_ask_what, take=self._take_what, before=self._with_article),
                "channels": Step(ask=self._ask_channels, take=self._take_channels),
                "time": Step(ask=steps.ask_time, take=self._take_time),
                "photo": Step(ask=self._ask_photo, take=self._take_photo),
                "credit": Step(ask=self._ask_credit, take=self._take_credit),
                "confirm": Step(ask=confirming.ask, take=confirming.take, locks=True),
            },
        )
        talks.openers.append(self.open)

    async def command(self, arrival: Arrival, _: str) -> None:
        """Begin with what stands after the command, or ask for it."""
        message = arrival.update.message
        if message is not None:
            await self._begin(arrival, read_command(message))

    async def open(self, arrival: Arrival, said: Said) -> bool:
        """Begin with a link, a photo or something forwarded that was sent to the bot in private."""
        message = said.message
        if message is None or message.chat.type != ChatType.PRIVATE:
            return False
        if not (said.lone_link or said.photo or (message.forward_origin is not None and said.text.strip())):
            return False
        await self._begin(arrival, said)
        return True

    async def _begin(self, arrival: Arrival, said: Said) -> None:
        try:
            said = await self._with_article(await self._talks.with_picture(said))
        except DeskError as error:
            self._talks.tell(arrival, escape(str(error)))
            return

        async def first(talk: Talk) -> Outcome:
            steps.mine(talk, self._tools.served)
            return await self._gathered(talk, said)

        await self._talks.begin(arrival, ABOUT, first)

    async def _with_article(self, said: Said) -> Said:
        """Find the article that a message is about, or fetch it; words of one's own have none.

        Raises:
            DeskError: its page cannot be had.
        """
        is_forwarded = said.message is not None and said.message.forward_origin is not None
        links = [said.lone_link] if said.lone_link else said.links[:_MOST_LINKS] if is_forwarded else []
        async with self._tools.database.read() as tx:
            for link in links:
                stored = await articles.find(tx, _canonical(link))
                if stored is not None:
                    return replace(said, article=stored.article)
        if not said.lone_link:
            return said
        try:
            return replace(said, article=await self._tools.open_page(_canonical(said.lone_link)))
        except (FetchError, SourceError):
            raise DeskError(texts.NO_PAGE) from None
        except TimeoutError:
            raise DeskError(texts.SLOW_PAGE) from None

    async def _gathered(self, talk: Talk, said: Said) -> Outcome:
        """Keep what a message brought, and go to the first step that is open."""
        if said.picture:
            talk.gathered["sent"] = await pictures.keep(talk.tx, said.picture, talk.now)
            talk.gathered["photo"] = SENT
            talk.gathered["album"] = said.album
        if said.article is not None:
            stored = await self._tools.keep(talk.tx, said.article, SOURCE, talk.now)
            talk.gathered["url"] = stored.article.url
        elif said.text.strip():
            steering.check_words(said.words)
            talk.gathered["words"] = said.words.strip()
            talk.gathered["draft"] = to_json(draft(said.words))
        if "url" not in talk.gathered and "draft" not in talk.gathered:
            return "what"
        return await self._with_channels(talk)

    async def _with_channels(self, talk: Talk) -> Outcome:
        """Choose the channels that are likely meant; refuse what is public everywhere already."""
        made = Draft(talk, self._tools)
        stored, article = await made.subject()
        if stored is not None and stored.retracted_at is not None:
            raise DeskError(refusals.RETRACTED)
        standing, free = await made.standings(), list(await made.free())
        if not free:
            told = self._told(steps.mine(talk, self._tools.served), standing, talk.now)
            return Screen(text=texts.PUBLIC_EVERYWHERE.format(standing=told, url=escape(article.link or "")))
        waiting = [one for one in free if standing.get(one, Standing()).is_waiting]
        talk.gathered["channels"] = waiting or (free if len(free) == 1 else [])
        written = [own.words for one in waiting if (known := standing[one].delivery) and (own := known.own)]
        if written and written[0]:  # what an editor wrote is not lost to another time
            talk.gathered.setdefault("words", written[0])
        return "channels"

    async def _take_what(self, talk: Talk, said: Said) -> Outcome:
        if said.press:
            raise DeskError(texts.USE_BUTTONS)
        return await self._gathered(talk, said)

    # --- channels ---

    async def _ask_channels(self, talk: Talk) -> Screen:
        made = Draft(talk, self._tools)
        _, article = await made.subject()
        told = self._told(steps.mine(talk, self._tools.served), await made.standings(), talk.now)
        text = texts.POST_CHANNELS.format(title=escape(cut(article.title, LONGEST_TITLE)), standing=told)
        return Screen(text=text, rows=steps.channel_rows(await made.free(), talk.gathered.get("channels", ())))

    async def _take_channels(self, talk: Talk, said: Said) -> Outcome:
        if said.album and said.album == talk.gathered.get("album"):
            return talk.step  # another photo of the album that began this
        made = Draft(talk, self._tools)
        return await made.next_step() if steps.toggled(talk, said, await made.free()) else talk.step

    def _told(
        self, channels: Mapping[ChannelId, Channel], standing: Mapping[ChannelId, Standing], now: datetime
    ) -> str:
        """Say where something stands already."""
        lines = []
        for one, channel in channels.items():
            known, name = standing.get(one, Standing()), escape(channel.name)
            if known.public is not None:
                see = texts.SEE.format(link=escape(known.public.permalink)) if known.public.permalink else ""
                lines.append(texts.STANDS_PUBLIC.format(channel=name, link=see))
            elif known.is_waiting and known.delivery is not None:
                pinned_at = known.delivery.pinned_at
                when = f", {steps.shown_time(pinned_at, now, self._tools.zone)}" if pinned_at is not None else ""
                lines.append(texts.STANDS_WAITING.format(channel=name, when=when))
        return "".join(lines)

    # --- time ---

    async def _take_time(self, talk: Talk, said: Said) -> Outcome:
        steps.take_time(talk, said, self._tools.when)
        return await Draft(talk, self._tools).next_step()

    # --- photo and credit ---

    async def _ask_photo(self, talk: Talk) -> Screen:
        _, article = await Draft(talk, self._tools).subject()
        rows = [[Button(texts.PHOTO_OF_ARTICLE, f"photo:{ARTICLE}")]] if article.photo_url else []
        rows += [[Button(texts.PHOTO_SENT, f"photo:{SENT}")]] if "sent" in talk.gathered else []
        return Screen(text=texts.POST_PHOTO + steps.hint(talk), rows=[*rows, *_without_photo()])

    async def _take_photo(self, talk: Talk, said: Said) -> Outcome:
        made = Draft(talk, self._tools)
        _, article = await made.subject()
        if said.picture:
            talk.gathered |= {"sent": await pictures.keep(talk.tx, said.picture, talk.now), "photo": SENT}
            talk.gathered.pop("credit", None)
            return await made.next_step()
        match said.press:
            case ("photo", "article") if article.photo_url:
                choice = ARTICLE
            case ("photo", "sent") if "sent" in talk.gathered:
                choice = SENT
            case ("photo", "none"):
                choice = NONE
            case _:
                raise DeskError(texts.USE_BUTTONS)
        if talk.gathered.get("photo") != choice:
            talk.gathered.pop("credit", None)  # it was another photo's
        talk.gathered["photo"] = choice
        return await made.next_step()

    async def _ask_credit(self, talk: Talk) -> Screen:
        required = Draft(talk, self._tools).needs_credit
        rows = [] if required else [[Button(texts.CREDIT_NONE, "credit:none")]]
        return Screen(text=texts.POST_CREDIT + steps.hint(talk), rows=[*rows, *_without_photo()])

    async def _take_credit(self, talk: Talk, said: Said) -> Outcome:
        made = Draft(talk, self._tools)
        match said.press:
            case ("photo", "none"):
                talk.gathered["photo"] = NONE
            case ("credit", "none") if not made.needs_credit:
                talk.gathered["credit"] = ""
            case ():
                line = one_line(said.text)
                if credits.stated(line) is None:
                    raise DeskError(texts.NO_CREDIT)
                talk.gathered["credit"] = line
            case _:
                raise DeskError(texts.USE_BUTTONS)
        return await made.next_step()


def _canonical(link: str) -> str:
    try:
        return canonical(link if "://" in link else f"https://{link}")
    except (SourceError, ValueError):
        raise DeskError(texts.BAD_LINK) from None


def _without_photo() -> Rows:
    return [[Button(texts.PHOTO_NONE, f"photo:{NONE}")]]


async def _ask_what(talk: Talk) -> Screen:
    return Screen(text=texts.POST_WHAT + steps.hint(talk))
