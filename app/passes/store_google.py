"""SQL of classes and objects at Google."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from sqlalchemy import Boolean, Text, and_, or_, select, update
from sqlalchemy import insert as plain_insert

from app.db import Id, Json, Tx, Types, UtcDateTime, among, given, insert
from app.db.identifiers import (
    BrandId,
    DesignId,
    GoogleClassId,
    GoogleIssuerId,
    GoogleObjectId,
    PassTypeIdentifier,
    ProgrammeId,
    SerialNumber,
    WalletPassId,
)
from app.passes.content import LocalizedText, PassContent
from app.passes.google_tables import (
    google_account,
    google_class,
    google_object,
)
from app.passes.tables import design, holder_change, wallet_pass


@dataclass(frozen=True, slots=True, kw_only=True)
class ClassRow:
    """A loyalty class: what it is for, and what Google has of it."""

    id: GoogleClassId
    issuer_id: GoogleIssuerId
    resource_id: str
    brand_id: BrandId
    programme_id: ProgrammeId
    tier_key: str
    tier: LocalizedText | None
    sent: Mapping[str, str] | None
    accepted_at: datetime | None
    refused: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ObjectRow:
    """A loyalty object: what Google has of it."""

    id: GoogleObjectId
    pass_id: WalletPassId
    brand_id: BrandId
    issuer_id: GoogleIssuerId
    resource_id: str
    google_class_id: GoogleClassId | None
    sent: Mapping[str, str] | None
    messages: Sequence[str] | None
    announced: str | None
    doubted_message: str | None
    doubted_at: datetime | None
    unread_since: datetime | None
    has_users: bool | None
    inserted_at: datetime | None
    first_saved_at: datetime | None
    removed_at: datetime | None


@dataclass(frozen=True, slots=True)
class Wanted:
    """An object with what its pass says now."""

    row: ObjectRow
    content: PassContent
    design_id: DesignId
    programme_id: ProgrammeId
    pass_type_identifier: PassTypeIdentifier
    serial_number: SerialNumber
    key_version: int


_OBJECT: Final = tuple(google_object.c[name] for name in ObjectRow.__dataclass_fields__)
_CLASS: Final = tuple(google_class.c[name] for name in ClassRow.__dataclass_fields__)
_FACTS: Final[Types] = {
    "row": Id,
    "google_class_id": Id,
    "sent": Json,
    "messages": Json,
    "announced": Text(),
    "doubted_message": Text(),
    "doubted_at": UtcDateTime(),
    "unread_since": UtcDateTime(),
    "has_users": Boolean(),
    "inserted_at": UtcDateTime(),
    "first_saved_at": UtcDateTime(),
    "removed_at": UtcDateTime(),
}


def _class(row: Any) -> ClassRow:
    found = dict(row._mapping)
    return ClassRow(**(found | {"tier": LocalizedText(**found["tier"]) if found["tier"] else None}))


def _object(row: Any) -> ObjectRow:
    return ObjectRow(**{name: row._mapping[google_object.c[name]] for name in ObjectRow.__dataclass_fields__})


def add_object(
    tx: Tx,
    *,
    pass_id: WalletPassId,
    brand_id: BrandId,
    issuer_id: GoogleIssuerId,
    resource_id: str,
    now: datetime,
) -> None:
    """Note that a pass shall be at Google; its row is locked, so that nobody does it meanwhile."""
    values = {"pass_id": pass_id, "brand_id": brand_id, "issuer_id": issuer_id, "resource_id": resource_id}
    tx.execute(insert(tx, google_object).values(**values, created_at=now))


def object_of_pass(tx: Tx, pass_id: WalletPassId) -> ObjectRow | None:
    """A pass's object, where it has one."""
    row = tx.execute(select(*_OBJECT).where(google_object.c.pass_id == pass_id)).one_or_none()
    return _object(row) if row else None


def object_named(tx: Tx, resource_id: str) -> ObjectRow | None:
    """The object of that name, locked."""
    asked = select(*_OBJECT).where(google_object.c.resource_id == resource_id)
    row = tx.execute(asked.with_for_update(key_share=True)).one_or_none()
    return _object(row) if row else None


def inserted_between(
    tx: Tx, spans: Sequence[tuple[datetime, datetime]], *, after: GoogleObjectId, limit: int
) -> list[GoogleObjectId]:
    """Objects beyond ``after`` that Google took within one of these spans (their ends excluded), in order."""
    within = [
        and_(google_object.c.inserted_at >= begin, google_object.c.inserted_at < end) for begin, end in spans
    ]
    asked = select(google_object.c.id).where(google_object.c.id > after, or_(*within))
    return [GoogleObjectId(one) for one in tx.scalars(asked.order_by(google_object.c.id).limit(limit))]


def lock_objects(tx: Tx, ids: Collection[GoogleObjectId]) -> dict[GoogleObjectId, ObjectRow]:
    """These, locked in order until the transaction ends.

    But for their keys: who promises a change (a till) has them looked at by the foreign key, and holds the
    promise that we may wait for.
    """
    rows = tx.execute(
        select(*_OBJECT)
        .where(among(google_object.c.id, sorted(ids)))
        .order_by(google_object.c.id)
        .with_for_update(key_share=True)
    )
    return {one.id: one for one in map(_object, rows)}


