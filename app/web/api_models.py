"""The till API's words: what comes in, strictly, and what goes out. English and Russian for the docs page."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Annotated, Literal, Self

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from app.loyalty import till
from app.loyalty.checks import MOST_MONEY
from app.loyalty.redemption_limits import MOST_POINTS
from app.loyalty.till import CardView, OpenOffer
from app.web.api_offers import NameOut, OfferRedeemedOut, OfferReturnedOut, OpenOfferOut, named
from app.web.api_words import said


class _In(BaseModel):
    # Strict: a float is no money, and a field nobody knows is a mistake that must not pass unseen.
    model_config = ConfigDict(strict=True, extra="forbid")


_Card = Annotated[
    str,
    said(
        "The card's code as scanned or typed: any case, hyphens optional",
        "Код карты, как считан или набран: в любом регистре, дефисы не обязательны",
        min_length=1,
        max_length=64,
        examples=["7K3M-9QXA-T2RB"],
    ),
]
_Currency = Annotated[
    str,
    said(
        "ISO 4217, the brand's own",
        "Валюта бренда по ISO 4217",
        pattern="^[A-Z]{3}$",
        examples=["RUB"],
    ),
]


class CallHeaders(BaseModel):
    """Headers of every call that changes something."""

    idempotency_key: str = Field(
        alias="Idempotency-Key",
        min_length=1,
        max_length=64,
        pattern="^[!-~]+$",
        description="A new key for each new act; the same key repeats the first answer and acts no more."
        " Kept for 30 days. A refused call frees its key.",
        json_schema_extra={
            "x-description-ru": "Новый ключ на каждое новое действие; с тем же ключом повторяется первый"
            " ответ, а действие не повторяется. Хранится 30 дней. Отказ освобождает ключ."
        },
    )


class ReceiptIn(_In):
    """A sale."""

    card: _Card
    number: str = said(
        "The receipt's number, unique in the venue",
        "Номер чека, единственный в заведении",
        min_length=1,
        max_length=64,
        pattern=r"^[^\s/]+$",
        examples=["2026-000123"],
    )
    amount: int = said(
        "Minor units (kopecks, cents) paid in money; what points paid for earns nothing",
        "Оплачено деньгами, в копейках (центах); оплаченное баллами баллов не приносит",
        ge=1,
        le=MOST_MONEY,
        examples=[45000],
    )
    currency: _Currency
    at: AwareDatetime = said(
        "When it was rung up, with a UTC offset; at most 5 minutes ahead and 30 days old",
        "Когда пробит, со смещением от UTC; не более 5 минут вперёд и не старше 30 дней",
        examples=["2026-11-21T15:00:00+03:00"],
    )

    offer: str | None = said(
        "Code of an offer on the card to redeem with this receipt; amount is then the one before it",
        "Код предложения на карте, которое применить к чеку; amount — сумма до него",
        default=None,
        min_length=1,
        max_length=24,
        examples=["COFFEE-10"],
    )

    def draft(self) -> till.ReceiptDraft:
        """As loyalty wants it."""
        return till.ReceiptDraft(
            card=self.card,
            number=self.number,
            amount=self.amount,
            currency=self.currency,
            at=self.at,
            offer=self.offer,
        )


class RedemptionIn(_In):
    """Points off a receipt, or a reward for stamps."""

    card: _Card
    points: int | None = said(
        "Hundredths of a point to take; either this or reward",
        "Сколько списать, в сотых балла; либо это, либо reward",
        default=None,
        ge=1,
        le=MOST_POINTS,
        examples=[15000],
    )
    reward: bool = said(
        "Hand over the reward of a stamp card", "Выдать награду по карте штампов", default=False
    )
    amount: int | None = said(
        "The receipt before points, in minor units; needed where the programme limits what points may pay",
        "Сумма чека до баллов, в копейках; нужна, если программа ограничивает оплату баллами",
        default=None,
        ge=1,
        le=MOST_MONEY,
    )
    currency: _Currency | None = None

    def redemption(self) -> till.Redemption:
        """As loyalty wants it."""
        return till.Redemption(
            card=self.card,
            points=self.points,
            reward=self.reward,
            amount=self.amount,
            currency=self.currency,
        )


class TierOut(BaseModel):
    """A level."""

    key: str = said("Stable name", "Постоянное имя")
    name: NameOut = said("As the card shows it", "Как на карте")
    cashback: int = said("Basis points of the next receipt", "Доля следующего чека, в сотых процента")


class StampsOut(BaseModel):
    """A stamp card."""

    stamps: int = said("Stamps on the card", "Штампов на карте")
    for_reward: int = said("Stamps that one reward takes", "Штампов за награду")
    rewards: int = said("Rewards that may be handed over now", "Наград можно выдать сейчас")
    missing: int = said("Stamps to the next reward", "Штампов до следующей награды")


class CardOut(BaseModel):
    """What a cashier may know of a card."""

    card: str = said("The card's code", "Код карты")
    kind: Literal["bonus", "stamp", "tiered"] = said("The programme's kind", "Вид программы")
    currency: str = said("The brand's currency", "Валюта бренда")
    balance: int = said(
        "Hundredths of a point that may be spent now", "Можно потратить сейчас, в сотых балла"
    )
    tier: TierOut | None = said("In a tiered programme", "В программе с уровнями")
    stamps: StampsOut | None = said("In a stamp programme", "В программе со штампами")
    name_initial: str | None = said("First letter of the guest's name", "Первая буква имени гостя")

    @classmethod
    def of(cls, view: CardView) -> Self:
        """As loyalty has it."""
        tier, stamps = view.tier, view.stamps
        return cls(
            card=view.code,
            kind=view.kind,
            currency=view.currency,
            balance=view.balance,
            tier=TierOut(key=tier.key, name=named(tier.name), cashback=tier.cashback) if tier else None,
            stamps=StampsOut(
                stamps=stamps.stamps,
                for_reward=stamps.for_reward,
                rewards=stamps.rewards,
                missing=stamps.missing,
            )
            if stamps
            else None,
            name_initial=view.name_initial,
        )


class CardFoundOut(CardOut):
    """A card that was looked up, with what its guest may redeem."""

    offers: list[OpenOfferOut] = said(
        "On the card now, that which ends first first", "На карте сейчас; первым то, что раньше кончится"
    )

    @classmethod
    def found(cls, view: CardView, offers: Iterable[OpenOffer]) -> Self:
        """As loyalty has it."""
        card = CardOut.of(view).model_dump()
        return cls(**card, offers=[OpenOfferOut.of(each) for each in offers])


class ReceiptOut(BaseModel):
    """What a sale brought."""

    number: str = said("The receipt's number", "Номер чека")
    points: int = said("Hundredths of a point that it earned", "Начислено, в сотых балла")
    stamps: int = said("Stamps that it earned", "Начислено штампов")
    level_up: bool = said("Whether it led to a higher tier", "Привёл ли чек к новому уровню")
    card: CardOut = said("The card afterwards", "Карта после этого")
    offer: OfferRedeemedOut | None = said("The offer that it redeemed", "Предложение, которое применено")

    @classmethod
    def of(cls, recorded: till.Recorded) -> Self:
        """As loyalty has it."""
        offer = recorded.offer
        return cls(
            number=recorded.number,
            points=recorded.points,
            stamps=recorded.stamps,
            level_up=recorded.risen,
            card=CardOut.of(recorded.card),
            offer=OfferRedeemedOut.of(offer) if offer else None,
        )


class RedemptionOut(BaseModel):
    """What was taken."""

    points: int = said("Hundredths of a point that were taken", "Списано, в сотых балла")
    worth: int = said("Minor units to take off the receipt", "На сколько уменьшить чек, в копейках")
    stamps: int = said("Stamps that were taken", "Списано штампов")
    reward: bool = said("Whether the reward is to be handed over", "Нужно ли выдать награду")
    card: CardOut = said("The card afterwards", "Карта после этого")

    @classmethod
    def of(cls, redeemed: till.Redeemed) -> Self:
        """As loyalty has it."""
        return cls(
            points=redeemed.points,
            worth=redeemed.worth,
            stamps=redeemed.stamps,
            reward=redeemed.reward,
            card=CardOut.of(redeemed.card),
        )


class RefundOut(BaseModel):
    """What a refund took back."""

    number: str = said("The receipt's number", "Номер чека")
    points: int = said("Hundredths of a point that were taken back", "Забрано назад, в сотых балла")
    stamps: int = said("Stamps that were taken back", "Забрано назад штампов")
    card: CardOut = said("The card afterwards", "Карта после этого")
    offer: OfferReturnedOut | None = said(
        "What became of the offer that the receipt had redeemed",
        "Что стало с предложением, применённым к чеку",
    )

    @classmethod
    def of(cls, refunded: till.Refunded) -> Self:
        """As loyalty has it."""
        offer = refunded.offer
        return cls(
            number=refunded.number,
            points=refunded.points,
            stamps=refunded.stamps,
            card=CardOut.of(refunded.card),
            offer=OfferReturnedOut.of(offer) if offer else None,
        )


class FieldOut(BaseModel):
    """One fault of the request."""

    field: str = said("Which part is at fault", "В какой части ошибка")
    detail: str = said("What is wrong with it", "Что в ней не так")


class ProblemOut(BaseModel):
    """A refusal (RFC 9457); nothing was changed."""

    type: str = said("Stable address of the problem's kind", "Постоянный адрес вида ошибки")
    title: str = said("The kind in words, ru or en by Accept-Language", "Вид ошибки словами")
    status: int = said("The HTTP status", "Код HTTP")
    detail: str = said("What to do about it", "Что с этим делать")
    code: str = said("The kind for programs", "Вид ошибки для программ")
    fields: list[FieldOut] | None = said("Faults by field", "Ошибки по полям", default=None)
