"""/retract: an article is taken back; what is public of it is taken down as each channel is configured."""

from __future__ import annotations

from bot.agenda import posting
from bot.compose.markup import cut, escape, one_line
from bot.desk import steps, texts
from bot.desk.arrival import Arrival
from bot.desk.drafts import LONGEST_TITLE, Tools
from bot.desk.said import Said, read_command
from bot.desk.subjects import Subjects, posts_of
from bot.desk.talks import Outcome, Screen, Step, Talk, Talks
from bot.desk.voice import Button
from bot.domain.channel import ChannelId, Retractions
from bot.domain.ledger import LedgerEntry
from bot.errors import DeskError
from bot.store import articles
from bot.store.articles import StoredArticle

ABOUT = "retract"
_LONGEST_REASON = 300
_DOES = {
    Retractions.DELETE: texts.RETRACT_PUBLIC,
    Retractions.NOTICE: texts.RETRACT_NOTICE,
    Retractions.OFF: texts.RETRACT_STAYS,
}


class Retracting:
    """The story of a retraction. Gathers the article's `url`, the `channels` it concerns and the `reason`."""

    def __init__(self, talks: Talks, tools: Tools, subjects: Subjects) -> None:
        self._talks = talks
        self._tools = tools
        self._subjects = subjects
        talks.add(ABOUT, {"confirm": Step(ask=self._ask, take=self._take, locks=True)})

    async def command(self, arrival: Arrival, _: str) -> None:
        """Begin with the article that is named, or that the message answers; words after the address are the reason."""
        message = arrival.update.message
        if message is None:
            return
        said = read_command(message)
        reason = said.text
        for link in said.links:
            reason = reason.replace(link, "")

        async def first(talk: Talk) -> Outcome:
            if not said.text.strip() and message.reply_to_message is None:
                return Screen(text=texts.RETRACT_WHAT)
            stored = await self._subjects.article(talk.tx, said)
            if stored is None:
                raise DeskError(texts.RETRACT_UNKNOWN)
            talk.gathered["url"] = stored.article.url
            talk.gathered["reason"] = cut(one_line(reason), _LONGEST_REASON)
            return await self._begin(talk, stored)

        await self._talks.begin(arrival, ABOUT, first)

    async def _begin(self, talk: Talk, stored: StoredArticle) -> Outcome:
        mine = steps.mine(talk, self._tools.served)
        if stored.retracted_at is not None:
            raise DeskError(texts.RETRACT_DONE_ALREADY)
        is_all = len(mine) == len(self._tools.served)
        if not is_all and not any(one.channel_id in mine for one, _ in await posts_of(talk.tx, stored)):
            raise DeskError(texts.RETRACT_NOTHING)
        talk.gathered["channels"] = list(mine)
        return "confirm"

    async def _ask(self, talk: Talk) -> Screen:
        stored = await self._stored(talk)
        mine = set(steps.mine(talk, self._tools.served))
        lines = [self._line(one.channel_id, public, mine) for one, public in await posts_of(talk.tx, stored)]
        is_all = mine >= set(self._tools.served)
        lines.append(texts.RETRACT_ALL if is_all else texts.RETRACT_MINE)
        if talk.gathered["reason"]:
            lines.append("\n" + texts.RETRACT_REASON.format(reason=escape(talk.gathered["reason"])))
        title = escape(cut(stored.article.title, LONGEST_TITLE))
        text = texts.RETRACT_CONFIRM.format(title=title, lines="".join(lines))
        return Screen(text=text, rows=[[Button(texts.RETRACT_GO, "go")]])

    def _line(self, channel_id: ChannelId, public: LedgerEntry | None, mine: set[ChannelId]) -> str:
        channel = self._tools.served.get(channel_id)
        if channel is None:
            return ""
        name = escape(channel.name)
        if channel_id not in mine:
            return texts.RETRACT_OTHERS.format(channel=name)
        if public is None:
            return texts.RETRACT_WAITS.format(channel=name)
        link = texts.SEE.format(link=escape(public.permalink)) if public.permalink else ""
        return _DOES[channel.retractions].format(channel=name, link=link)

    async def _take(self, talk: Talk, said: Said) -> Outcome:
        if said.press != ("go",):
            raise DeskError(texts.USE_BUTTONS)
        stored = await self._stored(talk)
        if stored.retracted_at is not None:
            raise DeskError(texts.RETRACT_DONE_ALREADY)
        mine = steps.allowed(talk, self._tools.served, talk.gathered["channels"])
        found = {one.channel_id for one, _ in await posts_of(talk.tx, stored)}
        await posting.retract(
            talk.tx,
            self._tools.served,
            stored,
            list(mine),
            talk.gathered["reason"],
            who=talk.editor.signature,
            now=talk.now,
        )
        talk.afterwards.append(self._tools.stirred)
        title = escape(cut(stored.article.title, LONGEST_TITLE))
        names = steps.names(channel for one, channel in mine.items() if one in found)
        return Screen(text=texts.RETRACT_DONE.format(title=title, where=f": {names}" if names else ""))

    async def _stored(self, talk: Talk) -> StoredArticle:
        stored = await articles.find(talk.tx, talk.gathered["url"])
        if stored is None:
            raise DeskError(texts.RETRACT_UNKNOWN)
        return stored
