"""``perkpass template``: is a folder fit to make cards from?"""

from __future__ import annotations

import sys
from dataclasses import asdict
from pathlib import Path

import click

from app.commands.answers import json_option, to_json
from app.commands.shell import now
from app.passes.findings import refusals
from app.passes.linter import lint_template


@click.group()
def template() -> None:
    """Templates: folders that cards are made from."""


@template.command()
@click.argument("directory", type=click.Path(exists=True, file_okay=False, path_type=Path))
@json_option
def check(directory: Path, as_json: bool) -> None:
    """Say what iOS would refuse in DIRECTORY (status 1), and what would look wrong."""
    findings = lint_template(directory, now=now())
    if as_json:
        click.echo(to_json([asdict(finding) for finding in findings]))
    else:
        for finding in findings:
            click.echo(str(finding))
        click.echo(f"{directory}: {_verdict(len(refusals(findings)))}")
    if refusals(findings):
        sys.exit(1)


def _verdict(refused: int) -> str:
    return (
        f"{refused} faults: iOS would refuse cards made from it" if refused else "cards can be made from it"
    )
