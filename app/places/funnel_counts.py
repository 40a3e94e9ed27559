"""Counts of the funnel: how many visits took each step, and which part of those that took the one before.

Some steps take time: a first receipt a week, coming again a month. Their shares are taken of visits that had
that time, so that a young week is never compared with an old one: a :class:`Flow` holds three counts.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import date, timedelta
from operator import add, attrgetter, sub
from typing import Literal

from app.places.funnel_intervals import Share
from app.places.visits import AGAIN_WITHIN, RECEIPT_WITHIN, VisitEventKind

Step = Literal["page", "form", "code", "added", "receipt", "active"]
Cohort = Literal["now", "week", "month"]
STEPS: Mapping[Step, VisitEventKind] = {
    "page": "scan",
    "form": "page",
    "code": "form",
    "added": "code",
    "receipt": "added",
    "active": "receipt",
}
"""The steps of the way, each with the one before it; where no codes are asked for, *added* follows *form*."""
COHORTS: Mapping[Cohort, timedelta] = {
    "now": timedelta(days=-1),
    "week": RECEIPT_WITHIN,
    "month": AGAIN_WITHIN,
}
"""How old a day must be at least, so that its visits had the time that their steps may take."""
_COHORT_OF: Mapping[Step, Cohort] = {"receipt": "week", "active": "month"}


@dataclass(frozen=True, slots=True)
class Counts:
    """How many visits took each step; ``in_app`` are detours, ``again`` are second visits.

    ``active`` came again and kept the card for a month; ``removed`` gave it up, whenever that was.
    """

    scan: int = 0
    page: int = 0
    in_app: int = 0
    form: int = 0
    code: int = 0
    added: int = 0
    receipt: int = 0
    again: int = 0
    active: int = 0
    removed: int = 0

    def plus(self, other: Counts) -> Counts:
        """Both together."""
        return Counts(*map(add, _all(self), _all(other)))

    def less(self, other: Counts) -> Counts:
        """What is left without ``other``."""
        return Counts(*map(sub, _all(self), _all(other)))


COUNTED: tuple[VisitEventKind, ...] = tuple(field.name for field in fields(Counts))  # type: ignore[misc]
_all = attrgetter(*COUNTED)


COHORT_STEPS: Mapping[Cohort, tuple[VisitEventKind, ...]] = {
    "now": COUNTED,
    "week": ("added", "receipt"),
    "month": ("added", "receipt", "again", "active", "removed"),
}
"""What is counted of each; the rest is left 0."""


@dataclass(frozen=True, slots=True)
class Flow:
    """What became of a group's visits: of the days that were asked for (``now``), and of days old enough.

    ``week`` and ``month`` are of as many days, as far back as first receipts and second visits need; they
    count what :data:`COHORT_STEPS` names.
    """

    now: Counts = Counts()
    week: Counts = Counts()
    month: Counts = Counts()

    def share(self, step: Step, *, codes: bool) -> Share:
        """Of those who took the step before, how many took this one; ``codes``: the brand asks for them."""
        counts: Counts = getattr(self, cohort_of(step))
        return share(getattr(counts, step), getattr(counts, before(step, codes=codes)))

    @property
    def installed(self) -> Share:
        """Of those who scanned, how many have added the card."""
        return share(self.now.added, self.now.scan)

    @property
    def kept(self) -> Share:
        """Of those who added the card a month ago and earlier, how many have not given it up."""
        return share(self.month.added - self.month.removed, self.month.added)

    @property
    def came_again(self) -> Share:
        """Of those who added the card a month ago and earlier, how many came a second time within a month."""
        return share(self.month.again, self.month.added)

    def plus(self, other: Flow) -> Flow:
        """Both together."""
        return Flow(*(getattr(self, name).plus(getattr(other, name)) for name in COHORTS))

    def less(self, other: Flow) -> Flow:
        """What is left without ``other``."""
        return Flow(*(getattr(self, name).less(getattr(other, name)) for name in COHORTS))


@dataclass(frozen=True, slots=True, kw_only=True)
class Period:
    """Days of the venues' own calendars, both included."""

    first: date
    last: date

    @property
    def days(self) -> int:
        """How many they are."""
        return (self.last - self.first).days + 1

    def before(self) -> Period:
        """As many days, just before these."""
        return self.back(self.days)

    def back(self, days: int) -> Period:
        """As many days, so many earlier."""
        by = timedelta(days=days)
        return Period(first=self.first - by, last=self.last - by)

    def of(self, cohort: Cohort, *, today: date) -> Period:
        """The same days where they are old enough, or else the latest days that are: as many of them."""
        newest = today - COHORTS[cohort] - timedelta(days=1)
        return self.back(max(0, (self.last - newest).days))


def cohort_of(step: Step) -> Cohort:
    """Which visits a step's share is of."""
    return _COHORT_OF.get(step, "now")


def before(step: Step, *, codes: bool) -> VisitEventKind:
    """The step that leads to this one."""
    return "form" if step == "added" and not codes else STEPS[step]


def way(*, codes: bool) -> tuple[Step, ...]:
    """The steps that there are; *code* only where numbers are proved."""
    return tuple(step for step in STEPS if codes or step != "code")


def total(flows: Iterable[Flow]) -> Flow:
    """All together; step by step, since a chain has thousands of groups."""
    every = list(flows)
    return Flow(*(_summed([getattr(flow, name) for flow in every]) for name in COHORTS))


def _summed(counts: Sequence[Counts]) -> Counts:
    return Counts(*map(sum, zip(*map(_all, counts), strict=True)))


def share(count: int, out_of: int) -> Share:
    """A step without the one before it is possible (a lost picture, say): never more than all."""
    return Share(max(0, min(count, out_of)), out_of)
