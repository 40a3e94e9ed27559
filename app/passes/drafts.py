"""Drafts: a programme's next design while it is worked on, saved step by step, undone, published.

A draft is the same data as a template's folder (:class:`app.passes.template.Template`): what the editor
changes, what is exported and what is imported are one thing. A change is a template made from the present
one (:mod:`app.passes.edits`); :func:`save` stores it as the next revision.

Everything here is of one programme, whose id the caller has already checked against the brand that asks.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from app.accounts import audit
from app.db import Tx
from app.db.identifiers import BrandId, DesignId, DraftId, ProgrammeId
from app.errors import Conflict, NotFound
from app.passes import designs, draft_steps, store_designs, store_drafts
from app.passes.assembly import Assembled, assemble
from app.passes.designs import DesignDraft, DesignVersion
from app.passes.draft_limits import refuse_unstorable
from app.passes.findings import Finding
from app.passes.layout import BrandValues, Design
from app.passes.linter import lint_layout
from app.passes.store_drafts import DraftRow, Ending, Revision
from app.passes.template import Template

__all__ = [
    "Draft",
    "Revision",
    "assembled",
    "check",
    "discard",
    "draft",
    "history",
    "open_draft",
    "preview",
    "publish",
    "purge",
    "ready",
    "reopen",
    "restore",
    "revisions",
    "save",
    "start",
]

KEPT_REVISIONS = 30
"""Steps that can be undone."""
KEPT = timedelta(days=30)
"""How long a draft is kept after it was published or discarded."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """What is worked on."""

    id: DraftId
    programme_id: ProgrammeId
    template: Template  # all of it: layout, Google's, words, own texts, images
    base_design_id: DesignId | None  # the version that it was begun from
    revision: int  # counts what was saved
    updated_at: datetime
    updated_by: str
    ending: Ending | None  # None: it is open

    @property
    def files(self) -> Mapping[str, bytes]:
        """The images by their path."""
        return self.template.files


def start(
    tx: Tx,
    programme_id: ProgrammeId,
    template: Template,
    *,
    base_design_id: DesignId | None = None,
    brand_id: BrandId,
    now: datetime,
    actor: str,
) -> Draft:
    """Begin a draft from a template's folder, an import, or a version (:func:`app.passes.designs.source`).

    Raises :class:`Conflict` where the programme has an open draft, :class:`BadInput` for too many images.
    """
    refuse_unstorable(template)
    draft_id = store_drafts.add(tx, programme_id, base_design_id, now=now)
    if draft_id is None:
        raise Conflict(
            "draft-there-already", "This programme has a draft already: go on with it, or discard it first."
        )
    _write(tx, draft_id, 1, template, actor=actor, now=now)
    _record(tx, "design.drafted", draft_id, brand_id=brand_id, now=now, actor=actor, template=template.name)
    return draft(tx, draft_id)


def open_draft(tx: Tx, programme_id: ProgrammeId) -> Draft | None:
    """The programme's draft, where it has one."""
    row = store_drafts.open_of(tx, programme_id)
    return _draft(tx, row) if row else None


def draft(tx: Tx, draft_id: DraftId) -> Draft:
    """By number, also one that was published or discarded; raises NotFound."""
    row = store_drafts.by_id(tx, draft_id)
    if row is None:
        raise NotFound("no-such-draft", "There is no such draft.")
    return _draft(tx, row)


def save(
    tx: Tx,
    draft_id: DraftId,
    template: Template,
    *,
    expected_updated_at: datetime,
    now: datetime,
    actor: str,
) -> Draft:
    """Make the draft what ``template`` says; where nothing differs, nothing is saved.

    Raises :class:`Conflict` where it was saved by somebody else since ``expected_updated_at``, or is no
    longer open, :class:`BadInput` for too many images, NotFound.
    """
    held = _held(tx, draft_id)
    if held.updated_at != expected_updated_at:
        raise Conflict(
            "draft-saved-meanwhile",
            "Somebody else has saved this draft meanwhile: look at it, and make your change again.",
        )
    present = _draft(tx, held)
    if present.template == template:
        return present
    refuse_unstorable(template)
    # Two saves may fall into one moment, and the moment is what tells them apart.
    later = max(now, held.updated_at + timedelta(milliseconds=1))
    _write(tx, draft_id, held.revision + 1, template, actor=actor, now=later)
    store_drafts.forget_before(tx, draft_id, held.revision + 2 - KEPT_REVISIONS)
    return draft(tx, draft_id)


def revisions(tx: Tx, draft_id: DraftId) -> list[Revision]:
    """What the draft was, newest first: the present one, and up to 29 steps that can be undone."""
    return store_drafts.revisions(tx, draft_id)


def restore(
    tx: Tx, draft_id: DraftId, revision: int, *, expected_updated_at: datetime, now: datetime, actor: str
) -> Draft:
    """Make the draft what it was at that revision; this is a step too, and can be undone."""
    template = draft_steps.template_at(tx, draft_id, revision)
    return save(tx, draft_id, template, expected_updated_at=expected_updated_at, now=now, actor=actor)


def discard(tx: Tx, draft_id: DraftId, *, brand_id: BrandId, now: datetime, actor: str) -> None:
    """Lay the draft aside; :func:`reopen` undoes it for thirty days."""
    _held(tx, draft_id)
    store_drafts.end(tx, draft_id, "discarded", now=now)
    _record(tx, "design.draft_discarded", draft_id, brand_id=brand_id, now=now, actor=actor)


