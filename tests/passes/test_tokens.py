"""Authentication tokens: long enough for iOS, and each opens one pass only."""

from __future__ import annotations

import re

from hypothesis import given
from hypothesis import strategies as st

from app.db.identifiers import PassTypeIdentifier, SerialNumber
from app.passes.tokens import authentication_token, matches

KEY = b"k" * 32
TYPE = PassTypeIdentifier("pass.example.cafe")


def _token(pass_type: str, serial: str, version: int = 1, key: bytes = KEY) -> str:
    return authentication_token(key, PassTypeIdentifier(pass_type), SerialNumber(serial), version)


def test_a_token_is_long_enough_and_safe_in_a_header() -> None:
    assert re.fullmatch(r"[A-Za-z0-9_-]{43}", _token(TYPE, "S1"))


def test_a_token_stays_the_same_for_ever() -> None:
    assert _token("pass.a", "serial") == "Awz1f-reSmWv8uEaW_xQgKCgywdlYUo7TrKLf6ltR8I"


def test_a_token_opens_only_its_own_pass() -> None:
    token = _token(TYPE, "S1")
    assert matches(token, KEY, TYPE, SerialNumber("S1"), 1)
    assert not matches(token, KEY, TYPE, SerialNumber("S2"), 1)
    assert not matches(token, KEY, PassTypeIdentifier("pass.other"), SerialNumber("S1"), 1)
    assert not matches(token, KEY, TYPE, SerialNumber("S1"), 2)
    assert not matches(token, b"another key", TYPE, SerialNumber("S1"), 1)


def test_parts_that_join_alike_do_not_share_a_token() -> None:
    assert _token("pass.a", "b1") != _token("pass.ab", "1")
    assert _token("pass.a", "b1", 1) != _token("pass.a", "b", 11)


@given(st.text())
def test_no_garbage_matches_or_raises(garbage: str) -> None:
    assert not matches(garbage, KEY, TYPE, SerialNumber("S1"), 1)


def test_a_lone_surrogate_does_not_match() -> None:
    assert not matches("\ud800", KEY, TYPE, SerialNumber("S1"), 1)
