"""The public preview of a channel, as t.me shows it under `/s/<channel>`: the page that reading back relies on.

Classes and attributes are those that real pages carry (`.tgme_widget_message[data-post="name/id"]`,
`.tgme_widget_message_text`, `a.tgme_widget_message_date > time[datetime]`). Unknown and private channels redirect.
"""

from __future__ import annotations

import html
from datetime import UTC, datetime
from urllib.parse import urlsplit

from aiohttp import web

from bot.sandbox.telegram_markup import Marked, to_html
from bot.sandbox.telegram_world import Chat, SandboxPost, TelegramWorld

PAGE = 20


def iso(at: float) -> str:
    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%dT%H:%M:%S+00:00")


class Preview:
    """Handlers of `/s/<channel>`, `/<channel>` and `/<channel>/<id>`."""

    def __init__(self, world: TelegramWorld) -> None:
        self.world = world

    def _channel(self, name: str) -> Chat | None:
        chat = self.world.chat(f"@{name}")
        return chat if chat is not None and chat.type == "channel" else None

    def _shown(self, chat: Chat) -> list[SandboxPost]:
        now, look = self.world.clock(), self.world.read_back
        return [
            post
            for post in chat.messages.values()
            if look.shows(post.date, now) and not (post.deleted_at is not None and look.knows(post.deleted_at, now))
        ]

    async def page(self, request: web.Request) -> web.Response:
        """Show up to 20 posts, oldest first; `?before=` and `?after=` are post ids."""
        name = request.match_info["channel"]
        chat, look = self._channel(name), self.world.read_back
        if chat is None or look.redirect:
            return web.Response(status=302, headers={"Location": f"/{name}"})
        if look.broken:
            return web.Response(text='<!DOCTYPE html><html><body><div class="tgme_page">', content_type="text/html")
        posts = _heads(self._shown(chat))
        before, after = request.query.get("before", ""), request.query.get("after", "")
        if before.isdigit():
            posts = [post for post in posts if post.id < int(before)][-PAGE:]
        elif after.isdigit():
            posts = [post for post in posts if post.id > int(after)][:PAGE]
        else:
            posts = posts[-PAGE:]
        more = ""
        if posts and any(post.id < posts[0].id for post in _heads(self._shown(chat))):
            more = (
                f'<div class="tgme_widget_message_centered js-messages_more_wrap"><a href="/s/{chat.username}?before='
                f'{posts[0].id}" class="tme_messages_more js-messages_more" data-before="{posts[0].id}"></a></div>'
            )
        body = "".join(self.widget(chat, post) for post in posts)
        return web.Response(text=_PAGE.format(**_names(chat), more=more, body=body), content_type="text/html")

    async def profile(self, request: web.Request) -> web.Response:
        """Show what t.me shows where there is no preview: a page with no posts."""
        name = request.match_info["channel"]
        chat = self._channel(name)
        title = html.escape(chat.title if chat else f"@{name}")
        text = _PROFILE.format(title=title, name=html.escape(name))
        return web.Response(text=text, content_type="text/html")

    async def single(self, request: web.Request) -> web.Response:
        """Show one post."""
        chat = self._channel(request.match_info["channel"])
        wanted = int(request.match_info["id"])
        posts = [post for post in self._shown(chat) if post.id == wanted] if chat else []
        if chat is None or not posts:
            return await self.profile(request)
        text = _PAGE.format(**_names(chat), more="", body=self.widget(chat, posts[0]))
        return web.Response(text=text, content_type="text/html")

    def widget(self, chat: Chat, post: SandboxPost) -> str:
        """Return one post as t.me marks it up."""
        link = f"https://t.me/{chat.username}/{post.id}"
        photo = ""
        album = [one for one in self._shown(chat) if one.album == post.album] if post.album else []
        if len(album) > 1:
            photo = "".join(
                f'<a class="tgme_widget_message_photo_wrap grouped_media_wrap blured js-message_photo" href="'
                f'https://t.me/{chat.username}/{one.id}?single" style="background-image:url(\''
                f"{one.photo.path if one.photo else ''}')\"></a>"
                for one in album
            )
            photo = (
                '<div class="tgme_widget_message_grouped_wrap js-message_grouped_wrap">'
                f'<div class="tgme_widget_message_grouped js-message_grouped">{photo}</div></div>'
            )
        elif post.photo:
            padding = round(100 * post.photo.height / max(post.photo.width, 1), 4)
            photo = (
                f'<a class="tgme_widget_message_photo_wrap" href="{link}" style="width:800px;background-image:'
                f'url(\'{post.photo.path}\')"><div class="tgme_widget_message_photo" style="padding-top:{padding}%">'
                "</div></a>"
            )
        inner = to_html(Marked(post.text, post.entities), line_break="<br/>")
        inner = inner.replace('<a href="', '<a target="_blank" rel="noopener" href="')
        text = f'<div class="tgme_widget_message_text js-message_text" dir="auto">{inner}</div>' if post.text else ""
        edited = "edited &nbsp;" if post.edited is not None else ""
        moment = iso(post.date)
        return _WIDGET.format(
            name=chat.username,
            id=post.id,
            title=html.escape(chat.title),
            photo=photo,
            text=text,
            card=self._card(post),
            link=link,
            edited=edited,
            moment=moment,
            clock=moment[11:16],
        )

    def _card(self, post: SandboxPost) -> str:
        url = shown_link(post)
        if not url:
            return ""
        site = html.escape(urlsplit(url).hostname or "")
        return (
            f'<a class="tgme_widget_message_link_preview" href="{html.escape(url)}">'
            f'<div class="link_preview_site_name accent_color" dir="auto">{site}</div></a>'
        )


