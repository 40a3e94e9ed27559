"""``perkpass link``: what QR codes lead to."""

from __future__ import annotations

import click

from app.accounts import brands, staff
from app.commands.answers import Record, json_option, show, show_list
from app.commands.shell import opened
from app.db import Tx
from app.db.identifiers import BrandId
from app.loyalty import programmes
from app.places import links, placements, venues


@click.group()
def link() -> None:
    """Install links: what QR codes lead to."""


@link.command()
@click.argument("brand")
@click.argument("venue")
@click.option("--programme", required=True, help="slug of the programme that the guest joins")
@click.option("--placement", nargs=2, metavar="KIND NAME", help="like: --placement table 7")
@click.option("--staff", "staff_name", help="name of the staff member who invites")
@json_option
def create(
    brand: str,
    venue: str,
    programme: str,
    placement: tuple[str, str] | None,
    staff_name: str | None,
    as_json: bool,
) -> None:
    """Make a link for VENUE of BRAND, or for a placement or a staff member there; prints its address."""
    with opened() as shell:
        with shell.database.write() as tx:
            brand_id = brands.brand_by_slug(tx, brand).id
            place = venues.venue_by_slug(tx, brand_id, venue)
            made = links.create_link(
                tx,
                programme_id=programmes.programme_by_slug(tx, brand_id, programme).id,
                venue_id=place.id,
                placement_id=placements.find(tx, place.id, *placement).id if placement else None,
                staff_member_id=(
                    staff.staff_member_by_name(tx, brand_id, staff_name).id if staff_name else None
                ),
                now=shell.now,
                actor=shell.actor,
            )
            record = records(tx, brand_id, [made], public_url=shell.settings.public_url)[0]
        show(record, as_json=as_json)


@link.command("list")
@click.argument("brand", required=False)
@json_option
def list_links(brand: str | None, as_json: bool) -> None:
    """Every install link with its address, retired ones too; of BRAND only where it is given."""
    with opened() as shell, shell.database.read() as tx:
        chosen = [brands.brand_by_slug(tx, brand)] if brand else brands.all_brands(tx)
        described = [
            {"brand": one.slug, **record}
            for one in chosen
            for record in records(
                tx, one.id, links.links_of_brand(tx, one.id), public_url=shell.settings.public_url
            )
        ]
    show_list(
        described,
        as_json=as_json,
        empty="There is no install link yet. Make one: perkpass link create --help",
    )


@link.command()
@click.argument("code")
@json_option
def retire(code: str, as_json: bool) -> None:
    """End the link with this CODE; its page then tells guests where to ask."""
    with opened() as shell:
        with shell.database.write() as tx:
            found = links.link_by_code(tx, code)
            ended = links.retire_link(tx, found.id, now=shell.now, actor=shell.actor)
            record = records(tx, ended.brand_id, [ended], public_url=shell.settings.public_url)[0]
        show(record, as_json=as_json)


@link.command()
@click.argument("code")
@json_option
def restore(code: str, as_json: bool) -> None:
    """Take back that the link with this CODE was retired."""
    with opened() as shell:
        with shell.database.write() as tx:
            found = links.link_by_code(tx, code)
            back = links.restore_link(tx, found.id, now=shell.now, actor=shell.actor)
            record = records(tx, back.brand_id, [back], public_url=shell.settings.public_url)[0]
        show(record, as_json=as_json)


def records(tx: Tx, brand_id: BrandId, found: list[links.InstallLink], *, public_url: str) -> list[Record]:
    """The links of one brand with the names of what they belong to."""
    venue_slugs = {v.id: v.slug for v in venues.all_venues(tx, brand_id)}
    programme_slugs = {p.id: p.slug for p in programmes.programmes_of_brand(tx, brand_id)}
    places = {p.id: f"{p.kind} {p.name}" for p in placements.placements_of_brand(tx, brand_id)}
    people = {p.id: p.name for p in staff.staff_of_brand(tx, brand_id)}
    return [
        {
            "code": made.code,
            "url": f"{public_url.rstrip('/')}/i/{made.code}",
            "programme": programme_slugs[made.programme_id],
            "venue": venue_slugs[made.venue_id],
            "placement": places[made.placement_id] if made.placement_id is not None else None,
            "staff_member": people[made.staff_member_id] if made.staff_member_id is not None else None,
            "retired_at": made.retired_at,
        }
        for made in found
    ]
