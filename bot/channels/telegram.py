"""A Telegram channel: posts, edits, deletions, and the two ways by which an unanswered post is found again.

Limits and behaviour: core.telegram.org/bots/api (sendPhoto, sendMediaGroup, sendMessage, editMessageText,
editMessageCaption, deleteMessage, deleteMessages). It does not compose, does not wait and does not repeat.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import replace
from datetime import timedelta

from telegram import Bot, Chat, InputFile, InputMediaPhoto, LinkPreviewOptions, Message
from telegram.constants import ParseMode

from bot.channels.base import READ_BACK, Finding, Parcel, Photo
from bot.channels.evidence import nothing
from bot.channels.telegram_bot import TelegramBot
from bot.channels.telegram_check import look_at_service_chat, look_over
from bot.channels.telegram_forwards import Forwards
from bot.channels.telegram_pages import PublicPages
from bot.domain.ledger import Attempt, Evidence, LedgerEntry, Presence, Receipt, Survey
from bot.domain.post import Method, Post
from bot.errors import AccessLostError, BotError, GoneError, PhotoRefusedError, RefusedError, UploadRefusedError

_OTHER_KIND = "in the message to edit"  # "there is no text …" under a photo, "there is no caption …" without one
_MOST_PHOTOS = 10  # sendMediaGroup


class TelegramPublisher:
    """One channel through one bot, which others may share.

    Args:
        bot: opened by its owner.
        address: "@name" or the numeric chat id.
        web_url: where the public preview is read and permalinks lead.
        service_chat: chat to which the channel's messages are forwarded to be read; 0 for none.
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
        self._pages = PublicPages(bot, self._web_url)
        self._forwards = Forwards(bot, self._chat, service_chat, self._permalink) if service_chat else None
        self._token_name = token_name

    def __repr__(self) -> str:
        return f"TelegramPublisher({self._chat}, {self._bot!r})"

    @property
    def account(self) -> str:
        return self._bot.account

    @property
    def pace_keys(self) -> tuple[tuple[str, str], ...]:
        return (("chat", f"chat:telegram:{self._chat}"), ("bot", f"bot:{self._bot.account}"))

    @property
    def rest_for(self) -> timedelta:
        return timedelta(0)

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
        """Rewrite a post's text, or the caption under its photo; of an adopted post it is only guessed which it has."""
        has_photo = public.method.carries_photo
        try:
            await self._rewrite(public, parcel.post, is_caption=has_photo)
        except RefusedError as error:
            if _OTHER_KIND not in str(error).lower():
                raise
            await self._rewrite(public, parcel.post, is_caption=not has_photo)

    async def _rewrite(self, public: LedgerEntry, post: Post, *, is_caption: bool) -> None:
        number, card = _number(public.remote_id), _card(post)
        if is_caption:  # an album's words are the caption of its first photo
            await self._bot.ask(
                lambda bot: bot.edit_message_caption(self._chat, number, caption=post.text, parse_mode=ParseMode.HTML)
            )
        else:
            await self._bot.ask(
                lambda bot: bot.edit_message_text(
                    post.text, self._chat, number, parse_mode=ParseMode.HTML, link_preview_options=card
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
        """Look for an attempt's post on the public pages, and through the service chat where there is one.

        A public page that shows the post settles it; one that does not may be an old copy, and the chat decides.
        """
        try:
            name = await self._public_name()
            if name is None:
                on_pages = nothing("a private channel without service_chat cannot be read back", for_good=True)
            else:
                on_pages = await self._pages.look(name, attempt)
        except BotError as error:
            name, on_pages = "", nothing(f"the preview could not be read: {error}")
        if on_pages.presence is Presence.PRESENT or self._forwards is None:
            return on_pages
        forwarded = await self._forwards.look(attempt)
        return on_pages if forwarded.for_good and name is not None else forwarded

    async def survey(self, known: Collection[str], most: int) -> Survey:
        """Read the public preview page by page, back to a known post; a private channel on from one."""
        try:
            name = await self._public_name()
            if name is not None:
                shown = await self._pages.survey(name, known, most)
                if shown.readable or self._forwards is None:
                    return shown
                forwarded = await self._forwards.survey(known, most)
                return forwarded if forwarded.readable else shown
        except BotError as error:
            lost = isinstance(error, AccessLostError)
            return Survey(readable=False, access_lost=lost, detail=f"the preview could not be read: {error}")
        if self._forwards is not None:
            return await self._forwards.survey(known, most)
        return Survey(readable=False, for_good=True, detail="a private channel without service_chat cannot be read")

    async def check(self) -> list[Finding]:
        """Test token, address, rights and read-back, each with a line on what to do."""
        findings = await look_over(self._bot, self._chat, self._token_name)
        if all(finding.ok for finding in findings):
            findings.append(await self._check_read_back())
        return findings

    async def _check_read_back(self) -> Finding:
        """Say by which ways an unanswered post can be looked for."""
        try:
            name = await self._public_name()
            posts = await self._pages.read(name) if name is not None else None
        except BotError as error:
            return Finding(name=READ_BACK, ok=False, detail=f"the preview at {self._web_url} cannot be read: {error}")
        if name is not None and posts is None:
            detail = f"{self._web_url}/s/{name} shows no preview: make the channel public or use its numeric id"
            return Finding(name=READ_BACK, ok=False, detail=detail)
        ways = [f"{self._web_url}/s/{name}"] if name is not None else []
        if self._forwards is not None:
            found = await look_at_service_chat(self._bot, self._chat, self._service_chat)
            if not found.ok:
                return found
            ways += [found.detail]
        detail = ", ".join(ways) or "private channel without service_chat: an unanswered post waits for an editor"
        return Finding(name=READ_BACK, ok=True, detail=detail)

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
        largest = max(message.photo, key=lambda size: size.width * size.height, default=None)
        return Receipt(
            remote_id=str(message.message_id),
            permalink=self._permalink(message.message_id, message.chat),
            upload=largest.file_id if largest is not None else None,
        )

    def _permalink(self, number: int | str, chat: Chat | None = None) -> str:
        name = (chat.username if chat is not None else None) or self._name
        chat_id = str(chat.id if chat is not None else self._chat)
        return f"{self._web_url}/{name or 'c/' + chat_id.removeprefix('-100')}/{number}"

    async def _public_name(self) -> str | None:
        """Return the channel's public name, asked for once where only its number was given; None for private."""
        if self._name is None:
            self._name = (await self._bot.ask(lambda bot: bot.get_chat(self._chat))).username
        return self._name


def _card(post: Post) -> LinkPreviewOptions:
    if post.link_preview is None:
        return LinkPreviewOptions(is_disabled=True)
    return LinkPreviewOptions(url=post.link_preview, prefer_large_media=True, show_above_text=False)


def _number(remote_id: str) -> int:
    if not remote_id.isdecimal():
        raise GoneError(f"{remote_id!r} is no message id of Telegram's")
    return int(remote_id)
