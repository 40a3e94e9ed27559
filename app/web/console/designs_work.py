"""A programme's draft as the console looks at it: assembled, linted, with its notes."""

from __future__ import annotations

from dataclasses import dataclass

from flask_babel import gettext as _

from app.db import Tx
from app.db.identifiers import ProgrammeId
from app.errors import NotFound
from app.loyalty import programmes, publishing
from app.loyalty.programmes import Programme
from app.passes import designs, drafts
from app.passes.assembly import Assembled
from app.passes.content import Language
from app.passes.drafts import Draft
from app.passes.findings import Finding
from app.passes.layout import BrandValues, Layout
from app.passes.template import Template
from app.web.console import designs_form
from app.web.console.designs_judged import judged
from app.web.console.designs_notes import Note, Notes, notes_of
from app.web.console.designs_slots import PICTURES, covered_words
from app.web.console.visit import Visit


@dataclass(frozen=True, slots=True)
class Work:
    """A draft as it is looked at: unsaved changes may be in ``template``."""

    programme: Programme
    draft: Draft
    template: Template
    values: BrandValues
    made: Assembled
    findings: list[Finding]
    notes: Notes


def programme_of(tx: Tx, visit: Visit, programme_id: int) -> Programme:
    """The programme, which is one of the brand's; raises NotFound."""
    found = programmes.programme(tx, ProgrammeId(programme_id))
    if found.brand_id != visit.brand.id:
        raise NotFound("no-such-programme", "This brand has no such programme.")
    return found


def values_of(visit: Visit, programme: Programme) -> BrandValues:
    """What the brand and the programme's rules put into a template."""
    return publishing.with_rules(designs.brand_values(visit.brand), programme.rules)


def looked_at(visit: Visit, programme: Programme, draft: Draft, template: Template) -> Work:
    """Assembled and linted; asks no database."""
    values = values_of(visit, programme)
    made, findings, cuts = judged(template, values, now=visit.now)
    notes = notes_of(template, findings, cuts)
    names = tier_names(made.layout, visit.language)
    for name in PICTURES:
        if words := covered_words(template, name, names):
            notes.add(f"picture.{name}", Note("calm", words))
    for slot in designs_form.unsaid(template, values):
        notes.add(slot, Note("calm", _("Empty: guests do not see this field.")))
    return Work(programme, draft, template, values, made, findings, notes)


def tier_names(layout: Layout, language: Language) -> dict[int, str]:
    """The tiers that have each look, by the look's number: a programme may have fewer tiers, or more."""
    names: dict[int, list[str]] = {}
    for tier in layout.tiers:
        number = int(tier.folder.removeprefix("tiers/").rstrip("/"))
        names.setdefault(number, []).append(tier.name.in_language(language))
    return {number: ", ".join(among) for number, among in names.items()}


def opened(visit: Visit, programme_id: int) -> tuple[Programme, Draft | None]:
    """The brand's programme and its draft, where it has one; raises NotFound for another's programme."""
    with visit.services.database.read() as tx:
        programme = programme_of(tx, visit, programme_id)
        return programme, drafts.open_draft(tx, programme.id)
