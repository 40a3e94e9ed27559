"""``perkpass doctor``: is everything in order, and if not, what to do."""

from __future__ import annotations

import sys
from dataclasses import asdict

import click

from app.commands.answers import json_option, to_json
from app.commands.shell import now
from app.examination.whole import examine

_MARKS = {"ok": "  ok     ", "warning": "  warning", "fault": "  FAULT  "}


@click.command()
@click.option("--offline", is_flag=True, help="ask neither the public URL nor APNs, Google or SMS gateways")
@json_option
def doctor(offline: bool, as_json: bool) -> None:
    """Look at settings, files, certificates, clocks, database, queue, Redis, APNs, Google and the public URL.

    Changes nothing. Faults end in status 1.
    """
    looks = list(examine(now(), reach_out=not offline))
    faults = sum(look.verdict == "fault" for look in looks)
    if as_json:
        click.echo(to_json({"healthy": not faults, "looks": [asdict(look) for look in looks]}))
    else:
        for look in looks:
            click.echo(f"{_MARKS[look.verdict]}  {look.subject}: {look.words}")
        click.echo(f"{faults} to put right." if faults else "Nothing to put right.")
    if faults:
        sys.exit(1)
