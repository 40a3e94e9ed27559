"""How often and when a guest is spoken to, whatever the campaign and the channel. Pure but for the settings.

A campaign's text for want of a fetch belongs to the contact that it follows: both are one. Service messages
are exempt and count for nothing.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from typing import Final

from app.accounts import audit
from app.campaigns import store_limits as store
from app.db import Tx
from app.db.identifiers import BrandId
from app.delivery.quiet_hours import QuietHours
from app.errors import BadInput

MOST_MESSAGES: Final = 100
MOST_DAYS: Final = 90
_USUAL_QUIET: Final = QuietHours()


@dataclass(frozen=True, slots=True)
class Limits:
    """A brand's; as usual: two advertising messages a week, none between nine in the evening and ten."""

    most: int = 2
    days: int = 7
    quiet: QuietHours = _USUAL_QUIET  # by the clock where the guest is at home

    def __post_init__(self) -> None:
        """Raises BadInput, naming the field."""
        for name, value, most in (("most", self.most, MOST_MESSAGES), ("days", self.days, MOST_DAYS)):
            if not 1 <= value <= most:
                raise BadInput("bad-limits", f"Between 1 and {most}.", field=name)

    @property
    def window(self) -> timedelta:
        """In which :attr:`most` messages are allowed."""
        return timedelta(days=self.days)

    def allow(self, contacts: Iterable[datetime], at: datetime) -> bool:
        """Whether one more at that moment leaves no stretch of :attr:`days` with more than is allowed.

        ``contacts``: when the guest was spoken to, and is about to be, before and after.
        """
        return sum(abs(one - at) < self.window for one in contacts) < self.most

    def spoken_at(self, moment: datetime, time_zone: str) -> datetime:
        """That moment, or the end of the quiet hours that it lies in."""
        return self.quiet.end(moment, time_zone) or moment


def of_brand(tx: Tx, brand_id: BrandId) -> Limits:
    """As the brand has set them."""
    return _limits(store.find(tx, brand_id))


def own(tx: Tx, brand_id: BrandId) -> Limits | None:
    """As somebody of the brand has set them; None where nobody has yet."""
    row = store.find(tx, brand_id)
    return _limits(row) if row else None


def take_turn(tx: Tx, brand_id: BrandId) -> Limits:
    """The same; nobody else speaks to the brand's guests until the transaction ends.

    So two campaigns that meet a guest at once both see what the other one did.
    """
    usual = Limits()
    store.add(tx, brand_id, _row(usual))
    return _limits(store.find(tx, brand_id, lock=True))


def save(tx: Tx, brand_id: BrandId, limits: Limits, *, now: datetime, actor: str) -> None:
    """Keep other ones; what is planned already keeps to them when its moment comes."""
    store.add(tx, brand_id, _row(limits))
    store.change(tx, brand_id, _row(limits))
    detail = {"most": limits.most, "days": limits.days, **_clock(limits)}
    audit.record(
        tx,
        at=now,
        actor=actor,
        brand_id=brand_id,
        action="marketing_limits.changed",
        subject="limits",
        detail=detail,
    )


def _clock(limits: Limits) -> dict[str, str]:
    return {"quiet_since": f"{limits.quiet.since:%H:%M}", "quiet_until": f"{limits.quiet.until:%H:%M}"}


def _row(limits: Limits) -> store.LimitsRow:
    return store.LimitsRow(limits.most, limits.days, **_clock(limits))


def _limits(row: store.LimitsRow | None) -> Limits:
    if row is None:
        return Limits()
    quiet = QuietHours(time.fromisoformat(row.quiet_since), time.fromisoformat(row.quiet_until))
    return Limits(row.most, row.days, quiet)
