"""Statements that run with every post, built once: building one anew costs two to three times what running it does.

Knows tables only as they are handed in, and decides nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Any

from sqlalchemy import Select, Table, Update, bindparam, select, update
from sqlalchemy.ext.asyncio import AsyncConnection


@cache
def rows_by(table: Table, *keys: str) -> Select[Any]:
    """Return the SELECT of whole rows by the columns named; their values go by the same names."""
    return select(table).where(*(table.c[key] == bindparam(key) for key in keys))


async def change(tx: AsyncConnection, table: Table, keys: Mapping[str, Any], columns: Mapping[str, Any]) -> int:
    """Set columns of the rows whose key columns have these values; return how many there were."""
    values = {f"old_{key}": value for key, value in keys.items()} | {f"new_{name}": columns[name] for name in columns}
    return (await tx.execute(_changing(table, tuple(keys), tuple(columns)), values)).rowcount


@cache
def _changing(table: Table, keys: tuple[str, ...], columns: tuple[str, ...]) -> Update:
    where = (table.c[key] == bindparam(f"old_{key}") for key in keys)
    return update(table).where(*where).values({name: bindparam(f"new_{name}") for name in columns})
