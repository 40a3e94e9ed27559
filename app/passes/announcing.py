"""Messages that may have to wait: a card announces one at a time, and a campaign never displaces a receipt.

Recipients refer to (pass, name of the message). A phone's fetch of a version that says it proves it, in the
transaction that records the fetch (:mod:`app.passes.evidence`); the next one's turn comes then, or when the
time of what holds the place is over.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from typing import Final

from app.db import Tx
from app.db.identifiers import WalletPassId
from app.errors import BadInput
from app.passes import held_messages, issuing, store_announcements, store_passes
from app.passes.content import LocalizedText, Message, PassContent
from app.passes.issuing import MOST_CHANGES, Revision
from app.passes.speaking import ends_at
from app.passes.store_announcements import Known, Turn

__all__ = ["HEARD_FOR", "Announcement", "Known", "advance", "announce", "cancel", "expire", "known"]

HEARD_FOR: Final = timedelta(days=1)
"""So long after its time a message that is still on the card is proved by a fetch."""


def _as_it_is(content: PassContent) -> PassContent:
    return content


@dataclass(frozen=True, slots=True)
class Announcement:
    """What a card is to say, under a name that begins with ``campaign:``, and until when that makes sense.

    What it ``brings`` (an offer) is on the card at once, silently where the line has to wait.
    """

    pass_id: WalletPassId
    name: str
    text: LocalizedText
    until: datetime
    brings: Callable[[PassContent], PassContent] = _as_it_is


def announce(
    tx: Tx, wanted: Sequence[Announcement], *, besides: Sequence[Revision] = (), now: datetime
) -> None:
    """Say these where the place is free, at once and with a push; the others wait for their turn.

    A name that a card has already is not said again, so that work may be repeated. Cards that are void are
    left alone. ``besides``: other cards that change in the same transaction, and say nothing. Raises
    :class:`BadInput` for more than 200 of both; belongs at the end of a transaction.
    """
    if len(wanted) + len(besides) > MOST_CHANGES:
        raise BadInput("too-many-changes", f"A transaction changes at most {MOST_CHANGES} passes.")
    ids = sorted({each.pass_id for each in wanted} | {each.pass_id for each in besides})
    store_passes.hold(tx, ids)  # so that nobody else adds what is looked for
    there = store_announcements.names(tx, ids)
    fresh = [each for each in wanted if each.until > now and (each.pass_id, each.name) not in there]
    turns = _say(tx, fresh, besides, now=now)
    store_announcements.add(
        tx,
        [
            {
                "pass_id": each.pass_id,
                "name": each.name,
                "text": each.text.to_json(),
                "until": each.until,
                "created_at": now,
                **store_announcements.turn_columns(turn, now),
            }
            for each, turn in zip(fresh, turns, strict=True)
            if turn is not None
        ],
    )


def advance(tx: Tx, *, now: datetime, limit: int = MOST_CHANGES) -> int:
    """Say those whose turn has come; returns how many were looked at."""
    found = store_announcements.due(tx, now=now, limit=min(limit, MOST_CHANGES))
    wanted = [Announcement(one.pass_id, one.name, one.text, one.until) for one in found]
    turns = _say(tx, wanted, (), now=now)
    store_announcements.take_turns(
        tx,
        {one.id: turn for one, turn in zip(found, turns, strict=True) if turn is not None},
        now=now,
    )
    return len(found)


def known(tx: Tx, name: str, pass_ids: Sequence[WalletPassId]) -> dict[WalletPassId, Known]:
    """What became of the message of this name on each card that has it."""
    return store_announcements.known(tx, name, pass_ids)


def cancel(tx: Tx, name: str, pass_ids: Collection[WalletPassId], *, now: datetime) -> None:
    """Let those that were not said yet go unsaid; what a card says already stays, as phones have it."""
    waiting = [key for key, one in known(tx, name, sorted(pass_ids)).items() if one.version is None]
    store_announcements.end(tx, [(key, name) for key in waiting], "cancelled", now=now)


def expire(tx: Tx, *, now: datetime, limit: int = 1000) -> int:
    """End what nobody saw in its time; returns how many.

    What a card says it says for longer: a fetch proves it for :data:`HEARD_FOR` more, unless another message
    takes its place, so that nobody who fetched it late is texted.
    """
    return store_announcements.expire(tx, now=now, said_before=now - HEARD_FOR, limit=limit)


def _say(
    tx: Tx, wanted: Sequence[Announcement], besides: Sequence[Revision], *, now: datetime
) -> list[Turn | None]:
    """Say each whose card has its place free, and tell what the others wait for; None: a void card."""
    living = {
        one.id: one
        for one in store_passes.lock(tx, sorted({each.pass_id for each in wanted}))
        if one.voided_at is None
    }
    taken = {
        pass_id: Turn(None, ends_at(message), message.version)
        for pass_id, message in held_messages.of_passes(tx, list(living.values()), now).items()
    }
    turns: list[Turn | None] = []
    revisions = list(besides)
    for each in wanted:
        if each.pass_id not in living:
            turns.append(None)
            continue
        turn = taken.get(each.pass_id)
        if turn is None:
            turn = Turn(living[each.pass_id].version + 1, now)
            taken[each.pass_id] = Turn(None, each.until, turn.version)
            revisions.append(Revision(each.pass_id, each.brings, partial(_speech, each, now)))
        elif each.brings is not _as_it_is:
            revisions.append(Revision(each.pass_id, each.brings))
        turns.append(turn)
    issuing.revise(tx, revisions, kind="campaign", now=now)
    return turns


def _speech(each: Announcement, now: datetime, _unseen: Message | None) -> Message:
    return Message(each.text, now, each.name, until=each.until)
