"""Many values as one parameter: every type comes back as it went in, and an index is still used."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import BigInteger, Column, Float, Integer, MetaData, Table, Text, insert, select, text, update

from app.db import Database, Id, Json, Types, UtcDateTime, among
from app.db import given as given_rows

_metadata = MetaData()
_thing = Table(
    "thing",
    _metadata,
    Column("id", Id, primary_key=True),
    Column("amount", BigInteger),
    Column("share", Float),
    Column("name", Text),
    Column("at", UtcDateTime),
    Column("content", Json),
)
TYPES: Types = {
    "id": Id,
    "amount": BigInteger(),
    "share": Float(),
    "name": Text(),
    "at": UtcDateTime(),
    "content": Json,
}
_words = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=20)
_rows = st.lists(
    st.fixed_dictionaries(
        {
            "id": st.integers(1, 2**62),
            "amount": st.none() | st.integers(-(2**63), 2**63 - 1),
            "share": st.none() | st.floats(-1e9, 1e9, allow_nan=False),
            "name": st.none() | _words,
            "at": st.none()
            | st.datetimes(
                datetime(1971, 1, 1),
                datetime(2200, 1, 1),
                timezones=st.sampled_from([UTC, timezone(timedelta(hours=3))]),
            ),
            "content": st.dictionaries(_words, st.none() | st.booleans() | st.integers(-9, 9) | _words),
        }
    ),
    max_size=5,
    unique_by=lambda row: str(row["id"]),
)


@pytest.fixture
def things(database: Database) -> Database:
    with database.write() as tx:
        _metadata.create_all(tx)
    return database


@given(rows=_rows)
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_every_value_comes_back_as_it_went_in(things: Database, rows: list[dict[str, Any]]) -> None:
    with things.write() as tx:
        tx.execute(text("DELETE FROM thing"))
        new = given_rows(tx, rows, TYPES)
        tx.execute(insert(_thing).from_select(list(TYPES), select(*new.c)))
        found = tx.execute(select(_thing).order_by(_thing.c.id)).mappings().all()
    assert [dict(row) for row in found] == sorted(rows, key=lambda row: int(row["id"]))


def test_many_rows_are_changed_by_one_statement(things: Database) -> None:
    with things.write() as tx:
        tx.execute(insert(_thing), [{"id": number, "amount": 0} for number in range(1, 1001)])
        new = given_rows(
            tx,
            [{"id": number, "amount": -number} for number in range(1, 1001, 2)],
            {"id": Id, "amount": Integer()},
        )
        tx.execute(update(_thing).where(_thing.c.id == new.c.id).values(amount=new.c.amount))
        amounts = tx.execute(select(_thing.c.id, _thing.c.amount)).all()
    assert {row.id: row.amount for row in amounts} == {
        number: -number if number % 2 else 0 for number in range(1, 1001)
    }


def test_a_long_list_of_identifiers_is_looked_up_in_the_index(things: Database) -> None:
    with things.write() as tx:
        tx.execute(insert(_thing), [{"id": number} for number in range(1, 5001)])
        tx.execute(text("ANALYZE"))
        statement = select(_thing.c.id).where(among(_thing.c.id, range(4990, 6000)), _thing.c.name.is_(None))
        assert sorted(tx.scalars(statement)) == list(range(4990, 5001))
        assert list(tx.scalars(select(_thing.c.id).where(among(_thing.c.id, [])))) == []
        compiled = statement.compile(tx)
        prefix = "EXPLAIN QUERY PLAN " if things.is_sqlite else "EXPLAIN "
        values = compiled.construct_params()
        ids = "[1,2]" if things.is_sqlite else [1, 2]
        plan = str(tx.exec_driver_sql(prefix + str(compiled), _driver(values, ids, things)).all())
    assert "SCAN thing" not in plan
    assert "Seq Scan" not in plan


def _driver(values: Mapping[str, Any], ids: Any, database: Database) -> Any:
    return (ids,) if database.is_sqlite else dict.fromkeys(values, ids)
