"""The rows of guests in bulk, as production would have written them.

Guest n enrolled some days ago, rang up one receipt an hour later, got its push, fetched the card, and has
been quiet since. What a guest's card says is made by the production code, once for every kind of guest.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache, lru_cache
from typing import Any

from sqlalchemy import Table

from app.accounts.brands import Brand
from app.db.identifiers import CardCode, DesignId
from app.delivery.tables import attempt, delivery, push_budget
from app.loyalty import content as cards
from app.loyalty import ledger, points, wording
from app.loyalty.guest_tables import member_key
from app.loyalty.programmes import Programme
from app.loyalty.rules import TieredRules, point_rules
from app.loyalty.search_keys import keys
from app.loyalty.tables import consent, enrolment, ledger_entry, lot, member, receipt
from app.passes import registrations
from app.passes.content import Language
from app.passes.speaking import spoken
from app.passes.tables import device, pass_evidence, registration, wallet_pass
from app.places.venues import Venue
from bench import identities
from bench.bulk import Value, moment

Rows = Iterator[Sequence[Value]]

TABLES = (
    member, member_key, consent, wallet_pass, enrolment, device, registration, receipt, ledger_entry, lot,
    pass_evidence, delivery, attempt, push_budget,
)  # fmt: skip

NAMES = ("Анна", "Борис", "Вера", "Глеб", "Дарья", "Егор", "Alice", "Kate", "Мария-Луиза", "Игорь")
_FOUND_BY = {name: sorted(keys(name, None)) for name in NAMES}
AMOUNTS = (320_00, 450_00, 640_00, 890_00, 1250_00, 2100_00, 3700_00)  # of the one receipt
MOST_REMEMBERED = 20_000
OLDEST, NEWEST = timedelta(days=20), timedelta(days=1)  # younger than what the worker purges
TO_RECEIPT = timedelta(hours=1)
_ASKED = "Я согласен на обработку моих данных (имя, номер карты, история покупок), чтобы карта работала."
_CODE, _NAME, _RECEIPT = "0000-0000-0000", "guest's name", "receipt:0"


@dataclass(frozen=True, slots=True)
class Ground:
    """What guests come to: made by production verbs, read back from the database."""

    brand: Brand
    programme: Programme
    venues: Sequence[Venue]
    design_id: DesignId
    first_tag: int  # the first that no pass has yet


@dataclass(frozen=True, slots=True)
class Said:
    """What one kind of guest's card says, with marks where guests differ, and what it is worth."""

    document: str
    balance: int
    tier: str | None


@dataclass(frozen=True, slots=True)
class When:
    """The moments of one guest, as databases take them."""

    enrolled: str
    rung_up: str
    said: str  # when the card's message was written, as the card's content has it
    expires: str | None  # the points


