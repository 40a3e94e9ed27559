"""The till API: what it answers, what it refuses, and that a refused call changes nothing."""

from __future__ import annotations

import json
from datetime import timedelta
from io import BytesIO
from time import monotonic
from typing import Any

import pytest
from limits import RateLimitItemPerHour
from sqlalchemy import func, select, text, update
from werkzeug.test import TestResponse

from app.accounts import keys
from app.accounts.tables import point_of_sale_key
from app.db import Database
from app.loyalty import enrolment, granting, offers
from app.loyalty.enrolment import Enrolment
from app.loyalty.offers import OfferDraft
from app.loyalty.rules import Rules
from app.loyalty.tables import ledger_entry, receipt, till_call
from app.passes.content import LocalizedText
from app.web.problem import KINDS
from tests.loyalty import town as towns
from tests.loyalty.town import BONUS, EXPIRING, NOW, STAMPS, TIERED
from tests.web.till_api import Bell, Till, application, services
from tests.web.till_api import receipt as sale


def _open(database: Database, rules: Rules = BONUS, **more: Any) -> tuple[Till, towns.Town, Enrolment]:
    with database.write() as tx:
        town = towns.build(tx, rules)
        guest = towns.guest(tx, town)
    bell = Bell()
    return Till(application(services(database, bell), **more), town.secret, bell), town, guest


def _problem(answer: TestResponse, status: int, code: str) -> dict[str, Any]:
    assert answer.status_code == status, answer.text
    assert answer.content_type == "application/problem+json"
    document: dict[str, Any] = json.loads(answer.text)
    assert document["code"] == code
    assert document["type"] == f"/api/docs#problem-{code}"
    assert document["status"] == status
    assert document["title"]
    assert document["detail"]
    return document


def _nothing_happened(database: Database, guest: Enrolment) -> None:
    with database.read() as tx:
        assert enrolment.enrolment(tx, guest.id) == guest
        for table in (receipt, till_call):
            assert tx.scalar(select(func.count()).select_from(table)) == 0


def test_a_receipt_is_recorded_and_the_worker_is_woken(database: Database) -> None:
    till, _, guest = _open(database, TIERED)
    answer = till.post("/receipts", sale(guest.card_code, "1"))
    assert answer.status_code == 201
    assert answer.json == {
        "number": "1",
        "points": 2_70,
        "stamps": 0,
        "level_up": False,
        "card": {
            "card": guest.card_code,
            "kind": "tiered",
            "currency": "RUB",
            "balance": 2_70,
            "tier": {"key": "guest", "name": {"ru": "Гость", "en": "Guest"}, "cashback": 300},
            "stamps": None,
            "name_initial": "А",
        },
        "offer": None,
    }
    assert till.bell.rung == 1


def test_a_card_is_shown_and_its_guest_is_not(database: Database) -> None:
    till, _, guest = _open(database, STAMPS)
    till.post("/receipts", sale(guest.card_code, "1"))
    answer = till.get(f"/cards/{guest.card_code.lower()}")
    assert answer.status_code == 200
    assert answer.json is not None
    assert answer.json["stamps"] == {"stamps": 1, "for_reward": 6, "rewards": 0, "missing": 5}
    assert "Анна" not in answer.text
    assert answer.headers["Cache-Control"] == "no-store"


def test_points_are_redeemed_and_refused_beyond_the_balance(database: Database) -> None:
    till, _, guest = _open(database, EXPIRING)
    wanted = {"card": guest.card_code, "points": 80_00, "amount": 200_00, "currency": "RUB"}
    answer = till.post("/redemptions", wanted)
    assert answer.status_code == 201
    assert answer.json is not None
    assert (answer.json["points"], answer.json["worth"], answer.json["card"]["balance"]) == (
        80_00,
        80_00,
        20_00,
    )
    _problem(till.post("/redemptions", wanted), 409, "not-enough-points")


