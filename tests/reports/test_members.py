"""Finding a guest: any spelling, both databases alike, by index, and within the venues that are one's own."""

from __future__ import annotations

import io
import json
import re
from contextlib import closing
from datetime import timedelta
from typing import Any
from zipfile import ZipFile

import pytest
from sqlalchemy import event, insert, text, update

from app.db import Database, Tx
from app.db.identifiers import MemberId, VenueId
from app.delivery import google
from app.delivery.google_promises import NOTIFIED, GoogleOutcome
from app.delivery.pace import Pace
from app.loyalty import card_acts, enrolment, members, merging, numbers, search_keys, till
from app.loyalty.enrolment import Enrolment
from app.loyalty.guest_tables import member_key
from app.loyalty.tables import member
from app.loyalty.till import ReceiptDraft
from app.passes import google_broadcasts, issuing, store_google_broadcasts
from app.passes.content import LocalizedText
from app.passes.google_addresses import Addresses
from app.passes.google_press import GooglePress
from app.passes.google_tables import google_object
from app.places import venues
from app.places.venues import VenueDraft
from app.reports import members as report
from app.reports.member_archive import write_archive
from app.reports.member_file import member_file, tables_of_member
from tests.loyalty.town import BONUS, NOW, Town, build, request, visit
from tests.reports.google_settling import ISSUER, at_google, held


def guest(tx: Tx, town: Town, name: str | None, phone: str | None = None) -> Enrolment:
    made = enrolment.enrol(tx, request(town, visit(tx, town.link.id), name=name), now=NOW)
    return numbers.prove(tx, made.id, phone, now=NOW) if phone else made


def found(tx: Tx, town: Town, query: str, of: frozenset[VenueId] | None = None) -> list[str | None]:
    shown = report.search(tx, town.brand.id, query, venues=of, region="RU").members
    return [one.name for one in shown]


@pytest.mark.parametrize(
    ("query", "names"),
    [
        ("елк", ["Мария Ёлкина"]),
        ("ЁЛКИНА", ["Мария Ёлкина"]),
        ("мария ел", ["Мария Ёлкина"]),
        ("ёлкина мария", ["Мария Ёлкина"]),
        ("мария", ["Мария Ёлкина", "Мария-Луиза Грей"]),
        ("луиза", ["Мария-Луиза Грей"]),
        ("андрей", ["Андрей"]),
        ("андреи", []),
        ("o'brien", ["Zoë O'Brien"]),
        ("ZOE", ["Zoë O'Brien"]),
        ("м", []),
        ("4567", ["Мария Ёлкина"]),
        ("8 (903) 123-45-67", ["Мария Ёлкина"]),
        ("+7 903 123 45 67", ["Мария Ёлкина"]),
        ("9031234567", ["Мария Ёлкина"]),
        ("123-45-67", ["Мария Ёлкина"]),
        ("+44 7911 123456", ["Андрей"]),
        ("07911 123456", ["Андрей"]),
        ("456", []),
        ("%", []),
        ("a" * 5000, []),
        ("\x00", []),
    ],
)
def test_a_guest_is_found_in_any_spelling(database: Database, query: str, names: list[str]) -> None:
    with database.write() as tx:
        town = build(tx, BONUS)
        guest(tx, town, "Мария Ёлкина", "+79031234567")
        guest(tx, town, "Мария-Луиза Грей", "+79039990011")
        guest(tx, town, "Андрей", "+447911123456")
        guest(tx, town, "Zoë O'Brien")
        guest(tx, build(tx, BONUS, slug="other"), "Мария Чужая", "+79031234567")
        assert sorted(map(str, found(tx, town, query))) == sorted(names)


