"""``perkpass member``: what is known of a guest, and how they are forgotten."""

from __future__ import annotations

from dataclasses import asdict

import click

from app.commands.answers import json_option, show, show_list
from app.commands.shell import opened
from app.loyalty import enrolment, members


@click.group()
def member() -> None:
    """Members: what is known of a guest, and how they are forgotten."""


@member.command("show")
@click.argument("card_code")
@json_option
def show_member(card_code: str, as_json: bool) -> None:
    """Everything that is known of the member whose card has CARD_CODE in its barcode."""
    with opened() as shell, shell.database.read() as tx:
        found = members.show(tx, enrolment.enrolment_of_card(tx, card_code).member_id)
    if as_json:
        show(asdict(found), as_json=True)
        return
    kept = ("id", "name", "language", "created_at", "removed_at")
    show({key: getattr(found, key) for key in kept}, as_json=False)
    for title, rows in (
        ("Cards", found.enrolments),
        ("Consents", found.consents),
        ("Receipts", found.receipts),
        ("Ledger", found.entries),
    ):
        click.echo(f"\n{title}")
        show_list([asdict(row) for row in rows], as_json=False, empty="none")


@member.command()
@click.argument("card_code")
@click.option("--yes", is_flag=True, help="do not ask again")
def remove(card_code: str, yes: bool) -> None:
    """Forget the member whose card has CARD_CODE: the name goes and the card is voided for good."""
    with opened() as shell:
        if not yes:
            click.confirm("This cannot be undone. Forget this member?", abort=True, err=True)
        with shell.database.write() as tx:
            member_id = enrolment.enrolment_of_card(tx, card_code).member_id
            members.remove(tx, member_id, now=shell.now, actor=shell.actor)
    click.echo(f"Member {member_id} is forgotten; their cards are voided.")
