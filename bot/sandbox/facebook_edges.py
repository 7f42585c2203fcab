"""Edges of the Graph API that make, change and remove. Each takes a `GraphCall` and returns the answer's object."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from bot.sandbox import facebook_rules as rules
from bot.sandbox.facebook_rules import GraphRefusal, truth, wrong
from bot.sandbox.facebook_world import FacebookPost, FacebookWorld, Page, Photo, Token
from bot.sandbox.photos import StoredPhoto
from bot.sandbox.wire import Upload

MAY_NOT_POST = (
    "(#200) If posting to a group, requires app being installed in the group, and either publish_to_groups permission "
    "with user token, or both pages_read_engagement and pages_manage_posts permission with page token; If posting to a "
    "page, requires both pages_read_engagement and pages_manage_posts as an admin with sufficient administrative "
    "permission"
)


@dataclass(slots=True)
class GraphCall:
    """One call with a living token. `fetch` returns what the sandbox serves at an address; `base` is its own URL."""

    world: FacebookWorld
    token: Token
    params: dict[str, str]
    files: dict[str, Upload]
    fetch: Callable[[str], bytes | None]
    base: str
    path: str = ""
    verb: str = "get"

    def page(self, page_id: str) -> Page:
        """Return a page this token may act for."""
        page = self.world.pages.get(page_id)
        if page is None and self.world.welcoming and page_id.isdigit():
            page = self.world.add_page(page_id)
        if page is None:
            raise missing(self.verb, page_id)
        if self.world.welcoming and not self.token.page:
            self.token.page = page_id
        return page

    def to_post(self, page_id: str) -> Page:
        """Return a page this token may post to."""
        page = self.page(page_id)
        if not self.world.welcoming:
            if self.token.page != page_id:
                if page_id in self.token.pages:
                    raise GraphRefusal(190, "A page access token is required to request this resource.", 2069032)
                raise GraphRefusal(200, MAY_NOT_POST)
            if not {"pages_manage_posts", "pages_read_engagement"} <= self.token.scopes:
                raise GraphRefusal(200, MAY_NOT_POST)
            if "CREATE_CONTENT" not in page.tasks:
                raise GraphRefusal(1, "(#1) An unknown error occurred", 2853006, status=400)
        return page

    def post(self, post_id: str, verb: str) -> FacebookPost:
        """Return a post that exists for this token."""
        self.world.settled(post_id.partition("_")[0])
        post = self.world.find(post_id)
        if post is None or (not self.world.welcoming and self.token.page != post.page):
            raise missing(verb, post_id)
        return post


def missing(verb: str, object_id: str) -> GraphRefusal:
    """Return what the Graph API says of an object that is not there, or not for this token."""
    return GraphRefusal(
        100,
        f"Unsupported {verb} request. Object with ID '{object_id}' does not exist, cannot be loaded due to missing "
        "permissions, or does not support this operation. Please read the Graph API documentation at "
        "https://developers.facebook.com/docs/graph-api",
        33,
        "GraphMethodException",
    )


def _refuse_twin(call: GraphCall, page: Page, message: str) -> None:
    if not call.world.refuse_duplicates:
        return
    day_ago = call.world.clock() - 86_400
    if message and any(post.message == message and post.created > day_ago for post in call.world.posts(page.id)):
        raise GraphRefusal(506, "(#506) Duplicate status message", 1455006)


def publish_feed(call: GraphCall, page_id: str) -> Any:
    """POST /{page}/feed."""
    rules.check("feed", call.params, None, call.world.clock())
    page = call.to_post(page_id)
    message = call.params.get("message", "")
    _refuse_twin(call, page, message)
    photos = [_attachable(call, page, photo_id) for photo_id in rules.attached(call.params)]
    post = call.world.publish(
        page,
        call.token.app_id,
        message,
        link=call.params.get("link", ""),
        photos=photos,
        public=truth(call.params, "published", True),
        scheduled_for=rules.scheduled_for(call.params, call.world.clock()),
    )
    return {"id": post.id}


def _attachable(call: GraphCall, page: Page, photo_id: str) -> Photo:
    photo = call.world.uploads.get(photo_id)
    if photo is None or photo.page != page.id or photo.post:
        raise wrong(f"Invalid parameter: photo {photo_id} cannot be attached", 1366051)
    return photo


def publish_photo(call: GraphCall, page_id: str) -> Any:
    """POST /{page}/photos."""
    upload = call.files.get("source") or next(iter(call.files.values()), None)
    picture = call.world.photos.look(upload.body) if upload else None
    rules.check("photos", call.params, upload.body if upload else None, call.world.clock(), picture)
    page = call.to_post(page_id)
    caption = call.params.get("message") or call.params.get("caption") or ""
    stored = call.world.photos.keep(upload.body) if upload else _fetched(call)
    public = truth(call.params, "published", True)
    at = rules.scheduled_for(call.params, call.world.clock())
    if public:
        _refuse_twin(call, page, caption)
    photo = call.world.upload(
        page, stored, caption, call.params.get("alt_text_custom", ""), truth(call.params, "temporary", False)
    )
    if not public and at is None:
        return {"id": photo.id}
    post = call.world.publish(page, call.token.app_id, caption, photos=[photo], public=public, scheduled_for=at)
    return {"id": photo.id, "post_id": post.id}


def _fetched(call: GraphCall) -> StoredPhoto:
    body = call.fetch(call.params["url"])
    if body is None:
        raise GraphRefusal(324, "(#324) Missing or invalid image file", 2069019)
    rules.check_photo(body)
    return call.world.photos.keep(body)


def change_post(call: GraphCall, post_id: str) -> Any:
    """POST /{post}: a new message, or publishing what was created unpublished. Repeating it is harmless."""
    rules.check("post", call.params, None, call.world.clock())
    page = post_id.partition("_")[0]
    call.to_post(page)
    post = call.post(post_id, "post")
    if post.app_id != call.token.app_id:
        raise GraphRefusal(200, "(#200) App cannot edit non-app posts")
    if "message" in call.params:
        if not call.params["message"] and not post.photos and not post.link:
            raise wrong("Missing message or attachment")
        call.world.change(post, call.params["message"])
    if truth(call.params, "is_published", False):
        call.world.reveal(post, call.world.clock())
    return {"success": True}


def delete_object(call: GraphCall, object_id: str) -> Any:
    """DELETE /{post} or /{photo}; a photo takes its post along."""
    photo = call.world.uploads.get(object_id)
    if photo is not None and photo.page == call.token.page:
        del call.world.uploads[object_id]
        if not photo.post:
            return {"success": True}
        object_id = photo.post
    elif "_" in object_id and object_id.partition("_")[0] in call.world.pages:
        call.to_post(object_id.partition("_")[0])
    post = call.post(object_id, "delete")
    call.world.remove(post)
    return {"success": True}
