"""The design editor: one form beside a picture of the phone, over a draft that is saved step by step."""

from __future__ import annotations

import re
from contextlib import suppress
from typing import Any

from flask import Response, make_response, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from app.errors import BadInput, Conflict, NotFound
from app.loyalty.programmes import Programme
from app.passes import draft_steps, drafts, edits, pictures
from app.passes.drafts import Draft
from app.passes.template import Template
from app.web.console import designs_fields, designs_form, designs_trial, designs_undo, designs_words
from app.web.console.designs_guests import ASKED, guests_of
from app.web.console.designs_preview import is_refused, seen, sight_of
from app.web.console.designs_slots import slots, without_own
from app.web.console.designs_work import Work, looked_at, opened, tier_names, values_of
from app.web.console.forms import Form, digits, done, render, see
from app.web.console.registry import Console, act, page
from app.web.console.visit import Visit
from app.web.console.wording import sentence
from app.web.services import Services

_PART = re.compile(r"f\.\w+\.\d+\.|[a-z]+\.\w+")
"""The part of a form that an input belongs to: a field of the card with all of its inputs, or a colour."""


def register(console: Console, _services: Services) -> None:
    """``/console/<brand>/designs/<int:programme_id>/draft``."""
    designs_undo.register(console)
    at = "/<brand>/designs/<int:programme_id>/draft"
    page(console, at, needs="design.edit")(edit)
    act(console, at, needs="design.edit")(change)
    act(console, f"{at}/preview", needs="design.edit")(preview)


def edit(visit: Visit, programme_id: int) -> ResponseReturnValue:
    """The editor."""
    found, draft = opened(visit, programme_id)
    if draft is None:
        return see(url_for("console.designs_programme", programme_id=programme_id))
    work = looked_at(visit, found, draft, draft.template)
    return _page(visit, work, Form())


def change(visit: Visit, programme_id: int) -> ResponseReturnValue:
    """Save what was typed, do what the button says; nothing typed is ever lost."""
    found, draft = opened(visit, programme_id)
    if draft is None:
        raise Conflict("draft-ended", "This draft was published or discarded meanwhile.")
    form = Form.posted()
    typed = _typed(visit, found, draft, form)
    template, what, anchor = _pictured(typed, form), form["act"], ""
    for name in [name for name in form.errors if name.startswith("picture.")]:
        said = _("The picture was not taken. What you typed is still here, and not saved yet: press Save.")
        form.errors[name] += f" {said}"
    if form.ok:
        template, anchor = _arranged(template, what, form)
    if what == "show" or not form.ok:
        return _page(visit, looked_at(visit, found, draft, template), form)
    try:
        saved = _saved(visit, draft, template, form)
    except BadInput as fault:
        form.errors[""] = sentence(fault)
        return _page(visit, looked_at(visit, found, draft, template), form)
    except Conflict as fault:
        if fault.code != "draft-saved-meanwhile":
            raise
        answer = _page(visit, looked_at(visit, found, draft, template), form, conflict=True)
        answer.status_code = 409
        return answer
    if saved.revision != draft.revision:
        designs_trial.follow(visit, found, saved)
    if what == "publish":
        return see(url_for("console.designs_publish_review", programme_id=programme_id))
    taken = _taken_away(what, typed, visit)
    if saved.revision != draft.revision and (taken or not anchor):
        words = taken or _("Saved. Guests see nothing of it until you publish.")
        done(words, undo=designs_undo.to(programme_id, draft.revision, saved))
    elif what == "save" and not anchor:
        done(_("Nothing to save: the draft is as you see it."))
    return see(_address(programme_id, form) + anchor)


def _taken_away(what: str, before: Template, visit: Visit) -> str:
    """What a button took away, so that who pressed it by mistake sees what; empty for other buttons."""
    verb, _dot, rest = what.partition(".")
    if verb in ("clear", "bare"):
        return str(_("The picture is removed."))
    group, _dot, number = rest.partition(".")
    among = designs_fields.rows(before).get(group, [])
    if verb != "remove" or not number.isdecimal() or int(number[:3]) >= len(among):
        return ""
    label = among[int(number[:3])].field.label
    return str(
        _("The field “%(label)s” is removed.", label=label.in_language(visit.language) if label else "")
    )


