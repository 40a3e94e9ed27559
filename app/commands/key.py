"""``perkpass key``: how tills sign in."""

from __future__ import annotations

from datetime import timedelta

import click

from app.accounts import brands, keys
from app.commands.answers import Record, json_option, show, show_list
from app.commands.shell import opened
from app.db.identifiers import PointOfSaleKeyId
from app.places import venues

_ONCE = "The secret is shown once: put it into the till now. Only its hash is kept."


@click.group()
def key() -> None:
    """Point-of-sale keys: how tills sign in."""


@key.command()
@click.argument("brand")
@click.argument("venue")
@click.argument("name")
@json_option
def create(brand: str, venue: str, name: str, as_json: bool) -> None:
    """Make the key NAME for the tills of VENUE; its secret is shown once."""
    with opened() as shell:
        with shell.database.write() as tx:
            brand_id = brands.brand_by_slug(tx, brand).id
            made, secret = keys.create_key(
                tx,
                brand_id=brand_id,
                venue_id=venues.venue_by_slug(tx, brand_id, venue).id,
                name=name,
                now=shell.now,
                actor=shell.actor,
            )
        _show_secret(made, secret, as_json=as_json)


@key.command("list")
@click.argument("brand")
@json_option
def list_keys(brand: str, as_json: bool) -> None:
    """Every key of BRAND, without the secrets."""
    with opened() as shell, shell.database.read() as tx:
        brand_id = brands.brand_by_slug(tx, brand).id
        slugs = {v.id: v.slug for v in venues.all_venues(tx, brand_id)}
        found = keys.keys_of_brand(tx, brand_id)
    show_list(
        [
            {
                "id": k.id,
                "venue": slugs[k.venue_id],
                "name": k.name,
                "works": k.works(shell.now),
                "created_at": k.created_at,
                "expires_at": k.expires_at,
                "last_used_at": k.last_used_at,
            }
            for k in found
        ],
        as_json=as_json,
        empty=f"{brand} has no key yet. Make one: perkpass key create {brand} --help",
    )


@key.command()
@click.argument("number", type=int)
@click.option(
    "--overlap-days",
    type=click.FloatRange(0, 90),
    default=7,
    show_default=True,
    help="how long the old key works on beside the new one",
)
@json_option
def rotate(number: int, overlap_days: float, as_json: bool) -> None:
    """Make the successor of key NUMBER; no till stands still meanwhile."""
    with opened() as shell:
        with shell.database.write() as tx:
            made, secret = keys.rotate_key(
                tx,
                PointOfSaleKeyId(number),
                overlap=timedelta(days=overlap_days),
                now=shell.now,
                actor=shell.actor,
            )
        _show_secret(made, secret, as_json=as_json)


@key.command()
@click.argument("number", type=int)
@json_option
def revoke(number: int, as_json: bool) -> None:
    """End key NUMBER at once."""
    with opened() as shell:
        with shell.database.write() as tx:
            ended = keys.revoke_key(tx, PointOfSaleKeyId(number), now=shell.now, actor=shell.actor)
        show(_whole(ended), as_json=as_json)


@key.command()
@click.argument("number", type=int)
@json_option
def restore(number: int, as_json: bool) -> None:
    """Take back that key NUMBER was revoked, within a quarter of an hour."""
    with opened() as shell:
        with shell.database.write() as tx:
            back = keys.restore_key(tx, PointOfSaleKeyId(number), now=shell.now, actor=shell.actor)
        show(_whole(back), as_json=as_json)


def _show_secret(made: keys.PointOfSaleKey, secret: str, *, as_json: bool) -> None:
    show({**_whole(made), "secret": secret}, as_json=as_json)
    click.echo(_ONCE, err=True)


def _whole(found: keys.PointOfSaleKey) -> Record:
    return {key_: getattr(found, key_) for key_ in keys.PointOfSaleKey.__dataclass_fields__}
