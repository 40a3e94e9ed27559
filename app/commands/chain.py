"""``perkpass chain``: a whole chain from one file."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import nullcontext
from dataclasses import asdict
from pathlib import Path

import click

from app.commands.answers import json_option, to_json, warn
from app.commands.chain_file import read_chain
from app.commands.chain_keys import kept_keys
from app.commands.chain_load import NewKey, Surroundings, load_chain
from app.commands.shell import opened
from app.errors import Misconfigured


@click.group()
def chain() -> None:
    """A whole chain (brands, programmes, venues, placements, staff, links, keys) from one file."""


@chain.command()
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--check", is_flag=True, help="say what would change, and change nothing")
@click.option(
    "--keys-file",
    type=click.Path(dir_okay=False, path_type=Path),
    help="append new keys' secrets to this file (JSON Lines, mode 0600) instead of printing them",
)
@json_option
def load(file: Path, check: bool, keys_file: Path | None, as_json: bool) -> None:
    """Bring the database to what FILE says; loading it again changes only what differs.

    Nothing is removed because FILE does not name it. docs/chain.example.toml explains every key.
    """
    described = read_chain(file)
    with opened() as shell:
        report = load_chain(
            shell.database,
            described,
            Surroundings(file.resolve().parent, shell.settings.templates_dir, shell.now, shell.actor),
            check=check,
            keep_keys=lambda new: kept_keys(keys_file, new) if keys_file else nullcontext(),
        )
    for warning in report.warnings:
        warn(warning)
    if as_json:
        shown = [] if keys_file else [asdict(key) for key in report.keys]
        click.echo(to_json({"checked_only": check, "changes": report.changes, "keys": shown}))
    else:
        for change in report.changes:
            click.echo(change)
        click.echo(_summary(len(report.changes), check))
        _tell_keys(report.keys, keys_file)
    if report.faults:
        raise Misconfigured(*(f"{file}: {fault}" for fault in report.faults))


def _summary(changes: int, check: bool) -> str:
    if not changes:
        return "Nothing to change: the database says what the file says."
    return f"{changes} changes would be made; nothing was changed." if check else f"{changes} changes made."


def _tell_keys(new: Sequence[NewKey], keys_file: Path | None) -> None:
    if not new:
        return
    if keys_file:
        click.echo(f"The secrets of {len(new)} new keys were added to {keys_file}.")
        return
    click.echo("New keys. The secrets are shown once: put them into the tills now.")
    for key in new:
        click.echo(f"{key.brand} {key.venue} {key.name}: {key.secret}")
