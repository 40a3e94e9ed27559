"""``perkpass template``: is a folder fit to make cards from?"""

from __future__ import annotations

import sys
from dataclasses import asdict
from pathlib import Path

import click

from app.commands.answers import json_option, to_json
from app.commands.shell import now
from app.passes.findings import Finding, refusals
from app.passes.lint_rules_versions import OLDEST_IOS
from app.passes.linter import lint_template


@click.group()
def template() -> None:
    """Templates: folders that cards are made from."""


@template.command()
@click.argument("directory", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.option(
    "--ios",
    "oldest_ios",
    type=float,
    default=OLDEST_IOS,
    show_default=True,
    metavar="VERSION",
    help="what guests' phones have at least: keys that are newer are told",
)
@json_option
def check(directory: Path, oldest_ios: float, as_json: bool) -> None:
    """Say what iOS or Google would refuse in DIRECTORY (status 1), and what would look wrong.

    docs/templates.md lists every rule.
    """
    findings = lint_template(directory, now=now(), oldest_ios=oldest_ios)
    if as_json:
        click.echo(to_json([asdict(finding) for finding in findings]))
    else:
        for finding in findings:
            click.echo(str(finding))
        click.echo(f"{directory}: {_verdict(findings)}")
    if refusals(findings):
        sys.exit(1)


def _verdict(findings: list[Finding]) -> str:
    if refused := len(refusals(findings)):
        return f"no card can be made from it: {refused} {'fault' if refused == 1 else 'faults'}"
    warned = sum(finding.severity == "warn" for finding in findings)
    return "cards can be made from it" + (f"; {warned} warnings" if warned else "")
