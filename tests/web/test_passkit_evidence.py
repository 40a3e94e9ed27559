"""Evidence beside the requests: durable before the body leaves, and never in the phone's way."""

from __future__ import annotations

import multiprocessing
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import event, select
from sqlalchemy.exc import OperationalError

from app.db import Database, connect
from app.db.identifiers import DeviceId, WalletPassId
from app.passes import device_log, evidence, watermarks
from app.passes.evidence import Fetch, Install, PassEvidence
from app.passes.issuing import WalletPass
from app.passes.listing import Listing
from app.passes.tables import device, evidence_watermark, pass_evidence
from app.web.passkit_evidence import EvidenceRecorder
from tests.passes.shop import NOW, content
from tests.web.phones import Phone, Service


@pytest.fixture
def service(database: Database) -> Iterator[Service]:
    made = Service(database)
    yield made
    made.close()


@pytest.fixture
def phone(service: Service) -> Phone:
    return Phone(service)


def _of(service: Service, card: WalletPass) -> PassEvidence | None:
    with service.database.read() as tx:
        return evidence.of_passes(tx, [card.id]).get(card.id)


def test_a_fetch_is_durable_when_its_body_has_left(service: Service, phone: Phone) -> None:
    card = service.issue()
    phone.fetch(card)
    assert _of(service, card) == PassEvidence(card.id, fetched_version=1, fetched_at=NOW)
    service.pass_by(60)
    service.revise(card, content(1))
    phone.fetch(card)
    proved = _of(service, card)
    assert proved is not None
    assert (proved.fetched_version, proved.fetched_at) == (2, service.now)


def test_listing_and_304_are_written_by_the_thread_before_long(service: Service, phone: Phone) -> None:
    card = service.issue()
    phone.register(card)
    phone.list(card)
    served = phone.fetch(card).headers["Last-Modified"]
    service.pass_by(1)
    phone.fetch(card, served)
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline:
        proved = _of(service, card)
        if proved and proved.listed_version and proved.installed_version:
            break
        time.sleep(0.05)
    assert proved == PassEvidence(
        card.id, listed_version=1, listed_at=NOW, fetched_version=1, fetched_at=NOW,
        installed_version=1, installed_at=service.now,
    )  # fmt: skip
    with service.database.read() as tx:
        assert tx.scalar(select(device.c.contacted_at)) == NOW


def test_a_later_get_proves_that_the_version_before_was_held(service: Service, phone: Phone) -> None:
    card = service.issue()
    served = phone.fetch(card).headers["Last-Modified"]
    service.pass_by(5)
    service.revise(card, content(1))
    phone.fetch(card, served)
    proved = _of(service, card)
    assert proved is not None
    assert (proved.installed_version, proved.fetched_version) == (1, 2)


def test_an_empty_list_is_a_contact_too(service: Service, phone: Phone) -> None:
    card = service.issue()
    phone.register(card)
    phone.tag = str(card.tag)
    assert phone.list(card).status_code == 204
    service.evidence.flush()
    with service.database.read() as tx:
        assert tx.scalar(select(device.c.contacted_at)) == NOW
    assert _of(service, card) is None


def test_concurrent_fetches_share_commits(service: Service, database: Database) -> None:
    cards = [service.issue() for _ in range(40)]
    commits: list[int] = []

    def slow(_connection: Any) -> None:
        commits.append(1)
        time.sleep(0.02)

    event.listen(database.engine, "commit", slow)
    try:
        with ThreadPoolExecutor(8) as pool:
            statuses = list(pool.map(lambda card: Phone(service).fetch(card).status_code, cards))
    finally:
        event.remove(database.engine, "commit", slow)
    assert statuses == [200] * 40
    assert all(_of(service, card) for card in cards)
    assert len(commits) <= 25


