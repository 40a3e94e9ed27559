"""SQL of staged roll-outs."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from sqlalchemy import RowMapping, Select, case, exists, select, text, update

from app.db import Tx, insert
from app.db.identifiers import DesignId, ProgrammeId, RolloutId, WalletPassId
from app.passes.tables import GOING_ON, design, rollout, wallet_pass

State = Literal["running", "waiting", "stopped", "done", "superseded", "going_back", "taken_back"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Rollout:
    """A roll-out, and where the worker is with it."""

    id: RolloutId
    programme_id: ProgrammeId
    source_design_id: DesignId  # the version before
    target_design_id: DesignId
    state: State
    stage: int  # from 0
    at_design_id: DesignId | None  # whose cards are looked at; None: the first version's
    after_pass_id: WalletPassId
    started_at: datetime
    updated_at: datetime  # of the state and the stage


def add(
    tx: Tx, *, programme_id: ProgrammeId, source: DesignId, target: DesignId, now: datetime
) -> RolloutId | None:
    """Begin one; None where the programme has one that goes on."""
    statement = insert(tx, rollout).values(
        programme_id=programme_id,
        source_design_id=source,
        target_design_id=target,
        state="running",
        stage=0,
        at_design_id=None,
        after_pass_id=0,
        started_at=now,
        updated_at=now,
    )
    number: int | None = tx.scalar(statement.on_conflict_do_nothing().returning(rollout.c.id))
    return None if number is None else RolloutId(number)


def latest(tx: Tx, programme_id: ProgrammeId, *, lock: bool = False) -> Rollout | None:
    """The programme's one that goes on, else the last one to a version that lives, else the last one."""
    lives = exists().where(design.c.id == rollout.c.target_design_id, design.c.withdrawn_at.is_(None))
    rank = case((text(GOING_ON), 0), (lives, 1), else_=2)
    return _one(
        tx,
        select(rollout)
        .where(rollout.c.programme_id == programme_id)
        .order_by(rank, rollout.c.updated_at.desc(), rollout.c.id.desc())
        .limit(1),
        lock=lock,
    )


def next_moving(tx: Tx, after: RolloutId) -> Rollout | None:
    """The first beyond ``after`` whose cards are to be moved, locked; one that another has is passed over."""
    statement = (
        select(rollout)
        .where(rollout.c.state.in_(("running", "going_back")), rollout.c.id > after)
        .order_by(rollout.c.id)
        .limit(1)
    )
    return _found(tx.execute(statement.with_for_update(skip_locked=True)).mappings().one_or_none())


def enter(tx: Tx, rollout_id: RolloutId, state: State, *, stage: int, now: datetime) -> None:
    """Another state or stage, whose cards are looked at from the first on."""
    _write(tx, rollout_id, state=state, stage=stage, at_design_id=None, after_pass_id=0, updated_at=now)


def pause(tx: Tx, rollout_id: RolloutId, state: State, *, now: datetime) -> None:
    """Another state, in the same place."""
    _write(tx, rollout_id, state=state, updated_at=now)


def advance(tx: Tx, rollout_id: RolloutId, at: DesignId, after: WalletPassId) -> None:
    """The worker has come so far."""
    _write(tx, rollout_id, at_design_id=at, after_pass_id=after)


def older_versions(tx: Tx, programme_id: ProgrammeId, than: DesignId) -> list[DesignId]:
    """Published versions before that one, oldest first."""
    number = select(design.c.version).where(design.c.id == than).scalar_subquery()
    found = tx.scalars(
        select(design.c.id)
        .where(design.c.programme_id == programme_id, design.c.version < number)
        .order_by(design.c.version)
    )
    return [DesignId(each) for each in found]


def any_moved(tx: Tx, target: DesignId) -> bool:
    """Whether a card came to this version from another."""
    moved = wallet_pass.c.design_id == target, wallet_pass.c.previous_design_id.is_not(None)
    return bool(tx.scalar(select(exists().where(*moved))))


@dataclass(frozen=True, slots=True)
class Published:
    """A version that was published."""

    id: DesignId
    version: int
    withdrawn: bool


def published(tx: Tx, programme_id: ProgrammeId) -> list[Published]:
    """Every version of a programme, oldest first; counts no cards."""
    rows = tx.execute(
        select(design.c.id, design.c.version, design.c.withdrawn_at.is_not(None))
        .where(design.c.programme_id == programme_id, design.c.version.is_not(None))
        .order_by(design.c.version)
    )
    return [Published(DesignId(row[0]), row[1], bool(row[2])) for row in rows]


def any_card(tx: Tx, design_ids: Collection[DesignId]) -> bool:
    """Whether a living card is of one of these versions; counts none."""
    found = select(wallet_pass.c.id).where(
        wallet_pass.c.design_id.in_(design_ids), wallet_pass.c.voided_at.is_(None)
    )
    return tx.scalar(found.limit(1)) is not None


def _one(tx: Tx, statement: Select[Any], *, lock: bool) -> Rollout | None:
    if lock:
        statement = statement.with_for_update()
    return _found(tx.execute(statement).mappings().one_or_none())


def _found(row: RowMapping | None) -> Rollout | None:
    return None if row is None else Rollout(**row)


def _write(tx: Tx, rollout_id: RolloutId, **values: object) -> None:
    tx.execute(update(rollout).where(rollout.c.id == rollout_id).values(**values))
