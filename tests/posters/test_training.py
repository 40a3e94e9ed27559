"""The sheet for the people at the till: one page, in either language, with a code that scans."""

from __future__ import annotations

from dataclasses import replace

import pypdfium2
import pytest

from app.posters.poster import Poster
from app.posters.training import TrainingSheet, draw, words
from tests.posters.prints import DARK, EN, LIGHT, LONG, URL, codes, fonts, picture, text

ENGLISH = replace(LIGHT, words=(EN,))


def _sheet(poster: Poster, *, proved: bool = True, support: str = "+7 812 000-00-00") -> TrainingSheet:
    return TrainingSheet(poster, "points", numbers_are_proved=proved, support=support)


@pytest.mark.parametrize(
    ("poster", "said"), [(DARK, "«У вас есть наша карта?»"), (ENGLISH, "Do you have our card?")]
)
def test_the_sheet_is_one_page_that_says_what_to_ask_and_scans(poster: Poster, said: str) -> None:
    pdf = draw(_sheet(poster))
    assert len(pypdfium2.PdfDocument(pdf)) == 1
    assert said in text(pdf)
    assert poster.venue in text(pdf)
    assert "+7 812 000-00-00" in text(pdf)
    assert codes(picture(pdf)) == [URL]
    assert all(fonts(pdf).values())
    assert draw(_sheet(poster)) == pdf


def test_the_longest_names_stay_on_the_page() -> None:
    pdf = draw(_sheet(LONG, support="Очень длинный адрес поддержки " * 4))
    assert len(pypdfium2.PdfDocument(pdf)) == 1
    assert codes(picture(pdf)) == [LONG.url]


def test_the_sheet_says_what_holds_for_the_brand() -> None:
    assert any("подтвердит номер" in then for _, then in words(_sheet(DARK))["trouble"])
    without = words(_sheet(DARK, proved=False, support=""))
    assert not any("подтвердит номер" in then for _, then in without["trouble"])
    assert not any("{support}" in then or "Не помогло" in what for what, then in without["trouble"])
    stamps = words(replace(_sheet(DARK), earns="stamps"))
    assert any("Штамп" in each for each in stamps["pay"])
    assert not any("Баллы" in each for each in stamps["pay"])
    assert {len(words(_sheet(each))["trouble"]) for each in (DARK, ENGLISH)} == {6}
