"""What a guest's page tells of a card in Google Wallet: no more than Google does."""

from __future__ import annotations

from datetime import timedelta
from html import unescape
from typing import get_args

import pytest

from app.db.identifiers import EnrolmentId
from app.delivery import stopped
from app.delivery.google_promises import GoogleVerdict, Shown
from app.loyalty import enrolment
from app.loyalty.enrolment import Enrolment
from app.passes.store_google import ObjectRow
from app.places import visits
from app.reports import google_words
from app.reports.timeline import Surroundings, Timeline, timeline
from app.reports.verdict_words import VERDICTS
from tests.reports.google_settling import ISSUER, at_google, held, promise, told
from tests.web.console.house import House
from tests.web.console.members_guests import guest, with_phone
from tests.web.guests import NOW

MINUTE = timedelta(minutes=1)
PROOF = ("deliver", "достав", "seen by", "прочитал")


@pytest.fixture
def anna(house: House) -> Enrolment:
    with house.database.write() as tx:
        made = guest(tx, house.cafe, "Анна Петрова")
    house.clock.forward(timedelta(hours=1))
    return made


@pytest.fixture
def card(house: House, anna: Enrolment) -> ObjectRow:
    """Anna's card at Google, saved by her."""
    made = at_google(house.database, anna.pass_id, house.cafe.brand.id, now=NOW)
    held(house.database, made, by_somebody=True, now=NOW + MINUTE)
    return made


def story(house: House, of: Enrolment, *, after: timedelta = timedelta(minutes=5)) -> Timeline:
    with house.database.read() as tx:
        around = Surroundings(https=True)
        return timeline(tx, house.cafe.brand.id, of.member_id, around=around, now=NOW + after)


def page(house: House, of: Enrolment, language: str = "en") -> str:
    desk = house.desk("owner")
    shown = desk.client.get(f"/console/cafe/members/{of.member_id}", headers={"Accept-Language": language})
    assert shown.status_code == 200
    return unescape(shown.text)


@pytest.mark.parametrize(
    ("verdict", "reason", "cause", "kind", "words"),
    [
        ("accepted", "Notified", "google_accepted", "google_accepted", "was asked to notify the guest"),
        ("accepted", "Silent", "google_silent", "google_accepted_silently", "without a notification"),
        ("accepted", "HeldByQuota", "google_held", "google_held_by_quota", "three times in 24 hours"),
        ("accepted", "NoHolder", "google_silent", "google_no_holder", "nobody holds the card there"),
        (
            "refused",
            "400: bad logo",
            "google_failed",
            "google_failed",
            "did not take the card (400: bad logo)",
        ),
    ],
)
def test_what_google_took_is_told_and_nothing_more(
    house: House,
    anna: Enrolment,
    card: ObjectRow,
    verdict: GoogleVerdict,
    reason: str,
    cause: str,
    kind: str,
    words: str,
) -> None:
    told(house.database, card.id, verdict, reason, now=NOW + 2 * MINUTE)
    # A look of ours that found nothing new says nothing of the card.
    if verdict == "accepted":
        told(house.database, card.id, "accepted", "Unchanged", now=NOW + 3 * MINUTE, kind="silent")
    seen = story(house, anna)
    [state] = seen.cards
    assert (state.verdict.cause, state.also) == (cause, None)
    kinds = [event.kind for event in seen.events]
    assert {kind, "google_made", "google_saved", "google_promised"} <= set(kinds)
    assert kinds.count("google_promised") == 1
    shown = page(house, anna)
    assert words in shown
    assert not [word for word in PROOF if word in shown.lower()]


