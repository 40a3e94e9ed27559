"""What is to become of claimed texts, and what answers say beyond their own text."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

import structlog

from app.accounts import brands
from app.campaigns import home_zones, limits, text_claims
from app.campaigns.text_claims import Objection
from app.db import Tx
from app.db.identifiers import BrandId, DeliveryId
from app.delivery.quiet_hours import QuietHours
from app.delivery.store_breakers import Breaker
from app.delivery.text_promises import CONSENT_WITHDRAWN, QUIET_HOURS, TOO_LATE, ClaimedText
from app.loyalty import consents
from app.loyalty.consents import Recipient
from app.worker.text_parcels import Ended, PutOff, TextAnswered, TextingBrand

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Sorted:
    """Claimed texts by what becomes of them."""

    ready: tuple[tuple[ClaimedText, Ended | PutOff | None], ...]
    ended: tuple[tuple[ClaimedText, Ended], ...]
    put_off: tuple[tuple[ClaimedText, PutOff], ...]


def sort(
    tx: Tx, claimed: Sequence[ClaimedText], *, brands_by_slug: Mapping[str, TextingBrand], now: datetime
) -> Sorted:
    """What may be sent now; what is in doubt is asked for in any case, for it may have left."""
    advertising = [one for one in claimed if one.kind == "advertising"]
    recipients = [recipient for one in advertising if (recipient := _recipient(one))]
    allowed = consents.may_be_sent_advertising(tx, recipients) if recipients else set()
    quiet = _quiet(tx, advertising, brands_by_slug, now)
    objections = text_claims.objections(tx, [one.id for one in claimed if one.kind != "code"], now=now)
    ready: list[tuple[ClaimedText, Ended | PutOff | None]] = []
    ended: list[tuple[ClaimedText, Ended]] = []
    waits: list[tuple[ClaimedText, PutOff]] = []
    for one in claimed:
        unless = _unless(one, now, allowed, quiet, objections.get(one.id))
        if unless is None or one.in_doubt:
            ready.append((one, unless))
        elif isinstance(unless, Ended):
            ended.append((one, unless))
        else:
            waits.append((one, unless))
    return Sorted(tuple(ready), tuple(ended), tuple(waits))


def _quiet(
    tx: Tx, advertising: Sequence[ClaimedText], known: Mapping[str, TextingBrand], now: datetime
) -> Mapping[DeliveryId, datetime]:
    """Texts to guests who are to be left in peace now, each by the clock where the guest is at home.

    The operator's file and what the brand has set both count: until the later end.
    """
    zones = home_zones.of_members(tx, {one.member_id for one in advertising if one.member_id is not None})
    ends: dict[DeliveryId, datetime] = {}
    hours: dict[BrandId, tuple[str, list[QuietHours]]] = {}
    for one in advertising:
        if one.brand_id not in hours:
            brand = brands.brand(tx, one.brand_id)
            texting = known.get(brand.slug)
            own = limits.own(tx, one.brand_id)
            both = [texting.quiet if texting else QuietHours(), *([own.quiet] if own else ())]
            hours[one.brand_id] = brand.time_zone, both
        zone, all_hours = hours[one.brand_id]
        if one.member_id is not None:
            zone = zones.get(one.member_id, zone)
        until = [end for each in all_hours if (end := each.end(now, zone))]
        if until:
            ends[one.id] = max(until)
    return ends


def _recipient(one: ClaimedText) -> Recipient | None:
    return None if one.member_id is None else Recipient(one.member_id, one.brand_id, one.number)


def _unless(
    one: ClaimedText,
    now: datetime,
    allowed: set[Recipient],
    quiet: Mapping[DeliveryId, datetime],
    objection: Objection | None,
) -> Ended | PutOff | None:
    """Why a text must not be sent, or not now."""
    if objection is not None and objection.until is None:
        return Ended("superseded", objection.reason)
    if one.not_after is not None and now >= one.not_after:
        return Ended("exhausted", TOO_LATE)
    if one.kind == "advertising" and _recipient(one) not in allowed:
        return Ended("gone", CONSENT_WITHDRAWN)
    if until := quiet.get(one.id):
        return PutOff(until, QUIET_HOURS)
    if objection is not None and objection.until is not None:
        return PutOff(objection.until, objection.reason)
    return None


def opt_out(tx: Tx, answers: Sequence[TextAnswered], now: datetime) -> None:
    """Whoever told the gateway to stop told it to us: their consent ends here too."""
    for answer in sorted(
        (each for each in answers if each.opted_out), key=lambda each: each.ready.claimed.number
    ):
        one = answer.ready.claimed
        reason = answer.outcome.reason if answer.outcome else ""
        ended = consents.withdraw_by_number(
            tx, one.brand_id, one.number, source=f"sms:{one.login}", text=reason, now=now
        )
        log.info("consent_withdrawn", login=one.login, brand=one.brand_id, members=ended)


def stops(answers: Sequence[TextAnswered]) -> dict[str, str]:
    """Logins that these answers say are stopped, and why."""
    return {
        answer.outcome.claimed.login: answer.outcome.reason
        for answer in answers
        if answer.stopped and answer.outcome
    }


def let_in(answers: Sequence[TextAnswered], breakers: Mapping[str, Breaker]) -> set[str]:
    """Stopped logins whose gateway took or refused a text for what it is, since they were stopped."""
    return {
        answer.outcome.claimed.login
        for answer in answers
        if answer.outcome
        and answer.outcome.claimed.login in breakers
        and not answer.stopped
        and answer.outcome.verdict in ("accepted", "refused")
        and answer.ready.prepared_at >= breakers[answer.outcome.claimed.login].opened_at
    }
