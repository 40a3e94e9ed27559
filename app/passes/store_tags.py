"""SQL of update tags: one counter for each pass type identifier."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache
from typing import Any

from sqlalchemy import Text, bindparam, literal, select, true

from app.db import Tx, Types, given_later, packed
from app.db.identifiers import PassTypeIdentifier, UpdateTag
from app.db.upsert import insert_in
from app.passes.tables import tag_counter

_TYPE: Types = {"pass_type_identifier": Text()}


def next_tag(tx: Tx, pass_type_identifier: PassTypeIdentifier) -> UpdateTag:
    """The counter's next value. It stays locked until the transaction ends: take it late.

    That is what makes tags visible in their order. A sequence's values commit out of order, and a phone that
    polls in between never hears of the earlier one.
    """
    counted = tx.execute(counting(tx.dialect.name), types_to_count(tx, [pass_type_identifier]))
    tag: UpdateTag = counted.one().value
    return tag


def types_to_count(tx: Tx, pass_types: Iterable[PassTypeIdentifier]) -> dict[str, str]:
    """The parameters of :func:`counting`."""
    rows = [{"pass_type_identifier": pass_type} for pass_type in sorted(set(pass_types))]
    return {"pass_types": packed(tx.dialect, rows, _TYPE)}


@cache
def counting(dialect: str) -> Any:
    """The statement that takes the next tag of each type, in one order for all; returns type and value."""
    types = given_later(dialect, bindparam("pass_types", type_=Text()), _TYPE)
    first = select(types.c.pass_type_identifier, literal(1)).where(true())
    return (
        insert_in(dialect, tag_counter)
        .from_select(["pass_type_identifier", "value"], first.order_by(types.c.pass_type_identifier))
        .on_conflict_do_update(
            index_elements=[tag_counter.c.pass_type_identifier], set_={"value": tag_counter.c.value + 1}
        )
        .returning(tag_counter.c.pass_type_identifier, tag_counter.c.value)
    )


def counted_types(tx: Tx) -> list[PassTypeIdentifier]:
    """Every pass type identifier that has a tag counter, sorted."""
    return list(
        tx.scalars(select(tag_counter.c.pass_type_identifier).order_by(tag_counter.c.pass_type_identifier))
    )
