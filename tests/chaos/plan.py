"""What is run: the cells, and how much of everything each of them has."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, fields, replace
from typing import Any

from tests.chaos.times import Times
from tests.chaos.weather import Climate


@dataclass(frozen=True, slots=True, kw_only=True)
class Cell:
    """One database setup, so many workers, a mix of trouble; it ends when all targets are met."""

    name: str
    database: str  # sqlite | postgres
    workers: int
    kills: int
    deliveries: int
    restores: int = 1
    loses_database: bool = True  # at its end everything is forgotten and told again
    within: float = 900.0  # seconds, after which the targets were missed
    telegram: int = 8
    facebook: int = 4
    min_gap: float = 0.2
    whole_share: float = 0.08
    climate: Climate = field(default_factory=Climate)
    times: Times = field(default_factory=Times)


def cells(times: Times, *, long: bool = False) -> list[Cell]:
    """Return all cells of a run; those of one database share its targets."""
    kills, deliveries = (1000, 10_000) if long else (150, 1_500)

    def cell(name: str, database: str, workers: int, share: int, kill: float = 2.0) -> Cell:
        return Cell(
            name=name,
            database=database,
            workers=workers,
            kills=-(-kills // share),
            deliveries=-(-deliveries // share),
            restores=(4 if long else 2) // share + 1,
            within=(3000.0 if long else 400.0) * times.slow,
            times=times,
            climate=Climate(kill=kill),
        )

    alone = [cell(f"sqlite-{letter}", "sqlite", 1, 2) for letter in "ab"]
    several = [cell(f"postgres-{count}", "postgres", count, 3, 2.4 - 0.2 * count) for count in (1, 2, 4)]
    return [*alone, *several]


def chosen(
    all_cells: Sequence[Cell],
    names: Sequence[str],
    *,
    kills: int | None = None,
    deliveries: int | None = None,
    without: Sequence[str] = (),
) -> list[Cell]:
    """Return the cells asked for, made smaller or larger where that is asked, too, and without some troubles.

    Raises:
        ValueError: there is no such cell, or no such trouble.
    """
    troubles = {one.name for one in fields(Climate)} | {"restores", "loses_database", "whole_share"}
    for strange in set(without) - troubles:
        raise ValueError(f"no trouble {strange!r}; there are {', '.join(sorted(troubles))}")
    known = {cell.name: cell for cell in all_cells}
    unknown = [name for name in names if name not in known]
    if unknown:
        raise ValueError(f"no cell {unknown[0]!r}; there are {', '.join(known)}")
    picked = [known[name] for name in names] or list(all_cells)
    if kills is not None:
        picked = [replace(cell, kills=kills) for cell in picked]
    if deliveries is not None:
        picked = [replace(cell, deliveries=deliveries) for cell in picked]
    calmed: dict[str, Any] = dict.fromkeys(without, 0)
    of_climate = {name: calmed.pop(name) for name in list(calmed) if name in Climate.__dataclass_fields__}
    return [replace(cell, **calmed, climate=replace(cell.climate, **of_climate)) for cell in picked]
