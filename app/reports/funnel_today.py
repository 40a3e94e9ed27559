"""Today so far: what became by now of the visits that began today, told at once and compared with nothing.

A day that is not over has fewer of everything, and least of what takes time: it stands beside the funnel's
full days and never among them.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import date

from app.db import Tx
from app.places import store_tallies
from app.places.funnel_counts import Counts, Step
from app.places.store_tallies import Scope
from app.places.visits import VisitEventKind

TOLD: tuple[Step, ...] = ("page", "form", "code", "added")
"""After the scan; a first receipt and what follows come later than today."""
_COUNTED: tuple[VisitEventKind, ...] = ("scan", *TOLD)


def so_far(tx: Tx, scope: Scope, *, today: date) -> Counts:
    """The steps up to this moment, of the scope's visits of ``today`` (its own days are not looked at)."""
    found = store_tallies.sums(tx, replace(scope, first=today, last=today), by="venue", columns=_COUNTED)
    summed = map(sum, zip(*found.values(), strict=True)) if found else (0,) * len(_COUNTED)
    return Counts(**dict(zip(_COUNTED, summed, strict=True)))