def test_a_reward_is_handed_over(database: Database) -> None:
    till, _, guest = _open(database, STAMPS)
    for number in range(6):
        till.post("/receipts", sale(guest.card_code, str(number)))
    answer = till.post("/redemptions", {"card": guest.card_code, "reward": True})
    assert answer.status_code == 201
    assert answer.json is not None
    assert (answer.json["reward"], answer.json["stamps"], answer.json["card"]["stamps"]["stamps"]) == (
        True,
        6,
        0,
    )


def test_a_receipt_is_refunded_once(database: Database) -> None:
    till, _, guest = _open(database)
    till.post("/receipts", sale(guest.card_code, "№1-а"))
    answer = till.post("/receipts/№1-а/refund")
    assert answer.status_code == 200
    assert answer.json is not None
    assert (answer.json["points"], answer.json["card"]["balance"]) == (4_50, 0)
    _problem(till.post("/receipts/№1-а/refund"), 409, "receipt-refunded")
    _problem(till.post("/receipts/none/refund"), 404, "no-such-receipt")
    _problem(till.post("/receipts/%00/refund"), 422, "bad-number")


def test_the_same_key_repeats_the_first_answer_and_acts_once(database: Database) -> None:
    till, _, guest = _open(database)
    body = sale(guest.card_code, "1")
    first = till.post("/receipts", body, key="a")
    second = till.post("/receipts", dict(reversed(body.items())), key="a")
    assert second.status_code == 201
    assert second.json == first.json
    assert second.headers["Idempotent-Replayed"] == "true"
    assert "Idempotent-Replayed" not in first.headers
    _problem(till.post("/receipts", sale(guest.card_code, "2"), key="a"), 422, "idempotency-key-reused")
    _problem(till.post("/receipts/1/refund", key="a"), 422, "idempotency-key-reused")
    with database.read() as tx:
        assert tx.scalar(select(func.count()).select_from(ledger_entry)) == 1


def test_the_same_receipt_under_another_key_is_refused(database: Database) -> None:
    till, _, guest = _open(database)
    till.post("/receipts", sale(guest.card_code, "1"))
    _problem(till.post("/receipts", sale(guest.card_code, "1")), 409, "receipt-recorded")


def test_a_refusal_frees_its_key(database: Database) -> None:
    till, _, guest = _open(database)
    wanted = {"card": guest.card_code, "points": 4_50}
    _problem(till.post("/redemptions", wanted, key="a"), 409, "not-enough-points")
    till.post("/receipts", sale(guest.card_code, "1"))
    assert till.post("/redemptions", wanted, key="a").status_code == 201


@pytest.mark.parametrize("key", ["", "x" * 65, "with space", "ключ"])
def test_a_bad_idempotency_key_is_refused(database: Database, key: str) -> None:
    till, _, guest = _open(database)
    answer = till.post("/receipts", sale(guest.card_code, "1"), headers={"Idempotency-Key": key})
    _problem(answer, 400, "idempotency-key-malformed" if key else "idempotency-key-missing")
    _nothing_happened(database, guest)


@pytest.mark.once
@pytest.mark.parametrize("header", ["", "Bearer", "Bearer ", "Basic eA==", "Bearer ppk_wrong", "Bearer ключ"])
@pytest.mark.parametrize("body", [b"{}", b"not json"])
def test_without_a_valid_key_nothing_is_told(database: Database, header: str, body: bytes) -> None:
    till, _, guest = _open(database)
    client = till.app.test_client()
    sent = {"Authorization": header, "Idempotency-Key": "1"} if header else {}
    for answer in (
        client.post("/api/v1/receipts", data=body, content_type="application/json", headers=sent),
        client.get(f"/api/v1/cards/{guest.card_code}", headers=sent),
    ):
        _problem(answer, 401, "unauthorised")
        assert answer.headers["WWW-Authenticate"].startswith("Bearer")


