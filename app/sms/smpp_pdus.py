"""PDUs of SMPP 3.4. What we send is packed by aiosmpplib; what comes is read here, as centres really write
it.

Why not its reading as well: it ends the connection at a status of a vendor's own (0x400 and up) and at a
receipt whose date has seconds, and refuses receipts without text or with octets above 127 in an optional
parameter. All are common.
"""

from __future__ import annotations

import asyncio
import struct
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from aiosmpplib import NPI, TON, GSM7BitCodec, PhoneNumber, SubmitSm

from app.sms.encoding import measure
from app.sms.gateway import Outgoing

ANSWER: Final = 0x80000000
GENERIC_NACK: Final = 0x80000000
DELIVER_SM: Final = 0x00000005
UNBIND: Final = 0x00000006
ENQUIRE_LINK: Final = 0x00000015

RECEIPTED_MESSAGE_ID: Final = 0x001E
SAR_REFERENCE, SAR_TOTAL, SAR_NUMBER = 0x020C, 0x020E, 0x020F
NETWORK_ERROR_CODE: Final = 0x0423
MESSAGE_PAYLOAD: Final = 0x0424
MESSAGE_STATE: Final = 0x0427

_HEADER = 16
_LARGEST = 1 << 17
_UDH_PRESENT = 0x40
_UCS2 = 8
_GSM = GSM7BitCodec()
_LONGEST_NUMBER = 15  # E.164; what is longer is no number
_SHORT_CODE = 8


class Garbage(ValueError):
    """What came is no PDU, or a PDU whose fields do not fit into it."""


@dataclass(frozen=True, slots=True)
class Pdu:
    """One PDU as it came."""

    command: int
    status: int
    sequence: int
    body: bytes


@dataclass(frozen=True, slots=True)
class Delivered:
    """A deliver_sm: a receipt or a text of a guest."""

    source: str
    source_ton: int
    esm_class: int
    data_coding: int
    octets: bytes  # short_message or message_payload, header and all
    extras: Mapping[int, bytes]  # optional parameters


class UnfitSender(ValueError):
    """The sender's name cannot be put into a PDU."""


async def read(reader: asyncio.StreamReader) -> Pdu:
    """The next PDU; raises Garbage, asyncio.IncompleteReadError or OSError."""
    length, command, status, sequence = struct.unpack_from("!IIII", await reader.readexactly(_HEADER))
    if not _HEADER <= length <= _LARGEST:
        raise Garbage(f"a PDU of {length} octets")
    return Pdu(command, status, sequence, await reader.readexactly(length - _HEADER))


def message_id(pdu: Pdu) -> str | None:
    """What submit_sm_resp calls the text, where it does."""
    return pdu.body.split(b"\0", 1)[0].decode("latin-1").strip() or None


def delivered(body: bytes) -> Delivered:
    """Read the body of a deliver_sm; raises Garbage."""
    try:
        return _delivered(body)
    except (struct.error, IndexError, ValueError) as fault:
        raise Garbage(str(fault)) from None


def _delivered(body: bytes) -> Delivered:
    at = body.index(b"\0") + 1  # service_type
    source_ton = body[at]
    end = body.index(b"\0", at + 2)
    source = body[at + 2 : end].decode("latin-1")
    at = body.index(b"\0", end + 3) + 1  # destination_addr
    esm_class = body[at]
    at = body.index(b"\0", at + 3) + 1  # schedule_delivery_time
    at = body.index(b"\0", at) + 1  # validity_period
    data_coding, length = body[at + 2], body[at + 4]
    at += 5
    octets = body[at : at + length]
    if len(octets) != length:
        raise Garbage("short_message is shorter than it says")
    extras = _extras(body, at + length)
    return Delivered(
        source, source_ton, esm_class, data_coding, extras.get(MESSAGE_PAYLOAD, b"") or octets, extras
    )


def _extras(body: bytes, at: int) -> dict[int, bytes]:
    found: dict[int, bytes] = {}
    while at + 4 <= len(body):
        tag, length = struct.unpack_from("!HH", body, at)
        found[tag] = body[at + 4 : at + 4 + length]
        at += 4 + length
    return found


def words(message: Delivered) -> tuple[str, tuple[int, int, int] | None]:
    """The text of a deliver_sm; with reference, parts and number where it is one part of several."""
    octets, part = message.octets, None
    if message.esm_class & _UDH_PRESENT and octets:
        header, octets = octets[1 : 1 + octets[0]], octets[1 + octets[0] :]
        part = _part_by_header(header)
    elif {SAR_REFERENCE, SAR_TOTAL, SAR_NUMBER} <= message.extras.keys():
        reference, total, number = (
            int.from_bytes(message.extras[tag], "big") for tag in (SAR_REFERENCE, SAR_TOTAL, SAR_NUMBER)
        )
        part = reference, total, number
    return _decoded(octets, message.data_coding), part


