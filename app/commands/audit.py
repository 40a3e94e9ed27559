"""``perkpass audit``: who changed what, and when."""

from __future__ import annotations

import click

from app.accounts import audit as log
from app.accounts import brands
from app.commands.answers import json_option, show_list
from app.commands.shell import opened


@click.group()
def audit() -> None:
    """The audit log: who changed what, and when."""


@audit.command("list")
@click.option("--brand", help="slug: of this brand only")
@click.option("--limit", type=click.IntRange(1, 10_000), default=50, show_default=True, help="how many")
@click.option("--before", type=int, help="older than the entry of this number")
@json_option
def list_entries(brand: str | None, limit: int, before: int | None, as_json: bool) -> None:
    """The newest entries, newest first."""
    with opened() as shell, shell.database.read() as tx:
        brand_id = brands.brand_by_slug(tx, brand).id if brand else None
        slugs = {b.id: b.slug for b in brands.all_brands(tx)}
        found = log.entries(tx, brand_id=brand_id, before=before, limit=limit)
    show_list(
        [
            {
                "id": e.id,
                "at": e.at,
                "actor": e.actor,
                "brand": slugs[e.brand_id] if e.brand_id is not None else None,
                "action": e.action,
                "subject": e.subject,
                "detail": e.detail,
            }
            for e in found
        ],
        as_json=as_json,
        empty="The audit log is empty.",
    )