def test_a_pass_is_served_while_the_evidence_cannot_be_written(service: Service, phone: Phone) -> None:
    card = service.issue()
    with service.database.write() as tx:
        tx.exec_driver_sql("ALTER TABLE pass_evidence RENAME TO pass_evidence_away")
    assert phone.fetch(card).status_code == 200
    assert phone.fetch(card).status_code == 200
    service.pass_by(90)
    assert service.evidence.watermark(service.now) == NOW
    assert service.evidence.age(service.now) == timedelta(seconds=90)
    with service.database.write() as tx:
        tx.exec_driver_sql("ALTER TABLE pass_evidence_away RENAME TO pass_evidence")
    service.evidence.flush()
    assert _of(service, card) == PassEvidence(card.id, fetched_version=1, fetched_at=NOW)
    assert service.evidence.watermark(service.now) == service.now
    assert service.evidence.age(service.now) == timedelta()


def test_a_locked_database_delays_a_phone_by_seconds_at_most(service: Service, phone: Phone) -> None:
    card = service.issue()
    with service.database.write() as tx:
        tx.execute(pass_evidence.insert().values(pass_id=card.id))
        started = time.monotonic()
        assert phone.fetch(card).status_code == 200
        assert time.monotonic() - started < 5
        assert service.evidence.age(service.now + timedelta(hours=1)) == timedelta(hours=1)
    service.evidence.flush()
    proved = _of(service, card)
    assert proved is not None
    assert proved.fetched_version == 1


def test_evidence_of_what_is_no_longer_there_holds_up_nothing(service: Service) -> None:
    card = service.issue()
    recorder = service.evidence
    recorder.close()
    strange = WalletPassId(999)
    recorder.installed(Install(strange, 1, NOW))
    recorder.installed(Install(card.id, 1, NOW))
    recorder.listed(Listing(DeviceId(999), ("x",), "1", ((strange, 1), (card.id, 1))), NOW)
    assert recorder.fetched(Fetch(strange, 1, NOW, NOW))
    recorder.flush()
    proved = _of(service, card)
    assert proved is not None
    assert (proved.installed_version, proved.listed_version) == (1, 1)
    assert recorder.age(NOW + timedelta(hours=1)) == timedelta()


