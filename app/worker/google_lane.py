"""Google Wallet beside pushes and texts in one worker."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from app.db import Database, Tx
from app.db.identifiers import BrandId, GoogleObjectId
from app.delivery import jobs
from app.passes import google_cards
from app.passes.google_press import GooglePress
from app.worker import metrics
from app.worker.google_carrier import Changed, GoogleCarrier, HeardGoogle
from app.worker.google_channel import GoogleChannel, unanswered
from app.worker.google_parcels import GoogleAccount, GoogleAnswered, GoogleReady
from app.worker.lane import Lane, Paces
from app.worker.sending import Sender
from app.worker.ticks import Tick

GoogleLane = Lane[GoogleReady, GoogleAnswered, HeardGoogle]


@dataclass(frozen=True, slots=True)
class GoogleWork:
    """What a worker needs to carry changes to Google."""

    channel: GoogleChannel
    press: GooglePress
    changed: Changed = lambda _tx, _changes, _now: None
    """Told who holds a card now, or does no more, within the settling transaction: the venue's funnel."""
    accounts: Callable[[], Mapping[BrandId, GoogleAccount]] | None = None
    """Asked each cycle; another object where a key was brought or taken away."""


def google_lane(
    database: Database,
    work: GoogleWork,
    *,
    owner: str,
    clock: Callable[[], datetime],
    lease: timedelta,
    tell: Callable[[], None],
    paces: Paces,
) -> GoogleLane:
    """A lane that carries changes to Google; ``tell`` wakes the worker that it is for."""
    channel = work.channel
    sender = Sender(channel, unanswered=unanswered, time_limit=lease * 0.9, tell=tell, beat="send_google")
    served: Mapping[BrandId, GoogleAccount] | None = None

    def chore() -> bool:
        """Go on with the accounts there are now."""
        nonlocal served
        if work.accounts and (accounts := work.accounts()) is not served:
            served = accounts
            sender.submit(channel.serve(accounts))
        return False

    return Lane(
        GoogleCarrier(
            database, channel, work.press, owner=owner, clock=clock, lease=lease, changed=work.changed
        ),
        sender,
        paces=paces,
        in_flight=metrics.GOOGLE_IN_FLIGHT,
        beats=("prepare_google", "settle_google"),
        chore=chore,
        hold=lambda: sender.submit(channel.hold()),
    )


def class_tick(press: GooglePress, *, every: timedelta = timedelta(minutes=1)) -> Tick:
    """Classes that should say something else than Google has are promised: a new version, name or venue."""

    def step(tx: Tx, now: datetime) -> bool:
        press.promise_changed_classes(tx, now=now)
        return False

    return Tick("google_classes", every, step)


def callback_tick(*, every: timedelta = timedelta(hours=1)) -> Tick:
    """Callbacks that cannot come again are forgotten."""
    return Tick("google_callbacks", every, lambda tx, now: google_cards.forget_callbacks(tx, now=now) > 0)


def holders_tick(*, every: timedelta = timedelta(minutes=10)) -> Tick:
    """Cards at Google are looked at some times after they were made: callbacks get lost."""
    reached = GoogleObjectId(0)
    slot: datetime | None = None

    def step(tx: Tx, now: datetime) -> bool:
        nonlocal reached, slot
        if slot is None:
            slot = jobs.slot_of(now, every)
        more = google_cards.reread(tx, after=reached, now=slot, every=every)
        reached, slot = (GoogleObjectId(0), None) if more is None else (more, slot)
        return more is not None

    return Tick("google_holders", every, step)
