"""What an offer gives, to whom, where and until when: checked once, judged at every till. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Literal, get_args

from app.db.identifiers import BrandId, OfferId, ProgrammeId, VenueId
from app.errors import BadInput
from app.loyalty.checks import MOST_MONEY
from app.passes.content import MOST_OFFERS, CardOffer, LocalizedText, PassContent

Gives = Literal["percent", "amount", "gift", "points"]
GIVES: tuple[Gives, ...] = get_args(Gives)
"""A part of the receipt, a sum off it, a thing in the hand, or points."""
Reason = Literal["over", "not-yet", "elsewhere", "below-minimum"]

MOST_POINTS = 10**9
"""Hundredths that one offer may bring: ten million points are a slip of the finger."""
LONGEST_NAME = 32
"""More has no room on the front of a card beside the day on which it ends."""
LONGEST_TERMS = 500
LONGEST_GIFT = 80
_CODE = re.compile(r"[A-Z0-9](?:[A-Z0-9-]{0,22}[A-Z0-9])?")
NO_WORDS = LocalizedText("", "")
_WHOLE = 10_000  # basis points
_NEVER = datetime.max.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class OfferDraft:
    """What a marketer says of an offer."""

    code: str  # unique in the brand; what a till sends
    name: LocalizedText
    terms: LocalizedText = NO_WORDS
    gives: Gives
    worth: int = 0  # basis points of the receipt, minor units, or hundredths of a point; 0 for a gift
    gift: LocalizedText | None = None  # what is handed over
    minimum: int = 0  # of the receipt before the offer, in minor units
    programme_id: ProgrammeId | None = None  # None: cards of all the brand's programmes
    venue_ids: frozenset[VenueId] = frozenset()  # empty: everywhere
    from_at: datetime  # aware
    until_at: datetime | None = None  # aware, the first moment at which it is over; None: until it is ended


@dataclass(frozen=True, slots=True, kw_only=True)
class Offer:
    """An offer as it is kept."""

    id: OfferId
    brand_id: BrandId
    draft: OfferDraft
    created_at: datetime
    ended_at: datetime | None

    @property
    def code(self) -> str:
        """What a till sends."""
        return self.draft.code

    def is_over(self, now: datetime) -> bool:
        """Whether nobody may redeem it any more."""
        until = self.draft.until_at
        return self.ended_at is not None or (until is not None and until <= now)


def checked(draft: OfferDraft, *, now: datetime) -> OfferDraft:
    """The draft, tidied; raises :class:`BadInput` at its first fault, which names the field."""
    code = draft.code.strip().upper()
    if not _CODE.fullmatch(code):
        raise BadInput(
            "bad-code", "A code has 1 to 24 letters A–Z, digits and hyphens: COFFEE-10.", field="code"
        )
    name = LocalizedText(
        _words(draft.name.ru, "name_ru", LONGEST_NAME), _words(draft.name.en, "name_en", LONGEST_NAME)
    )
    terms = LocalizedText(
        _words(draft.terms.ru, "terms_ru", LONGEST_TERMS, needed=bool(draft.terms.en.strip())),
        _words(draft.terms.en, "terms_en", LONGEST_TERMS, needed=bool(draft.terms.ru.strip())),
    )
    if draft.gives not in GIVES:
        raise BadInput("bad-gives", f"An offer gives one of: {', '.join(GIVES)}.", field="gives")
    gift = None
    if draft.gives == "gift":
        said = draft.gift or NO_WORDS
        gift = LocalizedText(
            _words(said.ru, "gift_ru", LONGEST_GIFT), _words(said.en, "gift_en", LONGEST_GIFT)
        )
    if not 0 <= draft.minimum <= MOST_MONEY:
        raise BadInput("bad-minimum", "The smallest receipt is a sum of money, or nothing.", field="minimum")
    if draft.until_at is not None and draft.until_at <= max(now, draft.from_at):
        raise BadInput(
            "ends-too-early", "The last day lies after the first, and not in the past.", field="until"
        )
    return replace(draft, code=code, name=name, terms=terms, gift=gift, worth=_worth(draft))


def _worth(draft: OfferDraft) -> int:
    if draft.gives == "gift":
        return 0
    if draft.gives == "percent":
        if not 1 <= draft.worth <= _WHOLE:
            raise BadInput("bad-worth", "A part of the receipt is above 0 and at most 100 %.", field="worth")
    elif not 1 <= draft.worth <= (MOST_POINTS if draft.gives == "points" else MOST_MONEY):
        raise BadInput("bad-worth", "Say how much the offer gives: more than nothing.", field="worth")
    return draft.worth


def _words(said: str, field: str, longest: int, *, needed: bool = True) -> str:
    trimmed = " ".join("".join(ch for ch in said if ch.isprintable() or ch.isspace()).split())
    if needed and not trimmed:
        raise BadInput("offer-words", "Write it in both languages: guests read one of them.", field=field)
    if len(trimmed) > longest:
        raise BadInput("too-long", f"It may have {longest} characters.", field=field)
    return trimmed


def suits(kind: str, gives: Gives) -> bool:
    """Whether cards of a programme of this kind take such an offer: stamps are no place for points."""
    return gives != "points" or kind != "stamp"


def refused(
    offer: Offer,
    *,
    until: datetime | None,
    venue_id: VenueId,
    amount: int | None,
    now: datetime,
) -> Reason | None:
    """Why a guest who has it ``until`` then may not redeem it here and now; None where they may.

    ``amount`` is the receipt before the offer, in minor units; None where it is not known yet.
    """
    terms = offer.draft
    if offer.is_over(now) or (until is not None and until <= now):
        return "over"
    if now < terms.from_at:
        return "not-yet"
    if terms.venue_ids and venue_id not in terms.venue_ids:
        return "elsewhere"
    if amount is not None and amount < terms.minimum:
        return "below-minimum"
    return None


def discount(terms: OfferDraft, amount: int) -> int:
    """Minor units to take off a receipt of ``amount``: rounded down, never more than the receipt."""
    if terms.gives == "percent":
        return amount * terms.worth // _WHOLE
    return min(terms.worth, amount) if terms.gives == "amount" else 0


def earliest(*moments: datetime | None) -> datetime | None:
    """The first of those that are there."""
    return min((moment for moment in moments if moment is not None), default=None)


def on_card(offer: Offer, until: datetime | None) -> CardOffer:
    """What the card of a guest says of it who has it ``until`` then."""
    return CardOffer(offer.code, offer.draft.name, offer.draft.terms, until)


def with_offer(content: PassContent, offer: CardOffer) -> PassContent:
    """The card with the offer on it; one of that code takes the place of what was there."""
    return replace(
        content, offers=in_order((*(each for each in content.offers if each.code != offer.code), offer))
    )


def without_offer(content: PassContent, code: str) -> PassContent:
    """The card without the offer of this code."""
    return replace(content, offers=tuple(each for each in content.offers if each.code != code))


def in_order(offers: Iterable[CardOffer]) -> tuple[CardOffer, ...]:
    """As the card tells them: that which ends first comes first; there is no room for more than ten."""
    return tuple(sorted(offers, key=lambda each: place(each.until, each.code))[:MOST_OFFERS])


def place(until: datetime | None, code: str) -> tuple[datetime, str]:
    """What offers are sorted by."""
    return until or _NEVER, code