def test_a_card_is_not_there_yet_goes_and_comes_back(house: House, anna: Enrolment) -> None:
    made = at_google(house.database, anna.pass_id, house.cafe.brand.id, now=NOW)
    promise(house.database, made.id, "receipt", now=NOW)
    assert story(house, anna, after=MINUTE / 2).cards[0].verdict.cause == "google_waits"
    assert story(house, anna, after=10 * MINUTE).cards[0].verdict.cause == "google_worker_down"
    with house.database.write() as tx:
        stopped.GOOGLE.stop(
            tx, stopped.writer(ISSUER, house.cafe.brand.id), reason="403: Permission Denied", now=NOW
        )
    found = story(house, anna).cards[0].verdict
    assert (found.cause, found.facts["reason"]) == ("google_stopped", "403: Permission Denied")
    with house.database.write() as tx:
        stopped.GOOGLE.works(tx, stopped.writer(ISSUER, house.cafe.brand.id))
    told(house.database, made.id, "retry", "503", now=NOW)
    assert story(house, anna, after=MINUTE / 60).cards[0].verdict.cause == "google_retrying"

    held(house.database, made, by_somebody=False, now=NOW + MINUTE)
    assert "not saved" in page(house, anna)
    held(house.database, made, by_somebody=True, now=NOW + MINUTE)
    assert "not saved" not in page(house, anna)


def test_who_holds_it_is_told(house: House, anna: Enrolment) -> None:
    made = at_google(house.database, anna.pass_id, house.cafe.brand.id, now=NOW)
    assert story(house, anna).cards[0].verdict.cause == "google_failed"  # nobody knows why it is not there
    told(house.database, made.id, "accepted", "Silent", now=NOW)
    held(house.database, made, by_somebody=False, now=NOW)
    assert story(house, anna).cards[0].verdict.cause == "google_never_saved"
    held(house.database, made, by_somebody=True, now=NOW)
    assert story(house, anna).cards[0].verdict.cause == "google_silent"
    held(house.database, made, by_somebody=False, now=NOW + MINUTE)
    assert story(house, anna).cards[0].verdict.cause == "google_removed"
    assert anna.visit_id is not None
    with house.database.write() as tx:  # as the worker does when it hears of either
        visits.card_added(tx, anna.visit_id, at=NOW)
        visits.card_removed(tx, anna.visit_id, at=NOW + MINUTE)
    seen = page(house, anna)
    assert "Removed from Google Wallet" in seen
    assert "Removed the card from the phone" not in seen, "it is told once"
    assert "Added the card to a phone" not in seen
    with house.database.write() as tx:  # what a phone of Apple's does is another thing
        visits.card_added(tx, anna.visit_id, at=NOW + MINUTE)
        visits.card_removed(tx, anna.visit_id, at=NOW + 2 * MINUTE)
    assert "Removed the card from the phone" in page(house, anna)


def test_both_wallets_are_told_of_where_the_guest_has_both(
    house: House, anna: Enrolment, card: ObjectRow
) -> None:
    with house.database.write() as tx:
        with_phone(tx, anna)
    told(house.database, card.id, "accepted", "Notified", now=NOW)
    [state] = story(house, anna).cards
    assert state.verdict.cause == "installed"
    assert state.also is not None
    assert state.also.cause == "google_accepted"
    shown = page(house, anna)
    assert "The phone holds the newest card" in shown
    assert "Google took the newest card" in shown


def test_a_promise_that_was_forgotten_leaves_the_card(house: House, anna: Enrolment, card: ObjectRow) -> None:
    assert story(house, anna).cards[0].verdict.cause == "google_has"
    with house.database.read() as tx:
        assert enrolment.enrolment(tx, EnrolmentId(anna.id)).pass_id == card.pass_id


def test_no_sentence_about_google_says_more_than_google_tells() -> None:
    facts = dict.fromkeys(("at", "reason", "tries"), "…")
    of_google = [words for cause, pair in VERDICTS.items() if cause.startswith("google_") for words in pair]
    said = [str(words(**facts)) for words in [*of_google, *google_words.EVENTS.values()] if words]
    assert len(said) > 25
    assert not [line for line in said for word in PROOF if word in line.lower()]
    assert set(google_words.SHOWN) == set(get_args(Shown))
