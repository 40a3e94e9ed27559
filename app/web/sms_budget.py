"""The money that a brand's codes may cost on one day."""

from __future__ import annotations

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import structlog

from app.accounts.brands import Brand
from app.db import Tx
from app.delivery import texts
from app.errors import TooMany
from app.sms.book import BrandTexts
from app.sms.gateway import Price

log = structlog.get_logger()


def midnight(brand: Brand, now: datetime) -> datetime:
    """When the brand's own day began."""
    here = now.astimezone(ZoneInfo(brand.time_zone))
    return here.replace(hour=0, minute=0, second=0, microsecond=0)


def keep_to(tx: Tx, brand: Brand, limits: BrandTexts, price: Price | None, *, now: datetime) -> None:
    """Raise :class:`TooMany` where the day's money would not do for one more, and tell the operator.

    ``price`` None: no rule says what the text costs, so that only the number of codes is bounded.
    """
    if price is None:
        return
    since = midnight(brand, now)
    spent = sum(
        part.amount
        for part in texts.spent_on_codes(tx, brand.id, since=since)
        if part.currency == price.currency
    )
    if spent + price.amount > limits.budget_a_day:
        log.error("sms_budget_spent", brand=brand.slug, spent=spent, budget=limits.budget_a_day)
        raise TooMany(
            "codes-of-budget",
            "No more codes can be sent today. / Сегодня больше кодов отправить нельзя.",
            retry_after=since + timedelta(days=1) - now,
        )
