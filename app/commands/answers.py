"""How commands answer: aligned columns for people, JSON for programs."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import click

json_option = click.option("--json", "as_json", is_flag=True, help="answer in JSON, for programs")

Record = Mapping[str, object]


def show_list(records: Sequence[Record], *, as_json: bool, empty: str) -> None:
    """A JSON array, or a table headed by the records' keys; ``empty`` is said where there are none."""
    if as_json:
        click.echo(to_json(list(records)))
        return
    if not records:
        click.echo(empty)
        return
    heads = list(records[0])
    cells = [[_cell(record[head]) for head in heads] for record in records]
    widths = [max(len(head), *(len(row[i]) for row in cells)) for i, head in enumerate(heads)]
    for line in ([head.upper() for head in heads], *cells):
        click.echo("  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip())


def show(record: Record, *, as_json: bool) -> None:
    """A JSON object, or one ``key: value`` a line."""
    if as_json:
        click.echo(to_json(record))
        return
    width = max(len(key) for key in record) + 1
    for key, value in record.items():
        click.echo(f"{key + ':':<{width}} {_cell(value)}")


def warn(sentence: str) -> None:
    """Say on standard error what is allowed and unwise."""
    click.echo(f"Warning: {sentence}", err=True)


def to_json(value: object) -> str:
    """JSON with moments as ISO 8601, Cyrillic as it is."""
    return json.dumps(value, ensure_ascii=False, indent=2, default=_plain)


def _plain(value: object) -> Any:
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, Mapping):
        return dict(value)
    raise TypeError(f"{type(value).__name__} has no JSON form")


def _cell(value: object) -> str:
    match value:
        case None | "" | []:
            return "-"
        case True:
            return "yes"
        case False:
            return "no"
        case datetime():
            return value.isoformat(sep=" ", timespec="minutes")
        case list():
            return ", ".join(_cell(part) for part in value)
        case Mapping():
            return json.dumps(value, ensure_ascii=False, default=_plain)
        case _:
            return str(value)