def _part_by_header(header: bytes) -> tuple[int, int, int] | None:
    """3GPP TS 23.040, 9.2.3.24.1 and .8: information elements 0x00 (reference of 8 bits) and 0x08 (of 16)."""
    at = 0
    while at + 2 <= len(header):
        element, data = header[at], header[at + 2 : at + 2 + header[at + 1]]
        if element in (0x00, 0x08) and len(data) == (3 if element == 0 else 4):
            return int.from_bytes(data[:-2], "big"), data[-2], data[-1]
        at += 2 + header[at + 1]
    return None


def _decoded(octets: bytes, coding: int) -> str:
    if coding & 0xF0 in (0x00, 0x10, 0xC0, 0xD0, 0xE0, 0xF0):  # 3GPP TS 23.038, 4; 0x18 is a flash in UCS-2
        ucs2 = (coding & 0x0C == _UCS2 and coding < 0xC0) or coding & 0xF0 == 0xE0
    else:
        ucs2 = False
    if ucs2:
        return octets.decode("utf-16-be", "replace")
    if coding in (3, 4, 2):
        return octets.decode("latin-1")
    if coding == 6:
        return octets.decode("iso8859_5", "replace")
    text: str = _GSM.decode(bytes(octets), "replace")[0]
    return text


def parts(outgoing: Outgoing, *, sender: str | None) -> list[SubmitSm]:
    """The submit_sm of ``outgoing``, one for each part, without sequence numbers.

    Raises BadInput for a text that cannot be measured and UnfitSender.
    """
    source, destination = (
        _source(sender),
        PhoneNumber(outgoing.number.lstrip("+"), TON.INTERNATIONAL, NPI.ISDN),
    )
    measured = measure(outgoing.text)
    gsm = measured.encoding == "gsm7"
    pieces = _pieces(outgoing.text, gsm=gsm, several=measured.parts > 1)
    packed = []
    for number, piece in enumerate(pieces, 1):
        submit = SubmitSm(
            short_message=outgoing.text,  # what goes is set below; the library wants it not empty
            source=source,
            destination=destination,
            esm_class=_UDH_PRESENT if len(pieces) > 1 else 0,
            encoding=None if gsm else "ucs2",
            validity_period=_validity(outgoing.validity),
            registered_delivery=1,
        )
        header = bytes((5, 0, 3, outgoing.reference & 0xFF, len(pieces), number)) if len(pieces) > 1 else b""
        submit.set_encoded_message(header + piece)
        packed.append(submit)
    return packed


def _pieces(text: str, *, gsm: bool, several: bool) -> list[bytes]:
    """The octets of each part, cut as :func:`app.sms.encoding.measure` counts them."""
    if gsm:
        letters = [bytes(_GSM.encode(letter)[0]) for letter in text]
        room = 153 if several else 160
    else:
        letters = [letter.encode("utf-16-be") for letter in text]
        room = 134 if several else 140
    pieces, piece = [], bytearray()
    for letter in letters:
        if len(piece) + len(letter) > room:
            pieces.append(bytes(piece))
            piece = bytearray()
        piece += letter
    return [*pieces, bytes(piece)]


def _source(sender: str | None) -> PhoneNumber:
    """TON and NPI as infobip.com/glossary/ton-npi-settings has them; nobody named: the centre's own name."""
    if not sender:
        return PhoneNumber("", TON.UNKNOWN, NPI.UNKNOWN)
    if sender.lstrip("+").isdecimal() and sender.isascii():
        digits = sender.lstrip("+")
        if len(digits) > _LONGEST_NUMBER:
            raise UnfitSender(f"a sender of {len(digits)} digits is no number")
        if len(digits) <= _SHORT_CODE and not sender.startswith("+"):
            return PhoneNumber(digits, TON.NETWORK_SPECIFIC, NPI.UNKNOWN)
        return PhoneNumber(digits, TON.INTERNATIONAL, NPI.ISDN)
    if len(sender) > 11 or not sender.isascii() or not sender.isprintable():
        raise UnfitSender("a sender's name has at most 11 letters of ASCII")  # 3GPP TS 23.040, 9.1.2.5
    return PhoneNumber(sender, TON.ALPHANUMERIC, NPI.UNKNOWN)


def _validity(validity: timedelta | None) -> timedelta | None:
    """Whole seconds, at least one: the relative form of 7.1.1 knows no fractions."""
    return (
        None
        if validity is None
        else max(timedelta(seconds=1), timedelta(seconds=int(validity.total_seconds())))
    )
