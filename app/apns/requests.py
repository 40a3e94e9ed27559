"""A push as an HTTP/2 header block (RFC 7541), by hand: constant fields, a literal path, a literal apns-id.

Fields as Apple asks for them in "Sending notification requests to APNs": authority and topic enter the
server's dynamic table with the first request and are one byte from then on; path and apns-id never enter it.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final
from urllib.parse import quote

BODY: Final = b"{}"
"""Apple, "Updating a pass": an empty JSON dictionary."""
MAX_PATH: Final = 4_096
DEFAULT_TABLE_SIZE: Final = 4_096
_APNS_ID: Final = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
_FIELD_VALUE: Final = re.compile(r"[\x21-\x7e]+")


@dataclass(frozen=True, slots=True)
class Push:
    """One push to send. ``expiration``: seconds since 1970, None for the client's default."""

    push_token: str
    apns_id: str | None = None
    expiration: int | None = None
    priority: int = 10
    push_type: str | None = None

    def __post_init__(self) -> None:
        """Raise ValueError for what no caller means: these values come from our own code."""
        if self.apns_id is not None and not _APNS_ID.fullmatch(self.apns_id):
            raise ValueError(f"apns_id is no UUID: {self.apns_id!r}")
        if self.push_type is not None and not _FIELD_VALUE.fullmatch(self.push_type):
            raise ValueError(f"push_type is no header value: {self.push_type!r}")


def path_of(push_token: str) -> bytes | None:
    """``/3/device/{push token}``; None where the token cannot be one.

    Tokens are hexadecimal today and opaque by contract, and they come from outside: whatever is not a letter
    or a digit is percent-encoded, so that no token can leave its place in the path.
    """
    token = push_token if push_token.isascii() and push_token.isalnum() else _escaped(push_token)
    if not token or len(token) > MAX_PATH:
        return None
    return b"/3/device/" + token.encode("ascii")


def _escaped(push_token: str) -> str:
    if not push_token.strip("."):
        return ""  # "." and ".." would be taken for folders, also when they are escaped
    return quote(push_token, safe="", errors="replace")


def integer(value: int, prefix_bits: int, flags: int = 0) -> bytes:
    """An HPACK integer (RFC 7541, 5.1) whose first byte carries ``flags`` above the prefix."""
    limit = (1 << prefix_bits) - 1
    if value < limit:
        return bytes((flags | value,))
    encoded = bytearray((flags | limit,))
    value -= limit
    while value >= 128:
        encoded.append(value & 127 | 128)
        value >>= 7
    encoded.append(value)
    return bytes(encoded)


def _string(value: bytes) -> bytes:
    return integer(len(value), 7) + value


def _literal(name: bytes, value: str) -> bytes:
    return b"\x00" + _string(name) + _string(value.encode("ascii"))


_POST_HTTPS: Final = b"\x83\x87"  # static table: :method POST, :scheme https
_AUTHORITY_INDEX: Final = 0x01
_PATH: Final = b"\x04"  # literal without indexing, name from static index 4
_AUTHORIZATION: Final = b"\x1f\x08"  # literal never indexed, name from static index 23
_TOPIC: Final = b"apns-topic"
_ENTRY_OVERHEAD: Final = 32


class RequestEncoder:
    """Header blocks of one connection. Its dynamic table holds two entries, authority and topic, or none."""

    def __init__(self, *, authority: str, topic: str) -> None:
        """Raises ValueError where either cannot be a header value."""
        for value in (authority, topic):
            if not _FIELD_VALUE.fullmatch(value):
                raise ValueError(f"no header value: {value!r}")
        self._authority, self._topic = authority.encode(), topic.encode()
        self._needed = len(b":authority" + self._authority + _TOPIC + self._topic) + 2 * _ENTRY_OVERHEAD
        self._announcement = b""
        self._constants: dict[tuple[int, int, str | None, str | None], bytes] = {}
        self._plain()

    def resize(self, size: int) -> None:
        """The server announced SETTINGS_HEADER_TABLE_SIZE: empty the table, take the new size, begin anew."""
        size = min(size, DEFAULT_TABLE_SIZE)
        self._announcement = integer(0, 5, 0x20) + (integer(size, 5, 0x20) if size else b"")
        self._plain(with_indexing=size >= self._needed)

    def _plain(self, *, with_indexing: bool = True) -> None:
        authority, topic = _string(self._authority), _string(self._topic)
        self._to_insert = with_indexing
        mark = 0x40 if with_indexing else 0x00
        self._before = _POST_HTTPS + bytes((mark | _AUTHORITY_INDEX,)) + authority + _PATH
        self._after = bytes((mark,)) + _string(_TOPIC) + topic

    def block(
        self,
        path: bytes,
        *,
        apns_id: str | None,
        expiration: int,
        priority: int,
        push_type: str | None,
        authorization: str | None,
    ) -> bytes:
        """The header block of the next request. Blocks must be sent in the order in which they were made."""
        key = (expiration, priority, push_type, authorization)
        constant = self._constants.get(key)
        if constant is None:
            constant = self._remember(key)
        length = len(path)
        made = (
            self._before
            + (bytes((length,)) if length < 127 else integer(length, 7))
            + path
            + self._after
            + constant
            + (b"\x00\x07apns-id\x24" + apns_id.encode() if apns_id else b"")
        )
        if self._announcement:
            made, self._announcement = self._announcement + made, b""
        if self._to_insert:  # from now on both are in the table: topic is its newest entry, 62
            self._to_insert = False
            self._before = _POST_HTTPS + b"\xbf" + _PATH
            self._after = b"\xbe"
        return made

    def _remember(self, key: tuple[int, int, str | None, str | None]) -> bytes:
        expiration, priority, push_type, authorization = key
        constant = _literal(b"apns-expiration", str(expiration)) + _literal(b"apns-priority", str(priority))
        if push_type is not None:
            constant += _literal(b"apns-push-type", push_type)
        if authorization is not None:
            constant += _AUTHORIZATION + _string(authorization.encode("ascii"))
        if len(self._constants) >= 16:
            self._constants.clear()
        self._constants[key] = constant
        return constant
