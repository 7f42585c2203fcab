from __future__ import annotations

import io
import struct
import zlib
from collections.abc import Callable

import pytest
from PIL import Image, ImageCms

from bot.channels.base import Photo
from bot.channels.picture import as_photo
from bot.errors import PhotoError

RED, WHITE = (220, 20, 20), (255, 255, 255)


def drawn(mode: str = "RGB", size: tuple[int, int] = (240, 160), colour: object = RED) -> Image.Image:
    return Image.new(mode, size, colour)  # type: ignore[arg-type]


def stored(image: Image.Image, kind: str, **options: object) -> bytes:
    out = io.BytesIO()
    image.save(out, kind, **options)
    return out.getvalue()


def opened(photo: Photo) -> Image.Image:
    image = Image.open(io.BytesIO(photo.jpeg))
    image.load()
    return image


def near(pixel: object, wanted: tuple[int, int, int], by: int = 6) -> bool:
    assert isinstance(pixel, tuple)
    return all(abs(got - want) <= by for got, want in zip(pixel, wanted, strict=True))


def _sideways() -> bytes:
    """A picture whose EXIF says: turn me; its left half is red, and it names a place."""
    image = drawn(colour=WHITE)
    image.paste(RED, (0, 0, 120, 160))
    exif = Image.Exif()
    exif[0x0112] = 6  # turned clockwise
    exif[0x010E] = "a secret place"
    return stored(image, "JPEG", exif=exif.tobytes(), comment=b"a secret remark")


@pytest.mark.parametrize(
    ("raw", "wanted"),
    [
        (lambda: stored(drawn(), "JPEG"), RED),
        (lambda: stored(drawn(), "PNG"), RED),
        (lambda: stored(drawn(), "WEBP"), RED),
        (lambda: stored(drawn(), "AVIF"), RED),
        (lambda: stored(drawn(), "BMP"), RED),
        (lambda: stored(drawn(), "TIFF"), RED),
        (lambda: stored(drawn("RGBA", colour=(0, 0, 0, 0)), "PNG"), WHITE),
        (lambda: stored(drawn("RGBA", colour=(0, 0, 0, 0)), "WEBP", lossless=True), WHITE),
        (lambda: stored(drawn("LA", colour=(0, 0)), "PNG"), WHITE),
        (lambda: stored(drawn("P", colour=0), "PNG", transparency=0), WHITE),
        (lambda: stored(drawn().quantize(16), "GIF"), RED),
        (lambda: stored(drawn("1", colour=1), "PNG"), WHITE),
        (lambda: stored(drawn("CMYK", colour=(0, 255, 255, 0)), "TIFF"), (255, 0, 0)),
        (lambda: stored(drawn("CMYK", colour=(0, 255, 255, 0)), "JPEG"), (255, 0, 0)),
        (lambda: stored(Image.frombytes("I;16", (240, 160), struct.pack("<H", 51400) * 38400), "PNG"), (200, 200, 200)),
        (lambda: stored(drawn("I", colour=51400), "TIFF"), (200, 200, 200)),
    ],
)
def test_every_kind_of_picture_becomes_an_rgb_jpeg_of_the_same_look(
    raw: Callable[[], bytes], wanted: tuple[int, int, int]
) -> None:
    photo = as_photo(raw())
    image = opened(photo)
    assert (image.format, image.mode, image.size) == ("JPEG", "RGB", (240, 160))
    assert (photo.width, photo.height) == (240, 160)
    assert near(image.getpixel((120, 80)), wanted)


def test_a_picture_is_turned_upright_and_says_nothing_of_where_it_was_taken() -> None:
    photo = as_photo(_sideways())
    image = opened(photo)
    assert image.size == (160, 240)
    assert near(image.getpixel((80, 20)), RED)
    assert near(image.getpixel((80, 220)), WHITE)
    assert b"secret" not in photo.jpeg
    assert not image.getexif()
    assert not {"exif", "icc_profile", "comment"} & set(image.info)


def test_colours_of_another_profile_are_brought_to_srgb() -> None:
    srgb = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    swapped = srgb.replace(b"rXYZ", b"????").replace(b"bXYZ", b"rXYZ").replace(b"????", b"bXYZ")
    image = opened(as_photo(stored(drawn(colour=(0, 0, 255)), "PNG", icc_profile=swapped)))
    assert near(image.getpixel((5, 5)), (255, 0, 0))
    assert "icc_profile" not in image.info


def test_a_profile_that_is_broken_or_of_another_kind_than_the_picture_changes_nothing() -> None:
    lab = ImageCms.ImageCmsProfile(ImageCms.createProfile("LAB"))
    for profile in (lab.tobytes(), b"not a profile"):
        assert near(opened(as_photo(stored(drawn(), "PNG", icc_profile=profile))).getpixel((5, 5)), RED)


def test_a_large_picture_is_made_smaller_in_proportion() -> None:
    photo = as_photo(stored(drawn(size=(4000, 1000)), "JPEG"))
    assert (photo.width, photo.height) == (2560, 640)


def test_of_an_animation_the_first_frame_is_taken() -> None:
    frames = [drawn(colour=RED), drawn(colour=(0, 0, 255))]
    for kind in ("GIF", "WEBP", "PNG"):
        raw = stored(frames[0], kind, save_all=True, append_images=frames[1:], duration=100)
        assert near(opened(as_photo(raw)).getpixel((9, 9)), RED)


def test_the_same_picture_has_the_same_key_and_another_one_another() -> None:
    one, again = as_photo(stored(drawn(), "PNG")), as_photo(stored(drawn(), "PNG"))
    other = as_photo(stored(drawn(colour=WHITE), "PNG"))
    assert one.key == again.key
    assert one.key != other.key


def test_only_the_sizes_that_platforms_take_pass() -> None:
    assert as_photo(stored(drawn(size=(50, 50)), "PNG")).width == 50
    assert as_photo(stored(drawn(size=(2000, 100)), "PNG")).height == 100
    for size in ((49, 500), (500, 49), (2001, 100), (1, 1)):
        with pytest.raises(PhotoError, match=f"{size[0]}x{size[1]}"):
            as_photo(stored(drawn(size=size), "PNG"))


def _claimed(width: int, height: int) -> bytes:
    """A PNG of a few bytes whose head claims any size."""

    def chunk(kind: bytes, content: bytes) -> bytes:
        return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))

    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    body = chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(b"")) + chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + body


@pytest.mark.parametrize("size", [(8000, 6251), (12_000, 8_000), (60_000, 60_000)])
def test_a_bomb_is_refused_before_it_is_decoded(size: tuple[int, int]) -> None:
    with pytest.raises(PhotoError, match="more than 50,000,000 pixels"):
        as_photo(_claimed(*size))


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"<html><body>404</body></html>",
        b"<svg xmlns='http://www.w3.org/2000/svg'/>",
        b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 100 100\n",
        b"%PDF-1.7",
        b"\xff\xd8\xff\xe0",
        _claimed(300, 300),
        stored(drawn(size=(600, 600)), "JPEG")[:900],
    ],
)
def test_what_is_no_whole_picture_is_refused_in_one_line(raw: bytes) -> None:
    with pytest.raises(PhotoError) as refused:
        as_photo(raw)
    assert "\n" not in str(refused.value)
