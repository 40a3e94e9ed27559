"""Twilio's codes and what each means to us.

Sources, read in stored copies of the vendor's pages in November 2026: each code's own page,
``twilio.com/docs/api/errors/CODE``; states: ``twilio.com/docs/messaging/api/message-resource`` and
``twilio.com/docs/messaging/guides/outbound-message-status-in-status-callbacks``. The pages of 21408, 21602,
21603, 21610, 21614 and 21617 were not among the copies: their words are from public clients of the service.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from app.sms.gateway import ReceiptState, Verdict
from app.sms.meanings import AnswerMeaning, StateMeaning

ANSWERS: Final[Mapping[int, AnswerMeaning]] = {
    10001: AnswerMeaning(Verdict.STOPPED, "the account is not active"),
    20003: AnswerMeaning(Verdict.STOPPED, "account or token is wrong"),
    20403: AnswerMeaning(Verdict.STOPPED, "the account is suspended or closed"),
    20404: AnswerMeaning(Verdict.STOPPED, "no such account or address"),
    20429: AnswerMeaning(Verdict.RETRY, "too many requests at once; never processed"),
    21211: AnswerMeaning(Verdict.REFUSED, "the number is wrong"),
    21214: AnswerMeaning(Verdict.REFUSED, "the number cannot be reached"),
    21217: AnswerMeaning(Verdict.REFUSED, "the number does not seem valid"),
    21401: AnswerMeaning(Verdict.STOPPED, "the sender is not one that may send"),
    21408: AnswerMeaning(Verdict.REFUSED, "the account may not send to this country"),
    21601: AnswerMeaning(Verdict.STOPPED, "the sender is not one of the account"),
    21602: AnswerMeaning(Verdict.REFUSED, "the text is missing"),
    21603: AnswerMeaning(Verdict.STOPPED, "the sender is missing"),
    21606: AnswerMeaning(Verdict.STOPPED, "the sender is not one of the account, or cannot send"),
    21608: AnswerMeaning(Verdict.REFUSED, "a trial account may not send to this number"),
    21610: AnswerMeaning(Verdict.REFUSED, "the guest told the gateway to stop", opted_out=True),
    21611: AnswerMeaning(Verdict.RETRY, "the sender's queue is full"),
    21612: AnswerMeaning(Verdict.REFUSED, "this sender cannot reach this number"),
    21614: AnswerMeaning(Verdict.REFUSED, "the number is not a mobile one"),
    21617: AnswerMeaning(Verdict.REFUSED, "the text is too long"),
    21635: AnswerMeaning(Verdict.REFUSED, "the number is a landline"),
    21659: AnswerMeaning(Verdict.STOPPED, "the sender is not one of the account"),
    21661: AnswerMeaning(Verdict.STOPPED, "the sender cannot send texts"),
    60728: AnswerMeaning(Verdict.RETRY, "the account's hourly limit is reached"),
    63017: AnswerMeaning(Verdict.RETRY, "faster than the account may send"),
    63038: AnswerMeaning(Verdict.STOPPED, "the account's daily limit is reached"),
    70051: AnswerMeaning(Verdict.STOPPED, "the key may not send"),
    90010: AnswerMeaning(Verdict.STOPPED, "the account is not active"),
}

STATES: Final[Mapping[str, StateMeaning]] = {
    "accepted": StateMeaning(ReceiptState.WAITING, "taken, no sender chosen yet"),
    "scheduled": StateMeaning(ReceiptState.WAITING, "waits for its time"),
    "queued": StateMeaning(ReceiptState.WAITING, "waits for its sender"),
    "sending": StateMeaning(ReceiptState.WAITING, "on its way to the operator"),
    "sent": StateMeaning(ReceiptState.WAITING, "handed to the operator"),
    "delivered": StateMeaning(ReceiptState.DELIVERED, "delivered"),
    "read": StateMeaning(ReceiptState.DELIVERED, "read"),
    "partially_delivered": StateMeaning(ReceiptState.WAITING, "some parts are delivered"),
    "undelivered": StateMeaning(ReceiptState.UNDELIVERED, "not delivered"),
    "failed": StateMeaning(ReceiptState.UNDELIVERED, "could not be sent"),
    "canceled": StateMeaning(ReceiptState.UNDELIVERED, "called back before it was sent"),
}

CAUSES: Final[Mapping[int, str]] = {
    30001: "the queue overflowed",
    30002: "the account was suspended",
    30003: "the phone is off or out of reach",
    30006: "a landline, or a carrier that cannot be reached",
    30500: "a fault of the gateway",
}
"""Why a text was not delivered (``ErrorCode``), where the vendor's page was read; others stay numbers."""
