"""Rows as a file for a spreadsheet: read some at a time and written to the disk, never gathered.

Memory does not grow with the number of rows. Text that a spreadsheet would take for a formula is written as
text.
"""

from __future__ import annotations

import csv
from collections.abc import Iterable, Sequence
from io import TextIOWrapper
from pathlib import Path
from typing import IO

import xlsxwriter

Cell = str | int
MOST_SHEET_ROWS = 1_048_575
"""Beside the heading: what every spreadsheet program opens."""
_FORMULA = ("=", "+", "-", "@", "\t", "\r")


def write_csv(target: IO[bytes], headings: Sequence[str], found: Iterable[Sequence[Cell]]) -> None:
    """Comma-separated, in UTF-8 with the mark by which spreadsheets know it."""
    text = TextIOWrapper(target, encoding="utf-8-sig", newline="", write_through=False)
    writer = csv.writer(text)
    writer.writerow(headings)
    writer.writerows([_harmless(cell) for cell in row] for row in found)
    text.flush()
    text.detach()


def write_xlsx(path: Path, title: str, headings: Sequence[str], found: Iterable[Sequence[Cell]]) -> None:
    """A workbook with one sheet of rows that fit into it."""
    # Row by row to the disk, beside the file itself.
    options = {
        "constant_memory": True,
        "tmpdir": str(path.parent),
        "strings_to_formulas": False,
        "strings_to_urls": False,
        "strings_to_numbers": False,
    }
    with xlsxwriter.Workbook(str(path), options) as book:
        sheet = book.add_worksheet(title[:31])
        bold = book.add_format({"bold": True})
        sheet.freeze_panes(1, 0)
        sheet.write_row(0, 0, headings, bold)
        for number, row in enumerate(found, 1):
            sheet.write_row(number, 0, row)


def _harmless(cell: Cell) -> Cell:
    """What begins like a formula is quoted: a venue's name must not compute anything on somebody's desk."""
    return f"'{cell}" if isinstance(cell, str) and cell.startswith(_FORMULA) else cell
