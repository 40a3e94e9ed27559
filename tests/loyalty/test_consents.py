"""Consent is what was said last; every withdrawal is evidence with its source, words and time."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from threading import Barrier, Thread

import pytest

from app.db import Database, Tx
from app.db.identifiers import MemberId
from app.errors import NotFound
from app.loyalty import consents, enrolment, members, store_contacts, store_enrolments
from app.loyalty.store_enrolments import ConsentRow
from tests.loyalty import town as towns
from tests.loyalty.town import ADVERTISING, BONUS, DATA, NOW, Town

NUMBER = "+79123456789"
MINUTE = timedelta(minutes=1)


def _guest(tx: Tx, town: Town, *, granted: bool = True, phone: str | None = None) -> MemberId:
    request = replace(
        towns.request(town, towns.visit(tx, town.link.id)),
        consents=(DATA, replace(ADVERTISING, granted=granted)),
        phone=phone,
    )
    return enrolment.enrol(tx, request, now=NOW).member_id


def _withdraw(tx: Tx, member_id: MemberId, now: datetime = NOW) -> bool:
    return consents.withdraw(
        tx, member_id, source="card page", text="Не присылать", text_version="1", language="ru", now=now
    )


def _grant(tx: Tx, member_id: MemberId, at: datetime) -> None:
    row = ConsentRow(
        purpose="advertising",
        granted=True,
        text_version="1",
        text="Хочу",
        language="ru",
        source="test",
        at=at,
    )
    store_enrolments.insert_consents(tx, member_id, [row])


def test_a_withdrawal_ends_consent_and_leaves_evidence(database: Database) -> None:
    with database.write() as tx:
        town = towns.build(tx, BONUS)
        willing, other, never = _guest(tx, town), _guest(tx, town), _guest(tx, town, granted=False)
        everybody = [willing, other, never]
        assert consents.allowing(tx, everybody, "advertising") == {willing, other}
        assert _withdraw(tx, willing, NOW + MINUTE)
        assert consents.allowing(tx, everybody, "advertising") == {other}
        assert consents.allowing(tx, everybody, "data") == set(everybody)
        last = members.show(tx, willing).consents[-1]
    assert (last.purpose, last.granted, last.source, last.text) == (
        "advertising",
        False,
        "card page",
        "Не присылать",
    )
    assert (last.text_version, last.language, last.at) == ("1", "ru", NOW + MINUTE)


def test_where_nothing_was_granted_nothing_is_withdrawn(database: Database) -> None:
    with database.write() as tx:
        town = towns.build(tx, BONUS)
        willing, never = _guest(tx, town), _guest(tx, town, granted=False)
        assert [_withdraw(tx, willing, NOW + MINUTE), _withdraw(tx, willing, NOW + 2 * MINUTE)] == [
            True,
            False,
        ]
        assert not _withdraw(tx, never)
        assert len(members.show(tx, willing).consents) == 3
        assert len(members.show(tx, never).consents) == 2
        with pytest.raises(NotFound):
            _withdraw(tx, MemberId(10**9))


def test_the_latest_word_counts_by_time_and_of_two_at_once_the_stricter(database: Database) -> None:
    with database.write() as tx:
        member_id = _guest(tx, towns.build(tx, BONUS))
        assert _withdraw(tx, member_id, NOW + MINUTE)
        _grant(tx, member_id, NOW)  # written later, said earlier
        assert consents.allowing(tx, [member_id], "advertising") == set()
        _grant(tx, member_id, NOW + MINUTE)
        assert consents.allowing(tx, [member_id], "advertising") == set()
        _grant(tx, member_id, NOW + 2 * MINUTE)
        assert consents.allowing(tx, [member_id], "advertising") == {member_id}
        # A machine whose clock is behind takes the withdrawal: it counts all the same.
        assert _withdraw(tx, member_id, NOW - MINUTE)
        assert consents.allowing(tx, [member_id], "advertising") == set()


def test_a_number_speaks_for_everybody_of_the_brand_who_gave_it(database: Database) -> None:
    with database.write() as tx:
        town, other = towns.build(tx, BONUS), towns.build(tx, BONUS, slug="tea")
        mine = [_guest(tx, town, phone=NUMBER), _guest(tx, town, phone=NUMBER)]
        never = _guest(tx, town, granted=False, phone=NUMBER)
        removed = _guest(tx, town, phone=NUMBER)
        members.remove(tx, removed, now=NOW)
        stranger, abroad = _guest(tx, town, phone="+79120000000"), _guest(tx, other, phone=NUMBER)
        everybody = [*mine, never, removed, stranger, abroad]
        said = "СТОП\x00" + "!" * 500
        withdrawn = consents.withdraw_by_number(
            tx, town.brand.id, NUMBER, source="text message", text=said, now=NOW + MINUTE
        )
        assert withdrawn == 2
        assert consents.allowing(tx, everybody, "advertising") == {stranger, abroad}
        evidence = members.show(tx, mine[0]).consents[-1]
        assert evidence.text.startswith("СТОП!")
        assert (evidence.source, evidence.text_version, len(evidence.text)) == (
            "text message",
            "own words",
            160,
        )
        again = consents.withdraw_by_number(
            tx, town.brand.id, NUMBER, source="text message", text="STOP", now=NOW + MINUTE
        )
        assert again == 0


def test_a_removed_member_allows_nothing_and_keeps_no_number(database: Database) -> None:
    with database.write() as tx:
        member_id = _guest(tx, towns.build(tx, BONUS), phone=NUMBER)
        members.remove(tx, member_id, now=NOW)
        assert consents.allowing(tx, [member_id], "data") == set()
        assert not _withdraw(tx, member_id)
        assert store_contacts.contact(tx, member_id).phone is None


def test_withdrawals_at_once_are_one(database: Database) -> None:
    with database.write() as tx:
        member_id = _guest(tx, towns.build(tx, BONUS), phone=NUMBER)
    start, done = Barrier(4), list[bool]()

    def click() -> None:
        start.wait()
        with database.write() as tx:
            done.append(_withdraw(tx, member_id, NOW + MINUTE))

    threads = [Thread(target=click) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    assert sorted(done) == [False, False, False, True]
    with database.read() as tx:
        assert len(members.show(tx, member_id).consents) == 3
