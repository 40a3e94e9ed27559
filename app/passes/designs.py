"""Designs: how a programme's cards look, published in numbered versions that never change.

A version belongs to the pass, so that a new one can be rolled out in stages, and taken back.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from app.accounts.brands import Brand
from app.db import Tx
from app.db.identifiers import DesignId, ProgrammeId
from app.errors import NotFound
from app.passes import store_designs
from app.passes.assembly import assemble, is_readable
from app.passes.content import LocalizedText
from app.passes.findings import DesignRefused, Finding, refusals
from app.passes.layout import BrandValues, Design, Layout
from app.passes.linter import lint_layout
from app.passes.store_designs import DesignVersion
from app.passes.template import Template, read_template

__all__ = [
    "BrandValues",
    "Design",
    "DesignDraft",
    "DesignVersion",
    "brand_values",
    "design",
    "draft",
    "drawn",
    "newest",
    "newest_id",
    "prepared",
    "publish",
    "source",
]

_DESCRIPTION = LocalizedText("Карта гостя", "Loyalty card")


def brand_values(
    brand: Brand,
    *,
    rules: LocalizedText | None = None,
    colours: Mapping[str, str] | None = None,
    images: Mapping[str, bytes] | None = None,
) -> BrandValues:
    """What a brand's own words and identifiers put into a template.

    ``rules`` are the programme's in words; ``colours`` by Apple's key, ``images`` by file name, both in place
    of the template's.
    """
    names = sorted({name for texts in brand.texts.values() for name in texts})
    texts = {
        name: LocalizedText(
            str(brand.texts.get("ru", {}).get(name, "")), str(brand.texts.get("en", {}).get(name, ""))
        )
        for name in names
    }
    if rules is not None:
        texts["rules"] = rules
    return BrandValues(
        organization_name=brand.name,
        description=LocalizedText(f"{_DESCRIPTION.ru} «{brand.name}»", f"{brand.name}: {_DESCRIPTION.en}"),
        pass_type_identifier=brand.pass_type_identifier,
        team_identifier=brand.team_identifier,
        time_zone=brand.time_zone,
        logo_text=texts.get("programme"),
        texts=texts,
        colours=colours or {},
        images=images or {},
        own_texts=("rules",) if rules is not None else (),
    )


@dataclass(frozen=True, slots=True)
class DesignDraft:
    """All of a version but its number: what :func:`draft` found no fault with."""

    layout: Layout
    files: Mapping[str, bytes]
    source: Template


def draft(template_dir: Path, values: BrandValues, *, now: datetime) -> DesignDraft:
    """A template's folder with a brand's values in it, its stamps drawn, and linted; asks no database.

    Drawing takes some tenths of a second, so it is best done before a transaction is opened. Raises
    :class:`DesignRefused` with every fault that iOS or Google would refuse the card for.
    """
    template, findings = read_template(template_dir)
    if not is_readable(template_dir, findings):
        raise DesignRefused(refusals([*findings, *assemble(template, values).findings]))
    return prepared(template, values, now=now, findings=findings)


def prepared(
    template: Template, values: BrandValues, *, now: datetime, findings: Iterable[Finding] = ()
) -> DesignDraft:
    """The same for a template that was read already, with what was found in reading it."""
    made = assemble(template, values)
    found = [*findings, *made.findings, *lint_layout(made.layout, made.files, now=now)]
    if refused := refusals(found):
        raise DesignRefused(refused)
    return DesignDraft(made.layout, made.files, made.source)


def publish(tx: Tx, draft: DesignDraft, *, programme_id: ProgrammeId, now: datetime) -> Design:
    """Publish the programme's next version; where nothing differs from the newest, that one is returned.

    Raises :class:`app.errors.Conflict` where another version was published at the same moment.
    """
    latest = store_designs.newest_id(tx, programme_id)
    if latest is not None:
        published = design(tx, latest)
        if published.layout.to_json() == draft.layout.to_json() and published.files == draft.files:
            return published
    return store_designs.add(
        tx,
        programme_id=programme_id,
        source=draft.source,
        layout=draft.layout,
        files=draft.files,
        now=now,
    )


def warnings(design: Design) -> list[Finding]:
    """What a published version could do better; nothing here keeps a card from being signed."""
    return [each for each in lint_layout(design.layout, design.files) if each.severity == "warn"]


def versions(tx: Tx, programme_id: ProgrammeId) -> list[DesignVersion]:
    """Every published version of a programme, oldest first, with the number of cards that are of it."""
    return store_designs.versions(tx, programme_id)


def source(tx: Tx, design_id: DesignId) -> Template:
    """What a version was made from, as a folder has it; raises NotFound."""
    found = store_designs.source(tx, design_id)
    if found is None:
        raise NotFound("no-such-design", f"There is no design {design_id}.")
    return found


def newest(tx: Tx, programme_id: ProgrammeId) -> Design:
    """The version that the programme's new cards are made with; raises NotFound before the first."""
    return design(tx, newest_id(tx, programme_id))


def newest_id(tx: Tx, programme_id: ProgrammeId) -> DesignId:
    """Which version that is, without its files; raises NotFound before the first."""
    design_id = store_designs.newest_id(tx, programme_id)
    if design_id is None:
        raise NotFound("no-design", "This programme has no published design yet; publish one.")
    return design_id


def drawn(tx: Tx, programme_ids: Collection[ProgrammeId]) -> frozenset[ProgrammeId]:
    """Which of these programmes have a published design."""
    return store_designs.drawn(tx, programme_ids)


def design(tx: Tx, design_id: DesignId) -> Design:
    """One published version; raises NotFound."""
    found = store_designs.by_id(tx, design_id)
    if found is None:
        raise NotFound("no-such-design", f"There is no design {design_id}.")
    return found
