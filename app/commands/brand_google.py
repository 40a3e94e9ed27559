"""``perkpass brand google``: under which Google issuer a brand's cards are, and with whose key."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

import click

from app.accounts import brands
from app.commands.answers import Record, json_option, show
from app.commands.shell import Shell, opened
from app.errors import Misconfigured, NotFound
from app.google.standing import Standing
from app.passes import google_accounts
from app.passes.google_accounts import GoogleAccount
from app.passes.sealing import Safe


@click.group()
def google() -> None:
    """A brand's cards in Google Wallet: its issuer, and the service account that writes for it."""


@google.command("set")
@click.argument("slug")
@click.option("--issuer", required=True, help="the issuer's number, from the Google Pay & Wallet console")
@click.option(
    "--credentials", required=True, help="where the service account's JSON lies: file:PATH or env:NAME"
)
@json_option
def set_account(slug: str, issuer: str, credentials: str, as_json: bool) -> None:
    """Have the cards of the brand SLUG at Google, with a key that lies in a file or a variable."""
    with opened() as shell, shell.database.write() as tx:
        brand = brands.brand_by_slug(tx, slug)
        made = google_accounts.refer(
            tx, brand, issuer_id=issuer, credentials=credentials, now=shell.now, actor=shell.actor
        )
    show(_record(slug, made), as_json=as_json)


@google.command()
@click.argument("slug")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--issuer", required=True, help="the issuer's number, from the Google Pay & Wallet console")
@json_option
def upload(slug: str, file: Path, issuer: str, as_json: bool) -> None:
    """The same with the service account's JSON FILE kept in the database, sealed with the pass key."""
    with opened() as shell:
        safe = _safe(shell)
        with shell.database.write() as tx:
            brand = brands.brand_by_slug(tx, slug)
            made = google_accounts.store_for(
                tx, safe, brand, issuer_id=issuer, data=file.read_bytes(), now=shell.now, actor=shell.actor
            )
    show(_record(slug, made), as_json=as_json)


@google.command("show")
@click.argument("slug")
@click.option("--ask", is_flag=True, help="ask Google too: status 1 where it refuses this account")
@json_option
def show_account(slug: str, ask: bool, as_json: bool) -> None:
    """Under which issuer the cards of the brand SLUG are, and who writes for it; never the key."""
    with opened() as shell:
        with shell.database.read() as tx:
            brand = brands.brand_by_slug(tx, slug)
            found = google_accounts.of_brand(tx, brand.id)
        if found is None:
            raise NotFound(
                "no-google-account",
                f"{slug} has no Google account: perkpass brand google set {slug} --help",
            )
        record = dict(_record(slug, found))
        standing = _asked(shell, found) if ask else None
    if standing is not None:
        answer = standing.issuer
        record["issuer_name"] = standing.name
        record["google_says"] = "accepted" if standing.sound else f"{answer.reason}: {answer.words}"
    show(record, as_json=as_json)
    if standing is not None and not standing.sound:
        sys.exit(1)


@google.command()
@click.argument("slug")
@json_option
def forget(slug: str, as_json: bool) -> None:
    """Make no more cards of the brand SLUG at Google; those in wallets stay as they are now."""
    with opened() as shell, shell.database.write() as tx:
        brand = brands.brand_by_slug(tx, slug)
        google_accounts.forget(tx, brand, now=shell.now, actor=shell.actor)
    show({"brand": slug, "google": None}, as_json=as_json)


def _safe(shell: Shell) -> Safe:
    from app import keyring

    return keyring.safe(shell.settings, keyring.open_keys(shell.settings, shell.database, now=shell.now))


def _record(slug: str, account: GoogleAccount) -> Record:
    return {
        "brand": slug,
        "issuer": account.issuer_id,
        "credentials": account.credentials,
        "service_account": account.email,
        "changed_at": account.changed_at,
        "changed_by": account.changed_by,
    }


def _asked(shell: Shell, found: GoogleAccount) -> Standing:
    from app.google import standing
    from app.google_wiring import Accounts, open_wallet

    account = Accounts(shell.database, _safe(shell)).account(found.brand_id)
    if account is None:
        raise Misconfigured(
            f"The key at {found.credentials} cannot be read: see the log above, mend it there"
        )
    wallet = open_wallet(shell.settings, account)

    async def ask() -> Standing:
        try:
            return await standing.look(wallet, account, issuer_id=found.issuer_id, now=shell.now)
        finally:
            await wallet.close()

    return asyncio.run(ask())
