"""PDUs of SMPP 3.4 as a strict centre reads them (specification issue 1.2); written by hand, for a second
opinion."""

from __future__ import annotations

import asyncio
import re
import struct
from dataclasses import dataclass
from typing import Final

ANSWER: Final = 0x80000000
BIND_RECEIVER, BIND_TRANSMITTER, BIND_TRANSCEIVER = 0x01, 0x02, 0x09
SUBMIT_SM, DELIVER_SM, UNBIND, ENQUIRE_LINK = 0x04, 0x05, 0x06, 0x15
GENERIC_NACK: Final = 0x80000000

OK: Final = 0x00
BAD_LENGTH, BAD_COMMAND, WRONG_BIND, ALREADY_BOUND = 0x01, 0x03, 0x04, 0x05
BAD_SOURCE, BAD_DESTINATION = 0x0A, 0x0B
BAD_PASSWORD, BAD_SYSTEM_ID, QUEUE_FULL = 0x0E, 0x0F, 0x14
BAD_ESM_CLASS, FAILED, THROTTLED, BAD_EXPIRY = 0x43, 0x45, 0x58, 0x62
BAD_TYPE_OF_NUMBER, BAD_OPTIONS = 0x48, 0xC0

RECEIPTED_MESSAGE_ID, NETWORK_ERROR_CODE, MESSAGE_PAYLOAD, MESSAGE_STATE = 0x001E, 0x0423, 0x0424, 0x0427

