"""What the console says of a programme: its kind, and its rules in one sentence."""

from __future__ import annotations

from typing import assert_never

from flask_babel import gettext as _
from flask_babel import ngettext

from app.loyalty.rules import BonusRules, Kind, Rules, StampRules, TieredRules
from app.web.console.sums import money, points, typed
from app.web.language import current_language


def kind_words(kind: Kind) -> tuple[str, str]:
    """The kind's name, and what it means."""
    return {
        "bonus": (_("Points"), _("A part of every bill comes back in points.")),
        "stamp": (_("Stamps"), _("Every bill is a stamp; so many stamps are a gift.")),
        "tiered": (_("Tiers"), _("The more a guest spends, the more comes back.")),
    }[kind]


def rules_words(rules: Rules, currency: str) -> str:
    """The rules in one sentence, for a list."""
    match rules:
        case BonusRules(cashback=cashback, points=life):
            said = str(_("%(share)s %% back", share=typed(cashback, 2)))
            return f"{said}, {_welcome(life.welcome)}" if life.welcome else said
        case StampRules(for_reward=wanted, reward=reward):
            gift = reward.ru if current_language() == "ru" else reward.en
            return str(ngettext("%(num)s stamp: %(gift)s", "%(num)s stamps: %(gift)s", wanted, gift=gift))
        case TieredRules(tiers=tiers):
            said = _(
                "%(number)s tiers, %(least)s to %(most)s %% back, the highest from %(sum)s",
                number=len(tiers), least=typed(tiers[0].cashback, 2), most=typed(tiers[-1].cashback, 2),
                sum=money(tiers[-1].spend_from, currency),
            )  # fmt: skip
            return str(said)
        case _:
            assert_never(rules)


def _welcome(amount: int) -> str:
    return str(_("%(points)s points to begin with", points=points(amount)))
