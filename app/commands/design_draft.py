"""``perkpass design draft``: the next design of a programme, while it is worked on."""

from __future__ import annotations

import sys
from contextlib import closing
from dataclasses import asdict
from pathlib import Path

import click

from app import keyring
from app.accounts import brands
from app.commands.answers import Record, json_option, show, to_json, warn
from app.commands.design_google import at_google
from app.commands.shell import Shell, now, opened
from app.db import Tx
from app.db.identifiers import DesignId
from app.errors import BadInput, NotFound
from app.loyalty import programmes, publishing
from app.loyalty.programmes import Programme
from app.passes import designs, drafts, template_folders, test_cards
from app.passes.content import Language
from app.passes.drafts import Draft
from app.passes.findings import DesignRefused, refusals
from app.passes.layout import BrandValues
from app.passes.template import Template


@click.group()
def draft() -> None:
    """The next design of a programme: begun, changed in the console, checked, tried, published."""


@draft.command()
@click.argument("brand")
@click.argument("programme")
@click.option(
    "--template",
    "directory",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="a folder such as pass_templates/bonus_card",
)
@click.option("--version", type=int, help="a published version; without either, the newest")
@json_option
def start(brand: str, programme: str, directory: Path | None, version: int | None, as_json: bool) -> None:
    """Begin PROGRAMME's draft from a template's folder, or from a published version."""
    if directory is not None and version is not None:
        raise BadInput("two-sources", "Give --template or --version, not both", field="template")
    with opened() as shell:
        brought = template_folders.from_folder(directory).template if directory else None
        with shell.database.write() as tx:
            card = programme_of(tx, brand, programme)
            source, base = (brought, None) if brought else _version(tx, card, version)
            begun = drafts.start(
                tx,
                card.id,
                source,
                base_design_id=base,
                brand_id=card.brand_id,
                now=shell.now,
                actor=shell.actor,
            )
        show(described(begun), as_json=as_json)


@draft.command()
@click.argument("brand")
@click.argument("programme")
@json_option
def check(brand: str, programme: str, as_json: bool) -> None:
    """Say what iOS or Google would refuse in the draft (status 1), and what would look wrong."""
    with opened() as shell:
        card, values, found = open_draft(shell, brand, programme)
    findings = drafts.check(drafts.assembled(found.template, values), now=now())
    if as_json:
        click.echo(to_json([asdict(finding) for finding in findings]))
    else:
        for finding in findings:
            click.echo(str(finding))
        refused = len(refusals(findings))
        verdict = f"{refused} faults" if refused else "it can be published"
        click.echo(f"{card.slug}, draft of {found.updated_at:%Y-%m-%d %H:%M} UTC: {verdict}")
    if refusals(findings):
        sys.exit(1)


@draft.command()
@click.argument("brand")
@click.argument("programme")
@json_option
def publish(brand: str, programme: str, as_json: bool) -> None:
    """Publish the draft as PROGRAMME's next version; new cards are made with it.

    Cards in phones stay as they are until `perkpass design rollout start`.
    """
    with opened() as shell:
        card, values, found = open_draft(shell, brand, programme)
        ready = drafts.ready(found, values, now=shell.now)
        with shell.database.write() as tx:
            made = drafts.publish(tx, found, ready, brand_id=card.brand_id, now=shell.now, actor=shell.actor)
            google = at_google(shell, tx, card.id)
        show({"id": made.id, "version": made.version, "template": made.template, **google}, as_json=as_json)


@draft.command()
@click.argument("brand")
@click.argument("programme")
@json_option
def discard(brand: str, programme: str, as_json: bool) -> None:
    """Lay the draft aside; it is kept for thirty days."""
    with opened() as shell:
        card, _, found = open_draft(shell, brand, programme)
        with shell.database.write() as tx:
            drafts.discard(tx, found.id, brand_id=card.brand_id, now=shell.now, actor=shell.actor)
        show({"discarded": found.id}, as_json=as_json)


@draft.command("test-card")
@click.argument("brand")
@click.argument("programme")
@click.option("--language", type=click.Choice(("ru", "en")), default="ru", show_default=True)
@json_option
def test_card(brand: str, programme: str, language: Language, as_json: bool) -> None:
    """Make your test card of the draft and tell its address, for your own phone; it ends after a day.

    The card says that it is a test, belongs to no member, and follows when the draft is saved.
    """
    from app.web.links import Links

    with opened() as shell:
        keys = keyring.open_keys(shell.settings, shell.database, now=shell.now)
        card, values, found = open_draft(shell, brand, programme)
        ready = drafts.ready(found, values, now=shell.now)
        with shell.database.write() as tx:
            made = test_cards.make(
                tx,
                card.id,
                ready,
                language=language,
                brand_id=card.brand_id,
                now=shell.now,
                actor=shell.actor,
            )
        address = Links(keys.secret_key, shell.settings.public_url).test_card_url(made.id, now=shell.now)
        show({"address": address, "serial_number": made.serial_number}, as_json=as_json)


def follow(shell: Shell, brand: str, programme: str) -> None:
    """Let test cards show what was saved, unless iPhones would refuse it: then they stay as they are."""
    card, values, found = open_draft(shell, brand, programme)
    with shell.database.read() as tx:
        if not test_cards.exist(tx, card.id):
            return
    try:
        ready = drafts.ready(found, values, now=shell.now)
    except DesignRefused as fault:
        warn(f"test cards stay as they are: {fault}")
        return
    with shell.database.write() as tx:
        test_cards.follow(tx, card.id, ready, now=shell.now)
    ring(shell)


def ring(shell: Shell) -> None:
    """Wake the worker."""
    from app import bootstrap

    with closing(bootstrap.make_wakeup(shell.settings)) as wakeup:
        wakeup.ring()


def programme_of(tx: Tx, brand: str, programme: str) -> Programme:
    """By the names of both; raises NotFound."""
    return programmes.programme_by_slug(tx, brands.brand_by_slug(tx, brand).id, programme)


def open_draft(shell: Shell, brand: str, programme: str) -> tuple[Programme, BrandValues, Draft]:
    """By the names of both, with what the brand puts into it; raises NotFound."""
    with shell.database.read() as tx:
        owner = brands.brand_by_slug(tx, brand)
        card = programmes.programme_by_slug(tx, owner.id, programme)
        found = drafts.open_draft(tx, card.id)
    if found is None:
        raise NotFound("no-draft", f"{programme} has no draft; begin one: perkpass design draft start --help")
    return card, publishing.with_rules(designs.brand_values(owner), card.rules), found


def _version(tx: Tx, card: Programme, version: int | None) -> tuple[Template, DesignId]:
    known = drafts.history(tx, card.id)
    found = next((each for each in known if version in (None, each.version)), None)
    if found is None:
        raise NotFound("no-such-design", f"{card.slug} has no design version {version or 'yet'}")
    return designs.source(tx, found.id), found.id


def described(found: Draft) -> Record:
    """A draft in few words."""
    return {
        "draft": found.id,
        "template": found.template.name,
        "revision": found.revision,
        "images": len(found.files),
        "updated_at": found.updated_at,
        "updated_by": found.updated_by,
    }
