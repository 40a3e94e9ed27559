"""Consent is what was said last; every withdrawal is evidence with its source, words and time."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from threading import Barrier, Thread

import pytest

from app.db import Database, Tx
from app.db.identifiers import MemberId
from app.delivery import texts
from app.delivery.text_promises import TextDraft
from app.errors import NotFound
from app.loyalty import consents, enrolment, members, store_contacts, store_enrolments
from app.loyalty.guest_tables import silenced_number
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


def _texted(tx: Tx, town: Town, member_id: MemberId, number: str) -> None:
    draft = TextDraft(
        brand_id=town.brand.id,
        member_id=member_id,
        login="main",
        kind="advertising",
        number=number,
        text="Пирог недели",
        sender=None,
        encoding="ucs2",
        parts=1,
        price=None,
        currency=None,
        due_at=NOW,
        not_after=None,
    )
    texts.enqueue_text(tx, draft, now=NOW)


def test_a_stop_word_is_heard_by_every_brand_that_texted_so(database: Database) -> None:
    """Also where the brand has moved to another login, and where the member has another number by now."""
    with database.write() as tx:
        cup, tea, pie = (towns.build(tx, BONUS, slug=slug) for slug in ("cup", "tea", "pie"))
        guests = [_guest(tx, town, phone=NUMBER) for town in (cup, tea, pie)]
        moved = _guest(tx, cup, phone="+79120000000")
        _texted(tx, cup, guests[0], NUMBER)
        _texted(tx, cup, moved, NUMBER)  # promised when the number was theirs
        waiting = consents.Recipient(moved, cup.brand.id, NUMBER)
        elsewhere = consents.Recipient(moved, cup.brand.id, "+79120000000")
        assert consents.may_be_sent_advertising(tx, [waiting, elsewhere]) == {waiting, elsewhere}
        ended = consents.hear_stop(tx, "main", [tea.brand.id], NUMBER, text="Стоп", now=NOW + MINUTE)
        assert ended == 2
        assert consents.allowing(tx, guests, "advertising") == {guests[2]}  # who never texted by this login
        assert consents.may_be_sent_advertising(tx, [waiting, elsewhere]) == {elsewhere}
        _grant(tx, moved, NOW + 2 * MINUTE)  # and asks for it again
        assert consents.may_be_sent_advertising(tx, [waiting]) == {waiting}


def test_a_stop_word_of_nobody_we_know_is_kept_all_the_same(database: Database) -> None:
    with database.write() as tx:
        town = towns.build(tx, BONUS)
        assert consents.hear_stop(tx, "main", [town.brand.id], NUMBER, text="STOP\x00", now=NOW) == 0
        (kept,) = tx.execute(silenced_number.select()).all()
        assert (kept.number, kept.at, kept.source, kept.text) == (NUMBER, NOW, "sms:main", "STOP")
