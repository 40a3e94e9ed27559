"""Today so far: what became by now of the visits that began today, told at once and compared with nothing.

A day that is not over has fewer of everything, and least of what takes time: it stands beside the funnel's
full days and never among them.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import date, datetime
from zoneinfo import ZoneInfo

from app.db import Tx
from app.places import store_tallies
from app.places.funnel_counts import Counts, Step
from app.places.store_tallies import Scope
from app.places.venues import Venue
from app.places.visits import VisitEventKind

TOLD: tuple[Step, ...] = ("page", "form", "code", "added")
"""After the scan; a first receipt and what follows come later than today."""
_COUNTED: tuple[VisitEventKind, ...] = ("scan", *TOLD)


def so_far(tx: Tx, scope: Scope, venues: Iterable[Venue], *, now: datetime) -> Counts:
    """The steps up to ``now``, of the scope's visits of today (its own days are not looked at).

    Today is each venue's own: by its clock a visit is given its day. ``venues`` are at least the scope's, and
    of a scope of them all just these are counted.
    """
    asked = None if scope.venue_ids is None else set(scope.venue_ids)
    by_date: dict[date, list[int]] = {}
    for venue in venues:
        if asked is None or venue.id in asked:
            today = now.astimezone(ZoneInfo(venue.time_zone)).date()
            by_date.setdefault(today, []).append(venue.id)
    total = [0] * len(_COUNTED)
    for today, venue_ids in by_date.items():
        one = replace(scope, first=today, last=today, venue_ids=sorted(venue_ids))
        for steps in store_tallies.sums(tx, one, by="venue", columns=_COUNTED).values():
            total = [before + more for before, more in zip(total, steps, strict=True)]
    return Counts(**dict(zip(_COUNTED, total, strict=True)))
