"""Codes that prove a phone number: six digits, five minutes, five tries, one active code to a number.

Two things must not pay. *Guessing*: a code is bound to the visit that asked for it, and of a million codes
five may be tried; a number gets six a day of a brand, so whoever guesses for a whole year finds one code of
a number with a probability of about one in a hundred. *Pumping*, having texts sent at the brand's cost to
numbers that earn from them: a code needs a page that a browser really opened from a link, a country that the
brand serves, a number that a mobile phone can have, and room in every bound below. Bounds are counted over
the last hour or day from the codes themselves, one asker at a time, so any number of processes keeps them.
An address range is a cafe's Wi-Fi, or a quarter of a town behind one operator's exit: its bound stops
machines, not a full house.

What is refused says nothing about who is a member: nothing here looks.
"""

from __future__ import annotations

import hashlib
import hmac
import ipaddress
import secrets
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Literal

from app.db import Tx
from app.db.identifiers import BrandId, DeliveryId, EnrolmentId, PhoneCodeId, VenueId, VisitId
from app.delivery import texts
from app.errors import BadInput, NotFound, TooMany
from app.loyalty import store_codes as store
from app.loyalty.phone_numbers import region_of
from app.loyalty.store_codes import ActiveCode, Among, CodeRow
from app.places import links, visits

__all__ = [
    "LIFE",
    "TRIES",
    "CodeAsked",
    "CodeLimits",
    "CodeRow",
    "NewCode",
    "ask",
    "asked_today",
    "check",
    "codes_of_number",
    "purge",
    "sent_as",
]

LIFE = timedelta(minutes=5)
TRIES = 5
DIGITS = 6
KEPT_FOR = timedelta(days=2)
_HOUR, _DAY = timedelta(hours=1), timedelta(days=1)
_V4_RANGE, _V6_RANGE = 24, 48  # what one customer or one provider's exit is likely to share

Answer = Literal["right", "wrong", "over"]


@dataclass(frozen=True, slots=True, kw_only=True)
class CodeLimits:
    """How many codes may be asked for; an hour and a day are the last 60 minutes and 24 hours."""

    countries: tuple[str, ...]  # ISO 3166-1 alpha-2: codes go nowhere else
    brand_a_day: int
    refused: tuple[str, ...] = ()  # "+7940": not to numbers that begin so, whatever country they count as
    number_an_hour: int = 3
    number_a_day: int = 6
    number_anywhere_an_hour: int = 9  # of all brands together: nobody shuts a number out of the others
    number_anywhere_a_day: int = 18
    address_range_an_hour: int = 60
    address_range_a_day: int = 200
    venue_a_day: int = 300
    visit_a_day: int = 6


@dataclass(frozen=True, slots=True, kw_only=True)
class CodeAsked:
    """Who wants a code, and where it should go: the form of a visit, or the page of a card."""

    brand_id: BrandId
    venue_id: VenueId
    visit_id: VisitId | None = None
    enrolment_id: EnrolmentId | None = None
    number: str  # E.164
    address: str  # the asker's IP address

    @property
    def asker(self) -> str:
        """Who alone may enter the code."""
        return _asker(self.visit_id, self.enrolment_id)


@dataclass(frozen=True, slots=True)
class NewCode:
    """A code on its way; the digits go into the text and nowhere else."""

    id: PhoneCodeId
    digits: str = field(repr=False)
    expires_at: datetime


def ask(tx: Tx, asked: CodeAsked, *, limits: CodeLimits, key: bytes, now: datetime) -> NewCode:
    """Make a code for the number, in place of the one that was active.

    ``key`` is this installation's secret, which digests are keyed with. Raises :class:`NotFound` for a visit
    that is not there, not the venue's, or whose page no browser showed (of a card the caller knows that its
    holder asks); :class:`BadInput` for a country that the brand does not serve ("country-not-served") or a
    number that no mobile phone has ("bad-phone"); :class:`TooMany` beyond a bound, whose code names it
    ("codes-of-number", "-address", "-venue", "-brand", "-visit"). Nothing was changed then.
    """
    _refuse_unopened(tx, asked)
    _refuse_country(asked.number, limits)
    store.wait_for_turn(tx)
    network = address_range(asked.address)
    _refuse_too_many(tx, asked, network, limits, now)
    texts.call_off(tx, store.end_active(tx, asked.brand_id, asked.number, now=now), now=now)
    digits = f"{secrets.randbelow(10**DIGITS):0{DIGITS}}"
    code_id = store.add(
        tx,
        brand_id=asked.brand_id,
        venue_id=asked.venue_id,
        visit_id=asked.visit_id,
        enrolment_id=asked.enrolment_id,
        number=asked.number,
        address_range=network,
        digest=_digest(key, asked.brand_id, asked.number, asked.asker, digits, now),
        expires_at=now + LIFE,
        now=now,
    )
    return NewCode(code_id, digits, now + LIFE)


def sent_as(tx: Tx, code_id: PhoneCodeId, delivery_id: DeliveryId) -> None:
    """Note which text carries the code."""
    store.set_delivery(tx, code_id, delivery_id)


