"""Which phones hold which passes, and where a push for them goes.

A ``device`` is Apple's device library identifier for one pass type identifier. It is no phone: iOS makes one
per web service. All its passes share one push token.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, Literal

from app.db import Tx
from app.db.identifiers import (
    DeviceId,
    DeviceLibraryIdentifier,
    PassTypeIdentifier,
    PushToken,
    WalletPassId,
)
from app.delivery import queue
from app.errors import Conflict
from app.passes import store_deserted, store_holder_changes, store_registrations
from app.passes.store_registrations import PushTarget

__all__ = [
    "MOST_DEVICES",
    "MOST_PASSES",
    "PushService",
    "PushTarget",
    "Registered",
    "Unregistered",
    "forget_deserted",
    "forget_unreachable",
    "push_targets",
    "register",
    "set_aside",
]

PushService = Literal["apple", "other"]
"""Whose push token a device has: an iPhone's is Apple's, an Android pass app has one of its own service."""

MOST_DEVICES: Final = 20
"""So many devices hold one pass at most. No guest has more; who makes devices up makes us push to them."""

MOST_PASSES: Final = 200
"""So many passes of one type a device holds at most. No guest has more, and its list stays short."""

KEPT: Final = timedelta(days=31)
"""So long a device without a pass is remembered, and with it what we know of its phone's patience.

A day longer than settled promises are: with the last of them the device can go.
"""
_POSTPONED: Final = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Registered:
    """What a registration changed."""

    device_id: DeviceId
    created: bool  # the device did not have the pass before: 201, else 200
    first: bool  # no reachable device had the pass before


@dataclass(frozen=True, slots=True)
class Unregistered:
    """What an unregistration changed."""

    existed: bool
    last: bool  # it existed, and no reachable device has the pass any more


def register(
    tx: Tx,
    *,
    device_library_identifier: DeviceLibraryIdentifier,
    pass_type_identifier: PassTypeIdentifier,
    pass_id: WalletPassId,
    push_token: PushToken,
    push_service: PushService = "apple",
    now: datetime,
) -> Registered:
    """Note that the device holds the pass; the push token is the new one in any case.

    A device of another push service than Apple's is never pushed to: it hears of changes when it asks.

    Beyond :data:`MOST_DEVICES` the newcomer takes the place of an unreachable device, or of the one that did
    not register the pass for longest: that one hears of no more changes until it registers again.
    Raises :class:`Conflict` where the device would hold more than :data:`MOST_PASSES`.
    """
    store_registrations.hold(tx, pass_id)
    first = not store_registrations.has_living(tx, pass_id)
    device_id = store_registrations.upsert_device(
        tx,
        device_library_identifier=device_library_identifier,
        pass_type_identifier=pass_type_identifier,
        push_token=push_token,
        push_service=push_service,
        now=now,
    )
    created = store_registrations.add_registration(tx, device_id, pass_id, now=now)
    if created:
        if store_registrations.passes_of(tx, device_id) > MOST_PASSES:
            raise Conflict(
                "too-many-passes",
                f"A device holds at most {MOST_PASSES} passes of one type: remove one, then add this one.",
            )
        store_registrations.crowd_out(tx, pass_id, newcomer=device_id, most=MOST_DEVICES)
    store_holder_changes.of_device(tx, device_id)
    return Registered(device_id, created=created, first=first)


def unregister(
    tx: Tx,
    *,
    device_library_identifier: DeviceLibraryIdentifier,
    pass_type_identifier: PassTypeIdentifier,
    pass_id: WalletPassId,
    now: datetime,
) -> Unregistered:
    """Note that the device no longer wants updates of the pass: it was removed, or updates were switched off.

    iOS sends the same for both, and when it gives up on a pass that pushed too often.
    """
    store_registrations.hold(tx, pass_id)
    existed = store_registrations.remove_registration(
        tx,
        device_library_identifier=device_library_identifier,
        pass_type_identifier=pass_type_identifier,
        pass_id=pass_id,
        now=now,
    )
    if existed:
        store_holder_changes.of_pass(tx, pass_id)
    return Unregistered(existed, last=existed and not store_registrations.has_living(tx, pass_id))


def push_targets(tx: Tx, device_ids: Sequence[DeviceId]) -> dict[DeviceId, PushTarget]:
    """Where to push for these devices; those that Apple does not reach or that hold no pass are left out."""
    return {target.device_id: target for target in store_registrations.targets(tx, device_ids)}


def forget_unreachable(tx: Tx, device_id: DeviceId, *, unregistered_at: datetime) -> tuple[WalletPassId, ...]:
    """Apple answered 410 for the device's push token, which was dead at ``unregistered_at``.

    A device that was registered at that moment or later has a newer token and stays. Otherwise it gets no
    pushes until it registers again; its passes still answer it. Returns the passes that no reachable phone
    holds any more.
    """
    if not store_registrations.mark_unreachable(tx, device_id, unregistered_at=unregistered_at):
        return ()
    store_holder_changes.of_device(tx, device_id)
    return tuple(store_registrations.left_alone(tx, device_id))


def set_aside(tx: Tx, device_id: DeviceId, *, asked_at: datetime) -> None:
    """Apple does not know the push token that the device had at ``asked_at``, and we are proved right.

    Unless it registered since it gets no pushes until it registers again; its passes still answer it.
    """
    if store_registrations.mark_unreachable(tx, device_id, unregistered_at=asked_at):
        store_holder_changes.of_device(tx, device_id)


def take_back(tx: Tx, device_id: DeviceId, *, asked_at: datetime) -> None:
    """We are in doubt again whether the push token was bad: undo the :func:`set_aside` of that moment."""
    store_registrations.mark_reachable(tx, device_id, marked_at=asked_at)
    store_holder_changes.of_device(tx, device_id)


def forget_deserted(tx: Tx, *, now: datetime, limit: int = 500) -> int:
    """Delete devices that have held no pass for :data:`KEPT`, with what is known of their phone's patience.

    Looks at no more than ``limit`` devices and returns at how many: 0 when nothing is left to do. One that
    still holds a pass is looked at again after :data:`KEPT`, one that has a promise left tomorrow. A device
    that registers meanwhile is passed over, or waits and is made anew.
    """
    before = now - KEPT
    looked_at = store_deserted.lock_long_unseen(tx, before=before, limit=limit)
    if not looked_at:
        return 0
    held = store_deserted.holding(tx, looked_at)
    store_deserted.held_until(tx, sorted(held), now)
    deserted = [one for one in looked_at if one not in held]
    forgotten = queue.forget_devices(tx, deserted)
    store_deserted.delete_devices(tx, sorted(forgotten))
    postponed = [one for one in deserted if one not in forgotten]
    store_deserted.held_until(tx, postponed, before + _POSTPONED)
    return len(looked_at)
