"""Card designs: every programme's, its versions, and how a draft of the next one begins and is laid aside."""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from flask import url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from app.db.identifiers import DraftId
from app.errors import BadInput, NotFound, Refused
from app.loyalty import programmes
from app.loyalty.programmes import Programme
from app.passes import designs, drafts
from app.passes.card_front import draw_front
from app.passes.designs import DesignVersion
from app.passes.drafts import Draft
from app.passes.drawing import Picture
from app.passes.layout import Design, Layout
from app.passes.proofs import Proofs
from app.passes.sample_guests import default_look, sample_guest
from app.reports import design_history
from app.reports.google_outlook import google_outlook
from app.web.console import designs_editor, designs_files, designs_publish, designs_rollout, designs_trial
from app.web.console.audit_words import actor_words
from app.web.console.designs_models import Model, model, models
from app.web.console.designs_work import opened, programme_of, values_of
from app.web.console.forms import Form, done, render, see
from app.web.console.google_words import outlook_words
from app.web.console.registry import Console, act, page
from app.web.console.visit import Visit
from app.web.console.wording import explain
from app.web.services import Services

_ARCHIVE_FAULTS = (
    "archive-file-too-large",
    "archive-link",
    "archive-locked",
    "archive-path",
    "archive-too-large",
    "archive-too-many",
    "archive-twice",
    "archive-unreadable",
)
_WIDTH = 375.0
"""Of the phone on whose width cards in lists are drawn."""
_AT = "/<brand>/designs/<int:programme_id>"


@dataclass(frozen=True, slots=True)
class Shelf:
    """A programme's designs at a glance."""

    programme: Programme
    drawn: Picture | None  # as new guests get it
    newest: DesignVersion | None
    draft: Draft | None


@dataclass(frozen=True, slots=True)
class Choice:
    """A template, drawn with this brand's name and rules."""

    model: Model
    drawn: Picture | None


def register(console: Console, services: Services) -> None:
    """``/console/<brand>/designs`` and below."""
    console.add_app_template_filter(_data_uri, "datauri")
    page(console, "/<brand>/designs", needs="design.read")(everything)
    page(console, _AT, needs="design.read")(programme)
    act(console, f"{_AT}/start", needs="design.edit")(start)
    act(console, f"{_AT}/discard", needs="design.edit")(discard)
    act(console, f"{_AT}/reopen", needs="design.edit")(reopen)
    designs_editor.register(console, services)
    designs_publish.register(console, services)
    designs_files.register(console, _programme_page)
    designs_rollout.register(console, services)
    designs_trial.register(console, services)


def everything(visit: Visit) -> ResponseReturnValue:
    """The brand's programmes, each with the card that its guests get; the only one's page at once."""
    with visit.services.database.read() as tx:
        found = programmes.programmes_of_brand(tx, visit.brand.id)
    if len(found) == 1:
        return see(url_for("console.designs_programme", programme_id=found[0].id))
    return render(visit, "designs_everything.html", shelves=[_shelf(visit, each) for each in found])


def programme(visit: Visit, programme_id: int) -> ResponseReturnValue:
    """One programme's designs: what is out, what is worked on, what was."""
    return _programme_page(visit, programme_id, Form())


def _programme_page(visit: Visit, programme_id: int, form: Form) -> ResponseReturnValue:
    """The same, with what is wrong with a file that was to be imported."""
    with visit.services.database.read() as tx:
        found = programme_of(tx, visit, programme_id)
        versions = drafts.history(tx, found.id)
        actors = design_history.publishers(tx, visit.brand.id)
        names = design_history.names(tx, set(actors.values()))
        rollout = designs_rollout.view_of(tx, found, versions)
        google = google_outlook(tx, found.id, rate=visit.services.google_rate, now=visit.now)
    shelf = _shelf(visit, found, versions)
    choices = [] if shelf.draft else _choices(visit, found)
    return render(
        visit,
        "designs_programme.html",
        form=form,
        programme=found,
        shelf=shelf,
        versions=versions,
        choices=choices,
        rollout=rollout,
        at_google=outlook_words(google),
        who={number: actor_words(actor, names) for number, actor in actors.items()},
    )


def start(visit: Visit, programme_id: int) -> ResponseReturnValue:
    """Begin a draft from a template, or from a version."""
    form = Form.posted()
    with visit.services.database.write() as tx:
        found = programme_of(tx, visit, programme_id)
        if form["version"]:
            base = _version(designs.versions(tx, found.id), form["version"])
            template, base_id = designs.source(tx, base.id), base.id
        else:
            template = model(visit.services.templates_dir, found.rules, form["template"]).template
            base_id = None
        drafts.start(
            tx, found.id, template, base_design_id=base_id, brand_id=visit.brand.id,
            now=visit.now, actor=visit.actor,
        )  # fmt: skip
    return see(url_for("console.designs_editor_edit", programme_id=programme_id))


