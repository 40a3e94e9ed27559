"""SQL of the funnel: steps counted by what they are steps of, each venue within its own days."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Column, Select, and_, func, select

from app.db import Id, Tx, Types, UtcDateTime, given
from app.places.tables import install_link, visit_event

GROUPS: Mapping[str, Column[Any]] = {
    "venue": install_link.c.venue_id,
    "link": install_link.c.id,
    "placement": install_link.c.placement_id,
    "staff_member": install_link.c.staff_member_id,
}
"""What steps can be counted by, and the column that says it."""

_WINDOW: Types = {"venue_id": Id, "since": UtcDateTime(), "until": UtcDateTime()}


@dataclass(frozen=True, slots=True)
class Window:
    """From when until just before when a venue's visits began."""

    venue_id: int
    since: datetime
    until: datetime


@dataclass(frozen=True, slots=True)
class CountRow:
    """How many visits of one group took one step."""

    group_id: int
    kind: str
    visits: int


def counts_query(tx: Tx, windows: Sequence[Window], *, by: str) -> Select[Any]:
    """Steps of the visits that began within the windows, per group and kind; without a group, left out.

    Goes windows → links of the venue → their steps by date, from the index alone.
    """
    group = GROUPS[by]
    window = given(tx, [asdict(each) for each in windows], _WINDOW)
    return (
        select(group, visit_event.c.kind, func.count())
        .select_from(window)
        .join(install_link, install_link.c.venue_id == window.c.venue_id)
        .join(
            visit_event,
            and_(
                visit_event.c.install_link_id == install_link.c.id,
                visit_event.c.began_at >= window.c.since,
                visit_event.c.began_at < window.c.until,
            ),
        )
        .where(group.is_not(None))
        .group_by(group, visit_event.c.kind)
        .order_by(group)
    )


def counts(tx: Tx, windows: Sequence[Window], *, by: str) -> list[CountRow]:
    """What :func:`counts_query` finds."""
    return [CountRow(*row) for row in tx.execute(counts_query(tx, windows, by=by))]
