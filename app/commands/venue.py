"""``perkpass venue`` and ``perkpass placement``: where guests come, and where QR codes hang."""

from __future__ import annotations

import click

from app.accounts import brands
from app.commands.answers import Record, json_option, show, show_list
from app.commands.shell import opened
from app.loyalty import programmes
from app.places import endings, placements, placing, venues


@click.group()
def venue() -> None:
    """Venues of a brand."""


@venue.command("create")
@click.argument("brand")
@click.argument("slug")
@click.option("--name", required=True, help="as guests know it")
@click.option("--address", required=True, help="street and house, as on a map")
@click.option("--latitude", type=float, help="WGS 84 degrees; with --longitude")
@click.option("--longitude", type=float, help="WGS 84 degrees; with --latitude")
@click.option("--time-zone", help="IANA name; the brand's where not given")
@click.option("--relevant-text-ru", help="what the lock screen says near the venue, in Russian")
@click.option("--relevant-text-en", help="what the lock screen says near the venue, in English")
@json_option
def create_venue(
    brand: str,
    slug: str,
    name: str,
    address: str,
    latitude: float | None,
    longitude: float | None,
    time_zone: str | None,
    relevant_text_ru: str | None,
    relevant_text_en: str | None,
    as_json: bool,
) -> None:
    """Add the venue SLUG to BRAND."""
    with opened() as shell:
        with shell.database.write() as tx:
            draft = venues.VenueDraft(
                brand_id=brands.brand_by_slug(tx, brand).id,
                slug=slug,
                name=name,
                address=address,
                latitude=latitude,
                longitude=longitude,
                time_zone=time_zone,
                relevant_text_ru=relevant_text_ru,
                relevant_text_en=relevant_text_en,
            )
            made = venues.create_venue(tx, draft, now=shell.now, actor=shell.actor)
        show(_whole_venue(made), as_json=as_json)


@venue.command("list")
@click.argument("brand")
@json_option
def list_venues(brand: str, as_json: bool) -> None:
    """Every venue of BRAND, closed ones too."""
    with opened() as shell, shell.database.read() as tx:
        found = venues.all_venues(tx, brands.brand_by_slug(tx, brand).id)
    kept = ("slug", "name", "address", "latitude", "longitude", "time_zone", "closed_at")
    show_list(
        [{key: getattr(v, key) for key in kept} for v in found],
        as_json=as_json,
        empty=f"{brand} has no venue yet. Add one: perkpass venue create {brand} --help",
    )


@venue.command("close")
@click.argument("brand")
@click.argument("slug")
@json_option
def close_venue(brand: str, slug: str, as_json: bool) -> None:
    """Close the venue SLUG of BRAND for good: its install links and keys end with it, its history stays."""
    with opened() as shell:
        with shell.database.write() as tx:
            found = venues.venue_by_slug(tx, brands.brand_by_slug(tx, brand).id, slug)
            closed = endings.close_venue(tx, found.id, now=shell.now, actor=shell.actor)
        show(
            {
                **_whole_venue(closed.venue),
                "retired_links": [ended.code for ended in closed.links],
                "ended_keys": [{"id": ended.id, "name": ended.name} for ended in closed.keys],
            },
            as_json=as_json,
        )


@venue.command("reopen")
@click.argument("brand")
@click.argument("slug")
@json_option
def reopen_venue(brand: str, slug: str, as_json: bool) -> None:
    """Take back that the venue SLUG of BRAND was closed; links that ended with it live again.

    Its keys come back within a quarter of an hour only.
    """
    with opened() as shell:
        with shell.database.write() as tx:
            found = venues.venue_by_slug(tx, brands.brand_by_slug(tx, brand).id, slug)
            again = endings.reopen_venue(tx, found.id, now=shell.now, actor=shell.actor)
        show(_whole_venue(again), as_json=as_json)


@click.group()
def placement() -> None:
    """Placements: where in a venue a QR code hangs or lies."""


@placement.command("create")
@click.argument("brand")
@click.argument("venue")
@click.argument("kind", type=click.Choice(placements.KINDS))
@click.argument("name")
@json_option
def create_placement(brand: str, venue: str, kind: str, name: str, as_json: bool) -> None:
    """Add the placement KIND NAME (like: table 7) to VENUE of BRAND."""
    with opened() as shell:
        with shell.database.write() as tx:
            place = venues.venue_by_slug(tx, brands.brand_by_slug(tx, brand).id, venue)
            made = placements.create_placement(
                tx, venue_id=place.id, kind=kind, name=name, now=shell.now, actor=shell.actor
            )
        show({"id": made.id, "venue": venue, "kind": made.kind, "name": made.name}, as_json=as_json)


@placement.command("lay")
@click.argument("brand")
@click.argument("venue")
@click.argument("kind", type=click.Choice(placements.KINDS))
@click.argument("names")
@click.option("--programme", required=True, help="slug of the programme that guests join")
@json_option
def lay_placements(brand: str, venue: str, kind: str, names: str, programme: str, as_json: bool) -> None:
    """Let VENUE of BRAND have the placements KIND NAMES (like: table 1-20), each with a link of its own.

    What is there already stays as it is.
    """
    wanted = placing.names(names)
    with opened() as shell:
        with shell.database.write() as tx:
            brand_id = brands.brand_by_slug(tx, brand).id
            placed = placing.place(
                tx,
                venue_id=venues.venue_by_slug(tx, brand_id, venue).id,
                programme_id=programmes.programme_by_slug(tx, brand_id, programme).id,
                kind=kind,
                names=wanted,
                now=shell.now,
                actor=shell.actor,
            )
        prefix = f"{shell.settings.public_url.rstrip('/')}/i/"
        show_list(
            [
                {"kind": kind, "name": name, "url": prefix + link.code}
                for name, link in zip(wanted, placed.links, strict=True)
            ],
            as_json=as_json,
            empty="",
        )


@placement.command("list")
@click.argument("brand")
@json_option
def list_placements(brand: str, as_json: bool) -> None:
    """Every placement of BRAND."""
    with opened() as shell, shell.database.read() as tx:
        brand_id = brands.brand_by_slug(tx, brand).id
        slugs = {v.id: v.slug for v in venues.all_venues(tx, brand_id)}
        found = placements.placements_of_brand(tx, brand_id)
    show_list(
        [{"id": p.id, "venue": slugs[p.venue_id], "kind": p.kind, "name": p.name} for p in found],
        as_json=as_json,
        empty=f"{brand} has no placement yet. Add one: perkpass placement create {brand} --help",
    )


def _whole_venue(found: venues.Venue) -> Record:
    return {key: getattr(found, key) for key in venues.Venue.__dataclass_fields__}