def test_a_key_whose_time_is_over_is_refused(database: Database) -> None:
    till, town, guest = _open(database)
    with database.write() as tx:
        keys.rotate_key(tx, town.key.id, overlap=timedelta(0), now=NOW, actor="test")
    _problem(till.get(f"/cards/{guest.card_code}"), 401, "unauthorised")


def test_another_brands_card_is_answered_like_one_that_never_was(database: Database) -> None:
    till, _, _ = _open(database)
    with database.write() as tx:
        stranger = towns.guest(tx, towns.build(tx, BONUS, slug="tea"))
    theirs, nobodys = till.get(f"/cards/{stranger.card_code}"), till.get("/cards/0000-0000-0000")
    _problem(theirs, 404, "no-such-card")
    assert theirs.data == nobodys.data
    _problem(till.post("/receipts", sale(stranger.card_code, "1")), 404, "no-such-card")
    _problem(till.post("/redemptions", {"card": stranger.card_code, "points": 1}), 404, "no-such-card")
    _nothing_happened(database, stranger)


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"amount": 90.5}, "amount"),
        ({"amount": 90.0}, "amount"),
        ({"amount": "9000"}, "amount"),
        ({"amount": True}, "amount"),
        ({"amount": 0}, "amount"),
        ({"amount": -1}, "amount"),
        ({"amount": 10**30}, "amount"),
        ({"amount": None}, "amount"),
        ({"currency": "EUR"}, "currency"),
        ({"currency": "rub"}, "currency"),
        ({"number": ""}, "number"),
        ({"number": "a\u0000b"}, "number"),
        ({"number": "a b"}, "number"),
        ({"at": "2026-11-21T12:00:00"}, "at"),
        ({"at": 1_795_262_400}, "at"),
        ({"at": "yesterday"}, "at"),
        ({"at": (NOW + timedelta(minutes=6)).isoformat()}, "at"),
        ({"at": (NOW - timedelta(days=31)).isoformat()}, "at"),
        ({"tip": 5}, "tip"),
        ({"card": 5}, "card"),
    ],
)
def test_a_bad_field_is_named_and_nothing_happens(
    database: Database, change: dict[str, Any], field: str
) -> None:
    till, _, guest = _open(database)
    answer = till.post("/receipts", sale(guest.card_code, "1") | change)
    assert answer.status_code == 422
    assert answer.json is not None
    assert [fault["field"] for fault in answer.json["fields"]] == [field]
    assert answer.json["code"] in KINDS
    _nothing_happened(database, guest)
    assert till.bell.rung == 0


def test_every_fault_is_named_at_once(database: Database) -> None:
    till, _, _ = _open(database)
    document = _problem(till.post("/receipts", {"amount": 1.5, "at": "x"}), 422, "invalid-request")
    assert {fault["field"] for fault in document["fields"]} == {"card", "number", "amount", "currency", "at"}


@pytest.mark.once
@pytest.mark.parametrize("body", [b"", b"{", b"\xff", b'{"card": "\\ud800"}', b"[" * 5000])
def test_what_is_not_json_is_refused(database: Database, body: bytes) -> None:
    till, _, guest = _open(database)
    answer = till.app.test_client().post(
        "/api/v1/receipts",
        data=body,
        content_type="application/json",
        headers={"Authorization": f"Bearer {till.secret}", "Idempotency-Key": "1"},
    )
    _problem(answer, 400, "malformed-json")
    _nothing_happened(database, guest)


@pytest.mark.once
def test_another_content_type_and_a_large_body_are_refused(database: Database) -> None:
    till, _, guest = _open(database)
    client = till.app.test_client()
    sent = {"Authorization": f"Bearer {till.secret}", "Idempotency-Key": "1"}
    body = json.dumps(sale(guest.card_code, "1"))
    for kind in ("text/plain", "application/x-www-form-urlencoded", ""):
        answer = client.post("/api/v1/receipts", data=body, content_type=kind, headers=sent)
        _problem(answer, 415, "wrong-content-type")
    padded = body + " " * 16_384
    answer = client.post("/api/v1/receipts", data=padded, content_type="application/json", headers=sent)
    _problem(answer, 413, "too-large")
    _nothing_happened(database, guest)


