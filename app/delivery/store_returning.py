"""SQL of claimed rows that go back to ``pending``, alike for pushes and changes at Google.

They go back in two statements, in no order that others could keep to. Who promises to the same devices or
objects meanwhile (a till) must not wait for us in a circle, so we are the ones that give up and try again.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Final, Protocol, TypeVar

from sqlalchemy import Integer, Text, text, update
from sqlalchemy.exc import IntegrityError, OperationalError

from app.db import Id, Tx, Types, UtcDateTime, given
from app.delivery.promises import Tried
from app.delivery.tables import delivery

_MOST_RACES: Final = 20
_SHORT_WAITS: Final = text("SET LOCAL lock_timeout = '200ms'")
_USUAL_WAITS: Final = text("SET LOCAL lock_timeout TO DEFAULT")
_LOCK_NOT_AVAILABLE: Final = "55P03"
_RETURNED: Final[Types] = {"row": Id, "due_at": UtcDateTime(), "reason": Text(), "attempts": Integer()}

T = TypeVar("T")


class Returned(Protocol):
    """A claimed promise that goes back."""

    @property
    def claimed(self) -> Tried:
        """It."""

    @property
    def due_at(self) -> datetime:
        """When it is looked at again."""

    @property
    def reason(self) -> str | None:
        """Why it goes back."""

    @property
    def attempts(self) -> int:
        """Those that count."""


def raced(tx: Tx, step: Callable[[], T]) -> T:
    """Do ``step`` until nobody's promise comes between its look and its write."""
    for _ in range(_MOST_RACES):
        try:
            with tx.begin_nested():
                if tx.dialect.name == "postgresql":
                    tx.execute(_SHORT_WAITS)
                reached = step()
                if tx.dialect.name == "postgresql":
                    tx.execute(_USUAL_WAITS)
                return reached
        except IntegrityError:  # a promise was committed between our look and our write: look again
            continue
        except OperationalError as fault:
            if getattr(fault.orig, "sqlstate", None) != _LOCK_NOT_AVAILABLE:
                raise
    raise RuntimeError("promises keep coming between look and write")


def give_back(tx: Tx, back: Sequence[Returned]) -> None:
    """Have these locked rows pending again."""
    if not back:
        return
    rows = [
        {"row": one.claimed.id, "due_at": one.due_at, "reason": one.reason, "attempts": one.attempts}
        for one in back
    ]
    new = given(tx, rows, _RETURNED)
    tx.execute(
        update(delivery)
        .where(delivery.c.id == new.c.row)
        .values(
            state="pending",
            owner=None,
            lease_until=None,
            due_at=new.c.due_at,
            reason=new.c.reason,
            attempts=new.c.attempts,
        )
    )
