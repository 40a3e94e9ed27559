"""What a redemption may take: as much as the rules, the receipt and the card allow."""

from __future__ import annotations

from app.errors import BadInput, Conflict
from app.loyalty import checks, points, wording
from app.loyalty.account import Account
from app.loyalty.rules import StampRules, point_rules
from app.loyalty.till_words import Redemption

MOST_POINTS = 10**12


def worth(wanted: int, account: Account) -> int:
    """Minor units that so many points pay; raises where the programme has none, or no coin is that small."""
    if point_rules(account.rules) is None:
        raise BadInput("no-points", "This programme has stamps, not points.", field="points")
    if not 1 <= wanted <= MOST_POINTS:
        raise BadInput("bad-points", "Points are hundredths, at least 1.", field="points")
    currency = account.currency
    paid = points.worth(wanted, currency=currency)
    if paid is None:
        raise BadInput(
            "points-not-payable",
            f"{wanted} hundredths of a point are no whole amount of {currency}.",
            field="points",
        )
    return paid


def refuse_too_many(account: Account, redemption: Redemption, wanted: int, paid: int) -> None:
    """Raise where the rules, the receipt or the balance allow fewer than ``wanted``, which pay ``paid``."""
    currency = account.currency
    if redemption.amount is not None:
        checks.money(redemption.amount, redemption.currency, currency)
    rules = point_rules(account.rules)
    share = rules.maximum_share if rules else None
    if share is not None:
        if redemption.amount is None:
            raise BadInput(
                "amount-needed",
                "This programme limits which part of a receipt points may pay: send amount and currency.",
                field="amount",
            )
        most = points.most_payable(redemption.amount, share, currency=currency)
        if wanted > most:
            raise Conflict(
                "share-exceeded",
                f"At most {wording.number(most, 'en')} points may pay for this receipt.",
            )
    if redemption.amount is not None and paid > redemption.amount:
        raise Conflict("more-than-due", "That is more than the receipt's amount.")
    if wanted > account.enrolment.balance:
        have = wording.number(account.enrolment.balance, "en")
        raise Conflict("not-enough-points", f"There are {have} points on this card.")


def reward_stamps(account: Account) -> int:
    """How many stamps the reward takes; raises where there are fewer, or the programme has none."""
    rules = account.rules
    if not isinstance(rules, StampRules):
        raise BadInput("no-reward", "This programme has points, not rewards.", field="reward")
    if account.enrolment.stamps < rules.for_reward:
        missing = rules.for_reward - account.enrolment.stamps
        raise Conflict("not-enough-stamps", f"{wording.counted(missing, 'en')} are missing for the reward.")
    return rules.for_reward
