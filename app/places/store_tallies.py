"""SQL of the tallies: how many visits took each step, by install link and day.

What a reader adds up is tallies and the changes that are not folded in yet, in one statement, so that it
never sees a change twice or not at all, whoever folds meanwhile.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import cache
from typing import Any

from sqlalchemy import (
    Column,
    ColumnElement,
    Date,
    FromClause,
    Integer,
    Select,
    Table,
    Text,
    and_,
    bindparam,
    case,
    delete,
    func,
    literal_column,
    or_,
    select,
    text,
    union_all,
)

from app.db import Id, Identifiers, Tx, Types, among, given, insert
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
class Part:
    """Days, and the steps that are counted of them."""

    first: date = date.min
    last: date = date.max
    columns: tuple[str, ...] = COLUMNS


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


def sums_query(dialect: str, scope: Scope, *, by: str, parts: Sequence[Part] = (Part(),)) -> Select[Any]:
    """A row for each group: its id, then for each of the ``parts`` how many visits took each of its steps.

    Goes links of the brand → their days. Built once for all scopes of one shape; :func:`values` tell them
    apart.
    """
    return _sums_query(dialect, _shape(scope), by, tuple(part.columns for part in parts))


@cache
def _sums_query(dialect: str, shape: _Shape, by: str, parts: tuple[tuple[str, ...], ...]) -> Select[Any]:
    key = GROUPS[by].label("group_id")
    wanted = [(f"{kind}_{number}", kind, number) for number, part in enumerate(parts) for kind in part]

    def rows(table: Table, counted: Callable[[str], ColumnElement[int]]) -> Select[Any]:
        sums = []
        for name, kind, number in wanted:
            whole = func.sum(counted(kind))
            sums.append((whole if len(parts) == 1 else whole.filter(_within(table, number))).label(name))
        found = _of(shape, select(key, *sums), table).where(GROUPS[by].is_not(None))
        # SQLite has the days in the order of their links, and nothing to sort then.
        return found.group_by(install_link.c.id if dialect == "sqlite" else GROUPS[by])

    both = (rows(visit_tally, lambda kind: visit_tally.c[kind]), rows(visit_change, _fresh))
    links = union_all(*both).subquery("links")
    sums = (func.coalesce(func.sum(links.c[name]), 0) for name, _, _ in wanted)
    return select(links.c.group_id, *sums).group_by(links.c.group_id)


def sums_of(tx: Tx, scope: Scope, *, by: str, parts: Sequence[Part]) -> list[dict[int, list[int]]]:
    """For each part by group how many visits took its steps; the scope's own days are not looked at.

    A group that has nothing may be left out. PostgreSQL reads all days once for all parts; SQLite does not
    gain by that, and finds the days of each by their key.
    """
    if tx.dialect.name == "sqlite" and len(parts) > 1:
        return [sums_of(tx, scope, by=by, parts=[part])[0] for part in parts]
    query = sums_query(tx.dialect.name, scope, by=by, parts=parts)
    found: list[dict[int, list[int]]] = [{} for _ in parts]
    for row in tx.execute(query, values(scope, parts)).all():
        begin = 1
        for part, sums in zip(parts, found, strict=True):
            sums[row[0]] = list(map(int, row[begin : begin + len(part.columns)]))
            begin += len(part.columns)
    return found


def sums(tx: Tx, scope: Scope, *, by: str, columns: Sequence[str] = COLUMNS) -> dict[int, list[int]]:
    """By group how many visits of the scope took these steps; who has none of it is left out."""
    part = Part(scope.first, scope.last, tuple(columns))
    return sums_of(tx, scope, by=by, parts=[part])[0]


def days(tx: Tx, scope: Scope, *, at_once: int = 1000) -> Iterator[DaySum]:
    """Every link's days, by day and link, some at a time: memory does not grow with the period."""
    rows = tx.execute(_days_query(_shape(scope)), values(scope), execution_options={"yield_per": at_once})
    for row in rows:
        yield DaySum(row[0], int(row[1]), tuple(map(int, row[2:])))


