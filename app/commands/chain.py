"""``perkpass chain``: a whole chain from one file."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import asdict
from pathlib import Path

import click

from app.commands.answers import json_option, to_json, warn
from app.commands.chain_file import read_chain
from app.commands.chain_load import NewKey, Surroundings, load_chain
from app.commands.shell import opened
from app.db.outages import outage_of
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
    with _taken_back(keys_file), opened() as shell:
        report = load_chain(
            shell.database,
            described,
            Surroundings(file.resolve().parent, shell.settings.templates_dir, shell.now, shell.actor),
            check=check,
            keep_keys=lambda new: append_keys(keys_file, new) if keys_file else None,
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


@contextmanager
def _taken_back(path: Path | None) -> Iterator[None]:
    """Take secrets out of the file again whose keys were not made after all."""
    before = path.stat().st_size if path and path.exists() else None
    try:
        yield
    except Exception as fault:
        # A server that went away may have made them all the same: then a secret too many is the smaller harm.
        away = (outage := outage_of(fault)) is not None and outage.reason == "away"
        if path and not away:
            with suppress(OSError):
                path.unlink(missing_ok=True) if before is None else os.truncate(path, before)
        raise


def append_keys(path: Path, new: Sequence[NewKey]) -> None:
    """Add a line for every key to a file that only its owner may read; raises Misconfigured."""
    if not new:
        return
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
        with os.fdopen(descriptor, "w", encoding="utf-8") as lines:
            os.fchmod(lines.fileno(), 0o600)
            lines.writelines(json.dumps(asdict(key), ensure_ascii=False) + "\n" for key in new)
            lines.flush()
            os.fsync(lines.fileno())
    except OSError as fault:
        raise Misconfigured(
            f"{path}: cannot keep the new keys: {fault.strerror}. Nothing was loaded"
        ) from fault


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
