"""SQL of passes and their update tags."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Any

from sqlalchemy import Integer, Row, Text, Update, bindparam, cast, literal, select, union_all, update

from app.db import Id, Identifiers, Json, Tx, Types, UtcDateTime, among, given_later, insert, packed
from app.db.identifiers import (
    BrandId,
    DesignId,
    DeviceId,
    GoogleObjectId,
    PassTypeIdentifier,
    ProgrammeId,
    SerialNumber,
    UpdateTag,
    WalletPassId,
)
from app.passes import store_tags
from app.passes.content import PassContent
from app.passes.google_tables import google_object
from app.passes.tables import design, device, registration, tag_counter, wallet_pass


@dataclass(frozen=True, slots=True, kw_only=True)
class WalletPass:
    """A pass as the database has it."""

    id: WalletPassId
    pass_type_identifier: PassTypeIdentifier
    serial_number: SerialNumber
    design_id: DesignId
    content: PassContent
    version: int  # counts from 1
    tag: UpdateTag
    last_modified: datetime  # whole seconds, UTC
    key_version: int  # of the authentication token
    voided_at: datetime | None


@dataclass(frozen=True, slots=True)
class Change:
    """What one pass becomes; its tag is the transaction's."""

    id: WalletPassId
    design_id: DesignId
    content: PassContent
    version: int
    last_modified: datetime
    voided_at: datetime | None


def _wallet_pass(row: Row[Any]) -> WalletPass:
    return WalletPass(
        id=row.id,
        pass_type_identifier=row.pass_type_identifier,
        serial_number=row.serial_number,
        design_id=row.design_id,
        content=PassContent.from_json(row.content),
        version=row.version,
        tag=row.tag,
        last_modified=row.last_modified,
        key_version=row.key_version,
        voided_at=row.voided_at,
    )


_BY_ID = select(wallet_pass).where(wallet_pass.c.id == bindparam("pass_id"))
_LOCKED = (
    select(wallet_pass)
    .where(among(wallet_pass.c.id, bindparam("ids", type_=Identifiers())))
    .order_by(wallet_pass.c.id)
    .with_for_update()
)
_HELD = _LOCKED.with_only_columns(wallet_pass.c.id)
_NEWEST_DESIGN = (
    select(design.c.id)
    .where(
        design.c.programme_id == bindparam("programme_id"),
        design.c.version.is_not(None),
        design.c.withdrawn_at.is_(None),
    )
    .order_by(design.c.version.desc())
    .limit(1)
)
_CHANGED: Types = {
    "pass_id": Id,
    "design_id": Id,
    "content": Json,
    "version": Integer(),
    "last_modified": UtcDateTime(),
    "voided_at": UtcDateTime(),
}
_COLUMNS: Types = {**_CHANGED, "previous_design_id": Id}
_TAGGED: Types = {"pass_id": Id}
_HELD_BY_APPLE = (
    select(device.c.pass_type_identifier.label("whose"), device.c.id.label("id"), literal(0).label("google"))
    .distinct()
    .select_from(registration.join(device, device.c.id == registration.c.device_id))
    .where(
        among(registration.c.pass_id, bindparam("ids", type_=Identifiers())),
        device.c.unreachable_since.is_(None),
        device.c.push_service == "apple",
    )
)
_HELD_BY_GOOGLE = select(cast(google_object.c.brand_id, Text), google_object.c.id, literal(1)).where(
    among(google_object.c.pass_id, bindparam("ids", type_=Identifiers()))
)
# One question for both: where there is no Google it costs one look into an empty index for each pass.
_REACHABLE = union_all(_HELD_BY_APPLE, _HELD_BY_GOOGLE).order_by("google", "id")


def by_id(tx: Tx, pass_id: WalletPassId) -> WalletPass | None:
    """The pass, or None."""
    row = tx.execute(_BY_ID, {"pass_id": pass_id}).one_or_none()
    return _wallet_pass(row) if row else None


def lock(tx: Tx, pass_ids: Sequence[WalletPassId]) -> list[WalletPass]:
    """These passes, sorted and locked until the transaction ends.

    On PostgreSQL the lock also waits for, or holds back, registrations of the same passes
    (:func:`app.passes.store_registrations.hold`): a phone that registers now either gets
    the push of this change, or sees its content.
    """
    return [_wallet_pass(row) for row in tx.execute(_LOCKED, {"ids": sorted(set(pass_ids))})]


def hold(tx: Tx, pass_ids: Sequence[WalletPassId]) -> None:
    """Lock these passes in the same way without reading them."""
    tx.execute(_HELD, {"ids": sorted(set(pass_ids))}).all()


def newest_design(tx: Tx, programme_id: ProgrammeId) -> DesignId | None:
    """The newest published design version of the programme."""
    found: DesignId | None = tx.scalar(_NEWEST_DESIGN, {"programme_id": programme_id})
    return found