def count_days(tx: Tx, scope: Scope) -> int:
    """How many of them there are: known before any is written into a file that has an end."""
    counted = select(func.count()).select_from(_days_query(_shape(scope)).order_by(None).subquery())
    return int(tx.scalar(counted, values(scope)) or 0)


def had_days(tx: Tx, venue_id: int, *, before: date) -> bool:
    """Whether anything was counted by any link of a venue, a retired one too, on a day before this one."""
    links = select(install_link.c.id).where(install_link.c.venue_id == venue_id)
    past = (
        select(table.c.day).where(table.c.install_link_id.in_(links), table.c.day < before).exists()
        for table in (visit_tally, visit_change)
    )
    return bool(tx.scalar(select(or_(*past))))


@cache
def _days_query(shape: _Shape) -> Select[Any]:
    present = _present(shape, install_link.c.id.label("group_id"), visit_tally.c.day)
    key = (present.c.day, present.c.group_id)
    return select(*key, *(func.sum(present.c[kind]) for kind in COLUMNS)).group_by(*key).order_by(*key)


def _present(shape: _Shape, *key: ColumnElement[Any]) -> FromClause:
    """Tallies of a scope, and what is not folded into them yet; ``key`` says of whom and when."""
    fresh_key = [visit_change.c.day if column is visit_tally.c.day else column for column in key]
    folded = select(*key, *(visit_tally.c[kind] for kind in COLUMNS))
    fresh = select(*fresh_key, *(_fresh(kind).label(kind) for kind in COLUMNS))
    return union_all(_of(shape, folded, visit_tally), _of(shape, fresh, visit_change)).subquery("present")


def _fresh(kind: str) -> ColumnElement[int]:
    """What a change adds to this step."""
    return case((visit_change.c.kind == kind, visit_change.c.change), else_=0)


_Shape = frozenset[str]
"""Which of a scope's fields narrow it, by name."""
_NARROWING: Mapping[str, Callable[[], ColumnElement[bool]]] = {
    "venue_ids": lambda: among(install_link.c.venue_id, bindparam("venue_ids", type_=Identifiers())),
    "placement_kind": lambda: placement.c.kind == bindparam("placement_kind", type_=Text()),
    "invited": lambda: install_link.c.staff_member_id.is_not(None),
    "staff_member_id": lambda: install_link.c.staff_member_id == bindparam("staff_member_id", type_=Id),
}


def _shape(scope: Scope) -> _Shape:
    asked = {name: getattr(scope, name) for name in _NARROWING}
    return frozenset(name for name, value in asked.items() if value is not None and value is not False)


def values(scope: Scope, parts: Sequence[Part] = ()) -> dict[str, Any]:
    """What the statements about a scope, and about parts of its days, are executed with."""
    given = {name: getattr(scope, name) for name in _shape(scope) - {"invited"}}
    first = min((part.first for part in parts), default=scope.first)
    last = max((part.last for part in parts), default=scope.last)
    for number, part in enumerate(parts if len(parts) > 1 else ()):
        given |= {f"first_{number}": part.first, f"last_{number}": part.last}
    return {"brand_id": scope.brand_id, "first": first, "last": last, **given}


def _within(table: Table, number: int) -> ColumnElement[bool]:
    first, last = (bindparam(f"{end}_{number}", type_=Date()) for end in ("first", "last"))
    return and_(table.c.day >= first, table.c.day <= last)


def _of(shape: _Shape, statement: Select[Any], table: Table) -> Select[Any]:
    """The rows of ``table`` that are within a scope of this shape."""
    statement = statement.join_from(install_link, table, table.c.install_link_id == install_link.c.id)
    if "placement_kind" in shape:
        statement = statement.join(placement, placement.c.id == install_link.c.placement_id)
    return statement.where(
        install_link.c.brand_id == bindparam("brand_id", type_=Id),
        table.c.day >= bindparam("first", type_=Date()),
        table.c.day <= bindparam("last", type_=Date()),
        *(_NARROWING[name]() for name in sorted(shape)),
    )


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
