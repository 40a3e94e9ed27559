"""``perkpass staff``: who invites guests."""

from __future__ import annotations

import click

from app.accounts import brands
from app.accounts import staff as people
from app.commands.answers import json_option, show, show_list
from app.commands.shell import opened
from app.places import endings, venues


@click.group()
def staff() -> None:
    """Staff members of a brand."""


@staff.command()
@click.argument("brand")
@click.argument("name")
@click.option("--venue", help="where they work; without it, everywhere")
@json_option
def create(brand: str, name: str, venue: str | None, as_json: bool) -> None:
    """Add the staff member NAME to BRAND."""
    with opened() as shell:
        with shell.database.write() as tx:
            brand_id = brands.brand_by_slug(tx, brand).id
            venue_id = venues.venue_by_slug(tx, brand_id, venue).id if venue else None
            made = people.create_staff_member(
                tx, brand_id=brand_id, venue_id=venue_id, name=name, now=shell.now, actor=shell.actor
            )
        show({"id": made.id, "name": made.name, "venue": venue}, as_json=as_json)


@staff.command()
@click.argument("brand")
@click.argument("name")
@json_option
def leave(brand: str, name: str, as_json: bool) -> None:
    """Note that NAME has left BRAND; their install links are retired with that."""
    with opened() as shell:
        with shell.database.write() as tx:
            found = people.staff_member_by_name(tx, brands.brand_by_slug(tx, brand).id, name)
            left = endings.end_employment(tx, found.id, now=shell.now, actor=shell.actor)
        member = left.staff_member
        show(
            {
                "id": member.id,
                "name": member.name,
                "left_at": member.left_at,
                "retired_links": [ended.code for ended in left.links],
            },
            as_json=as_json,
        )


@staff.command("list")
@click.argument("brand")
@json_option
def list_staff(brand: str, as_json: bool) -> None:
    """Every staff member of BRAND."""
    with opened() as shell, shell.database.read() as tx:
        brand_id = brands.brand_by_slug(tx, brand).id
        slugs = {v.id: v.slug for v in venues.all_venues(tx, brand_id)}
        found = people.staff_of_brand(tx, brand_id)
    show_list(
        [
            {
                "id": p.id,
                "name": p.name,
                "venue": slugs[p.venue_id] if p.venue_id is not None else None,
                "left_at": p.left_at,
            }
            for p in found
        ],
        as_json=as_json,
        empty=f"{brand} has no staff member yet. Add one: perkpass staff create {brand} --help",
    )
