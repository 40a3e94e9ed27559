"""What a draft was at an earlier step, without going back to it; and which one was laid aside."""

from __future__ import annotations

from app.db import Tx
from app.db.identifiers import DraftId, ProgrammeId
from app.errors import NotFound
from app.passes import store_drafts
from app.passes.template import Template


def template_at(tx: Tx, draft_id: DraftId, number: int) -> Template:
    """The draft's template at that revision; raises NotFound for one that is not kept any more."""
    found = store_drafts.revision(tx, draft_id, number)
    if found is None:
        raise NotFound("no-such-revision", "That step is not kept any more.")
    name, source, digests = found
    stored = store_drafts.files(tx, draft_id, digests.values())
    return Template.from_json(
        name, source, {path: stored[digest] for path, digest in sorted(digests.items())}
    )


def last_discarded(tx: Tx, programme_id: ProgrammeId) -> DraftId | None:
    """The programme's draft that was laid aside last, while it is kept."""
    found = store_drafts.last_discarded(tx, programme_id)
    return found.id if found else None
