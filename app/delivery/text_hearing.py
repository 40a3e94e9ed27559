"""What gateways tell of texts that they took, and what they are asked: how far a text came, what it cost."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from app.db import Tx
from app.db.identifiers import DeliveryId
from app.delivery import store_text_receipts, store_texts
from app.delivery.store_text_receipts import Meant
from app.delivery.text_promises import ReceiptTold, TextState, ToAsk

ASK_FOR: Final = timedelta(days=2)
"""A gateway that told nothing of a text for so long is not asked any more, nor what the text cost."""
PRICE_AFTER: Final = timedelta(minutes=1)
"""A receipt without a price: the gateway is asked for it then; Twilio knows it some time after sending."""


@dataclass(frozen=True, slots=True)
class Hearing:
    """What receipts changed, and those that name no text of ours: perhaps its answer is not settled yet."""

    changed: tuple[DeliveryId, ...]
    priced: tuple[DeliveryId, ...]  # what they cost was told
    strangers: tuple[ReceiptTold, ...]


def hear_receipts(tx: Tx, told: Sequence[ReceiptTold], *, now: datetime) -> int:
    """Write what gateways tell of texts; returns how many changed their state. See :func:`hear`."""
    return len(hear(tx, told, now=now).changed)


def hear(tx: Tx, told: Sequence[ReceiptTold], *, now: datetime) -> Hearing:
    """Write what gateways tell of texts, in whatever order and how often they tell it.

    ``delivered`` is final; an ``undelivered`` may still be. A receipt that comes before the answer to
    sending, or for a text that was given up, proves that it was taken. A price is the gateway's to tell,
    whatever state the text is in; where a receipt comes without one, it is asked for later.
    """
    rows = store_text_receipts.meant(tx, told)
    by_reference = {(row.login, row.reference): row for row in rows if row.attempts}
    by_provider = _by_provider(rows, now)
    heard: dict[DeliveryId, ReceiptTold] = {}
    prices: dict[DeliveryId, tuple[int, str]] = {}
    strangers: list[ReceiptTold] = []
    states: dict[DeliveryId, TextState] = {row.id: row.state for row in rows}
    for one in told:
        row: Meant | None = by_reference.get((one.login, one.reference)) if one.reference else None
        row = row or (by_provider.get((one.login, one.provider_id)) if one.provider_id else None)
        if row is None:
            strangers.append(one)
            continue
        if one.price is not None and one.currency:
            prices[row.id] = one.price, one.currency
        if states[row.id] not in store_text_receipts.FINAL and states[row.id] != one.state:
            states[row.id] = one.state
            heard[row.id] = one
    known = {row.id for row in rows if row.price_told} | prices.keys()
    changed = [(row, one, None if row in known else now + PRICE_AFTER) for row, one in heard.items()]
    store_text_receipts.hear(tx, changed, now=now)
    store_text_receipts.price(tx, [(row, amount, currency) for row, (amount, currency) in prices.items()])
    store_texts.forget_codes(tx, heard)
    return Hearing(tuple(heard), tuple(prices), tuple(strangers))


def _by_provider(rows: Sequence[Meant], now: datetime) -> Mapping[tuple[str, str], Meant]:
    """Texts by the gateway's name for them. Centres count anew after a restart: an unfinished text is meant
    before a finished one, a newer before an older, and none that was finished long ago."""
    recent = [
        row
        for row in rows
        if not (row.finished and row.settled_at is not None and now - row.settled_at > ASK_FOR)
    ]
    ordered = sorted(recent, key=lambda row: (not row.finished, row.id))
    return {(row.login, row.provider_id): row for row in ordered if row.provider_id}


def to_ask(tx: Tx, login: str, *, accepted_before: datetime, limit: int = 50, after: int = 0) -> list[ToAsk]:
    """Texts that the gateway took before then and told nothing about since, by id, those above ``after``."""
    return store_text_receipts.unanswered(
        tx,
        login,
        accepted_after=accepted_before - ASK_FOR,
        accepted_before=accepted_before,
        after=after,
        limit=limit,
    )


def to_price(tx: Tx, login: str, *, now: datetime, limit: int = 50) -> list[ToAsk]:
    """Texts whose receipts came without a price, and whose turn it is to be asked for."""
    return store_text_receipts.unpriced(tx, login, now=now, limit=limit)


def prices_asked(tx: Tx, asked: Sequence[ToAsk], *, now: datetime) -> None:
    """Note that the gateway is asked now: it is asked again in three times as long, for two days at most."""
    later: list[tuple[DeliveryId, datetime | None]] = []
    for one in asked:
        again = now + max(PRICE_AFTER, 2 * (now - one.accepted_at))
        later.append((one.id, again if again - one.accepted_at <= ASK_FOR else None))
    store_text_receipts.ask_later(tx, later)
