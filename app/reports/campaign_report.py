"""What a campaign did, arm by arm: whom it was for, whom it reached and how, what that cost and brought.

Every guest of the audience is in exactly one state, so the columns of an arm add up to those assigned to it,
and the arms, the holdout and those who were held back before add up to the audience.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from sqlalchemy import and_, case, func, select

from app.campaigns import readings
from app.campaigns.readings import ArmDay
from app.campaigns.store_campaigns import Campaign
from app.campaigns.tables import recipient
from app.db import Tx
from app.passes.announcement_tables import announcement

REMOVALS_AFTER: Final = 3
"""Days, 72 hours, after which cards that were removed are told."""
TEXTED: Final = frozenset({"texting", "text_accepted", "text_delivered", "text_failed"})


@dataclass(frozen=True, slots=True, kw_only=True)
class ArmNumbers:
    """Of the guests of an arm (0: the holdout), or of those held back before the assignment (None)."""

    arm: int | None
    states: Mapping[str, int]  # every guest in one of them
    because: Mapping[tuple[str, str], int]  # of those states that say why
    contacted: int = 0
    accepted: int = 0  # by Apple for a phone, or by Google
    fetched: int = 0  # a phone came for the card that said it
    texted: int = 0  # a text was promised
    texts_that_left: int = 0  # as far as is known: those that cost something
    parts: int = 0
    cost: Mapping[str, int] = field(default_factory=dict)  # by currency, minor units

    @property
    def guests(self) -> int:
        """All of them."""
        return sum(self.states.values())


@dataclass(frozen=True, slots=True, kw_only=True)
class CampaignReport:
    """All of it; ``days``: what was told each day, by arm."""

    arms: Mapping[int | None, ArmNumbers]
    days: Mapping[int, Mapping[int, ArmDay]]

    @property
    def audience(self) -> int:
        """Guests who were walked so far."""
        return sum(one.guests for one in self.arms.values())

    @property
    def newest(self) -> Mapping[int, ArmDay]:
        """The last day that was read; empty where none was."""
        return self.days[max(self.days)] if self.days else {}

    @property
    def removals(self) -> Mapping[int, ArmDay] | None:
        """The day, by arm, that tells of 72 hours; None before."""
        return self.days.get(REMOVALS_AFTER)

    def state(self, *names: str) -> int:
        """How many guests are in any of these states."""
        return sum(one.states.get(name, 0) for one in self.arms.values() for name in names)


def campaign_report(tx: Tx, campaign: Campaign) -> CampaignReport:
    """As it is now; two walks along the campaign's recipients."""
    counted = _counted(tx, campaign)
    fetched = _fetched(tx, campaign)
    days: dict[int, dict[int, ArmDay]] = {}
    for one in readings.of_campaign(tx, campaign.id):
        days.setdefault(one.day, {})[one.arm] = one
    arms: dict[int | None, ArmNumbers] = {}
    for arm, rows in counted.items():
        states: dict[str, int] = {}
        because: dict[tuple[str, str], int] = {}
        cost: dict[str, int] = {}
        for row in rows:
            states[row.state] = states.get(row.state, 0) + row.guests
            if row.because is not None:
                key = (row.state, row.because)
                because[key] = because.get(key, 0) + row.guests
            if row.text_currency is not None:
                cost[row.text_currency] = cost.get(row.text_currency, 0) + int(row.price)
        arms[arm] = ArmNumbers(
            arm=arm,
            states=states,
            because=because,
            contacted=sum(row.contacted for row in rows),
            accepted=sum(row.accepted for row in rows),
            fetched=fetched.get(arm, 0),
            texted=sum(row.texted for row in rows),
            texts_that_left=sum(row.texted for row in rows if row.text_currency is not None),
            parts=sum(int(row.parts) for row in rows),
            cost=cost,
        )
    return CampaignReport(arms=arms, days=days)


def _counted(tx: Tx, campaign: Campaign) -> dict[int | None, list[_Row]]:
    columns = recipient.c
    spoken = and_(columns.contact_at.is_not(None), columns.state != "waiting")
    rows = tx.execute(
        select(
            columns.arm,
            columns.state,
            columns.because,
            columns.text_currency,
            func.count(),
            func.sum(case((spoken, 1), else_=0)),
            func.count(columns.accepted_at),
            func.count(columns.delivery_id),
            func.coalesce(func.sum(columns.text_parts), 0),
            func.coalesce(func.sum(columns.text_price), 0),
        )
        .where(columns.campaign_id == campaign.id)
        .group_by(columns.arm, columns.state, columns.because, columns.text_currency)
    )
    found: dict[int | None, list[_Row]] = {}
    for row in rows:
        one = _Row(*tuple(row)[1:])
        found.setdefault(row[0], []).append(one)
    return found


def _fetched(tx: Tx, campaign: Campaign) -> dict[int | None, int]:
    """Those for whose card a phone came, also after the deadline."""
    rows = tx.execute(
        select(recipient.c.arm, func.count())
        .join(
            announcement,
            and_(
                announcement.c.pass_id == recipient.c.pass_id,
                announcement.c.name == campaign.announcement,
                announcement.c.ending == "fetched",
            ),
        )
        .where(recipient.c.campaign_id == campaign.id)
        .group_by(recipient.c.arm)
    )
    return {row[0]: row[1] for row in rows}


@dataclass(frozen=True, slots=True)
class _Row:
    state: str
    because: str | None
    text_currency: str | None
    guests: int
    contacted: int
    accepted: int
    texted: int
    parts: int
    price: int
