"""Gets the photos of a post before it leaves, and makes the best of those that cannot be had."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field, replace
from typing import Protocol

from bot.channels.base import Photo
from bot.domain.post import Post
from bot.errors import FetchError, PhotoError


class Photos(Protocol):
    """Where pictures come from."""

    async def get(self, photo_url: str) -> Photo:
        """Return a picture, or raise PhotoError or FetchError."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Collected:
    """A post as it can go out with the photos that were had, and what `why` should know of the others.

    Where `photos` is empty although the post has an address of one, the post must be made anew without.
    """

    post: Post
    photos: tuple[Photo, ...] = ()
    notes: tuple[str, ...] = field(default=())


async def collect(post: Post, source: Photos, budget: float) -> Collected:
    """Get all photos of a post at one time; an album of which fewer than two are left becomes an ordinary photo post.

    One picture under two addresses is shown once. The alt text belongs to the article's own photo and goes with it.

    Args:
        budget: seconds for any one photo.
    """
    if post.photo_url is None:
        return Collected(post=post)
    addresses = (post.photo_url, *post.album)
    getting = (asyncio.wait_for(source.get(address), budget) for address in addresses)
    answers = await asyncio.gather(*getting, return_exceptions=True)
    had: dict[str, tuple[str, Photo]] = {}
    faults = []
    for address, answer in zip(addresses, answers, strict=True):
        if isinstance(answer, PhotoError | FetchError | TimeoutError):
            faults.append(str(answer) or "no answer in time")
        elif isinstance(answer, BaseException):
            raise answer
        else:
            had.setdefault(answer.key, (address, answer))
    if not had:
        why = f"the photo could not be had, the post goes out as text: {'; '.join(faults)}"
        return Collected(post=post, notes=(why,))
    first, *more = (address for address, _ in had.values())
    alt = post.photo_alt if first == post.photo_url else ""
    left = replace(post, photo_url=first, photo_alt=alt, album=tuple(more))
    return Collected(
        post=left if more else left.with_one_photo(),
        photos=tuple(photo for _, photo in had.values()),
        notes=tuple(f"a photo of the album was left out: {fault}" for fault in faults),
    )