def _heads(posts: list[SandboxPost]) -> list[SandboxPost]:
    """Return posts with each album as its first message."""
    firsts = {post.album: post for post in reversed(posts)}
    return [post for post in posts if not post.album or firsts[post.album] is post]


def shown_link(post: SandboxPost) -> str:
    """Return the link whose card stands under a text post, "" for none: the one asked for, else the first."""
    options = post.link_preview or {}
    if post.photo is not None or options.get("is_disabled"):
        return ""
    if options.get("url"):
        return str(options["url"])
    for entity in post.entities:
        if entity["type"] == "text_link":
            return str(entity["url"])
        if entity["type"] == "url":
            raw = post.text.encode("utf-16-le")[2 * entity["offset"] : 2 * (entity["offset"] + entity["length"])]
            return raw.decode("utf-16-le")
    return ""


def _names(chat: Chat) -> dict[str, str]:
    return {"name": chat.username or "", "title": html.escape(chat.title)}


_PAGE = """<!DOCTYPE html>
<html class=""><head><meta charset="utf-8"><title>{title} – Telegram</title>
<meta name="viewport" content="width=device-width, initial-scale=1.0">
<meta property="og:title" content="{title}"><meta property="og:site_name" content="Telegram"></head>
<body class="widget_frame_base tgme_webpreview">
<header class="tgme_header search_collapsed"><div class="tgme_container"><div class="tgme_header_info">
<div class="tgme_header_title_wrap"><div class="tgme_header_title"><span dir="auto">{title}</span></div></div>
</div></div></header>
<main class="tgme_main" data-url="/{name}"><div class="tgme_container">
<section class="tgme_right_column"><div class="tgme_channel_info"><div class="tgme_channel_info_header">
<div class="tgme_channel_info_header_title"><span dir="auto">{title}</span></div>
<div class="tgme_channel_info_header_username"><a href="https://t.me/{name}">@{name}</a></div></div></div></section>
<section class="tgme_channel_history js-message_history">
{more}
{body}
</section></div></main></body></html>
"""

_WIDGET = """<div class="tgme_widget_message_wrap js-widget_message_wrap">
<div class="tgme_widget_message text_not_supported_wrap js-widget_message" data-post="{name}/{id}" data-view="">
<div class="tgme_widget_message_user"><a href="https://t.me/{name}"><i class="tgme_widget_message_user_photo"></i></a>
</div>
<div class="tgme_widget_message_bubble">
<div class="tgme_widget_message_author accent_color">
<a class="tgme_widget_message_owner_name" href="https://t.me/{name}"><span dir="auto">{title}</span></a></div>
{photo}{text}{card}
<div class="tgme_widget_message_footer compact js-message_footer">
<div class="tgme_widget_message_info short js-message_info"><span class="tgme_widget_message_views">1</span>
<span class="copyonly"> views</span><span class="tgme_widget_message_meta">{edited}
<a class="tgme_widget_message_date" href="{link}"><time datetime="{moment}" class="time">{clock}</time></a></span>
</div></div>
</div></div></div>
"""

_PROFILE = """<!DOCTYPE html>
<html><head><meta charset="utf-8"><title>Telegram: View @{name}</title></head>
<body class="no_transition"><div class="tgme_page"><div class="tgme_page_title"><span dir="auto">{title}</span></div>
<div class="tgme_page_action">
<a class="tgme_action_button_new" href="tg://resolve?domain={name}">View in Telegram</a></div>
</div></body></html>
"""
