"""``perkpass audience``: who can be spoken to."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import fields
from pathlib import Path
from typing import Any, get_args

import click

from app.accounts import brands, staff
from app.campaigns import audiences
from app.campaigns.audience import (
    PRESETS,
    Activity,
    Audience,
    Check,
    Language,
    PhoneNumber,
    PlacementKind,
    Wallet,
)
from app.commands.answers import json_option, show, show_list
from app.commands.shell import opened
from app.db import Tx
from app.db.identifiers import BrandId
from app.errors import BadInput
from app.loyalty import habits, programmes
from app.places import links, venues

_Command = Callable[..., Any]
_SCORES = click.IntRange(1, 5)


def _several(flag: str, name: str, type_: Any, said: str) -> Callable[[_Command], _Command]:
    return click.option(flag, name, type=type_, multiple=True, help=said)


def _one_of(values: Any) -> click.Choice[str]:
    return click.Choice(get_args(values))


@click.group()
def audience() -> None:
    """Audiences: who can be spoken to."""


@audience.command("presets")
@json_option
def list_presets(as_json: bool) -> None:
    """What can be asked for by name; each is the filters that it stands for."""
    show_list(
        [{"preset": name, "filters": one.to_json()} for name, one in PRESETS.items()],
        as_json=as_json,
        empty="",
    )


@audience.command()
@click.argument("brand")
@click.option("--preset", type=click.Choice(list(PRESETS)), default="everybody", help="to begin with")
@click.option(
    "--filters", "file", type=click.Path(exists=True, dir_okay=False, path_type=Path), help="a file of JSON"
)
@_several("--activity", "activity", _one_of(Activity), "by visits: any of those given, as with every filter")
@click.option("--activity-days", type=int, help="in which regular and constant are counted; else 30")
@click.option("--asleep-days", type=int, help="without a visit; else 30")
@_several("--check", "check", _one_of(Check), "a third of average checks")
@click.option("--check-from", type=int, help="average check from, minor units")
@click.option("--check-to", type=int, help="average check up to, minor units")
@_several("--recency", "recency", _SCORES, "score, 5 is the latest visit")
@_several("--frequency", "frequency", _SCORES, "score, 5 is the most visits")
@_several("--monetary", "monetary", _SCORES, "score, 5 spent most")
@_several("--programme", "programmes", str, "slug")
@_several("--tier", "tiers", str, "key")
@_several("--home", "home_venues", str, "slug of the venue where the card was made")
@_several("--placement", "placements", _one_of(PlacementKind), "on what the code was that led to the card")
@_several("--staff", "staff", str, "name of who invited")
@_several("--link", "links", str, "code of the install link")
@_several("--visited", "visited", str, "slug of a venue where they bought lately")
@click.option("--visited-days", type=int, help="what is lately; else 30")
@click.option("--birthday", "birthday_days", type=int, help="today or within so many days")
@_several("--language", "languages", _one_of(Language), "of the card")
@_several("--wallet", "wallet", _one_of(Wallet), "where the card is")
@click.option("--silent-days", type=int, help="in which no phone asked; else 30")
@_several("--phone", "phone", _one_of(PhoneNumber), "what is known of the number")
@click.option("--consent", is_flag=True, default=None, help="only who agreed to advertising")
@json_option
def count(brand: str, preset: str, file: Path | None, as_json: bool, **given: Any) -> None:
    """How many guests of BRAND pass every filter that is given, and how they can be reached."""
    with opened() as shell:
        with shell.database.read() as tx:
            brand_id = brands.brand_by_slug(tx, brand).id
            asked = {name: value for name, value in given.items() if value not in (None, ())}
            wanted = Audience.from_json(
                {**PRESETS[preset].to_json(), **_read(file), **_numbered(tx, brand_id, asked)}
            )
            found = audiences.count(tx, brand_id, wanted, shell.now)
        numbers = {one.name: getattr(found, one.name) for one in fields(found)}
        show({**numbers, "filters": wanted.to_json()} if as_json else numbers, as_json=as_json)


@audience.command()
def recount() -> None:
    """Count every guest's habits anew from their receipts, and mend what differs.

    For after somebody wrote into the database, or a venue got another time zone. Tills go on meanwhile.
    """
    wrong, after, more = 0, None, True
    with opened() as shell:
        while more:
            with shell.database.write() as tx:
                part = habits.mend(tx, after=after)
            wrong, after, more = wrong + part.wrong, part.after, part.after is not None
    click.echo(f"Mended the habits of {wrong} guests." if wrong else "Every habit is what the receipts say.")


def _read(file: Path | None) -> dict[str, Any]:
    if file is None:
        return {}
    try:
        value = json.loads(file.read_text(encoding="utf-8"))
    except ValueError:
        raise BadInput("bad-audience", f"{file} is not JSON.", field="filters") from None
    return Audience.from_json(value).to_json()


def _numbered(tx: Tx, brand_id: BrandId, asked: dict[str, Any]) -> dict[str, Any]:
    """Names as ids; raises NotFound for what the brand has not, BadInput for another brand's link."""
    finders: dict[str, Any] = {
        "programmes": lambda slug: programmes.programme_by_slug(tx, brand_id, slug).id,
        "home_venues": lambda slug: venues.venue_by_slug(tx, brand_id, slug).id,
        "visited": lambda slug: venues.venue_by_slug(tx, brand_id, slug).id,
        "staff": lambda name: staff.staff_member_by_name(tx, brand_id, name).id,
        "links": lambda code: _link(tx, brand_id, code),
    }
    return {
        name: [finders[name](one) for one in value] if name in finders else value
        for name, value in asked.items()
    }


def _link(tx: Tx, brand_id: BrandId, code: str) -> int:
    found = links.link_by_code(tx, code)
    if found.brand_id != brand_id:
        raise BadInput("another-brand", f"{code} is a link of another brand.", field="links")
    return found.id
