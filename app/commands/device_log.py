"""``perkpass device-log``: what phones complain about."""

from __future__ import annotations

import click

from app.commands.answers import json_option, show_list
from app.commands.shell import opened
from app.passes import device_log as log


@click.command("device-log")
@click.option(
    "--limit", type=click.IntRange(1, log.KEPT_LINES), default=50, show_default=True, help="how many lines"
)
@json_option
def device_log(limit: int, as_json: bool) -> None:
    """The newest lines that phones sent, newest first.

    Anybody can send them: they are hints, not facts. What does not print is shown escaped.
    """
    with opened() as shell, shell.database.read() as tx:
        found = log.newest(tx, limit)
    show_list(
        [{"at": line.at, "line": line.text} for line in found],
        as_json=as_json,
        empty="No phone has complained.",
    )
