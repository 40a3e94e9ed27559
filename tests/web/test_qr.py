"""Codes as pictures."""

from __future__ import annotations

from app.web import qr


def test_a_code_that_was_drawn_is_not_drawn_again() -> None:
    url = "https://cards.example/i/bcdf2345"
    assert qr.png(url, scale=40) is qr.png(url, scale=40)
    assert qr.svg(url, scale=40) is qr.svg(url, scale=40)
    assert qr.png(url, scale=39) != qr.png(url, scale=40)
