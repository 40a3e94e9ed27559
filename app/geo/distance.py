"""Distances on the globe. Pure."""

from __future__ import annotations

from math import asin, cos, radians, sin, sqrt

EARTH_RADIUS = 6_371_008.8
"""Metres; the mean radius (IUGG)."""


def metres(latitude: float, longitude: float, other_latitude: float, other_longitude: float) -> float:
    """The great-circle distance between two points given in degrees (haversine; within 0.6 %)."""
    a, b = radians(latitude), radians(other_latitude)
    half_latitude, half_longitude = (b - a) / 2, radians(other_longitude - longitude) / 2
    chord = sin(half_latitude) ** 2 + cos(a) * cos(b) * sin(half_longitude) ** 2
    return 2 * EARTH_RADIUS * asin(min(1.0, sqrt(chord)))
