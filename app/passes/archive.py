"""A ZIP archive as bytes, written so that all that repeats from pass to pass is written once.

Everything is stored: PNGs do not shrink, and deflating the little rest costs more than it saves. Times are
fixed and names are in the order given, so equal files give equal bytes up to the signature.
"""

from __future__ import annotations

import struct
import zlib
from typing import NamedTuple

_LOCAL = struct.Struct("<14s3L2H")  # the fixed begin; checksum, sizes, length of the name, no extra field
_CENTRAL = struct.Struct("<16s3LH12sL")
_END = struct.Struct("<4s4H2LH")
_VERSION = 20
_UNIX = 3
_DOS_DATE = (1980 - 1980) << 9 | 1 << 5 | 1  # 1 January 1980, the first day that the format knows
_READABLE_FILE = 0o100644 << 16
# Stored, without flags, at midnight of that day (APPNOTE.TXT, sections 4.3.7 and 4.3.12).
_LOCAL_BEGIN = struct.pack("<4s5H", b"PK\3\4", _VERSION, 0, 0, 0, _DOS_DATE)
_CENTRAL_BEGIN = struct.pack("<4s4B4H", b"PK\1\2", _VERSION, _UNIX, _VERSION, 0, 0, 0, 0, _DOS_DATE)
_CENTRAL_END = struct.pack("<4HL", 0, 0, 0, 0, _READABLE_FILE)


class Member(NamedTuple):
    """One file of an archive; its name is ASCII."""

    name: bytes
    content: bytes
    crc: int

    @classmethod
    def of(cls, name: str, content: bytes) -> Member:
        """With its checksum."""
        return cls(name.encode("ascii"), content, zlib.crc32(content))


class Beginning(NamedTuple):
    """The first members of many archives, laid out."""

    local: bytes
    central: bytes
    members: int


def beginning(members: list[Member]) -> Beginning:
    """Lay out the members that every archive begins with."""
    local, central = _lay_out(members, 0)
    return Beginning(b"".join(local), b"".join(central), len(members))


def complete(start: Beginning, members: list[Member]) -> bytes:
    """A whole archive: the prepared beginning, then these members."""
    local, central = _lay_out(members, len(start.local))
    offset = len(start.local) + sum(map(len, local))
    size = len(start.central) + sum(map(len, central))
    count = start.members + len(members)
    end = _END.pack(b"PK\5\6", 0, 0, count, count, size, offset, 0)
    return b"".join((start.local, *local, start.central, *central, end))


def _lay_out(members: list[Member], offset: int) -> tuple[list[bytes], list[bytes]]:
    local: list[bytes] = []
    central: list[bytes] = []
    for name, content, crc in members:
        size, length = len(content), len(name)
        local += (_LOCAL.pack(_LOCAL_BEGIN, crc, size, size, length, 0), name, content)
        central += (
            _CENTRAL.pack(_CENTRAL_BEGIN, crc, size, size, length, _CENTRAL_END, offset),
            name,
        )
        offset += _LOCAL.size + length + size
    return local, central
