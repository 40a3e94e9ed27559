"""What a benchmark found: tables for people, figures held against bars, and the page that shows both.

A benchmark is a module ``bench.NAME`` that measures and calls :func:`deliver` once. Alone it prints its
report; the report of a full run under ``python -m bench`` is also kept in ``bench/results/NAME.json``, and
``docs/performance.md`` is written from all results that are kept.
"""

from __future__ import annotations

import json
import os
import sys
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

RESULTS = Path(__file__).parent / "results"
KEEP = "BENCH_KEEP"  # not PERKPASS_…: the service refuses settings that it does not know
"""Where this is set, :func:`deliver` writes the report to the file that it names."""


@dataclass(frozen=True, slots=True)
class Figure:
    """One measured value that a bar was set for; exactly one of ``at_least`` and ``at_most`` is given."""

    key: str  # stable and unique over all benchmarks: "push_throughput.sqlite"
    what: str  # a phrase for the table: "pushes a second on one core, claim to settle, SQLite"
    value: float
    unit: str  # "/s", "ms", "MB", "% of raw RSA"; empty for a ratio or a count
    at_least: float | None = None
    at_most: float | None = None

    def __post_init__(self) -> None:
        if (self.at_least is None) == (self.at_most is None):
            raise ValueError(f"{self.key}: a figure has one bar, a floor or a ceiling")

    @property
    def met(self) -> bool:
        """Whether the value is on the right side of its bar; a bar just touched is met."""
        return self.value >= self.at_least if self.at_least is not None else self.value <= self._ceiling

    @property
    def bar(self) -> str:
        """``≥ 3,000/s``."""
        if self.at_least is not None:
            return f"≥ {quantity(self.at_least, self.unit)}"
        return f"≤ {quantity(self._ceiling, self.unit)}"

    @property
    def _ceiling(self) -> float:
        assert self.at_most is not None
        return self.at_most


@dataclass(frozen=True, slots=True)
class Table:
    """Rows of text under one caption."""

    caption: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]

    def __post_init__(self) -> None:
        for row in self.rows:
            if len(row) != len(self.columns):
                raise ValueError(f"{self.caption}: {row} has not {len(self.columns)} cells")


@dataclass(frozen=True, slots=True)
class Report:
    """What one benchmark has to say."""

    title: str
    about: str  # a paragraph: what was done, how, and what the figures mean
    tables: tuple[Table, ...]
    figures: tuple[Figure, ...] = ()
    notes: tuple[str, ...] = ()  # a paragraph or a fenced block each, below the tables


@dataclass(frozen=True, slots=True)
class Result:
    """A report and the circumstances of its run."""

    name: str
    command: str
    at: str  # UTC, to the minute
    machine: str
    report: Report


def quantity(value: float, unit: str) -> str:
    """``3,012/s``, ``0.84``, ``86.1 % of raw RSA``: as many digits as mean something."""
    digits = 0 if abs(value) >= 100 or value == int(value) else 1 if abs(value) >= 10 else 2
    text = f"{value:,.{digits}f}"
    return f"{text}{unit}" if unit.startswith("/") else f"{text} {unit}".strip()


def deliver(report: Report) -> None:
    """Print the report, and keep it where ``python -m bench`` asked for it."""
    print(as_text(report))
    kept = os.environ.get(KEEP)
    if kept:
        name = Path(kept).stem
        result = Result(
            name=name,
            command=f"python -m bench {name}",
            at=f"{datetime.now(UTC):%Y-%m-%d %H:%M}",
            machine=machine(),
            report=report,
        )
        text = json.dumps(asdict(result), ensure_ascii=False, indent=1)
        Path(kept).write_text(text + "\n", encoding="utf-8")


def as_text(report: Report) -> str:
    """For a terminal."""
    lines = [report.title, ""]
    for table in report.tables:
        widths = [max(map(len, cells)) for cells in zip(table.columns, *table.rows, strict=True)]
        lines += [table.caption, ""]
        lines += [
            "  ".join(
                cell.ljust(width) if column == 0 else cell.rjust(width)
                for column, (cell, width) in enumerate(zip(row, widths, strict=True))
            )
            for row in (table.columns, *table.rows)
        ]
        lines.append("")
    for figure in report.figures:
        verdict = "met   " if figure.met else "MISSED"
        lines.append(f"{verdict}  {figure.what}: {quantity(figure.value, figure.unit)} (bar {figure.bar})")
    return "\n".join([*lines, *("\n" + note for note in report.notes)])


def kept() -> list[Result]:
    """Every kept result, in order of name; raises where a file is not one."""
    return [_result(json.loads(file.read_text(encoding="utf-8"))) for file in sorted(RESULTS.glob("*.json"))]


def _result(document: dict[str, Any]) -> Result:
    report = document["report"]
    return Result(
        **{
            **document,
            "report": Report(
                title=report["title"],
                about=report["about"],
                tables=tuple(
                    Table(table["caption"], tuple(table["columns"]), tuple(map(tuple, table["rows"])))
                    for table in report["tables"]
                ),
                figures=tuple(Figure(**figure) for figure in report["figures"]),
                notes=tuple(report["notes"]),
            ),
        }
    )


def machine() -> str:
    """``2 cores, AMD EPYC, Python 3.11.7``: what a reader needs to compare with a machine of theirs."""
    cpu = "unknown processor"
    info = Path("/proc/cpuinfo")
    if info.exists():
        models = [line for line in info.read_text(encoding="utf-8").splitlines() if "model name" in line]
        cpu = models[0].partition(":")[2].strip() if models else cpu
    version = ".".join(map(str, sys.version_info[:3]))
    return f"{os.cpu_count()} cores, {cpu}, Python {version}"
