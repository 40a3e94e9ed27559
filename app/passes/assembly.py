"""A design put together: a template's folder with a brand's values in it, and the stamps drawn."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from app.passes import google_layout, stamp_strips
from app.passes.findings import Finding, refusals, refuse
from app.passes.layout import BrandValues, Layout, merge
from app.passes.lint_rules_google import check_google
from app.passes.lint_rules_images import check_extent
from app.passes.lint_rules_layout import check_template
from app.passes.lint_rules_looks import check_stamps, check_tiers
from app.passes.template import LAYOUT, Template


@dataclass(frozen=True, slots=True)
class Assembled:
    """All of a design that is published; ``findings`` tell what is wrong with the template's own part."""

    layout: Layout
    files: Mapping[str, bytes]  # by their path in the design, see app.passes.looks
    findings: tuple[Finding, ...]
    source: Template  # what the same design is made of again, with nothing but the brand's own values


def assemble(template: Template, values: BrandValues) -> Assembled:
    """Merge, draw, and say what stood in the way; the layout of a folder that could not be read is empty."""
    template, values = with_values(template, values)
    files = template.files
    found = [*check_template(template.document), *check_tiers(template.document, files)]
    found += check_stamps(template.document, files, values.for_reward)
    found += check_extent(files)
    refused = {finding.where for finding in refusals(found)}
    if (
        stamp_strips.are_drawn(files, values.for_reward)
        and values.for_reward is not None
        and refused.isdisjoint(files)
    ):
        table = template.document.get("stamps")
        area = table.get("area") if isinstance(table, dict) else None
        try:
            files = dict(files) | stamp_strips.draw(files, values.for_reward, area)
        except stamp_strips.Unreadable as fault:
            found.append(refuse("image-damaged", fault.picture, f"cannot be drawn: {fault.reason}"))
    layout = merge(template.document, template.strings, values)
    if template.google is not None:
        google, faults = google_layout.parse(template.google)
        found += check_google(google, template.strings, files) if google else faults
        layout = replace(layout, google=template.google)
    return Assembled(layout, files, tuple(found), template)


def with_values(template: Template, values: BrandValues) -> tuple[Template, BrandValues]:
    """The folder with what was given for this design alone, and the values with the folder's own texts."""
    document = dict(template.document) | dict(values.colours)
    tiers = document.get("tiers")
    if values.colours and isinstance(tiers, list) and all(isinstance(look, dict) for look in tiers):
        document["tiers"] = [
            {key: each for key, each in look.items() if key not in values.colours} for look in tiers
        ]
    texts = dict(template.texts) | {name: values.texts[name] for name in values.own_texts}
    source = replace(
        template, document=document, files=dict(template.files) | dict(values.images), texts=texts
    )
    logo_text = texts.get("programme", values.logo_text)
    return source, replace(values, texts=dict(values.texts) | texts, logo_text=logo_text)


def is_readable(directory: Path, findings: list[Finding]) -> bool:
    """Whether reading a folder gave a layout at all."""
    return not any(finding.where in (str(directory), LAYOUT) for finding in findings)
