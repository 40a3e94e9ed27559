"""``perkpass member find | why | export``: looking a guest up, and all of their data for them."""

from __future__ import annotations

import os
import tempfile
from datetime import datetime
from pathlib import Path
from urllib.parse import urlsplit

import click

from app import keyring, opening
from app.accounts import audit, brands
from app.accounts.brands import Brand
from app.commands.answers import json_option, show, show_list
from app.commands.shell import Shell, opened
from app.db import Tx
from app.db.identifiers import PassTypeIdentifier
from app.errors import Misconfigured
from app.loyalty import enrolment
from app.passes.press import Press
from app.reports import members as found_members
from app.reports.member_archive import write_archive
from app.reports.member_file import tables_of_member
from app.reports.timeline import Surroundings, timeline
from app.reports.verdict_words import VERDICTS
from app.reports.verdicts import Verdict
from app.web.guest_form import region


@click.command()
@click.argument("brand")
@click.argument("query")
@json_option
def find(brand: str, query: str, as_json: bool) -> None:
    """Find guests of BRAND by name, number, its last four digits, the card's code or its serial number."""
    with opened() as shell, shell.database.read() as tx:
        owner = brands.brand_by_slug(tx, brand)
        found = found_members.search(tx, owner.id, query, venues=None, region=region(owner.time_zone))
    records = [
        {
            "id": one.id,
            "name": one.name,
            "phone": one.phone,
            "cards": [card.card_code for card in one.cards if card.ended_at is None],
            "blocked": any(card.blocked_at for card in one.cards),
            "since": one.created_at,
            "forgotten": one.removed_at,
        }
        for one in found.members
    ]
    show_list(records, as_json=as_json, empty="Nobody was found.")


@click.command()
@click.argument("card_code")
@json_option
def why(card_code: str, as_json: bool) -> None:
    """Why the phone does not show the newest card of CARD_CODE, and what to do about it.

    Of a card in Google Wallet: what Google took of it. Whether a phone showed it, Google does not tell.
    """
    with opened() as shell, shell.database.read() as tx:
        known = enrolment.living(tx, enrolment.enrolment_of_card(tx, card_code))
        owner = brands.brand(tx, known.brand_id)
        around = _surroundings(shell, tx, owner)
        told = timeline(tx, owner.id, known.member_id, around=around, now=shell.now)
        state = next(one for one in told.cards if one.enrolment_id == known.id)
    facts = {name: _fact(value) for name, value in state.verdict.facts.items()}
    answer, to_do = _in_words(state.verdict)
    record = {
        "cause": state.verdict.cause,
        "answer": answer,
        "to_do": to_do,
        "version": state.version,
        "changed_at": state.changed_at,
        "phones": len(state.phones),
        "in_google_wallet_since": state.google.first_saved_at if state.google else None,
    }
    if state.also:
        record["also"] = " ".join(_in_words(state.also)).strip()
    if as_json:
        events = [
            {"at": one.at, "what": one.kind, **{name: _fact(value) for name, value in one.facts.items()}}
            for one in told.events
        ]
        show({**record, "facts": facts, "events": events}, as_json=True)
    else:
        show(record, as_json=False)


@click.command()
@click.argument("card_code")
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
@click.option("--language", type=click.Choice(["ru", "en"]), default="ru", show_default=True)
def export(card_code: str, file: Path, language: str) -> None:
    """Write all that is known of the guest whose card has CARD_CODE into the ZIP FILE, for the guest."""
    with opened() as shell:
        with shell.database.read() as tx:  # it reads much: no till is to wait for it
            known = enrolment.living(tx, enrolment.enrolment_of_card(tx, card_code))
            aside = _beside(file)
            try:
                with aside.open("wb") as target:
                    found = tables_of_member(tx, known.member_id)
                    write_archive(target, found, language="ru" if language == "ru" else "en", now=shell.now)
            except BaseException:
                aside.unlink()
                raise
        try:  # nobody has the file before it is written down that they do
            with shell.database.write() as tx:
                audit.record(
                    tx,
                    at=shell.now,
                    actor=shell.actor,
                    brand_id=known.brand_id,
                    action="member.exported",
                    subject=f"member {known.member_id}",
                    detail={},
                )
            aside.replace(file)
        except BaseException:
            aside.unlink()
            raise
    click.echo(f"{file}: everything that is known of member {known.member_id}.")


def _beside(file: Path) -> Path:
    """A new file for the owner's eyes alone, in the folder of ``file``, whose name it can take at once."""
    number, name = tempfile.mkstemp(prefix=f".{file.name[:40]}-", dir=file.parent)
    os.close(number)
    return Path(name)


def _in_words(verdict: Verdict) -> tuple[str, str]:
    """The answer, and what to do about it."""
    said, to_do = VERDICTS[verdict.cause]
    facts = {name: _fact(value) for name, value in verdict.facts.items()}
    return said(**facts), to_do(**facts) if to_do else ""


def _surroundings(shell: Shell, tx: Tx, brand: Brand) -> Surroundings:
    """How the service is reached, and whether the brand's certificate can sign now."""
    fault, expired = None, False
    try:
        keys = keyring.open_keys(shell.settings, shell.database, now=shell.now)
        safe = keyring.safe(shell.settings, keys)
        press = Press(shell.settings.web_service_url, clock=opening.clock, safe=safe)
        signer = press.signer(tx, PassTypeIdentifier(brand.pass_type_identifier))
        expired = min(signer.expires_at, signer.wwdr_expires_at) <= shell.now
        fault = "Its time is over." if expired else None
    except Misconfigured as wrong:
        fault, expired = wrong.faults[0], any("expired" in line for line in wrong.faults)
    https = urlsplit(shell.settings.public_url).scheme == "https"
    return Surroundings(https=https, certificate_fault=fault, certificate_expired=expired)


def _fact(value: object) -> str:
    if isinstance(value, datetime):
        return value.isoformat(sep=" ", timespec="seconds")
    return "" if value is None else str(value)
