"""``docs/performance.md``: a pure function of the kept results and of the explanations that people wrote."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from bench.report import Figure, Result, Table, quantity

PAGE = Path(__file__).parents[1] / "docs" / "performance.md"
EXPLANATIONS = "## Bars that are missed, and why"
"""Below this line the page is written by people: ``### KEY``, ``measured: 2,380/s`` and a text for each."""
WORSE = 1.1
"""An explanation stands for values that are worse than the one it explains by a tenth at most."""

NOTHING = "Nothing to explain yet."
_MEASURED = re.compile(r"measured: ([\d,]+(?:\.\d+)?).*(?:\n|$)")

HEAD = """# Performance

This page is written by `make bench` from the results in `bench/results/`; only its last chapter is written by
people. Some benchmarks alone: `python -m bench NAME...` (their chapters are replaced). With arguments of its
own, for a short trial, a benchmark only prints: this page shows full runs.

Ratios are taken in one run, with the contestants interleaved; CPU per operation stands beside rates, since
cores may be shared. Every server that a benchmark talks to is a process of its own on the same machine.
PostgreSQL runs as the tests start it, and commits without waiting for its disk (`fsync=off`); SQLite waits.
"""


@dataclass(frozen=True, slots=True)
class Explanation:
    """Why one bar is missed, as somebody wrote it."""

    measured: float | None  # the value that it explains; None where it does not say
    text: str

    def explains(self, figure: Figure) -> bool:
        """Whether it was written for a value like this, and not for a better one."""
        if self.measured is None or not self.text:
            return False
        if figure.at_least is not None:
            return figure.value * WORSE >= self.measured
        return figure.value <= self.measured * WORSE


def explained(page: str) -> dict[str, Explanation]:
    """Key of a figure → why its bar is missed, out of the page's last chapter."""
    _, _, chapter = page.partition(EXPLANATIONS)
    found = {}
    for part in chapter.split("\n### ")[1:]:
        key, _, rest = part.partition("\n")
        measured = _MEASURED.match(rest.lstrip())
        value = float(measured[1].replace(",", "")) if measured else None
        found[key.strip()] = Explanation(value, rest.lstrip()[measured.end() if measured else 0 :].strip())
    return found


def unexplained(results: Sequence[Result], page: str) -> list[Figure]:
    """Missed bars that the page does not explain, or only for a value that was better than now."""
    why = explained(page)
    return [
        figure
        for figure in _figures(results)
        if not figure.met and not (figure.key in why and why[figure.key].explains(figure))
    ]


def needless(results: Sequence[Result], page: str) -> list[str]:
    """Keys that the page explains although their bars are met, or there is no such figure."""
    missed = {figure.key for figure in _figures(results) if not figure.met}
    return [key for key in explained(page) if key not in missed]


def render(results: Sequence[Result], page: str, names: Sequence[str] = ()) -> str:
    """The page for these results, with the explanations that ``page`` holds; ``names`` are all there are."""
    _, _, chapter = page.partition(EXPLANATIONS)
    parts = [HEAD, "## All bars\n", _bars(results)]
    missing = [name for name in names if name not in {result.name for result in results}]
    if missing:
        parts.append(f"Not measured in full yet: {', '.join(f'`{name}`' for name in missing)}.\n")
    parts += [_chapter(result) for result in results]
    why = chapter.strip() or NOTHING
    return "\n".join(parts) + f"\n{EXPLANATIONS}\n\n{why}\n"


def _figures(results: Sequence[Result]) -> list[Figure]:
    return [figure for result in results for figure in result.report.figures]


def _bars(results: Sequence[Result]) -> str:
    rows = tuple(
        (
            figure.what,
            quantity(figure.value, figure.unit),
            figure.bar,
            "met" if figure.met else f"**missed**: `{figure.key}`",
        )
        for figure in _figures(results)
    )
    return _markdown(("what", "measured", "bar", ""), rows)


def _chapter(result: Result) -> str:
    lines = [
        f"\n## {result.report.title}\n",
        f"`{result.command}` · {result.at} UTC · {result.machine}\n",
        result.report.about + "\n",
    ]
    for table in result.report.tables:
        lines += [f"**{table.caption}**\n", _table(table)]
    return "\n".join([*lines, *(note + "\n" for note in result.report.notes)])


def _table(table: Table) -> str:
    return _markdown(table.columns, table.rows)


def _markdown(columns: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    def line(cells: Sequence[str]) -> str:
        return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"

    rule = "|" + "|".join(["---", *["---:"] * (len(columns) - 1)]) + "|"
    return "\n".join([line(columns), rule, *map(line, rows)]) + "\n"
