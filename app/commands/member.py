"""``perkpass member``: what is known of a guest, and how they are forgotten."""

from __future__ import annotations

from dataclasses import asdict

import click

from app.commands.answers import Record, json_option, show, show_list
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
    kept = ("id", "name", "language", "phone", "birthday", "created_at", "removed_at")
    show({key: getattr(found, key) for key in kept}, as_json=False)
    for title, rows in (
        ("Cards", found.enrolments),
        ("Consents", found.consents),
        ("Receipts", found.receipts),
        ("Ledger", found.entries),
        ("Proofs of phones", found.proofs),
    ):
        click.echo(f"\n{title}")
        show_list([asdict(row) for row in rows], as_json=False, empty="none")
    click.echo("\nPhones")
    show_list([_phone(one) for one in found.phones], as_json=False, empty="none")


@member.command("revoke-link")
@click.argument("card_code")
@json_option
def revoke_link(card_code: str, as_json: bool) -> None:
    """Let the link to the page of the card with CARD_CODE lead nowhere: it went astray. The card lives on."""
    with opened() as shell:
        with shell.database.write() as tx:
            known = enrolment.enrolment_of_card(tx, card_code)
            after = members.revoke_card_link(tx, known.id, now=shell.now, actor=shell.actor)
        show({"card_code": after.card_code, "card_link_version": after.card_link_version}, as_json=as_json)


@member.command()
@click.argument("card_code")
@click.option("--yes", is_flag=True, help="do not ask again")
def remove(card_code: str, yes: bool) -> None:
    """Forget the member whose card has CARD_CODE: name and number go, the card is voided."""
    with opened() as shell:
        if not yes:
            click.confirm("This cannot be undone. Forget this member?", abort=True, err=True)
        with shell.database.write() as tx:
            member_id = enrolment.enrolment_of_card(tx, card_code).member_id
            members.remove(tx, member_id, now=shell.now, actor=shell.actor)
    click.echo(f"Member {member_id} is forgotten; their cards are voided.")


def _phone(one: members.Phone) -> Record:
    """One line of the table: who holds the card, and what became of the last push."""
    push = one.last_push
    return {
        "card": one.holder.pass_id,
        "device": one.holder.device_id,
        "registered_at": one.holder.registered_at,
        "contacted_at": one.holder.contacted_at,
        "unreachable_since": one.holder.unreachable_since,
        "push_service": one.holder.push_service,
        "accepted_at": push.accepted_at if push else None,
        "last_push": f"{push.kind}: {push.state}" if push else None,
        "reason": push.reason if push else None,
    }
