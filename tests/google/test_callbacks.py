"""Callbacks: genuine ones are read, and of everything else there is a refusal, and never a crash."""

from __future__ import annotations

import copy
import json
import time
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ec import SECP384R1, generate_private_key
from hypothesis import given, settings
from hypothesis import strategies as st

from app.google import callback_roots
from app.google.callbacks import LARGEST, Callback, CallbackRefused, Event, Fault, verify
from tests.google.signer import ISSUER, NOW, Google, b64, millis, spki

OTHER = "4499000000000000000"
GOOGLE = Google()
ROOTS = callback_roots.parse(GOOGLE.document())


def read(body: bytes, *, now: datetime = NOW, issuers: tuple[str, ...] = (OTHER, ISSUER)) -> Callback:
    return verify(body, roots=ROOTS, issuers=issuers, now=now)


def fault(body: bytes, **wishes: Any) -> Fault:
    with pytest.raises(CallbackRefused) as raised:
        read(body, **wishes)
    return raised.value.fault


@pytest.mark.parametrize("event", ["save", "del"])
def test_a_genuine_callback_is_read(event: str) -> None:
    body = GOOGLE.callback(GOOGLE.message(eventType=event))
    assert b"\\u003d" in body
    assert read(body) == Callback(
        event=Event(event),
        issuer_id=ISSUER,
        class_id=f"{ISSUER}.kofe-gold",
        object_id=f"{ISSUER}.member-0001",
        nonce="5a0c3a8e-6c5c-4a9f-9b6c-0d3a3f1f2b11",
        expires_at_ms=millis(NOW + timedelta(minutes=10)),
    )


def test_lengths_are_counted_in_octets() -> None:
    message = GOOGLE.message(nonce="ночь-☕-𝄞")
    assert len(message) != len(message.encode())
    assert read(GOOGLE.callback(message)).nonce == "ночь-☕-𝄞"
    assert read(GOOGLE.callback(GOOGLE.message(), note="кофе")).event == Event.SAVE  # in the signed key


def test_unknown_fields_and_another_order_do_no_harm() -> None:
    envelope = GOOGLE.envelope(GOOGLE.message(holders=[1, {"a": None}]))
    body = json.dumps(dict(reversed(envelope.items())) | {"new": 1}, indent=2).encode()
    assert read(body).event == Event.SAVE


def test_one_of_several_signatures_and_roots_is_enough() -> None:
    envelope = GOOGLE.envelope()
    envelope["intermediateSigningKey"]["signatures"].insert(0, b64(b"0E\x02nonsense"))
    roots = callback_roots.parse(GOOGLE.document(Google().keys(), GOOGLE.keys()))
    assert verify(json.dumps(envelope).encode(), roots=roots, issuers={ISSUER}, now=NOW).event == Event.SAVE


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (lambda: Google().callback(), Fault.INTERMEDIATE),  # all of it signed by somebody else
        (lambda: Google(intermediate=GOOGLE.intermediate).callback(), Fault.INTERMEDIATE),
        (lambda: Google(root=GOOGLE.root, protocol="ECv2").callback(), Fault.PROTOCOL),
        (lambda: Google(root=GOOGLE.root, protocol="ECv1").callback(), Fault.PROTOCOL),
        (lambda: Google(root=GOOGLE.root, sender="Google").callback(), Fault.INTERMEDIATE),
        (lambda: GOOGLE.callback(recipient=f"merchant:{ISSUER}"), Fault.SIGNATURE),
        (lambda: GOOGLE.callback(recipient=OTHER), Fault.SIGNATURE),
        (lambda: GOOGLE.callback(key_expires=NOW), Fault.INTERMEDIATE_EXPIRED),
        (lambda: GOOGLE.callback(key_expires=NOW - timedelta(days=1)), Fault.INTERMEDIATE_EXPIRED),
        (lambda: GOOGLE.callback(GOOGLE.message(expTimeMillis=millis(NOW))), Fault.EXPIRED),
        (lambda: GOOGLE.callback(GOOGLE.message(eventType="SAVE")), Fault.UNKNOWN_EVENT),
        (lambda: GOOGLE.callback(GOOGLE.message(eventType=["save"])), Fault.UNKNOWN_EVENT),
        (lambda: GOOGLE.callback(GOOGLE.message(objectId=f"{OTHER}.member")), Fault.MALFORMED),
        (lambda: GOOGLE.callback(GOOGLE.message(expTimeMillis=True)), Fault.MALFORMED),
        (lambda: GOOGLE.callback(GOOGLE.message(nonce="")), Fault.MALFORMED),
        (lambda: GOOGLE.callback(GOOGLE.message(nonce="n" * 201)), Fault.MALFORMED),
        (lambda: GOOGLE.callback(GOOGLE.message(nonce="a\0b")), Fault.MALFORMED),
        (lambda: GOOGLE.callback(keyExpiration=None), Fault.MALFORMED),
        (lambda: GOOGLE.callback(keyValue=spki(generate_private_key(SECP384R1()))), Fault.MALFORMED),
        (lambda: GOOGLE.callback(keyValue="AAAA"), Fault.MALFORMED),
    ],
)
def test_forged_expired_and_misdirected_ones_are_refused(body: Callable[[], bytes], expected: Fault) -> None:
    assert fault(body()) == expected


