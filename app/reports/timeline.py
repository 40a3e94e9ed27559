"""Everything that happened to a member and their cards, and why a phone does not show the newest of it.

One question for each source, however many cards and phones there are. Of a pass only its newest version is
kept, so how a change travelled is told of the newest; what was pushed and what came of it, of some weeks.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from app.db import Tx
from app.db.identifiers import BrandId, EnrolmentId, MemberId, VenueId, WalletPassId
from app.loyalty import store_card_acts, store_grants, store_ledger, store_offers
from app.passes import evidence
from app.passes.store_evidence import PassEvidence
from app.reports import google_verdicts, phone_lines, store_timeline, store_timeline_google, timeline_events
from app.reports.members import cards_of
from app.reports.store_timeline import PassRow, PhoneRow, PushRow
from app.reports.store_timeline_google import GoogleRow
from app.reports.timeline_events import Event
from app.reports.verdicts import CardFacts, Complaint, LastPromise, PhoneFacts, Service, Verdict, why

LOOKED_BACK = timedelta(days=30)
"""So long lines of phones' logs are looked for."""
_STEPS = frozenset({"scan", "page", "in_app", "form", "added", "removed"})
"""Of a visit; what came later has sources of its own."""
_UNDER_WAY = frozenset({"pending", "sending"})


@dataclass(frozen=True, slots=True, kw_only=True)
class CardState:
    """A card, the phones that hold it, and why they do not show its newest version, or that they do."""

    enrolment_id: EnrolmentId
    pass_id: WalletPassId
    serial_number: str
    version: int
    changed_at: datetime
    evidence: PassEvidence | None
    phones: tuple[PhoneRow, ...]
    google: GoogleRow | None
    verdict: Verdict
    also: Verdict | None  # of Google's card, where the guest has both


@dataclass(frozen=True, slots=True, kw_only=True)
class Timeline:
    """The whole story, newest first, and how each card stands."""

    events: tuple[Event, ...]
    cards: tuple[CardState, ...]
    elsewhere: bool = False  # more happened in venues that may not be seen


@dataclass(frozen=True, slots=True, kw_only=True)
class Surroundings:
    """What the database does not know: how the service is reached, and whether it can sign."""

    https: bool
    certificate_fault: str | None = None
    certificate_expired: bool = False