def reopen(tx: Tx, draft_id: DraftId, *, brand_id: BrandId, now: datetime, actor: str) -> Draft:
    """Take a discarded draft up again; raises Conflict where the programme has another one by now."""
    row = store_drafts.lock(tx, draft_id)
    if row is None or row.ending != "discarded":
        raise NotFound("no-such-draft", "There is no such discarded draft.")
    if store_drafts.open_of(tx, row.programme_id) is not None:
        raise Conflict("draft-there-already", "This programme has another draft by now: discard that first.")
    store_drafts.end(tx, draft_id, None, now=now)
    _record(tx, "design.draft_reopened", draft_id, brand_id=brand_id, now=now, actor=actor)
    return draft(tx, draft_id)


def assembled(template: Template, values: BrandValues) -> Assembled:
    """The template with the brand's values in it and its stamps drawn; takes some tenths of a second."""
    return assemble(template, values)


def preview(draft: Draft, made: Assembled) -> Design:
    """A design like the one that would be published, to draw cards from; it is stored nowhere."""
    return Design(
        id=DesignId(0),
        programme_id=draft.programme_id,
        version=0,
        template=draft.template.name,
        layout=made.layout,
        files=made.files,
        created_at=draft.updated_at,
    )


def check(made: Assembled, *, now: datetime) -> list[Finding]:
    """What the linter says, the worst first, each with the place in layout.toml that it concerns."""
    found = dict.fromkeys([*made.findings, *lint_layout(made.layout, made.files, now=now)])
    order = {"refuse": 0, "warn": 1, "inform": 2}
    return sorted(found, key=lambda each: order[each.severity])


def ready(draft: Draft, values: BrandValues, *, now: datetime) -> DesignDraft:
    """What would be published; asks no database, so it is best done before a transaction is opened.

    Raises :class:`app.passes.findings.DesignRefused` with every fault that iOS or Google would refuse for.
    """
    return designs.prepared(draft.template, values, now=now)


def publish(
    tx: Tx, draft: Draft, made: DesignDraft, *, brand_id: BrandId, now: datetime, actor: str
) -> Design:
    """Publish what :func:`ready` made of the draft: new cards are made with it, others stay as they are.

    Where nothing differs from the newest version, that one is returned, and the log tells of none.
    Raises :class:`Conflict` where the draft was saved since it was read, or another version was published
    at the same moment.
    """
    held = _held(tx, draft.id)
    if held.revision != draft.revision:
        raise Conflict(
            "draft-saved-meanwhile",
            "Somebody else has saved this draft meanwhile: look at it, and publish again.",
        )
    newest = store_designs.newest_id(tx, draft.programme_id)
    published = designs.publish(tx, made, programme_id=draft.programme_id, now=now)
    store_drafts.end(tx, draft.id, "published", now=now)
    if published.id == newest:
        return published
    what, detail = f"design {published.id}", {"version": published.version, "template": published.template}
    audit.record(
        tx, at=now, actor=actor, brand_id=brand_id, action="design.published", subject=what,
        detail={**detail, "draft": draft.id},
    )  # fmt: skip
    return published


def history(tx: Tx, programme_id: ProgrammeId) -> list[DesignVersion]:
    """Every published version, newest first, with the number of cards that are of it."""
    return store_designs.versions(tx, programme_id)[::-1]


def purge(tx: Tx, *, now: datetime, limit: int = 5) -> int:
    """Forget drafts that ended thirty days ago, some at a time; returns how many."""
    old = store_drafts.ended_before(tx, now - KEPT, limit=limit)
    for draft_id in old:
        store_drafts.remove(tx, draft_id)
    return len(old)


def _held(tx: Tx, draft_id: DraftId) -> DraftRow:
    row = store_drafts.lock(tx, draft_id)
    if row is None:
        raise NotFound("no-such-draft", "There is no such draft.")
    if row.ending is not None:
        raise Conflict("draft-ended", f"This draft was {row.ending} meanwhile: begin another one.")
    return row


def _draft(tx: Tx, row: DraftRow) -> Draft:
    return Draft(
        id=row.id,
        programme_id=row.programme_id,
        template=Template.from_json(row.template, row.source, _files(tx, row.id, row.files)),
        base_design_id=row.base_design_id,
        revision=row.revision,
        updated_at=row.updated_at,
        updated_by=row.actor,
        ending=row.ending,
    )


def _files(tx: Tx, draft_id: DraftId, digests: Mapping[str, str]) -> dict[str, bytes]:
    stored = store_drafts.files(tx, draft_id, digests.values())
    return {path: stored[digest] for path, digest in sorted(digests.items())}


def _write(
    tx: Tx, draft_id: DraftId, revision: int, template: Template, *, actor: str, now: datetime
) -> None:
    digests = {path: hashlib.sha256(data).hexdigest() for path, data in template.files.items()}
    store_drafts.add_files(tx, draft_id, {digests[path]: data for path, data in template.files.items()})
    store_drafts.write(tx, draft_id, revision, replace(template, files={}), digests, actor=actor, now=now)


def _record(
    tx: Tx,
    action: str,
    draft_id: DraftId,
    *,
    brand_id: BrandId,
    now: datetime,
    actor: str,
    **detail: object,
) -> None:
    audit.record(
        tx, at=now, actor=actor, brand_id=brand_id, action=action, subject=f"draft {draft_id}", detail=detail
    )
