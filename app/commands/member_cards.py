"""``perkpass member correct | block | unblock | reissue``: what is done to a guest's card by hand."""

from __future__ import annotations

import secrets
from decimal import Decimal, InvalidOperation

import click

from app import bootstrap
from app.commands.answers import json_option, show
from app.commands.shell import Shell, opened
from app.db import Tx
from app.loyalty import card_acts, enrolment
from app.loyalty.enrolment import Enrolment

_reason = click.option("--reason", required=True, help="why: it stays in the card's history")


class _Points(click.ParamType[int]):
    """Points with at most two decimals, signed; in hundredths."""

    name = "points"

    def convert(self, value: str | int, param: click.Parameter | None, ctx: click.Context | None) -> int:
        """Hundredths."""
        if isinstance(value, int):
            return value
        try:
            hundredths = Decimal(value.replace(",", ".")) * 100
        except InvalidOperation:
            self.fail(f"{value} is no number", param, ctx)
        if not hundredths.is_finite() or hundredths != hundredths.to_integral_value():
            self.fail("at most two decimals", param, ctx)
        return int(hundredths)


@click.command()
@click.argument("card_code")
@click.option("--points", type=_Points(), default=0, help="to add; to take where negative: --points=-12.50")
@click.option("--stamps", type=int, default=0, help="to add; to take where negative: --stamps=-1")
@click.option("--all-there-is", is_flag=True, help="take what there is, where that is less")
@_reason
@json_option
def correct(card_code: str, points: int, stamps: int, all_there_is: bool, reason: str, as_json: bool) -> None:
    """Correct the balance of the card with CARD_CODE: one more entry of the ledger."""
    with opened() as shell:
        with shell.database.write() as tx:
            card = _card(tx, card_code)
            made = card_acts.correct(
                tx,
                card.id,
                points=points,
                stamps=stamps,
                all_there_is=all_there_is,
                reason=reason,
                form_key=secrets.token_hex(16),
                now=shell.now,
                actor=shell.actor,
            )
            after = enrolment.enrolment(tx, card.id)
        _ring(shell)
    show(
        {"points": made.points, "stamps": made.stamps, "balance": after.balance, "card_stamps": after.stamps},
        as_json=as_json,
    )


@click.command()
@click.argument("card_code")
@_reason
def block(card_code: str, reason: str) -> None:
    """Let no till use the card with CARD_CODE; it says so. Undone by `perkpass member unblock`."""
    with opened() as shell:
        with shell.database.write() as tx:
            key = secrets.token_hex(16)
            done = card_acts.block(
                tx, _card(tx, card_code).id, reason=reason, form_key=key, now=shell.now, actor=shell.actor
            )
        _ring(shell)
    click.echo("The card is blocked." if done else "The card was blocked already.")


@click.command()
@click.argument("card_code")
def unblock(card_code: str) -> None:
    """Let tills use the card with CARD_CODE again."""
    with opened() as shell:
        with shell.database.write() as tx:
            key = secrets.token_hex(16)
            done = card_acts.unblock(
                tx, _card(tx, card_code).id, form_key=key, now=shell.now, actor=shell.actor
            )
        _ring(shell)
    click.echo("The card works again." if done else "The card was not blocked.")


@click.command()
@click.argument("card_code")
@_reason
@json_option
def reissue(card_code: str, reason: str, as_json: bool) -> None:
    """Give the guest another card in place of the one with CARD_CODE, which somebody else got hold of.

    Code, serial number, authentication token and links are new; points and history stay. The old card is
    void for good, and the guest adds the new one from its page: `perkpass member show` and the console
    have the address.
    """
    with opened() as shell:
        with shell.database.write() as tx:
            made = card_acts.reissue(
                tx,
                _card(tx, card_code).id,
                reason=reason,
                form_key=secrets.token_hex(16),
                now=shell.now,
                actor=shell.actor,
            )
        _ring(shell)
    show({"card_code": made.card_code, "card_link_version": made.card_link_version}, as_json=as_json)


def _card(tx: Tx, card_code: str) -> Enrolment:
    return enrolment.living(tx, enrolment.enrolment_of_card(tx, card_code))


def _ring(shell: Shell) -> None:
    """The worker has a card to tell of; without it a poll finds that a second later."""
    wakeup = bootstrap.make_wakeup(shell.settings)
    wakeup.ring()
    wakeup.close()
