"""The photo ladder's first rung against hard pictures: a JPEG that both platforms take, else a PhotoError."""

from __future__ import annotations

import io

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageCms, ImageDraw

from bot.channels.picture import as_photo
from bot.errors import PhotoError
from bot.sandbox import facebook_rules, telegram_rules

_SIZE = (120, 90)
_KINDS = ("JPEG", "PNG", "WEBP", "GIF", "AVIF", "BMP", "TIFF")


def _scene(mode: str = "RGB", size: tuple[int, int] = _SIZE) -> Image.Image:
    """A picture whose corners differ: red, green, blue and white from the top left clockwise."""
    image = Image.new("RGB", size, (128, 128, 128))
    draw, (width, height) = ImageDraw.Draw(image), size
    for left, top, colour in ((0, 0, "red"), (1, 0, "lime"), (1, 1, "blue"), (0, 1, "white")):
        x, y = left * width // 2, top * height // 2
        draw.rectangle((x, y, x + width // 2, y + height // 2), fill=colour)
    return image.convert(mode)


def _raw(image: Image.Image, kind: str, **options: object) -> bytes:
    out = io.BytesIO()
    image.save(out, kind, **options)
    return out.getvalue()


def _corners(jpeg: bytes) -> list[str]:
    """Name the corners of a picture by colour, from the top left clockwise."""
    image = Image.open(io.BytesIO(jpeg)).convert("RGB")
    width, height = image.size
    named: list[str] = []
    for x, y in ((9, 9), (width - 9, 9), (width - 9, height - 9), (9, height - 9)):
        pixel = image.getpixel((x, y))
        assert isinstance(pixel, tuple)
        bright = "".join(letter for letter, channel in zip("RGB", pixel, strict=True) if channel > 127)
        named.append(bright if len(bright) == 1 else "W")
    return named


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "TIFF"])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_whatever_way_the_camera_was_held_the_picture_stands_upright(orientation: int, kind: str) -> None:
    stored = {  # how an upright picture lies in a file of each orientation
        2: Image.Transpose.FLIP_LEFT_RIGHT,
        3: Image.Transpose.ROTATE_180,
        4: Image.Transpose.FLIP_TOP_BOTTOM,
        5: Image.Transpose.TRANSPOSE,
        6: Image.Transpose.ROTATE_90,
        7: Image.Transpose.TRANSVERSE,
        8: Image.Transpose.ROTATE_270,
    }
    lying = _scene().transpose(stored[orientation]) if orientation in stored else _scene()
    exif = Image.Exif()
    exif[0x0112] = orientation
    photo = as_photo(_raw(lying, kind, exif=exif.tobytes()))
    assert (photo.width, photo.height) == _SIZE
    assert _corners(photo.jpeg) == ["R", "G", "B", "W"]


def test_nothing_of_the_place_and_the_camera_goes_along() -> None:
    exif = Image.Exif()
    exif[0x010F] = "SecretCamera"
    exif.get_ifd(0x8825)[2] = (50.0, 27.0, 0.0)  # GPS latitude
    xmp = b"<x:xmpmeta xmlns:x='adobe:ns:meta/'>SecretPlace</x:xmpmeta>"
    for kind in ("JPEG", "WEBP"):
        raw = _raw(_scene(), kind, exif=exif.tobytes(), xmp=xmp)
        assert b"Secret" in raw
        jpeg = as_photo(raw).jpeg
        assert b"Secret" not in jpeg
        assert not Image.open(io.BytesIO(jpeg)).getexif()


def test_a_grey_profile_on_a_grey_picture_and_a_picture_with_transparency_and_profile() -> None:
    srgb = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    clear = _scene("RGBA")
    clear.putalpha(0)
    assert _corners(as_photo(_raw(clear, "PNG", icc_profile=srgb)).jpeg) == ["W", "W", "W", "W"]
    grey = as_photo(_raw(_scene("L"), "JPEG", icc_profile=srgb))
    assert Image.open(io.BytesIO(grey.jpeg)).mode == "RGB"


def test_a_phones_picture_of_several_frames_gives_its_first() -> None:
    raw = _raw(_scene(), "MPO", save_all=True, append_images=[Image.new("RGB", _SIZE, "black")])
    assert _corners(as_photo(raw).jpeg) == ["R", "G", "B", "W"]


def test_cmyk_of_a_print_shop_keeps_its_colours() -> None:
    assert _corners(as_photo(_raw(_scene("CMYK"), "JPEG")).jpeg) == ["R", "G", "B", "W"]
    assert _corners(as_photo(_raw(_scene("CMYK"), "TIFF")).jpeg) == ["R", "G", "B", "W"]


@pytest.mark.parametrize("kind", _KINDS)
@pytest.mark.parametrize("size", [(50, 50), (1000, 50), (51, 1000), (2561, 300), (2600, 2600)])
def test_what_passes_is_taken_by_both_platforms(size: tuple[int, int], kind: str) -> None:
    photo = as_photo(_raw(_scene(size=size), kind))
    assert max(photo.width, photo.height) <= 2560
    assert telegram_rules.check_photo(photo.jpeg) is None
    assert facebook_rules.refusal("photos", {}, photo.jpeg) is None


def test_noise_that_hardly_shrinks_still_fits() -> None:
    noise = Image.effect_noise((2560, 2560), 250).convert("RGB")
    photo = as_photo(_raw(noise, "PNG", compress_level=1))
    assert telegram_rules.check_photo(photo.jpeg) is None


_WHOLE = {kind: _raw(_scene(), kind) for kind in _KINDS}


@settings(deadline=None, max_examples=300)
@given(st.sampled_from(_KINDS), st.integers(0, 10_000), st.booleans(), st.binary(max_size=6))
def test_a_picture_cut_short_or_damaged_anywhere_ends_in_a_photo_or_a_photo_error(
    kind: str, at: int, cut: bool, noise: bytes
) -> None:
    whole = _WHOLE[kind]
    at %= len(whole)
    raw = whole[:at] if cut else whole[:at] + noise + whole[at + len(noise) :]
    try:
        photo = as_photo(raw)
    except PhotoError:
        return
    assert telegram_rules.check_photo(photo.jpeg) is None


@given(st.binary(max_size=300))
def test_any_bytes_end_in_a_photo_error(raw: bytes) -> None:
    with pytest.raises(PhotoError):
        as_photo(raw)


@pytest.mark.parametrize("kind", _KINDS)
def test_half_a_picture_is_none(kind: str) -> None:
    whole = _raw(_scene(size=(900, 700)), kind)
    with pytest.raises(PhotoError):
        as_photo(whole[: len(whole) // 2])
