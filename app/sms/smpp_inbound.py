"""Texts of guests over SMPP: the number as E.164 where the centre says enough, several parts as one text."""

from __future__ import annotations

from collections import OrderedDict
from typing import Final

from app.sms import smpp_pdus as pdus
from app.sms.gateway import Inbound

_INTERNATIONAL, _UNKNOWN = 1, 0  # type of number, SMPP 3.4 5.2.5
_SHORTEST, _LONGEST = 10, 15  # digits of what is taken for an international number though nobody says so
_UNFINISHED: Final = 500


class Inbox:
    """Joins the parts of long texts; one process hears all parts of a text, as they come over one bind."""

    def __init__(self) -> None:
        self._unfinished: OrderedDict[tuple[str, int, int], dict[int, str]] = OrderedDict()

    def take(self, message: pdus.Delivered) -> Inbound | None:
        """The text that is complete now; None while parts of it are missing.

        Of more than 500 unfinished texts the oldest is forgotten: a part alone must not be taken for the
        text, whose end may by chance be a word that withdraws consent.
        """
        text, part = pdus.words(message)
        number = _number(message)
        if part is None or part[1] <= 1:
            return Inbound(number=number, text=text)
        reference, total, place = part
        key = number, reference, total
        parts = self._unfinished.setdefault(key, {})
        parts[place] = text
        if len(parts) == total:
            del self._unfinished[key]
            return Inbound(number=number, text="".join(parts[place] for place in sorted(parts)))
        if len(self._unfinished) > _UNFINISHED:
            self._unfinished.popitem(last=False)
        return None


def _number(message: pdus.Delivered) -> str:
    digits = message.source.removeprefix("+")
    if not (digits.isascii() and digits.isdecimal()):
        return message.source
    international = message.source_ton == _INTERNATIONAL or message.source.startswith("+")
    likely = (
        message.source_ton == _UNKNOWN and _SHORTEST <= len(digits) <= _LONGEST and not digits.startswith("0")
    )
    return f"+{digits}" if international or likely else digits