def timeline(
    tx: Tx,
    brand_id: BrandId,
    member_id: MemberId,
    *,
    around: Surroundings,
    now: datetime,
    venues: Collection[VenueId] | None = None,
) -> Timeline:
    """Of a member who is there, or was; one without cards has no cards in it.

    Whoever sees some ``venues`` alone is told of the cards, receipts and visits of these.
    """
    every, reached = store_timeline.cards(tx, member_id), cards_of(tx, [member_id], venues)
    cards = [card for card in every if reached is None or card.enrolment_id in reached]
    ids = [card.enrolment_id for card in cards]
    passes = store_timeline.passes(tx, ids)
    pass_ids = [one.id for one in passes]
    proofs = evidence.of_passes(tx, pass_ids)
    phones = store_timeline.phones(tx, pass_ids)
    pushes = store_timeline.pushes(tx, sorted({phone.device_id for phone in phones}))
    at_google = store_timeline_google.objects(tx, pass_ids)
    changes = store_timeline_google.changes(tx, [one.id for one in at_google])
    stopped = store_timeline_google.stopped_brands(tx, at_google)
    lines = store_timeline.complaints(tx, [one.serial_number for one in passes], since=now - LOOKED_BACK)
    receipts = store_ledger.receipts(tx, ids)
    hidden = {one.id for one in receipts if venues is not None and one.venue_id not in venues}
    seen = [one for one in receipts if one.id not in hidden]
    entries = [one for one in store_ledger.entries(tx, ids) if one.receipt_id not in hidden]
    acts = store_card_acts.of_enrolments(tx, ids)
    grants = store_grants.of_cards(tx, ids)
    redeemed = store_grants.redemptions(tx, [one.id for one in grants]) if grants else []
    offers = store_offers.by_ids(tx, sorted({one.offer_id for one in grants}))
    worker_seen_at = store_timeline.worker_seen_at(tx)
    steps = store_timeline.visits(tx, ids)
    names = store_timeline.venue_names(tx, sorted({receipt.venue_id for receipt in seen}))
    removed = {step.enrolment_id: step.at for step in steps if step.kind == "removed"}
    service = {
        name: Service(
            https=around.https,
            certificate_fault=around.certificate_fault,
            certificate_expired=around.certificate_expired,
            breaker=store_timeline.breaker_reason(tx, name),
            worker_seen_at=worker_seen_at,
        )
        for name in {one.pass_type_identifier for one in passes}
    }
    # What Google told counts in the funnel at the same moment, and is told once, as Google's.
    google_steps = {("added", one.first_saved_at) for one in at_google}
    google_steps |= {("removed", one.removed_at) for one in at_google}
    over = {card.enrolment_id for card in cards if card.ended_at is not None}
    states = []
    for one in passes:
        held = tuple(phone for phone in phones if phone.pass_id == one.id)
        facts = CardFacts(
            version=one.version,
            changed_at=one.last_modified,
            over=one.former or one.enrolment_id in over,
            removed_at=removed.get(one.enrolment_id),
            evidence=proofs.get(one.id),
            phones=[_phone(phone, pushes) for phone in held],
            complaints=[
                Complaint(at=at, line=line)
                for at, line in lines
                if one.serial_number in line and phone_lines.tells_failure(line)
            ],
        )
        if one.former or (one.enrolment_id in over and len(passes) > 1):
            continue
        google = next((each for each in at_google if each.pass_id == one.id), None)
        stands = None
        if google is not None:
            stands = google_verdicts.how_it_stands(
                google,
                [change for change in changes if change.google_object_id == google.id],
                stopped=stopped.get(google.brand_id),
                worker_seen_at=worker_seen_at,
                now=now,
            )
        verdict = why(facts, service[one.pass_type_identifier], now=now)
        states.append(_state(one, facts, held, google, verdict, stands))
    causes = [
        *timeline_events.of_cards(cards),
        *timeline_events.of_receipts(seen, names),
        *timeline_events.of_points(entries, acts),
        *timeline_events.of_offers(
            grants,
            [one for one in redeemed if one.receipt_id not in hidden],
            {one.id: one.draft.name for one in offers.values()},
        ),
        *timeline_events.of_tiers(cards, receipts, now),
        *timeline_events.of_hands(acts, entries),
    ]
    events = [
        *causes,
        *(
            Event(
                at=step.at,
                kind=f"visit_{step.kind}",
                topic="card",
                card=step.enrolment_id,
                facts={"venue": step.venue, "placement": step.placement, "device": step.device_kind},
            )
            for step in steps
            if step.kind in _STEPS
            and (step.kind, step.at) not in google_steps
            and (venues is None or step.venue_id in venues)
        ),
        *timeline_events.of_words(tx, brand_id, member_id),
        *timeline_events.of_passes(passes, proofs, causes, phones=phones, pushes=pushes, now=now),
        *timeline_events.of_phones(phones, passes, pushes),
        *google_verdicts.events(at_google, changes),
        *(
            Event(at=at, kind=f"line_{phone_lines.meaning(line)}", topic="phone", facts={"line": line})
            for at, line in lines
        ),
    ]
    return Timeline(
        events=tuple(timeline_events.in_order(events)),
        cards=tuple(states),
        elsewhere=bool(hidden) or len(cards) < len(every),
    )


def _state(
    one: PassRow,
    facts: CardFacts,
    held: tuple[PhoneRow, ...],
    google: GoogleRow | None,
    apple: Verdict,
    stands: Verdict | None,
) -> CardState:
    was_saved = google is not None and google.first_saved_at is not None
    verdict, also = google_verdicts.beside(apple, stands, was_saved=was_saved)
    return CardState(
        enrolment_id=one.enrolment_id,
        pass_id=one.id,
        serial_number=one.serial_number,
        version=one.version,
        changed_at=one.last_modified,
        evidence=facts.evidence,
        phones=held,
        google=google,
        verdict=verdict,
        also=also,
    )


def _phone(phone: PhoneRow, pushes: Sequence[PushRow]) -> PhoneFacts:
    """With its newest push; a pending one counts before one that was settled later."""
    own = [push for push in pushes if push.device_id == phone.device_id]
    last = next((push for push in own if push.state in _UNDER_WAY), own[0] if own else None)
    return PhoneFacts(
        push_service=phone.push_service,
        registered_at=phone.registered_at,
        contacted_at=phone.contacted_at,
        unreachable_since=phone.unreachable_since,
        push=None
        if last is None
        else LastPromise(**{name: getattr(last, name) for name in LastPromise.__dataclass_fields__}),
    )
