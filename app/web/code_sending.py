"""Having a code sent: by the brand's login, within the brand's bounds and its day's money."""

from __future__ import annotations

from dataclasses import dataclass

from app.accounts.brands import Brand
from app.db import Tx
from app.db.identifiers import MemberId
from app.delivery import texts
from app.delivery.texts import TextDraft
from app.errors import Misconfigured
from app.loyalty import codes, members
from app.loyalty.codes import CodeAsked, CodeLimits
from app.sms.book import BrandTexts, Login, price_of
from app.sms.gateway import Gateway
from app.web import sms_budget
from app.web.code_text import code_text
from app.web.services import Services


@dataclass(frozen=True, slots=True)
class Sender:
    """How a brand's texts leave."""

    brand: BrandTexts
    login: Login
    gateway: Gateway


def sender_of(services: Services, brand: Brand) -> Sender | None:
    """Whom the brand's texts leave by; None where the operator's file names nobody."""
    book = services.sms_book
    known = book.brands.get(brand.slug) if book else None
    if book is None or known is None:
        return None
    return Sender(known, book.logins[known.login], services.gateways[known.login])


def needed_sender(services: Services, brand: Brand) -> Sender:
    """The same; raises :class:`Misconfigured` where the operator forgot."""
    if sender := sender_of(services, brand):
        return sender
    raise Misconfigured(
        f'brand {brand.slug} has numbers proved (asks_phone = "proved") and sends no texts:'
        " name it in the file of PERKPASS_SMS_FILE"
    )


def asks_holders(tx: Tx, services: Services, brand: Brand, member_id: MemberId) -> bool:
    """Whether the holder of a card is offered to prove a number: the brand has it proved, and knows none."""
    sends = brand.asks_phone == "proved" and sender_of(services, brand) is not None
    return sends and members.proved_phone(tx, member_id) is None


def send_code(tx: Tx, services: Services, brand: Brand, sender: Sender, asked: CodeAsked) -> None:
    """A code and the promise of its text; raises NotFound, BadInput, TooMany as :func:`codes.ask` does."""
    now = services.clock()
    code = codes.ask(tx, asked, limits=_limits(sender.brand), key=services.secret_key, now=now)
    words, measured = code_text(
        code.digits,
        brand_name=brand.name,
        public_url=services.public_url,
        measure=sender.gateway.measure,
    )
    price = price_of(sender.login, asked.number, measured.parts)
    sms_budget.keep_to(tx, brand, sender.brand, price, now=now)
    delivery_id = texts.enqueue_text(
        tx,
        TextDraft(
            brand_id=brand.id,
            member_id=None,
            login=sender.login.name,
            kind="code",
            number=asked.number,
            text=words,
            sender=sender.login.sender,
            encoding=measured.encoding,
            parts=measured.parts,
            price=price.amount if price else None,
            currency=price.currency if price else None,
            due_at=now,
            not_after=code.expires_at,
        ),
        now=now,
    )
    codes.sent_as(tx, code.id, delivery_id)


def _limits(brand: BrandTexts) -> CodeLimits:
    return CodeLimits(
        countries=brand.countries,
        refused=brand.refuse,
        brand_a_day=brand.codes_a_day,
        address_range_an_hour=brand.codes_per_network_an_hour,
        address_range_a_day=brand.codes_per_network_a_day,
    )
