"""What a marketer wrote: words for each arm, who is meant, how the cascade goes, how it is judged.

Checked when it is made, so that whatever is kept can be sent. To and from JSON, as it is kept.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any, Literal, Self, get_args

from app.campaigns.assignment import USUAL_HOLDOUT, Split, split
from app.campaigns.audience import Audience
from app.campaigns.merge_fields import OF_OFFERS, fields
from app.db.identifiers import ProgrammeId
from app.errors import BadInput
from app.passes.content import LocalizedText

Timing = Literal["at_once", "best_hour"]
"""When a guest is spoken to once the campaign runs: now, or before the guest's usual visit."""
TextsTo = Literal["nobody", "unreached", "unreached_and_cardless"]
"""Whom texts go to: nobody, those whom the card did not reach, and those who have no card besides."""

_EVERYBODY = Audience()
LONGEST_LINE = 500
LONGEST_SMS = 600
LONGEST_ARM_NAME = 60
MOST_DAYS = 90
LONGEST_DEADLINE = 24 * 60
SHORTEST_DEADLINE = 5
LONGEST_PATIENCE = 14 * 24
LONGEST_CANARY = 24 * 60
SHORTEST_CANARY = 5
MOST_TEXTS = 10_000_000
MOST_MONEY = 10**12


@dataclass(frozen=True, slots=True, kw_only=True)
class Arm:
    """One way to say it; merge fields are in braces, see :mod:`app.campaigns.merge_fields`."""

    name: str
    line: LocalizedText  # on the lock screen
    sms: LocalizedText | None = None  # None: the line is what is texted
    weight: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """A campaign as it was written."""

    arms: tuple[Arm, ...]
    audience: Audience = _EVERYBODY
    programme_id: ProgrammeId | None = None  # whose card speaks; None: any card of the guest
    holdout: int = USUAL_HOLDOUT  # of app.campaigns.assignment.WHOLE
    days: int = 14  # from the beginning until the final reading
    timing: Timing = "at_once"
    deadline_minutes: int = 30  # from the accepted push, until the guest counts as not reached
    patience_hours: int = 24  # from the beginning of a guest's turn, until the line is stale
    google_accepted_suffices: bool = True
    texts_to: TextsTo = "nobody"
    budget: int | None = None  # minor units of the login's currency; None: none but most_texts
    most_texts: int | None = None
    canary_minutes: int | None = 30  # None: everybody at once

    def __post_init__(self) -> None:
        """Raises BadInput, naming the field, for what cannot be sent."""
        split(self.holdout, [arm.weight for arm in self.arms])
        for index, arm in enumerate(self.arms):
            _check_arm(arm, index)
        if len({arm.name for arm in self.arms}) < len(self.arms):
            raise BadInput("bad-arms", "Give each text a name of its own.", field="arms")
        _one_of("timing", self.timing, Timing)
        _one_of("texts_to", self.texts_to, TextsTo)
        _between("days", self.days, 1, MOST_DAYS)
        _between("deadline_minutes", self.deadline_minutes, SHORTEST_DEADLINE, LONGEST_DEADLINE)
        _between("patience_hours", self.patience_hours, 1, LONGEST_PATIENCE)
        if self.patience_hours * 60 < self.deadline_minutes:
            raise BadInput(
                "bad-deadline", "The line must hold at least until the deadline.", field="patience_hours"
            )
        for name, value, least, most in (
            ("budget", self.budget, 0, MOST_MONEY),
            ("most_texts", self.most_texts, 0, MOST_TEXTS),
            ("canary_minutes", self.canary_minutes, SHORTEST_CANARY, LONGEST_CANARY),
        ):
            if value is not None:
                _between(name, value, least, most)
        if self.texts_to != "nobody" and self.budget is None and self.most_texts is None:
            raise BadInput(
                "no-budget", "Say how much the texts may cost, or how many there may be.", field="budget"
            )

    @property
    def split(self) -> Split:
        """How the audience is divided."""
        return Split(self.holdout, tuple(arm.weight for arm in self.arms))

    @property
    def deadline(self) -> timedelta:
        """How long a fetch is waited for, from the accepted push."""
        return timedelta(minutes=self.deadline_minutes)

    @property
    def patience(self) -> timedelta:
        """How long the line may wait to be seen."""
        return timedelta(hours=self.patience_hours)

    @property
    def line_fields(self) -> frozenset[str]:
        """The merge fields of a guest's own that any arm's line names."""
        named = (name for arm in self.arms for text in (arm.line.ru, arm.line.en) for name in fields(text))
        return frozenset(name for name in named if name not in OF_OFFERS)

    def sms(self, arm: int) -> LocalizedText:
        """What the guests of arm number ``arm`` (from 1) are texted."""
        found = self.arms[arm - 1]
        return found.sms or found.line

    def to_json(self) -> dict[str, Any]:
        """To be kept."""
        return {
            "arms": [
                {
                    "name": arm.name,
                    "line": arm.line.to_json(),
                    "sms": arm.sms.to_json() if arm.sms else None,
                    "weight": arm.weight,
                }
                for arm in self.arms
            ],
            "audience": self.audience.to_json(),
            **{name: getattr(self, name) for name in _PLAIN},
        }

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Self:
        """As :meth:`to_json` made it."""
        arms = tuple(
            Arm(
                name=one["name"],
                line=LocalizedText(**one["line"]),
                sms=LocalizedText(**one["sms"]) if one["sms"] else None,
                weight=one["weight"],
            )
            for one in value["arms"]
        )
        plain = {name: value[name] for name in _PLAIN if name in value}
        return cls(arms=arms, audience=Audience.from_json(value["audience"]), **plain)

    def with_audience(self, audience: Audience) -> Self:
        """The same for others."""
        return replace(self, audience=audience)


_PLAIN = (
    "programme_id",
    "holdout",
    "days",
    "timing",
    "deadline_minutes",
    "patience_hours",
    "google_accepted_suffices",
    "texts_to",
    "budget",
    "most_texts",
    "canary_minutes",
)


def _check_arm(arm: Arm, index: int) -> None:
    field = f"arms.{index}"
    if not 0 < len(arm.name.strip()) <= LONGEST_ARM_NAME:
        raise BadInput(
            "bad-arms", f"A text's name has 1 to {LONGEST_ARM_NAME} characters.", field=f"{field}.name"
        )
    for language in ("ru", "en"):
        line = arm.line.in_language(language)
        if not 0 < len(line.strip()) <= LONGEST_LINE or "\x00" in line:
            raise BadInput(
                "bad-line",
                f"The line has 1 to {LONGEST_LINE} characters in each language.",
                field=f"{field}.line.{language}",
            )
        sms = arm.sms.in_language(language) if arm.sms else "-"
        if not 0 < len(sms.strip()) <= LONGEST_SMS or "\x00" in sms:
            raise BadInput(
                "bad-sms",
                f"A text message has 1 to {LONGEST_SMS} characters in each language.",
                field=f"{field}.sms.{language}",
            )


def _one_of(name: str, value: object, choices: Any) -> None:
    if value not in get_args(choices):
        raise BadInput("bad-plan", f"{name} is one of {', '.join(get_args(choices))}.", field=name)


def _between(name: str, value: object, least: int, most: int) -> None:
    if type(value) is not int or not least <= value <= most:
        raise BadInput("bad-plan", f"{name} is a whole number from {least} to {most}.", field=name)
