"""A campaign from the draft to its end: written, scheduled, begun, paused, stopped, cancelled.

::

    draft ⇄ scheduled → canary → running → measuring → done
                          ⇅  ↘     ⇅
                        paused  stopped (the canary did badly) → running, if a person says so
    all but measuring and done → cancelled

Raises :class:`NotFound` for a campaign that is not the brand's, and :class:`Conflict` where its state does
not allow what is asked.
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Final

from app.accounts import audit, checks
from app.campaigns import audiences, merge_fields, store_recipients
from app.campaigns import store_campaigns as store
from app.campaigns.plan import Plan
from app.campaigns.store_campaigns import Campaign, Kind, State
from app.db import Tx
from app.db.identifiers import BrandId, CampaignId, MemberId, OfferId
from app.errors import BadInput, Conflict, NotFound
from app.loyalty import offers
from app.passes import announcing

LATEST_START: Final = timedelta(days=366)
_AT_ONCE: Final = 200

_FROM: Final[Mapping[str, tuple[State, ...]]] = {
    "edited": ("draft",),
    "deleted": ("draft",),
    "scheduled": ("draft",),
    "unscheduled": ("scheduled",),
    "begun": ("draft", "scheduled"),
    "paused": ("canary", "running"),
    "resumed": ("paused", "stopped"),
    "stopped": ("canary", "running"),
    "released": ("canary",),
    "cancelled": ("scheduled", "canary", "running", "paused", "stopped"),
}
_WORDS: Final[Mapping[State, str]] = {
    "draft": "is a draft",
    "scheduled": "is scheduled",
    "canary": "goes to its canary",
    "running": "is being sent",
    "paused": "is paused",
    "stopped": "was stopped",
    "measuring": "was sent",
    "cancelled": "was cancelled",
    "done": "is over",
}


def create(
    tx: Tx,
    brand_id: BrandId,
    name: str,
    plan: Plan,
    *,
    kind: Kind = "advertising",
    offer_id: OfferId | None = None,
    now: datetime,
    actor: str,
) -> CampaignId:
    """A new draft; raises BadInput for words that cannot be said, Conflict where the name is taken.

    Everybody who is told gets the offer, where there is one; NotFound for one that is not the brand's.
    """
    named = _free_name(tx, brand_id, name, None)
    _check_offer(tx, brand_id, offer_id, now)
    _check_words(plan, offer=offer_id is not None)
    campaign_id = store.add(
        tx,
        {
            "brand_id": brand_id,
            "name": named,
            "kind": kind,
            "offer_id": offer_id,
            "plan": plan.to_json(),
            "state": "draft",
            "created_at": now,
            "created_by": actor,
        },
    )
    _note(tx, brand_id, named, "created", now, actor)
    return campaign_id


def show(tx: Tx, brand_id: BrandId, campaign_id: CampaignId) -> Campaign:
    """The brand's campaign as it stands."""
    found = store.by_id(tx, campaign_id)
    if found is None or found.brand_id != brand_id:
        raise NotFound("no-such-campaign", "There is no such campaign.")
    return found


def edit(
    tx: Tx,
    brand_id: BrandId,
    campaign_id: CampaignId,
    name: str,
    plan: Plan,
    *,
    kind: Kind,
    offer_id: OfferId | None = None,
    revision: int,
    now: datetime,
    actor: str,
) -> None:
    """Other words, other people; ``revision`` is the one that was read: Conflict if somebody was quicker."""
    found = _in_state(tx, brand_id, campaign_id, "edited")
    if found.revision != revision:
        raise Conflict("edited-meanwhile", "Somebody else changed this campaign meanwhile: look at it anew.")
    named = _free_name(tx, brand_id, name, campaign_id)
    _check_offer(tx, brand_id, offer_id, now)
    _check_words(plan, offer=offer_id is not None)
    changed = {"name": named, "plan": plan.to_json(), "kind": kind, "offer_id": offer_id}
    store.change(tx, campaign_id, revision=revision + 1, **changed)
    _note(tx, brand_id, named, "edited", now, actor)


def delete(tx: Tx, brand_id: BrandId, campaign_id: CampaignId, *, now: datetime, actor: str) -> None:
    """Forget a draft."""
    found = _in_state(tx, brand_id, campaign_id, "deleted")
    store.delete(tx, campaign_id)
    _note(tx, brand_id, found.name, "deleted", now, actor)


def schedule(
    tx: Tx, brand_id: BrandId, campaign_id: CampaignId, starts_at: datetime, *, now: datetime, actor: str
) -> None:
    """Begin it at that moment; raises BadInput for one that is over or more than a year away."""
    found = _in_state(tx, brand_id, campaign_id, "scheduled")
    if not now < starts_at <= now + LATEST_START:
        raise BadInput("bad-start", "Choose a time between now and a year from now.", field="starts_at")
    store.change(tx, campaign_id, state="scheduled", starts_at=starts_at, sent_by=actor)
    _note(tx, brand_id, found.name, "scheduled", now, actor, starts_at=starts_at.isoformat())


def unschedule(tx: Tx, brand_id: BrandId, campaign_id: CampaignId, *, now: datetime, actor: str) -> None:
    """A draft again."""
    found = _in_state(tx, brand_id, campaign_id, "unscheduled")
    store.change(tx, campaign_id, state="draft", starts_at=None, sent_by=None)
    _note(tx, brand_id, found.name, "unscheduled", now, actor)


