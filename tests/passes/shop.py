"""A brand with a programme and a design, and passes of it: the ground that these tests stand on."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import Table, event, insert, select

from app.accounts.tables import brand
from app.db import Database, Tx, metadata
from app.db.identifiers import (
    CardCode,
    DesignId,
    DeviceLibraryIdentifier,
    PassTypeIdentifier,
    ProgrammeId,
    PushToken,
    WalletPassId,
)
from app.delivery.tables import delivery
from app.loyalty.tables import programme
from app.passes import issuing, registrations
from app.passes.content import LocalizedText, Message, PassContent
from app.passes.issuing import WalletPass
from app.passes.tables import design, device

NOW = datetime(2026, 11, 21, 12, 0, 0, 400_000, tzinfo=UTC)
SECOND = timedelta(seconds=1)
TYPE = PassTypeIdentifier("pass.example.cafe")
OTHER_TYPE = PassTypeIdentifier("pass.example.bakery")
PASS_KEY = b"a key for these tests alone, 32 bytes"


def content(balance: int = 0, *, message: str | None = None, **changed: Any) -> PassContent:
    said = Message(LocalizedText(message, message), NOW, "receipt:1") if message else None
    values: dict[str, Any] = {
        "language": "ru",
        "card_code": CardCode("C0DE"),
        "member_name": "Анна",
        "balance": balance,
        "tier": None,
        "stamps": 0,
        "messages": (said,) if said else (),
    }
    return PassContent(**(values | changed))


@dataclass(frozen=True, slots=True)
class Shop:
    programme_id: ProgrammeId
    design_id: DesignId

    def issue(self, tx: Tx, balance: int = 0, *, pass_type: PassTypeIdentifier = TYPE) -> WalletPass:
        return issuing.issue(
            tx,
            pass_type_identifier=pass_type,
            programme_id=self.programme_id,
            content=content(balance),
            now=NOW,
        )


def _add(tx: Tx, table: Table, **values: Any) -> int:
    return int(tx.execute(insert(table).values(**values).returning(table.c.id)).scalar_one())


def open_shop(database: Database) -> Shop:
    with database.write() as tx:
        brand_id = _add(
            tx, brand, slug="cafe", name="Кафе", texts={"ru": {}, "en": {}}, time_zone="Europe/Moscow",
            currency="RUB", language="ru", pass_type_identifier=TYPE, team_identifier="TEAM123456",
            credentials="file:nowhere", created_at=NOW,
        )  # fmt: skip
        programme_id = _add(
            tx,
            programme,
            brand_id=brand_id,
            slug="bonus",
            kind="bonus",
            name="Бонусы",
            rules={},
            created_at=NOW,
        )
    with database.write() as tx:
        design_id = publish(tx, ProgrammeId(programme_id), 1)
    return Shop(ProgrammeId(programme_id), design_id)


def add_programme(tx: Tx, shop: Shop, slug: str) -> ProgrammeId:
    brand_id = tx.execute(
        select(programme.c.brand_id).where(programme.c.id == shop.programme_id)
    ).scalar_one()
    values = {
        "brand_id": brand_id,
        "slug": slug,
        "kind": "stamp",
        "name": slug,
        "rules": {},
        "created_at": NOW,
    }
    return ProgrammeId(_add(tx, programme, **values))


def publish(tx: Tx, programme_id: ProgrammeId, version: int) -> DesignId:
    return DesignId(
        _add(
            tx,
            design,
            programme_id=programme_id,
            version=version,
            template="bonus",
            layout={},
            created_at=NOW,
        )
    )


def register(
    tx: Tx, passed: WalletPass, phone: str = "phone", *, token: str = "70ken", now: datetime = NOW
) -> registrations.Registered:
    return registrations.register(
        tx,
        device_library_identifier=DeviceLibraryIdentifier(phone),
        pass_id=passed.id,
        pass_type_identifier=passed.pass_type_identifier,
        push_token=PushToken(token),
        now=now,
    )


def pending(tx: Tx) -> list[tuple[str, str]]:
    """(device library identifier, kind) of every promised push, sorted."""
    rows = tx.execute(
        select(device.c.device_library_identifier, delivery.c.kind)
        .join(device, device.c.id == delivery.c.device_id)
        .where(delivery.c.state == "pending")
    )
    return sorted((row[0], row[1]) for row in rows)


def saying(content: PassContent) -> Callable[[PassContent], PassContent]:
    """Whatever the pass said before."""
    return lambda _: content


def read(tx: Tx, pass_id: WalletPassId) -> WalletPass:
    return issuing.wallet_pass(tx, pass_id)


def everything(database: Database) -> dict[str, list[tuple[Any, ...]]]:
    """Every row of the tables that a phone could change, to compare before and after."""

    with database.read() as tx:
        return {
            table.name: sorted((tuple(row) for row in tx.execute(select(table))), key=repr)
            for table in metadata.sorted_tables
        }


def plan_of(tx: Tx, ask: Callable[[], object]) -> tuple[str, object]:
    """The database's plan for the one statement that ``ask`` executes, and the answer of ``ask``."""
    seen: list[tuple[str, Any]] = []

    def note(_connection: Any, _cursor: Any, statement: str, parameters: Any, *_more: Any) -> None:
        seen.append((statement, parameters))

    event.listen(tx, "before_cursor_execute", note)
    answer = ask()
    event.remove(tx, "before_cursor_execute", note)
    ((statement, parameters),) = seen
    explain = "EXPLAIN QUERY PLAN " if tx.dialect.name == "sqlite" else "EXPLAIN "
    rows = tx.exec_driver_sql(explain + statement, parameters)
    return "\n".join(str(tuple(row)) for row in rows), answer
