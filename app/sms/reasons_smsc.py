"""SMSC.ru's codes and what each means to us.

Sources, read in stored copies of the vendor's pages in November 2026 (``smscentre.com`` is its English face):

- answers to sending: ``smsc.ru/api/http/send/sms/sms_answer/``
- answers to asking: ``smsc.ru/api/http/status_messages/status_answer/``
- states: ``smscentre.com/api/http/status_messages/statuses/``
- causes: ``smscentre.com/api/smpp/errors``

Of states 20 to 25 only the numbers could be confirmed there; their words are from public clients.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from app.sms.gateway import ReceiptState, Verdict
from app.sms.meanings import AnswerMeaning, StateMeaning

ANSWERS: Final[Mapping[int, AnswerMeaning]] = {
    1: AnswerMeaning(Verdict.REFUSED, "a parameter is wrong"),
    2: AnswerMeaning(Verdict.STOPPED, "login or password is wrong, or this address may not send"),
    3: AnswerMeaning(Verdict.STOPPED, "no money left"),
    4: AnswerMeaning(Verdict.STOPPED, "our address is blocked for a while, for too many faulty requests"),
    5: AnswerMeaning(Verdict.REFUSED, "a date is wrong"),
    6: AnswerMeaning(Verdict.REFUSED, "this text or this sender is forbidden"),
    7: AnswerMeaning(Verdict.REFUSED, "the number is wrong"),
    8: AnswerMeaning(Verdict.REFUSED, "cannot be delivered to this number"),
    9: AnswerMeaning(None, "an equal request within a minute"),
}
TOO_MANY_AT_ONCE: Final = "concurrent"
"""In the words of error 9 where its cause is not an equal request: then nothing was taken (Verdict.RETRY)."""

STATES: Final[Mapping[int, StateMeaning]] = {
    -3: StateMeaning(ReceiptState.UNKNOWN_TEXT, "no such text for this number"),
    -2: StateMeaning(ReceiptState.WAITING, "stopped with its mailing"),
    -1: StateMeaning(ReceiptState.WAITING, "waits to be sent"),
    0: StateMeaning(ReceiptState.WAITING, "handed to the operator"),
    1: StateMeaning(ReceiptState.DELIVERED, "delivered"),
    2: StateMeaning(ReceiptState.DELIVERED, "read"),
    3: StateMeaning(ReceiptState.UNDELIVERED, "too old before it could be delivered"),
    4: StateMeaning(ReceiptState.DELIVERED, "its short link was followed"),
    20: StateMeaning(ReceiptState.UNDELIVERED, "cannot be delivered"),
    22: StateMeaning(ReceiptState.UNDELIVERED, "the number is wrong"),
    23: StateMeaning(ReceiptState.UNDELIVERED, "forbidden"),
    24: StateMeaning(ReceiptState.UNDELIVERED, "not enough money"),
    25: StateMeaning(ReceiptState.UNDELIVERED, "the number is not served"),
}

CAUSES: Final[Mapping[int, str]] = {
    1: "no such subscriber",
    6: "the phone is off or out of reach",
    11: "the subscriber cannot take texts",
    12: "a fault of phone or SIM card",
    13: "the subscriber is blocked",
    21: "the phone does not support it",
    200: "sent in test mode only",
    219: "the SIM card was replaced lately",
    220: "the operator's queue for the subscriber is full",
}
"""Why a text was not delivered (``err``), where the vendor's page says; others are kept as their number."""
