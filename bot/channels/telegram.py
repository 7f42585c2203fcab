"""A Telegram channel: posts, edits, deletions, and the public preview by which an unanswered post is found again.

Limits and behaviour: core.telegram.org/bots/api (sendPhoto, sendMediaGroup, sendMessage, editMessageText,
editMessageCaption, deleteMessage, deleteMessages). It does not compose, does not wait and does not repeat.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import replace

from telegram import Bot, InputFile, InputMediaPhoto, LinkPreviewOptions, Message
from telegram.constants import ParseMode

from bot.channels.base import READ_BACK, Finding, Parcel, Photo
from bot.channels.evidence import SKEW, judge, nothing
from bot.channels.telegram_bot import TelegramBot
from bot.channels.telegram_check import look_over
from bot.channels.telegram_preview import read_preview
from bot.domain.ledger import Attempt, Evidence, LedgerEntry, PublicPost, Receipt, Survey
from bot.domain.post import Method, Post
from bot.errors import AccessLostError, BotError, GoneError, PhotoRefusedError, RefusedError, UploadRefusedError

_PAGE = 20  # posts on a page of the preview
_MOST_PHOTOS = 10  # sendMediaGroup


class TelegramPublisher:
    """One channel through one bot, which others may share.

    Args:
        bot: opened by its owner.
        address: "@name" or the numeric chat id.
        web_url: where the public preview is read and permalinks lead.
        service_chat: chat for what only the bot is to see; 0 for none.
        token_name: the variable that holds the bot's token, named in findings.
    """

    def __init__(
        self,
        bot: TelegramBot,
        address: str,
        *,
        web_url: str = "https://t.me",
        service_chat: int = 0,
        token_name: str = "VISTNYK_TELEGRAM__TOKEN",  # noqa: S107 - the name of a variable
    ) -> None:
        self._bot = bot
        self._chat: str | int = address if address.startswith("@") else int(address)
        self._name = address[1:] if address.startswith("@") else None
        self._web_url = web_url.rstrip("/")
        self._service_chat = service_chat
        self._token_name = token_name

    def __repr__(self) -> str:
        return f"TelegramPublisher({self._chat}, {self._bot!r})"

    @property
    def account(self) -> str:
        return self._bot.account

    @property
    def pace_keys(self) -> tuple[tuple[str, str], ...]:
        return (("chat", f"chat:telegram:{self._chat}"), ("bot", f"bot:{self._bot.account}"))

    async def prepare(
        self, post: Post, photo: Photo | None, upload: str | None = None, album: Sequence[Photo] = ()
    ) -> Parcel:
        """Make a parcel; an upload that Telegram has refused before is left out of it. Albums are sent as bytes."""
        if post.method not in (Method.SEND_MESSAGE, Method.SEND_PHOTO, Method.SEND_MEDIA_GROUP):
            raise RefusedError(f"{post.method} is no call of Telegram's")
        if post.method is Method.SEND_MEDIA_GROUP:
            if photo is None or not 1 <= len(album) < _MOST_PHOTOS:
                raise PhotoRefusedError(f"an album is of two to {_MOST_PHOTOS} photos")
            return Parcel(post=post, photo=photo, album=tuple(album))
        known = None if self._bot.is_refused(upload) else upload
        if post.method is Method.SEND_PHOTO and photo is None and known is None:
            raise PhotoRefusedError("there is no photo to send")
        return Parcel(post=post, photo=photo, upload=known)

    async def publish(self, parcel: Parcel) -> Receipt:
        """Send the post; the receipt's `upload` is the largest size's file id, good for every chat of this bot."""
        if parcel.post.method is Method.SEND_MESSAGE:
            return await self._publish_text(parcel.post)
        if parcel.post.method is Method.SEND_MEDIA_GROUP:
            return await self._bot.ask(lambda bot: self._publish_album(bot, parcel))
        try:
            return self._receipt(await self._bot.ask(lambda bot: self._send_photo(bot, parcel)))
        except PhotoRefusedError as error:
            if parcel.upload is None:
                raise
            self._bot.remember_refused(parcel.upload)
            if parcel.photo is None:
                raise
            raise UploadRefusedError(f"the photo is sent anew: {error}") from error

    async def _publish_text(self, post: Post) -> Receipt:
        try:
            return self._receipt(await self._bot.ask(lambda bot: self._send_text(bot, post)))
        except PhotoRefusedError as error:
            # Without a photo there is no lower rung to try: the card's address is what is refused.
            raise RefusedError(str(error)) from error

    async def edit(self, public: LedgerEntry, parcel: Parcel) -> None:
        """Rewrite a post's text, or the caption under its photo."""
        text, number = parcel.post.text, _number(public.remote_id)
        if public.method.carries_photo:  # an album's words are the caption of its first photo
            await self._bot.ask(
                lambda bot: bot.edit_message_caption(self._chat, number, caption=text, parse_mode=ParseMode.HTML)
            )
        else:
            card = _card(parcel.post)
            await self._bot.ask(
                lambda bot: bot.edit_message_text(
                    text, self._chat, number, parse_mode=ParseMode.HTML, link_preview_options=card
                )
            )

    async def withdraw(self, public: LedgerEntry) -> None:
        """Delete a post; Telegram allows it for 48 hours. Of an album, what is left of it."""
        number, more = _number(public.remote_id), [_number(photo) for photo in public.more_ids]
        if more:
            await self._bot.ask(lambda bot: bot.delete_messages(self._chat, [number, *more]))
        else:
            await self._bot.ask(lambda bot: bot.delete_message(self._chat, number))

    async def read_back(self, attempt: Attempt) -> Evidence:
        """Look for an attempt's post in the public preview; a private channel has none."""
        try:
            name = await self._public_name()
            posts = await self._page(name) if name is not None else None
        except BotError as error:
            return nothing(f"the preview could not be read: {error}")
        if name is None:
            return nothing("a private channel has no public preview", for_good=True)
        if not posts:
            return nothing("Telegram shows no preview of the channel")
        mark = attempt.watermark
        if mark is None or not mark.isdecimal():
            since = attempt.started_at - SKEW
            return judge(attempt, posts, lambda post: post.published_at >= since, neighbour_visible=False)
        visible = any(mark in (post.remote_id, *post.more_ids) for post in posts)
        return judge(attempt, posts, lambda post: int(post.remote_id) > int(mark), neighbour_visible=visible)

    async def survey(self, known: Collection[str], most: int) -> Survey:
        """Read the public preview page by page, back to a known post."""
        try:
            name = await self._public_name()
            posts = await self._page(name) if name is not None else None
            if name is None:
                return Survey(readable=False, for_good=True, detail="a private channel has no public preview")
            if posts is None:
                return Survey(readable=False, detail="Telegram shows no preview of the channel")
            complete = len(posts) < _PAGE
            while not complete and len(posts) < most and not _reaches(posts, known):
                earlier = await self._page(name, before=posts[0].remote_id)
                if earlier is None:
                    return Survey(readable=False, detail="Telegram shows no preview of the channel")
                older = [post for post in earlier if int(post.remote_id) < int(posts[0].remote_id)]
                complete, posts = not older, older + posts
        except BotError as error:
            lost = isinstance(error, AccessLostError)
            return Survey(readable=False, access_lost=lost, detail=f"the preview could not be read: {error}")
        return Survey(posts=tuple(posts[-most:]), complete=complete or _reaches(posts, known))

    async def check(self) -> list[Finding]:
        """Test token, address, rights and read-back, each with a line on what to do."""
        findings = await look_over(self._bot, self._chat, self._token_name)
        if all(finding.ok for finding in findings):
            findings.append(await self._check_read_back())
        return findings

    async def _check_read_back(self) -> Finding:
        try:
            name = await self._public_name()
            posts = await self._page(name) if name is not None else None
        except BotError as error:
            return Finding(name=READ_BACK, ok=False, detail=f"the preview at {self._web_url} cannot be read: {error}")
        if name is None:
            return Finding(
                name=READ_BACK, ok=True, detail="private channel, no preview: an unanswered post waits for an editor"
            )
        if posts is None:
            return Finding(
                name=READ_BACK,
                ok=False,
                detail=f"{self._web_url}/s/{name} shows no preview: make the channel public or use its numeric id",
            )
        return Finding(name=READ_BACK, ok=True, detail=f"{self._web_url}/s/{name}")

    async def _send_photo(self, bot: Bot, parcel: Parcel) -> Message:
        photo = parcel.upload or (InputFile(parcel.photo.jpeg, filename="photo.jpg") if parcel.photo else "")
        return await bot.send_photo(
            self._chat,
            photo,
            caption=parcel.post.text,
            parse_mode=ParseMode.HTML,
            disable_notification=parcel.post.silent,
        )

    async def _publish_album(self, bot: Bot, parcel: Parcel) -> Receipt:
        """Send all photos in one call, the words under the first; each becomes a message of its own."""
        photos = [parcel.photo, *parcel.album] if parcel.photo else []
        words = [parcel.post.text] + [None] * len(parcel.album)
        messages = await bot.send_media_group(
            self._chat,
            [
                InputMediaPhoto(photo.jpeg, caption=caption, parse_mode=ParseMode.HTML, filename="photo.jpg")
                for photo, caption in zip(photos, words, strict=True)
            ],
            disable_notification=parcel.post.silent,
        )
        first, *more = sorted(messages, key=lambda message: message.message_id)
        return replace(self._receipt(first), more_ids=tuple(str(message.message_id) for message in more))

    async def _send_text(self, bot: Bot, post: Post) -> Message:
        return await bot.send_message(
            self._chat,
            post.text,
            parse_mode=ParseMode.HTML,
            link_preview_options=_card(post),
            disable_notification=post.silent,
        )

    def _receipt(self, message: Message) -> Receipt:
        name = message.chat.username or self._name
        inner = name or f"c/{str(message.chat.id).removeprefix('-100')}"
        largest = max(message.photo, key=lambda size: size.width * size.height, default=None)
        return Receipt(
            remote_id=str(message.message_id),
            permalink=f"{self._web_url}/{inner}/{message.message_id}",
            upload=largest.file_id if largest is not None else None,
        )

    async def _public_name(self) -> str | None:
        """Return the channel's public name, asked for once where only its number was given; None for private."""
        if self._name is None:
            self._name = (await self._bot.ask(lambda bot: bot.get_chat(self._chat))).username
        return self._name

    async def _page(self, name: str, before: str | None = None) -> list[PublicPost] | None:
        """Return the posts of one page of the preview, None where Telegram shows something else."""
        answer = await self._bot.look(f"{self._web_url}/s/{name}" + (f"?before={before}" if before else ""))
        return read_preview(answer.body, name, self._web_url) if answer.status == 200 else None


def _reaches(posts: Sequence[PublicPost], known: Collection[str]) -> bool:
    return any(remote_id in known for post in posts for remote_id in (post.remote_id, *post.more_ids))


def _card(post: Post) -> LinkPreviewOptions:
    if post.link_preview is None:
        return LinkPreviewOptions(is_disabled=True)
    return LinkPreviewOptions(url=post.link_preview, prefer_large_media=True, show_above_text=False)


def _number(remote_id: str) -> int:
    if not remote_id.isdecimal():
        raise GoneError(f"{remote_id!r} is no message id of Telegram's")
    return int(remote_id)
