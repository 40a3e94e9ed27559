"""Before serving: embedded databases are migrated, others must be current already; the keys must fit."""

from __future__ import annotations

import sys
from contextlib import suppress

import click

from app import opening
from app.accounts import users
from app.commands import failures
from app.db.failures import FAILURES
from app.settings import load


def main() -> int:
    """0 when schema and keys fit; otherwise 1 and what to do on standard error."""
    try:
        settings = load()
        opening.prepare_schema(settings)
        opening.prepare_keys(settings)
    except Exception as fault:
        if not (sentences := failures.sentences(fault)):
            raise
        failures.tell(sentences)
        return 1
    return 0


def welcome() -> None:
    """Where nobody can sign in yet, say how the first one does: their link, good for a day."""
    from app.accounts import invitations
    from app.commands.shell import actor, now
    from app.commands.user import link_address

    settings = load()
    database = opening.open_database(settings)
    try:
        with database.read() as tx:
            if users.is_anybody_there(tx):
                return
        with database.write() as tx:
            token = invitations.invite_first(tx, now=now(), actor=actor())
    finally:
        database.close()
    if token is not None:
        click.echo(
            f"perkpass: nobody can sign in yet. Open this once, within a day, to become the owner:\n"
            f"          {link_address(settings.public_url, token)}"
        )


if __name__ == "__main__":
    if status := main():
        sys.exit(status)
    with suppress(*FAILURES, OSError):  # it is served all the same; perkpass user invite makes a link too
        welcome()