def test_another_issuers_genuine_callback_is_not_ours() -> None:
    message = GOOGLE.message(classId=f"{OTHER}.c", objectId=f"{OTHER}.o")
    body = GOOGLE.callback(message, recipient=OTHER)
    assert read(body).issuer_id == OTHER
    assert fault(body, issuers=(ISSUER,)) == Fault.OTHER_ISSUER
    # Nor does a message of ours pass that was signed for an issuer whom somebody else holds.
    assert fault(GOOGLE.callback(recipient=OTHER), issuers=(ISSUER,)) == Fault.SIGNATURE


def test_every_part_is_covered() -> None:
    envelope = GOOGLE.envelope()
    changed = copy.deepcopy(envelope)
    changed["signedMessage"] = changed["signedMessage"].replace('"save"', '"del"')
    assert fault(json.dumps(changed).encode()) == Fault.SIGNATURE
    changed = copy.deepcopy(envelope)
    changed["signedMessage"] += " "
    assert fault(json.dumps(changed).encode()) == Fault.SIGNATURE
    changed = copy.deepcopy(envelope)
    changed["intermediateSigningKey"]["signedKey"] += " "
    assert fault(json.dumps(changed).encode()) == Fault.INTERMEDIATE
    # A stranger's key, and the stranger's signature by it.
    stranger = Google()
    changed = copy.deepcopy(envelope)
    changed["intermediateSigningKey"]["signedKey"] = stranger.envelope()["intermediateSigningKey"][
        "signedKey"
    ]
    assert fault(json.dumps(changed).encode()) == Fault.INTERMEDIATE


def test_a_root_that_has_ended_or_is_of_another_protocol_verifies_nothing() -> None:
    def refused(document: bytes, now: datetime = NOW) -> Fault:
        with pytest.raises(CallbackRefused) as raised:
            verify(GOOGLE.callback(), roots=callback_roots.parse(document), issuers={ISSUER}, now=now)
        return raised.value.fault

    assert refused(GOOGLE.document(GOOGLE.keys(expires=NOW))) == Fault.NO_KEYS
    assert refused(GOOGLE.document(GOOGLE.keys(protocol="ECv2"))) == Fault.NO_KEYS
    assert refused(b'{"keys": []}') == Fault.NO_KEYS
    lasting = GOOGLE.keys(expires=NOW + timedelta(milliseconds=1))
    roots = callback_roots.parse(GOOGLE.document(lasting))
    assert verify(GOOGLE.callback(), roots=roots, issuers={ISSUER}, now=NOW).event == Event.SAVE
    assert (
        refused(GOOGLE.document(lasting, Google().keys()), NOW + timedelta(minutes=1)) == Fault.INTERMEDIATE
    )


