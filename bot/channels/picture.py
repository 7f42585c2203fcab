"""From the bytes of some picture to a JPEG that every platform takes. Pure; imports Pillow, so it is imported late.

Pictures may be hostile: only common formats are tried, the size is looked at before anything is decoded, and whatever
a decoder raises is a PhotoError.
"""

from __future__ import annotations

import hashlib
import io
import warnings

from PIL import Image, ImageCms, ImageOps, UnidentifiedImageError

from bot.channels.base import Photo
from bot.errors import PhotoError

MOST_PIXELS = 50_000_000
MOST_BYTES = 10 * 1024 * 1024
LONGEST_SIDE = 2560  # Telegram keeps no more
SHORTEST_SIDE = 50
MOST_RATIO = 20
_FORMATS = ("JPEG", "PNG", "WEBP", "GIF", "AVIF", "BMP", "TIFF")
_QUALITIES = (89, 80, 70, 55)
_WHITE = (255, 255, 255)


def as_photo(raw: bytes) -> Photo:
    """Return a JPEG of this picture: first frame, upright, sRGB, on white, no metadata, long side ≤ 2560 pixels.

    Raises:
        PhotoError: it is no picture, a broken one, or too small, too large or too narrow to be shown.
    """
    _arm()
    try:
        with Image.open(io.BytesIO(raw), formats=_known()) as image:
            _measure(*image.size)
            return _finished(image)
    except PhotoError:
        raise
    except UnidentifiedImageError as error:
        raise PhotoError("no picture of a known format") from error
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise PhotoError(f"more than {MOST_PIXELS:,} pixels") from error
    except Exception as error:  # decoders raise anything at all at broken bytes
        raise PhotoError(f"a picture that cannot be decoded ({type(error).__name__})") from error


def _arm() -> None:
    """Let Pillow refuse bombs by itself too; both settings are the process's, so they are only ever set to the same."""
    Image.MAX_IMAGE_PIXELS = MOST_PIXELS
    warnings.filterwarnings("error", category=Image.DecompressionBombWarning)


def _known() -> list[str]:
    """Return the formats this Pillow was built with; one it does not know would stop it from trying the others."""
    Image.init()
    return [name for name in _FORMATS if name in Image.OPEN]


def _measure(width: int, height: int) -> None:
    if width * height > MOST_PIXELS:
        raise PhotoError(f"{width}x{height}: more than {MOST_PIXELS:,} pixels")
    if min(width, height) < SHORTEST_SIDE:
        raise PhotoError(f"{width}x{height}: smaller than {SHORTEST_SIDE} pixels")
    if max(width, height) > MOST_RATIO * min(width, height):
        raise PhotoError(f"{width}x{height}: one side more than {MOST_RATIO} times the other")


def _finished(image: Image.Image) -> Photo:
    image.draft("RGB", (LONGEST_SIDE, LONGEST_SIDE))  # a large JPEG is decoded at half or a quarter: faster, smaller
    image.load()
    profile = image.info.get("icc_profile")
    upright = _in_eight_bits(ImageOps.exif_transpose(image))
    upright.thumbnail((LONGEST_SIDE, LONGEST_SIDE), Image.Resampling.LANCZOS, reducing_gap=3.0)
    plain = _in_srgb(_flattened(upright), profile)
    return _encoded(plain)


def _in_eight_bits(image: Image.Image) -> Image.Image:
    """Return the picture in a mode that can be scaled well: no palette, no more than 8 bits a channel."""
    if image.mode in ("P", "1", "PA"):
        return image.convert("RGBA" if image.has_transparency_data else "RGB")
    if image.mode in ("I", "F"):
        return _scaled(image)
    return _scaled(image.convert("I")) if image.mode.startswith("I;16") else image


def _scaled(image: Image.Image) -> Image.Image:
    """Bring grey of 16 or 32 bits down to 8; Pillow's own conversion cuts off instead."""
    low, high = image.getextrema()
    if not isinstance(low, int | float) or not isinstance(high, int | float):
        return image
    top = 65535 if 255 < high <= 65535 and low >= 0 else max(high, 1)
    return image.convert("F").point(lambda value: value * (255 / top) + 0).convert("L")


def _flattened(image: Image.Image) -> Image.Image:
    """Put what can be seen through on white."""
    if not image.has_transparency_data:
        return image
    clear = image.convert("RGBA")
    ground = Image.new("RGBA", clear.size, (*_WHITE, 255))
    return Image.alpha_composite(ground, clear).convert("RGB")


def _in_srgb(image: Image.Image, profile: object) -> Image.Image:
    if isinstance(profile, bytes) and profile and image.mode in ("RGB", "L", "CMYK"):
        try:
            source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
            wanted = ImageCms.createProfile("sRGB")
            turned = ImageCms.profileToProfile(image, source, wanted, outputMode="RGB")
        except (ImageCms.PyCMSError, OSError, ValueError):
            turned = None  # a broken profile, or one of another kind than the picture: shown as without
        if turned is not None:
            return turned
    return image if image.mode == "RGB" else image.convert("RGB")


def _encoded(image: Image.Image) -> Photo:
    image.info.clear()  # what the file said of itself: camera, place, comments
    for quality in _QUALITIES:
        out = io.BytesIO()
        image.save(out, "JPEG", quality=quality, optimize=True)
        if out.tell() <= MOST_BYTES:
            jpeg = out.getvalue()
            return Photo(jpeg=jpeg, width=image.width, height=image.height, key=hashlib.sha256(jpeg).hexdigest())
    raise PhotoError(f"larger than {MOST_BYTES:,} bytes even as a small JPEG")
