"""A card while something happens to it: its enrolment, programme and brand, read once; told once.

The enrolment is locked by whoever opens an account; ``settle_tier`` and ``tell`` are called once each, in
that order, after the ledger was written.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Self

from app.accounts import brands
from app.db import Tx
from app.db.identifiers import CardCode
from app.loyalty import content as cards
from app.loyalty import ledger, programmes, stamps, store_enrolments, store_ledger, wording
from app.loyalty import tiers as tiering
from app.loyalty.programmes import Programme
from app.loyalty.rules import Kind, StampRules, Tier, TieredRules
from app.loyalty.stamps import StampCard
from app.loyalty.store_enrolments import Enrolment
from app.loyalty.tiers import Standing
from app.passes import issuing
from app.passes.content import LocalizedText
from app.passes.issuing import Revision


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


class Account:
    """One card in one transaction."""

    def __init__(
        self, tx: Tx, enrolment: Enrolment, programme: Programme, brand: brands.Brand, now: datetime
    ) -> None:
        """Use :meth:`open` or :meth:`look`."""
        self._tx, self._now = tx, now
        self.enrolment, self.programme, self.brand = enrolment, programme, brand

    @classmethod
    def open(cls, tx: Tx, enrolment: Enrolment, *, now: datetime) -> Self:
        """To change it: points whose time is over are let go first, so that nobody spends them."""
        lost = ledger.expire(tx, [enrolment.id], now=now)
        account = cls.look(tx, enrolment, now=now)
        if lost:
            account._reread()
        return account

    @classmethod
    def look(cls, tx: Tx, enrolment: Enrolment, *, now: datetime) -> Self:
        """To look at it."""
        programme = programmes.programme(tx, enrolment.programme_id)
        return cls(tx, enrolment, programme, brands.brand(tx, enrolment.brand_id), now)

    def standing(self) -> Standing:
        """Where the guest stands by what was spent in the window (a tiered programme's alone)."""
        rules = self.programme.rules
        assert isinstance(rules, TieredRules)  # noqa: S101  # asked by callers
        begins = tiering.window_begins(rules, self._now)
        spends = store_ledger.spends(self._tx, [self.enrolment.id], since=begins)
        return tiering.standing(rules, spends.get(self.enrolment.id, []), self._now)

    def settle_tier(self) -> LocalizedText | None:
        """Write the tier that the receipts lead to; its name where it is higher than the card says."""
        rules = self.programme.rules
        if not isinstance(rules, TieredRules):
            return None
        before, standing = rules.tier(self.enrolment.tier), self.standing()
        store_enrolments.set_tiers(self._tx, {self.enrolment.id: (standing.tier.key, standing.due_at)})
        return standing.tier.name if standing.tier.spend_from > before.spend_from else None

    def tell(
        self,
        *,
        points: int,
        stamps: int,
        announcement: str,
        risen_to: LocalizedText | None = None,
        rewarded: bool = False,
        refund: bool = False,
    ) -> None:
        """Hand the card's new content down, with one message that says all that happened."""
        self._reread()
        rules = self.programme.rules
        text = wording.message(
            wording.News(
                points=points,
                balance=self.enrolment.balance,
                stamps=stamps,
                card=self._stamp_card(),
                reward=rules.reward if isinstance(rules, StampRules) else None,
                rewarded=rewarded,
                risen_to=risen_to,
                refund=refund,
            )
        )
        content = cards.changed(
            issuing.wallet_pass(self._tx, self.enrolment.pass_id).content,
            balance=self.enrolment.balance,
            tier=cards.tier_name(rules, self.enrolment.tier),
            stamps=self.enrolment.stamps,
            text=text,
            announcement=announcement,
            now=self._now,
        )
        issuing.revise(
            self._tx,
            [Revision(self.enrolment.pass_id, content)],
            kind="receipt" if text else "silent",
            now=self._now,
        )

    def view(self) -> CardView:
        """The card as a cashier may see it; points that have expired do not count."""
        rules = self.programme.rules
        member = store_enrolments.member(self._tx, self.enrolment.member_id)
        return CardView(
            code=self.enrolment.card_code,
            kind=self.programme.kind,
            currency=self.brand.currency,
            balance=ledger.spendable(self._tx, self.enrolment.id, now=self._now),
            tier=rules.tier(self.enrolment.tier) if isinstance(rules, TieredRules) else None,
            stamps=self._stamp_card(),
            name_initial=member.name[:1].upper() if member and member.name else None,
        )

    def _stamp_card(self) -> StampCard | None:
        rules = self.programme.rules
        return stamps.card(rules, self.enrolment.stamps) if isinstance(rules, StampRules) else None

    def _reread(self) -> None:
        found = store_enrolments.enrolment(self._tx, self.enrolment.id)
        assert found is not None  # noqa: S101  # locked by this very transaction
        self.enrolment = found