def test_an_unforeseen_fault_does_not_end_the_recording(
    service: Service, phone: Phone, database: Database
) -> None:
    card, other = service.issue(), service.issue()
    struck: list[str] = []

    def strike(_connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
        if statement.startswith("INSERT INTO pass_evidence"):
            struck.append(statement)
            raise ZeroDivisionError

    event.listen(database.engine, "before_cursor_execute", strike)
    try:
        assert phone.fetch(card).status_code == 200
        assert phone.fetch(other).status_code == 200
        deadline = time.monotonic() + 60
        while len(struck) < 2:  # a busy machine prints the trace for longer than a phone waits
            assert time.monotonic() < deadline
            time.sleep(0.05)
        assert service.evidence.watermark(service.now + timedelta(hours=1)) == service.now
    finally:
        event.remove(database.engine, "before_cursor_execute", strike)
    deadline = time.monotonic() + 60
    while service.evidence.age(service.now + timedelta(hours=1)):  # its thread does it, by itself
        assert time.monotonic() < deadline
        time.sleep(0.05)
    for proved in (_of(service, card), _of(service, other)):
        assert proved is not None
        assert proved.fetched_version == 1


def test_lines_of_phones_survive_proofs_that_cannot_be_written(service: Service) -> None:
    recorder = service.evidence
    recorder.close()
    recorder.installed(Install(WalletPassId(999), 1, NOW))
    recorder.logged([device_log.LogLine(NOW, "kept")])
    assert _lines(service) == ["kept"]


def test_lines_of_phones_wait_for_a_database_that_is_away(service: Service, database: Database) -> None:
    recorder = service.evidence
    recorder.close()
    recorder.logged([device_log.LogLine(NOW, "kept")])

    def away(_connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
        raise OperationalError(statement, None, Exception("away"))

    event.listen(database.engine, "before_cursor_execute", away)
    try:
        recorder.flush()
    finally:
        event.remove(database.engine, "before_cursor_execute", away)
    recorder.logged([device_log.LogLine(NOW, "later")])
    assert _lines(service) == ["later", "kept"]


def test_evidence_is_written_in_short_transactions(service: Service, database: Database) -> None:
    with database.write() as tx:
        cards = [service.shop.issue(tx) for _ in range(450)]
    recorder = service.evidence
    recorder.close()
    for card in cards:
        recorder.installed(Install(card.id, 1, NOW))
    commits: list[int] = []
    event.listen(database.engine, "commit", lambda _connection: commits.append(1))
    recorder.flush()
    assert len(commits) == 3
    with database.read() as tx:
        assert len(evidence.of_passes(tx, [card.id for card in cards])) == 450


def test_memory_is_bounded_and_what_is_lost_stops_the_watermark(database: Database) -> None:
    recorder = EvidenceRecorder(database)
    recorder.close()  # no thread: nothing is written while this test fills the memory
    for number in range(50_010):
        recorder.installed(Install(WalletPassId(number), 1, NOW + timedelta(seconds=number)))
        recorder.listed(Listing(DeviceId(number), (), "", ((WalletPassId(number), 1),)), NOW)
    recorder.logged(device_log.LogLine(NOW, str(number)) for number in range(5000))
    assert len(recorder._installs) == len(recorder._contacts) == len(recorder._sightings) == 50_000
    assert len(recorder._lines) == 2000
    recorder._installs.clear()
    assert recorder.watermark(NOW + timedelta(days=9)) == NOW + timedelta(seconds=50_000)


def test_a_recorder_that_never_worked_is_quiet(database: Database) -> None:
    recorder = EvidenceRecorder(database)
    assert recorder.watermark(NOW) == NOW
    recorder.close()
    recorder.close()


# The log endpoint


def _lines(service: Service) -> list[str]:
    service.evidence.flush()
    with service.database.read() as tx:
        return [line.text for line in device_log.newest(tx)]


def test_the_log_endpoint_answers_200_and_keeps_the_lines(service: Service) -> None:
    said = "Get pass task (pass type pass.example.cafe, serial number S; …) encountered error: Ошибка"
    answer = service.client.post("/v1/log", json={"logs": ["first", said]})
    assert (answer.status_code, answer.data) == (200, b"")
    assert _lines(service) == [said, "first"]
    with service.database.read() as tx:
        kept = tx.exec_driver_sql("SELECT pass_type_identifier FROM device_log ORDER BY id").scalars().all()
    assert kept == [None, "pass.example.cafe"]


def test_no_line_can_be_forged(service: Service) -> None:
    forged = "x\n2026 root logged in\r\x1b[31mred\u2028\u202eabc\x00\\n\ud800"
    body = '{"logs": ["x\\n2026 root logged in\\r\\u001b[31mred\\u2028\\u202eabc\\u0000\\\\n\\ud800"]}'
    assert service.client.post("/v1/log", data=body).status_code == 200
    (kept,) = _lines(service)
    assert kept.isprintable()
    assert kept == device_log.harmless(forged)
    assert kept == r"x\n2026 root logged in\r\x1b[31mred\u2028\u202eabc\x00\\n\ud800"


def test_lines_are_bounded_in_number_and_length(service: Service) -> None:
    service.client.post("/v1/log", json={"logs": [f"{number} " + "z" * 2000 for number in range(15)]})
    service.client.post("/v1/log", json={"logs": ["\n" * 2000]})
    service.client.post("/v1/log", json={"logs": [f"line {number}" for number in range(80)]})
    kept = _lines(service)
    assert len(kept) == 15 + 1 + 50
    assert max(len(line) for line in kept) == 1000


@pytest.mark.parametrize("body", [b"", b"[]", b"{}", b'{"logs": 1}', b'{"logs": [1]}', b'{"logs": "text"}'])
def test_what_is_no_log_is_refused(service: Service, body: bytes) -> None:
    assert service.client.post("/v1/log", data=body).status_code == 400
    assert _lines(service) == []


def test_one_address_cannot_fill_the_log(service: Service) -> None:
    for _ in range(100):
        answer = service.client.post("/v1/log", json={"logs": ["noise"]})
        assert answer.status_code == 200
    service.client.post("/v1/log", json={"logs": ["other"]}, environ_overrides={"REMOTE_ADDR": "10.0.0.9"})
    kept = _lines(service)
    assert 30 <= kept.count("noise") <= 35
    assert kept[0] == "other"


def test_the_table_keeps_only_the_newest_lines(database: Database) -> None:
    with database.write() as tx:
        for start in range(0, 20_300, 700):
            lines = [device_log.LogLine(NOW, f"line {start + number}") for number in range(700)]
            device_log.record(tx, lines)
    with database.read() as tx:
        assert tx.exec_driver_sql("SELECT count(*) FROM device_log").scalar_one() == 20_000
        assert device_log.newest(tx, 1)[0].text == "line 20299"


def test_a_life_cycle_update_is_noted(service: Service) -> None:
    path = "/v1/passes/pass.example.cafe/S1/passLifecycleUpdate"
    assert service.client.post(path, json={"passState": "archived\n"}).status_code == 200
    assert service.client.post(path, data=b"garbage").status_code == 200
    assert service.client.post(path, json=[1]).status_code == 200
    assert _lines(service) == [r"passLifecycleUpdate archived\n"]


def _note_and_end(url: str, device_id: int) -> None:
    """What a forked process of a WSGI server does: note a contact, and end before the next flush."""
    database = connect(url)
    EvidenceRecorder(database).listed(Listing(DeviceId(device_id), (), "1", ()), NOW)


def test_a_forked_process_writes_what_it_noted_before_it_ends(
    service: Service, phone: Phone, database_url: str
) -> None:
    phone.register(service.issue())
    with service.database.read() as tx:
        device_id = tx.execute(select(device.c.id)).scalar_one()
    process = multiprocessing.get_context("fork").Process(
        target=_note_and_end, args=(database_url, device_id)
    )
    process.start()
    process.join(30)
    assert process.exitcode == 0
    with service.database.read() as tx:
        assert tx.execute(select(device.c.contacted_at)).scalar_one() == NOW


def test_other_processes_are_told_until_when_everything_is_written(
    service: Service, database: Database
) -> None:
    """One process cannot write what was fetched from it; the other one can, and ends."""
    card, later = service.issue(), NOW + timedelta(seconds=90)
    broken = connect(database.engine.url.render_as_string(hide_password=False))

    def strike(_connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
        if statement.startswith("INSERT INTO pass_evidence"):
            raise OperationalError(statement, None, Exception("away"))

    event.listen(broken.engine, "before_cursor_execute", strike)
    failing, well = (EvidenceRecorder(one, clock=lambda: later) for one in (broken, database))

    def told() -> tuple[int, Any]:
        with database.read() as tx:
            rows = tx.execute(select(evidence_watermark)).all()
            return len(rows), watermarks.oldest(tx, later)

    assert told() == (0, later)  # no phone came yet: nobody need be waited for
    assert not failing.fetched(Fetch(card.id, 1, NOW, NOW))
    assert well.fetched(Fetch(card.id, 1, NOW, later))
    deadline = time.monotonic() + 60
    while told()[0] < 2:
        assert time.monotonic() < deadline
        time.sleep(0.02)
    assert told() == (2, NOW)
    well.close()
    assert told() == (1, NOW)
    failing.close()  # its word stays, since it could not write: others wait for its lease
    assert told() == (1, NOW)
    with database.read() as tx:
        over = later + watermarks.LEASE
        assert watermarks.oldest(tx, over) == over
    event.remove(broken.engine, "before_cursor_execute", strike)
    failing.close()
    assert told() == (0, later)
    broken.close()
