"""A proved number names one member: a second phone gets the same card, two cards become one."""

from __future__ import annotations

import secrets
from dataclasses import replace
from datetime import timedelta
from threading import Barrier, Thread

import pytest
from sqlalchemy import func, select

from app.db import Database, Tx
from app.errors import BadInput, NotFound
from app.loyalty import codes, consents, enrolment, members, numbers, programmes, store_contacts, till
from app.loyalty.enrolment import Enrolment, EnrolmentRequest
from app.loyalty.tables import member
from app.passes import issuing
from app.passes.tables import wallet_pass
from tests.loyalty import town as towns
from tests.loyalty.test_codes import LIMITS, asked, opened
from tests.loyalty.town import ADVERTISING, BONUS, DATA, NOW, STAMPS, Town
from tests.tables import nothing_changes

NUMBER, OTHER = "+79123456789", "+79120000000"
DAY = timedelta(days=1)


def form(tx: Tx, town: Town, *, number: str = NUMBER, name: str | None = "Анна") -> EnrolmentRequest:
    """What a guest's form says whose code was right, under a visit of its own."""
    return replace(towns.request(town, towns.visit(tx, town.link.id), name=name), phone=number)


def enrol(tx: Tx, request: EnrolmentRequest, *, day: int = 0) -> Enrolment:
    return numbers.enrol_proved(tx, request, now=NOW + day * DAY)


def prove(tx: Tx, card: Enrolment, number: str = NUMBER, *, day: int = 0) -> Enrolment:
    return numbers.prove(tx, card.id, number, now=NOW + day * DAY)


def spend(tx: Tx, town: Town, card: Enrolment, number: str, amount: int = 100_00) -> None:
    draft = till.ReceiptDraft(card=card.card_code, number=number, amount=amount, currency="RUB", at=NOW)
    till.record_receipt(tx, draft, brand_id=town.brand.id, venue_id=town.venue.id, now=NOW)


def verified_at(tx: Tx, card: Enrolment) -> object:
    return store_contacts.contact(tx, card.member_id).phone_verified_at


def _count(tx: Tx, table: object) -> int:
    return tx.scalar(select(func.count()).select_from(table)) or 0  # type: ignore[arg-type]


def test_a_newcomers_number_is_proved_with_the_card(database: Database) -> None:
    with database.write() as tx:
        town = towns.build(tx, BONUS)
        made = enrol(tx, form(tx, town))
        assert (members.show(tx, made.member_id).phone, verified_at(tx, made)) == (NUMBER, NOW)
        assert members.show(tx, made.member_id).name == "Анна"
        assert issuing.wallet_pass(tx, made.pass_id).content.member_name == "Анна"
        assert len(members.show(tx, made.member_id).consents) == 2


def test_a_known_number_gets_its_card_on_the_new_phone(database: Database) -> None:
    with database.write() as tx:
        town = towns.build(tx, BONUS)
        first = enrol(tx, form(tx, town))
        spend(tx, town, first, "1")
        before = issuing.wallet_pass(tx, first.pass_id)
        again = replace(form(tx, town, name="Мария"), consents=(DATA, replace(ADVERTISING, granted=True)))
        found = enrol(tx, again, day=1)
        assert (found.id, found.balance) == (first.id, 5_00)
        assert issuing.wallet_pass(tx, first.pass_id) == before  # the same serial number, nothing to fetch
        assert again.visit_id is not None
        assert enrolment.enrolment_of_visit(tx, again.visit_id) == found
        assert enrol(tx, again, day=2) == found  # the form sent twice
        assert (_count(tx, member), _count(tx, wallet_pass)) == (1, 1)
        known = members.show(tx, first.member_id)
        assert known.name == "Анна"
        assert [(row.purpose, row.granted) for row in known.consents] == [
            ("data", True), ("advertising", False), ("data", True), ("advertising", True),
        ]  # fmt: skip
        assert consents.allowing(tx, [first.member_id], "advertising") == {first.member_id}
        empty = form(tx, town)  # leaves the box empty: that takes nothing back
        enrol(tx, empty, day=3)
        assert consents.allowing(tx, [first.member_id], "advertising") == {first.member_id}


