"""SQL of devices, their registrations, and what changed for them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import and_, bindparam, case, delete, exists, func, select, update

from app.db import Identifiers, Tx, among, insert
from app.db.identifiers import (
    DeviceId,
    DeviceLibraryIdentifier,
    PassTypeIdentifier,
    PushToken,
    SerialNumber,
    WalletPassId,
)
from app.passes.tables import device, registration, tag_counter, wallet_pass


@dataclass(frozen=True, slots=True)
class PassKey:
    """What is needed to tell whether a phone may speak for a pass, and whether its copy is fresh."""

    id: WalletPassId
    key_version: int
    version: int
    last_modified: datetime


@dataclass(frozen=True, slots=True)
class PushTarget:
    """Where a push goes."""

    device_id: DeviceId
    push_token: PushToken
    pass_type_identifier: PassTypeIdentifier
    passes: int  # of that type on the device, at least 1
    first_pass: WalletPassId  # the oldest of them


_KEY = select(
    wallet_pass.c.id, wallet_pass.c.key_version, wallet_pass.c.version, wallet_pass.c.last_modified
).where(
    wallet_pass.c.pass_type_identifier == bindparam("pass_type"),
    wallet_pass.c.serial_number == bindparam("serial"),
)
_KEEP = (
    select(wallet_pass.c.id).where(wallet_pass.c.id == bindparam("pass_id")).with_for_update(key_share=True)
)
_LIVING = (
    select(registration.c.device_id)
    .join(device, device.c.id == registration.c.device_id)
    .where(registration.c.pass_id == bindparam("pass_id"), device.c.unreachable_since.is_(None))
    .limit(1)
)
_UNREGISTER = delete(registration).where(
    registration.c.pass_id == bindparam("of_pass_id"),
    registration.c.device_id.in_(
        select(device.c.id).where(
            device.c.device_library_identifier == bindparam("library"),
            device.c.pass_type_identifier == bindparam("pass_type"),
        )
    ),
)
_HELD_UNTIL = (
    update(device)
    .where(
        device.c.device_library_identifier == bindparam("library"),
        device.c.pass_type_identifier == bindparam("pass_type"),
    )
    .values(held_at=bindparam("now", type_=device.c.held_at.type))
)
_PASSES = select(func.count()).where(registration.c.device_id == bindparam("of_device_id"))
_CROWD_OUT = delete(registration).where(
    registration.c.pass_id == bindparam("of_pass_id"),
    registration.c.device_id.in_(
        select(registration.c.device_id)
        .join(device, device.c.id == registration.c.device_id)
        .where(registration.c.pass_id == bindparam("of_pass_id"), device.c.id != bindparam("newcomer"))
        .order_by(
            device.c.unreachable_since.is_(None).desc(),
            registration.c.registered_at.desc(),
            registration.c.device_id.desc(),
        )
        .offset(bindparam("others"))
    ),
)
_TOUCH = (
    update(registration)
    .where(
        registration.c.device_id == bindparam("of_device_id"),
        registration.c.pass_id == bindparam("of_pass_id"),
    )
    .values(registered_at=bindparam("at", type_=registration.c.registered_at.type))
)
_FORGET = (
    update(device)
    .where(
        device.c.id == bindparam("of_device_id"),
        device.c.unreachable_since.is_(None),
        device.c.registered_at < bindparam("before", type_=device.c.registered_at.type),
    )
    .values(unreachable_since=bindparam("since", type_=device.c.unreachable_since.type))
)
_other = registration.alias("other")
_LEFT_ALONE = (
    select(registration.c.pass_id)
    .where(
        registration.c.device_id == bindparam("of_device_id"),
        ~exists(
            select(_other.c.pass_id)
            .join(device, device.c.id == _other.c.device_id)
            .where(_other.c.pass_id == registration.c.pass_id, device.c.unreachable_since.is_(None))
        ),
    )
    .order_by(registration.c.pass_id)
)
_held = registration.c.device_id == device.c.id
_TARGETS = select(
    device.c.id,
    device.c.push_token,
    device.c.pass_type_identifier,
    select(func.count()).select_from(registration).where(_held).scalar_subquery().label("passes"),
    select(func.min(registration.c.pass_id)).where(_held).scalar_subquery().label("first_pass"),
).where(
    among(device.c.id, bindparam("ids", type_=Identifiers())),
    device.c.unreachable_since.is_(None),
    device.c.push_service == "apple",
)

# One statement is one view of the database: whatever tag the counter shows in it, no smaller one appears
# later. A tag beyond the counter is not one of ours (we were restored): then everything is listed.
_counter = (
    select(tag_counter.c.value)
    .where(tag_counter.c.pass_type_identifier == bindparam("pass_type"))
    .scalar_subquery()
)
_tag = bindparam("tag", type_=wallet_pass.c.tag.type)
_CHANGED = (
    select(
        device.c.id.label("device_id"),
        wallet_pass.c.id.label("pass_id"),
        wallet_pass.c.serial_number,
        wallet_pass.c.version,
        wallet_pass.c.tag,
    )
    .select_from(
        device.outerjoin(registration, registration.c.device_id == device.c.id).outerjoin(
            wallet_pass,
            and_(
                wallet_pass.c.id == registration.c.pass_id,
                wallet_pass.c.tag > case((_counter < _tag, -1), else_=_tag),
            ),
        )
    )
    .where(
        device.c.device_library_identifier == bindparam("library"),
        device.c.pass_type_identifier == bindparam("pass_type"),
    )
)


def pass_key(tx: Tx, pass_type_identifier: PassTypeIdentifier, serial_number: SerialNumber) -> PassKey | None:
    """The pass with this serial number, or None."""
    row = tx.execute(_KEY, {"pass_type": pass_type_identifier, "serial": serial_number}).one_or_none()
    return PassKey(*row) if row else None


def hold(tx: Tx, pass_id: WalletPassId) -> None:
    """Wait for a change of the pass that is under way, and let the next one wait for this transaction.

    Either that change promises a push to the device registered here, or the device lists after it. And of
    phones that come or go at once each sees what the one before left: who is first, last, or one too many.
    SQLite has one writer at a time anyway.
    """
    tx.execute(_KEEP, {"pass_id": pass_id})


def has_living(tx: Tx, pass_id: WalletPassId) -> bool:
    """Whether some reachable device holds the pass."""
    return tx.execute(_LIVING, {"pass_id": pass_id}).first() is not None


def upsert_device(
    tx: Tx,
    *,
    device_library_identifier: DeviceLibraryIdentifier,
    pass_type_identifier: PassTypeIdentifier,
    push_token: PushToken,
    push_service: str,
    now: datetime,
) -> DeviceId:
    """Know the device, its present push token, and whose token that is."""
    row = insert(tx, device).values(
        device_library_identifier=device_library_identifier,
        pass_type_identifier=pass_type_identifier,
        push_token=push_token,
        push_service=push_service,
        registered_at=now,
        held_at=now,
    )
    device_id: DeviceId = tx.execute(
        row.on_conflict_do_update(
            index_elements=[device.c.device_library_identifier, device.c.pass_type_identifier],
            set_={
                "push_token": push_token,
                "push_service": push_service,
                "registered_at": now,
                "held_at": now,
                "unreachable_since": None,
            },
        ).returning(device.c.id)
    ).scalar_one()
    return device_id


def add_registration(tx: Tx, device_id: DeviceId, pass_id: WalletPassId, *, now: datetime) -> bool:
    """True where the device did not have the pass before; otherwise its time is brought up to date."""
    row = insert(tx, registration).values(
        device_id=device_id, pass_id=pass_id, created_at=now, registered_at=now
    )
    added = tx.execute(row.on_conflict_do_nothing().returning(registration.c.device_id)).first()
    if added is None:
        tx.execute(_TOUCH, {"of_device_id": device_id, "of_pass_id": pass_id, "at": now})
    return added is not None


def passes_of(tx: Tx, device_id: DeviceId) -> int:
    """How many passes the device is registered for."""
    return int(tx.execute(_PASSES, {"of_device_id": device_id}).scalar_one())


def crowd_out(tx: Tx, pass_id: WalletPassId, *, newcomer: DeviceId, most: int) -> None:
    """Leave the pass ``most`` devices: the newcomer, and of the others reachable and lately seen ones."""
    tx.execute(_CROWD_OUT, {"of_pass_id": pass_id, "newcomer": newcomer, "others": most - 1})


def remove_registration(
    tx: Tx,
    *,
    device_library_identifier: DeviceLibraryIdentifier,
    pass_type_identifier: PassTypeIdentifier,
    pass_id: WalletPassId,
    now: datetime,
) -> bool:
    """True where the device had the pass: until ``now``."""
    of_device = {"library": device_library_identifier, "pass_type": pass_type_identifier}
    removed = tx.execute(_UNREGISTER, {**of_device, "of_pass_id": pass_id})
    if removed.rowcount:
        tx.execute(_HELD_UNTIL, {**of_device, "now": now})
    return bool(removed.rowcount)


def mark_unreachable(tx: Tx, device_id: DeviceId, *, unregistered_at: datetime) -> bool:
    """Mark the device unless it was registered at that moment or later; True where it was marked."""
    marked = tx.execute(
        _FORGET, {"of_device_id": device_id, "before": unregistered_at, "since": unregistered_at}
    )
    return bool(marked.rowcount)


def mark_reachable(tx: Tx, device_id: DeviceId, *, marked_at: datetime) -> None:
    """Take back the mark that was set with exactly this moment."""
    tx.execute(
        update(device)
        .where(device.c.id == device_id, device.c.unreachable_since == marked_at)
        .values(unreachable_since=None)
    )


def left_alone(tx: Tx, device_id: DeviceId) -> list[WalletPassId]:
    """The device's passes that no reachable device holds, sorted."""
    return list(tx.scalars(_LEFT_ALONE, {"of_device_id": device_id}))


def targets(tx: Tx, device_ids: Sequence[DeviceId]) -> list[PushTarget]:
    """Of these devices the ones that Apple reaches and that hold a pass."""
    rows = tx.execute(_TARGETS, {"ids": list(device_ids)})
    return [PushTarget(*row) for row in rows if row.passes]


def changed(
    tx: Tx,
    device_library_identifier: DeviceLibraryIdentifier,
    pass_type_identifier: PassTypeIdentifier,
    tag: int,
) -> Sequence[Any]:
    """Rows (device id, pass id, serial number, version, tag) in one statement; empty: an unknown device.

    The pass's four are NULL where nothing changed since ``tag``.
    """
    return tx.execute(
        _CHANGED, {"library": device_library_identifier, "pass_type": pass_type_identifier, "tag": tag}
    ).all()
