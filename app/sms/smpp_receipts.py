"""Delivery receipts over SMPP: which text they speak of, and when all parts of it have come.

A receipt names a *part*, by the identifier that the centre answered to submit_sm; some centres write it in
hexadecimal there and in decimal here. It may come before that answer, twice, days later. What is remembered
here lives as long as the process and makes receipts more certain; none is needed to understand a receipt
for a text of one part.
"""

from __future__ import annotations

import re
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final, Literal

from app.sms import smpp_pdus as pdus
from app.sms.gateway import Receipt, ReceiptState
from app.sms.reasons_smpp import STATE_NUMBERS, STATES

Ids = Literal["same", "hex-decimal", "decimal-hex"]
"""How the centre writes identifiers: in its answers, then in its receipts."""

_RECEIPT: Final = 0x04
_ON_ITS_WAY: Final = 0x20  # intermediate notification
_KIND: Final = 0x3C
_ID = re.compile(r"\bid:\s*(\S+)", re.IGNORECASE)
_STATE = re.compile(r"\bstat:\s*(\w+)", re.IGNORECASE)
_ERROR = re.compile(r"\berr:\s*(\w+)", re.IGNORECASE)
_REMEMBERED: Final = 20_000


@dataclass(frozen=True, slots=True)
class Told:
    """What one receipt says."""

    part: str  # identifier in one form
    state: ReceiptState
    reason: str


@dataclass(slots=True)
class Sent:
    """A text whose parts were, or are just being, handed over."""

    reference: int
    missing: set[str] = field(default_factory=set)  # parts without a receipt that they were delivered
    complete: bool = False  # every part was accepted
    provider_id: str | None = None


def kind_of(message: pdus.Delivered) -> Literal["receipt", "text", "other"]:
    """What a deliver_sm is (5.2.12). A guest may write ``stat:DELIVRD``, but sets neither bits nor TLVs."""
    kind = message.esm_class & _KIND
    if kind in (_RECEIPT, _ON_ITS_WAY) or (kind == 0 and pdus.RECEIPTED_MESSAGE_ID in message.extras):
        return "receipt"
    return "other" if kind else "text"


class Identifiers:
    """Brings the identifiers of answers and receipts into one form."""

    def __init__(self, ids: Ids) -> None:
        bases = {"same": (None, None), "hex-decimal": (16, 10), "decimal-hex": (10, 16)}
        self._answers, self._receipts = bases[ids]

    def of_answer(self, raw: str) -> str:
        """As submit_sm_resp has it."""
        return _number(raw, self._answers)

    def of_receipt(self, raw: str) -> str:
        """As the text of a receipt has it."""
        return _number(raw, self._receipts)

    def other_writing(self, raw: str) -> list[str]:
        """How an identifier that nobody knows would look in the other base."""
        return [_number(raw, 10, "x"), _number(raw, 10, "X"), _number(raw, 16)]


def _number(raw: str, base: int | None, form: str = "d") -> str:
    """``raw`` in decimal (or ``form``); as it is where it is no number of that base."""
    try:
        return raw if base is None else format(int(raw, base), form)
    except ValueError:
        return raw


def read(message: pdus.Delivered, ids: Identifiers) -> Told | None:
    """What a receipt says; None where it names no text or no state that we know.

    Its optional parameters count before its text: 5.3.2.26 and .35 define them, appendix B is "typical" only.
    """
    said = pdus.words(message)[0]
    written = match[1] if (match := _ID.search(said)) else None
    if raw := message.extras.get(pdus.RECEIPTED_MESSAGE_ID):
        named = raw.split(b"\0", 1)[0].decode("latin-1").strip()
        # Mostly written as in the answer. Where it repeats the text's own writing, it is the text's.
        part = ids.of_receipt(named) if named == written else ids.of_answer(named)
    elif written:
        part = ids.of_receipt(written)
    else:
        return None
    state = match[1].upper() if (match := _STATE.search(said)) else ""
    if number := message.extras.get(pdus.MESSAGE_STATE):
        state = STATE_NUMBERS.get(int.from_bytes(number, "big"), state)
    if state not in STATES:
        return None
    return Told(part, STATES[state], _reason(state, said, message))


def _reason(state: str, said: str, message: pdus.Delivered) -> str:
    code = match[1] if (match := _ERROR.search(said)) else ""
    network = message.extras.get(pdus.NETWORK_ERROR_CODE, b"")
    if not code.strip("0") and len(network) == 3:  # 5.3.2.31: kind of network, then its code
        code = str(int.from_bytes(network[1:], "big"))
    return f"{state} {code}" if code.strip("0") else state


class Book:
    """The texts of late, by the identifiers of their parts."""

    def __init__(self, ids: Identifiers, *, remembered: int = _REMEMBERED) -> None:
        self._ids, self._remembered = ids, remembered
        self._parts: OrderedDict[str, Sent] = OrderedDict()

    def note(self, sent: Sent, part: str) -> None:
        """``part`` of ``sent`` was accepted."""
        sent.missing.add(part)
        sent.provider_id = part
        self._parts[part] = sent
        if len(self._parts) > self._remembered:
            self._parts.popitem(last=False)

    def knows(self, part: str) -> bool:
        """Whether a part of that name was accepted of late."""
        return part in self._parts

    def miswritten(self, part: str) -> bool:
        """Whether ``part`` is unknown, and would be known in another base: the login's ``ids`` are wrong."""
        return not self.knows(part) and any(self.knows(other) for other in self._ids.other_writing(part))

    def tell(self, told: Told) -> Receipt | None:
        """What is to be said of the text as a whole; None while other parts of it are missing."""
        sent = self._parts.get(told.part)
        if sent is None:  # of another process or of before: the identifier must do
            return Receipt(state=told.state, reason=told.reason, provider_id=told.part)
        whole = Receipt(
            state=told.state,
            reason=told.reason,
            provider_id=sent.provider_id if sent.complete else None,
            reference=sent.reference,
        )
        if told.state is ReceiptState.DELIVERED:
            sent.missing.discard(told.part)
            return whole if sent.complete and not sent.missing else None
        return whole


class Early:
    """Receipts that may speak of a text whose answer is still on its way: they wait for what was asked
    before."""

    def __init__(self) -> None:
        self._kept: list[tuple[Told, int]] = []

    def keep(self, told: Told, asked: int) -> None:
        """Until every question up to number ``asked`` has its answer."""
        self._kept.append((told, asked))

    def leave(self, *, knows: Callable[[str], bool], answered: Callable[[int], bool]) -> list[Told]:
        """Those whose part is known by now, or for whom nothing is left to wait for."""
        going, staying = [], []
        for told, asked in self._kept:
            if knows(told.part) or answered(asked):
                going.append(told)
            else:
                staying.append((told, asked))
        self._kept = staying
        return going
