"""``perkpass design``: how a programme's cards look, version by version."""

from __future__ import annotations

import time
from contextlib import closing
from pathlib import Path

import click
from tqdm import tqdm

from app.accounts import audit, brands
from app.commands.answers import json_option, show, show_list, warn
from app.commands.design_draft import draft
from app.commands.design_draft_steps import list_steps, reopen, undo
from app.commands.design_folder import export_design, import_design
from app.commands.design_google import at_google
from app.commands.design_rollout import rollout
from app.commands.shell import Shell, now, opened
from app.db.identifiers import WalletPassId
from app.errors import BadInput, NotFound
from app.loyalty import programmes, publishing
from app.passes import designs, issuing
from app.passes.content import LocalizedText


@click.group()
def design() -> None:
    """Designs: how a programme's cards look, in versions that never change."""


for _command in (draft, export_design, import_design, rollout):
    design.add_command(_command)
for _command in (list_steps, undo, reopen):
    draft.add_command(_command)


@design.command()
@click.argument("brand")
@click.argument("programme")
@click.argument("directory", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.option("--rules-ru", help="the programme's rules in words, in Russian; with --rules-en")
@click.option("--rules-en", help="the same in English")
@click.option(
    "--colour",
    "colours",
    nargs=2,
    multiple=True,
    metavar="KEY VALUE",
    help="like: --colour backgroundColor 'rgb(74, 28, 20)'",
)
@json_option
def publish(
    brand: str,
    programme: str,
    directory: Path,
    rules_ru: str | None,
    rules_en: str | None,
    colours: tuple[tuple[str, str], ...],
    as_json: bool,
) -> None:
    """Publish the template in DIRECTORY as PROGRAMME's next version; new cards are made with it.

    Cards in phones stay as they are until `perkpass design move`.
    """
    if (rules_ru is None) != (rules_en is None):
        raise BadInput("half-rules", "Give --rules-ru and --rules-en, or neither", field="rules")
    rules = LocalizedText(rules_ru, rules_en) if rules_ru is not None and rules_en is not None else None
    with opened() as shell:
        with shell.database.read() as tx:
            owner = brands.brand_by_slug(tx, brand)
            card = programmes.programme_by_slug(tx, owner.id, programme)
        values = designs.brand_values(owner, rules=rules, colours=dict(colours))
        drafted = publishing.draft(card, directory, values, now=shell.now)
        with shell.database.write() as tx:
            made, is_new = publishing.publish(tx, card, drafted, now=shell.now, actor=shell.actor)
            google = at_google(shell, tx, card.id)
        for finding in designs.warnings(made):
            warn(str(finding))
        show(
            {"id": made.id, "version": made.version, "template": made.template, "new": is_new, **google},
            as_json=as_json,
        )


@design.command("list")
@click.argument("brand")
@click.argument("programme")
@json_option
def list_designs(brand: str, programme: str, as_json: bool) -> None:
    """Every version of PROGRAMME's design, and how many cards are of it."""
    with opened() as shell, shell.database.read() as tx:
        card = programmes.programme_by_slug(tx, brands.brand_by_slug(tx, brand).id, programme)
        found = designs.versions(tx, card.id)
    show_list(
        [
            {
                "version": v.version,
                "template": v.template,
                "created_at": v.created_at,
                "cards": v.cards,
                "withdrawn_at": v.withdrawn_at,
            }
            for v in found
        ],
        as_json=as_json,
        empty=f"{programme} has no design yet. Publish one: perkpass design publish --help",
    )


@design.command()
@click.argument("brand")
@click.argument("programme")
@click.option("--from", "source", type=int, required=True, help="the version that cards are of now")
@click.option("--to", "target", type=int, required=True, help="the version they shall be of, newer or older")
@click.option("--limit", type=click.IntRange(min=1), help="at most so many cards: to try it on a few first")
@json_option
def move(brand: str, programme: str, source: int, target: int, limit: int | None, as_json: bool) -> None:
    """Move cards from one version of the design to another; phones are told silently."""
    with opened() as shell:
        with shell.database.read() as tx:
            owner = brands.brand_by_slug(tx, brand)
            card = programmes.programme_by_slug(tx, owner.id, programme)
            versions = {v.version: v for v in designs.versions(tx, card.id)}
        for number in (source, target):
            if number not in versions:
                raise NotFound("no-such-design", f"{programme} has no design version {number}")
        moved = _move(shell, versions[source], versions[target], limit)
        with shell.database.write() as tx:
            audit.record(
                tx,
                at=shell.now,
                actor=shell.actor,
                brand_id=owner.id,
                action="design.moved",
                subject=f"programme {programme}",
                detail={"from": source, "to": target, "cards": moved},
            )
            google = at_google(shell, tx, card.id)
        show({"moved": moved, "from": source, "to": target, **google}, as_json=as_json)


def _move(
    shell: Shell, source: designs.DesignVersion, target: designs.DesignVersion, limit: int | None
) -> int:
    """One short transaction after the other, so that tills get their turn; pushes begin with the first."""
    from app import bootstrap

    wanted = source.cards if limit is None else min(limit, source.cards)
    moved, last, pace = 0, WalletPassId(0), issuing.pace()
    with (
        closing(bootstrap.make_wakeup(shell.settings)) as wakeup,
        tqdm(total=wanted, desc="move", unit="card", disable=None, leave=False) as bar,
    ):
        while limit is None or moved < limit:
            most = pace.size if limit is None else min(pace.size, limit - moved)
            with shell.database.write() as tx:
                began = time.monotonic()  # its turn has come
                done = issuing.move_design(
                    tx,
                    from_design_id=source.id,
                    to_design_id=target.id,
                    after=last,
                    limit=most,
                    now=now(),
                )
            held = time.monotonic() - began
            if not done:
                break
            pace.note(held)
            wakeup.ring()
            moved, last = moved + len(done), done[-1]
            bar.update(len(done))
            time.sleep(pace.rest)
    return moved
