"""What the report says: verdicts in words, an arm's line of the table, columns of the file."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal
from zoneinfo import ZoneInfo

from babel.dates import format_datetime
from flask_babel import gettext, ngettext

from app.accounts.brands import Brand
from app.campaigns.readings import HELD_OUT
from app.campaigns.store_campaigns import Campaign
from app.campaigns.verdicts import Reading
from app.reports.campaign_export import COLUMNS
from app.reports.campaign_report import ArmNumbers, CampaignReport
from app.web.console import sums
from app.web.console.funnel_numbers import number, percent
from app.web.language import current_language

Tone = Literal["good", "wrong", "calm"]
_LATE = timedelta(minutes=10)


def _(words: str, **values: object) -> str:
    return str(gettext(words, **values))


def headings() -> list[str]:
    """The file's columns, for people."""
    named = {
        "member": _("Guest"),
        "name": _("Name"),
        "phone": _("Phone"),
        "arm": _("Text"),
        "state": _("State"),
        "because": _("Why"),
        "contacted_at": _("Told at"),
        "accepted_at": _("Accepted at"),
        "reached_at": _("Fetched at"),
        "settled_at": _("Over at"),
        "text_parts": _("SMS parts"),
        "text_price": _("SMS price, smallest units"),
        "text_currency": _("Currency"),
    }
    return [named[column] for column in COLUMNS]


@dataclass(frozen=True, slots=True)
class Line:
    """A row of the table: a name and a cell for every arm."""

    name: str
    hint: str
    cells: tuple[str, ...]
    strong: bool = False


