"""A brand with members who may be texted, and the drafts of texts to them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import insert, select

from app.accounts.tables import brand
from app.db import Database, Tx
from app.db.identifiers import BrandId, DeliveryId, MemberId
from app.delivery import texts
from app.delivery.tables import attempt, delivery
from app.delivery.text_promises import ClaimedText, TextDraft, TextOutcome, TextRow, TextVerdict
from app.loyalty.tables import consent, member

NOON = datetime(2026, 11, 21, 12, tzinfo=UTC)
SECOND, MINUTE, HOUR = timedelta(seconds=1), timedelta(minutes=1), timedelta(hours=1)
LEASE = timedelta(seconds=30)


@dataclass
class Texting:
    """A brand and its texts, by one login unless told otherwise."""

    database: Database
    brand_id: BrandId
    login: str = "main"

    def members(self, count: int, *, consents: bool = True) -> list[MemberId]:
        with self.database.write() as tx:
            made = insert(member).returning(member.c.id, sort_by_parameter_order=True)
            rows = [{"brand_id": self.brand_id, "language": "ru", "created_at": NOON} for _ in range(count)]
            ids = [MemberId(one) for one in tx.scalars(made, rows)]
            for one in ids if consents else ():
                say(tx, one, granted=True, at=NOON - HOUR)
        return ids

    def draft(self, number: int = 0, **changed: Any) -> TextDraft:
        values: dict[str, Any] = {
            "brand_id": self.brand_id,
            "member_id": None,
            "login": self.login,
            "kind": "service",
            "number": f"+7900{number:07d}",
            "text": f"Ваш заказ {number} готов",
            "sender": None,
            "encoding": "ucs2",
            "parts": 1,
            "price": 90,
            "currency": "RUB",
            "due_at": NOON,
            "not_after": None,
        }
        return TextDraft(**(values | changed))

    def promise(self, drafts: Sequence[TextDraft], *, now: datetime = NOON) -> list[DeliveryId]:
        with self.database.write() as tx:
            return texts.enqueue_texts(tx, drafts, now=now)

    def claim(
        self,
        owner: str = "me",
        *,
        now: datetime = NOON,
        limit: int = 500,
        rate: float = 1000,
        burst: int = 100,
    ) -> list[ClaimedText]:
        """Claim, depart and begin, as a prepare beat does."""
        with self.database.write() as tx:
            claimed = texts.claim_texts(
                tx, owner=owner, login=self.login, rate=rate, burst=burst, now=now, lease=LEASE, limit=limit
            )
            texts.depart(tx, self.login, len(claimed), rate=rate, burst=burst, now=now)
            texts.begin_attempts(tx, claimed, now=now)
        return claimed

    def settle(
        self,
        outcomes: Sequence[TextOutcome],
        owner: str = "me",
        *,
        now: datetime = NOON,
        can_ask: bool = True,
    ) -> dict[DeliveryId, Any]:
        with self.database.write() as tx:
            return dict(texts.settle_texts(tx, owner, outcomes, now=now, can_ask=can_ask))

    def text(self, delivery_id: DeliveryId) -> TextRow:
        with self.database.read() as tx:
            found = texts.text(tx, delivery_id)
        assert found is not None
        return found

    def rows(self) -> list[TextRow]:
        with self.database.read() as tx:
            ids = tx.scalars(
                select(delivery.c.id).where(delivery.c.login == self.login).order_by(delivery.c.id)
            )
            found = [texts.text(tx, DeliveryId(one)) for one in ids.all()]
        return [one for one in found if one is not None]

    def attempts(self) -> list[Any]:
        with self.database.read() as tx:
            return list(tx.execute(select(attempt).order_by(attempt.c.id)).all())


def open_texting(database: Database, login: str = "main", *, slug: str = "cafe") -> Texting:
    with database.write() as tx:
        brand_id = tx.execute(
            insert(brand)
            .values(
                slug=slug, name="Кафе", texts={"ru": {}, "en": {}}, time_zone="Europe/Moscow", currency="RUB",
                language="ru", pass_type_identifier=f"pass.example.{slug}", team_identifier="TEAM123456",
                credentials="file:nowhere", created_at=NOON,
            )
            .returning(brand.c.id)
        ).scalar_one()  # fmt: skip
    return Texting(database, BrandId(brand_id), login)


def say(tx: Tx, member_id: MemberId, *, granted: bool, at: datetime) -> None:
    """A member's word on advertising."""
    words = {"text_version": "1", "text": "Согласие на рекламу", "language": "ru", "source": "test"}
    tx.execute(
        insert(consent).values(member_id=member_id, purpose="advertising", granted=granted, at=at, **words)
    )


def came(claimed: ClaimedText, verdict: TextVerdict, reason: str = "0", **more: Any) -> TextOutcome:
    return TextOutcome(claimed=claimed, verdict=verdict, reason=reason, **more)
