"""Designs as files: the folder of a template in a .zip, out of the console and into it."""

from __future__ import annotations

from collections.abc import Callable

from flask import Response, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from app.errors import BadInput, Conflict, NotFound
from app.passes import designs, drafts, template_folders
from app.passes.findings import DesignRefused
from app.passes.template import Template
from app.web.console import designs_notes, designs_trial, designs_undo
from app.web.console.designs_work import opened, programme_of
from app.web.console.forms import Form, done, see
from app.web.console.registry import Console, act, page
from app.web.console.turns import Turns
from app.web.console.visit import Visit
from app.web.console.wording import sentence

ProgrammePage = Callable[[Visit, int, Form], ResponseReturnValue]
"""The page that the import form stands on, with what is wrong with it."""
_AT = "/<brand>/designs/<int:programme_id>"


def register(console: Console, programme_page: ProgrammePage) -> None:
    """``/console/<brand>/designs/<int:programme_id>/….zip`` and ``/import``."""
    page(console, f"{_AT}/draft.zip", needs="design.read")(draft_zip)
    page(console, f"{_AT}/version-<int:version>.zip", needs="design.read")(version_zip)
    turns = Turns("import-busy", "Others are importing: wait a little.")

    @act(console, f"{_AT}/import", needs="design.edit")
    def take_in(visit: Visit, programme_id: int) -> ResponseReturnValue:
        """Make the draft what a .zip holds; what cannot be understood is refused, advice is given
        later.
        """
        with turns.mine():
            form = Form.posted()
            try:
                return _take_in(visit, programme_id)
            except (BadInput, Conflict) as fault:
                form.errors["zip"] = _refusal(fault)
        return programme_page(visit, programme_id, form)


def draft_zip(visit: Visit, programme_id: int) -> ResponseReturnValue:
    """The draft as it was last saved."""
    found, draft = opened(visit, programme_id)
    if draft is None:
        return see(url_for("console.designs_programme", programme_id=programme_id))
    return _zip(draft.template, f"{visit.brand.slug}-{found.slug}-draft.zip")


def version_zip(visit: Visit, programme_id: int, version: int) -> ResponseReturnValue:
    """A published version."""
    with visit.services.database.read() as tx:
        found = programme_of(tx, visit, programme_id)
        for each in designs.versions(tx, found.id):
            if each.version == version:
                return _zip(designs.source(tx, each.id), f"{visit.brand.slug}-{found.slug}-{version}.zip")
    raise NotFound("no-such-design", "There is no such version.")


def _take_in(visit: Visit, programme_id: int) -> ResponseReturnValue:
    opened(visit, programme_id)  # another brand's is nothing here, whatever is sent
    with visit.services.database.read() as tx:
        programme_of(tx, visit, programme_id)  # whose it is comes before what it is
    upload = request.files.get("zip")
    data = upload.read() if upload else b""
    if not data:
        raise BadInput("empty", "Choose a file.", field="zip")
    template = template_folders.from_zip(data, "import").template
    with visit.services.database.write() as tx:
        found = programme_of(tx, visit, programme_id)
        before = drafts.open_draft(tx, found.id)
        made = (
            drafts.start(tx, found.id, template, brand_id=visit.brand.id, now=visit.now, actor=visit.actor)
            if before is None
            else drafts.save(
                tx, before.id, template, expected_updated_at=before.updated_at, now=visit.now,
                actor=visit.actor,
            )
        )  # fmt: skip
    if before is None:
        done(_("Imported. Have a look, and publish it when it is right."))
        return see(url_for("console.designs_editor_edit", programme_id=programme_id))
    designs_trial.follow(visit, found, made)
    done(
        _("Imported in place of what the draft was."),
        undo=designs_undo.to(programme_id, before.revision, made),
    )
    return see(url_for("console.designs_editor_edit", programme_id=programme_id))


def _refusal(fault: BadInput | Conflict) -> str:
    """What the import form says, with the file in the archive that it is about."""
    if isinstance(fault, DesignRefused):
        return " ".join(f"{finding.where}: {designs_notes.said(finding)}" for finding in fault.findings[:3])
    within = fault.field if isinstance(fault, BadInput) and fault.code.startswith("picture-") else None
    return f"{within}: {sentence(fault)}" if within else sentence(fault)


def _zip(template: Template, name: str) -> Response:
    return Response(
        template_folders.to_zip(template),
        mimetype="application/zip",
        headers={"Content-Disposition": f'attachment; filename="{name}"'},
    )
