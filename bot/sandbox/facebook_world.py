"""The Facebook of the sandbox: pages, tokens, posts and photos, and the switches a test turns. No HTTP here.

`posts` is what a reader of the page sees now, `history` everything that was ever visible.
"""

from __future__ import annotations

import hashlib
import hmac
import itertools
import re
from collections import deque
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from bot.sandbox.facebook_rules import GraphRefusal
from bot.sandbox.mishaps import Mishap, Script
from bot.sandbox.photos import PhotoStore, StoredPhoto
from bot.sandbox.rates import Meter, Rate
from bot.sandbox.read_back import ReadBack
from bot.sandbox.wire import Call

SCOPES = ("pages_show_list", "pages_manage_posts", "pages_read_engagement", "read_insights")
CHAOS_EDGES = frozenset({"feed", "photos", "post", "delete"})
YEAR = 365 * 86_400


@dataclass(slots=True)
class Token:
    """A token of a page (`page` set) or of a person (`pages` they manage). `ended` is the subcode it died of."""

    value: str = field(repr=False)
    page: str = ""
    pages: tuple[str, ...] = ()
    name: str = ""
    scopes: frozenset[str] = frozenset(SCOPES)
    app_id: str = "1"
    expires_at: int = 0
    ended: int = 0


@dataclass(slots=True)
class Photo:
    """An uploaded photo; `post` is the post it stands in, "" while none."""

    id: str
    page: str
    stored: StoredPhoto
    caption: str
    alt: str
    created: float
    temporary: bool
    post: str = ""


@dataclass(slots=True)
class FacebookPost:
    """A post as its readers see it. Times are Unix seconds; `public_at` is None while unpublished.

    `versions` holds every text it ever had, with the time since when; `deleted_at` is None while it exists.
    """

    id: str
    page: str
    app_id: str
    message: str
    created: float
    link: str = ""
    photos: tuple[Photo, ...] = ()
    public_at: float | None = None
    scheduled_for: float | None = None
    edited: float | None = None
    deleted_at: float | None = None
    insights: dict[str, Any] = field(default_factory=dict)
    versions: list[tuple[float, str]] = field(default_factory=list)


@dataclass(slots=True)
class Page:
    """A page. `tasks` are what the token's owner may do there; below a hundred `likes` no figures are told."""

    id: str
    name: str
    category: str = "Media/news company"
    likes: int = 1000
    tasks: tuple[str, ...] = ("ANALYZE", "ADVERTISE", "MODERATE", "CREATE_CONTENT", "MANAGE")
    posts: dict[str, FacebookPost] = field(default_factory=dict)


