"""SQL of the tallies: how many visits took each step, by install link and day.

What a reader adds up is tallies and the changes that are not folded in yet, in one statement, so that it
never sees a change twice or not at all, whoever folds meanwhile.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from operator import add
from typing import Any

from sqlalchemy import (
    Column,
    ColumnElement,
    CompoundSelect,
    Date,
    FromClause,
    Integer,
    Select,
    Table,
    case,
    delete,
    func,
    literal_column,
    select,
    text,
    union_all,
)

from app.db import Id, Tx, Types, among, given, insert
from app.places.tables import install_link, placement, visit_change, visit_event, visit_tally

COLUMNS: tuple[str, ...] = tuple(column.name for column in visit_tally.c)[2:]
"""Steps, as columns of a tally."""
GROUPS: Mapping[str, Column[Any]] = {
    "venue": install_link.c.venue_id,
    "link": install_link.c.id,
    "placement": install_link.c.placement_id,
    "staff_member": install_link.c.staff_member_id,
}
"""What steps can be counted by, and the column that says it."""
_KEY = ("install_link_id", "day")
_LOCK = 0x7A11_1E5  # any number that nothing else of this database locks
_TALLY: Types = {"install_link_id": Id, "day": Date(), **dict.fromkeys(COLUMNS, Integer())}


@dataclass(frozen=True, slots=True, kw_only=True)
class Scope:
    """Whose visits, of which days; None: all."""

    brand_id: int
    first: date
    last: date
    venue_ids: Sequence[int] | None = None
    placement_kind: str | None = None
    invited: bool = False  # by staff members, and nothing else
    staff_member_id: int | None = None


@dataclass(frozen=True, slots=True)
class DaySum:
    """What came by one install link on one day."""

    day: date
    install_link_id: int
    steps: tuple[int, ...]  # as COLUMNS


def fold(tx: Tx, *, limit: int) -> int:
    """Take so many changes, the oldest first, into the tallies; returns how many there were.

    Two at a time take different ones.
    """
    oldest = (
        select(visit_change.c.id).order_by(visit_change.c.id).limit(limit).with_for_update(skip_locked=True)
    )
    taken = tx.execute(
        delete(visit_change)
        .where(visit_change.c.id.in_(oldest))
        .returning(
            visit_change.c.install_link_id, visit_change.c.day, visit_change.c.kind, visit_change.c.change
        )
    ).all()
    sums: dict[tuple[int, date], dict[str, int]] = {}
    for link_id, day, kind, change in taken:
        steps = sums.setdefault((link_id, day), dict.fromkeys(COLUMNS, 0))
        steps[kind] += change
    if sums:
        # In one order, so that two who fold wait for each other and never both.
        _add(tx, [{"install_link_id": key[0], "day": key[1], **sums[key]} for key in sorted(sums)])
    return len(taken)


def mend(tx: Tx) -> int:
    """Have the tallies follow from the events where they do not; returns how many changes that took.

    One statement, so that a step that is written meanwhile is either seen with its change or not at all; one
    at a time until its transaction ends, or two would mend the same. SQLite has one writer anyway.
    """
    if tx.dialect.name == "postgresql":
        tx.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": _LOCK})
    counted = _tall(visit_event, func.count(visit_event.c.visit_id))
    told = union_all(
        counted,
        select(*(visit_change.c[name] for name in _KEY), visit_change.c.kind, -visit_change.c.change),
        *(
            select(
                *(visit_tally.c[name] for name in _KEY),
                literal_column(f"'{kind}'").label("kind"),
                -visit_tally.c[kind],
            )
            for kind in COLUMNS
        ),
    ).subquery("told")
    key = [told.c[name] for name in (*_KEY, "kind")]
    drift = func.sum(told.c.n)
    wrong = select(*key, drift).group_by(*key).having(drift != 0)
    statement = visit_change.insert().from_select([*_KEY, "kind", "change"], wrong)
    done = tx.execute(statement, execution_options={"preserve_rowcount": True})
    return int(done.rowcount)


def sums_query(scope: Scope, *, by: str, columns: Sequence[str] = COLUMNS) -> CompoundSelect[Any]:
    """Steps of the scope's visits per link, with the link's group; what is not folded has rows of its own.

    Goes links of the brand → their days, in the order in which both are kept: nothing has to be sorted.
    """
    key = (GROUPS[by].label("group_id"), install_link.c.id.label("link_id"))
    folded = select(*key, *(func.sum(visit_tally.c[kind]) for kind in columns))
    fresh = select(*key, *(func.sum(_fresh(kind)) for kind in columns))
    return union_all(
        *(
            _of(scope, statement, table).where(GROUPS[by].is_not(None)).group_by(install_link.c.id)
            for statement, table in ((folded, visit_tally), (fresh, visit_change))
        )
    )


def sums(tx: Tx, scope: Scope, *, by: str, columns: Sequence[str] = COLUMNS) -> dict[int, list[int]]:
    """By group, what :func:`sums_query` finds: as ``columns``; who has none of it is left out."""
    found: dict[int, list[int]] = {}
    for group_id, _, *steps in tx.execute(sums_query(scope, by=by, columns=columns)):
        before = found.get(group_id)
        found[group_id] = list(map(int, steps if before is None else map(add, before, steps)))
    return found


def days(tx: Tx, scope: Scope, *, at_once: int = 1000) -> Iterator[DaySum]:
    """Every link's days, by day and link, some at a time: memory does not grow with the period."""
    present = _present(scope, install_link.c.id.label("group_id"), visit_tally.c.day)
    key = (present.c.day, present.c.group_id)
    statement = select(*key, *(func.sum(present.c[kind]) for kind in COLUMNS)).group_by(*key).order_by(*key)
    for row in tx.execute(statement, execution_options={"yield_per": at_once}):
        yield DaySum(row[0], int(row[1]), tuple(map(int, row[2:])))


