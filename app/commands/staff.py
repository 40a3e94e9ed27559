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
@click.option("--target", type=int, help="their plan: cards a month")
@json_option
def create(brand: str, name: str, venue: str | None, target: int | None, as_json: bool) -> None:
    """Add the staff member NAME to BRAND."""
    with opened() as shell:
        with shell.database.write() as tx:
            brand_id = brands.brand_by_slug(tx, brand).id
            venue_id = venues.venue_by_slug(tx, brand_id, venue).id if venue else None
            made = people.create_staff_member(
                tx,
                brand_id=brand_id,
                venue_id=venue_id,
                name=name,
                monthly_target=target,
                now=shell.now,
                actor=shell.actor,
            )
        show(
            {"id": made.id, "name": made.name, "venue": venue, "monthly_target": made.monthly_target},
            as_json=as_json,
        )


@staff.command()
@click.argument("brand")
@click.argument("name")
@click.argument("target", type=int, required=False)
@json_option
def plan(brand: str, name: str, target: int | None, as_json: bool) -> None:
    """Let the plan of NAME be TARGET cards a month; without TARGET there is none."""
    with opened() as shell:
        with shell.database.write() as tx:
            found = people.staff_member_by_name(tx, brands.brand_by_slug(tx, brand).id, name)
            planned = people.plan(tx, found.id, monthly_target=target, now=shell.now, actor=shell.actor)
        show(
            {"id": planned.id, "name": planned.name, "monthly_target": planned.monthly_target},
            as_json=as_json,
        )


@staff.command("back")
@click.argument("brand")
@click.argument("name")
@json_option
def come_back(brand: str, name: str, as_json: bool) -> None:
    """Take back that NAME has left BRAND; the links that were retired with that live again."""
    with opened() as shell:
        with shell.database.write() as tx:
            found = people.staff_member_by_name(tx, brands.brand_by_slug(tx, brand).id, name)
            member = endings.resume_employment(tx, found.id, now=shell.now, actor=shell.actor)
        show({"id": member.id, "name": member.name, "left_at": member.left_at}, as_json=as_json)


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
                "monthly_target": p.monthly_target,
                "left_at": p.left_at,
            }
            for p in found
        ],
        as_json=as_json,
        empty=f"{brand} has no staff member yet. Add one: perkpass staff create {brand} --help",
    )