def wanted(tx: Tx, ids: Collection[GoogleObjectId]) -> dict[GoogleObjectId, Wanted]:
    """These, with what their passes say now."""
    rows = tx.execute(
        select(
            *_OBJECT,
            wallet_pass.c.content,
            wallet_pass.c.design_id,
            design.c.programme_id,
            wallet_pass.c.pass_type_identifier,
            wallet_pass.c.serial_number,
            wallet_pass.c.key_version,
        )
        .select_from(
            google_object.join(wallet_pass, wallet_pass.c.id == google_object.c.pass_id).join(
                design, design.c.id == wallet_pass.c.design_id
            )
        )
        .where(among(google_object.c.id, sorted(ids)))
    )
    return {
        row[0]: Wanted(_object(row), PassContent.from_json(row.content), *row[len(_OBJECT) + 1 :])
        for row in rows
    }


def write_objects(tx: Tx, rows: Sequence[ObjectRow]) -> None:
    """Write what Google has of locked objects."""
    if not rows:
        return
    named = [{"row": one.id} | {name: getattr(one, name) for name in _FACTS if name != "row"} for one in rows]
    new = given(tx, named, _FACTS)
    held = [
        google_object.c[name].is_distinct_from(new.c[name])
        for name in ("has_users", "first_saved_at", "removed_at")
    ]
    there = google_object.c.id == new.c.row
    changed = select(google_object.c.pass_id).select_from(google_object.join(new, there)).where(or_(*held))
    tx.execute(plain_insert(holder_change).from_select(["pass_id"], changed))
    tx.execute(
        update(google_object)
        .where(google_object.c.id == new.c.row)
        .values({name: new.c[name] for name in _FACTS if name != "row"})
    )


def doubt_everything(tx: Tx, *, now: datetime) -> dict[BrandId, list[GoogleObjectId]]:
    """Nothing is known of what Google has; the objects of each brand, in order."""
    tx.execute(update(google_class).values(sent=None))
    unknown = {
        "sent": None,
        "messages": None,
        "doubted_message": None,
        "doubted_at": None,
        "unread_since": now,
    }
    tx.execute(update(google_object).values(**unknown))
    found: dict[BrandId, list[GoogleObjectId]] = {}
    for brand_id, number in tx.execute(
        select(google_object.c.brand_id, google_object.c.id).order_by(google_object.c.id)
    ):
        found.setdefault(brand_id, []).append(number)
    return found


def classes(tx: Tx, ids: Collection[GoogleClassId]) -> dict[GoogleClassId, ClassRow]:
    """These."""
    rows = tx.execute(select(*_CLASS).where(among(google_class.c.id, sorted(ids))))
    return {one.id: one for one in map(_class, rows)}


def every_class(tx: Tx, brand_id: BrandId | None = None) -> list[ClassRow]:
    """All of a brand's, or of all brands: one for each programme or tier.

    Those of brands without an account are left out, and those under another issuer: nobody can change them.
    """
    may = and_(
        google_account.c.brand_id == google_class.c.brand_id,
        google_account.c.issuer_id == google_class.c.issuer_id,
    )
    asked = select(*_CLASS).join(google_account, may).order_by(google_class.c.id)
    if brand_id is not None:
        asked = asked.where(google_class.c.brand_id == brand_id)
    return [_class(row) for row in tx.execute(asked)]


def class_for(
    tx: Tx, issuer_id: GoogleIssuerId, programme_id: ProgrammeId, family: str, tier_key: str
) -> ClassRow | None:
    """The class of a programme's cards, of that tier."""
    row = tx.execute(
        select(*_CLASS).where(
            google_class.c.issuer_id == issuer_id,
            google_class.c.programme_id == programme_id,
            google_class.c.family == family,
            google_class.c.tier_key == tier_key,
        )
    ).one_or_none()
    return _class(row) if row else None


def add_class(tx: Tx, row: ClassRow, family: str, *, now: datetime) -> None:
    """Note a class that Google shall have, unless somebody else just did; its ``id`` is ignored."""
    tx.execute(
        insert(tx, google_class)
        .values(
            issuer_id=row.issuer_id,
            resource_id=row.resource_id,
            brand_id=row.brand_id,
            programme_id=row.programme_id,
            family=family,
            tier_key=row.tier_key,
            tier=row.tier.to_json() if row.tier else None,
            created_at=now,
        )
        .on_conflict_do_nothing()
    )


def write_class(
    tx: Tx, class_id: GoogleClassId, sent: Mapping[str, str] | None, accepted_at: datetime | None
) -> None:
    """What Google has of it."""
    values = {"sent": dict(sent) if sent is not None else None, "accepted_at": accepted_at, "refused": None}
    tx.execute(update(google_class).where(google_class.c.id == class_id).values(**values))


def refuse_class(tx: Tx, class_id: GoogleClassId, mark: str) -> None:
    """Google does not take a class that says this."""
    tx.execute(update(google_class).where(google_class.c.id == class_id).values(refused=mark))


def doubt_classes(tx: Tx, class_ids: Collection[GoogleClassId]) -> None:
    """Nothing is known of what Google has of these."""
    if class_ids:
        tx.execute(update(google_class).where(among(google_class.c.id, sorted(class_ids))).values(sent=None))
