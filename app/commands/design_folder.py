"""``perkpass design export`` and ``import``: a design as the folder or the archive that it is made from."""

from __future__ import annotations

from pathlib import Path

import click

from app.commands.answers import json_option, show, warn
from app.commands.design_draft import follow, programme_of
from app.commands.shell import opened
from app.errors import Conflict, NotFound
from app.passes import designs, drafts, template_folders


@click.command("export")
@click.argument("brand")
@click.argument("programme")
@click.argument("target", type=click.Path(path_type=Path))
@click.option("--version", type=int, help="a published version; without it the draft, else the newest")
@json_option
def export_design(brand: str, programme: str, target: Path, version: int | None, as_json: bool) -> None:
    """Write PROGRAMME's design to TARGET: a new folder, or an archive where TARGET ends in .zip.

    It is what pass_templates/ holds: change it, check it (`perkpass template check`), bring it back.
    """
    with opened() as shell, shell.database.read() as tx:
        card = programme_of(tx, brand, programme)
        draft = drafts.open_draft(tx, card.id) if version is None else None
        known = {each.version: each.id for each in drafts.history(tx, card.id)}
        number = version if version is not None else max(known, default=0)
        if draft is None and number not in known:
            raise NotFound("no-such-design", f"{programme} has no design version {number or 'yet'}")
        template = draft.template if draft else designs.source(tx, known[number])
    if target.suffix == ".zip":
        if target.exists():
            raise Conflict("file-there-already", f"{target} is there already: name a new file.")
        target.write_bytes(template_folders.to_zip(template))
    else:
        template_folders.to_folder(template, target)
    show(
        {"written": str(target), "of": "draft" if draft else f"version {number}"},
        as_json=as_json,
    )


@click.command("import")
@click.argument("brand")
@click.argument("programme")
@click.argument("source", type=click.Path(exists=True, path_type=Path))
@json_option
def import_design(brand: str, programme: str, source: Path, as_json: bool) -> None:
    """Make PROGRAMME's draft what SOURCE holds: a template's folder, or a .zip of one."""
    brought = (
        template_folders.from_folder(source)
        if source.is_dir()
        else template_folders.from_zip(source.read_bytes(), source.name)
    )
    with opened() as shell:
        with shell.database.write() as tx:
            card = programme_of(tx, brand, programme)
            found = drafts.open_draft(tx, card.id)
            if found is None:
                made = drafts.start(
                    tx,
                    card.id,
                    brought.template,
                    brand_id=card.brand_id,
                    now=shell.now,
                    actor=shell.actor,
                )
            else:
                made = drafts.save(
                    tx,
                    found.id,
                    brought.template,
                    expected_updated_at=found.updated_at,
                    now=shell.now,
                    actor=shell.actor,
                )
        follow(shell, brand, programme)
        for finding in brought.findings:
            warn(str(finding))
        show(
            {"draft": made.id, "revision": made.revision, "template": made.template.name},
            as_json=as_json,
        )