@pytest.mark.once
def test_an_unknown_address_and_a_wrong_method_are_problems_too(database: Database) -> None:
    till, _, _ = _open(database)
    for path in ("/nowhere", "/", "/receipts/1/2/refund"):
        _problem(till.get(path), 404, "no-such-address")
    _problem(till.app.test_client().get("/api/nowhere"), 404, "no-such-address")
    answer = till.get("/receipts")
    _problem(answer, 405, "wrong-method")
    assert answer.headers["Allow"] == "POST"


@pytest.mark.once
def test_titles_speak_russian_to_who_prefers_it(database: Database) -> None:
    till, _, _ = _open(database)
    answer = till.app.test_client().get(
        "/api/v1/cards/x",
        headers={"Authorization": f"Bearer {till.secret}", "Accept-Language": "ru-RU,ru;q=0.9,en;q=0.5"},
    )
    assert _problem(answer, 404, "no-such-card")["title"] == "Такой карты нет"


def test_a_key_that_calls_too_often_waits(database: Database) -> None:
    till, _, guest = _open(database, per_key=RateLimitItemPerHour(2))
    for _ in range(2):
        assert till.get(f"/cards/{guest.card_code}").status_code == 200
    answer = till.get(f"/cards/{guest.card_code}")
    _problem(answer, 429, "too-many-requests")
    assert 3_500 <= int(answer.headers["Retry-After"]) <= 3_600
    till.secret = "ppk_another"
    _problem(till.get(f"/cards/{guest.card_code}"), 401, "unauthorised")


def test_an_address_without_a_valid_key_is_told_to_wait_and_the_tills_beside_it_go_on(
    database: Database,
) -> None:
    till, _, guest = _open(database, failures=RateLimitItemPerHour(2))
    client = till.app.test_client()
    address = f"/api/v1/cards/{guest.card_code}"
    for wrong in ("Bearer ppk_guess", ""):
        _problem(client.get(address, headers={"Authorization": wrong}), 401, "unauthorised")
    refused = client.get(address, headers={"Authorization": "Bearer ppk_another"})
    _problem(refused, 429, "too-many-requests")
    assert 3_500 <= int(refused.headers["Retry-After"]) <= 3_600
    assert till.get(f"/cards/{guest.card_code}").status_code == 200
    elsewhere = client.get(address, environ_base={"REMOTE_ADDR": "2001:db8::1"})
    _problem(elsewhere, 401, "unauthorised")
    _problem(client.get(address, environ_base={"REMOTE_ADDR": "2001:db8::2"}), 401, "unauthorised")
    _problem(client.get(address, environ_base={"REMOTE_ADDR": "2001:db8::3"}), 429, "too-many-requests")


def test_made_up_keys_and_looks_wait_for_no_writer(database: Database) -> None:
    till, town, guest = _open(database)
    client = till.app.test_client()
    with database.write() as busy:
        busy.execute(update(point_of_sale_key).values(name="held"))
        began = monotonic()
        for key, status in (("ppk_guess", 401), (town.secret, 200)):
            headers = {"Authorization": f"Bearer {key}"}
            # Not read to the end: the use of the key is noted when the answer is out.
            answer = client.get(f"/api/v1/cards/{guest.card_code}", headers=headers)
            assert answer.status_code == status
        assert monotonic() - began < 5
    answer.close()
    with database.read() as tx:
        assert keys.key(tx, town.key.id).last_used_at == NOW


