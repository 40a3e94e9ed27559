"""What guest number n is called: a function of n alone, so that every process can tell without a database.

As in production nothing about an identifier tells its neighbours: a bulk of guests fills indexes at random.
"""

from __future__ import annotations

from hashlib import blake2b

from app.db.identifiers import CardCode, DeviceLibraryIdentifier, PushToken, SerialNumber
from app.loyalty.card_codes import ALPHABET

_SYMBOLS = bytes(ord(ALPHABET[byte % len(ALPHABET)]) for byte in range(256))


def serial_number(number: int) -> SerialNumber:
    """22 characters that a serial number may have."""
    return SerialNumber(_digest(number, b"serial number", 11).hex())


def device_library_identifier(number: int) -> DeviceLibraryIdentifier:
    """32 hexadecimal characters, as Apple's."""
    return DeviceLibraryIdentifier(_digest(number, b"device", 16).hex())


def push_token(number: int) -> PushToken:
    """64 hexadecimal characters, as Apple's."""
    return PushToken(_digest(number, b"push token", 32).hex())


def card_code(number: int) -> CardCode:
    """As :func:`app.loyalty.card_codes.new_card_code` makes them."""
    symbols = _digest(number, b"card code", 12).translate(_SYMBOLS).decode()
    return CardCode(f"{symbols[:4]}-{symbols[4:8]}-{symbols[8:12]}")


def _digest(number: int, purpose: bytes, size: int) -> bytes:
    return blake2b(number.to_bytes(8, "big"), digest_size=size, person=purpose).digest()
