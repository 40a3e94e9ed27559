"""Who may speak for a pass: the phone that shows its authentication token."""

from __future__ import annotations

from app.db import Tx
from app.db.identifiers import PassTypeIdentifier, SerialNumber
from app.passes import store_registrations, tokens
from app.passes.store_registrations import PassKey

__all__ = ["PassKey", "admit"]


def admit(
    tx: Tx,
    pass_key: bytes,
    pass_type_identifier: PassTypeIdentifier,
    serial_number: SerialNumber,
    token: str,
) -> PassKey | None:
    """The pass, if it exists and ``token`` is its own; None does not tell which of the two was wrong."""
    found = store_registrations.pass_key(tx, pass_type_identifier, serial_number)
    version = found.key_version if found else 1  # an unknown serial number costs the same work
    if not tokens.matches(token, pass_key, pass_type_identifier, serial_number, version):
        return None
    return found
