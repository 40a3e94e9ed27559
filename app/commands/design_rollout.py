"""``perkpass design rollout``: a new design reaches 1 % of the cards, 10 %, all; or none again."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import datetime
from typing import Protocol

import click

from app.commands.answers import Record, json_option, show
from app.commands.design_draft import programme_of, ring
from app.commands.design_google import at_google
from app.commands.shell import opened
from app.db import Database, Tx
from app.db.identifiers import BrandId, ProgrammeId
from app.errors import NotFound
from app.passes import drafts, rollouts

_LOOK_AGAIN = 0.5
"""Seconds."""


class _Verb(Protocol):
    def __call__(
        self, tx: Tx, programme_id: ProgrammeId, *, brand_id: BrandId, now: datetime, actor: str
    ) -> rollouts.Rollout: ...


@click.group()
def rollout() -> None:
    """Roll the newest design out in stages; the worker moves the cards, phones are told silently."""


@rollout.command()
@click.argument("brand")
@click.argument("programme")
@click.option("--version", type=int, help="which one; without it the newest")
@json_option
def start(brand: str, programme: str, version: int | None, as_json: bool) -> None:
    """Begin with 1 % of the cards of every older version."""

    def begin(
        tx: Tx, programme_id: ProgrammeId, *, brand_id: BrandId, now: datetime, actor: str
    ) -> rollouts.Rollout:
        known = {each.version: each.id for each in drafts.history(tx, programme_id)}
        if version is not None and version not in known:
            raise NotFound("no-such-design", f"{programme} has no design version {version}")
        target = known[version] if version is not None else None
        return rollouts.start(tx, programme_id, target, brand_id=brand_id, now=now, actor=actor)

    _do(brand, programme, begin, as_json=as_json)


@rollout.command("go-on")
@click.argument("brand")
@click.argument("programme")
@json_option
def go_on(brand: str, programme: str, as_json: bool) -> None:
    """Take the next stage, or go on where it was stopped."""
    _do(brand, programme, rollouts.go_on, as_json=as_json)


@rollout.command()
@click.argument("brand")
@click.argument("programme")
@json_option
def stop(brand: str, programme: str, as_json: bool) -> None:
    """Move no more cards; those that were moved stay so."""
    _do(brand, programme, rollouts.stop, as_json=as_json)


@rollout.command()
@click.argument("brand")
@click.argument("programme")
@json_option
def back(brand: str, programme: str, as_json: bool) -> None:
    """Return every card to the version before; new cards are made with that again."""
    _do(brand, programme, rollouts.back, as_json=as_json)


@rollout.command()
@click.argument("brand")
@click.argument("programme")
@click.option("--wait", is_flag=True, help="until the worker has moved the cards of this stage")
@json_option
def state(brand: str, programme: str, wait: bool, as_json: bool) -> None:
    """How far it is, and what there is to do next."""
    with opened() as shell:
        with shell.database.read() as tx:
            programme_id = programme_of(tx, brand, programme).id
        while wait and _is_moving(shell.database, programme_id):
            time.sleep(_LOOK_AGAIN)
        with shell.database.read() as tx:
            described = {**_described(tx, programme_id), **at_google(shell, tx, programme_id)}
    show(described, as_json=as_json)


def _is_moving(database: Database, programme_id: ProgrammeId) -> bool:
    with database.read() as tx:
        return rollouts.is_moving(tx, programme_id)


def _do(brand: str, programme: str, verb: _Verb | Callable[..., rollouts.Rollout], *, as_json: bool) -> None:
    with opened() as shell:
        with shell.database.write() as tx:
            card = programme_of(tx, brand, programme)
            verb(tx, card.id, brand_id=card.brand_id, now=shell.now, actor=shell.actor)
            described = {**_described(tx, card.id), **at_google(shell, tx, card.id)}
        ring(shell)
    show(described, as_json=as_json)


def _described(tx: Tx, programme_id: ProgrammeId) -> Record:
    found = rollouts.state(tx, programme_id)
    if found is None:
        raise NotFound("no-rollout", "Nothing of this programme is being rolled out.")
    numbers = {each.id: each.version for each in drafts.history(tx, programme_id)}
    return {
        "state": found.rollout.state,
        "percent": found.percent,
        "version": numbers[found.rollout.target_design_id],
        "before": numbers[found.rollout.source_design_id],
        "cards": found.on_target,
        "cards_of_older_versions": found.elsewhere,
        "since": found.rollout.updated_at,
        "next": [verb.replace("_", "-") for verb in rollouts.offered(tx, programme_id)],
    }
