"""Reading DER (X.690) one element at a time: enough to take a CMS signature apart by ourselves."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

BOOLEAN, INTEGER, OCTET_STRING, OBJECT_IDENTIFIER, UTC_TIME, SEQUENCE, SET = 1, 2, 4, 6, 0x17, 0x30, 0x31
CONTEXT_0, CONTEXT_1 = 0xA0, 0xA1


class NotDer(ValueError):
    """The bytes are not what they should be; says where."""


@dataclass(frozen=True, slots=True)
class Element:
    """One tag-length-value."""

    tag: int
    content: bytes
    whole: bytes  # with tag and length

    def expect(self, tag: int) -> Element:
        """Itself, or :class:`NotDer` where it is something else."""
        if self.tag != tag:
            raise NotDer(f"tag {self.tag:#x} where {tag:#x} belongs")
        return self

    def children(self) -> list[Element]:
        """What a constructed element holds."""
        return list(elements(self.content))

    def integer(self) -> int:
        """The value of an INTEGER."""
        return int.from_bytes(self.expect(INTEGER).content, "big", signed=True)

    def oid(self) -> str:
        """The dotted value of an OBJECT IDENTIFIER."""
        numbers, value = [], 0
        for byte in self.expect(OBJECT_IDENTIFIER).content:
            value = value << 7 | byte & 0x7F
            if not byte & 0x80:
                numbers.append(value)
                value = 0
        first = min(numbers[0] // 40, 2)
        return ".".join(map(str, [first, numbers[0] - 40 * first, *numbers[1:]]))


def elements(data: bytes) -> Iterator[Element]:
    """Every element of ``data``; raises NotDer for one that is cut short or has no definite length."""
    position = 0
    while position < len(data):
        if position + 2 > len(data):
            raise NotDer("cut short")
        tag, length, start = data[position], data[position + 1], position + 2
        if length == 0x80:
            raise NotDer("indefinite length")
        if length > 0x80:
            size = length & 0x7F
            length = int.from_bytes(data[start : start + size], "big")
            start += size
        end = start + length
        if end > len(data):
            raise NotDer("cut short")
        yield Element(tag, data[start:end], data[position:end])
        position = end


def element(data: bytes) -> Element:
    """The only element of ``data``."""
    found = list(elements(data))
    if len(found) != 1:
        raise NotDer(f"{len(found)} elements where one belongs")
    return found[0]
