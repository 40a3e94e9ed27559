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


def assemble(template: Template, values: BrandValues) -> Assembled:
    """Merge, draw, and say what stood in the way; the layout of a folder that could not be read is empty."""
    files = dict(template.files) | dict(values.images)
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
            files |= stamp_strips.draw(files, values.for_reward, area)
        except stamp_strips.Unreadable as fault:
            found.append(refuse("image-damaged", fault.picture, f"cannot be drawn: {fault.reason}"))
    layout = merge(template.document, template.strings, values)
    if template.google is not None:
        google, faults = google_layout.parse(template.google)
        found += check_google(google, template.strings, files) if google else faults
        layout = replace(layout, google=template.google)
    return Assembled(layout, files, tuple(found))


def is_readable(directory: Path, findings: list[Finding]) -> bool:
    """Whether reading a folder gave a layout at all."""
    return not any(finding.where in (str(directory), LAYOUT) for finding in findings)
