"""What is done with an audience: counted live, frozen when a campaign begins, walked in order of id.

Nobody's list is kept: a frozen audience is the filters, the moment, the ends of thirds and scores as they
were then, and the greatest id there was. A member is in it once, whatever the number of cards.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import date, datetime
from typing import Any, Final, Self
from zoneinfo import ZoneInfo

from app.accounts import brands
from app.campaigns import store_audience as store
from app.campaigns import store_reach
from app.campaigns.audience import BOUGHT_LATELY, Audience
from app.campaigns.store_filters import Asked, Cuts
from app.campaigns.store_reach import Span
from app.db import Tx
from app.db.identifiers import BrandId, MemberId, ProgrammeId, WalletPassId
from app.loyalty import consents, habits

MOST_AT_ONCE = 1_000
EVERY: Final = 2**62
"""No member has a greater id."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Counts:
    """How many members an audience has now."""

    all: int
    consenting: int  # agreed to advertising
    apple: int  # a card on a phone that pushes reach
    google: int  # a card that somebody holds at Google; some have both
    neither: int
    texts: int  # agreed, and a number that was not silenced since
    behind: int  # receipts too new to be in it: 0, unless the worker has been away


@dataclass(frozen=True, slots=True, kw_only=True)
class Frozen:
    """An audience as it was when its campaign began."""

    brand_id: BrandId
    audience: Audience
    upto: MemberId  # who enrolled later has a greater id
    at: datetime
    today: date
    cuts: Cuts

    def to_json(self) -> dict[str, Any]:
        """To be kept with the campaign."""
        return {
            "brand_id": self.brand_id,
            "audience": self.audience.to_json(),
            "upto": self.upto,
            "at": self.at.isoformat(),
            "today": self.today.isoformat(),
            "cuts": asdict(self.cuts),
        }

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Self:
        """As :meth:`to_json` made it."""
        return cls(
            brand_id=BrandId(value["brand_id"]),
            audience=Audience.from_json(value["audience"]),
            upto=MemberId(value["upto"]),
            at=datetime.fromisoformat(value["at"]),
            today=date.fromisoformat(value["today"]),
            cuts=Cuts(**{name: tuple(ends) for name, ends in value["cuts"].items()}),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Card:
    """A recipient's card of one programme."""

    programme_id: ProgrammeId
    pass_id: WalletPassId
    apple: bool  # on a phone that pushes reach
    google: bool  # somebody holds it there


@dataclass(frozen=True, slots=True, kw_only=True)
class Recipient:
    """A member of an audience, as a campaign meets it."""

    member_id: MemberId
    language: str
    phone: str | None  # E.164, proved or not
    consenting: bool  # to advertising, at this moment
    texts: bool  # and the number was not silenced since: a text may be sent
    cards: tuple[Card, ...]  # in order of programme


def count(tx: Tx, brand_id: BrandId, audience: Audience, now: datetime) -> Counts:
    """How many there are at this moment, with what has just been bought; raises NotFound for the brand."""
    asked = asked_now(tx, brand_id, audience, now)
    fresh = habits.fresh(tx, brand_id)
    found = store.count(tx, Span(tx.dialect.name, brand_id, 0, EVERY), asked, fresh)
    return Counts(
        all=found.all,
        consenting=found.consenting,
        apple=found.apple,
        google=found.google,
        neither=found.all - found.apple - found.google + found.both,
        texts=found.texts,
        behind=fresh.left,
    )


def freeze(tx: Tx, brand_id: BrandId, audience: Audience, now: datetime) -> Frozen:
    """The audience as it is now, to be walked later; raises NotFound for the brand."""
    asked = asked_now(tx, brand_id, audience, now)
    return Frozen(
        brand_id=brand_id,
        audience=audience,
        upto=store.last_member(tx, brand_id),
        at=now,
        today=asked.today,
        cuts=asked.cuts,
    )


def walk(tx: Tx, frozen: Frozen, after: MemberId, limit: int) -> list[Recipient]:
    """The next recipients after this id, in order of id; none: that was all. At most 1,000 at a time.

    They pass the filters now, as they were meant when the audience was frozen. Consents, numbers, phones and
    cards are asked of their own tables at this moment, never of what is kept for counting; habits are those
    that are kept, which is what guests bought up to a minute ago while a worker works.
    """
    if not 1 <= limit <= MOST_AT_ONCE:
        raise ValueError(f"a step is 1 to {MOST_AT_ONCE} recipients")
    asked = Asked(frozen.audience, frozen.today, frozen.at, frozen.cuts)
    found: list[store.Found] = []
    while len(found) < limit and after < frozen.upto:
        rest = Span(tx.dialect.name, frozen.brand_id, after, frozen.upto)
        span = Span(rest.dialect, rest.brand_id, after, store.block_end(tx, rest))
        found += store.page(tx, span, asked, limit - len(found))
        after = MemberId(span.upto)
    cards: dict[MemberId, list[Card]] = {}
    for one in store_reach.cards(tx, [each.member_id for each in found]):
        card = Card(programme_id=one.programme_id, pass_id=one.pass_id, apple=one.apple, google=one.google)
        cards.setdefault(one.member_id, []).append(card)
    member_ids = [one.member_id for one in found]
    consenting = consents.allowing(tx, member_ids, "advertising")
    numbers = [
        consents.Recipient(one.member_id, frozen.brand_id, one.phone)
        for one in found
        if one.phone is not None
    ]
    texts = {one.member_id for one in consents.may_be_sent_advertising(tx, numbers)}
    return [
        Recipient(
            member_id=one.member_id,
            language=one.language,
            phone=one.phone,
            consenting=one.member_id in consenting,
            texts=one.member_id in texts,
            cards=tuple(cards.get(one.member_id, ())),
        )
        for one in found
    ]


def asked_now(tx: Tx, brand_id: BrandId, audience: Audience, now: datetime) -> Asked:
    """The audience with the ends of parts as they are now; raises NotFound for the brand."""
    today = now.astimezone(ZoneInfo(brands.brand(tx, brand_id).time_zone)).date()
    since = habits.day_number(today) - BOUGHT_LATELY + 1

    def cut(column: str, parts: int, wanted: object) -> tuple[int, ...]:
        return store.cuts(tx, brand_id, column, parts, since=since) if wanted else ()

    cuts = Cuts(
        average=cut("average", 3, audience.check),
        last_day=cut("last_day", 5, audience.recency),
        visits=cut("visits", 5, audience.frequency),
        spent=cut("spent", 5, audience.monetary),
    )
    return Asked(audience, today, now, cuts)
