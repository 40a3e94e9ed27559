"""``perkpass doctor``: is everything in order, and if not, what to do."""

from __future__ import annotations

import sys
from dataclasses import asdict

import click

from app.commands.answers import json_option, to_json
from app.commands.examination import examine
from app.commands.shell import now

_MARKS = {"ok": "  ok     ", "warning": "  warning", "fault": "  FAULT  "}


@click.command()
@json_option
def doctor(as_json: bool) -> None:
    """Look at settings, files, certificates, database and Redis; change nothing. Faults end in status 1."""
    looks = list(examine(now()))
    faults = sum(look.verdict == "fault" for look in looks)
    if as_json:
        click.echo(to_json({"healthy": not faults, "looks": [asdict(look) for look in looks]}))
    else:
        for look in looks:
            click.echo(f"{_MARKS[look.verdict]}  {look.subject}: {look.words}")
        click.echo(f"{faults} to put right." if faults else "Nothing to put right.")
    if faults:
        sys.exit(1)