def check(
    tx: Tx,
    *,
    brand_id: BrandId,
    number: str,
    visit_id: VisitId | None = None,
    enrolment_id: EnrolmentId | None = None,
    digits: str,
    key: bytes,
    now: datetime,
) -> Answer:
    """Judge one try, and count it: commit whatever the answer is.

    "right" once, and the code is used; "wrong" while tries are left; "over" where there is no such code for
    this visit, or this card: used, replaced, expired, or this was the fifth wrong try. Whoever tries from
    another visit takes nothing from the guest's tries, nor does anything that is not six digits.
    """
    code = store.lock_active(tx, brand_id, number)
    asker = _asker(visit_id, enrolment_id).encode()
    if code is None or not hmac.compare_digest(_asker(code.visit_id, code.enrolment_id).encode(), asker):
        return "over"
    if now >= code.expires_at or code.tries >= TRIES:
        store.end(tx, code.id, now=now)
        return "over"
    typed = "".join(str(int(character)) for character in digits[:40] if character.isdecimal())
    if len(typed) != DIGITS:
        return "wrong"
    right = _is(code, key, brand_id, number, typed)
    last = right or code.tries + 1 >= TRIES
    store.tried(tx, code.id, ended_at=now if last else None)
    if right:
        return "right"
    return "over" if last else "wrong"


def asked_today(tx: Tx, brand_id: BrandId, *, now: datetime) -> int:
    """How many codes the brand's guests asked for in the last 24 hours: what ``brand_a_day`` bounds."""
    return store.count(tx, brand_id, since=now - _DAY)


def codes_of_number(tx: Tx, brand_id: BrandId, number: str) -> list[CodeRow]:
    """Codes of the last two days, oldest first, for who looks after a guest; none says its digits."""
    return list(store.of_number(tx, brand_id, number))


def purge(tx: Tx, *, now: datetime, limit: int = 1000) -> int:
    """Forget codes older than two days; returns how many, 0 when done."""
    return store.purge(tx, before=now - KEPT_FOR, limit=limit)


def address_range(address: str) -> str:
    """Who is counted together: an IPv4 /24, an IPv6 /48; whoever has no address is one of "unknown"."""
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return "unknown"
    if isinstance(parsed, ipaddress.IPv6Address):
        if parsed.ipv4_mapped is None:
            return str(ipaddress.IPv6Network((int(parsed), _V6_RANGE), strict=False))
        parsed = parsed.ipv4_mapped
    return str(ipaddress.IPv4Network((int(parsed), _V4_RANGE), strict=False))


def _refuse_unopened(tx: Tx, asked: CodeAsked) -> None:
    """A code needs a page that a browser showed, or a card: whoever only knows an address gets none."""
    if asked.visit_id is None:
        return
    visit = visits.visit(tx, asked.visit_id)
    link = links.link(tx, visit.link_id)
    if (link.brand_id, link.venue_id) != (asked.brand_id, asked.venue_id) or "page" not in visit.events:
        raise NotFound("visit-not-found", "There is no such visit.")


def _refuse_country(number: str, limits: CodeLimits) -> None:
    region = region_of(number)
    if region is None:
        raise BadInput(
            "bad-phone",
            "This is no mobile number: write it with its country code."
            " / Это не мобильный номер: напишите его с кодом страны.",
            field="phone",
        )
    if region not in limits.countries or number.startswith(limits.refused):
        raise BadInput(
            "country-not-served",
            "We cannot send codes to numbers of this country."
            " / Мы не можем отправлять коды на номера этой страны.",
            field="phone",
        )


def _refuse_too_many(tx: Tx, asked: CodeAsked, network: str, limits: CodeLimits, now: datetime) -> None:
    of_brand, of_venue = {"brand_id": asked.brand_id}, {"venue_id": asked.venue_id}
    of_number = {"number": asked.number}
    of_asker: Among = {"visit_id": asked.visit_id} if asked.visit_id else {"enrolment_id": asked.enrolment_id}
    of_network = {"address_range": network, **of_brand}
    bounds: tuple[tuple[str, Among, int, timedelta], ...] = (
        ("number", {**of_number, **of_brand}, limits.number_an_hour, _HOUR),
        ("number", {**of_number, **of_brand}, limits.number_a_day, _DAY),
        ("number", of_number, limits.number_anywhere_an_hour, _HOUR),
        ("number", of_number, limits.number_anywhere_a_day, _DAY),
        ("visit", {**of_asker, **of_venue}, limits.visit_a_day, _DAY),
        ("address", of_network, limits.address_range_an_hour, _HOUR),
        ("address", of_network, limits.address_range_a_day, _DAY),
        ("venue", of_venue, limits.venue_a_day, _DAY),
        ("brand", of_brand, limits.brand_a_day, _DAY),
    )
    for scope, among, most, window in bounds:
        at = store.asked(tx, among, nth=most, since=now - window) if most > 0 else now
        if at is not None:
            raise TooMany(
                f"codes-of-{scope}",
                "No more codes can be sent for now. Please try again later."
                " / Сейчас больше кодов отправить нельзя. Попробуйте позже.",
                retry_after=max(timedelta(seconds=1), at + window - now),
            )


def _asker(visit_id: VisitId | None, enrolment_id: EnrolmentId | None) -> str:
    return visit_id or f"card {enrolment_id}"


def _is(code: ActiveCode, key: bytes, brand_id: BrandId, number: str, digits: str) -> bool:
    asker = _asker(code.visit_id, code.enrolment_id)
    expected = _digest(key, brand_id, number, asker, digits, code.created_at)
    return hmac.compare_digest(code.digest, expected)


def _digest(key: bytes, brand_id: BrandId, number: str, asker: str, digits: str, created_at: datetime) -> str:
    """What is kept of a code: without the key, all million digests together say nothing."""
    words = ("phone code", str(brand_id), number, asker, str(created_at.timestamp()), digits)
    return hmac.new(key, "\n".join(words).encode(), hashlib.sha256).hexdigest()
