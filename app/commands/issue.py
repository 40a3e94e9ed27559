"""``perkpass issue``: one card from the command line, as the install page would make it."""

from __future__ import annotations

import os
import secrets
from pathlib import Path

import click

from app import keyring
from app.accounts import audit
from app.commands.answers import json_option, show
from app.commands.shell import now, opened
from app.errors import BadInput, Conflict, Misconfigured
from app.loyalty import enrolment
from app.loyalty.enrolment import ConsentGiven, EnrolmentRequest
from app.passes import issuing
from app.passes.content import Language
from app.passes.press import Press
from app.places import links

_CONSENT: dict[Language, str] = {
    "ru": "Гость дал согласие на обработку персональных данных; внесено сотрудником",
    "en": "The guest agreed to the processing of personal data; entered by the staff",
}


@click.command()
@click.argument("link_code")
@click.option(
    "--output", "-o", required=True, type=click.Path(dir_okay=False, path_type=Path), help="the .pkpass"
)
@click.option("--name", help="the guest's")
@click.option("--language", type=click.Choice(("ru", "en")), default="ru", show_default=True)
@click.option("--consent", is_flag=True, help="the guest has agreed to the processing of their data")
@json_option
def issue(
    link_code: str, output: Path, name: str | None, language: Language, consent: bool, as_json: bool
) -> None:
    """Enrol a guest through the install link LINK_CODE and write the card into a file."""
    if not consent:
        raise BadInput(
            "consent-needed",
            "Nobody becomes a member without having agreed: ask the guest, then add --consent",
            field="consent",
        )
    from app import bootstrap

    with opened() as shell:
        keys = keyring.open_keys(shell.settings, shell.database, now=shell.now)
        safe = keyring.safe(shell.settings, keys)
        press = Press(shell.settings.web_service_url, clock=now, safe=safe)
        build = bootstrap.pass_builder(press, keys, shell.settings.public_url)
        with shell.database.write() as tx:
            link = links.link_by_code(tx, link_code)
            if link.retired_at is not None:
                raise Conflict("link-retired", f"The link {link.code} was retired: use a living one")
            made = enrolment.enrol(
                tx,
                EnrolmentRequest(
                    programme_id=link.programme_id,
                    venue_id=link.venue_id,
                    visit_id=None,
                    name=name,
                    language=language,
                    consents=[
                        ConsentGiven(
                            purpose="data",
                            granted=True,
                            text_version="command line 1",
                            text=_CONSENT[language],
                            language=language,
                            source=f"command line, {shell.actor}",
                        )
                    ],
                ),
                now=shell.now,
            )
            audit.record(
                tx,
                at=shell.now,
                actor=shell.actor,
                brand_id=made.brand_id,
                action="card.issued",
                subject=f"member {made.member_id}",
                detail={"link": link.code},
            )
            card = issuing.wallet_pass(tx, made.pass_id)
            signed = build(tx, card)
            # Before the commit: a card that nobody got is not enrolled.
            _write(output, signed)
    show(
        {
            "file": str(output),
            "bytes": len(signed),
            "serial_number": card.serial_number,
            "card_code": made.card_code,
        },
        as_json=as_json,
    )


def _write(target: Path, content: bytes) -> None:
    """Complete or not at all, and for the owner alone: the file opens the card's updates."""
    draft = target.with_name(f".{target.name}.{secrets.token_hex(4)}")
    try:
        with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as written:
            written.write(content)
        draft.replace(target)
    except OSError as fault:
        raise Misconfigured(f"{target}: cannot write it: {fault.strerror}. No card was made") from fault
