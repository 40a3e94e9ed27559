"""SQL of evidence: what phones proved, and which passes nobody came for."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Any

from sqlalchemy import ColumnElement, and_, bindparam, case, func, or_, select, text, update

from app.db import Tx
from app.db.identifiers import DeviceId, WalletPassId
from app.db.upsert import insert_in
from app.passes.content import PassContent
from app.passes.tables import UNFETCHED, device, pass_evidence, wallet_pass

_columns = pass_evidence.c


@dataclass(frozen=True, slots=True)
class PassEvidence:
    """What was proved about a pass: the newest version of each kind, and when."""

    pass_id: WalletPassId
    listed_version: int | None = None
    listed_at: datetime | None = None  # the last time
    retags: int = 0  # how often listed_version was listed again because nobody came for it
    retagged_at: datetime | None = None
    fetched_version: int | None = None
    fetched_at: datetime | None = None  # the first time
    installed_version: int | None = None
    installed_at: datetime | None = None  # the first proof


@dataclass(frozen=True, slots=True)
class Unfetched:
    """A pass whose present version was listed, and not fetched since."""

    pass_id: WalletPassId
    version: int
    content: PassContent
    fetched_at: datetime | None  # when some older version was fetched


_CONTACT = (
    update(device)
    .where(
        device.c.id == bindparam("device_id"),
        or_(
            device.c.contacted_at.is_(None),
            device.c.contacted_at < bindparam("at", type_=device.c.contacted_at.type),
        ),
    )
    .values(contacted_at=bindparam("at", type_=device.c.contacted_at.type))
)
# A phone that sends back the Last-Modified of the version it fetched holds that version.
_HELD = (
    update(pass_evidence)
    .where(
        _columns.pass_id == bindparam("of_pass_id"),
        _columns.fetched_last_modified == bindparam("held", type_=_columns.fetched_last_modified.type),
        func.coalesce(_columns.installed_version, 0) < _columns.fetched_version,
    )
    .values(
        installed_version=_columns.fetched_version,
        installed_at=bindparam("at", type_=_columns.installed_at.type),
    )
)


def _newer(given: Any, present: ColumnElement[Any]) -> ColumnElement[bool]:
    newer: ColumnElement[bool] = or_(present.is_(None), given > present)
    return newer


# Phones wait for these: putting such a statement together costs several times what it costs to run it.
@cache
def _listed(dialect: str) -> Any:
    statement = insert_in(dialect, pass_evidence)
    new = statement.excluded
    newer = _newer(new.listed_version, _columns.listed_version)
    later = and_(new.listed_version == _columns.listed_version, new.listed_at > _columns.listed_at)
    return statement.on_conflict_do_update(
        index_elements=[_columns.pass_id],
        set_={
            "listed_version": new.listed_version,
            "listed_at": new.listed_at,
            "retags": case((newer, 0), else_=_columns.retags),
            "retagged_at": case((newer, None), else_=_columns.retagged_at),
        },
        where=or_(newer, later),
    )


@cache
def _fetched(dialect: str) -> Any:
    statement = insert_in(dialect, pass_evidence)
    new = statement.excluded
    return statement.on_conflict_do_update(
        index_elements=[_columns.pass_id],
        set_={
            "fetched_version": new.fetched_version,
            "fetched_at": new.fetched_at,
            "fetched_last_modified": new.fetched_last_modified,
        },
        where=_newer(new.fetched_version, _columns.fetched_version),
    )


@cache
def _installed(dialect: str) -> Any:
    statement = insert_in(dialect, pass_evidence)
    new = statement.excluded
    return statement.on_conflict_do_update(
        index_elements=[_columns.pass_id],
        set_={"installed_version": new.installed_version, "installed_at": new.installed_at},
        where=_newer(new.installed_version, _columns.installed_version),
    )


def contacted(tx: Tx, contacts: Collection[tuple[DeviceId, datetime]]) -> None:
    """Devices that asked for their list, and when."""
    if contacts:
        tx.execute(_CONTACT, [{"device_id": key, "at": at} for key, at in sorted(contacts)])


def listed(tx: Tx, listings: Collection[tuple[WalletPassId, int, datetime]]) -> None:
    """Passes that were listed: (pass, version, last time)."""
    if not listings:
        return
    tx.execute(
        _listed(tx.dialect.name),
        [
            {"pass_id": pass_id, "listed_version": version, "listed_at": at}
            for pass_id, version, at in sorted(listings)
        ],
    )


def fetched(tx: Tx, fetches: Collection[tuple[WalletPassId, int, datetime, datetime]]) -> None:
    """Passes whose body went to a phone: (pass, version, its Last-Modified, first time)."""
    if not fetches:
        return
    tx.execute(
        _fetched(tx.dialect.name),
        [
            {
                "pass_id": pass_id,
                "fetched_version": version,
                "fetched_last_modified": modified,
                "fetched_at": at,
            }
            for pass_id, version, modified, at in sorted(fetches)
        ],
    )


def held(tx: Tx, copies: Collection[tuple[WalletPassId, datetime, datetime]]) -> None:
    """Last-Modified values that phones sent back with a GET: (pass, value, when)."""
    if copies:
        tx.execute(
            _HELD,
            [{"of_pass_id": pass_id, "held": value, "at": at} for pass_id, value, at in sorted(copies)],
        )


def installed(tx: Tx, installs: Collection[tuple[WalletPassId, int, datetime]]) -> None:
    """Versions that a 304 proved to be in a phone: (pass, version, first time)."""
    if not installs:
        return
    tx.execute(
        _installed(tx.dialect.name),
        [
            {"pass_id": pass_id, "installed_version": version, "installed_at": at}
            for pass_id, version, at in sorted(installs)
        ],
    )


def of_passes(tx: Tx, pass_ids: Sequence[WalletPassId]) -> dict[WalletPassId, PassEvidence]:
    """What was proved about each; a pass without any proof is left out."""
    statement = select(
        _columns.pass_id,
        _columns.listed_version,
        _columns.listed_at,
        _columns.retags,
        _columns.retagged_at,
        _columns.fetched_version,
        _columns.fetched_at,
        _columns.installed_version,
        _columns.installed_at,
    ).where(_columns.pass_id.in_(pass_ids))
    return {row.pass_id: PassEvidence(*row) for row in tx.execute(statement)}


def unfetched(tx: Tx, *, listed_before: datetime, limit: int) -> list[Unfetched]:
    """Passes whose present version was listed before then and not fetched, longest ago first.

    Those that were tagged again and not listed since are left out: their phones have yet to come.
    """
    statement = (
        select(_columns.pass_id, wallet_pass.c.version, wallet_pass.c.content, _columns.fetched_at)
        .join(wallet_pass, wallet_pass.c.id == _columns.pass_id)
        .where(
            text(UNFETCHED),
            _columns.listed_at <= listed_before,
            or_(_columns.retagged_at.is_(None), _columns.retagged_at < _columns.listed_at),
            wallet_pass.c.version == _columns.listed_version,
        )
        .order_by(_columns.listed_at)
        .limit(limit)
    )
    return [
        Unfetched(row.pass_id, row.version, PassContent.from_json(row.content), row.fetched_at)
        for row in tx.execute(statement)
    ]


def retagged(tx: Tx, pass_ids: Sequence[WalletPassId], *, now: datetime) -> None:
    """Count that these passes were tagged again."""
    tx.execute(
        update(pass_evidence)
        .where(_columns.pass_id.in_(sorted(pass_ids)))
        .values(retags=_columns.retags + 1, retagged_at=now)
    )
