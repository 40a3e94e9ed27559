"""Many values as one parameter, so that a statement's text does not depend on how many there are.

A list of 500 identifiers spelt out is 500 parameters: SQLAlchemy renders them and PostgreSQL parses and plans
them anew each time. As one array (PostgreSQL) or one JSON text (SQLite) the statement is prepared once, and
rows are written by one statement instead of one each.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from sqlalchemy import (
    ARRAY,
    JSON,
    BigInteger,
    Boolean,
    ColumnElement,
    Dialect,
    FromClause,
    Text,
    cast,
    column,
    func,
    literal,
    select,
    type_coerce,
)
from sqlalchemy.dialects import postgresql
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.functions import FunctionElement
from sqlalchemy.types import TypeDecorator, TypeEngine

from app.db.engine import Tx

_POSTGRESQL: Dialect = postgresql.dialect()  # type: ignore[no-untyped-call]


class Identifiers(TypeDecorator[Sequence[int]]):
    """The type of a parameter that holds any number of row ids."""

    impl = Text
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        """``bigint[]``, or text on SQLite."""
        if dialect.name == "postgresql":
            return dialect.type_descriptor(ARRAY(BigInteger()))
        return dialect.type_descriptor(Text())

    def process_bind_param(self, value: Sequence[int] | None, dialect: Dialect) -> Any:
        """A list, or a JSON array on SQLite."""
        given = [int(one) for one in value or ()]
        return given if dialect.name == "postgresql" else json.dumps(given)


class among(FunctionElement[bool]):  # noqa: N801 - reads as the operator it is
    """``among(column, ids)``: it is one of ``ids``, a list or a ``bindparam(type_=Identifiers())``."""

    type = Boolean()
    inherit_cache = True

    def __init__(self, one: ColumnElement[Any], ids: Sequence[int] | ColumnElement[Any]) -> None:
        super().__init__(one, ids if isinstance(ids, ColumnElement) else literal(ids, Identifiers()))

    def self_group(self, against: Any = None) -> Any:  # noqa: ARG002
        """Itself: SQLite would get ``(… IN …) = 1``, and use no index for that."""
        return self


@compiles(among, "postgresql")
def _among_postgresql(element: among, compiler: Any, **options: Any) -> str:
    one, ids = element.clauses
    return f"{compiler.process(one, **options)} = ANY ({compiler.process(ids, **options)})"


@compiles(among, "sqlite")
def _among_sqlite(element: among, compiler: Any, **options: Any) -> str:
    one, ids = element.clauses
    values = f"SELECT value FROM json_each({compiler.process(ids, **options)})"  # noqa: S608 - a parameter
    return f"{compiler.process(one, **options)} IN ({values})"


Types = Mapping[str, TypeEngine[Any]]
"""Names and types of the columns of :func:`given`."""


def given(tx: Tx, rows: Sequence[Mapping[str, Any]], types: Types) -> FromClause:
    """``rows`` as a table to select or update from; ``types`` names its columns."""
    return given_later(tx.dialect.name, literal(packed(tx.dialect, rows, types), Text()), types)


def given_later(dialect: str, rows: ColumnElement[Any], types: Types) -> FromClause:
    """The same for a statement that is built once: ``rows`` is a parameter that gets :func:`packed` ones.

    ``dialect`` is a name, as ``functools.cache`` wants it: statements are kept by that everywhere.
    """
    if dialect == "postgresql":
        columns = (column(name, type_.dialect_impl(_POSTGRESQL)) for name, type_ in types.items())
        records = func.jsonb_to_recordset(cast(rows, JSONB))
        return records.table_valued(*columns).render_derived(name="given", with_types=True)
    each = func.json_each(rows).table_valued("value", name="each")
    return select(
        *(
            type_coerce(func.json_extract(each.c.value, f"$.{name}"), type_).label(name)
            for name, type_ in types.items()
        )
    ).subquery("given")


def packed(dialect: Dialect, rows: Sequence[Mapping[str, Any]], types: Types) -> str:
    """Rows as one parameter, values as the driver would write them; JSON stays a part of the whole."""
    writers: dict[str, Callable[[Any], Any]] = {}
    for name, type_ in types.items():
        writer = None if _is_json(type_) else type_.dialect_impl(dialect).bind_processor(dialect)
        if writer is not None:
            writers[name] = writer
    whole = [
        {name: writers[name](row[name]) if name in writers else row[name] for name in types} for row in rows
    ]
    return json.dumps(whole, ensure_ascii=False, separators=(",", ":"), default=str)


def _is_json(type_: TypeEngine[Any]) -> bool:
    return type_._type_affinity is JSON
