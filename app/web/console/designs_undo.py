"""Undoing in the design editor: a draft as it was before, as one more step that can itself be undone."""

from __future__ import annotations

from datetime import datetime

from flask import url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from app.errors import NotFound
from app.passes import drafts
from app.passes.drafts import Draft
from app.web.console import designs_trial
from app.web.console.designs_work import opened
from app.web.console.forms import Form, digits, done, see
from app.web.console.registry import Console, act
from app.web.console.visit import Visit


def register(console: Console) -> None:
    """``/console/<brand>/designs/<int:programme_id>/draft/undo``."""
    act(console, "/<brand>/designs/<int:programme_id>/draft/undo", needs="design.edit")(undo)


def undo(visit: Visit, programme_id: int) -> ResponseReturnValue:
    """Make the draft what it was at a revision."""
    form = Form.posted()
    found, draft = opened(visit, programme_id)
    revision = digits(form["revision"], most=9)
    if draft is None or revision is None:
        raise NotFound("no-such-draft", "There is no such draft.")
    with visit.services.database.write() as tx:
        restored = drafts.restore(
            tx, draft.id, revision, expected_updated_at=moment(form["expected"], draft),
            now=visit.now, actor=visit.actor,
        )  # fmt: skip
    if restored.revision != draft.revision:
        designs_trial.follow(visit, found, restored)
    done(_("Undone."), undo=to(programme_id, draft.revision, restored))
    return see(url_for("console.designs_editor_edit", programme_id=programme_id))


def to(programme_id: int, revision: int, saved: Draft) -> tuple[str, dict[str, str]]:
    """What a notice offers: back to ``revision``, unless somebody saves the draft after ``saved``."""
    address = url_for("console.designs_undo_undo", programme_id=programme_id)
    return address, {"revision": str(revision), "expected": saved.updated_at.isoformat()}


def moment(words: str, draft: Draft) -> datetime:
    """When the form was made from the draft; nonsense is a moment at which nobody saved it."""
    try:
        found = datetime.fromisoformat(words)
    except ValueError:
        found = draft.updated_at.replace(year=1971)
    return found if found.tzinfo else draft.updated_at.replace(year=1971)