@pytest.mark.once
def test_a_body_in_chunks_that_is_too_large_is_refused_as_such(database: Database) -> None:
    till, _, guest = _open(database)
    body = json.dumps(sale(guest.card_code, "1")).encode()
    sent = {"Authorization": f"Bearer {till.secret}", "Idempotency-Key": "1"}
    for padding, status in ((16_385 - len(body), 413), (100_000, 413), (16_384 - len(body), 201)):
        answer = till.app.test_client().post(
            "/api/v1/receipts",
            input_stream=BytesIO(body + b" " * padding),
            content_type="application/json",
            headers=sent | {"Transfer-Encoding": "chunked"},
            environ_base={"wsgi.input_terminated": True},
        )
        assert answer.status_code == status, answer.text
        assert status == 201 or _problem(answer, 413, "too-large")


def test_tills_go_on_where_the_store_of_limits_does_not_answer(database: Database, free_port: int) -> None:
    with database.write() as tx:
        town = towns.build(tx, BONUS)
        guest = towns.guest(tx, town)
    bell = Bell()
    unreachable = services(database, bell, storage=f"redis://127.0.0.1:{free_port}/0")
    till = Till(application(unreachable), town.secret, bell)
    assert till.post("/receipts", sale(guest.card_code, "1")).status_code == 201


def test_limits_are_shared_through_redis(database: Database, redis_url: str) -> None:
    with database.write() as tx:
        town = towns.build(tx, BONUS)
        guest = towns.guest(tx, town)
    bell = Bell()
    shared = services(database, bell, storage=redis_url or "memory://")
    app = application(shared, per_key=RateLimitItemPerHour(1))
    other = application(shared, per_key=RateLimitItemPerHour(1)) if redis_url else app
    assert Till(app, town.secret, bell).get(f"/cards/{guest.card_code}").status_code == 200
    answer = Till(other, town.secret, bell).get(f"/cards/{guest.card_code}")
    _problem(answer, 429, "too-many-requests")


def test_a_fault_inside_is_no_trace_outside(database: Database) -> None:
    till, _, guest = _open(database)
    with database.write() as tx:
        tx.execute(text("ALTER TABLE lot RENAME TO lot_lost"))
    answer = till.get(f"/cards/{guest.card_code}")
    assert answer.status_code in (500, 503)
    assert answer.content_type == "application/problem+json"
    assert "lot" not in answer.text
    assert "Traceback" not in answer.text


def test_an_offer_is_shown_redeemed_once_and_given_back(database: Database) -> None:
    till, town, guest = _open(database)
    draft = OfferDraft(
        code="TEN",
        name=LocalizedText("Скидка 10 %", "10 % off"),
        gives="percent",
        worth=1_000,
        minimum=50_00,
        from_at=NOW,
        until_at=NOW + timedelta(days=1),
    )
    with database.write() as tx:
        made = offers.create(tx, town.brand.id, draft, now=NOW, actor="test")
        granting.give(tx, made.id, [guest.id], now=NOW, actor="test")
    shown = till.get(f"/cards/{guest.card_code}").get_json()["offers"]
    assert [(each["offer"]["code"], each["usable"], each["why_not"]) for each in shown] == [
        ("TEN", True, None)
    ]
    assert shown[0]["offer"]["worth"] == 1_000
    small = till.post("/receipts", sale(guest.card_code, "1", 49_99, offer="TEN"))
    _problem(small, 409, "offer-below-minimum")
    _problem(till.post("/receipts", sale(guest.card_code, "1", offer="ELEVEN")), 404, "no-such-offer")
    _nothing_happened(database, guest)
    body = sale(guest.card_code, "1", offer="ten")
    first, again = (till.post("/receipts", body, key="one") for _ in range(2))
    assert first.json == again.json
    redeemed = first.get_json()["offer"]
    assert (redeemed["discount"], redeemed["paid"], first.get_json()["points"]) == (9_00, 81_00, 4_05)
    _problem(till.post("/receipts", sale(guest.card_code, "2", offer="TEN")), 409, "offer-redeemed")
    assert till.get(f"/cards/{guest.card_code}").get_json()["offers"] == []
    assert till.post("/receipts/1/refund").get_json()["offer"] == {"code": "TEN", "given_back": True}
    assert till.post("/receipts", sale(guest.card_code, "2", offer="TEN")).status_code == 201
