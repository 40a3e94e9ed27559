"""A card while something happens to it: read once, changed in the ledger, told once.

``settle_tier`` and ``tell`` are called once each, in that order, after the ledger was written.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Self, TypedDict, Unpack

from app.db import Tx
from app.db.identifiers import CardCode, LedgerEntryId, ReceiptId, VenueId
from app.loyalty import content as cards
from app.loyalty import ledger, stamps, store_enrolments, store_ledger, wording
from app.loyalty import rules as rulebook
from app.loyalty import tiers as tiering
from app.loyalty.rules import Kind, StampRules, Tier, TieredRules
from app.loyalty.stamps import StampCard
from app.loyalty.store_accounts import AccountRow
from app.loyalty.store_ledger import EntryKind
from app.loyalty.tiers import Spend, Standing
from app.passes import issuing
from app.passes.content import LocalizedText, PassContent
from app.passes.issuing import PushKind, Revision


@dataclass(frozen=True, slots=True, kw_only=True)
class CardView:
    """What a cashier may know: nothing of the guest but the first letter of the name."""

    code: CardCode
    kind: Kind
    currency: str
    balance: int  # hundredths of a point
    tier: Tier | None
    stamps: StampCard | None
    name_initial: str | None


class Happened(TypedDict, total=False):
    """What a message tells beside points and stamps."""

    risen_to: LocalizedText | None
    rewarded: bool
    refund: bool
    merged: bool
    corrected: bool


class Account:
    """One card in one transaction."""

    def __init__(self, tx: Tx, row: AccountRow, now: datetime) -> None:
        """To look at it: points whose time is over do not count, whether or not that was written down."""
        self._tx, self._now, self._name = tx, now, row.name
        self.rules, self.currency = rulebook.from_json(row.kind, row.rules), row.currency
        self.enrolment = replace(row.enrolment, balance=row.enrolment.balance - row.overdue)
        self._spends: list[Spend] | None = None
        self._also: list[Callable[[PassContent], PassContent]] = []

    @classmethod
    def open(cls, tx: Tx, row: AccountRow, *, now: datetime) -> Self:
        """To change it, locked: points whose time is over are let go first, so that nobody spends them."""
        account = cls(tx, row, now)
        if row.overdue:
            # Whoever held the lock before may have let them go: what was lost now is what counts.
            lost = ledger.expire(tx, [row.enrolment.id], now=now).get(row.enrolment.id, 0)
            account.enrolment = replace(row.enrolment, balance=row.enrolment.balance - lost)
        return account

    def accrue(
        self,
        points: int,
        *,
        stamps: int,
        expires_at: datetime | None,
        venue_id: VenueId,
        receipt_id: ReceiptId,
        kind: EntryKind = "accrual",
    ) -> LedgerEntryId:
        """Add what a receipt, or the offer that it redeems, brings: points (hundredths) and stamps."""
        entry_id = ledger.accrue(
            self._tx,
            self.enrolment.id,
            points,
            stamps=stamps,
            expires_at=expires_at,
            venue_id=venue_id,
            receipt_id=receipt_id,
            kind=kind,
            now=self._now,
        )
        self._has_changed(points, stamps)
        return entry_id

    def take(
        self,
        points: int,
        *,
        kind: EntryKind,
        stamps: int,
        venue_id: VenueId,
        receipt_id: ReceiptId | None = None,
        reverses_id: LedgerEntryId | None = None,
        first_of: Collection[LedgerEntryId] = (),
    ) -> LedgerEntryId:
        """Take points and stamps away, the lots of ``first_of`` first; Conflict where there are fewer."""
        entry_id = ledger.take(
            self._tx,
            self.enrolment.id,
            points,
            kind=kind,
            stamps=stamps,
            first_of=first_of,
            venue_id=venue_id,
            receipt_id=receipt_id,
            reverses_id=reverses_id,
            now=self._now,
        )
        self._has_changed(-points, -stamps)
        return entry_id

    def correct(self, points: int, *, stamps: int, expires_at: datetime | None) -> LedgerEntryId:
        """Add what is positive, take what is negative (points in hundredths), as one entry of its own.

        Points and stamps have one sign, or one of them is 0. Conflict where there are fewer.
        """
        here, now = (self._tx, self.enrolment.id), self._now
        if points < 0 or stamps < 0:
            entry_id = ledger.take(*here, -points, kind="correction", stamps=-stamps, now=now)
        else:
            more = {"stamps": stamps, "expires_at": expires_at, "venue_id": None}
            entry_id = ledger.accrue(*here, points, kind="correction", now=now, **more)  # type: ignore[arg-type]
        self._has_changed(points, stamps)
        return entry_id

    def _has_changed(self, points: int, stamps: int) -> None:
        self.enrolment = replace(
            self.enrolment,
            balance=self.enrolment.balance + points,
            stamps=self.enrolment.stamps + stamps,
        )

    def standing(self, rules: TieredRules) -> Standing:
        """Where the guest stands by what was spent in the window; receipts are looked up once."""
        if self._spends is None:
            begins = tiering.window_begins(rules, self._now)
            found = store_ledger.spends(self._tx, [self.enrolment.id], since=begins)
            self._spends = found.get(self.enrolment.id, [])
        return tiering.standing(rules, self._spends, self._now)

    def has_spent(self, spend: Spend) -> None:
        """A receipt was written that :meth:`standing` has not seen."""
        if self._spends is not None:
            self._spends.append(spend)

    def settle_tier(self) -> LocalizedText | None:
        """Write the tier that the receipts lead to; its name where it is higher than the card says."""
        if not isinstance(self.rules, TieredRules):
            return None
        before, standing = self.rules.tier(self.enrolment.tier), self.standing(self.rules)
        settled = (standing.tier.key, standing.due_at)
        if settled != (self.enrolment.tier, self.enrolment.tier_due_at):
            store_enrolments.set_tiers(self._tx, {self.enrolment.id: settled})
            self.enrolment = replace(self.enrolment, tier=standing.tier.key, tier_due_at=standing.due_at)
        return standing.tier.name if standing.tier.spend_from > before.spend_from else None

    def also(self, change: Callable[[PassContent], PassContent]) -> None:
        """Change this too, in the version that tells what happened."""
        self._also.append(change)

    def tell(
        self,
        *,
        points: int,
        stamps: int,
        announcement: str,
        **happened: Unpack[Happened],
    ) -> None:
        """Hand the card's new content down, with one message that says all that happened."""
        revision, kind = self.told(points=points, stamps=stamps, announcement=announcement, **happened)
        issuing.revise(self._tx, [revision], kind=kind, now=self._now)

    def told(
        self,
        *,
        points: int,
        stamps: int,
        announcement: str,
        **happened: Unpack[Happened],
    ) -> tuple[Revision, PushKind]:
        """The card's new content, for who hands several down at once, and how its push ranks."""
        news = wording.News(
            points=points,
            balance=self.enrolment.balance,
            stamps=stamps,
            card=self._stamp_card(),
            reward=self.rules.reward if isinstance(self.rules, StampRules) else None,
            **happened,
        )

        def changed(content: PassContent) -> PassContent:
            for change in self._also:
                content = change(content)
            return cards.changed(
                content,
                balance=self.enrolment.balance,
                tier=cards.tier_name(self.rules, self.enrolment.tier),
                stamps=self.enrolment.stamps,
            )

        revision = Revision(self.enrolment.pass_id, changed, cards.speech(news, announcement, self._now))
        return revision, _kind(wording.message(news), points or stamps, happened)

    def view(self) -> CardView:
        """The card as a cashier may see it."""
        return CardView(
            code=self.enrolment.card_code,
            kind=rulebook.kind_of(self.rules),
            currency=self.currency,
            balance=self.enrolment.balance,
            tier=self.rules.tier(self.enrolment.tier) if isinstance(self.rules, TieredRules) else None,
            stamps=self._stamp_card(),
            name_initial=self._name[:1].upper() if self._name else None,
        )

    def _stamp_card(self) -> StampCard | None:
        return stamps.card(self.rules, self.enrolment.stamps) if isinstance(self.rules, StampRules) else None


def _kind(text: LocalizedText | None, counted: int, happened: Happened) -> PushKind:
    """How the push of a card ranks: of a receipt that also brought a new level the receipt counts."""
    if text is None:
        return "silent"
    return "level" if happened.get("risen_to") and not counted else "receipt"
