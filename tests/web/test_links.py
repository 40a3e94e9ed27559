"""Signed links: good for what they were made for, and for nothing else."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.db.identifiers import EnrolmentId, VisitId, WalletPassId
from app.web.links import Links, VisitToken

NOW = datetime(2026, 7, 1, 12, tzinfo=UTC)
LINKS = Links(b"a key for these tests alone, 32 bytes", "https://cards.example")
VISIT = VisitToken(VisitId("0" * 31 + "a"), NOW)
DAY = timedelta(hours=24)


def test_a_visit_token_is_good_for_its_link_for_a_day() -> None:
    token = LINKS.visit_token("abc", VISIT.visit_id, NOW)
    assert LINKS.read_visit("abc", token, now=NOW + DAY) == VISIT
    assert LINKS.read_visit("abc", token, now=NOW + DAY + timedelta(seconds=1)) is None
    assert LINKS.read_visit("abd", token, now=NOW) is None


def test_a_form_token_names_its_rendering_and_is_no_visit_token() -> None:
    token = LINKS.form_token("abc", VISIT, "mark")
    found = LINKS.read_form("abc", token, now=NOW)
    assert found is not None
    assert (found.visit, found.mark) == (VISIT, "mark")
    assert LINKS.read_visit("abc", token, now=NOW) is None
    assert LINKS.read_form("abc", LINKS.visit_token("abc", VISIT.visit_id, NOW), now=NOW) is None
    assert LINKS.read_form("abc", token, now=NOW + DAY + timedelta(seconds=1)) is None
    assert LINKS.read_form("abd", token, now=NOW) is None


def test_a_friends_form_has_one_visit_of_its_own() -> None:
    forms = [
        LINKS.read_form("abc", LINKS.form_token("abc", VISIT, mark), now=NOW)
        for mark in ("one", "one", "two")
    ]
    first, again, other = (LINKS.friends_visit(form) for form in forms if form)
    assert first == again != other
    assert len(first) == 32
    assert first != VISIT.visit_id


def test_a_card_token_lives_on_and_a_download_expires() -> None:
    card = LINKS.card_token(EnrolmentId(1234), 2)
    named = LINKS.read_card(card)
    assert named is not None
    assert (named.enrolment_id, named.card_link_version) == (1234, 2)
    download = LINKS.download_token(EnrolmentId(1234), 2, now=NOW)
    assert LINKS.read_download(download, now=NOW + DAY) == named
    assert LINKS.read_download(download, now=NOW + DAY + timedelta(seconds=1)) is None
    assert LINKS.read_card(download) is None
    assert LINKS.read_download(card, now=NOW) is None
    assert LINKS.card_url("abc", EnrolmentId(1234), 2) == f"https://cards.example/i/abc/card/{card}"


def test_another_key_signs_other_tokens() -> None:
    other = Links(b"another key for these tests, 32 bytes", "https://cards.example")
    assert other.read_card(LINKS.card_token(EnrolmentId(1), 1)) is None


@given(st.text(max_size=90))
def test_what_was_not_signed_is_not_ours(text: str) -> None:
    assert LINKS.read_card(text) is None
    assert LINKS.read_visit("abc", text, now=NOW) is None
    assert LINKS.read_form("abc", text, now=NOW) is None
    assert LINKS.read_download(text, now=NOW) is None


@pytest.mark.parametrize("position", [0, 2, 4, -1])
def test_a_changed_character_breaks_a_token(position: int) -> None:
    token = LINKS.card_token(EnrolmentId(1234), 1)
    place = position % len(token)
    changed = token[:place] + ("7" if token[place] != "7" else "8") + token[place + 1 :]
    assert LINKS.read_card(changed) is None


def test_a_test_cards_address_ends_after_a_day_and_is_no_other_tokens() -> None:
    address = LINKS.test_card_url(WalletPassId(77), now=NOW)
    token = address.rpartition("/")[2]
    assert LINKS.read_test_card(token, now=NOW + DAY) == WalletPassId(77)
    assert LINKS.read_test_card(token, now=NOW + DAY + timedelta(seconds=1)) is None
    assert LINKS.read_test_card(token.replace("4d", "4e", 1), now=NOW) is None
    assert LINKS.read_download(token, now=NOW) is None
    assert LINKS.read_test_card(LINKS.stop_path(WalletPassId(77), 1).rpartition("/")[2], now=NOW) is None
