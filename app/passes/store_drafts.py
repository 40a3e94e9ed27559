"""SQL of drafts: what is worked on, what it was before, and the images of both."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from sqlalchemy import RowMapping, delete, insert, select, update

from app.db import Tx
from app.db import insert as insert_or
from app.db.identifiers import DesignId, DraftId, ProgrammeId
from app.passes.tables import design_draft, draft_file, draft_revision
from app.passes.template import Template

Ending = Literal["published", "discarded"]


@dataclass(frozen=True, slots=True, kw_only=True)
class DraftRow:
    """A draft without its images."""

    id: DraftId
    programme_id: ProgrammeId
    base_design_id: DesignId | None
    revision: int
    updated_at: datetime
    actor: str  # who saved last
    template: str
    source: Mapping[str, Any]
    files: Mapping[str, str]  # path to digest
    ended_at: datetime | None
    ending: Ending | None


@dataclass(frozen=True, slots=True)
class Revision:
    """One time that a draft was saved."""

    number: int
    at: datetime
    actor: str


_DRAFT = (
    select(
        design_draft.c.id,
        design_draft.c.programme_id,
        design_draft.c.base_design_id,
        design_draft.c.revision,
        design_draft.c.updated_at,
        draft_revision.c.actor,
        draft_revision.c.template,
        draft_revision.c.source,
        draft_revision.c.files,
        design_draft.c.ended_at,
        design_draft.c.ending,
    )
    .join(draft_revision, draft_revision.c.draft_id == design_draft.c.id)
    .where(draft_revision.c.revision == design_draft.c.revision)
)


def open_of(tx: Tx, programme_id: ProgrammeId) -> DraftRow | None:
    """The programme's draft that is worked on."""
    found = _DRAFT.where(design_draft.c.programme_id == programme_id, design_draft.c.ended_at.is_(None))
    return _row(tx.execute(found).mappings().one_or_none())


def last_discarded(tx: Tx, programme_id: ProgrammeId) -> DraftRow | None:
    """The programme's draft that was laid aside last."""
    found = (
        _DRAFT.where(design_draft.c.programme_id == programme_id, design_draft.c.ending == "discarded")
        .order_by(design_draft.c.ended_at.desc(), design_draft.c.id.desc())
        .limit(1)
    )
    return _row(tx.execute(found).mappings().one_or_none())


def by_id(tx: Tx, draft_id: DraftId) -> DraftRow | None:
    """A draft, also one that has ended."""
    return _row(tx.execute(_DRAFT.where(design_draft.c.id == draft_id)).mappings().one_or_none())


def lock(tx: Tx, draft_id: DraftId) -> DraftRow | None:
    """The same, held until the transaction ends."""
    # Alone: a row that had to be waited for would not be joined with the revision that it names by then.
    tx.execute(select(design_draft.c.id).where(design_draft.c.id == draft_id).with_for_update())
    return by_id(tx, draft_id)


def add(
    tx: Tx, programme_id: ProgrammeId, base_design_id: DesignId | None, *, now: datetime
) -> DraftId | None:
    """A draft of revision 1, whose words follow with :func:`write`; None where there is an open one."""
    statement = insert_or(tx, design_draft).values(
        programme_id=programme_id, base_design_id=base_design_id, revision=1, created_at=now, updated_at=now
    )
    number: int | None = tx.scalar(statement.on_conflict_do_nothing().returning(design_draft.c.id))
    return None if number is None else DraftId(number)


def write(
    tx: Tx,
    draft_id: DraftId,
    revision: int,
    template: Template,
    digests: Mapping[str, str],
    *,
    actor: str,
    now: datetime,
) -> None:
    """The draft is from now on what ``template`` says, under that number."""
    tx.execute(
        insert(draft_revision).values(
            draft_id=draft_id,
            revision=revision,
            template=template.name,
            source=template.to_json(),
            files=dict(digests),
            at=now,
            actor=actor,
        )
    )
    tx.execute(
        update(design_draft).where(design_draft.c.id == draft_id).values(revision=revision, updated_at=now)
    )


def add_files(tx: Tx, draft_id: DraftId, files: Mapping[str, bytes]) -> None:
    """Keep images by their digest; those that are there stay."""
    rows = [{"draft_id": draft_id, "digest": digest, "data": data} for digest, data in sorted(files.items())]
    if rows:
        tx.execute(insert_or(tx, draft_file).on_conflict_do_nothing(), rows)


def files(tx: Tx, draft_id: DraftId, digests: Iterable[str]) -> dict[str, bytes]:
    """Images by their digest."""
    found = tx.execute(
        select(draft_file.c.digest, draft_file.c.data).where(
            draft_file.c.draft_id == draft_id, draft_file.c.digest.in_(sorted(set(digests)))
        )
    )
    return {digest: bytes(data) for digest, data in found}


def revisions(tx: Tx, draft_id: DraftId) -> list[Revision]:
    """What is kept of a draft's past, newest first."""
    found = tx.execute(
        select(draft_revision.c.revision, draft_revision.c.at, draft_revision.c.actor)
        .where(draft_revision.c.draft_id == draft_id)
        .order_by(draft_revision.c.revision.desc())
    )
    return [Revision(*row) for row in found]


def revision(
    tx: Tx, draft_id: DraftId, number: int
) -> tuple[str, Mapping[str, Any], Mapping[str, str]] | None:
    """A revision's template name, source, and images by digest; None where it is not kept."""
    row = tx.execute(
        select(draft_revision.c.template, draft_revision.c.source, draft_revision.c.files).where(
            draft_revision.c.draft_id == draft_id, draft_revision.c.revision == number
        )
    ).one_or_none()
    return None if row is None else (row.template, row.source, row.files)


def forget_before(tx: Tx, draft_id: DraftId, first_kept: int) -> None:
    """Delete older revisions, and the images that only they had."""
    gone = tx.execute(
        delete(draft_revision)
        .where(draft_revision.c.draft_id == draft_id, draft_revision.c.revision < first_kept)
        .returning(draft_revision.c.files)
    ).all()
    if not gone:
        return
    kept = tx.scalars(select(draft_revision.c.files).where(draft_revision.c.draft_id == draft_id))
    unused = {digest for row in gone for digest in row.files.values()}
    unused -= {digest for files_ in kept for digest in files_.values()}
    if unused:
        tx.execute(
            delete(draft_file).where(
                draft_file.c.draft_id == draft_id, draft_file.c.digest.in_(sorted(unused))
            )
        )


def end(tx: Tx, draft_id: DraftId, ending: Ending | None, *, now: datetime) -> None:
    """Nobody works on it any more; None: it is taken up again."""
    tx.execute(
        update(design_draft)
        .where(design_draft.c.id == draft_id)
        .values(ending=ending, ended_at=None if ending is None else now)
    )


def ended_before(tx: Tx, before: datetime, *, limit: int) -> list[DraftId]:
    """Drafts that ended long ago."""
    found = tx.scalars(
        select(design_draft.c.id)
        .where(design_draft.c.ended_at < before)
        .order_by(design_draft.c.id)
        .limit(limit)
    )
    return [DraftId(number) for number in found]


def remove(tx: Tx, draft_id: DraftId) -> None:
    """Delete a draft with all that belongs to it."""
    for table, column in (
        (draft_file, draft_file.c.draft_id),
        (draft_revision, draft_revision.c.draft_id),
        (design_draft, design_draft.c.id),
    ):
        tx.execute(delete(table).where(column == draft_id))


def _row(row: RowMapping | None) -> DraftRow | None:
    return None if row is None else DraftRow(**row)
