"""What becomes of a post whose photos cannot all be had."""

from __future__ import annotations

import asyncio

import pytest

from bot.channels.base import Photo
from bot.domain.channel import Platform
from bot.domain.post import Method, Post
from bot.errors import FetchError, PhotoError
from bot.outbox.pictures import collect

_ALBUM = ("a", "b", "c")
_BUDGET = 5.0  # seconds


class Shelf:
    """Pictures by address; what is not there cannot be had. A picture's key is the first letter of its address."""

    def __init__(self, *addresses: str, fault: Exception | None = None) -> None:
        self._addresses = addresses
        self._fault = fault

    async def get(self, photo_url: str) -> Photo:
        if photo_url not in self._addresses:
            raise self._fault or PhotoError(f"{photo_url}: no picture")
        return Photo(jpeg=photo_url.encode(), width=320, height=200, key=photo_url[0])


def a_post(method: Method, *addresses: str) -> Post:
    return Post(
        channel="main",
        platform=Platform.TELEGRAM,
        method=method,
        text="Текст",
        plain="Текст",
        length=5,
        limit=1024,
        photo_url=addresses[0] if addresses else None,
        photo_alt="Міст" if addresses else "",
        album=addresses[1:],
    )


async def test_an_album_whose_photos_are_all_there_stays_as_it_is() -> None:
    post = a_post(Method.SEND_MEDIA_GROUP, *_ALBUM)
    collected = await collect(post, Shelf(*_ALBUM), _BUDGET)
    assert (collected.post, collected.notes) == (post, ())
    assert [photo.key for photo in collected.photos] == ["a", "b", "c"]


@pytest.mark.parametrize("fault", [PhotoError("c: no picture"), FetchError("c: no answer")])
async def test_a_photo_that_cannot_be_had_is_left_out_with_a_note(fault: Exception) -> None:
    collected = await collect(a_post(Method.SEND_MEDIA_GROUP, *_ALBUM), Shelf("a", "b", fault=fault), _BUDGET)
    assert collected.post == a_post(Method.SEND_MEDIA_GROUP, "a", "b")
    assert [photo.key for photo in collected.photos] == ["a", "b"]
    assert collected.notes == (f"a photo of the album was left out: {fault}",)


async def test_a_photo_that_takes_too_long_is_left_out_and_does_not_hold_up_the_others() -> None:
    class Slow(Shelf):
        async def get(self, photo_url: str) -> Photo:
            await asyncio.sleep(60 if photo_url == "b" else 0)
            return await super().get(photo_url)

    collected = await collect(a_post(Method.SEND_MEDIA_GROUP, *_ALBUM), Slow(*_ALBUM), 0.05)
    assert collected.post.album == ("c",)
    assert collected.notes == ("a photo of the album was left out: no answer in time",)


async def test_one_photo_that_is_left_makes_an_ordinary_post_without_the_alt_text_of_another() -> None:
    collected = await collect(a_post(Method.SEND_MEDIA_GROUP, *_ALBUM), Shelf("b"), _BUDGET)
    post = collected.post
    assert (post.method, post.photo_url, post.album, post.photo_alt) == (Method.SEND_PHOTO, "b", (), "")
    assert [photo.key for photo in collected.photos] == ["b"]
    assert len(collected.notes) == 2
    facebook = await collect(a_post(Method.ATTACHED_MEDIA, *_ALBUM), Shelf("a"), _BUDGET)
    assert (facebook.post.method, facebook.post.photo_alt) == (Method.PHOTOS, "Міст")


async def test_one_picture_under_two_addresses_is_shown_once() -> None:
    collected = await collect(a_post(Method.SEND_MEDIA_GROUP, "a", "a-small", "b"), Shelf("a", "a-small", "b"), _BUDGET)
    assert collected.post.album == ("b",)
    assert [photo.jpeg for photo in collected.photos] == [b"a", b"b"]


async def test_without_any_photo_the_post_is_left_to_be_made_anew() -> None:
    collected = await collect(a_post(Method.SEND_MEDIA_GROUP, *_ALBUM), Shelf(), _BUDGET)
    assert collected.photos == ()
    (note,) = collected.notes
    assert note == "the photo could not be had, the post goes out as text: " + "; ".join(
        f"{address}: no picture" for address in _ALBUM
    )


async def test_a_text_post_asks_for_no_photo_and_a_fault_of_the_program_is_not_hidden() -> None:
    post = a_post(Method.SEND_MESSAGE)
    assert (await collect(post, Shelf(), _BUDGET)).post is post
    with pytest.raises(RuntimeError):
        await collect(a_post(Method.SEND_PHOTO, "a"), Shelf(fault=RuntimeError("broken")), _BUDGET)