def discard(visit: Visit, programme_id: int) -> ResponseReturnValue:
    """Lay the draft aside; it can be taken up again."""
    _found, draft = opened(visit, programme_id)
    if draft is None:
        raise NotFound("no-such-draft", "There is no such draft.")
    with visit.services.database.write() as tx:
        drafts.discard(tx, draft.id, brand_id=visit.brand.id, now=visit.now, actor=visit.actor)
    address = url_for("console.designs_reopen", programme_id=programme_id)
    done(_("The draft is laid aside."), undo=(address, {"draft": str(draft.id)}))
    return see(url_for("console.designs_programme", programme_id=programme_id))


def reopen(visit: Visit, programme_id: int) -> ResponseReturnValue:
    """Take a discarded draft up again."""
    form = Form.posted()
    with visit.services.database.write() as tx:
        found = programme_of(tx, visit, programme_id)
        number = form.whole("draft", least=1, most=2**53)
        if number is None:
            raise BadInput("no-such-draft", "There is no such draft.", field="draft")
        laid_aside = drafts.draft(tx, DraftId(number))
        if laid_aside.programme_id != found.id:
            raise NotFound("no-such-draft", "There is no such draft.")
        drafts.reopen(tx, laid_aside.id, brand_id=visit.brand.id, now=visit.now, actor=visit.actor)
    return see(url_for("console.designs_editor_edit", programme_id=programme_id))


def _shelf(visit: Visit, found: Programme, versions: Sequence[DesignVersion] | None = None) -> Shelf:
    """``versions``, newest first, where the page has asked for them already."""
    with visit.services.database.read() as tx:
        versions = drafts.history(tx, found.id) if versions is None else versions
        draft = drafts.open_draft(tx, found.id)
        newest = next((each for each in versions if each.withdrawn_at is None), None)
        design = designs.design(tx, newest.id) if newest else None
    return Shelf(found, drawn(visit, design) if design else None, newest, draft)


def _choices(visit: Visit, found: Programme) -> list[Choice]:
    values = values_of(visit, found)
    made = []
    for each in models(visit.services.templates_dir, found.rules):
        assembled = drafts.assembled(each.template, values)
        made.append(Choice(each, _face(visit, assembled.layout, assembled.files)))
    return made


def drawn(visit: Visit, design: Design) -> Picture | None:
    """A published version's card, of a regular guest, in the reader's language."""
    return _face(visit, design.layout, design.files)


def _face(visit: Visit, layout: Layout, files: Mapping[str, bytes]) -> Picture | None:
    guest = sample_guest("regular", layout, visit.language, look=default_look(layout), now=visit.now)
    try:
        return draw_front(Proofs(layout, files, now=visit.now).pull(guest, visit.language), _WIDTH)
    except (BadInput, AttributeError, LookupError, OSError, TypeError, ValueError):
        return None


def _version(among: list[DesignVersion], number: str) -> DesignVersion:
    for each in among:
        if str(each.version) == number:
            return each
    raise NotFound("no-such-design", "There is no such version.")


def _data_uri(png: bytes) -> str:
    return f"data:image/png;base64,{base64.b64encode(png).decode()}"


def _archive(_fault: Refused) -> str:
    return str(_("This is no design as an export has it: a .zip with layout.toml, pictures and words."))


explain(
    {
        **dict.fromkeys(_ARCHIVE_FAULTS, _archive),
        "draft-there-already": lambda _fault: _(
            "There is a draft already: go on with it, or lay it aside first."
        ),
        "draft-ended": lambda _fault: _("This draft was published or laid aside meanwhile."),
        "draft-saved-meanwhile": lambda _fault: _(
            "Somebody else has saved this draft meanwhile. Look at it first."
        ),
        "too-many-images": lambda _fault: _("The pictures together are too heavy: at most 200, and 4 MB."),
        "picture-too-small": lambda _fault: _("This picture has too few pixels: choose a larger one."),
        "bad-address": lambda _fault: _("Write the whole address, like https://example.com."),
        "words-missing": lambda _fault: _("Write what the field says."),
        "text-too-long": lambda _fault: _("This is too long."),
        "bad-text": lambda _fault: _("The text holds a letter that cannot be shown: take it out."),
        "placeholder": lambda _fault: _("Words hold no {…}: choose what the field shows from the list."),
        "colour-unreadable": lambda _fault: _("This is no colour."),
        "too-many-fields": lambda _fault: _("A card has 40 fields at most."),
        "picture-moves": lambda _fault: _("Cards show still pictures: save one picture of it."),
        "picture-damaged": lambda _fault: _("The picture is damaged: save it once more as PNG or JPEG."),
        "picture-too-large": lambda _fault: _(
            "The picture has far more pixels than any card: save it smaller."
        ),
        "picture-too-heavy": lambda _fault: _("The file has more than 7 MB: save the picture smaller."),
        "picture-empty": lambda _fault: _("The file is empty: choose a picture."),
        "picture-of-another-kind": lambda _fault: _("This is no PNG, JPEG or WebP: save the picture as one."),
        "picture-and-more": lambda _fault: _(
            "The file holds something besides its picture: save it once more as PNG or JPEG."
        ),
        "no-such-image": lambda _fault: _("Cards show no such picture."),
    }
)
