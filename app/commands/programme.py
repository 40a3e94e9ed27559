"""``perkpass programme``: a brand's kinds of card and the rules they live by."""

from __future__ import annotations

import json
import tomllib
from pathlib import Path
from typing import Any

import click

from app.accounts import brands
from app.commands.answers import json_option, show, show_list
from app.commands.shell import opened
from app.errors import BadInput
from app.loyalty import presets, programmes, rules


@click.group()
def programme() -> None:
    """Programmes: a brand's kinds of card."""


@programme.command()
@click.argument("brand")
@click.argument("slug")
@click.option("--name", required=True, help="for your own lists; guests read the brand's texts")
@click.option("--kind", required=True, type=click.Choice(("bonus", "stamp", "tiered")))
@click.option(
    "--rules",
    "rules_file",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="in TOML or JSON, docs/chain.example.toml explains every key; the usual ones where not given",
)
@json_option
def create(
    brand: str, slug: str, name: str, kind: rules.Kind, rules_file: Path | None, as_json: bool
) -> None:
    """Add the programme SLUG to BRAND."""
    said = presets.PRESETS[kind] if rules_file is None else rules.from_json(kind, _read(rules_file))
    with opened() as shell:
        with shell.database.write() as tx:
            draft = programmes.ProgrammeDraft(
                brand_id=brands.brand_by_slug(tx, brand).id, slug=slug, name=name, rules=said
            )
            made = programmes.create_programme(tx, draft, now=shell.now, actor=shell.actor)
        show(
            {
                "id": made.id,
                "slug": made.slug,
                "kind": made.kind,
                "name": made.name,
                "rules": rules.to_json(made.rules),
            },
            as_json=as_json,
        )


@programme.command("list")
@click.argument("brand")
@json_option
def list_programmes(brand: str, as_json: bool) -> None:
    """Every programme of BRAND."""
    with opened() as shell, shell.database.read() as tx:
        found = programmes.programmes_of_brand(tx, brands.brand_by_slug(tx, brand).id)
    show_list(
        [{"id": p.id, "slug": p.slug, "kind": p.kind, "name": p.name} for p in found],
        as_json=as_json,
        empty=f"{brand} has no programme yet. Add one: perkpass programme create {brand} --help",
    )


def _read(path: Path) -> dict[str, Any]:
    try:
        text = path.read_text(encoding="utf-8")
        said = json.loads(text) if path.suffix == ".json" else tomllib.loads(text)
    except (UnicodeDecodeError, ValueError) as fault:
        raise BadInput("unreadable", f"{path}: {fault}", field="rules") from None
    if not isinstance(said, dict):
        raise BadInput("unreadable", f"{path}: must hold a table of rules", field="rules")
    return said
