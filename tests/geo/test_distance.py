"""Distances, against known ones."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.geo.distance import EARTH_RADIUS, metres

latitudes, longitudes = st.floats(-90, 90), st.floats(-180, 180)


@pytest.mark.parametrize(
    ("here", "there", "kilometres"),
    [
        ((55.7558, 37.6173), (59.9391, 30.3159), 633),  # Moscow, St Petersburg
        ((51.5074, -0.1278), (40.7128, -74.0060), 5570),  # London, New York
        ((-16.5, 179.9), (-16.5, -179.9), 21.3),  # across the antimeridian
        ((90, 0), (-90, 0), 20_015),
        ((1, 2), (1, 2), 0),
    ],
)
def test_known_distances(here: tuple[float, float], there: tuple[float, float], kilometres: float) -> None:
    assert metres(*here, *there) / 1000 == pytest.approx(kilometres, rel=0.005, abs=0.001)


@given(latitudes, longitudes, latitudes, longitudes)
def test_a_way_is_as_long_back_and_never_longer_than_half_the_globe(
    a: float, b: float, c: float, d: float
) -> None:
    there = metres(a, b, c, d)
    assert 0 <= there <= EARTH_RADIUS * 3.1416
    assert metres(c, d, a, b) == pytest.approx(there, abs=0.01)
