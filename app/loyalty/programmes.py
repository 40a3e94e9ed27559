"""Programmes: a brand's one kind of card each, with the rules by which it lives."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from app.accounts import audit, checks
from app.db import Tx
from app.db.identifiers import BrandId, ProgrammeId
from app.errors import Conflict, NotFound
from app.loyalty import rules as rulebook
from app.loyalty import store_programmes as store
from app.loyalty.rules import Kind, Rules


@dataclass(frozen=True, slots=True, kw_only=True)
class ProgrammeDraft:
    """What a person says about a programme; the kind follows from the rules."""

    brand_id: BrandId
    slug: str
    name: str
    rules: Rules


@dataclass(frozen=True, slots=True, kw_only=True)
class Programme:
    """A programme as it is kept."""

    id: ProgrammeId
    brand_id: BrandId
    slug: str
    kind: Kind
    name: str
    rules: Rules
    created_at: datetime


def create_programme(tx: Tx, draft: ProgrammeDraft, *, now: datetime, actor: str) -> Programme:
    """Add a programme; raises BadInput (a line for every fault), Conflict where the slug is taken."""
    rules = rulebook.checked(draft.rules)
    slug, name = checks.slug(draft.slug), checks.name(draft.name)
    kind = rulebook.kind_of(rules)
    row_id = store.insert_programme(
        tx,
        brand_id=draft.brand_id,
        slug=slug,
        kind=kind,
        name=name,
        rules=rulebook.to_json(rules),
        now=now,
    )
    if row_id is None:
        raise Conflict("slug-taken", f"The brand has a programme {slug!r} already: choose another slug")
    audit.record(
        tx,
        at=now,
        actor=actor,
        brand_id=draft.brand_id,
        action="programme.created",
        subject=slug,
        detail={"kind": kind},
    )
    return programme(tx, ProgrammeId(row_id))


def update_programme(
    tx: Tx, programme_id: ProgrammeId, *, name: str, rules: Rules, now: datetime, actor: str
) -> Programme:
    """Change the name and the rules from the next receipt on; equal ones change nothing.

    The kind stays: what guests have gathered means nothing under another.
    Raises BadInput, Conflict, NotFound.
    """
    before = programme(tx, programme_id)
    rules, name = rulebook.checked(rules), checks.name(name)
    if rulebook.kind_of(rules) != before.kind:
        raise Conflict(
            "kind-fixed", f"Programme {before.slug!r} stays {before.kind}: make another one for another kind"
        )
    changed = [key for key, value in (("name", name), ("rules", rules)) if value != getattr(before, key)]
    if not changed:
        return before
    store.update_programme(tx, programme_id, name=name, rules=rulebook.to_json(rules))
    audit.record(
        tx,
        at=now,
        actor=actor,
        brand_id=before.brand_id,
        action="programme.changed",
        subject=before.slug,
        detail={"changed": changed},
    )
    return programme(tx, programme_id)


def programme(tx: Tx, programme_id: ProgrammeId) -> Programme:
    """The programme; raises NotFound."""
    if row := store.programme(tx, programme_id):
        return _programme(row)
    raise NotFound("no-such-programme", f"There is no programme number {programme_id}")


def programme_by_slug(tx: Tx, brand_id: BrandId, slug: str) -> Programme:
    """The brand's programme called so; raises NotFound."""
    if row := store.programme_by_slug(tx, brand_id, slug):
        return _programme(row)
    raise NotFound("no-such-programme", f"The brand has no programme {slug!r}")


def programmes_of_brand(tx: Tx, brand_id: BrandId) -> list[Programme]:
    """All of a brand, oldest first."""
    return [_programme(row) for row in store.programmes_of_brand(tx, brand_id)]


def _programme(row: store.ProgrammeRow) -> Programme:
    rules = rulebook.from_json(row.kind, row.rules)
    return Programme(
        id=ProgrammeId(row.id),
        brand_id=BrandId(row.brand_id),
        slug=row.slug,
        kind=rulebook.kind_of(rules),
        name=row.name,
        rules=rules,
        created_at=row.created_at,
    )
