"""SQL about update tags after a restore."""

from __future__ import annotations

from sqlalchemy import case

from app.db import Tx, insert
from app.db.identifiers import PassTypeIdentifier, UpdateTag
from app.passes.tables import tag_counter


def lift_tag_to(tx: Tx, pass_type_identifier: PassTypeIdentifier, *, at_least: int) -> UpdateTag:
    """Move the counter (made where there is none) to ``at_least``, and by one at least; returns its value."""
    lifted = case((tag_counter.c.value < at_least, at_least), else_=tag_counter.c.value + 1)
    statement = (
        insert(tx, tag_counter)
        .values(pass_type_identifier=pass_type_identifier, value=at_least)
        .on_conflict_do_update(index_elements=["pass_type_identifier"], set_={"value": lifted})
        .returning(tag_counter.c.value)
    )
    return UpdateTag(tx.execute(statement).scalar_one())