def share_programme(tx: Tx, one: DesignId, other: DesignId) -> bool:
    """Whether both design versions exist and are of one programme."""
    programmes = list(tx.scalars(select(design.c.programme_id).where(design.c.id.in_((one, other)))))
    return len(programmes) == 2 and programmes[0] == programmes[1]


def add(tx: Tx, wallet_pass_: WalletPass, *, now: datetime) -> WalletPassId:
    """Insert the pass (its ``id`` is ignored); returns the id it got."""
    pass_id: WalletPassId = tx.execute(
        insert(tx, wallet_pass)
        .values(
            pass_type_identifier=wallet_pass_.pass_type_identifier,
            serial_number=wallet_pass_.serial_number,
            design_id=wallet_pass_.design_id,
            content=wallet_pass_.content.to_json(),
            version=wallet_pass_.version,
            tag=wallet_pass_.tag,
            last_modified=wallet_pass_.last_modified,
            key_version=wallet_pass_.key_version,
            created_at=now,
        )
        .returning(wallet_pass.c.id)
    ).scalar_one()
    return pass_id


def write(tx: Tx, pass_types: Iterable[PassTypeIdentifier], changes: Sequence[Change]) -> None:
    """Write the changes of passes of these types, under the next tags."""
    rows = [
        {
            "pass_id": change.id,
            "design_id": change.design_id,
            "content": change.content.to_json(),
            "version": change.version,
            "last_modified": change.last_modified,
            "voided_at": change.voided_at,
        }
        for change in changes
    ]
    write_rows(tx, pass_types, rows, _CHANGED)


def write_tags(tx: Tx, pass_types: Iterable[PassTypeIdentifier], pass_ids: Sequence[WalletPassId]) -> None:
    """Give passes of these types the next tags and nothing else: phones are told of them again."""
    write_rows(tx, pass_types, [{"pass_id": pass_id} for pass_id in sorted(pass_ids)], _TAGGED)


def write_rows(
    tx: Tx, pass_types: Iterable[PassTypeIdentifier], rows: Sequence[Mapping[str, Any]], types: Types
) -> None:
    """Write all rows under their types' next tags; ``types`` without ``pass_id`` names what else is written.

    On PostgreSQL one statement counts and writes, so that the counter is held for hardly longer than a
    commit takes: everyone who changes a pass of the type waits for it.
    """
    if not rows:
        return
    dialect = tx.dialect.name
    given = {"rows": packed(tx.dialect, rows, types)}
    if dialect == "sqlite":
        tx.execute(store_tags.counting(dialect), store_tags.types_to_count(tx, pass_types))
    else:
        given |= store_tags.types_to_count(tx, pass_types)
    tx.execute(_writing(dialect, tuple(types)), given)


@cache
def _writing(dialect: str, columns: tuple[str, ...]) -> Update:
    """Built once: that takes longer than SQLite takes to execute it."""
    new = given_later(dialect, bindparam("rows", type_=Text()), {name: _COLUMNS[name] for name in columns})
    tags = tag_counter if dialect == "sqlite" else store_tags.counting(dialect).cte("counted")
    return (
        update(wallet_pass)
        .where(
            wallet_pass.c.id == new.c.pass_id,
            tags.c.pass_type_identifier == wallet_pass.c.pass_type_identifier,
        )
        .values({name: new.c[name] for name in columns if name != "pass_id"} | {"tag": tags.c.value})
    )


def retag_type(tx: Tx, pass_type_identifier: PassTypeIdentifier, tag: UpdateTag) -> int:
    """Give every pass of the type this tag; returns how many there are."""
    return int(
        tx.execute(
            update(wallet_pass)
            .where(wallet_pass.c.pass_type_identifier == pass_type_identifier)
            .values(tag=tag)
        ).rowcount
    )


@dataclass(frozen=True, slots=True)
class Holders:
    """Where passes are held: phones by pass type, Google's objects by brand; sorted, once each."""

    devices: Mapping[PassTypeIdentifier, Sequence[DeviceId]]
    objects: Mapping[BrandId, Sequence[GoogleObjectId]]


def holders(tx: Tx, pass_ids: Sequence[WalletPassId]) -> Holders:
    """Devices that hold one of the passes and that Apple can still reach, and their objects at Google."""
    devices: dict[PassTypeIdentifier, list[DeviceId]] = {}
    objects: dict[BrandId, list[GoogleObjectId]] = {}
    for whose, number, google in tx.execute(_REACHABLE, {"ids": sorted(set(pass_ids))}):
        if google:
            objects.setdefault(BrandId(int(whose)), []).append(number)
        else:
            devices.setdefault(whose, []).append(number)
    return Holders(devices, objects)


def reachable_devices(tx: Tx, pass_ids: Sequence[WalletPassId]) -> dict[PassTypeIdentifier, list[DeviceId]]:
    """The devices alone."""
    return {pass_type: list(ids) for pass_type, ids in holders(tx, pass_ids).devices.items()}
