"""What a look at a recipient finds: it is settled, its next step has come, or it is looked at again. Pure.

The rhythm of looks: a recipient that nothing is known of yet is looked at again after a quarter of the time
that it has waited, an hour at most, so that a day costs some forty looks.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final, Literal

from app.campaigns.store_cascade import Recipient
from app.campaigns.store_proofs import TextFacts, Told
from app.delivery.texts import ASK_FOR
from app.passes.announcing import HEARD_FOR, Known

Because = Literal[
    "no_text",
    "no_number",
    "no_consent",
    "silenced",
    "budget",
    "no_price",
    "no_login",
    "bad_text",
    "offer_over",
    "same_number",
    "merged",
    "left",
    "stopped",
    "cancelled",
]
"""Why a guest whom the card did not reach was not texted either."""

REACHED: Final = "Reached"
CANCELLED: Final = "CampaignCancelled"
FORGOTTEN: Final = "Forgotten"
"""Reasons of texts that were not sent: the card was fetched meanwhile, the campaign was cancelled; and of one
that nothing is known of any more."""

FIRST_LOOK: Final = timedelta(minutes=1)
"""So long after a card spoke most phones have come: whoever looks on sees it, and deadlines are known."""

HALTED: Final = ("paused", "stopped")
_SOON: Final = timedelta(seconds=3)
_SOONEST, _LATEST = timedelta(seconds=10), timedelta(hours=1)
_HALTED_SOONEST, _HALTED_LATEST = timedelta(minutes=1), timedelta(minutes=10)
_RECEIPT_SOONEST, _RECEIPT_LATEST = timedelta(seconds=20), timedelta(hours=6)


@dataclass(frozen=True, slots=True, kw_only=True)
class Card:
    """What is known of the card that speaks to a recipient."""

    message: Known | None  # None: the card is void, and its messages with it
    phones: Told | None  # None: no phone that pushes reach has it
    google: Told | None  # None: nobody holds it there


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """What a campaign asks of looks."""

    state: str
    deadline: timedelta
    patience: timedelta
    google_suffices: bool
    watermark: datetime  # until then every fetch is known
    never_quiet: Callable[[Recipient, datetime], datetime]  # the moment, moved out of the guest's quiet hours


def unreached(one: Recipient, because: Because, now: datetime) -> Recipient:
    """Nothing more is done for it."""
    return replace(one, state="unreached", because=because, look_at=None, settled_at=now)


def of_card(one: Recipient, card: Card, rules: Rules, now: datetime) -> tuple[Recipient, bool]:
    """The recipient as it stands; and whether its next step has come: nobody fetched until the deadline."""
    told = card.phones or card.google
    one = replace(one, accepted_at=told.accepted_at if told else one.accepted_at)
    if card.message is not None and card.message.ending == "fetched":
        return _reached(one, card.message.ended_at or now, now), False
    if rules.state == "cancelled":
        return unreached(one, "cancelled", now), False
    until = one.contact_at + rules.patience
    deadline = _deadline(one, card, rules, until, now)
    if deadline == "google":
        return replace(one, state="google_accepted", look_at=None, settled_at=now), False
    if deadline is None:
        return replace(one, deadline_at=None, look_at=min(_again(one.contact_at, now), until)), False
    one = replace(one, deadline_at=deadline)
    if deadline > now:
        return replace(one, look_at=deadline), False
    if deadline > rules.watermark:
        return replace(one, look_at=now + _SOON), False
    if rules.state in HALTED:
        if now >= until + HEARD_FOR:
            return unreached(one, "stopped", now), False
        return replace(one, look_at=_again(deadline, now, _HALTED_SOONEST, _HALTED_LATEST)), False
    return one, True


def _deadline(
    one: Recipient, card: Card, rules: Rules, until: datetime, now: datetime
) -> datetime | Literal["google"] | None:
    """Until when a fetch is waited for; None: not known yet, a push may still leave."""
    hopeless = min(one.deadline_at or now, now)
    message = card.message
    if message is None or message.ending is not None:
        return min(hopeless, until)
    if message.version is None:  # it waits for its place on the card
        return until if now >= until else None
    told = card.phones or card.google
    if told is None:
        return hopeless
    if told.accepted_at is not None:
        if card.phones is None:
            return "google" if rules.google_suffices else hopeless
        return min(rules.never_quiet(one, told.accepted_at + rules.deadline), until)
    if told.given_up and not told.under_way:
        return hopeless
    return until if now >= until else None


def of_text(one: Recipient, text: TextFacts | None, message: Known | None, now: datetime) -> Recipient:
    """The recipient of a promised text: settled, or to be looked at again."""
    fetched_at = message.ended_at if message is not None and message.ending == "fetched" else None
    one = replace(one, reached_at=fetched_at)
    if text is None:
        return _failed(one, FORGOTTEN, now)
    if text.state in ("pending", "sending"):
        return replace(one, look_at=max(_again(text.created_at, now), text.due_at + _SOON))
    if text.state == "superseded":
        one = _unpriced(one)
        if fetched_at is not None:
            return _reached(one, fetched_at, now)
        return unreached(one, "cancelled" if text.reason == CANCELLED else "stopped", now)
    if text.state in ("gone", "refused") and text.accepted_at is None:
        return _failed(_unpriced(one), text.reason or text.state, now)
    one = replace(one, text_parts=text.parts, text_price=text.price, text_currency=text.currency)
    if text.state == "delivered":
        return replace(one, state="text_delivered", because=None, look_at=None, settled_at=now)
    if text.state == "accepted":
        since = text.accepted_at or text.created_at
        if now < since + ASK_FOR:
            return replace(one, look_at=_again(since, now, _RECEIPT_SOONEST, _RECEIPT_LATEST))
        return replace(one, state="text_accepted", because=None, look_at=None, settled_at=now)
    return _failed(one, text.reason or text.state, now)


def of_settled_text(state: str, reason: str | None) -> tuple[str, str | None] | None:
    """What a settled recipient is after its text came to ``state``, and why; None where that says nothing."""
    if state == "delivered":
        return "text_delivered", None
    if state in ("undelivered", "refused", "exhausted", "gone"):
        return "text_failed", (reason or state)[:200]
    return ("text_accepted", None) if state == "accepted" else None


def _reached(one: Recipient, at: datetime, now: datetime) -> Recipient:
    return replace(one, state="reached", because=None, reached_at=at, look_at=None, settled_at=now)


def _failed(one: Recipient, reason: str, now: datetime) -> Recipient:
    return replace(one, state="text_failed", because=reason[:200], look_at=None, settled_at=now)


def _unpriced(one: Recipient) -> Recipient:
    """Nothing left, nothing is paid."""
    return replace(one, text_parts=None, text_price=None, text_currency=None)


def _again(
    since: datetime, now: datetime, soonest: timedelta = _SOONEST, latest: timedelta = _LATEST
) -> datetime:
    return now + min(max((now - since) / 4, soonest), latest)
