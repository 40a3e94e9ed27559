"""Google Wallet beside pushes and texts in one worker."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta

from app.db import Database
from app.passes.google_press import GooglePress
from app.worker import metrics
from app.worker.google_carrier import Changed, GoogleCarrier, HeardGoogle
from app.worker.google_channel import GoogleChannel, unanswered
from app.worker.google_parcels import GoogleAnswered, GoogleReady
from app.worker.lane import Lane, Paces
from app.worker.sending import Sender

GoogleLane = Lane[GoogleReady, GoogleAnswered, HeardGoogle]


def google_lane(
    database: Database,
    channel: GoogleChannel,
    press: GooglePress,
    *,
    owner: str,
    clock: Callable[[], datetime],
    lease: timedelta,
    tell: Callable[[], None],
    paces: Paces,
    changed: Changed = lambda _tx, _changes, _now: None,
) -> GoogleLane:
    """A lane that carries changes to Google; ``tell`` wakes the worker that it is for."""
    sender = Sender(channel, unanswered=unanswered, time_limit=lease * 0.9, tell=tell, beat="send_google")
    return Lane(
        GoogleCarrier(database, channel, press, owner=owner, clock=clock, lease=lease, changed=changed),
        sender,
        paces=paces,
        in_flight=metrics.GOOGLE_IN_FLIGHT,
        beats=("prepare_google", "settle_google"),
        hold=lambda: sender.submit(channel.hold()),
    )
