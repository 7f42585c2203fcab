"""Where the files are that come along with the code: templates, migrations, examples."""

from __future__ import annotations

from pathlib import Path

_PACKAGE = Path(__file__).parent


def resource(name: str) -> Path:
    """Return the path of a file or folder that the wheel carries, or of its original in a checkout."""
    carried = _PACKAGE / "_data" / name
    return carried if carried.exists() else _PACKAGE.parent / name
