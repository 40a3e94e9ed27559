"""What hangs in a venue: its install links with what each is for, in the order in which people look."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Literal, get_args

from app.accounts import staff
from app.db import Tx
from app.places import links, placements
from app.places.links import InstallLink
from app.places.venues import Venue

Purpose = Literal["venue", "table", "till", "door", "poster", "other", "staff"]
"""The venue's own link, one of a kind of placement, or a person's who invites."""

PURPOSES: tuple[Purpose, ...] = get_args(Purpose)


@dataclass(frozen=True, slots=True)
class Hanging:
    """A link and what it is for; ``name`` is the placement's or the person's, empty for the venue's own."""

    link: InstallLink
    purpose: Purpose
    name: str


def hangings(
    tx: Tx, venue: Venue, *, purposes: Collection[Purpose] = PURPOSES, retired: bool = False
) -> list[Hanging]:
    """The venue's living links for these purposes (its ``retired`` ones instead), table 2 before table 10."""
    spots = {spot.id: spot for spot in placements.placements_of_venue(tx, venue.id)}
    people = {person.id: person.name for person in staff.staff_of_brand(tx, venue.brand_id)}

    def hanging(link: InstallLink) -> Hanging:
        if link.placement_id is not None:
            spot = spots[link.placement_id]
            return Hanging(link, spot.kind, spot.name)
        if link.staff_member_id is not None:
            return Hanging(link, "staff", people[link.staff_member_id])
        return Hanging(link, "venue", "")

    found = [
        hanging(link)
        for link in links.links_of_venue(tx, venue.id)
        if (link.retired_at is not None) == retired
    ]
    return sorted((each for each in found if each.purpose in purposes), key=_order)


def _order(each: Hanging) -> tuple[int, int, str, int]:
    number = int(each.name) if each.name.isdecimal() else 0
    return PURPOSES.index(each.purpose), number, each.name, each.link.id
