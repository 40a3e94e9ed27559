"""What phones proved: contacted, listed, fetched, installed.

A push that Apple accepted proves nothing. A phone that asks for its list is *contacted*; a version whose
body left for a phone is *fetched* (a HEAD is not); a version whose ``Last-Modified`` a phone sends back is
*installed*. A fetch proves only the version that was fetched, and is a statement about the guest: the call
names no device.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from app.db import Tx
from app.db.identifiers import DeviceId, WalletPassId
from app.delivery.promises import Kind
from app.delivery.queue import Promise, promise
from app.passes import issuing, store_announcements, store_evidence, store_passes
from app.passes.store_evidence import PassEvidence, Unfetched

__all__ = [
    "Contact",
    "Fetch",
    "Install",
    "PassEvidence",
    "Sighting",
    "of_passes",
    "record",
    "retag_unfetched",
]


@dataclass(frozen=True, slots=True)
class Contact:
    """A device asked for its list."""

    device_id: DeviceId
    at: datetime


@dataclass(frozen=True, slots=True)
class Sighting:
    """A phone was told that this version of a pass is there to be fetched."""

    pass_id: WalletPassId
    version: int
    at: datetime


@dataclass(frozen=True, slots=True)
class Fetch:
    """This version left for a phone; ``held`` is the Last-Modified that the phone sent along."""

    pass_id: WalletPassId
    version: int
    last_modified: datetime
    at: datetime
    held: datetime | None = None


@dataclass(frozen=True, slots=True)
class Install:
    """A phone proved that it holds this version."""

    pass_id: WalletPassId
    version: int
    at: datetime


Evidence = Contact | Sighting | Fetch | Install


def record(tx: Tx, proofs: Collection[Evidence]) -> None:
    """Write what was proved, in at most seven statements; nothing older ever displaces something newer.

    Rows are taken in order, so that several processes can write at once.
    """
    store_evidence.contacted(tx, [(it.device_id, it.at) for it in proofs if isinstance(it, Contact)])
    store_evidence.listed(tx, [(it.pass_id, it.version, it.at) for it in proofs if isinstance(it, Sighting)])
    fetches = [it for it in proofs if isinstance(it, Fetch)]
    store_evidence.held(tx, [(it.pass_id, it.held, it.at) for it in fetches if it.held is not None])
    store_evidence.fetched(tx, [(it.pass_id, it.version, it.last_modified, it.at) for it in fetches])
    installs = [(it.pass_id, it.version, it.at) for it in proofs if isinstance(it, Install)]
    store_evidence.installed(tx, installs)
    store_announcements.seen(tx, [*((it.pass_id, it.version, it.at) for it in fetches), *installs])


def of_passes(tx: Tx, pass_ids: Sequence[WalletPassId]) -> dict[WalletPassId, PassEvidence]:
    """What was proved about each; a pass without any proof is left out."""
    return store_evidence.of_passes(tx, pass_ids)


def retag_unfetched(
    tx: Tx, *, now: datetime, older_than: timedelta, limit: int = issuing.MOST_CHANGES
) -> int:
    """Tag and push again the passes that were listed ``older_than`` ago and never fetched.

    iOS keeps the new tag before it downloads: where the download fails for good, that change is never asked
    for again. The pass keeps its version. It is tried again at most three times per version, each time only
    after some phone was told once more. The push is of the kind that its unseen announcement had ("receipt",
    "campaign"), and silent where it announces nothing. Returns how many passes were tagged.
    """
    found = {
        it.pass_id: it
        for it in store_evidence.unfetched(
            tx, listed_before=now - older_than, limit=min(limit, issuing.MOST_CHANGES)
        )
    }
    if not found:
        return 0
    # Between the question and the lock a revision may have come: that one has a tag and a push of its own.
    passes = [it for it in store_passes.lock(tx, list(found)) if it.version == found[it.id].version]
    if not passes:
        return 0
    ids = [it.id for it in passes]
    kinds = {it.id: _kind(found[it.id]) for it in passes}
    devices = {
        kind: store_passes.reachable_devices(tx, [it for it in ids if kinds[it] == kind])
        for kind in sorted(set(kinds.values()))
    }
    store_evidence.retagged(tx, ids, now=now)
    promises = [
        Promise(device_id, pass_type, kind, now)
        for kind, types in devices.items()
        for pass_type, device_ids in types.items()
        for device_id in device_ids
    ]
    promise(tx, promises, now=now)
    store_passes.write_tags(tx, {it.pass_type_identifier for it in passes}, ids)
    return len(passes)


def _kind(unfetched: Unfetched) -> Kind:
    """What the pass announces that nobody has fetched yet decides how much patience the push may use."""
    messages = unfetched.content.messages
    if not messages or (unfetched.fetched_at is not None and messages[0].at <= unfetched.fetched_at):
        return "silent"
    kind = messages[0].announcement.partition(":")[0]
    return "receipt" if kind == "receipt" else "campaign" if kind == "campaign" else "silent"
