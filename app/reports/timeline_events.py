"""The events of a member's timeline, source by source."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any, Literal

from app.db import Tx
from app.db.identifiers import BrandId, EnrolmentId, MemberId, WalletPassId
from app.delivery import texts
from app.loyalty import codes, store_contacts, store_enrolments, tiers
from app.loyalty import rules as rulebook
from app.loyalty.rules import TieredRules
from app.loyalty.store_card_acts import CardAct
from app.loyalty.store_ledger import Entry, Receipt
from app.loyalty.tiers import Spend
from app.passes.store_evidence import PassEvidence
from app.reports import store_timeline
from app.reports.store_timeline import CardRow, PassRow, PhoneRow, PushRow

Topic = Literal["guest", "card", "points", "phone", "text"]
Fact = str | int | datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """Something that happened; ``kind`` names the sentence that ``facts`` go into."""

    at: datetime
    kind: str
    topic: Topic
    card: EnrolmentId | None = None
    facts: Mapping[str, Fact] = field(default_factory=dict)


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


def of_tiers(cards: Iterable[CardRow], receipts: Sequence[Receipt], now: datetime) -> Iterable[Event]:
    """When the tier rose and fell, counted anew from the receipts by the rules of today."""
    for card in cards:
        rules = rulebook.from_json(card.kind, card.rules)
        if not isinstance(rules, TieredRules):
            continue
        own = sorted(
            (one for one in receipts if one.enrolment_id == card.enrolment_id),
            key=lambda one: one.recorded_at,
        )
        changes = {one.recorded_at for one in own} | {one.refunded_at for one in own if one.refunded_at}
        changes |= {one.at + timedelta(days=rules.window_days) for one in own}
        before = rules.tiers[0]
        for moment in sorted(changes):
            if moment > now:
                break
            spends = [
                Spend(one.at, one.amount)
                for one in own
                if one.recorded_at <= moment and (one.refunded_at is None or one.refunded_at > moment)
            ]
            after = tiers.standing(rules, spends, moment).tier
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


def of_passes(passes: Iterable[PassRow], proofs: Mapping[WalletPassId, PassEvidence]) -> Iterable[Event]:
    """How the newest version travelled, as far as it came."""
    for one in passes:
        own: dict[str, Any] = {"topic": "phone", "card": one.enrolment_id}
        yield Event(at=one.last_modified, kind="changed", facts={"version": one.version}, **own)
        proof = proofs.get(one.id)
        if proof is None:
            continue
        for kind, at, version in (
            ("listed", proof.listed_at, proof.listed_version),
            ("fetched", proof.fetched_at, proof.fetched_version),
            ("installed", proof.installed_at, proof.installed_version),
        ):
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
        yield Event(at=push.created_at, kind="push_promised", topic="phone", facts=facts)
        if push.held_since:
            yield Event(at=push.held_since, kind="push_held", topic="phone", facts=facts)
        if push.settled_at:
            yield Event(at=push.settled_at, kind=f"push_{push.state}", topic="phone", facts=facts)
