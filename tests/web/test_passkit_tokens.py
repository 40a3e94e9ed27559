"""A token opens its own pass and no other, however a request is dressed up; and 401 tells nothing."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from werkzeug.test import TestResponse

from app.db import Database
from app.passes import tokens
from app.passes.issuing import WalletPass
from tests.passes.shop import OTHER_TYPE, PASS_KEY, TYPE, everything
from tests.web.phones import Phone, Service, token_for

SECRET = 424_242_424_242
"""The balance of the pass that must not leak."""
METHODS = ["GET", "HEAD", "POST", "DELETE"]


@pytest.fixture
def service(database: Database) -> Iterator[Service]:
    made = Service(database)
    yield made
    made.close()


def _tokens(mine: WalletPass, theirs: WalletPass, chance: Any) -> str:
    """Something that is not the token of ``theirs``, made of what an attacker may have."""
    own, other, derived = token_for(mine), token_for(theirs), tokens.authentication_token
    part = chance.draw(st.integers(1, len(other) - 1))
    letter = chance.draw(st.sampled_from(["A", "_", "=", "\x00", "\xff", "%00", "+", "/", "\u0130"]))
    return str(
        chance.draw(
            st.sampled_from(
                [
                    own, own + other, other + own, other[:part], other[part:], other + letter, letter + other,
                    other[:part] + letter + other[part:], other.swapcase(), other.upper(), other[::-1],
                    quote(other[:-1]) + f"%{ord(other[-1]):02x}", other + "=", f"{other},{own}",
                    f"{own}, ApplePass {own}", f"{other}, ApplePass {other}", f'"{other}"', f"<{other}>",
                    derived(PASS_KEY, theirs.pass_type_identifier, theirs.serial_number, 2),
                    derived(PASS_KEY, OTHER_TYPE, theirs.serial_number, 1),
                    derived(PASS_KEY, TYPE, mine.serial_number, 2), "", "*", "null",
                ]
            )
        )
    )  # fmt: skip


def _address(card: WalletPass, mine: WalletPass, chance: Any) -> str:
    """An address of ``card`` as the wire decoded it: plain, escaped, doubled, or with a way round."""
    serial, kind, own = card.serial_number, card.pass_type_identifier, mine.serial_number
    escaped = "".join(f"%{ord(letter):02X}" for letter in serial)
    twice = escaped.replace("%", "%25")
    wide = "".join(chr(ord(letter) + 0xFEE0) for letter in serial).encode().decode("latin-1")
    serial = chance.draw(
        st.sampled_from(
            [
                serial, escaped, twice, wide, serial.swapcase(), f"{serial}/", f"{serial}%00", f"{serial}%20",
                f"{serial}.pkpass", f"{own}/../{serial}", f"{own}%2F..%2F{serial}",
                f"{serial};{own}", f"{serial},{own}",
            ]
        )
    )  # fmt: skip
    kind = chance.draw(
        st.sampled_from([kind, kind.upper(), kind.replace(".", "%2e"), f"./{kind}", kind + "/"])
    )
    front = chance.draw(st.sampled_from(["/v1", "//v1", "///v1", "/v1/", "/V1", "/v1/.", "%2Fv1"]))
    middle = chance.draw(st.sampled_from(["/passes/", "/devices/thief/registrations/"]))
    return f"{front}{middle}{kind}/{serial}"


@pytest.mark.timeout(180)
def test_no_request_with_another_token_gets_a_byte_of_a_pass(service: Service) -> None:
    mine, theirs = service.issue(1), service.issue(SECRET)
    served = Phone(service, "theirs").fetch(theirs)
    assert str(SECRET) in served.text
    Phone(service, "theirs").register(theirs)
    service.evidence.close()
    before = everything(service.database)

    @settings(max_examples=300, deadline=None, database=None, suppress_health_check=[HealthCheck.too_slow])
    @given(chance=st.data())
    def attack(chance: st.DataObject) -> None:
        scheme = chance.draw(
            st.sampled_from(
                ["ApplePass ", "applepass ", "AndroidPass ", "ApplePass  ", "Bearer ", "", "ApplePass\t"]
            )
        )
        headers = {"Authorization": scheme + _tokens(mine, theirs, chance)}
        if chance.draw(st.booleans()):
            headers["If-Modified-Since"] = served.headers["Last-Modified"]
        headers["X-Original-URL"] = headers["X-Rewrite-URL"] = f"/v1/passes/{TYPE}/{mine.serial_number}"
        answer = service.client.open(
            method=chance.draw(st.sampled_from([*METHODS, "PUT", "get", "OPTIONS"])),
            query_string=chance.draw(
                st.sampled_from(["", "passesUpdatedSince=0", f"token={token_for(theirs)}"])
            ),
            headers=headers,
            json={"pushToken": "thief"},
            environ_overrides={"PATH_INFO": _address(theirs, mine, chance)},
        )
        assert answer.status_code in (401, 404, 405)
        said = answer.text + str(answer.headers)
        assert str(SECRET) not in said
        assert theirs.serial_number not in said
        assert "Last-Modified" not in answer.headers

    attack()
    assert everything(service.database) == before


def _told(answer: TestResponse) -> tuple[int, list[tuple[str, str]], bytes]:
    return answer.status_code, sorted(answer.headers), answer.data


@settings(max_examples=60, deadline=None, database=None,
          suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])  # fmt: skip
@given(
    token=st.text(st.characters(min_codepoint=33, max_codepoint=255), max_size=80),
    unknown=st.text(st.sampled_from("abcXYZ019._-"), min_size=1, max_size=30),
    held=st.booleans(),
)
@example(token="", unknown="x", held=True)
def test_401_does_not_tell_whether_a_pass_exists(
    service: Service, token: str, unknown: str, held: bool
) -> None:
    card = service.issue()
    headers = {"Authorization": f"ApplePass {token}"}
    if held:
        headers["If-Modified-Since"] = "Sat, 21 Nov 2026 12:00:00 GMT"
    for method in METHODS:
        paths = [
            f"/v1/passes/{kind}/{serial}"
            if method in ("GET", "HEAD")
            else f"/v1/devices/d/registrations/{kind}/{serial}"
            for kind, serial in [
                (TYPE, card.serial_number),
                (TYPE, unknown),
                (OTHER_TYPE, card.serial_number),
            ]
        ]
        answers = [
            service.client.open(path, method=method, headers=headers, json={"pushToken": "1"})
            for path in paths
        ]
        assert answers[0].status_code == 401
        assert _told(answers[0]) == _told(answers[1]) == _told(answers[2])


def test_tokens_are_compared_in_constant_time() -> None:
    assert "compare_digest" in tokens.matches.__code__.co_names