class Guests:
    """Rows by table for guest numbers from 0; ``first`` is the id of guest 0 in each table."""

    def __init__(self, ground: Ground, total: int, first: Mapping[Table, int], now: datetime) -> None:
        """``total`` spreads their arrivals over time."""
        self._ground, self._total, self._first = ground, total, first
        self._epoch = (now - OLDEST).replace(microsecond=0)
        # As the worker leaves them, who looks at every device once a month.
        self._held = [moment(now - timedelta(days=days)) for days in range(registrations.KEPT.days)]
        self._step = (OLDEST - NEWEST) / max(1, total)
        self._said = cache(self._say)
        self._when = lru_cache(MOST_REMEMBERED)(self._moments)

    def tables(self, *, history: bool) -> dict[Table, tuple[Sequence[str], Callable[[Iterable[int]], Rows]]]:
        """Columns and rows of every table, in an order in which references exist."""
        living: dict[Table, tuple[Sequence[str], Callable[[Iterable[int]], Rows]]] = {
            member: (("id", "brand_id", "name", "language", "created_at"), self._members),
            member_key: (("member_id", "key", "brand_id"), self._keys),
            consent: (
                ("member_id", "purpose", "granted", "text_version", "text", "language", "source", "at"),
                self._consents,
            ),
            wallet_pass: (
                ("id", "pass_type_identifier", "serial_number", "design_id", "content", "version", "tag",
                 "last_modified", "created_at"),
                self._passes,
            ),
            enrolment: (
                ("id", "member_id", "programme_id", "brand_id", "venue_id", "pass_id", "card_code", "balance",
                 "tier", "enrolled_at"),
                self._enrolments,
            ),
            device: (
                ("id", "device_library_identifier", "pass_type_identifier", "push_token", "registered_at",
                 "held_at"),
                self._devices,
            ),
            registration: (("device_id", "pass_id", "created_at", "registered_at"), self._registrations),
            receipt: (
                ("id", "venue_id", "enrolment_id", "number", "amount", "currency", "at", "recorded_at"),
                self._receipts,
            ),
            ledger_entry: (
                ("id", "enrolment_id", "kind", "points", "venue_id", "receipt_id", "at"),
                self._entries,
            ),
            lot: (("id", "enrolment_id", "entry_id", "points", "remaining", "expires_at"), self._lots),
        }  # fmt: skip
        if not history:
            return living
        return living | {
            pass_evidence: (
                ("pass_id", "listed_version", "listed_at", "fetched_version", "fetched_at",
                 "fetched_last_modified"),
                self._evidence,
            ),
            delivery: (
                ("id", "channel", "device_id", "pass_type_identifier", "kind", "priority", "state", "due_at",
                 "created_at", "attempts", "settled_at"),
                self._deliveries,
            ),
            attempt: (
                ("id", "delivery_id", "number", "started_at", "finished_at", "status", "verdict",
                 "provider_id"),
                self._attempts,
            ),
            push_budget: (("device_id", "score", "last_push_at"), self._budgets),
        }  # fmt: skip

    def _id(self, table: Table, number: int) -> int:
        return self._first[table] + number

    def _moments(self, number: int) -> When:
        enrolled = self._epoch + timedelta(seconds=int((self._step * number).total_seconds()))
        rung_up = enrolled + TO_RECEIPT
        rules = point_rules(self._ground.programme.rules)
        expires = ledger.expiry(rules, rung_up) if rules else None
        return When(
            moment(enrolled), moment(rung_up), rung_up.isoformat(), moment(expires) if expires else None
        )

    def _venue(self, number: int) -> Venue:
        return self._ground.venues[number % len(self._ground.venues)]

    def _amount(self, number: int) -> int:
        return AMOUNTS[number % len(AMOUNTS)]

    def _of(self, number: int) -> Said:
        return self._said(_language(number), self._venue(number), self._amount(number))

    def _say(self, language: Language, home: Venue, amount: int) -> Said:
        brand, rules = self._ground.brand, self._ground.programme.rules
        tier = rules.tiers[0] if isinstance(rules, TieredRules) else None
        cashback = tier.cashback if tier else getattr(rules, "cashback", 0)
        balance = points.earned(amount, cashback, currency=brand.currency)
        content = cards.new_content(
            language=language,
            card_code=CardCode(_CODE),
            member_name=_NAME,
            balance=0,
            tier=tier.name if tier else None,
            venues=self._ground.venues,
            home=home.id,
        )
        content = cards.changed(
            content,
            balance=balance,
            tier=content.tier,
            stamps=0,
        )
        said = cards.speech(wording.News(points=balance, balance=balance), _RECEIPT, self._epoch)
        content = spoken(content, said, None, version=1)
        return Said(_dumped(content.to_json()), balance, tier.key if tier else None)

    def _members(self, numbers: Iterable[int]) -> Rows:
        for n in numbers:
            created = self._when(n).enrolled
            yield self._id(member, n), self._ground.brand.id, _name(n), _language(n), created

    def _keys(self, numbers: Iterable[int]) -> Rows:
        """What members are found by."""
        for n in numbers:
            for key in _FOUND_BY[_name(n)]:
                yield self._id(member, n), key, self._ground.brand.id

    def _consents(self, numbers: Iterable[int]) -> Rows:
        for n in numbers:
            at = self._when(n).enrolled
            for purpose, granted in (("data", True), ("advertising", n % 3 != 0)):
                yield (self._id(member, n), purpose, granted, f"{purpose}-1", _ASKED, _language(n),
                       "install page", at)  # fmt: skip

    def _passes(self, numbers: Iterable[int]) -> Rows:
        ground, epoch = self._ground, self._epoch.isoformat()
        for n in numbers:
            when = self._when(n)
            document = (
                self._of(n)
                .document.replace(_CODE, identities.card_code(n))
                .replace(_NAME, _dumped(_name(n))[1:-1])
                .replace(_RECEIPT, f"receipt:{self._id(receipt, n)}")
                .replace(epoch, when.said)
            )
            # Issued with one tag, changed by the receipt with the next.
            yield (self._id(wallet_pass, n), ground.brand.pass_type_identifier, identities.serial_number(n),
                   ground.design_id, document, 2, ground.first_tag + 2 * n + 1, when.rung_up,
                   when.enrolled)  # fmt: skip

    def _enrolments(self, numbers: Iterable[int]) -> Rows:
        for n in numbers:
            said = self._of(n)
            yield (self._id(enrolment, n), self._id(member, n), self._ground.programme.id,
                   self._ground.brand.id, self._venue(n).id, self._id(wallet_pass, n),
                   identities.card_code(n), said.balance, said.tier, self._when(n).enrolled)  # fmt: skip

    def _devices(self, numbers: Iterable[int]) -> Rows:
        for n in numbers:
            yield (self._id(device, n), identities.device_library_identifier(n),
                   self._ground.brand.pass_type_identifier, identities.push_token(n),
                   self._when(n).enrolled, self._held[n % len(self._held)])  # fmt: skip

    def _registrations(self, numbers: Iterable[int]) -> Rows:
        for n in numbers:
            at = self._when(n).enrolled
            yield self._id(device, n), self._id(wallet_pass, n), at, at

    def _receipts(self, numbers: Iterable[int]) -> Rows:
        for n in numbers:
            at = self._when(n).rung_up
            yield (self._id(receipt, n), self._venue(n).id, self._id(enrolment, n), f"world-{n}",
                   self._amount(n), self._ground.brand.currency, at, at)  # fmt: skip

    def _entries(self, numbers: Iterable[int]) -> Rows:
        for n in numbers:
            yield (self._id(ledger_entry, n), self._id(enrolment, n), "accrual", self._of(n).balance,
                   self._venue(n).id, self._id(receipt, n), self._when(n).rung_up)  # fmt: skip

    def _lots(self, numbers: Iterable[int]) -> Rows:
        for n in numbers:
            balance = self._of(n).balance
            yield (self._id(lot, n), self._id(enrolment, n), self._id(ledger_entry, n), balance, balance,
                   self._when(n).expires)  # fmt: skip

    def _evidence(self, numbers: Iterable[int]) -> Rows:
        for n in numbers:
            at = self._when(n).rung_up
            yield self._id(wallet_pass, n), 2, at, 2, at, at

    def _deliveries(self, numbers: Iterable[int]) -> Rows:
        for n in numbers:
            at = self._when(n).rung_up
            yield (self._id(delivery, n), "apple", self._id(device, n),
                   self._ground.brand.pass_type_identifier, "receipt", 0, "accepted", at, at, 1,
                   at)  # fmt: skip

    def _attempts(self, numbers: Iterable[int]) -> Rows:
        for n in numbers:
            at = self._when(n).rung_up
            provider_id = identities.device_library_identifier(~n & 0xFFFF_FFFF_FFFF)
            yield (self._id(attempt, n), self._id(delivery, n), 1, at, at, 200, "accepted",
                   provider_id)  # fmt: skip

    def _budgets(self, numbers: Iterable[int]) -> Rows:
        for n in numbers:
            yield self._id(device, n), 0.0, self._when(n).rung_up


def _language(number: int) -> Language:
    return "en" if number % 5 == 0 else "ru"


def _name(number: int) -> str:
    return NAMES[number % len(NAMES)]


def _dumped(value: Any) -> str:
    return json.dumps(value)
