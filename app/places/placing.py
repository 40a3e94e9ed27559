"""Placing codes: several placements of one kind at once, each with an install link of its own.

What a manager does in one tap: tables 1 to 20. Doing it again adds only what is missing.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from app.accounts import checks
from app.db import Tx
from app.db.identifiers import PlacementId, ProgrammeId, VenueId
from app.errors import BadInput
from app.places import links, placements
from app.places.links import InstallLink

MOST_AT_ONCE = 60
"""So that no transaction keeps tills waiting: each placement takes a handful of statements."""

_RUN = re.compile(r"(\d{1,18})\s*(?:[-–—…]|\.\.)\s*(\d{1,18})")


@dataclass(frozen=True, slots=True)
class Placed:
    """The living link of every name that was asked for, in that order, and how many of them are new."""

    links: list[InstallLink]
    new: int


def names(said: str) -> list[str]:
    """``"1-20"`` as twenty names, ``"bar, terrace, 7"`` as three; each once, in the order given.

    Raises BadInput where nothing is said, a run goes backwards, or there are more than :data:`MOST_AT_ONCE`.
    """
    found: dict[str, None] = {}
    for part in (each.strip() for each in said.split(",")):
        if run := _RUN.fullmatch(part):
            first, last = int(run[1]), int(run[2])
            if last < first:
                raise BadInput("bad-run", f"{part}: begin with the smaller number", field="names")
            _refuse_many(last - first + 1)
            found.update(dict.fromkeys(str(number) for number in range(first, last + 1)))
        elif part:
            found[checks.name(part, field="names")] = None
    if not found:
        raise BadInput("empty", "Say which: 7, or 1-20, or bar, terrace", field="names")
    _refuse_many(len(found))
    return list(found)


def place(
    tx: Tx,
    *,
    venue_id: VenueId,
    programme_id: ProgrammeId,
    kind: str,
    names: Sequence[str],
    now: datetime,
    actor: str,
) -> Placed:
    """Let every name be a placement of that kind with a living link to the programme's form.

    Raises BadInput, Conflict for a closed venue, NotFound.
    """
    _refuse_many(len(names))
    there = {p.name: p.id for p in placements.placements_of_venue(tx, venue_id) if p.kind == kind}
    living: dict[PlacementId, InstallLink] = {
        link.placement_id: link
        for link in links.links_of_venue(tx, venue_id)
        if link.placement_id is not None and link.retired_at is None and link.programme_id == programme_id
    }
    found, new = [], 0
    for name in names:
        number = there.get(name)
        if number is None:
            made = placements.create_placement(
                tx, venue_id=venue_id, kind=kind, name=name, now=now, actor=actor
            )
            number = made.id
        if number not in living:
            living[number] = links.create_link(
                tx, programme_id=programme_id, venue_id=venue_id, placement_id=number, now=now, actor=actor
            )
            new += 1
        found.append(living[number])
    return Placed(found, new)


def _refuse_many(count: int) -> None:
    if count > MOST_AT_ONCE:
        raise BadInput("too-many", f"{count} at once: place at most {MOST_AT_ONCE}", field="names")
