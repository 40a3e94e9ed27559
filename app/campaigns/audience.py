"""An audience: filters that guests must pass, all of those that are given, by any of the values of each.

The thresholds of activity are the market's own and may be changed. "The last N days" are today, by the
brand's clock, and the N - 1 days before. Filters about cards (programme, tier, home venue, source) are about
one living card, which must pass them all. To and from JSON, as it is kept with a campaign: what is not asked
for is left out.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any, Literal, Self, get_args

from app.db.identifiers import InstallLinkId, ProgrammeId, StaffMemberId, VenueId
from app.errors import BadInput
from app.loyalty import habits

Activity = Literal["new", "regular", "constant", "asleep", "never"]
"""1-2 visits ever · 3-8 in the last 30 days · more than that · none in the last 30 days · no visit at all."""
Check = Literal["low", "middle", "high"]
"""Which third of the average checks of those who bought in the last 180 days."""
Wallet = Literal["added", "silent", "removed", "none"]
"""In a wallet · of those: on phones not heard of lately · had been · never was (a web card is none)."""
PhoneNumber = Literal["verified", "given", "none"]
PlacementKind = Literal["table", "till", "door", "poster", "other"]
Language = Literal["ru", "en"]

BOUGHT_LATELY = 180
"""Days: thirds and scores are taken of guests who bought in these."""
MOST_DAYS = 3660
MOST_VALUES = 500
MOST_MONEY = 10**12
LONGEST_WORD = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class Audience:
    """Who is meant; a filter that has no value asks nothing. The default: every guest."""

    activity: tuple[Activity, ...] = ()
    new_most: int = 2  # visits ever
    regular_from: int = 3  # visits in the last activity_days
    regular_most: int = 8  # more of them: constant
    activity_days: int = 30
    asleep_days: int = 30
    check: tuple[Check, ...] = ()
    check_from: int | None = None  # average check, minor units
    check_to: int | None = None  # itself included
    recency: tuple[int, ...] = ()  # scores from 1 (long ago) to 5
    frequency: tuple[int, ...] = ()  # by visits ever
    monetary: tuple[int, ...] = ()  # by what was spent ever
    programmes: tuple[ProgrammeId, ...] = ()
    tiers: tuple[str, ...] = ()  # keys
    home_venues: tuple[VenueId, ...] = ()  # where the card was made
    placements: tuple[PlacementKind, ...] = ()  # on what the QR code was that led to it
    staff: tuple[StaffMemberId, ...] = ()  # who invited
    links: tuple[InstallLinkId, ...] = ()
    visited: tuple[VenueId, ...] = ()  # bought in any of them in the last visited_days
    visited_days: int = 30
    birthday_days: int | None = None  # today (0) and so many days more
    languages: tuple[Language, ...] = ()
    wallet: tuple[Wallet, ...] = ()
    silent_days: int = 30  # no phone asked for its cards in so many
    phone: tuple[PhoneNumber, ...] = ()
    consent: bool = False  # only those who agreed to advertising, and did not take it back

    def __post_init__(self) -> None:
        """Raises BadInput, naming the field, for what no audience can be."""
        for one in fields(self):
            _CHECKS[one.name](one.name, getattr(self, one.name))
        if self.regular_from > self.regular_most:
            raise _bad("regular_most", "is less than regular_from")
        if self.check_from is not None and self.check_to is not None and self.check_from > self.check_to:
            raise _bad("check_to", "is less than check_from")

    @classmethod
    def from_json(cls, value: object) -> Self:
        """As :meth:`to_json` made it; raises BadInput for anything else, naming the field."""
        if not isinstance(value, Mapping):
            raise BadInput("bad-audience", "An audience is an object of filters.", field="audience")
        known = {one.name for one in fields(cls)}
        for name in value:
            if name not in known:
                raise BadInput(
                    "unknown-filter", f"There is no filter {str(name)[:40]!r}.", field=str(name)[:40]
                )
        said: dict[str, Any] = {
            name: tuple(part) if isinstance(part, list) else part for name, part in value.items()
        }
        return cls(**said)

    def to_json(self) -> dict[str, Any]:
        """Only what is asked for."""
        said = {one.name: getattr(self, one.name) for one in fields(self)}
        asked = {one.name for one in fields(self) if said[one.name] != one.default}
        return {
            name: list(part) if isinstance(part, tuple) else part
            for name, part in said.items()
            if name in asked
        }


def _bad(name: str, what: str) -> BadInput:
    return BadInput("bad-filter", f"{name} {what}.", field=name)


def _several(name: str, value: object) -> tuple[Any, ...]:
    if not isinstance(value, tuple) or len(value) > MOST_VALUES:
        raise _bad(name, f"is a list of at most {MOST_VALUES} values")
    return value


def _some_of(choices: tuple[Any, ...]) -> Any:
    def check(name: str, value: object) -> None:
        if any(type(one) not in (str, int) or one not in choices for one in _several(name, value)):
            raise _bad(name, f"has values among {', '.join(map(str, choices))}")

    return check


def _numbers(name: str, value: object) -> None:
    if any(type(one) is not int or not 0 < one < 2**63 for one in _several(name, value)):
        raise _bad(name, "has numbers of what the brand has")


def _words(name: str, value: object) -> None:
    for one in _several(name, value):
        if not isinstance(one, str) or not 0 < len(one) <= LONGEST_WORD or "\x00" in one:
            raise _bad(name, f"has keys of at most {LONGEST_WORD} characters")


def _between(least: int, most: int, *, optional: bool = False) -> Any:
    def check(name: str, value: object) -> None:
        if not (optional and value is None) and (type(value) is not int or not least <= value <= most):
            raise _bad(name, f"is a whole number from {least} to {most}")

    return check


def _flag(name: str, value: object) -> None:
    if not isinstance(value, bool):
        raise _bad(name, "is true or false")


_SCORES = _some_of((1, 2, 3, 4, 5))
_CHECKS: Mapping[str, Any] = {
    "activity": _some_of(get_args(Activity)),
    "new_most": _between(1, 1000),
    "regular_from": _between(1, habits.MOST_RECENT - 1),
    "regular_most": _between(1, habits.MOST_RECENT - 1),
    "activity_days": _between(1, MOST_DAYS),
    "asleep_days": _between(1, MOST_DAYS),
    "check": _some_of(get_args(Check)),
    "check_from": _between(0, MOST_MONEY, optional=True),
    "check_to": _between(0, MOST_MONEY, optional=True),
    "recency": _SCORES,
    "frequency": _SCORES,
    "monetary": _SCORES,
    "programmes": _numbers,
    "tiers": _words,
    "home_venues": _numbers,
    "placements": _some_of(get_args(PlacementKind)),
    "staff": _numbers,
    "links": _numbers,
    "visited": _numbers,
    "visited_days": _between(1, MOST_DAYS),
    "birthday_days": _between(0, 366, optional=True),
    "languages": _some_of(get_args(Language)),
    "wallet": _some_of(get_args(Wallet)),
    "silent_days": _between(1, MOST_DAYS),
    "phone": _some_of(get_args(PhoneNumber)),
    "consent": _flag,
}

PRESETS: Mapping[str, Audience] = {
    "everybody": Audience(),
    "new": Audience(activity=("new",)),
    "regular": Audience(activity=("regular",)),
    "constant": Audience(activity=("constant",)),
    "asleep": Audience(activity=("asleep",)),
    "never": Audience(activity=("never",)),
    "low-check": Audience(check=("low",)),
    "middle-check": Audience(check=("middle",)),
    "high-check": Audience(check=("high",)),
    "birthday": Audience(birthday_days=7),
    "best": Audience(recency=(4, 5), frequency=(4, 5), monetary=(4, 5)),
    "leaving": Audience(recency=(1, 2), monetary=(4, 5)),
    "silent": Audience(wallet=("silent",)),
    "removed": Audience(wallet=("removed",)),
    "no-card": Audience(wallet=("none",)),
}
"""What marketers ask for, by name."""
