"""Texts to those whom no card reached: who may get one, in whose words, and within the campaign's money."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final

from app.accounts import brands
from app.campaigns import giving, home_zones, limits, store_proofs, words
from app.campaigns import store_cascade as store
from app.campaigns.looks import Because, unreached
from app.campaigns.merge_fields import fill
from app.campaigns.plan import Plan
from app.campaigns.store_campaigns import Campaign
from app.campaigns.store_cascade import Recipient
from app.campaigns.store_proofs import Person
from app.campaigns.store_recipients import Due
from app.db import Tx
from app.db.identifiers import MemberId
from app.delivery import texts
from app.delivery.text_promises import TextDraft
from app.errors import BadInput
from app.loyalty import consents
from app.passes.announcing import HEARD_FOR
from app.passes.content import Language
from app.sms.book import Login, SmsBook, currency_of, price_of
from app.sms.encoding import measure

LONGEST: Final = 1000
"""Characters: what every gateway takes, once the merge fields are filled in."""
_FIRST_LOOK: Final = timedelta(seconds=10)


@dataclass(frozen=True, slots=True)
class Texting:
    """How the brands' texts leave; ``book`` None: by no login."""

    book: SmsBook | None = None

    def login_of(self, slug: str) -> Login | None:
        """By which the brand's leave; None where the operator's file names none."""
        if self.book is None or (brand := self.book.brands.get(slug)) is None:
            return None
        return self.book.logins[brand.login]


def text_now(tx: Tx, campaign: Campaign, rows: Sequence[Due], now: datetime, *, texting: Texting) -> None:
    """Promise the texts of recipients that no card speaks to, and settle those who get none.

    The campaign is locked, and so are the recipients, whose moment has come.
    """
    spoken_to = [
        Recipient(member_id=one.member_id, arm=one.arm, state="waiting", contact_at=now) for one in rows
    ]
    store.write(tx, campaign.id, promise(tx, campaign, spoken_to, texting, now=now))


def promise(
    tx: Tx, campaign: Campaign, rows: Sequence[Recipient], texting: Texting, *, now: datetime
) -> list[Recipient]:
    """Promise a text to each who may get one; the rows as they are then, ``texting`` or ``unreached``.

    The campaign is locked: of two who promise at once the second sees what the first one spent.
    """
    if not rows:
        return []
    login = texting.login_of(brands.brand(tx, campaign.brand_id).slug)
    if campaign.plan.texts_to == "nobody":
        return [unreached(one, "no_text", now) for one in rows]
    if giving.is_over(tx, campaign, now):
        return [unreached(one, "offer_over", now) for one in rows]
    if login is None:
        return [unreached(one, "no_login", now) for one in rows]
    people = store_proofs.people(tx, [one.member_id for one in rows])
    why = _refused(tx, campaign, rows, people)
    asked = sorted((one for one in rows if one.member_id not in why), key=lambda one: one.member_id)
    drafts = _drafts(tx, campaign, asked, people, login, why, now)
    made = texts.enqueue_texts(tx, list(drafts.values()), now=now)
    promised = dict(zip(drafts, made, strict=True))
    store.count_texts(
        tx, campaign.id, texts=len(drafts), spent=sum(draft.price or 0 for draft in drafts.values())
    )
    return [
        replace(
            one,
            state="texting",
            delivery_id=promised[one.member_id],
            look_at=drafts[one.member_id].due_at + _FIRST_LOOK,
            text_parts=drafts[one.member_id].parts,
            text_price=drafts[one.member_id].price,
            text_currency=drafts[one.member_id].currency,
        )
        if one.member_id in promised
        else unreached(one, why[one.member_id], now)
        for one in rows
    ]


def _refused(
    tx: Tx, campaign: Campaign, rows: Sequence[Recipient], people: Mapping[MemberId, Person]
) -> dict[MemberId, Because]:
    """Who gets no text, and why, but for words and money."""
    living = sorted({one.id for one in people.values()})
    consenting = consents.allowing(tx, living, "advertising")
    speakable = consents.may_be_sent_advertising(
        tx,
        [
            consents.Recipient(one.id, campaign.brand_id, one.phone)
            for one in people.values()
            if one.phone is not None
        ],
    )
    heard = {one.member_id for one in speakable}
    why: dict[MemberId, Because] = {}
    for one in rows:
        person = people[one.member_id]
        if person.removed:
            why[one.member_id] = "left"
        elif person.id != one.member_id and not _speaks_for(tx, campaign, one.member_id, person.id):
            why[one.member_id] = "merged"
        elif person.phone is None:
            why[one.member_id] = "no_number"
        elif campaign.kind == "service":
            continue
        elif person.id not in consenting:
            why[one.member_id] = "no_consent"
        elif person.id not in heard:
            why[one.member_id] = "silenced"
    return why


