"""Logins that a gateway lets nothing leave by: password, money, a blocked address.

The same breaker table as for pass types, under ``sms:LOGIN``. Nothing is refused meanwhile: texts wait, one
is sent as a probe once a minute, and the first that the gateway answers for closes it.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Final

from app.db import Tx
from app.delivery import store_breakers
from app.delivery.breaker import LOOK_AGAIN_AFTER, PROBE_AFTER
from app.delivery.store_breakers import Breaker

PREFIX: Final = "sms:"
PROBE_SIZE: Final = 1
"""Unlike a phone's token a guest's number says nothing about us: one answer is enough."""

__all__ = [
    "PREFIX",
    "PROBE_AFTER",
    "PROBE_SIZE",
    "all_stopped",
    "give_back_probe",
    "stop",
    "take_probe",
    "works",
]


def subject_of(login: str) -> str:
    """The key of a login's breaker."""
    return PREFIX + login


def all_stopped(tx: Tx) -> Mapping[str, Breaker]:
    """Every stopped login, by its name."""
    return {
        row.subject.removeprefix(PREFIX): row
        for row in store_breakers.all_open(tx)
        if row.subject.startswith(PREFIX)
    }


def stop(tx: Tx, login: str, *, reason: str, now: datetime) -> bool:
    """Stop a login; True where it was not until now (then somebody must be told)."""
    return store_breakers.add(tx, Breaker(subject_of(login), now, now + PROBE_AFTER, reason))


def take_probe(tx: Tx, login: str, *, now: datetime) -> bool:
    """True where a probe is due and is ours; no other worker gets it for a minute."""
    return store_breakers.postpone(tx, subject_of(login), now=now, probe_at=now + PROBE_AFTER)


def give_back_probe(tx: Tx, login: str, *, now: datetime) -> None:
    """Nothing was there to probe with: a probe taken in this transaction is due again in a moment."""
    taken_until: datetime = now + PROBE_AFTER
    again: timedelta = LOOK_AGAIN_AFTER
    store_breakers.postpone(tx, subject_of(login), now=taken_until, probe_at=now + again)


def works(tx: Tx, login: str) -> bool:
    """The gateway let a probe in; True where the login was stopped."""
    return store_breakers.remove(tx, subject_of(login))
