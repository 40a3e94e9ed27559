"""Enrolment: a card once per visit, with consent as evidence."""

from __future__ import annotations

from dataclasses import replace
from multiprocessing.synchronize import Barrier

import pytest
from sqlalchemy import func, select

from app.db import Database, connect
from app.db.identifiers import VisitId
from app.errors import BadInput, Conflict, NotFound
from app.loyalty import enrolment, members, store_enrolments
from app.loyalty.card_codes import understood
from app.loyalty.tables import member
from app.passes import issuing
from app.passes.tables import design, wallet_pass
from tests.loyalty import town as towns
from tests.loyalty.town import BONUS, EXPIRING, NOW, TIERED
from tests.processes import FORKED


def test_a_guest_gets_a_card_that_says_who_they_are(database: Database) -> None:
    with database.write() as tx:
        town = towns.build(tx, TIERED)
        made = towns.guest(tx, town)
        content = issuing.wallet_pass(tx, made.pass_id).content
    assert (made.balance, made.stamps, made.tier) == (0, 0, "guest")
    assert content.member_name == "Анна"
    assert content.tier is not None
    assert content.tier.en == "Guest"
    assert content.card_code == made.card_code
    assert understood(made.card_code) == made.card_code
    assert content.messages[0].text.en == "Welcome!"
    assert [(place.latitude, place.longitude) for place in content.locations] == [(55.75, 37.61)]


def test_the_same_visit_enrols_once(database: Database) -> None:
    with database.write() as tx:
        town = towns.build(tx, BONUS)
        visit_id = towns.visit(tx, town.link.id)
        first = enrolment.enrol(tx, towns.request(town, visit_id), now=NOW)
        second = enrolment.enrol(tx, towns.request(town, visit_id, name="Другая"), now=NOW)
        assert second == first
        assert enrolment.enrolment_of_visit(tx, visit_id) == first
        assert tx.scalar(select(func.count()).select_from(member)) == 1


def _enrol(url: str, town: towns.Town, visit_id: VisitId, start: Barrier, answers: object) -> None:
    database = connect(url)
    start.wait()
    for _ in range(2):
        with database.write() as tx:
            made = enrolment.enrol(tx, towns.request(town, visit_id), now=NOW)
        answers.put(made.id)  # type: ignore[attr-defined]  # a queue
    database.close()


def test_a_form_sent_twice_at_once_enrols_once(database: Database, database_url: str) -> None:
    with database.write() as tx:
        town = towns.build(tx, BONUS)
        visit_id = towns.visit(tx, town.link.id)
    start, answers = FORKED.Barrier(3), FORKED.Queue()
    processes = [
        FORKED.Process(target=_enrol, args=(database_url, town, visit_id, start, answers)) for _ in range(3)
    ]
    for process in processes:
        process.start()
    ids = {answers.get(timeout=60) for _ in range(6)}
    for process in processes:
        process.join(30)
        assert process.exitcode == 0
    with database.read() as tx:
        assert len(ids) == 1
        assert tx.scalar(select(func.count()).select_from(member)) == 1
        assert tx.scalar(select(func.count()).select_from(wallet_pass)) == 1


def test_welcome_points_are_a_ledger_entry_with_a_lot(database: Database) -> None:
    with database.write() as tx:
        made = towns.guest(tx, towns.build(tx, EXPIRING))
        timeline = members.show(tx, made.member_id)
        content = issuing.wallet_pass(tx, made.pass_id).content
    assert made.balance == 100_00
    assert [(entry.kind, entry.points) for entry in timeline.entries] == [("accrual", 100_00)]
    assert content.balance == 100_00
    assert content.messages[0].text.ru == "Добро пожаловать! +100 баллов · баланс 100"


def test_consents_are_kept_word_for_word(database: Database) -> None:
    with database.write() as tx:
        made = towns.guest(tx, towns.build(tx, BONUS))
        rows = store_enrolments.consents(tx, made.member_id)
    assert [(row.purpose, row.granted, row.text, row.source) for row in rows] == [
        ("data", True, "Согласен", "install page"),
        ("advertising", False, "Хочу знать", "install page"),
    ]


def test_without_consent_to_data_nobody_is_enrolled(database: Database) -> None:
    with database.write() as tx:
        town = towns.build(tx, BONUS)
        request = replace(towns.request(town, None), consents=(replace(towns.DATA, granted=False),))
        with pytest.raises(BadInput) as refused:
            enrolment.enrol(tx, request, now=NOW)
        assert tx.scalar(select(func.count()).select_from(member)) == 0
    assert refused.value.code == "consent-needed"


@pytest.mark.parametrize(
    ("given", "kept"),
    [("  Анна   Мария ", "Анна Мария"), ("", None), ("   ", None), (None, None), ("x" * 60, "x" * 60),
     ("и\u0306", "й"), ("👩\u200d👧", "👩\u200d👧")],
)  # fmt: skip
def test_a_name_is_trimmed_and_composed(given: str | None, kept: str | None) -> None:
    assert enrolment.checked_name(given) == kept


@pytest.mark.parametrize("given", ["x" * 61, "a\nb", "a\x00", "\u202eevil", "a\tb"])
def test_a_name_that_is_too_long_or_could_deceive_is_refused(given: str) -> None:
    with pytest.raises(BadInput) as refused:
        enrolment.checked_name(given)
    assert refused.value.field == "name"


def test_a_venue_of_another_brand_is_refused(database: Database) -> None:
    with database.write() as tx:
        town = towns.build(tx, BONUS)
        other = towns.build(tx, BONUS, slug="tea")
        with pytest.raises(NotFound):
            enrolment.enrol(tx, replace(towns.request(town, None), venue_id=other.venue.id), now=NOW)


def test_a_programme_without_a_design_issues_no_card_and_no_member(database: Database) -> None:
    with database.write() as tx:
        town = towns.build(tx, BONUS)
        tx.execute(design.delete())
    with pytest.raises(Conflict, match="design"), database.write() as tx:
        enrolment.enrol(tx, towns.request(town, None), now=NOW)
    with database.read() as tx:
        assert tx.scalar(select(func.count()).select_from(member)) == 0


def test_a_card_is_found_however_a_person_writes_its_code(database: Database) -> None:
    with database.write() as tx:
        made = towns.guest(tx, towns.build(tx, BONUS))
        assert enrolment.enrolment_of_card(tx, made.card_code.lower().replace("-", "")) == made
        assert enrolment.enrolment_of_pass(tx, made.pass_id) == made
        for wrong in ("", "VOID", "0000-0000-0000"):
            with pytest.raises(NotFound):
                enrolment.enrolment_of_card(tx, wrong)