def _present(scope: Scope, *key: ColumnElement[Any]) -> FromClause:
    """Tallies of the scope, and what is not folded into them yet; ``key`` says of whom and when."""
    fresh_key = [visit_change.c.day if column is visit_tally.c.day else column for column in key]
    folded = select(*key, *(visit_tally.c[kind] for kind in COLUMNS))
    fresh = select(*fresh_key, *(_fresh(kind).label(kind) for kind in COLUMNS))
    return union_all(_of(scope, folded, visit_tally), _of(scope, fresh, visit_change)).subquery("present")


def _fresh(kind: str) -> ColumnElement[int]:
    """What a change adds to this step."""
    return case((visit_change.c.kind == kind, visit_change.c.change), else_=0)


def _of(scope: Scope, statement: Select[Any], table: Table) -> Select[Any]:
    """The rows of ``table`` that are within the scope."""
    statement = statement.join_from(install_link, table, table.c.install_link_id == install_link.c.id).where(
        install_link.c.brand_id == scope.brand_id, table.c.day >= scope.first, table.c.day <= scope.last
    )
    if scope.venue_ids is not None:
        statement = statement.where(among(install_link.c.venue_id, list(scope.venue_ids)))
    if scope.placement_kind is not None:
        statement = statement.join(placement, placement.c.id == install_link.c.placement_id).where(
            placement.c.kind == scope.placement_kind
        )
    if scope.invited:
        statement = statement.where(install_link.c.staff_member_id.is_not(None))
    if scope.staff_member_id is not None:
        statement = statement.where(install_link.c.staff_member_id == scope.staff_member_id)
    return statement


def _tall(table: Any, n: Any) -> Select[Any]:
    """A row per key and kind."""
    key = (*(table.c[name] for name in _KEY), table.c.kind)
    return select(*key, n.label("n")).group_by(*key)


def _add(tx: Tx, rows: Sequence[Mapping[str, Any]]) -> None:
    """Add to the tallies, making those that are missing, by one statement."""
    source = given(tx, rows, _TALLY)
    statement = insert(tx, visit_tally).from_select(
        [*_KEY, *COLUMNS],
        # The condition tells SQLite's parser that "ON" begins no join.
        select(*(source.c[name] for name in _TALLY)).where(source.c.day.is_not(None)),
    )
    tx.execute(
        statement.on_conflict_do_update(
            index_elements=list(_KEY),
            set_={kind: visit_tally.c[kind] + statement.excluded[kind] for kind in COLUMNS},
        )
    )
