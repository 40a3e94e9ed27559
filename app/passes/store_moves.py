"""SQL of living passes that change their design version: which are of one, and what they become."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Integer, bindparam, select

from app.db import Id, Identifiers, Tx, Types, UtcDateTime, among
from app.db.identifiers import DesignId, PassTypeIdentifier, WalletPassId
from app.passes import store_passes
from app.passes.tables import wallet_pass


@dataclass(frozen=True, slots=True)
class Edition:
    """Which version of a pass there is, without what it says."""

    id: WalletPassId
    pass_type_identifier: PassTypeIdentifier
    version: int
    last_modified: datetime


@dataclass(frozen=True, slots=True)
class Move:
    """A pass in the edition that it has from now on, of another design version."""

    edition: Edition
    design_id: DesignId
    previous_design_id: DesignId | None  # the way back, where there is one


_EDITION = (
    wallet_pass.c.id,
    wallet_pass.c.pass_type_identifier,
    wallet_pass.c.version,
    wallet_pass.c.last_modified,
)
_LIVES = wallet_pass.c.voided_at.is_(None)  # a tombstone stays as it is; a card that is blocked lives
_EDITIONS_OF_DESIGN = (
    select(*_EDITION, wallet_pass.c.previous_design_id)
    .where(
        wallet_pass.c.design_id == bindparam("of_design_id"),
        wallet_pass.c.id > bindparam("after"),
        _LIVES,
    )
    .order_by(wallet_pass.c.id)
    .limit(bindparam("most"))
    .with_for_update()
)
_EDITIONS = (
    select(*_EDITION)
    .where(
        among(wallet_pass.c.id, bindparam("ids", type_=Identifiers())),
        wallet_pass.c.design_id == bindparam("of_design_id"),
        _LIVES,
    )
    .order_by(wallet_pass.c.id)
    .with_for_update()
)
_CARDS_OF_DESIGN = (
    select(wallet_pass.c.id)
    .where(
        wallet_pass.c.design_id == bindparam("of_design_id"),
        wallet_pass.c.id > bindparam("after"),
        _LIVES,
    )
    .order_by(wallet_pass.c.id)
    .limit(bindparam("most"))
)
_MOVED: Types = {
    "pass_id": Id,
    "design_id": Id,
    "version": Integer(),
    "last_modified": UtcDateTime(),
    "previous_design_id": Id,
}


def lock_of_design(
    tx: Tx, design_id: DesignId, *, after: WalletPassId, limit: int
) -> list[tuple[Edition, DesignId | None]]:
    """The first passes of a design version beyond ``after``, sorted and locked; with where they came from."""
    rows = tx.execute(_EDITIONS_OF_DESIGN, {"of_design_id": design_id, "after": after, "most": limit})
    return [(Edition(*row[:4]), row.previous_design_id) for row in rows]


def lock_editions(tx: Tx, design_id: DesignId, pass_ids: Sequence[WalletPassId]) -> list[Edition]:
    """Those of the passes that are of the design version, sorted and locked."""
    rows = tx.execute(_EDITIONS, {"of_design_id": design_id, "ids": sorted(set(pass_ids))})
    return [Edition(*row) for row in rows]


def cards_of_design(tx: Tx, design_id: DesignId, *, after: WalletPassId, limit: int) -> list[WalletPassId]:
    """The first passes of a design version beyond ``after``, in order; an index alone is read."""
    found = tx.scalars(_CARDS_OF_DESIGN, {"of_design_id": design_id, "after": after, "most": limit})
    return [WalletPassId(number) for number in found]


def write_moved(tx: Tx, moved: Sequence[Move]) -> None:
    """Give passes another design version, in the edition that they have from now on, under the next tags."""
    rows = [
        {
            "pass_id": each.edition.id,
            "design_id": each.design_id,
            "version": each.edition.version,
            "last_modified": each.edition.last_modified,
            "previous_design_id": each.previous_design_id,
        }
        for each in moved
    ]
    store_passes.write_rows(tx, {each.edition.pass_type_identifier for each in moved}, rows, _MOVED)
