"""How texts are measured, against counts made by hand and by the simulator's own code."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.errors import BadInput
from app.simulators.sms_parts import parts_of
from app.sms.encoding import LONGEST_PARTS, Measured, measure

DEFAULT_ALPHABET = (
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?"
    "¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
EXTENSION = "\f^{}\\[~]|€"


@pytest.mark.parametrize(
    ("text", "measured"),
    [
        ("a", Measured("gsm7", 1, 1)),
        ("a" * 160, Measured("gsm7", 160, 1)),
        ("a" * 161, Measured("gsm7", 161, 2)),
        ("a" * 306, Measured("gsm7", 306, 2)),
        ("a" * 307, Measured("gsm7", 307, 3)),
        ("€" * 80, Measured("gsm7", 160, 1)),
        # 153 is odd: 76 signs of two septets fill a part, and one septet stays empty.
        ("€" * 81, Measured("gsm7", 162, 2)),
        ("€" * 152, Measured("gsm7", 304, 2)),
        ("€" * 153, Measured("gsm7", 306, 3)),
        ("я", Measured("ucs2", 1, 1)),
        ("я" * 70, Measured("ucs2", 70, 1)),
        ("я" * 71, Measured("ucs2", 71, 2)),
        ("я" * 134, Measured("ucs2", 134, 2)),
        ("я" * 135, Measured("ucs2", 135, 3)),
        ("a" * 100 + "—", Measured("ucs2", 101, 2)),
        ("😀" * 35, Measured("ucs2", 70, 1)),
        # 67 is odd: no character is cut, so that a part takes 33 of these.
        ("😀" * 36, Measured("ucs2", 72, 2)),
        ("😀" * 66, Measured("ucs2", 132, 2)),
        ("😀" * 67, Measured("ucs2", 134, 3)),
        ("ё`", Measured("ucs2", 2, 1)),
        ("`", Measured("ucs2", 1, 1)),
        ("ç", Measured("ucs2", 1, 1)),  # only the capital one is in the alphabet
        ("Ç", Measured("gsm7", 1, 1)),
    ],
)
def test_counts_made_by_hand(text: str, measured: Measured) -> None:
    assert measure(text) == measured


def test_the_alphabet_has_its_127_characters_and_ten_more_behind_the_escape() -> None:
    assert len(set(DEFAULT_ALPHABET)) == 127  # the 128th is the escape itself
    assert measure(DEFAULT_ALPHABET) == Measured("gsm7", 127, 1)
    assert measure(EXTENSION) == Measured("gsm7", 20, 1)
    assert measure("\x1b").encoding == "ucs2"


_LETTERS = st.one_of(st.sampled_from(DEFAULT_ALPHABET + EXTENSION), st.characters(exclude_categories=["Cs"]))


@given(st.text(_LETTERS, min_size=1, max_size=400))
def test_two_counts_agree(text: str) -> None:
    assert measure(text).parts == parts_of(text)


@given(st.text(st.sampled_from(DEFAULT_ALPHABET + EXTENSION), min_size=1, max_size=400))
def test_the_least_number_of_parts_that_its_septets_need(text: str) -> None:
    measured = measure(text)
    assert measured.encoding == "gsm7"
    assert measured.units == len(text) + sum(text.count(sign) for sign in EXTENSION)
    assert measured.parts == 1 or (measured.parts - 1) * 152 < measured.units <= measured.parts * 153


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("", "empty-text"),
        ("\ud83d", "half-character"),
        ("Привет \udc00!", "half-character"),
        ("a" * (153 * LONGEST_PARTS + 1), "text-too-long"),
        ("я" * (67 * LONGEST_PARTS + 1), "text-too-long"),
    ],
)
def test_what_cannot_travel_is_refused(text: str, code: str) -> None:
    with pytest.raises(BadInput) as refused:
        measure(text)
    assert (refused.value.code, refused.value.field) == (code, "text")


def test_the_longest_that_travels() -> None:
    assert measure("a" * 153 * LONGEST_PARTS).parts == LONGEST_PARTS
    assert measure("я" * 67 * LONGEST_PARTS).parts == LONGEST_PARTS