def test_a_card_leads_to_its_guest_by_code_and_serial_also_by_those_it_had(database: Database) -> None:
    with database.write() as tx:
        town = build(tx, BONUS)
        anna, other = guest(tx, town, "Анна"), guest(tx, town, "Анна вторая")
        serial = issuing.wallet_pass(tx, anna.pass_id).serial_number
        made = card_acts.reissue(tx, anna.id, reason="ушла", form_key="form-0001", now=NOW, actor="x")
        merging.merge(tx, living=anna.id, ending=other.id, now=NOW)
        new_serial = issuing.wallet_pass(tx, made.pass_id).serial_number
        for named in (anna.card_code.lower(), made.card_code, other.card_code, serial, new_serial):
            assert found(tx, town, named.replace("-", " ") if "-" in named else named) == ["Анна"], named
        assert found(tx, build(tx, BONUS, slug="other"), made.card_code) == []


def test_what_a_guest_is_called_is_found_and_what_is_forgotten_is_not(database: Database) -> None:
    with database.write() as tx:
        town = build(tx, BONUS)
        card = guest(tx, town, "Анна", "+79031234567")
        numbers.prove(tx, card.id, "+79035550000", now=NOW)
        assert found(tx, town, "4567") == []
        assert found(tx, town, "50000") == ["Анна"]
        members.remove(tx, card.member_id, now=NOW)
        assert found(tx, town, "анна") == found(tx, town, "50000") == found(tx, town, "") == []
        (gone,) = report.search(tx, town.brand.id, card.card_code, venues=None, region="RU").members
        assert gone.removed_at == NOW


def test_managers_see_the_guests_of_their_venues(database: Database) -> None:
    with database.write() as tx:
        town = build(tx, BONUS)
        draft = VenueDraft(brand_id=town.brand.id, slug="hill", name="Hill", address="2, Hill")
        hill = venues.create_venue(tx, draft, now=NOW, actor="test")
        here, there = guest(tx, town, "Анна Здешняя"), guest(tx, town, "Анна Гостья")
        draft_ = ReceiptDraft(card=there.card_code, number="1", amount=100, currency="RUB", at=NOW)
        till.record_receipt(tx, draft_, brand_id=town.brand.id, venue_id=hill.id, now=NOW)
        mine = frozenset({hill.id})
        assert found(tx, town, "анна", mine) == ["Анна Гостья"]
        assert found(tx, town, "анна", frozenset({town.venue.id})) == ["Анна Здешняя", "Анна Гостья"]
        assert found(tx, town, "анна", frozenset()) == []
        assert found(tx, town, here.card_code, mine) == []
        assert not report.may_see(tx, town.brand.id, here.member_id, mine)
        assert report.may_see(tx, town.brand.id, there.member_id, mine)


def test_searching_reads_an_index_however_many_guests_there_are(database: Database) -> None:
    with database.write() as tx:
        town = build(tx, BONUS)
        first = guest(tx, town, "Первая").member_id
        people = range(first + 1, first + 4001)
        tx.execute(
            insert(member),
            [
                {"id": one, "brand_id": town.brand.id, "name": "x", "language": "ru", "created_at": NOW}
                for one in people
            ],
        )
        tx.execute(
            insert(member_key),
            [
                {"member_id": one, "brand_id": town.brand.id, "key": key}
                for one in people
                for key in search_keys.keys(f"Анна Имя{one}", f"+7903{one:07d}")
            ],
        )
        tx.execute(text("ANALYZE"))
    for query in ("анна", "имя12", "анна имя77", "0042", "8 903 000 00 42"):
        plan = _plan(database, town, query)
        assert "ix_member_key_search" in plan, plan
        assert not re.search(r"Seq Scan on (member_key|member\b)|SCAN (member_key|member\b)", plan), plan
        assert query.startswith("8") or not re.search(r"Sort|TEMP B-TREE", plan), plan
        own = _plan(database, town, query, frozenset({town.venue.id}))
        assert re.search(r"pk_member_key|SEARCH member_key USING COVERING INDEX \w+ \(member_id=\?", own), own
        assert not re.search(r"ix_member_key_search|Seq Scan on member_key|SCAN member_key", own), own


def test_three_words_that_begin_alike_leave_as_many_guests_as_one_page_holds(database: Database) -> None:
    with database.write() as tx:
        town = build(tx, BONUS)
        for number in range(report.MOST_FOUND + 1):
            guest(tx, town, " ".join(f"анн{number:02d}{end}" for end in "абв"))
        for of in (None, frozenset({town.venue.id})):
            shown = report.search(tx, town.brand.id, "анн", venues=of, region="RU")
            assert (len(shown.members), shown.more) == (report.MOST_FOUND, True)


