"""Bad input of phones and tills gets a clear error, and every table says afterwards what it said before."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import quote_from_bytes

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.web.edges import HUGE, Edges, fuzzed, garbage, harmless, receipt, refused
from tests.web.whole_web import FORM

NOT_UTF8 = b'{"pushToken": "\xff\xfe"}'


# Phones


@pytest.mark.parametrize("method", ["POST", "DELETE"])
def test_a_registration_without_the_pass_s_own_token_is_refused(edges: Edges, method: str) -> None:
    web, card = edges.web, edges.card
    tokens = [
        {}, {"Authorization": "ApplePass"}, {"Authorization": "ApplePass wrong"},
        {"Authorization": "ApplePass \xff\xfe\x00"}, {"Authorization": f"Bearer {card.token}"},
        {"Authorization": f"ApplePass {card.token}x"}, {"Authorization": "ApplePass " + "a" * 60_000},
        edges.neighbour.bearer, edges.stranger.bearer,
    ]  # fmt: skip
    with web.nothing_changes():
        for headers in tokens:
            refused(web.ask(method, card.registration("d1"), b'{"pushToken": "aa"}', headers), 401)
            refused(web.ask("GET", card.path, headers=headers), 401)
            if method == "DELETE":  # nor may one phone's card be taken away by who holds another
                refused(web.ask(method, card.registration("d0"), headers=headers), 401)


def test_a_serial_number_or_pass_type_nobody_issued_is_refused_like_a_wrong_token(edges: Edges) -> None:
    web, card = edges.web, edges.card
    device = "/passkit/v1/devices/d1/registrations"
    names = ["unknown", "%00", "%ff%fe", "a" * 5000, "%2e%2e", "%d0%bf", "%25%30%30", ".", "'--"]
    with web.nothing_changes():
        for name in names:
            for address in (
                f"{device}/{card.pass_type}/{name}", f"{device}/{name}/{card.serial}",
                f"{device}/{edges.stranger.pass_type}/{card.serial}",
            ):  # fmt: skip
                refused(web.ask("POST", address, b'{"pushToken": "aa"}', card.bearer), 401)
                refused(web.ask("DELETE", address, b"", card.bearer), 401)
            refused(web.ask("GET", f"/passkit/v1/passes/{card.pass_type}/{name}", b"", card.bearer), 401)
            refused(web.ask("GET", f"/passkit/v1/passes/{name}/{card.serial}", b"", card.bearer), 401)


@pytest.mark.parametrize(
    "body",
    [
        b"", b"{", b'{"pushToken":', b"[]", b'"aa"', b"1", b"null", b"NaN", b"{}", b'{"pushToken": null}',
        b'{"pushToken": 5}', b'{"pushToken": ""}', b'{"pushToken": ["aa"]}', b'{"pushToken": "a\\u0000b"}',
        b'{"pushToken": "a b"}', b'{"pushToken": "\\ud800"}', b'{"pushtoken": "aa"}', NOT_UTF8, HUGE,
        b"[" * 60_000, b"1" * 60_000, b'{"pushToken": "' + b"a" * 5000 + b'"}', b"pushToken=aa", b"\x00\x01",
    ],
    ids=lambda body: repr(body[:24]),
)  # fmt: skip
def test_a_registration_s_body_that_is_none_is_refused(edges: Edges, body: bytes) -> None:
    with edges.web.nothing_changes():
        answer = edges.web.ask("POST", edges.card.registration("d1"), body, edges.card.bearer)
        refused(answer, 413 if body is HUGE else 400)


def test_a_length_that_is_no_number_and_a_device_that_is_no_name_are_refused(edges: Edges) -> None:
    web, card, body = edges.web, edges.card, b'{"pushToken": "aa"}'
    with web.nothing_changes():
        for length in ("many", "-5", "1e3"):
            headers = card.bearer | {"Content-Length": length}
            refused(web.ask("POST", card.registration("d1"), body, headers), 400)
        for device in ("%00", "%ff", "%20", "d" * 300, "%d0%b4"):
            refused(web.ask("POST", card.registration(device), body, card.bearer), 400)


def test_a_garbage_update_tag_is_no_reason_to_fail(edges: Edges) -> None:
    web, card = edges.web, edges.card
    tags = [
        "abc",
        "-1",
        "1.5",
        "9" * 400,
        "%00",
        "%ff",
        "1%20",
        "",
        "1;DROP",
        "%u0031",
        "1&passesUpdatedSince=2",
    ]
    with web.nothing_changes():
        for tag in tags:
            for device in ("nobody", "%00", "%ff%fe", "d" * 5000):
                address = (
                    f"/passkit/v1/devices/{device}/registrations/{card.pass_type}?passesUpdatedSince={tag}"
                )
                assert web.ask("GET", address).status == 204
    # The list of a phone that is known names its card: too much is better than too little.
    for tag in ("abc", "-1", "%00", ""):
        known = f"/passkit/v1/devices/d0/registrations/{card.pass_type}?passesUpdatedSince={tag}"
        assert web.ask("GET", known).document["serialNumbers"] == [card.serial]
    web.wait_for_evidence()


def test_lines_that_are_no_log_and_calls_that_are_none_are_refused(edges: Edges) -> None:
    web, log = edges.web, "/passkit/v1/log"
    nothing: frozenset[str] = frozenset()
    with web.nothing_changes(without=nothing):
        for body in (b"", b"{", b"[]", b'{"logs": 1}', b'{"logs": [1]}', b'{"logs": {"a": "b"}}', b"\xff"):
            refused(web.ask("POST", log, body), 400)
        refused(web.ask("POST", log, HUGE), 413)
        for method, address, status in (
            ("GET", log, 405), ("PUT", edges.card.registration("d0"), 405), ("PATCH", edges.card.path, 405),
            ("POST", edges.card.path, 405), ("GET", "/passkit", 404), ("GET", "/passkit/v2/log", 404),
            ("GET", "/passkit/v1/%ff%00", 404), ("BREW", "/passkit/v1/log", 405),
            ("DELETE", "/passkit/v1/devices/d0/registrations/" + edges.card.pass_type, 405),
        ):  # fmt: skip
            refused(web.ask(method, address, headers=edges.card.bearer), status)


@fuzzed
@given(
    method=st.sampled_from(["GET", "POST", "DELETE", "HEAD", "PUT"]),
    parts=st.lists(garbage, max_size=6),
    query=garbage,
    body=garbage,
    token=st.none() | garbage,
)
def test_no_garbage_brings_the_passkit_service_down(
    edges: Edges, method: str, parts: list[bytes], query: bytes, body: bytes, token: bytes | None
) -> None:
    words = [b"v1", b"devices", b"registrations", b"passes", edges.card.pass_type.encode(), b"log"]
    mixed = [word for pair in zip(words, parts, strict=False) for word in pair] if len(parts) > 3 else parts
    address = "/passkit/" + "/".join(quote_from_bytes(part, safe="") for part in mixed)
    headers = {} if token is None else {"Authorization": "ApplePass " + token.decode("latin-1")}
    with edges.web.nothing_changes():
        assert harmless(edges.web.ask(method, address.encode() + b"?" + query, body, headers))


# Tills


def test_a_till_without_a_good_key_is_refused(edges: Edges) -> None:
    web, good = edges.web, edges.web.till("pechka")
    keys = ["", "Bearer", "Bearer ", "Bearer wrong", "Bearer ppk_wrong", f"Basic {web.keys['pechka']}",
            f"Bearer {web.keys['pechka']}x", "Bearer \xff\xfe", "Bearer " + "a" * 60_000]  # fmt: skip
    with web.nothing_changes():
        for key in keys:
            headers = good | {"Authorization": key}
            refused(web.ask("POST", "/api/v1/receipts", receipt(edges.card), headers), 401)
            refused(web.ask("POST", "/api/v1/redemptions", b'{"points": 1}', headers), 401)
            refused(web.ask("POST", f"/api/v1/receipts/{edges.receipt}/refund", b"", headers), 401)
            refused(web.ask("GET", f"/api/v1/cards/{edges.card.code}", headers=headers), 401)


def test_a_till_of_one_brand_can_do_nothing_to_another_brand_s_card(edges: Edges) -> None:
    web = edges.web
    with web.nothing_changes():
        refused(web.ask("POST", "/api/v1/receipts", receipt(edges.card), web.till("zerno")), 404)
        body = json.dumps({"card": edges.card.code, "points": 1_00, "amount": 900_00, "currency": "RUB"})
        refused(web.ask("POST", "/api/v1/redemptions", body.encode(), web.till("zerno")), 404)
        refused(web.ask("GET", f"/api/v1/cards/{edges.card.code}", headers=web.till("zerno")), 404)
        refused(web.ask("POST", f"/api/v1/receipts/{edges.receipt}/refund", b"", web.till("zerno")), 404)


@pytest.mark.parametrize(
    ("changes", "status"),
    [
        ({"amount": 900.5}, 422), ({"amount": 900.0}, 422), ({"amount": "90000"}, 422),
        ({"amount": True}, 422),
        ({"amount": 0}, 422), ({"amount": -1}, 422), ({"amount": 10**18}, 422), ({"amount": 10**40}, 422),
        ({"amount": None}, 422), ({"amount": float("inf")}, 422), ({"currency": "EUR"}, 422),
        ({"currency": "rub"}, 422), ({"currency": "РУБ"}, 422), ({"at": "yesterday"}, 422), ({"at": 5}, 422),
        ({"at": "2026-01-01T10:00:00"}, 422), ({"at": "2999-01-01T10:00:00+00:00"}, 422),
        ({"at": "0001-01-01T00:00:00+14:00"}, 422), ({"number": ""}, 422), ({"number": "9" * 10_000}, 422),
        ({"number": "a\x00b"}, 422), ({"number": "a\nb"}, 422), ({"number": "\ud800"}, 422),
        ({"number": 7}, 422),
        ({"card": ""}, 422), ({"card": "a" * 1000}, 422), ({"card": "7K3M9QXAT2RB"}, 404),
        ({"card": "\x00"}, 404),
        ({"card": "карта"}, 404), ({"card": ["x"]}, 422), ({"tip": 100}, 422), ({"brand_id": 2}, 422),
        ({"number": "R-1", "amount": 1_00}, 409),
    ],
    ids=lambda value: ascii(value)[:40],
)  # fmt: skip
def test_a_receipt_with_a_fault_is_refused(edges: Edges, changes: dict[str, Any], status: int) -> None:
    with edges.web.nothing_changes():
        body = receipt(edges.card, **changes)
        # A lone surrogate and an endless number are refused by the reader of JSON itself.
        statuses = (status, 400) if status == 422 else (status,)
        refused(edges.web.ask("POST", "/api/v1/receipts", body, edges.web.till("pechka")), *statuses)


def test_a_till_s_body_that_is_none_is_refused(edges: Edges) -> None:
    web, good = edges.web, edges.web.till("pechka")
    with web.nothing_changes():
        for path in ("/api/v1/receipts", "/api/v1/redemptions"):
            for body in (b"", b"{", b"nil", b'{"card": "\xff"}', b"[" * 10_000, b"\x00"):
                refused(web.ask("POST", path, body, good), 400, 422)
            for body in (b"[]", b"null", b"1", b"{}", b'"card"'):
                refused(web.ask("POST", path, body, good), 422)
            refused(web.ask("POST", path, HUGE, good), 413)
            for kind in ("text/plain", FORM, "application/xml", "", "\xff"):
                refused(web.ask("POST", path, receipt(edges.card), good | {"Content-Type": kind}), 415)


def test_a_call_without_a_good_idempotency_key_or_address_is_refused(edges: Edges) -> None:
    web, good = edges.web, edges.web.till("pechka")
    with web.nothing_changes():
        for key in ("", "a b", "a" * 65, "\xff", "ключ".encode().decode("latin-1"), "a\x7f"):
            headers = good | {"Idempotency-Key": key}
            refused(web.ask("POST", "/api/v1/receipts", receipt(edges.card), headers), 400)
        for number in ("unknown", "%00", "%ff", "9" * 5000, "%0a"):
            refused(web.ask("POST", f"/api/v1/receipts/{number}/refund", b"", good), 404, 422)
            refused(web.ask("GET", f"/api/v1/cards/{number}", headers=good), 404)
        for method, address in (("GET", "/api/v1/receipts"), ("DELETE", f"/api/v1/cards/{edges.card.code}")):
            refused(web.ask(method, address, headers=good), 405)
        refused(web.ask("GET", "/api/v2/%ff%00", headers=good), 404)


def test_points_that_are_not_there_are_not_spent(edges: Edges) -> None:
    web = edges.web
    with web.nothing_changes():
        for points, status in ((10**9, 409), (0, 422), (-1_00, 422), (1.5, 422), ("100", 422), (10**30, 422)):
            body = {"card": edges.card.code, "points": points, "amount": 10**9, "currency": "RUB"}
            answer = web.ask("POST", "/api/v1/redemptions", json.dumps(body).encode(), web.till("pechka"))
            refused(answer, status)


def test_a_used_idempotency_key_does_nothing_with_another_body(edges: Edges) -> None:
    web, good = edges.web, edges.web.till("pechka")
    assert web.ask("POST", "/api/v1/receipts", receipt(edges.card), good).status == 201
    with web.nothing_changes():
        refused(web.ask("POST", "/api/v1/receipts", receipt(edges.card), good), 422)
