"""The events of a member's timeline, source by source."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any, Literal

from app.db import Tx
from app.db.identifiers import BrandId, EnrolmentId, MemberId, WalletPassId
from app.delivery import texts
from app.loyalty import codes, store_contacts, store_enrolments
from app.loyalty import rules as rulebook
from app.loyalty.rules import TieredRules
from app.loyalty.store_card_acts import CardAct
from app.loyalty.store_grants import Grant, Redemption
from app.loyalty.store_ledger import Entry, Receipt
from app.passes.content import LocalizedText
from app.passes.store_evidence import PassEvidence
from app.reports import card_dates, store_timeline
from app.reports.store_timeline import CardRow, PassRow, PhoneRow, PushRow

Topic = Literal["guest", "card", "points", "phone", "text"]
Fact = str | int | datetime | None
LONG = timedelta(minutes=1)
"""A push that waited less did not wait."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """Something that happened; ``kind`` names the sentence that ``facts`` go into."""

    at: datetime
    kind: str
    topic: Topic
    card: EnrolmentId | None = None
    facts: Mapping[str, Fact] = field(default_factory=dict)


_AS_IT_GOES = (
    "visit_scan", "visit_page", "visit_in_app", "code", "text", "text_delivered", "visit_form",
    "consent_given_data", "consent_given_advertising", "consent_withheld_advertising", "enrolled",
    "noted_proved", "offer_granted", "receipt", "refund", "points_redemption", "points_accrual",
    "offer_redeemed", "points_offer", "offer_given_back", "tier_rose", "tier_fell",
    "hand_reissue", "changed", "push_promised", "push_waited", "push_held", "push_superseded",
    "push_accepted", "contacted", "listed", "told_again", "fetched", "registered", "registered_app",
    "registered_again", "visit_added", "installed",
)  # fmt: skip
_PLACE = {kind: place for place, kind in enumerate(_AS_IT_GOES)}


def in_order(events: Iterable[Event]) -> list[Event]:
    """Newest first; of one moment, what followed from the other comes first. Pushes at once are told once."""
    told: dict[tuple[Any, ...], Event] = {}
    for number, event in enumerate(events):
        is_push = event.kind.startswith("push_")  # said alike of two phones that were pushed at one moment
        told.setdefault((event.at, event.kind, event.facts.get("reason")) if is_push else (number,), event)
    usual = len(_PLACE)
    order = enumerate(told.values())
    known = [((event.at, _PLACE.get(event.kind, usual), number), event) for number, event in order]
    return [event for _, event in sorted(known, key=lambda pair: pair[0], reverse=True)]


def of_cards(cards: Iterable[CardRow]) -> Iterable[Event]:
    """When cards were made, and ended."""
    for card in cards:
        named: dict[str, Fact] = {"programme": card.programme, "venue": card.venue}
        yield Event(at=card.enrolled_at, kind="enrolled", topic="card", card=card.enrolment_id, facts=named)
        if card.ended_at:
            kind = "merged_away" if card.merged_into_id else "ended"
            yield Event(at=card.ended_at, kind=kind, topic="card", card=card.enrolment_id, facts=named)


def of_receipts(receipts: Iterable[Receipt], venues: Mapping[Any, str]) -> Iterable[Event]:
    """What was rung up, and refunded."""
    for one in receipts:
        facts: dict[str, Fact] = {
            "number": one.number,
            "amount": one.amount,
            "currency": one.currency,
            "venue": venues[one.venue_id],
            "rung_up_at": one.at,
        }
        told = Event(at=one.recorded_at, kind="receipt", topic="points", card=one.enrolment_id, facts=facts)
        yield told
        if one.refunded_at:
            yield replace(told, at=one.refunded_at, kind="refund")


def of_points(entries: Iterable[Entry], acts: Iterable[CardAct]) -> Iterable[Event]:
    """The ledger; a correction by hand is told by who made it."""
    by_hand = {act.entry_id for act in acts}
    for one in entries:
        if one.id in by_hand:
            continue
        kind = "moved" if one.kind == "correction" else one.kind
        facts: dict[str, Fact] = {"points": one.points, "stamps": one.stamps}
        yield Event(at=one.at, kind=f"points_{kind}", topic="points", card=one.enrolment_id, facts=facts)


def of_offers(
    grants: Iterable[Grant], redemptions: Iterable[Redemption], names: Mapping[Any, LocalizedText]
) -> Iterable[Event]:
    """What was put on the cards, redeemed and given back, and what left them unused."""
    redeemed: dict[Any, list[Redemption]] = {}
    for each in redemptions:
        redeemed.setdefault(each.grant_id, []).append(each)
    for one in grants:
        name = names[one.offer_id]
        facts: dict[str, Fact] = {"ru": name.ru, "en": name.en, "campaign": one.campaign}
        told = Event(
            at=one.granted_at, kind="offer_granted", topic="points", card=one.enrolment_id, facts=facts
        )
        yield told
        for each in redeemed.get(one.id, ()):
            yield replace(told, at=each.at, kind="offer_redeemed")
            if each.returned_at:
                yield replace(told, at=each.returned_at, kind="offer_given_back")
        if one.over_at:
            yield replace(told, at=one.over_at, kind=f"offer_{one.over_because}")


def of_tiers(cards: Iterable[CardRow], receipts: Sequence[Receipt], now: datetime) -> Iterable[Event]:
    """When the tier rose and fell, counted anew from the receipts by the rules of today."""
    for card in cards:
        rules = rulebook.from_json(card.kind, card.rules)
        if not isinstance(rules, TieredRules):
            continue
        spent: dict[datetime, int] = {}  # by moment: what then begins to count, less what ends to
        for one in receipts:
            left = one.at + timedelta(days=rules.window_days)
            until = min(left, one.refunded_at or left)
            if one.enrolment_id == card.enrolment_id and one.recorded_at < until:
                spent[one.recorded_at] = spent.get(one.recorded_at, 0) + one.amount
                spent[until] = spent.get(until, 0) - one.amount
        before, spend = rules.tiers[0], 0
        for moment in sorted(moment for moment in spent if moment <= now):
            spend += spent[moment]
            after = [tier for tier in rules.tiers if spend >= tier.spend_from][-1]
            if after != before:
                rose = after.spend_from > before.spend_from
                names: dict[str, Fact] = {"ru": after.name.ru, "en": after.name.en}
                kind = "tier_rose" if rose else "tier_fell"
                yield Event(at=moment, kind=kind, topic="points", card=card.enrolment_id, facts=names)
            before = after


def of_hands(acts: Iterable[CardAct], entries: Iterable[Entry]) -> Iterable[Event]:
    """What people of the brand did to the cards."""
    known = {entry.id: (entry.points, entry.stamps) for entry in entries}
    for act in acts:
        points, stamps = known[act.entry_id] if act.entry_id else (0, 0)
        facts: dict[str, Fact] = {
            "reason": act.reason,
            "actor": act.actor,
            "points": points,
            "stamps": stamps,
            "former": act.former_card_code,
        }
        yield Event(at=act.at, kind=f"hand_{act.kind}", topic="card", card=act.enrolment_id, facts=facts)


def of_words(tx: Tx, brand_id: BrandId, member_id: MemberId) -> Iterable[Event]:
    """What was agreed to, texted, asked for, and noted."""
    for said in store_enrolments.consents(tx, member_id):
        kind = f"consent_{'given' if said.granted else 'withheld'}_{said.purpose}"
        yield Event(at=said.at, kind=kind, topic="guest", facts={"source": said.source})
    for text in texts.texts_of_member(tx, member_id):
        known: dict[str, Fact] = {"text": text.kind, "state": text.state, "reason": text.reason}
        yield Event(at=text.created_at, kind="text", topic="text", facts=known)
        if text.receipt_at:
            yield Event(at=text.receipt_at, kind=f"text_{text.state}", topic="text", facts=known)
    number = store_contacts.contact(tx, member_id).phone
    for code in codes.codes_of_number(tx, brand_id, number) if number else ():
        yield Event(at=code.created_at, kind="code", topic="text", facts={"tries": code.tries})
    for noted in store_timeline.audited(tx, brand_id, member_id):
        kind = "noted_" + noted.action.partition(".")[2].replace("-", "_")
        yield Event(at=noted.at, kind=kind, topic="guest", facts={"actor": noted.actor})


def of_passes(
    passes: Iterable[PassRow],
    proofs: Mapping[WalletPassId, PassEvidence],
    causes: Sequence[Event],
    *,
    phones: Sequence[PhoneRow] = (),
    pushes: Sequence[PushRow] = (),
    now: datetime,
) -> Iterable[Event]:
    """How the newest version travelled, as far as it came; ``causes`` are what may have changed the cards."""
    for one in passes:
        own: dict[str, Any] = {"topic": "phone", "card": one.enrolment_id}
        proof = proofs.get(one.id) or PassEvidence(one.id)
        proved = [
            ("listed", proof.listed_at, proof.listed_version),
            ("fetched", proof.fetched_at, proof.fetched_version),
            ("installed", proof.installed_at, proof.installed_version),
        ]
        seen = [at for _, at, version in proved if at and version == one.version]
        holders = {phone.device_id for phone in phones if phone.pass_id == one.id}
        told = [push for push in pushes if push.device_id in holders]
        changed_at = card_dates.made_at(
            one.last_modified,
            causes=[each.at for each in causes if each.card == one.enrolment_id],
            promised=[push.created_at for push in told],
            settled=[push.settled_at for push in told if push.settled_at],
            seen=seen,
            now=now,
        )
        yield Event(at=changed_at, kind="changed", facts={"version": one.version}, **own)
        for kind, at, version in proved:
            if at:
                yield Event(at=at, kind=kind, facts={"version": version}, **own)
        if proof.retagged_at:
            yield Event(at=proof.retagged_at, kind="told_again", facts={"times": proof.retags}, **own)


def of_phones(
    phones: Sequence[PhoneRow], passes: Iterable[PassRow], pushes: Iterable[PushRow]
) -> Iterable[Event]:
    """Who registered, asked and went silent, and what was pushed."""
    card = {one.id: one.enrolment_id for one in passes}
    seen = set()
    for phone in phones:
        own: dict[str, Any] = {"topic": "phone", "card": card[phone.pass_id]}
        facts: dict[str, Fact] = {"device": phone.device_id}
        kind = "registered" if phone.push_service == "apple" else "registered_app"
        yield Event(at=phone.first_registered_at, kind=kind, facts=facts, **own)
        if phone.registered_at > phone.first_registered_at:
            yield Event(at=phone.registered_at, kind="registered_again", facts=facts, **own)
        if phone.device_id in seen:
            continue
        seen.add(phone.device_id)
        if phone.contacted_at:
            yield Event(at=phone.contacted_at, kind="contacted", facts=facts, **own)
        if phone.unreachable_since:
            yield Event(at=phone.unreachable_since, kind="unreachable", facts=facts, **own)
    for push in pushes:
        facts = {
            "device": push.device_id,
            "push": push.kind,
            "reason": push.reason,
            "due": push.due_at,
            "tries": push.attempts,
        }
        # One that left at once is told by what became of it.
        if push.settled_at is None:
            yield Event(at=push.created_at, kind="push_promised", topic="phone", facts=facts)
        elif push.settled_at - push.created_at >= LONG:
            yield Event(at=push.created_at, kind="push_waited", topic="phone", facts=facts)
        if push.held_since:
            yield Event(at=push.held_since, kind="push_held", topic="phone", facts=facts)
        if push.settled_at:
            yield Event(at=push.settled_at, kind=f"push_{push.state}", topic="phone", facts=facts)
