"""What a guest's text must be to end advertising, and what must not end it."""

from __future__ import annotations

import pytest

from app.loyalty.stop_words import asks_to_stop


@pytest.mark.parametrize(
    "text",
    ["STOP", "stop", " Stop. ", "STOPALL", "Stop all!", "UNSUBSCRIBE", "cancel", "END", "Quit", "opt-out",
     "OPT OUT", "revoke", "СТОП", "стоп!!!", "Отписка", "ОТПИСАТЬСЯ", "нет", "Нет.", "не надо",
     "«Стоп»", "\uff33\uff34\uff2f\uff30",
     "Не присылайте", "отмена", "otpiska", "\u200bSTOP", "STOP\n", "end…", "cтоп", "STОP", "стоп смс",
     "отпишитесь", "No"],
)  # fmt: skip
def test_a_stop_word_is_one_however_it_is_typed(text: str) -> None:
    assert asks_to_stop(text)


@pytest.mark.parametrize(
    "text",
    ["", " ", "!", "да", "yes", "please stop sending me the newspaper", "stop at the corner of Main street",
     "Нет, спасибо, приду завтра", "Не останавливайтесь", "nonstop", "stop 5", "123456", "start", "СТОПЛИСТ",
     "stop" * 20, "👍", "но", "стоит", "now"],
)  # fmt: skip
def test_anything_else_is_a_letter_for_a_person(text: str) -> None:
    assert not asks_to_stop(text)
