"""Which field of the editor a fault of a tier's picture stands beside."""

from __future__ import annotations

from app.passes.findings import Finding, warn
from app.passes.template import read_template
from app.web.console.designs_notes import notes_of
from tests.passes import templates


def _slots(*findings: Finding) -> list[str]:
    template, _findings = read_template(templates.FOLDER / "tiered_card")
    return [slot for slot, _notes in notes_of(template, findings, []).slots]


def test_what_is_wrong_with_a_tiers_picture_stands_beside_it() -> None:
    contrast = warn("low-contrast", "foregroundColor on tiers/2/strip.png", "(1.2 : 1, wanted 3 : 1)")
    blurred = warn("image-scale-missing", "tiers/3/strip.png", "add strip@2x.png and strip@3x.png")
    assert _slots(contrast, blurred) == ["picture.tiers/2/strip", "picture.tiers/3/strip"]
    assert _slots(warn("low-contrast", "tiers[1].labelColor", "1.2 : 1")) == ["tier.2.labelColor"]
    assert _slots(warn("low-contrast", "foregroundColor on strip.png", "1.2 : 1")) == [
        "colour.foregroundColor"
    ]


def test_a_largest_scale_left_out_for_its_weight_is_no_fault() -> None:
    assert _slots(warn("image-scale-missing", "strip.png", "looks blurred; add strip@3x.png")) == []
