"""Receipts and guests' texts as this centre writes them into deliver_sm (SMPP 3.4, appendix B and 5.3.2)."""

from __future__ import annotations

from datetime import UTC, datetime

from app.simulators import smpp_wire as wire
from app.simulators.smpp_faults import Faults
from app.simulators.smpp_log import Part

_STATES = {
    "ENROUTE": 1,
    "DELIVRD": 2,
    "EXPIRED": 3,
    "DELETED": 4,
    "UNDELIV": 5,
    "ACCEPTD": 6,
    "UNKNOWN": 7,
    "REJECTD": 8,
}
_RECEIPT, _INTERMEDIATE, _UDH_PRESENT = 0x04, 0x20, 0x40


def identifier(value: int, style: str) -> str:
    """A number as an identifier: ``decimal``, ``hex`` or ``words``."""
    match style:
        case "hex":
            return f"{value:x}"
        case "words":
            return f"a7f3-{value:08x}-Z"
        case _:
            return str(value)


def receipt(part: Part, state: str, faults: Faults, now: float) -> bytes:
    """The body of a deliver_sm that says how far ``part`` came. ``now``: UNIX seconds."""
    said = part.submitted
    written = part.message_id if faults.receipt_ids == "same" else identifier(part.value, faults.receipt_ids)
    form = "%y%m%d%H%M%S" if faults.receipt_dates == "seconds" else "%y%m%d%H%M"
    submit, done = (datetime.fromtimestamp(at, UTC).strftime(form) for at in (part.at, now))
    text = (
        f"id:{written} sub:001 dlvrd:{'001' if state == 'DELIVRD' else '000'} submit date:{submit} "
        f"done date:{done} stat:{state} err:{faults.receipt_code} text:"
    ).encode("ascii")
    options = b""
    if faults.receipts != "text":
        # As in the answer: 5.3.2.12 calls it the identifier of the message receipted.
        options += wire.option(wire.RECEIPTED_MESSAGE_ID, part.message_id.encode("ascii") + b"\0")
        options += wire.option(wire.MESSAGE_STATE, bytes((_STATES.get(state, 7),)))
        if state not in ("DELIVRD", "ENROUTE"):
            options += wire.option(wire.NETWORK_ERROR_CODE, b"\x03\x00\xc8")
    return wire.delivery(
        source=said.number,
        destination=said.sender.removeprefix("+"),
        esm_class=_INTERMEDIATE if state == "ENROUTE" else _RECEIPT,
        coding=0,
        octets=b"" if faults.receipts == "options" else text,
        options=options,
    )


def said_by(number: str, to: str, text: str, reference: int) -> list[bytes]:
    """The bodies of the deliver_sm by which a subscriber's text comes, in as many parts as it takes."""
    octets = text.encode("utf-16-be")
    if len(octets) <= 140:
        return [wire.delivery(source=number, destination=to, esm_class=0, coding=8, octets=octets)]
    pieces = [octets[at : at + 134] for at in range(0, len(octets), 134)]
    return [
        wire.delivery(
            source=number,
            destination=to,
            esm_class=_UDH_PRESENT,
            coding=8,
            octets=bytes((5, 0, 3, reference & 0xFF, len(pieces), place)) + piece,
        )
        for place, piece in enumerate(pieces, 1)
    ]