_ALPHABET: Final = (
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞ\x1bÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?"
    "¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
"""3GPP TS 23.038, 6.2.1, in order of code."""
_EXTENSION: Final = {
    0x0A: "\f",
    0x14: "^",
    0x28: "{",
    0x29: "}",
    0x2F: "\\",
    0x3C: "[",
    0x3D: "~",
    0x3E: "]",
    0x40: "|",
    0x65: "€",
}
_PERIOD: Final = re.compile(r"(\d{12})\d(\d\d)([-+R])")
_UDH_PRESENT: Final = 0x40
_SEPTETS, _OCTETS = 160, 140


class Faulty(Exception):
    """A request that the specification forbids; ``status`` is what it is answered."""

    def __init__(self, status: int) -> None:
        super().__init__(f"0x{status:08X}")
        self.status = status


@dataclass(frozen=True, slots=True)
class Pdu:
    """One PDU."""

    command: int
    status: int
    sequence: int
    body: bytes = b""

    def packed(self) -> bytes:
        """As it goes over the wire."""
        head = struct.pack("!IIII", 16 + len(self.body), self.command, self.status, self.sequence)
        return head + self.body


@dataclass(frozen=True, slots=True)
class Bind:
    """Who wants in."""

    system_id: str
    password: str
    version: int


@dataclass(frozen=True, slots=True)
class Submitted:
    """A part of a text, as it was submitted."""

    sender: str
    number: str  # with the plus of an international number
    text: str
    coding: int
    wants_receipt: bool
    validity: str
    reference: int = 0
    parts: int = 1
    part: int = 1


async def read(reader: asyncio.StreamReader) -> Pdu:
    """The next PDU; raises IncompleteReadError, ValueError."""
    length, command, status, sequence = struct.unpack("!IIII", await reader.readexactly(16))
    if not 16 <= length <= 65536:
        raise ValueError(f"a PDU of {length} octets")
    return Pdu(command, status, sequence, await reader.readexactly(length - 16))


class _Fields:
    """Takes a body apart from left to right; raises Faulty where it is not what it says."""

    def __init__(self, body: bytes) -> None:
        self._body, self._at = body, 0

    def string(self, longest: int, status: int = BAD_LENGTH) -> str:
        """A C-octet string of at most ``longest`` letters and its end."""
        end = self._body.find(b"\0", self._at)
        if end < 0 or end - self._at > longest:
            raise Faulty(status)
        taken, self._at = self._body[self._at : end], end + 1
        if any(octet >= 0x80 for octet in taken):
            raise Faulty(status)
        return taken.decode("ascii")

    def number(self) -> int:
        """One octet."""
        return self.octets(1)[0]

    def octets(self, count: int) -> bytes:
        """So many octets."""
        taken = self._body[self._at : self._at + count]
        if len(taken) != count:
            raise Faulty(BAD_LENGTH)
        self._at += count
        return taken

    def options(self) -> dict[int, bytes]:
        """What is left, as optional parameters."""
        found = {}
        while self._at < len(self._body):
            try:
                tag, length = struct.unpack("!HH", self.octets(4))
                found[tag] = self.octets(length)
            except Faulty:
                raise Faulty(BAD_OPTIONS) from None
        return found


def bind(body: bytes) -> Bind:
    """A bind request; raises Faulty."""
    fields = _Fields(body)
    system_id, password = fields.string(15, BAD_SYSTEM_ID), fields.string(8, BAD_PASSWORD)
    fields.string(12)
    version = fields.number()
    fields.octets(2)
    fields.string(40)
    return Bind(system_id, password, version)


def submitted(body: bytes) -> Submitted:
    """A submit_sm, every field checked; raises Faulty."""
    fields = _Fields(body)
    fields.string(5)
    sender = _sender(fields.number(), fields.number(), fields.string(20, BAD_SOURCE))
    number = _destination(fields.number(), fields.number(), fields.string(20, BAD_DESTINATION))
    esm_class = fields.number()
    if esm_class & ~_UDH_PRESENT:
        raise Faulty(BAD_ESM_CLASS)
    fields.octets(2)
    if fields.string(16):
        raise Faulty(0x61)  # ESME_RINVSCHED: this centre sends at once
    validity = fields.string(16, BAD_EXPIRY)
    if validity and not _PERIOD.fullmatch(validity):
        raise Faulty(BAD_EXPIRY)
    wants_receipt = fields.number() & 0x03 == 1
    fields.octets(1)
    coding = fields.number()
    fields.octets(1)
    octets = fields.octets(fields.number())
    octets = fields.options().get(MESSAGE_PAYLOAD, octets)
    header = b""
    if esm_class & _UDH_PRESENT:
        header, octets = octets[: 1 + octets[0]], octets[1 + octets[0] :]
    reference, parts, part = _joined_by(header)
    text = _text(octets, coding, header=len(header))
    return Submitted(sender, number, text, coding, wants_receipt, validity, reference, parts, part)


def _sender(kind: int, plan: int, name: str) -> str:
    match kind, plan:
        case 0, 0 if not name:
            return ""
        case 1, 1 if name.isdecimal() and 8 < len(name) <= 15:
            return f"+{name}"
        case 3, 0 if name.isdecimal() and len(name) <= 8:
            return name
        case 5, 0 if name and len(name) <= 11 and name.isprintable():
            return name
        case 0 | 1 | 3 | 5, _:
            raise Faulty(BAD_SOURCE)
        case _:
            raise Faulty(BAD_TYPE_OF_NUMBER)


def _destination(kind: int, plan: int, number: str) -> str:
    if (kind, plan) != (1, 1) or not number.isdecimal() or not 8 <= len(number) <= 15:
        raise Faulty(BAD_DESTINATION)
    return f"+{number}"


def _joined_by(header: bytes) -> tuple[int, int, int]:
    if not header:
        return 0, 1, 1
    if header[:3] != b"\x05\x00\x03" or len(header) != 6 or not 1 <= header[5] <= header[4]:
        raise Faulty(BAD_ESM_CLASS)
    return header[3], header[4], header[5]


def _text(octets: bytes, coding: int, *, header: int) -> str:
    """What a handset would show; raises Faulty where it would not fit into one part."""
    if coding == 8:
        if len(octets) % 2 or header + len(octets) > _OCTETS:
            raise Faulty(BAD_LENGTH)
        try:
            text = octets.decode("utf-16-be")  # a character cut in two does not pass
        except UnicodeDecodeError:
            raise Faulty(FAILED) from None
    elif coding == 0:
        if len(octets) > _SEPTETS - -(-header * 8 // 7):
            raise Faulty(BAD_LENGTH)
        text = gsm(octets)
    else:
        raise Faulty(FAILED)
    if not text:
        raise Faulty(BAD_LENGTH)
    return text


def gsm(octets: bytes) -> str:
    """The default alphabet, a septet in each octet; raises Faulty."""
    letters, code = [], iter(octets)
    for septet in code:
        if septet == 0x1B:
            letter = _EXTENSION.get(next(code, -1))
        else:
            letter = _ALPHABET[septet] if septet < 0x80 else None
        if letter is None:
            raise Faulty(FAILED)
        letters.append(letter)
    return "".join(letters)


def option(tag: int, octets: bytes) -> bytes:
    """One optional parameter."""
    return struct.pack("!HH", tag, len(octets)) + octets


def delivery(
    *, source: str, destination: str, esm_class: int, coding: int, octets: bytes, options: bytes = b""
) -> bytes:
    """The body of a deliver_sm. ``source``: a number with its plus, or a name."""
    kind, plan = (1, 1) if source.startswith("+") else (5, 0)
    return b"".join(
        (
            b"\0",
            bytes((kind, plan)),
            source.removeprefix("+").encode("ascii") + b"\0",
            b"\0\0",
            destination.encode("ascii") + b"\0",
            bytes((esm_class, 0, 0)),
            b"\0\0",
            bytes((0, 0, coding, 0, len(octets))),
            octets,
            options,
        )
    )