def test_the_file_holds_everything_and_no_way_in(database: Database) -> None:
    with database.write() as tx:
        town = build(tx, BONUS)
        card = guest(tx, town, "Анна <b>Петрова</b>", "+79031234567")
        stranger = guest(tx, town, "Чужой", "+79039999999")
        whole = member_file(tx, MemberId(card.member_id))
        packed = io.BytesIO()
        write_archive(packed, tables_of_member(tx, card.member_id), language="ru", now=NOW)
    assert whole["member"][0]["phone"] == "+79031234567"
    assert [row["card_code"] for row in whole["enrolment"]] == [card.card_code]
    assert len(whole["consent"]) == 2
    with ZipFile(packed) as bundle:
        document, page = json.loads(bundle.read("data.json")), bundle.read("data.html").decode()
    assert {name: len(rows) for name, rows in document.items()} == {
        name: len(rows) for name, rows in whole.items()
    }
    assert document["enrolment"][0]["card_code"] == card.card_code
    assert "Анна &lt;b&gt;Петрова" in page
    assert page.count("<dl>") == sum(map(len, whole.values()))
    said = repr(whole)
    assert "Чужой" not in said
    assert stranger.card_code not in said
    assert not re.search(r"push_token|digest|key_version", said)


def test_the_file_tells_what_was_said_to_all_and_what_came_of_it(database: Database) -> None:
    with database.write() as tx:
        town = build(tx, BONUS)
        card = guest(tx, town, "Анна")
    made = at_google(database, card.pass_id, town.brand.id, now=NOW)
    held(database, made, by_somebody=True, now=NOW)
    press = GooglePress(Addresses("http://127.0.0.1:9", lambda *_: ""))
    with database.write() as tx:
        its_class = press.class_of(tx, ISSUER, town.brand.id, town.programme.id, None, now=NOW)
        tx.execute(update(google_object).values(google_class_id=its_class.id))
        audience = google_broadcasts.Audience(
            class_id=its_class.id, brand_id=town.brand.id, tier=None, holders=1
        )
        news = LocalizedText("Новое меню", "A new menu")
        said = google_broadcasts.tell_all(tx, audience, news, announcement="campaign:1", now=NOW)
        assert said is not None
        [claimed] = google.claim(
            tx, owner="w", issuer_id=ISSUER, brands=[town.brand.id], pace=Pace(100), now=NOW,
            lease=timedelta(seconds=30), limit=10,
        )  # fmt: skip
        row = store_google_broadcasts.broadcasts(tx, [said])[said]
        assert google_broadcasts.count(tx, row, claimed.id, now=NOW) == "all"
        assert member_file(tx, MemberId(card.member_id))["google_notification"][0]["outcome"] == "asked"
        taken = GoogleOutcome(claimed=claimed, verdict="accepted", reason=NOTIFIED)
        google.settle(tx, "w", [taken], now=NOW)
        whole = member_file(tx, MemberId(card.member_id))
    assert [row["outcome"] for row in whole["google_notification"]] == ["notified"]
    assert [row["text"]["en"] for row in whole["google_broadcast"]] == ["A new menu"]


def _plan(database: Database, town: Town, query: str, of: frozenset[VenueId] | None = None) -> str:
    explain = "EXPLAIN QUERY PLAN" if database.is_sqlite else "EXPLAIN"
    lines: list[str] = []

    def hear(connection: Any, _cursor: Any, statement: str, parameters: Any, *_: Any) -> None:
        if re.search(r'ORDER BY member_key\."?key', statement):
            with closing(connection.connection.cursor()) as own:
                own.execute(f"{explain} {statement}", parameters)
                lines.extend(str(row[-1]) for row in own.fetchall())

    event.listen(database.engine, "before_cursor_execute", hear)
    try:
        with database.read() as tx:
            found(tx, town, query, of)
    finally:
        event.remove(database.engine, "before_cursor_execute", hear)
    return "\n".join(lines)
