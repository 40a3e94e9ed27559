"""``perkpass member``: what is known of a guest, and how they are forgotten."""

from __future__ import annotations

from dataclasses import asdict

import click

from app.commands.answers import Record, json_option, show, show_list
from app.commands.member_cards import block, correct, reissue, unblock
from app.commands.member_finding import export, find, why
from app.commands.shell import opened
from app.commands.sms_accounts import text_record
from app.delivery import texts
from app.loyalty import codes, enrolment, members, merging


@click.group()
def member() -> None:
    """Members: what is known of a guest, and how they are forgotten."""


for _command in (find, why, export, correct, block, unblock, reissue):
    member.add_command(_command)


@member.command("show")
@click.argument("card_code")
@json_option
def show_member(card_code: str, as_json: bool) -> None:
    """Everything that is known of the member whose card has CARD_CODE in its barcode."""
    with opened() as shell, shell.database.read() as tx:
        found = members.show(tx, enrolment.enrolment_of_card(tx, card_code).member_id)
        sent = [text_record(one) for one in texts.texts_of_member(tx, found.id)]
        asked = [] if found.phone is None else codes.codes_of_number(tx, found.brand_id, found.phone)
    if as_json:
        more = {"texts": sent, "codes": [_code(one) for one in asked]}
        show(asdict(found) | more, as_json=True)
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
    click.echo("\nText messages")
    columns = ("id", "created_at", "kind", "login", "state", "reason", "receipt_at", "price")
    show_list([{key: one[key] for key in columns} for one in sent], as_json=False, empty="none")
    click.echo("\nCodes")
    show_list([_code(one) for one in asked], as_json=False, empty="none")


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


@member.command("merge")
@click.argument("living")
@click.argument("ending")
@json_option
def merge_cards(living: str, ending: str, as_json: bool) -> None:
    """Make the card with code ENDING one with LIVING: balances add up, ENDING's code leads to LIVING.

    For a guest with two cards of a programme who stands before you with both; it cannot be undone.
    """
    from app import bootstrap

    with opened() as shell:
        with shell.database.write() as tx:
            cards = [enrolment.enrolment_of_card(tx, code) for code in (living, ending)]
            kept = merging.merge(tx, living=cards[0].id, ending=cards[1].id, now=shell.now, actor=shell.actor)
        wakeup = bootstrap.make_wakeup(shell.settings)
        wakeup.ring()
        wakeup.close()
        show(asdict(kept), as_json=as_json)


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


def _code(one: codes.CodeRow) -> Record:
    """One line of the table: a code that was sent to the member's number, without its digits."""
    return {
        "asked_at": one.created_at,
        "venue": one.venue_id,
        "text": one.delivery_id,
        "tries": one.tries,
        "expires_at": one.expires_at,
        "ended_at": one.ended_at,
    }


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
