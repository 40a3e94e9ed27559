"""``perkpass member``: what is known of a guest, and how they are forgotten."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict

import click

from app.commands.answers import Record, json_option, show, show_list
from app.commands.member_cards import block, correct, reissue, unblock
from app.commands.member_finding import export, find, why
from app.commands.shell import opened
from app.commands.sms_accounts import text_record
from app.db import Tx
from app.db.identifiers import WalletPassId
from app.delivery import google, texts
from app.loyalty import codes, enrolment, members, merging
from app.reports import store_timeline_google
from app.reports.google_words import SHOWN


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
        at_google = _at_google(tx, [one.pass_id for one in found.enrolments])
    if as_json:
        more = {"google_wallet": at_google, "texts": sent, "codes": [_code(one) for one in asked]}
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
    click.echo("\nGoogle Wallet")
    show_list(at_google, as_json=False, empty="none")
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


def _at_google(tx: Tx, pass_ids: Sequence[WalletPassId]) -> list[Record]:
    """One line for each card at Google, and what became of the last change: never more than Google tells."""
    cards = store_timeline_google.objects(tx, pass_ids)
    changes = google.last_changes(tx, [one.id for one in cards])
    return [
        {
            "card": one.pass_id,
            "object": one.resource_id,
            "saved_at": one.first_saved_at,
            "removed_at": one.removed_at,
            "held": one.has_users,
            "last_change": _last_change(changes.get(one.id)),
            "reason": changes[one.id].reason if one.id in changes else None,
        }
        for one in cards
    ]


def _last_change(last: google.LastChange | None) -> str | None:
    if last is None:
        return None
    return f"{last.kind}: {SHOWN[last.shown] if last.shown else 'under way'}"


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
