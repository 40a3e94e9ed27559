"""A programme's rules: what a receipt earns and what it leads to, typed, validated, and as JSON.

One kind of rules per kind of programme. Points are hundredths, money is minor units of the brand's
currency, shares and cashback are basis points (10,000 = everything).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import lru_cache
from typing import Annotated, Any, ClassVar, Literal, assert_never

from pydantic import ConfigDict, Field, TypeAdapter, ValidationError

from app.errors import BadInput
from app.loyalty.checks import MOST_MONEY
from app.passes.content import LocalizedText

Kind = Literal["bonus", "stamp", "tiered"]

_STRICT = ConfigDict(extra="forbid", strict=True)
_Share = Annotated[int, Field(ge=0, le=10_000)]
_MOST_POINTS = 100_000_000_00


@dataclass(frozen=True, slots=True, kw_only=True)
class PointRules:
    """What bonus and tiered programmes share: the life of a point and how it may be spent."""

    __pydantic_config__: ClassVar[ConfigDict] = _STRICT

    welcome: Annotated[int, Field(ge=0, le=_MOST_POINTS)] = 0  # hundredths, given at enrolment
    lifetime_days: Annotated[int, Field(ge=1, le=3650)] | None = None  # None: points never expire
    # The largest part of a receipt that may be paid with points; None: all of it, and nobody asks.
    maximum_share: Annotated[int, Field(ge=1, le=10_000)] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class BonusRules:
    """Every receipt earns the same share of itself."""

    __pydantic_config__: ClassVar[ConfigDict] = _STRICT

    cashback: _Share
    points: PointRules = field(default_factory=PointRules)


@dataclass(frozen=True, slots=True, kw_only=True)
class Tier:
    """A level, reached by spending ``spend_from`` within the window."""

    __pydantic_config__: ClassVar[ConfigDict] = _STRICT

    key: Annotated[str, Field(pattern=r"^[a-z][a-z0-9-]{0,31}$")]
    name: LocalizedText
    spend_from: Annotated[int, Field(ge=0, le=MOST_MONEY)]
    cashback: _Share


@dataclass(frozen=True, slots=True, kw_only=True)
class TieredRules:
    """The share that a receipt earns grows with what was spent in the last ``window_days`` days."""

    __pydantic_config__: ClassVar[ConfigDict] = _STRICT

    tiers: Annotated[tuple[Tier, ...], Field(min_length=1, max_length=10)]  # lowest first
    window_days: Annotated[int, Field(ge=1, le=3650)]
    points: PointRules = field(default_factory=PointRules)

    def tier(self, key: str | None) -> Tier:
        """The tier named ``key``; the lowest for a key that these rules do not know."""
        return next((tier for tier in self.tiers if tier.key == key), self.tiers[0])


@dataclass(frozen=True, slots=True, kw_only=True)
class StampRules:
    """Receipts earn stamps, enough stamps earn a reward."""

    __pydantic_config__: ClassVar[ConfigDict] = _STRICT

    per_receipt: Annotated[int, Field(ge=1, le=100)] = 1
    for_reward: Annotated[int, Field(ge=1, le=100)]
    reward: LocalizedText


Rules = BonusRules | TieredRules | StampRules

_ADAPTERS: dict[Kind, TypeAdapter[Any]] = {
    "bonus": TypeAdapter(BonusRules),
    "tiered": TypeAdapter(TieredRules),
    "stamp": TypeAdapter(StampRules),
}
_ANY: TypeAdapter[Any] = TypeAdapter(Any)


def kind_of(rules: Rules) -> Kind:
    """The kind of programme that has such rules."""
    match rules:
        case BonusRules():
            return "bonus"
        case TieredRules():
            return "tiered"
        case StampRules():
            return "stamp"
        case _:
            assert_never(rules)


def to_json(rules: Rules) -> dict[str, Any]:
    """For the ``programme.rules`` column; the inverse of :func:`from_json`."""
    document: dict[str, Any] = _ADAPTERS[kind_of(rules)].dump_python(rules, mode="json")
    return document


def from_json(kind: str, document: object) -> Rules:
    """Rules of a programme of this kind; raises :class:`BadInput` that names every fault, a line each."""
    known = next((one for one in _ADAPTERS if one == kind), None)
    if known is None:
        raise BadInput(
            "unknown-kind", f"The kind is one of bonus, stamp, tiered; not {kind!r}.", field="kind"
        )
    # Through JSON, where a list may stand for a tuple while everything else stays strict.
    return _understood(known, _ANY.dump_json(document))


@lru_cache(1000)  # tills ask for the same few at every receipt
def _understood(kind: Kind, document: bytes) -> Rules:
    try:
        rules: Rules = _ADAPTERS[kind].validate_json(document)
    except ValidationError as invalid:
        raise _bad(
            [f"{'.'.join(map(str, fault['loc'])) or 'rules'}: {fault['msg']}" for fault in invalid.errors()]
        ) from None
    if faults := _contradictions(rules):
        raise _bad(faults)
    return rules


def checked(rules: Rules) -> Rules:
    """The same rules, or :class:`BadInput` that names every fault, a line each."""
    return from_json(kind_of(rules), to_json(rules))


def point_rules(rules: Rules) -> PointRules | None:
    """How points live in this programme; None where it has no points."""
    return None if isinstance(rules, StampRules) else rules.points


def _bad(faults: list[str]) -> BadInput:
    return BadInput("bad-rules", "\n".join(faults), field="rules")


def _contradictions(rules: Rules) -> list[str]:
    """What single values cannot tell: names left out, tiers out of order."""
    faults: list[str] = []
    match rules:
        case StampRules():
            faults += _nameless("reward", rules.reward)
        case TieredRules(tiers=tiers):
            for position, tier in enumerate(tiers):
                faults += _nameless(f"tiers.{position}.name", tier.name)
            if len({tier.key for tier in tiers}) < len(tiers):
                faults.append("tiers: every tier needs a key of its own")
            if tiers[0].spend_from != 0:
                faults.append("tiers.0.spend_from: the lowest tier begins at 0, so that everyone has one")
            for position in range(1, len(tiers)):
                if tiers[position].spend_from <= tiers[position - 1].spend_from:
                    faults.append(
                        f"tiers.{position}.spend_from: must be more than the tier before it asks for"
                    )
        case BonusRules():
            pass
    return faults


def _nameless(where: str, name: LocalizedText) -> list[str]:
    return [
        f"{where}.{language}: 1 to 40 characters"
        for language, words in (("ru", name.ru), ("en", name.en))
        if not 1 <= len(words.strip()) <= 40
    ]