def _speaks_for(tx: Tx, campaign: Campaign, member_id: MemberId, living: MemberId) -> bool:
    """Of several rows of a guest who was found to be one, that of who lives on counts, else the first."""
    rows = store.members_with_rows(tx, campaign.id, store_proofs.same_guest(tx, living))
    return living not in rows and member_id == min(rows)


def _drafts(
    tx: Tx,
    campaign: Campaign,
    asked: Sequence[Recipient],
    people: Mapping[MemberId, Person],
    login: Login,
    why: dict[MemberId, Because],
    now: datetime,
) -> dict[MemberId, TextDraft]:
    """The texts that the money lasts for; who gets none goes into ``why``."""
    said = _words(tx, campaign, asked, people)
    taken = store_proofs.numbers_texted(
        tx, campaign.id, [one.phone for one in people.values() if one.phone is not None]
    )
    promised, spent = store.promised(tx, campaign.id)
    moments = _moments(tx, campaign, [people[one.member_id].id for one in asked], now)
    drafts: dict[MemberId, TextDraft] = {}
    for one in asked:
        person = people[one.member_id]
        number = person.phone or ""
        try:
            measured = measure(said[one.member_id])
        except BadInput:
            why[one.member_id] = "bad_text"
            continue
        if len(said[one.member_id]) > LONGEST:
            why[one.member_id] = "bad_text"
            continue
        if number in taken:
            why[one.member_id] = "same_number"
            continue
        price = price_of(login, number, measured.parts)
        if price is not None and price.currency != currency_of(login):
            price = None
        if because := _too_dear(campaign.plan, price.amount if price else None, promised, spent):
            why[one.member_id] = because
            continue
        taken.add(number)
        promised, spent = promised + 1, spent + (price.amount if price else 0)
        due_at = moments.get(person.id, now)
        drafts[one.member_id] = TextDraft(
            brand_id=campaign.brand_id,
            member_id=person.id,
            login=login.name,
            kind=campaign.kind,
            number=number,
            text=said[one.member_id],
            sender=login.sender,
            encoding=measured.encoding,
            parts=measured.parts,
            price=price.amount if price else None,
            currency=price.currency if price else None,
            due_at=due_at,
            not_after=_not_after(campaign.plan, one, due_at),
        )
    return drafts


def _not_after(plan: Plan, one: Recipient, due_at: datetime) -> datetime:
    """No text leaves once a fetch of the card would not be known to prove anything."""
    stale = due_at + plan.patience
    return stale if one.pass_id is None else min(stale, one.contact_at + plan.patience + HEARD_FOR)


def _too_dear(plan: Plan, price: int | None, promised: int, spent: int) -> Because | None:
    if plan.most_texts is not None and promised >= plan.most_texts:
        return "budget"
    if price is None:
        return "no_price" if plan.most_texts is None else None
    return "budget" if plan.budget is not None and spent + price > plan.budget else None


def _moments(
    tx: Tx, campaign: Campaign, member_ids: Collection[MemberId], now: datetime
) -> dict[MemberId, datetime]:
    """When each may be texted: nobody is woken."""
    if campaign.kind == "service":
        return {}
    allowed = limits.of_brand(tx, campaign.brand_id)
    return {one: allowed.spoken_at(now, zone) for one, zone in home_zones.of_members(tx, member_ids).items()}


def _words(
    tx: Tx, campaign: Campaign, asked: Sequence[Recipient], people: Mapping[MemberId, Person]
) -> dict[MemberId, str]:
    """What each is told, in the member's language and of the member's own card."""
    living = {people[one.member_id].id for one in asked}
    cards = store_proofs.cards(tx, living, campaign.plan.programme_id)
    offer = giving.fields(tx, campaign)
    values = words.of_passes(tx, sorted(set(cards.values())), besides=offer)
    said = {}
    for one in asked:
        person = people[one.member_id]
        language: Language = "en" if person.language == "en" else "ru"
        own = values.get(cards[person.id]) if person.id in cards else None
        text = campaign.plan.sms(one.arm).in_language(language)
        without = {name: told.in_language(language) for name, told in offer.items()}
        said[one.member_id] = fill(text, own[language] if own else without)
    return said
