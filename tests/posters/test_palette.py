"""Whatever colours a brand has, what is printed in them can be read."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from app.colours import WHITE, Colour, contrast
from app.posters.palette import EDGE_CONTRAST, TEXT_CONTRAST, palette

colours = st.tuples(*[st.integers(0, 255)] * 3)


@given(colours, colours, colours)
def test_every_pair_that_is_read_stands_out(ground: Colour, ink: Colour, label: Colour) -> None:
    found = palette(ground, ink, label)
    assert found.ground == ground
    assert contrast(found.ink, found.ground) >= TEXT_CONTRAST
    assert contrast(found.label, found.ground) >= TEXT_CONTRAST
    assert contrast(found.deep, WHITE) >= TEXT_CONTRAST
    assert contrast(found.edge, WHITE) >= EDGE_CONTRAST


def test_colours_that_can_be_read_are_kept() -> None:
    ground, ink, label = (74, 28, 20), (255, 247, 235), (240, 190, 140)
    found = palette(ground, ink, label)
    assert (found.ground, found.ink, found.label, found.deep, found.edge) == (
        ground, ink, label, ground, ground,
    )  # fmt: skip
