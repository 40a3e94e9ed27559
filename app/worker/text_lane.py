"""Texts beside pushes in one worker: claimed, sent, settled and heard of."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta

from app.db import Database
from app.worker import metrics
from app.worker.lane import Lane, Paces
from app.worker.sending import Sender
from app.worker.text_answers import unknown
from app.worker.text_carrier import HeardTexts, TextCarrier
from app.worker.text_channel import TextChannel
from app.worker.text_parcels import TextAnswered, TextReady
from app.worker.text_receipts import Asking, TextReceipts

TextLane = Lane[TextReady, TextAnswered, HeardTexts]


def text_lane(
    database: Database,
    channel: TextChannel,
    *,
    owner: str,
    clock: Callable[[], datetime],
    lease: timedelta,
    tell: Callable[[], None],
    paces: Paces,
    asking: Asking | None = None,
) -> TextLane:
    """A lane that carries texts; ``tell`` wakes the worker that it is for."""
    sender = Sender(channel, unanswered=unknown, time_limit=lease * 0.9, tell=tell, beat="send_texts")
    receipts = TextReceipts(
        database,
        channel,
        owner=owner,
        clock=clock,
        submit=sender.submit,
        tell=tell,
        asking=asking or Asking(),
    )
    return Lane(
        TextCarrier(database, channel, owner=owner, clock=clock, lease=lease),
        sender,
        paces=paces,
        in_flight=metrics.TEXTS_IN_FLIGHT,
        beats=("prepare_texts", "settle_texts"),
        chore=receipts.step,
        begin=receipts.listen,
        hold=lambda: sender.submit(channel.hold()),
    )
