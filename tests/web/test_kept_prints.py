"""Prints that are kept: those that were asked for last, within a number and a weight."""

from __future__ import annotations

from itertools import product

from app.posters.sizes import SIZES
from app.web.kept_prints import KeptPrints
from app.web.posters import LANGUAGES


def test_every_print_of_a_code_and_of_its_neighbour_is_kept() -> None:
    kept = KeptPrints()
    every = list(product(("cafe", "table"), SIZES, LANGUAGES, ("pdf", "svg")))
    assert len(every) == 60
    for each in every:
        kept.keep(each, b"x" * 100_000)  # as much as a print may weigh
    assert [each for each in every if kept.get(each) is None] == []


def test_what_nobody_asked_for_longest_makes_room() -> None:
    kept = KeptPrints(most=2)
    kept.keep("a", b"1")
    kept.keep("b", b"2")
    assert kept.get("a") == b"1"
    kept.keep("c", b"3")
    assert [kept.get(each) for each in "abc"] == [b"1", None, b"3"]


def test_all_together_weigh_no_more_than_they_may() -> None:
    kept = KeptPrints(most_bytes=10)
    kept.keep("a", b"x" * 6)
    kept.keep("a", b"y" * 6)
    kept.keep("b", b"z" * 4)
    assert [kept.get(each) for each in "ab"] == [b"y" * 6, b"z" * 4]
    kept.keep("c", b"w" * 5)
    assert [kept.get(each) for each in "abc"] == [None, b"z" * 4, b"w" * 5]
    kept.keep("d", b"v" * 11)
    assert [kept.get(each) for each in "abcd"] == [None] * 4