def test_a_document_of_keys_may_hold_anything() -> None:
    good = GOOGLE.keys()
    wrong: list[Any] = [
        None,
        [],
        {},
        {"protocolVersion": "ECv2SigningOnly"},
        good | {"keyValue": 7},
        good | {"keyValue": "é"},
        good | {"keyValue": "AA=="},
        good | {"keyValue": "A" * 2000},
        good | {"keyExpiration": "soon"},
        good | {"keyExpiration": None},
        good | {"keyExpiration": 10**30},
    ]
    for entry in wrong:
        assert len(callback_roots.parse(GOOGLE.document(entry, good))) == 1, entry
    for document in (b"", b"null", b"[]", b'{"keys": {}}', b"\xff", b"[" * 100_000, b"<html>"):
        assert callback_roots.parse(document) == ()
    assert len(callback_roots.parse(GOOGLE.document(*[good] * 500))) == 16


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"null",
        b"7",
        b"[]",
        b"{}",
        b"\xff\xfe",
        b"\x00" * 100,
        b"{" * 60_000,
        b"[" * 60_000,
        b'{"a":' * 10_000,
        b"1" * 60_000,
        b'{"intermediateSigningKey": []}',
        b'{"intermediateSigningKey": {}, "protocolVersion": "ECv2SigningOnly"}',
        GOOGLE.callback() + b" " * LARGEST,
    ],
)
def test_rubbish_is_malformed(body: bytes) -> None:
    assert fault(body) in (Fault.MALFORMED, Fault.PROTOCOL)


def test_deep_nesting_within_the_signed_strings_is_malformed() -> None:
    for field in ("signedMessage", "intermediateSigningKey"):
        envelope = GOOGLE.envelope()
        if field == "signedMessage":
            envelope[field] = "[" * 40_000
        else:
            envelope[field]["signedKey"] = '{"a":' * 8_000
        assert fault(json.dumps(envelope).encode()) == Fault.MALFORMED


_RUBBISH: list[Any] = [
    None,
    True,
    -1,
    0,
    1.5,
    10**40,
    float("nan"),
    float("inf"),
    "",
    "x",
    "\ud800",
    "é" * 50,
    "\0",
    [],
    {},
    [[]],
    {"a": {}},
    ["AAAA"] * 50,
    "A" * 1001,
    "=",
]


@pytest.mark.parametrize("rubbish", _RUBBISH, ids=lambda value: repr(value)[:20])
def test_rubbish_in_any_place_is_a_refusal(rubbish: Any) -> None:
    places: list[tuple[str, ...]] = [
        ("signature",),
        ("intermediateSigningKey",),
        ("intermediateSigningKey", "signedKey"),
        ("intermediateSigningKey", "signatures"),
        ("intermediateSigningKey", "signatures", "0"),
        ("protocolVersion",),
        ("signedMessage",),
    ]
    for place in places:
        envelope: Any = GOOGLE.envelope()
        inner = envelope
        for step in place[:-1]:
            inner = inner[step]
        inner[int(place[-1]) if place[-1] == "0" else place[-1]] = rubbish
        assert isinstance(fault(json.dumps(envelope).encode()), Fault), place


@pytest.mark.parametrize("rubbish", _RUBBISH, ids=lambda value: repr(value)[:20])
def test_rubbish_that_google_signed_is_a_refusal_too(rubbish: Any) -> None:
    text = json.dumps(rubbish)
    for name in ("classId", "objectId", "eventType", "expTimeMillis", "nonce"):
        plain = json.loads(GOOGLE.message()) | {name: rubbish}
        body = GOOGLE.callback(json.dumps(plain))
        if name == "nonce" and rubbish in ("x", "é" * 50, "="):
            assert read(body).nonce == rubbish
            continue
        assert isinstance(fault(body), Fault), name
    assert isinstance(fault(GOOGLE.callback(text)), Fault)
    for name in ("keyValue", "keyExpiration"):
        if not isinstance(rubbish, str) or "\ud800" not in rubbish:
            assert isinstance(fault(GOOGLE.callback(**{name: rubbish})), Fault)


def test_a_forged_callback_costs_little() -> None:
    envelope = Google().envelope()
    envelope["intermediateSigningKey"]["signatures"] *= 10_000 // 100
    began = time.process_time()
    assert fault(json.dumps(envelope).encode()) == Fault.MALFORMED
    assert time.process_time() - began < 0.1


@settings(max_examples=200)
@given(body=st.binary(max_size=300))
def test_any_octets_are_a_refusal(body: bytes) -> None:
    assert isinstance(fault(body), Fault)


GENUINE = GOOGLE.callback()


@settings(max_examples=300)
@given(at=st.integers(0, len(GENUINE) - 1), octet=st.integers(0, 255))
def test_one_changed_octet_is_a_refusal_or_changes_nothing(at: int, octet: int) -> None:
    changed = GENUINE[:at] + bytes([octet]) + GENUINE[at + 1 :]
    try:
        said = read(changed)
    except CallbackRefused:
        return
    # The same text in other octets (an escape's case, white space), or a field nobody signs was renamed.
    assert said == read(GENUINE)