def test_a_number_that_nobody_proved_identifies_nobody(database: Database) -> None:
    with database.write() as tx:
        town = towns.build(tx, BONUS)
        written = enrolment.enrol(tx, form(tx, town), now=NOW)
        made = enrol(tx, form(tx, town), day=1)
        assert made.id != written.id
        assert (verified_at(tx, written), verified_at(tx, made)) == (None, NOW + DAY)


def test_brands_know_nothing_of_each_others_guests(database: Database) -> None:
    with database.write() as tx:
        cup, tea = towns.build(tx, BONUS), towns.build(tx, BONUS, slug="tea")
        assert enrol(tx, form(tx, cup)).member_id != enrol(tx, form(tx, tea)).member_id


def test_another_programme_gives_the_member_another_card(database: Database) -> None:
    with database.write() as tx:
        town = towns.build(tx, BONUS)
        second = programmes.create_programme(
            tx,
            programmes.ProgrammeDraft(brand_id=town.brand.id, slug="tea", name="Tea", rules=STAMPS),
            now=NOW,
            actor="test",
        )
        towns.publish_empty_design(tx, second.id)
        first = enrol(tx, form(tx, town))
        other = enrol(tx, form(tx, replace(town, programme=second), name=None), day=1)
        assert (other.member_id, other.programme_id) == (first.member_id, second.id)
        assert issuing.wallet_pass(tx, other.pass_id).content.member_name == "Анна"
        stranger = enrolment.enrol(tx, form(tx, replace(town, programme=second)), now=NOW + 2 * DAY)
        assert prove(tx, stranger, day=3).id == other.id  # the older one
        alone = towns.guest(tx, town)
        assert prove(tx, alone, OTHER).id == alone.id


def test_proving_a_number_marks_it_and_twice_is_once(database: Database) -> None:
    with database.write() as tx:
        town = towns.build(tx, BONUS)
        card = towns.guest(tx, town)
        assert prove(tx, card).id == card.id
        assert verified_at(tx, card) == NOW
    with nothing_changes(database), database.write() as tx:
        prove(tx, card, day=1)
    with database.write() as tx:
        prove(tx, card, OTHER, day=1)  # a new number
        assert (members.show(tx, card.member_id).phone, verified_at(tx, card)) == (OTHER, NOW + DAY)
        assert enrol(tx, form(tx, town, number=OTHER)).id == card.id
        assert enrol(tx, form(tx, town)).id != card.id  # the old one is nobody's


@pytest.mark.parametrize("proved_first", [0, 1])
def test_of_two_cards_of_one_number_the_older_lives_on(database: Database, proved_first: int) -> None:
    with database.write() as tx:
        town = towns.build(tx, BONUS)
        cards = [
            enrolment.enrol(tx, towns.request(town, towns.visit(tx, town.link.id)), now=NOW + day * DAY)
            for day in range(2)
        ]
        for place, card in enumerate(cards):
            spend(tx, town, card, str(place))
        assert prove(tx, cards[proved_first], day=2).id == cards[proved_first].id
        living = prove(tx, cards[1 - proved_first], day=3)
        assert (living.id, living.balance) == (cards[0].id, 10_00)
        assert members.show(tx, living.member_id).phone == NUMBER
        assert verified_at(tx, living) is not None
        assert enrolment.enrolment(tx, cards[1].id).merged_into_id == cards[0].id
        for card in cards:
            assert card.visit_id is not None
            assert enrolment.enrolment_of_visit(tx, card.visit_id) == living
            assert prove(tx, card, day=4) == living  # also named by the ended one
        assert enrol(tx, form(tx, town), day=5) == living


def test_a_forgotten_members_number_is_free_again(database: Database) -> None:
    with database.write() as tx:
        town = towns.build(tx, BONUS)
        gone = enrol(tx, form(tx, town))
        members.remove(tx, gone.member_id, now=NOW)
        assert verified_at(tx, gone) is None
        assert enrol(tx, form(tx, town), day=1).member_id != gone.member_id
        with pytest.raises(NotFound):
            prove(tx, gone, OTHER)


