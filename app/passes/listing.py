"""What changed for a phone since it last asked: Apple's "Get the List of Updatable Passes"."""

from __future__ import annotations

import re
from dataclasses import dataclass

from app.db import Tx
from app.db.identifiers import DeviceId, DeviceLibraryIdentifier, PassTypeIdentifier, WalletPassId
from app.passes import store_registrations

# Beyond 18 digits a number may not fit the column; no counter of ours comes near.
_TAG = re.compile(r"[0-9]{1,18}", re.ASCII)


@dataclass(frozen=True, slots=True)
class Listing:
    """The answer to a phone that we know."""

    device_id: DeviceId
    serial_numbers: tuple[str, ...]  # empty: nothing changed
    last_updated: str  # the update tag to come back with; empty with no serial numbers
    versions: tuple[tuple[WalletPassId, int], ...]  # what exactly was listed: evidence


def changed_since(
    tx: Tx,
    device_library_identifier: DeviceLibraryIdentifier,
    pass_type_identifier: PassTypeIdentifier,
    tag: str | None,
) -> Listing | None:
    """The device's passes that changed after ``tag``; None for a device that we do not know.

    A missing tag lists everything, and so does one that cannot be ours: garbage, or later than any we gave
    (a database restored from a backup). One statement, and no error for any input.
    """
    known = int(tag) if tag is not None and _TAG.fullmatch(tag) else -1
    rows = store_registrations.changed(tx, device_library_identifier, pass_type_identifier, known)
    if not rows:
        return None
    listed = [row for row in rows if row[1] is not None]
    return Listing(
        device_id=rows[0][0],
        serial_numbers=tuple(row[2] for row in listed),
        last_updated=str(max(row[4] for row in listed)) if listed else "",
        versions=tuple((row[1], row[3]) for row in listed),
    )
