"""``docs/performance.md``: a pure function of the kept results and of the explanations that people wrote."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from bench.report import Figure, Result, Table, quantity

PAGE = Path(__file__).parents[1] / "docs" / "performance.md"
EXPLANATIONS = "## Bars that are missed, and why"
"""Below this line the page is written by people: ``### KEY`` and a text for each missed bar."""

NOTHING = "Nothing to explain yet."

HEAD = """# Performance

This page is written by `make bench` from the results in `bench/results/`; only its last chapter is written by
people. One benchmark alone: `python -m bench NAME` (it replaces that chapter).

Ratios are taken in one run, with the contestants interleaved; CPU per operation stands beside rates, since
cores may be shared. Every server that a benchmark talks to is a process of its own on the same machine.
"""


def explained(page: str) -> dict[str, str]:
    """Key of a figure → why its bar is missed, out of the page's last chapter."""
    _, found, chapter = page.partition(EXPLANATIONS)
    texts = {}
    for part in chapter.split("\n### ")[1:] if found else []:
        key, _, text = part.partition("\n")
        texts[key.strip()] = text.strip()
    return texts


def unexplained(results: Sequence[Result], page: str) -> list[Figure]:
    """Missed bars that the page does not explain."""
    why = explained(page)
    return [figure for figure in _figures(results) if not figure.met and not why.get(figure.key)]


def render(results: Sequence[Result], page: str) -> str:
    """The page for these results, with the explanations that ``page`` holds."""
    _, _, chapter = page.partition(EXPLANATIONS)
    parts = [HEAD, "## All bars\n", _bars(results)]
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
