"""What is printed of a run: a line of figures a cell, and all there is to know of each violation."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from tests.chaos.cell import Result

KINDS = ("lost", "doubled", "out of order", "not taken back", "not corrected", "inside a ban", "too near", "held")


def row(result: Result) -> dict[str, str]:
    """Return the figures of a cell under the words that head them."""
    tally, verdict = result.tally, result.verdict
    gap = (
        "–"
        if verdict.smallest_gap is None
        else f"{1000 * verdict.smallest_gap:.0f}/{1000 * verdict.required_gap:.0f} ms"
    )
    still = verdict.count("held")
    return {
        "cell": result.cell.name,
        "kills": f"{tally.kills} ({tally.by_failpoint} at failpoints, {tally.whole} whole)",
        "freezes": str(tally.freezes),
        "failpoints": str(sum(result.failpoints.values())),
        "faults": str(sum(result.faults.values())),
        "deliveries": str(verdict.wanted),
        "visible once": str(verdict.once),
        "retracted unseen": str(verdict.spared),
        "refused": str(verdict.ended),
        "lost": str(verdict.count("lost")),
        "doubled": str(verdict.count("doubled")),
        "out of order": str(verdict.count("out of order")),
        "held (settled)": f"{result.held_in_trouble} ({result.held_in_trouble - still})",
        "inside a ban (unheard)": f"{verdict.count('inside a ban')} ({verdict.unheard})",
        "smallest gap": gap,
        "seconds": f"{result.seconds:.0f}",
    }


def table(results: Sequence[Result]) -> str:
    """Return a Markdown table: a row a cell."""
    rows = [row(result) for result in results]
    if not rows:
        return ""
    heads = list(rows[0])
    widths = [max(len(head), *(len(one[head]) for one in rows)) for head in heads]
    lines = [heads, ["-" * width for width in widths], *([one[head] for head in heads] for one in rows)]
    return "\n".join(
        "| " + " | ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)) + " |" for line in lines
    )


def as_json(result: Result, seed: int) -> str:
    """Return a cell as one JSON object."""
    content: dict[str, Any] = {
        "seed": seed,
        **row(result),
        "passed": result.passed,
        "weather": result.met,
        "failpoints met": result.failpoints,
        "faults met": result.faults,
        "longest freeze": round(result.tally.longest_freeze, 2),
        "violations": [asdict(one) for one in result.verdict.violations],
    }
    return json.dumps(content, ensure_ascii=False)


def details(result: Result) -> str:
    """Return what happened in a cell beside the table."""
    tally = result.tally
    lines = [
        f"{result.cell.name}: {result.stories} articles, {result.corrections} corrections,"
        f" {result.retractions} retractions, {result.repeated_pushes} pushes repeated; {tally.fell} workers fell over"
        f" an error, longest freeze {tally.longest_freeze:.1f} s, {tally.thawed_dead} killed instead of woken too late",
        f"  weather: {_counted(result.met)}",
        f"  failpoints met: {_counted(result.failpoints)}",
        f"  faults met: {_counted(result.faults)}",
    ]
    return "\n".join(lines)


def violations(result: Result) -> str:
    """Return every violation of a cell, each article's story once."""
    lines = [f"{result.cell.name}: {len(result.verdict.violations)} violations, see {result.folder}"]
    for one in result.verdict.violations[:200]:
        where = "" if one.article is None else f" article {one.article}"
        lines.append(f"  {one.kind}: {one.channel}{where}: {one.words}")
    for number, told in result.told.items():
        lines += [f"  article {number}", *(f"    {line}" for line in told.splitlines())]
    return "\n".join(lines)


def _counted(counts: dict[str, int]) -> str:
    return ", ".join(f"{name} {count}" for name, count in sorted(counts.items(), key=lambda one: -one[1])) or "none"
