"""What a member is found by: the words of the name and the number read from its end, folded. Pure.

Databases fold letters each in their own way (SQLite knows only ASCII), so it is done here, once, for what is
kept and for what is looked for: case, width, ё for е and accents over Latin letters make no difference.
"""

from __future__ import annotations

import unicodedata

LONGEST_KEY = 60
_FEWEST_DIGITS = 4


def words(text: str) -> tuple[str, ...]:
    """The folded words of a name, each once, in their order: "Анна-Мария Ёлкина" is анна, мария, елкина."""
    folded = _folded(text)
    spaced = "".join(ch if ch.isalnum() else " " for ch in folded)
    return tuple(dict.fromkeys(word[:LONGEST_KEY] for word in spaced.split()))


def keys(name: str | None, phone: str | None) -> frozenset[str]:
    """Everything that a member of this name and number (E.164) is found by."""
    found = set(words(name or ""))
    if phone and (digits := _digits(phone)):
        found.add(reversed_digits(digits))
    return frozenset(found)


def reversed_digits(digits: str) -> str:
    """A number from its end: who knows the last four digits knows how it begins. "#" keeps it apart."""
    return "#" + digits[::-1]


def looks_like_phone(text: str) -> bool:
    """Whether somebody types a number or the end of one: at least four digits and nothing but its signs."""
    rest = "".join(text.split()).lstrip("+")
    return len(_digits(rest)) >= _FEWEST_DIGITS and all(ch.isdecimal() or ch in "-()./‐‑–" for ch in rest)


def phone_ends(text: str, *, e164: str | None) -> tuple[str, ...]:
    """The ends of numbers that ``text`` may mean; ``e164`` is what it is as a whole number, if it is one.

    A trunk prefix ("8 903 …", "0171 …") is no part of the number as the world knows it.
    """
    digits = _digits(text)
    ends = [_digits(e164)] if e164 else []
    ends.append(digits)
    if len(digits) >= 10 and digits[0] in "08":
        ends.append(digits.lstrip("0") if digits[0] == "0" else digits[1:])
    return tuple(dict.fromkeys(end for end in ends if len(end) >= _FEWEST_DIGITS))


def _digits(text: str) -> str:
    return "".join(str(unicodedata.decimal(ch)) for ch in text if ch.isdecimal())


def _folded(text: str) -> str:
    """Case, width, accents and ё folded away; й stays a letter of its own."""
    composed = unicodedata.normalize("NFKC", text).casefold().replace("ё", "е")
    return "".join(
        ch
        if "а" <= ch <= "я"
        else "".join(part for part in unicodedata.normalize("NFD", ch) if not unicodedata.combining(part))
        for ch in composed
    )
