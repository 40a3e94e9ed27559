"""A programme's rules as fields of a form, and back."""

from __future__ import annotations

from babel.numbers import get_currency_precision
from flask_babel import gettext as _

from app.loyalty.checks import MOST_MONEY
from app.loyalty.rules import BonusRules, Kind, PointRules, Rules, StampRules, Tier, TieredRules
from app.passes.content import LocalizedText
from app.web.console.forms import Form
from app.web.console.sums import decimal, typed

MOST_TIERS = 5
_PERCENT = 2
"""Digits after the point of a share: rules count in hundredths of a per cent."""
_MOST_WELCOME = 1_000_000_00
_LONGEST_LIFE = 3650


def filled(rules: Rules, currency: str, *, name: str) -> Form:
    """The form as these rules fill it."""
    values: dict[str, object] = {"name": name}
    match rules:
        case BonusRules(cashback=cashback, points=life):
            values |= {"cashback": typed(cashback, _PERCENT), **_life(life)}
        case StampRules():
            values |= {
                "for_reward": rules.for_reward,
                "reward_ru": rules.reward.ru,
                "reward_en": rules.reward.en,
            }
        case TieredRules(tiers=tiers, window_days=window, points=life):
            digits = get_currency_precision(currency)
            values |= {"window_days": window, **_life(life)}
            for number in range(1, MOST_TIERS + 1):
                tier = tiers[number - 1] if number <= len(tiers) else None
                values |= {
                    f"tier_name_ru_{number}": tier.name.ru if tier else "",
                    f"tier_name_en_{number}": tier.name.en if tier else "",
                    f"tier_from_{number}": typed(tier.spend_from, digits) if tier else "",
                    f"tier_cashback_{number}": typed(tier.cashback, _PERCENT) if tier else "",
                }
    return Form.of(**values)


def understood(form: Form, kind: Kind, currency: str, *, before: Rules | None = None) -> Rules | None:
    """The rules that were typed; None where something is wrong, which the form then says.

    What the form does not show stays as it was ``before``.
    """
    match kind:
        case "bonus":
            cashback = decimal(form, "cashback", digits=_PERCENT, least=0, most=10_000)
            points = _points(form)
            return BonusRules(cashback=cashback or 0, points=points) if form.ok else None
        case "stamp":
            wanted = form.whole("for_reward", least=1, most=100)
            reward = LocalizedText(form.text("reward_ru", longest=40), form.text("reward_en", longest=40))
            each = before.per_receipt if isinstance(before, StampRules) else 1
            return StampRules(per_receipt=each, for_reward=wanted or 1, reward=reward) if form.ok else None
        case _:
            window = form.whole("window_days", least=1, most=_LONGEST_LIFE)
            points = _points(form)
            tiers = _tiers(form, currency, before if isinstance(before, TieredRules) else None)
            return TieredRules(tiers=tiers, window_days=window or 1, points=points) if form.ok else None


def _life(points: PointRules) -> dict[str, object]:
    return {
        "welcome": typed(points.welcome, 2),
        "lifetime_days": points.lifetime_days,
        "maximum_share": typed(points.maximum_share, _PERCENT) if points.maximum_share else "",
    }


def _points(form: Form) -> PointRules:
    return PointRules(
        welcome=decimal(form, "welcome", digits=2, least=0, most=_MOST_WELCOME, needed=False) or 0,
        lifetime_days=form.whole("lifetime_days", least=1, most=_LONGEST_LIFE, needed=False),
        maximum_share=decimal(form, "maximum_share", digits=_PERCENT, least=100, most=10_000, needed=False),
    )


def _tiers(form: Form, currency: str, before: TieredRules | None) -> tuple[Tier, ...]:
    """The tiers with a name, lowest first; those that were there keep their keys by their place."""
    digits, found = get_currency_precision(currency), list[Tier]()
    for number in range(1, MOST_TIERS + 1):
        fields = [f"tier_{key}_{number}" for key in ("name_ru", "name_en", "from", "cashback")]
        if not any(form[field].strip() for field in fields):
            continue
        names = [form.text(field, longest=40) for field in fields[:2]]
        spend = decimal(form, fields[2], digits=digits, least=0, most=MOST_MONEY)
        share = decimal(form, fields[3], digits=_PERCENT, least=0, most=10_000)
        if spend is not None and not found and spend != 0:
            form.errors.setdefault(fields[2], _("The lowest tier begins at 0, so that everyone has one."))
        if spend is not None and found and spend <= found[-1].spend_from:
            form.errors.setdefault(fields[2], _("More than the tier before it asks for."))
        place = len(found)
        key = before.tiers[place].key if before and place < len(before.tiers) else f"tier-{place + 1}"
        name = LocalizedText(*names)
        found.append(Tier(key=key, name=name, spend_from=spend or 0, cashback=share or 0))
    if not found:
        form.errors.setdefault("tier_name_ru_1", _("Please fill this in."))
    return tuple(found)
