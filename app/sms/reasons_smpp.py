"""What a centre's answers over SMPP mean: ``command_status`` of an answer, state of a delivery receipt.

Sources:

- the codes and their names: SMPP 3.4 issue 1.2, 5.1.3 (command_status), 5.2.28 (message_state), appendix B
  (the words of a receipt's text);
- which of them are worth another try: the "Retryable?" column of
  https://developer-aggregation.vibes.com/reference/response-codes (0x08 and 0x58 yes; 0x01, 0x0A, 0x0B,
  0x0D to 0x0F no) and http://blog.nowsms.com/2009/09/smpp-error-code-reference.html (0x08 is the server's
  own trouble; 0x14: no more at present, of this account or for this number). The specification itself says
  it of 0x58 and 0x64 alone;
- which receipts are final: Kannel counts EXPIRED, DELETED, UNDELIVERABLE, REJECTED and UNKNOWN as failed,
  SCHEDULED, ENROUTE and ACCEPTED as on their way. 8x8 and GatewayAPI send the words of appendix B and
  ENROUTE (https://developer.8x8.com/connect/docs/smpp-delivery-receipts); "the order is not guaranteed: you
  may get an ENROUTE before a DELIVRD" (GatewayAPI, docs/smpp.rst).

Not confirmed by any page: what codes beyond the specification mean (0x400 to 0x4FF belong to each vendor).
They are refusals: a text that nobody took is not worth the risk of a loop.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Final

from app.sms.gateway import ReceiptState, Verdict

OK: Final = 0

SUBMITTING: Final[Mapping[int, tuple[str, Verdict]]] = {
    0x00: ("ESME_ROK", Verdict.ACCEPTED),
    0x01: ("ESME_RINVMSGLEN", Verdict.REFUSED),
    0x02: ("ESME_RINVCMDLEN", Verdict.REFUSED),
    0x03: ("ESME_RINVCMDID", Verdict.REFUSED),
    0x04: ("ESME_RINVBNDSTS", Verdict.RETRY),  # the bind is gone, or is one that only receives
    0x05: ("ESME_RALYBND", Verdict.RETRY),
    0x06: ("ESME_RINVPRTFLG", Verdict.REFUSED),
    0x07: ("ESME_RINVREGDLVFLG", Verdict.REFUSED),
    0x08: ("ESME_RSYSERR", Verdict.RETRY),
    0x0A: ("ESME_RINVSRCADR", Verdict.REFUSED),
    0x0B: ("ESME_RINVDSTADR", Verdict.REFUSED),
    0x0C: ("ESME_RINVMSGID", Verdict.REFUSED),
    0x0D: ("ESME_RBINDFAIL", Verdict.STOPPED),
    0x0E: ("ESME_RINVPASWD", Verdict.STOPPED),
    0x0F: ("ESME_RINVSYSID", Verdict.STOPPED),
    0x11: ("ESME_RCANCELFAIL", Verdict.REFUSED),
    0x13: ("ESME_RREPLACEFAIL", Verdict.REFUSED),
    0x14: ("ESME_RMSGQFUL", Verdict.RETRY),
    0x15: ("ESME_RINVSERTYP", Verdict.REFUSED),
    0x33: ("ESME_RINVNUMDESTS", Verdict.REFUSED),
    0x34: ("ESME_RINVDLNAME", Verdict.REFUSED),
    0x40: ("ESME_RINVDESTFLAG", Verdict.REFUSED),
    0x42: ("ESME_RINVSUBREP", Verdict.REFUSED),
    0x43: ("ESME_RINVESMCLASS", Verdict.REFUSED),
    0x44: ("ESME_RCNTSUBDL", Verdict.REFUSED),
    0x45: ("ESME_RSUBMITFAIL", Verdict.REFUSED),
    0x48: ("ESME_RINVSRCTON", Verdict.REFUSED),
    0x49: ("ESME_RINVSRCNPI", Verdict.REFUSED),
    0x50: ("ESME_RINVDSTTON", Verdict.REFUSED),
    0x51: ("ESME_RINVDSTNPI", Verdict.REFUSED),
    0x53: ("ESME_RINVSYSTYP", Verdict.STOPPED),
    0x54: ("ESME_RINVREPFLAG", Verdict.REFUSED),
    0x55: ("ESME_RINVNUMMSGS", Verdict.REFUSED),
    0x58: ("ESME_RTHROTTLED", Verdict.RETRY),
    0x61: ("ESME_RINVSCHED", Verdict.REFUSED),
    0x62: ("ESME_RINVEXPIRY", Verdict.REFUSED),
    0x63: ("ESME_RINVDFTMSGID", Verdict.REFUSED),
    0x64: ("ESME_RX_T_APPN", Verdict.RETRY),
    0x65: ("ESME_RX_P_APPN", Verdict.REFUSED),
    0x66: ("ESME_RX_R_APPN", Verdict.REFUSED),
    0x67: ("ESME_RQUERYFAIL", Verdict.REFUSED),
    0xC0: ("ESME_RINVOPTPARSTREAM", Verdict.REFUSED),
    0xC1: ("ESME_ROPTPARNOTALLWD", Verdict.REFUSED),
    0xC2: ("ESME_RINVPARLEN", Verdict.REFUSED),
    0xC3: ("ESME_RMISSINGOPTPARAM", Verdict.REFUSED),
    0xC4: ("ESME_RINVOPTPARAMVAL", Verdict.REFUSED),
    0xFE: ("ESME_RDELIVERYFAILURE", Verdict.REFUSED),
    0xFF: ("ESME_RUNKNOWNERR", Verdict.REFUSED),
}

RETRY_AFTER: Final[Mapping[int, timedelta]] = {
    0x58: timedelta(seconds=1),  # the rate is counted by the second
    0x14: timedelta(seconds=15),  # a queue must drain
}

BINDING_MAY_PASS: Final = frozenset({0x04, 0x05, 0x08, 0x14, 0x58, 0x64})
"""A bind refused so may be taken later; every other refusal wants the operator."""

STATES: Final[Mapping[str, ReceiptState]] = {
    "SCHEDLD": ReceiptState.WAITING,
    "ENROUTE": ReceiptState.WAITING,
    "ACCEPTD": ReceiptState.WAITING,  # "read by customer service", says appendix B; they mean: taken
    "BUFFERD": ReceiptState.WAITING,
    "DELIVRD": ReceiptState.DELIVERED,
    "EXPIRED": ReceiptState.UNDELIVERED,
    "DELETED": ReceiptState.UNDELIVERED,
    "UNDELIV": ReceiptState.UNDELIVERED,
    "REJECTD": ReceiptState.UNDELIVERED,
    "UNKNOWN": ReceiptState.UNDELIVERED,  # of a text in an invalid state nothing more comes
    "FAILED": ReceiptState.UNDELIVERED,
    "SKIPPED": ReceiptState.UNDELIVERED,
}

STATE_NUMBERS: Final[Mapping[int, str]] = {
    0: "SCHEDLD",
    1: "ENROUTE",
    2: "DELIVRD",
    3: "EXPIRED",
    4: "DELETED",
    5: "UNDELIV",
    6: "ACCEPTD",
    7: "UNKNOWN",
    8: "REJECTD",
    9: "SKIPPED",
}
"""message_state (0x0427) in the words of a receipt's text; 0 and 9 came with SMPP 5.0."""


def of_submitting(status: int) -> tuple[str, Verdict]:
    """Name and verdict of an answer to submit_sm; a code that no page explains is a refusal."""
    return SUBMITTING.get(status, (f"0x{status:08X}", Verdict.REFUSED))
