"""What time does to cards: points expire, tiers fall as receipts leave the window. For the worker's ticks.

Cards that a till works on at this moment are left to the next tick (or to the till, which does the same for
its own card). Each call is one short transaction's work: call again until it returns 0.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from functools import partial

from app.db import Tx
from app.db.identifiers import EnrolmentId, ProgrammeId
from app.loyalty import content as cards
from app.loyalty import ledger, programmes, store_enrolments, store_ledger
from app.loyalty import tiers as tiering
from app.loyalty.programmes import Programme
from app.loyalty.rules import TieredRules
from app.loyalty.store_enrolments import Enrolment
from app.passes import issuing
from app.passes.issuing import MOST_CHANGES, Revision


def expire_lots(tx: Tx, *, now: datetime, limit: int = 50) -> int:
    """Let go of points whose time is over, on at most ``limit`` (≤ 200) cards; returns on how many.

    The cards show it silently: bad news needs no banner.
    """
    due = store_ledger.due_lots(tx, now=now, limit=min(limit, MOST_CHANGES))
    locked = store_enrolments.lock_many(tx, due)
    lost = ledger.expire(tx, [one.id for one in locked], now=now)
    _show(tx, [replace(one, balance=one.balance - lost.get(one.id, 0)) for one in locked], now)
    return len(locked)


def recompute_tiers(tx: Tx, *, now: datetime, limit: int = 50) -> int:
    """Look again at tiers that may have fallen, on at most ``limit`` (≤ 200) cards; returns at how many."""
    due = store_enrolments.due_tiers(tx, now=now, limit=min(limit, MOST_CHANGES))
    locked = store_enrolments.lock_many(tx, due)
    known = _programmes(tx, locked)
    settled: dict[EnrolmentId, tuple[str, datetime | None]] = {}
    for programme in known.values():
        rules = programme.rules
        if not isinstance(rules, TieredRules):
            continue
        mine = [one.id for one in locked if one.programme_id == programme.id]
        spends = store_ledger.spends(tx, mine, since=tiering.window_begins(rules, now))
        for one in mine:
            standing = tiering.standing(rules, spends.get(one, []), now)
            settled[one] = (standing.tier.key, standing.due_at)
    store_enrolments.set_tiers(tx, settled)
    _show(tx, [replace(one, tier=settled[one.id][0]) for one in locked if one.id in settled], now)
    return len(locked)


def _programmes(tx: Tx, enrolments: Sequence[Enrolment]) -> dict[ProgrammeId, Programme]:
    ids = {one.programme_id for one in enrolments}
    return {programme_id: programmes.programme(tx, programme_id) for programme_id in ids}


def _show(tx: Tx, enrolments: Sequence[Enrolment], now: datetime) -> None:
    """Hand the new facts down, silently."""
    known = _programmes(tx, enrolments)
    revisions = [
        Revision(
            one.pass_id,
            partial(
                replace,
                balance=one.balance,
                tier=cards.tier_name(known[one.programme_id].rules, one.tier),
            ),
        )
        for one in enrolments
    ]
    issuing.revise(tx, revisions, kind="silent", now=now)
