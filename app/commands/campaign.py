"""``perkpass campaign``: what was written in the console, sent and stopped from a shell."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import click

from app.accounts import brands
from app.campaigns import lifecycle, store_campaigns
from app.campaigns.store_campaigns import Campaign
from app.commands.answers import json_option, show, show_list
from app.commands.shell import opened
from app.db.identifiers import CampaignId
from app.reports import campaign_progress

_MOST = 100


@click.group()
def campaign() -> None:
    """Campaigns: where they stand, sent and stopped."""


@campaign.command("list")
@click.argument("brand")
@json_option
def list_campaigns(brand: str, as_json: bool) -> None:
    """The newest campaigns of BRAND."""
    with opened() as shell, shell.database.read() as tx:
        found = store_campaigns.of_brand(tx, brands.brand_by_slug(tx, brand).id, limit=_MOST)
    show_list([_record(one) for one in found], as_json=as_json, empty="There are no campaigns.")


@campaign.command("show")
@click.argument("brand")
@click.argument("number", type=int)
@json_option
def show_campaign(brand: str, number: int, as_json: bool) -> None:
    """Campaign NUMBER, and what became of its guests."""
    with opened() as shell, shell.database.read() as tx:
        found = lifecycle.show(tx, brands.brand_by_slug(tx, brand).id, CampaignId(number))
        groups = campaign_progress.progress(tx, found.id)
    guests = {f"{one.state}: {one.because}" if one.because else one.state: one.guests for one in groups}
    record = _record(found) | {"stopped_because": found.stopped_because}
    show(
        {**record, "guests": guests, "plan": found.plan.to_json()} if as_json else {**record, **guests},
        as_json=as_json,
    )


def _deed(name: str, do: Callable[..., None], said: str) -> None:
    @campaign.command(name, help=said)
    @click.argument("brand")
    @click.argument("number", type=int)
    def deed(brand: str, number: int) -> None:
        with opened() as shell, shell.database.write() as tx:
            brand_id = brands.brand_by_slug(tx, brand).id
            do(tx, brand_id, CampaignId(number), now=shell.now, actor=shell.actor)
            found = lifecycle.show(tx, brand_id, CampaignId(number))
        click.echo(f"{found.name}: {found.state}")


_deed("send", lifecycle.begin, "Send campaign NUMBER of BRAND now.")
_deed("pause", lifecycle.pause, "Tell nobody more until it is resumed.")
_deed("resume", lifecycle.resume, "Go on, also with one that its first guests stopped.")
_deed("cancel", lifecycle.cancel, "Tell nobody more, for good.")


def _record(one: Campaign) -> dict[str, Any]:
    return {
        "number": one.id,
        "name": one.name,
        "kind": one.kind,
        "state": one.state,
        "starts_at": one.starts_at,
        "texts": one.texts,
    }