def begin(tx: Tx, brand_id: BrandId, campaign_id: CampaignId, *, now: datetime, actor: str) -> None:
    """Send it: the audience is frozen now, and walked by the worker."""
    found = _in_state(tx, brand_id, campaign_id, "begun")
    plan = found.plan
    _check_offer(tx, brand_id, found.offer_id, now)
    frozen = audiences.freeze(tx, brand_id, plan.audience, now)
    canary = plan.canary_minutes is not None
    store.change(
        tx,
        campaign_id,
        state="canary" if canary else "running",
        starts_at=now,
        sent_by=found.sent_by or actor,
        frozen=frozen.to_json(),
        salt=secrets.token_bytes(16),
        cursor=MemberId(0),
        ends_at=now + timedelta(days=plan.days),
        next_reading_at=now + timedelta(days=1),
        release_at=now + timedelta(minutes=plan.canary_minutes) if plan.canary_minutes is not None else None,
    )
    _note(tx, brand_id, found.name, "begun", now, actor)


def begin_scheduled(tx: Tx, *, now: datetime) -> int:
    """Begin those whose time has come; returns how many."""
    due = store.to_begin(tx, now)
    for one in due:
        begin(tx, one.brand_id, one.id, now=now, actor="schedule")
    return len(due)


def pause(tx: Tx, brand_id: BrandId, campaign_id: CampaignId, *, now: datetime, actor: str) -> None:
    """Speak to nobody more, and text nobody, until it is resumed; what cards say already stays."""
    found = _in_state(tx, brand_id, campaign_id, "paused")
    store.change(tx, campaign_id, state="paused")
    _note(tx, brand_id, found.name, "paused", now, actor)


def resume(tx: Tx, brand_id: BrandId, campaign_id: CampaignId, *, now: datetime, actor: str) -> None:
    """Go on; one that was stopped goes to everybody now: a person has looked at its canary."""
    found = _in_state(tx, brand_id, campaign_id, "resumed")
    watched = found.state == "paused" and found.release_at is not None and now < found.release_at
    store.change(tx, campaign_id, state="canary" if watched else "running", stopped_because=None)
    _note(tx, brand_id, found.name, "resumed", now, actor)


def stop(tx: Tx, campaign_id: CampaignId, because: str, *, now: datetime, actor: str) -> None:
    """The canary did badly, or the offer is over: nobody else gets it unless a person resumes it."""
    found = _locked(tx, campaign_id, "stopped")
    store.change(tx, campaign_id, state="stopped", stopped_because=because)
    _note(tx, found.brand_id, found.name, "stopped", now, actor, because=because)


def release(tx: Tx, campaign_id: CampaignId, *, now: datetime, actor: str) -> None:
    """The canary did well: the others get it."""
    found = _locked(tx, campaign_id, "released")
    store.change(tx, campaign_id, state="running")
    _note(tx, found.brand_id, found.name, "released", now, actor)


def cancel(tx: Tx, brand_id: BrandId, campaign_id: CampaignId, *, now: datetime, actor: str) -> None:
    """Speak to nobody more, for good; the worker settles those who were not spoken to yet."""
    found = _in_state(tx, brand_id, campaign_id, "cancelled")
    store.change(tx, campaign_id, state="cancelled", stopped_because=None, next_reading_at=None)
    _note(tx, brand_id, found.name, "cancelled", now, actor)


def clear_cancelled(tx: Tx, *, now: datetime, limit: int = _AT_ONCE) -> bool:
    """Call off some recipients of campaigns that were cancelled; False where none is left.

    Who waits is not spoken to, what waits for its turn on a card goes unsaid, and the cascade looks at once.
    """
    found = store.cancelled_and_open(tx, now)
    if found is None:
        return False
    called_off = store_recipients.call_off(tx, found.id, now=now, limit=limit)
    hurried = store_recipients.look_now(tx, found.id, now=now, limit=limit - called_off)
    announcing.cancel(tx, found.announcement, hurried, now=now)
    return True


def _check_offer(tx: Tx, brand_id: BrandId, offer_id: OfferId | None, now: datetime) -> None:
    if offer_id is None:
        return
    known = offers.offer(tx, offer_id)
    if known.brand_id != brand_id:
        raise NotFound("no-such-offer", "There is no such offer.")
    if known.is_over(now):
        raise Conflict("offer-over", f"The offer {known.code} is over: choose another one, or none.")


def _check_words(plan: Plan, *, offer: bool) -> None:
    for index, arm in enumerate(plan.arms):
        for what, text in (("line", arm.line), ("sms", arm.sms)):
            if text is not None:
                for language, words in (("ru", text.ru), ("en", text.en)):
                    merge_fields.check(words, offer=offer, at=f"arms.{index}.{what}.{language}")


def _free_name(tx: Tx, brand_id: BrandId, name: str, own: CampaignId | None) -> str:
    named = checks.name(name)
    if store.named(tx, brand_id, named) not in (None, own):
        raise Conflict("name-taken", f"There is a campaign called {named!r} already: choose another name.")
    return named


def _in_state(tx: Tx, brand_id: BrandId, campaign_id: CampaignId, step: str) -> Campaign:
    show(tx, brand_id, campaign_id)
    return _locked(tx, campaign_id, step)


def _locked(tx: Tx, campaign_id: CampaignId, step: str) -> Campaign:
    found = store.by_id(tx, campaign_id, lock=True)
    if found is None:
        raise NotFound("no-such-campaign", "There is no such campaign.")
    if found.state not in _FROM[step]:
        raise Conflict(
            "wrong-state", f"The campaign {_WORDS[found.state]}: it cannot be {step} now. Look at it anew."
        )
    return found


def _note(
    tx: Tx, brand_id: BrandId, name: str, what: str, now: datetime, actor: str, **detail: object
) -> None:
    audit.record(
        tx,
        at=now,
        actor=actor,
        brand_id=brand_id,
        action=f"campaign.{what}",
        subject=name,
        detail=detail,
    )