class FacebookWorld:
    """Everything Facebook knows, with the switches for tests."""

    def __init__(self, photos: PhotoStore, clock: Callable[[], float], changed: Callable[[], None]) -> None:
        self.photos, self.clock, self.changed = photos, clock, changed
        self.welcoming = False
        self.empty()

    def empty(self) -> None:
        """Forget everything: pages, tokens, posts, calls, mishaps."""
        self.pages: dict[str, Page] = {}
        self.tokens: dict[str, Token] = {}
        self.uploads: dict[str, Photo] = {}
        self.calls: deque[Call] = deque(maxlen=200_000)
        self.created: list[FacebookPost] = []
        self.script = Script()
        self.meter = Meter()
        self.rate: Rate | None = None
        self.latency = 0.0
        self.calls_inside_ban = 0
        self.read_back = ReadBack()
        self.refuse_duplicates = False
        self.app_secrets: dict[str, str] = {}
        self.proof_secret = ""
        self.gone_metrics: frozenset[str] = frozenset()
        self.app_usage: dict[str, int] = {"call_count": 0, "total_time": 0, "total_cputime": 0}
        self.page_usage: dict[str, float] = {
            "call_count": 0,
            "total_cputime": 0,
            "total_time": 0,
            "estimated_time_to_regain_access": 0,
        }
        self._ids = itertools.count(122_100_000_000_001)

    # --- building a world ---------------------------------------------------------------------------------------

    def add_page(
        self,
        id: str | int,
        name: str = "",
        token: str = "",
        scopes: Iterable[str] = SCOPES,
        app_id: str | int = "1",
        *,
        expires_at: int = 0,
    ) -> Page:
        """Add a page with its token; `expires_at` in Unix seconds, 0 for never."""
        page = self.pages[str(id)] = Page(str(id), name or f"Сторінка {id}")
        if token:
            self.add_token(token, page=page.id, scopes=scopes, app_id=app_id, expires_at=expires_at)
        self.changed()
        return page

    def add_token(
        self,
        token: str,
        *,
        page: str = "",
        pages: Iterable[str] = (),
        name: str = "Власниця сторінки",
        scopes: Iterable[str] = SCOPES,
        app_id: str | int = "1",
        expires_at: int = 0,
    ) -> Token:
        """Add a token: of a page, or of a person who manages `pages`."""
        made = Token(token, page, tuple(pages), name, frozenset(scopes), str(app_id), expires_at)
        self.tokens[token] = made
        return made

    def add_app(self, app_id: str | int, secret: str) -> None:
        """Let `<app id>|<secret>` be known as the app's own token; it may look at tokens and nothing more."""
        self.app_secrets[str(app_id)] = secret

    def expire(self, token: str, subcode: int = 463) -> None:
        """End a token: 463 expired, 460 password changed, 458 app removed, 467 invalid, 492 role lost."""
        self.tokens[token].ended = subcode

    def require_proof(self, app_secret: str) -> None:
        """Demand `appsecret_proof`, made with this secret, with every call; "" demands none."""
        self.proof_secret = app_secret

    def set_insights(self, post_id: str, figures: Mapping[str, Any]) -> None:
        self.must(post_id).insights.update(figures)

    # --- looking ------------------------------------------------------------------------------------------------

    def posts(self, page: str | int) -> list[FacebookPost]:
        """Return what readers of the page see now, oldest first."""
        return [post for post in self.settled(str(page)) if post.public_at is not None and post.deleted_at is None]

    def history(self, page: str | int) -> list[FacebookPost]:
        """Return everything that was ever visible on the page, deleted posts too, in order of appearance."""
        seen = [post for post in self.settled(str(page)) if post.public_at is not None]
        return sorted(seen, key=lambda post: post.public_at or 0.0)

    def settled(self, page: str) -> list[FacebookPost]:
        """Return all posts of a page after publishing those whose scheduled time has come."""
        now, found = self.clock(), list(self.pages[page].posts.values()) if page in self.pages else []
        for post in found:
            due = post.scheduled_for
            if due is not None and post.public_at is None and post.deleted_at is None and due <= now:
                self.reveal(post, due)
        return found

    def must(self, post_id: str) -> FacebookPost:
        found = self.find(post_id)
        if found is None:
            raise KeyError(f"no post {post_id!r} in the sandbox")
        return found

    def find(self, post_id: str) -> FacebookPost | None:
        page = self.pages.get(post_id.partition("_")[0])
        post = page.posts.get(post_id) if page else None
        return post if post is not None and post.deleted_at is None else None

    # --- trouble ------------------------------------------------------------------------------------------------

    def next(self, edge: str, mishap: Mishap, count: int = 1, page: str | int | None = None) -> None:
        """Let the next `count` calls of an edge ("feed", "photos", "post", "delete", "published_posts"…) meet it."""
        self.script.next(edge, mishap, count, None if page is None else str(page))

    def trouble(self, seed: int, rates: Mapping[str | Mishap, float], edges: Iterable[str] = CHAOS_EDGES) -> None:
        """Let calls meet mishaps by chance, the same for the same seed and calls. `rates` are probabilities a call."""
        self.script.trouble(seed, rates, frozenset(edges))

    @property
    def lag(self) -> float:
        """Seconds until a post shows in the lists of posts."""
        return self.read_back.lag

    @lag.setter
    def lag(self, seconds: float) -> None:
        self.read_back = self.read_back.with_lag(seconds)

    # --- making posts -------------------------------------------------------------------------------------------

    def upload(self, page: Page, stored: StoredPhoto, caption: str, alt: str, temporary: bool) -> Photo:
        photo = Photo(str(next(self._ids)), page.id, stored, caption, alt, self.clock(), temporary)
        self.uploads[photo.id] = photo
        return photo

    def publish(
        self,
        page: Page,
        app_id: str,
        message: str,
        *,
        link: str = "",
        photos: Iterable[Photo] = (),
        public: bool = True,
        scheduled_for: float | None = None,
    ) -> FacebookPost:
        """Put a post on a page, public at once, later, or not at all yet."""
        now = self.clock()
        post = FacebookPost(f"{page.id}_{next(self._ids)}", page.id, app_id, message, now, link, tuple(photos))
        post.scheduled_for = scheduled_for
        post.versions.append((now, message))
        for photo in post.photos:
            photo.post = post.id
        page.posts[post.id] = post
        if public:
            self.reveal(post, now)
        return post

    def reveal(self, post: FacebookPost, at: float) -> None:
        """Make a post public, once."""
        if post.public_at is None:
            post.public_at = post.created = at
            self.created.append(post)
            self.changed()

    def change(self, post: FacebookPost, message: str) -> None:
        post.message, post.edited = message, self.clock()
        post.versions.append((post.edited, message))
        self.changed()

    def remove(self, post: FacebookPost) -> None:
        post.deleted_at = self.clock()
        self.changed()

    # --- tokens -------------------------------------------------------------------------------------------------

    def welcome(self, value: str) -> Token:
        """Take an unknown token: of the page whose id it ends with ("demo-1001"), else of the only page there is."""
        found = re.search(r"-(\d+)$", value)
        page = found[1] if found else next(iter(self.pages), "") if len(self.pages) == 1 else ""
        if page and page not in self.pages:
            self.add_page(page)
        return self.add_token(value, page=page)

    def token(self, value: str, proof: str | None) -> Token:
        """Return the living token behind a value, or refuse as the Graph API does."""
        if not value:
            raise GraphRefusal(104, "An access token is required to request this resource.")
        app_id, _, secret = value.partition("|")
        if secret and hmac.compare_digest(self.app_secrets.get(app_id, ""), secret):
            return Token(value, name="app", app_id=app_id, scopes=frozenset())
        token = self.tokens.get(value)
        if token is None and self.welcoming:
            token = self.welcome(value)
        if token is None:
            raise GraphRefusal(190, "Invalid OAuth access token - Cannot parse access token")
        if token.expires_at and token.expires_at <= self.clock():
            token.ended = token.ended or 463
        if token.ended:
            raise GraphRefusal(190, ENDED.get(token.ended, "Error validating access token"), token.ended)
        if self.proof_secret:
            if not proof:
                words = "API calls from the server require an appsecret_proof argument"
                raise GraphRefusal(100, words, kind="GraphMethodException")
            made = hmac.new(self.proof_secret.encode(), value.encode(), hashlib.sha256).hexdigest()
            if not hmac.compare_digest(made, proof):
                words = "Invalid appsecret_proof provided in the API argument"
                raise GraphRefusal(100, words, kind="GraphMethodException")
        return token


ENDED = {
    458: "Error validating access token: The user has not authorized application.",
    459: "Error validating access token: You cannot access the app till you log in to www.facebook.com and follow the "
    "instructions given.",
    460: "Error validating access token: The session has been invalidated because the user changed their password or "
    "Facebook has changed the session for security reasons.",
    463: "Error validating access token: Session has expired.",
    464: "Error validating access token: Sessions for the user are not allowed because the user is not a "
    "confirmed user.",
    467: "Error validating access token: This is invalid because the user logged out.",
    492: "Error validating access token: The user no longer has a role on the page.",
}
