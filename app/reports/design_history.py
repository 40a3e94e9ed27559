"""Who published which version of a design: the audit log knows."""

from __future__ import annotations

from collections.abc import Mapping

from sqlalchemy import select

from app.accounts.tables import audit_entry, user_account
from app.db import Tx
from app.db.identifiers import BrandId, DesignId

_MOST = 500


def publishers(tx: Tx, brand_id: BrandId) -> Mapping[DesignId, str]:
    """The actor ("user:7", "cli:anna") by version, of the brand's newest 500 publications."""
    found = tx.execute(
        select(audit_entry.c.subject, audit_entry.c.actor)
        .where(audit_entry.c.brand_id == brand_id, audit_entry.c.action == "design.published")
        .order_by(audit_entry.c.at.desc(), audit_entry.c.id.desc())
        .limit(_MOST)
    )
    return {DesignId(int(row.subject.removeprefix("design "))): row.actor for row in found}


def names(tx: Tx, actors: set[str]) -> Mapping[str, str]:
    """What the users among these actors are called."""
    numbers = [int(actor.removeprefix("user:")) for actor in actors if actor.startswith("user:")]
    if not numbers:
        return {}
    found = tx.execute(
        select(user_account.c.id, user_account.c.name).where(user_account.c.id.in_(sorted(numbers)))
    )
    return {f"user:{row.id}": row.name for row in found}