def test_what_is_refused_changes_nothing(database: Database) -> None:
    with database.write() as tx:
        town = towns.build(tx, BONUS)
        known, wanted = enrol(tx, form(tx, town)), form(tx, town)
        fresh = form(tx, town, number=OTHER)
    for request in (wanted, fresh):
        for refused in (
            replace(request, consents=(replace(DATA, granted=False),)),
            replace(request, name="x" * 61),
            replace(request, phone="8 912"),
            replace(request, phone=None),
        ):
            with nothing_changes(database), database.write() as tx, pytest.raises(BadInput):
                enrol(tx, refused)
    with nothing_changes(database), database.write() as tx, pytest.raises(BadInput):
        prove(tx, known, "912")


def _at_once(acts: list[object]) -> list[BaseException]:
    start, faults = Barrier(len(acts)), list[BaseException]()

    def run(act: object) -> None:
        start.wait()
        try:
            act()  # type: ignore[operator]
        except BaseException as fault:
            faults.append(fault)

    threads = [Thread(target=run, args=(act,)) for act in acts]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    return faults


def test_newcomers_with_one_number_at_once_are_one_member_with_one_card(database: Database) -> None:
    with database.write() as tx:
        town = towns.build(tx, BONUS)
        forms = [form(tx, town) for _ in range(6)]
    made: list[Enrolment] = []

    def send(request: EnrolmentRequest) -> None:
        with database.write() as tx:
            made.append(enrol(tx, request))

    assert _at_once([lambda request=request: send(request) for request in forms]) == []
    assert len({card.id for card in made}) == 1
    with database.read() as tx:
        assert (_count(tx, member), _count(tx, wallet_pass)) == (1, 1)
        for request in forms:
            assert request.visit_id is not None
            found = enrolment.enrolment_of_visit(tx, request.visit_id)
            assert found is not None
            assert found.id == made[0].id


def test_a_right_code_that_is_sent_by_many_at_once_makes_one_card(database: Database) -> None:
    """Whatever is replayed beside it: the code is used in the transaction that makes the card."""
    key = secrets.token_bytes(32)
    with database.write() as tx:
        town = towns.build(tx, BONUS)
        visit_id = opened(tx, town)
        wanted = asked(town, visit_id)
        code = codes.ask(tx, wanted, limits=LIMITS, key=key, now=NOW)
    request = replace(towns.request(town, visit_id), phone=NUMBER)
    answers: list[str] = []

    def send() -> None:
        with database.write() as tx:
            answer = codes.check(
                tx,
                brand_id=town.brand.id,
                number=NUMBER,
                visit_id=visit_id,
                digits=code.digits,
                key=key,
                now=NOW,
            )
            if answer == "right":
                enrol(tx, request)
        answers.append(answer)

    assert _at_once([send] * 6) == []
    assert sorted(answers) == ["over"] * 5 + ["right"]
    with database.read() as tx:
        assert (_count(tx, member), _count(tx, wallet_pass)) == (1, 1)


def test_cards_that_prove_one_number_at_once_become_one(database: Database) -> None:
    with database.write() as tx:
        town = towns.build(tx, BONUS)
        cards = [towns.guest(tx, town) for _ in range(5)]
        for place, card in enumerate(cards):
            spend(tx, town, card, str(place))

    def prove_it(card: Enrolment) -> None:
        with database.write() as tx:
            prove(tx, card)

    def till_works(card: Enrolment, number: str) -> None:
        with database.write() as tx:
            spend(tx, town, card, number)

    acts: list[object] = [lambda card=card: prove_it(card) for card in cards]
    acts += [lambda card=card: till_works(card, f"t{card.id}") for card in cards]
    assert _at_once(acts) == []
    with database.read() as tx:
        living = [one for one in (enrolment.enrolment(tx, card.id) for card in cards) if one.ended_at is None]
        assert len(living) == 1
        assert living[0].balance == 10 * 5_00
        assert {enrolment.living(tx, enrolment.enrolment(tx, card.id)).id for card in cards} == {living[0].id}
        left = select(func.count()).select_from(member).where(member.c.removed_at.is_(None))
        assert tx.scalar(left) == 1
