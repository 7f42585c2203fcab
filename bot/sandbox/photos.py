"""Pictures the sandbox was given: each kept once, by the hash of its bytes."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from io import BytesIO

from PIL import Image

PICTURE_TYPES = {
    "JPEG": "image/jpeg",
    "MPO": "image/jpeg",
    "PNG": "image/png",
    "WEBP": "image/webp",
    "GIF": "image/gif",
    "BMP": "image/bmp",
    "TIFF": "image/tiff",
}


@dataclass(frozen=True, slots=True)
class Picture:
    """What decoding shows of some bytes. `format` is Pillow's name, "" where they are no picture."""

    format: str
    width: int
    height: int
    whole: bool


@dataclass(frozen=True, slots=True)
class StoredPhoto:
    """A photo as the platform keeps it. `key` is the SHA-256 of `body`, hex; `/photos/<key>.jpg` serves it."""

    key: str
    body: bytes = field(repr=False)
    content_type: str
    width: int
    height: int

    @property
    def path(self) -> str:
        return f"/photos/{self.key[:24]}.jpg"


def look_at(body: bytes) -> Picture:
    """Decode as much as is needed to know what the bytes are. Sizes beyond 60 megapixels are measured, not decoded."""
    try:
        with Image.open(BytesIO(body)) as image:
            kind, (width, height) = image.format or "", image.size
            if width * height > 60_000_000:
                return Picture(kind, width, height, whole=True)
            try:
                image.draft("L", (64, 64))
                image.load()
            except (OSError, ValueError, SyntaxError):
                return Picture(kind, width, height, whole=False)
            return Picture(kind, width, height, whole=True)
    except (Image.DecompressionBombError, Image.DecompressionBombWarning):
        return Picture("", 100_000, 100_000, whole=True)
    except (OSError, ValueError, SyntaxError):
        return Picture("", 0, 0, whole=False)


class PhotoStore:
    """Bytes once by hash, shared by both platforms. `served` finds a photo by the name in its address."""

    def __init__(self) -> None:
        self._seen: dict[str, Picture] = {}
        self._kept: dict[str, StoredPhoto] = {}

    def look(self, body: bytes) -> Picture:
        key = hashlib.sha256(body).hexdigest()
        if key not in self._seen:
            self._seen[key] = look_at(body)
        return self._seen[key]

    def keep(self, body: bytes) -> StoredPhoto:
        key = hashlib.sha256(body).hexdigest()
        stored = self._kept.get(key[:24])
        if stored is None:
            picture = self.look(body)
            kind = PICTURE_TYPES.get(picture.format, "application/octet-stream")
            stored = self._kept[key[:24]] = StoredPhoto(key, body, kind, picture.width, picture.height)
        return stored

    def served(self, name: str) -> StoredPhoto | None:
        return self._kept.get(name)

    def clear(self) -> None:
        self._seen.clear()
        self._kept.clear()
