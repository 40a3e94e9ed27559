"""What a gateway's code means to us: one verdict, and the vendor's sense of it."""

from __future__ import annotations

from dataclasses import dataclass

from app.sms.gateway import ReceiptState, Verdict


@dataclass(frozen=True, slots=True)
class AnswerMeaning:
    """An answer to sending."""

    verdict: Verdict | None  # None: an equal text may have been taken before: ask, then decide
    words: str
    opted_out: bool = False  # the number's holder told the gateway that they want no more


@dataclass(frozen=True, slots=True)
class StateMeaning:
    """How far a text came."""

    state: ReceiptState
    words: str
