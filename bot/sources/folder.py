"""A folder that is watched for articles, and the files themselves: `.html .txt .json .jsonl`.

Reads and never writes. A file that has not changed is not read again; one that is still being written waits.
"""

from __future__ import annotations

import asyncio
import hashlib
import os
import time
from collections.abc import Iterator
from dataclasses import replace
from datetime import tzinfo
from pathlib import Path
from typing import Any

from bot.errors import SourceError
from bot.sources.base import Found, Rejected
from bot.sources.files import ENDINGS, MAX_FILE, BrokenOffError, read_bytes

_SETTLED = 0.5  # seconds a file must have rested before it is read
_STILL_WRITTEN = 10.0  # seconds after which a file that breaks off is broken, not half written
_NOWHERE = [0, 0, ""]
_TEMPORARY = (".tmp", ".part", ".partial", ".crdownload", ".swp", "~")


class Folder:
    """A watched folder, its sub-folders included.

    Args:
        zone: of dates in pages that state no offset.
        rubric: of articles that state none.
    """

    def __init__(self, name: str, path: Path, *, zone: tzinfo, rubric: str = "") -> None:
        self.name = name
        self._path = path
        self._zone = zone
        self._rubric = rubric

    async def look(self, cursor: dict[str, Any]) -> Found:
        """Return the articles of new and changed files, by name; the cursor is what each file was like."""
        return await asyncio.to_thread(self._look, cursor)

    def _look(self, cursor: dict[str, Any]) -> Found:
        try:
            root = self._path.resolve(strict=True)
            if not root.is_dir():
                raise SourceError(f"source {self.name}: {self._path} is not a folder")
            files = sorted(_walk(root))
        except OSError as error:
            raise SourceError(
                f"source {self.name}: folder {self._path}: {error.strerror or 'cannot be read'}"
            ) from error
        known: dict[str, list[Any]] = cursor.get("files", {})
        seen: dict[str, list[Any]] = {}
        found = Found()
        for file in files:
            name = _shown(file.relative_to(root))
            was = known.get(name)
            now = self._one(root, file, name, was, found)
            if now is not None:
                seen[name] = now
            elif was is not None:
                seen[name] = was
        return replace(found, cursor={"files": seen}, unchanged=bool(cursor) and seen == known)

    def _one(self, root: Path, file: Path, name: str, was: list[Any] | None, found: Found) -> list[Any] | None:
        """Read one file if it is new or changed, and return its mark; None: look again next time."""
        try:
            state = file.stat()
            mark = [state.st_mtime_ns, state.st_size]
            if was is not None and was[:2] == mark:
                return was
            if not file.resolve(strict=True).is_relative_to(root):
                found.rejected.append(Rejected(where=name, why="a link that leads out of the folder is not followed"))
                return [*mark, ""]
            if not file.is_file():  # a pipe would be waited for, a device has no end
                return None
            age = time.time() - state.st_mtime
            if 0 <= age < _SETTLED:
                return None
            if state.st_size > MAX_FILE:
                found.rejected.append(Rejected(where=name, why=f"larger than {MAX_FILE:,} bytes"))
                return [*mark, ""]
            raw = file.read_bytes()
            after = file.stat()
            if [after.st_mtime_ns, after.st_size] != mark or len(raw) != state.st_size:
                return None
        except FileNotFoundError:
            if file.is_symlink():
                if was != _NOWHERE:
                    found.rejected.append(Rejected(where=name, why="a link that leads nowhere"))
                return _NOWHERE
            return None  # gone between the listing and the reading
        except OSError as error:
            found.rejected.append(Rejected(where=name, why=error.strerror or "cannot be read"))
            return None
        digest = hashlib.sha256(raw).hexdigest()
        if was is not None and was[2] == digest:
            return [*mark, digest]
        try:
            read = read_bytes(raw, file, where=name, zone=self._zone, rubric=self._rubric, root=root)
        except BrokenOffError as error:
            if 0 <= age < _STILL_WRITTEN:
                return None
            read = Found(rejected=[Rejected(where=name, why=str(error))])
        found.articles.extend(read.articles)
        found.rejected.extend(read.rejected)
        return [*mark, digest]


def _walk(root: Path) -> Iterator[Path]:
    def refuse(error: OSError) -> None:
        # a sub-folder that may not be read hides its files, not those of others
        if Path(error.filename) == root:
            raise error

    for folder, inner, names in os.walk(root, onerror=refuse):
        inner[:] = [name for name in inner if not name.startswith(".")]
        for name in names:
            if (
                not name.startswith((".", "~", "#"))
                and not name.endswith(_TEMPORARY)
                and name.lower().endswith(ENDINGS)
            ):
                yield Path(folder, name)


def _shown(path: Path) -> str:
    # a name that is no UTF-8 must still fit into JSON and a log
    return path.as_posix().encode("utf-8", "backslashreplace").decode()
