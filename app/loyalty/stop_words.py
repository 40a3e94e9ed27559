"""Whether a text that a guest sent asks for no more of them. Pure.

A text is a stop word or it is not: "stop" is one, "please do not stop" is a letter for a person to read.

English: the words that operators in the United States must honour (47 CFR 64.1200(a)(10), from the Federal
Register of 5 March 2024: stop, quit, end, revoke, opt out, cancel, unsubscribe) and those that gateways take
for the same beside them (Twilio, "Customize users' opt-in and opt-out experience": STOPALL, OPTOUT; AWS End
User Messaging, "Required opt-out keywords": REMOVE, OPT-OUT). Russian: no rule prescribes words; these are
the ones that operators' and senders' texts tell guests to answer with, as a keyboard without Cyrillic letters
spells them too.
"""

from __future__ import annotations

import unicodedata

_ENGLISH = (
    *("stop", "stopall", "stopsms", "unsubscribe", "cancel", "end", "quit", "revoke", "optout", "remove"),
    *("no",),
)
_RUSSIAN = (
    *("стоп", "стопсмс", "отписка", "отписаться", "отписать", "отпиши", "отпишите", "отпишитесь", "отмена"),
    *("отменить", "отказ", "отказаться", "отказываюсь", "нет", "хватит", "довольно", "прекратить"),
    *("прекратите", "ненадо", "неприсылать", "неприсылайте"),
    *("otpiska", "otpisatsya", "otkaz", "otmena", "net"),
)
_ALIKE = str.maketrans("авекмнорстухё", "abekmhopctyxe")
"""Letters of two alphabets that look the same on a keyboard that was switched halfway through the word."""
_LONGEST = 40


def asks_to_stop(text: str) -> bool:
    """Whether ``text`` is one of the stop words, in any case, with spaces and punctuation wherever they are.

    "STOP ALL", "opt-out", "Стоп!" and "не надо" are; a longer sentence is not.
    """
    if len(text) > _LONGEST:
        return False
    folded = unicodedata.normalize("NFKC", text).casefold()
    letters = "".join(character for character in folded if character.isalpha())
    return _drawn(letters) in _WORDS and not any(character.isdigit() for character in folded)


def _drawn(word: str) -> str:
    return word.translate(_ALIKE)


_WORDS = frozenset(_drawn(word) for word in (*_ENGLISH, *_RUSSIAN))