@dataclass(frozen=True, slots=True)
class Told:
    """Everything that the page says of one campaign."""

    campaign: Campaign
    found: CampaignReport
    brand: Brand

    def arm_name(self, arm: int) -> str:
        """As the marketer called it."""
        return _("Told nothing") if arm == HELD_OUT else self.campaign.plan.arms[arm - 1].name

    def arms(self) -> list[int]:
        """In the table's order: the arms, then the holdout."""
        numbers = [*range(1, len(self.campaign.plan.arms) + 1)]
        return [*numbers, HELD_OUT] if self.campaign.plan.holdout else numbers

    def readings(self) -> list[tuple[int, Reading]]:
        """The newest of each arm."""
        return [(arm, one.told) for arm, one in sorted(self.found.newest.items()) if one.told is not None]

    def verdict(self, told: Reading) -> tuple[str, Tone]:
        """What it comes to, in a few words."""
        words: dict[str, tuple[str, Tone]] = {
            "earned": (_("It earned"), "good"),
            "cost": (_("It cost"), "wrong"),
            "cannot_tell_yet": (_("Cannot tell yet"), "calm"),
            "cannot_tell": (_("It cannot be told"), "calm"),
            "no_holdout": (_("Nobody was held out"), "calm"),
        }
        return words[told.verdict]

    def sentence(self, arm: int, told: Reading) -> str:
        """The verdict with its numbers: never a bare point estimate."""
        interval = told.interval
        if told.verdict == "no_holdout":
            return _("Without guests who are told nothing, nobody knows what they would have spent anyway.")
        if interval is None:
            return _("Too few guests have bought anything yet to tell.")
        sure = percent(told.confidence)
        between = _(
            "from %(low)s to %(high)s a guest",
            low=self.signed(interval.low),
            high=self.signed(interval.high),
        )
        if told.verdict in ("earned", "cost"):
            guests = self.found.newest[arm].sums.guests
            whole = _(
                "%(low)s to %(high)s in all",
                low=self.signed(interval.low * guests),
                high=self.signed(interval.high * guests),
            )
            return _(
                "Compared with guests who were told nothing: %(between)s, that is %(whole)s (%(sure)s sure).",
                between=between,
                whole=whole,
                sure=sure,
            )
        if told.days_more:
            more = ngettext("about %(num)s more day", "about %(num)s more days", told.days_more)
            return _(
                "The difference lies %(between)s (%(sure)s sure): it may be chance. %(more)s may tell.",
                between=between,
                sure=sure,
                more=more[:1].upper() + more[1:],
            )
        return _(
            "The difference lies %(between)s (%(sure)s sure): it may be chance.", between=between, sure=sure
        )

    def day_words(self) -> str:
        """Which day that was read, and when the next one is."""
        plan = self.campaign.plan
        read = max(self.found.days, default=0)
        if self.campaign.next_reading_at is None:
            return _("Day %(day)s of %(days)s: the final reading.", day=read, days=plan.days) if read else ""
        due = self._clock(self.campaign.next_reading_at + _LATE)
        if not read:
            return _("What it earned is told day by day, first on %(due)s.", due=due)
        return _("Day %(day)s of %(days)s; the next on %(due)s.", day=read, days=plan.days, due=due)

    def lines(self) -> list[Line]:
        """The table: every guest of the audience is in one of the cells of its second part."""
        nobody: Mapping[str, int] = {}
        numbers = {
            arm: self.found.arms.get(arm, ArmNumbers(arm=arm, states=nobody, because={}))
            for arm in self.arms()
        }
        read = self.found.newest
        removals = self.found.removals

        def cells(of: Mapping[int, str]) -> tuple[str, ...]:
            return tuple(of.get(arm, "") for arm in numbers)

        def count(name: str, hint: str, of: Mapping[int, int], *, told: bool = True) -> Line:
            return Line(
                name,
                hint,
                cells({arm: number(value) for arm, value in of.items() if arm != HELD_OUT or not told}),
            )

        lines = [
            Line(
                _("Guests"),
                _("assigned by chance; every one of them counts below, told or not"),
                cells({arm: number(one.guests) for arm, one in numbers.items()}),
                strong=True,
            ),
            count(
                _("Spoken to"),
                _("by the card or a text"),
                {arm: one.contacted for arm, one in numbers.items()},
            ),
            count(
                _("Accepted"),
                _("Apple or Google took it; that proves nothing yet"),
                {arm: one.accepted for arm, one in numbers.items()},
            ),
            count(
                _("Fetched"),
                _("a phone came for the card that said it"),
                {arm: one.fetched for arm, one in numbers.items()},
            ),
            count(_("Texted"), "", {arm: one.texted for arm, one in numbers.items()}),
            count(
                _("Texts delivered"),
                _("as the gateway says"),
                {arm: one.states.get("text_delivered", 0) for arm, one in numbers.items()},
            ),
            Line(
                _("Cost of texts"),
                _("as the gateway says, expected before"),
                cells({arm: self._cost(one) for arm, one in numbers.items() if arm != HELD_OUT}),
            ),
        ]
        if read:
            lines += [
                Line(
                    _("Came back"),
                    _("bought since the beginning"),
                    cells({arm: self._share(one.sums.buyers, one.sums.guests) for arm, one in read.items()}),
                ),
                Line(
                    _("Spent a guest"),
                    _("over all guests, bought or not"),
                    cells({arm: self._mean(one.sums.y, one.sums.guests) for arm, one in read.items()}),
                ),
                Line(_("Spent"), "", cells({arm: self._money(one.sums.y) for arm, one in read.items()})),
            ]
        if removals is not None:
            lines.append(
                Line(
                    _("Cards removed"),
                    _("within 72 hours"),
                    cells(
                        {
                            arm: self._share(removed, numbers[arm].guests)
                            for arm, removed in removals.items()
                            if arm in numbers
                        }
                    ),
                )
            )
        return lines

    def adds_up(self) -> str:
        """How the audience divides, in one sentence."""
        held = self.found.arms.get(None)
        assigned = self.found.audience - (held.guests if held else 0)
        return _(
            "%(audience)s guests in the audience: %(held)s held back before anybody was chosen,"
            " %(assigned)s assigned by chance.",
            audience=number(self.found.audience),
            held=number(held.guests if held else 0),
            assigned=number(assigned),
        )

    def signed(self, amount: float) -> str:
        """Minor units with a sign."""
        said = self._money(abs(amount))
        return f"+{said}" if amount > 0 else f"\N{MINUS SIGN}{said}" if amount < 0 else said

    def _cost(self, one: ArmNumbers) -> str:
        return ", ".join(sums.money(amount, currency) for currency, amount in sorted(one.cost.items())) or "0"

    def _share(self, count: int, of: int) -> str:
        return f"{number(count)} ({percent(count / of)})" if of else number(count)

    def _mean(self, amount: float, guests: int) -> str:
        return self._money(amount / guests) if guests else ""

    def _money(self, amount: float) -> str:
        return sums.money(round(amount), self.brand.currency)

    def _clock(self, moment: datetime) -> str:
        zone = ZoneInfo(self.brand.time_zone)
        return format_datetime(moment.astimezone(zone), "d MMMM, HH:mm", locale=current_language())