def preview(visit: Visit, programme_id: int) -> ResponseReturnValue:
    """The preview of what is typed, and the notes on it; saves nothing."""
    found, draft = opened(visit, programme_id)
    if draft is None:
        raise NotFound("no-such-draft", "There is no such draft.")
    form = Form.posted()
    template = _typed(visit, found, draft, form)
    return _page(visit, looked_at(visit, found, draft, template), form, only="designs_fragment.html")


def _typed(visit: Visit, programme: Programme, draft: Draft, form: Form) -> Template:
    """The template as the form says it.

    What was typed is told from what was there by the revision that the form was made from: who saves over
    somebody else's version saves exactly what they see.
    """
    revision, base = digits(form["revision"], most=9), draft.template
    if revision is not None and revision != draft.revision:
        with visit.services.database.read() as tx, suppress(NotFound):
            base = draft_steps.template_at(tx, draft.id, revision)
    return designs_form.applied(base, values_of(visit, programme), form)


def _saved(visit: Visit, draft: Draft, template: Template, form: Form) -> Draft:
    with visit.services.database.write() as tx:
        return drafts.save(
            tx, draft.id, template, expected_updated_at=designs_undo.moment(form["expected"], draft),
            now=visit.now, actor=visit.actor,
        )  # fmt: skip


def _page(
    visit: Visit, work: Work, form: Form, *, only: str = "designs_editor.html", conflict: bool = False
) -> Response:
    """The editor, or its preview alone, with whatever was typed."""
    shown = designs_form.filled(work.template, work.values)
    shown.errors = form.errors
    # What was typed wrongly stays as typed; everything else is what the template says by now.
    wrong = tuple(found[0] for name in form.errors if (found := _PART.match(name)))
    shown.values |= {name: value for name, value in form.values.items() if name.startswith(wrong)}
    chosen = Form(values=dict(request.args) | form.values)
    sight = sight_of(chosen, work.made.layout, reader=visit.language)
    names = tier_names(work.made.layout, visit.language)
    guests = guests_of(visit, work.programme, chosen)
    drawn = seen(work.made, work.findings, sight, visit.brand, now=visit.now, content=guests.chosen)
    if is_last := drawn is None and work.template is not work.draft.template:
        saved = looked_at(visit, work.programme, work.draft, work.draft.template)
        drawn = seen(saved.made, saved.findings, sight, visit.brand, now=visit.now, content=guests.chosen)
    return make_response(
        render(
            visit,
            only,
            form=shown,
            work=work,
            programme=work.programme,
            notes=work.notes,
            rows=designs_fields.rows(work.template),
            groups=designs_words.groups(),
            kinds=designs_words.kinds(work.programme.rules),
            barcodes=designs_words.barcodes(),
            tiers=names,
            looks=designs_words.looks(work.made.layout, visit.language),
            slots=slots(work.template, tiers=names, stamps=bool(work.made.layout.for_reward)),
            sight=sight,
            drawn=drawn,
            stale=is_last or not form.ok,
            guests=guests,
            asked_name=ASKED,
            asked="" if guests.chosen else form[ASKED],
            refused=is_refused(work.findings),
            conflict=conflict,
            revision=form["revision"] if conflict else work.draft.revision,
        )
    )


def _arranged(template: Template, what: str, form: Form) -> tuple[Template, str]:
    try:
        return designs_fields.arranged(template, what)
    except BadInput as fault:
        form.errors[""] = sentence(fault)
        return template, ""


def _pictured(template: Template, form: Form) -> Template:
    """The template with the pictures that were uploaded, or taken away."""
    verb, _dot, slot = form["act"].partition(".")
    try:
        for name, upload in request.files.items():
            if data := upload.read():
                slot = name.removeprefix("picture.")
                template = edits.with_images(template, slot, pictures.take(data, slot))
        if verb == "clear":
            template = edits.without_images(template, slot)
        if verb == "bare":
            template = without_own(template, slot)
    except BadInput as fault:
        form.errors[f"picture.{slot}"] = sentence(fault)
    return template


def _address(programme_id: int, form: Form) -> str:
    """The editor again, with the preview's choices."""
    kept: dict[str, Any] = {
        name: value for name, value in form.values.items() if name.startswith("see.") and len(value) < 12
    }
    return url_for("console.designs_editor_edit", programme_id=programme_id, **kept)
