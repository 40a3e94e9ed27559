"""The till API's words about offers: what is on a card, what a receipt redeemed, what a refund gave back."""

from __future__ import annotations

from typing import Literal, Self

from pydantic import AwareDatetime, BaseModel

from app.loyalty.offer_terms import Offer
from app.loyalty.till import OfferRedeemed, OfferReturned, OpenOffer
from app.passes.content import LocalizedText
from app.web.api_words import said


class NameOut(BaseModel):
    """Words in both languages."""

    ru: str = said("In Russian", "По-русски")
    en: str = said("In English", "По-английски")


def named(text: LocalizedText) -> NameOut:
    """As the API says words."""
    return NameOut(ru=text.ru, en=text.en)


class OfferOut(BaseModel):
    """What an offer gives."""

    code: str = said("By which a receipt names it", "Код, которым его называет чек")
    name: NameOut = said("As the card shows it", "Как на карте")
    terms: NameOut = said("What guests were told", "Условия, как их видит гость")
    gives: Literal["percent", "amount", "gift", "points"] = said(
        "A part of the receipt, a sum off it, a thing, or points",
        "Доля чека, сумма со скидкой, подарок или баллы",
    )
    worth: int = said(
        "Basis points of the receipt, minor units, or hundredths of a point; 0 for a gift",
        "Сотые процента чека, копейки или сотые балла; 0 для подарка",
    )
    gift: NameOut | None = said("What to hand over", "Что выдать")
    minimum: int = said("Smallest receipt, in minor units", "Наименьший чек, в копейках")

    @classmethod
    def of(cls, offer: Offer) -> Self:
        """As loyalty has it."""
        draft = offer.draft
        return cls(
            code=draft.code,
            name=named(draft.name),
            terms=named(draft.terms),
            gives=draft.gives,
            worth=draft.worth,
            gift=named(draft.gift) if draft.gift else None,
            minimum=draft.minimum,
        )


class OpenOfferOut(BaseModel):
    """An offer on the card."""

    offer: OfferOut = said("What it gives", "Что оно даёт")
    until: AwareDatetime | None = said("First moment at which it is over", "С этого момента не действует")
    usable: bool = said("Whether this till may redeem it now", "Можно ли применить на этой кассе сейчас")
    why_not: Literal["not-yet", "elsewhere"] | None = said(
        "Its days have not begun, or it is for other venues",
        "Ещё не началось или действует в других заведениях",
    )

    @classmethod
    def of(cls, found: OpenOffer) -> Self:
        """As loyalty has it."""
        return cls(
            offer=OfferOut.of(found.offer),
            until=found.until,
            usable=found.refused is None,
            why_not=found.refused,
        )


class OfferRedeemedOut(BaseModel):
    """What an offer does to the receipt."""

    offer: OfferOut = said("What it gives", "Что оно даёт")
    discount: int = said("Minor units to take off the receipt", "На сколько уменьшить чек, в копейках")
    paid: int = said(
        "What is left to pay, in minor units; it earns points and counts towards the tier",
        "Осталось оплатить, в копейках; с этого начислены баллы и считается уровень",
    )
    points: int = said("Hundredths of a point that the offer brought", "Баллов от предложения, в сотых")

    @classmethod
    def of(cls, found: OfferRedeemed) -> Self:
        """As loyalty has it."""
        return cls(
            offer=OfferOut.of(found.offer),
            discount=found.discount,
            paid=found.paid,
            points=found.points,
        )


class OfferReturnedOut(BaseModel):
    """What became of the offer of a refunded receipt."""

    code: str = said("The offer's code", "Код предложения")
    given_back: bool = said(
        "Whether the guest may redeem it again; else its time is over",
        "Можно ли применить его снова; иначе его срок вышел",
    )

    @classmethod
    def of(cls, found: OfferReturned) -> Self:
        """As loyalty has it."""
        return cls(code=found.offer.code, given_back=found.given_back)
