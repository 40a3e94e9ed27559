"""A new design rolled out in stages: to 1 % of the cards, to 10 %, to all; stopped, gone on with, taken back.

Which cards a stage takes is told by a hash of card and roll-out, so that a stage contains the one before, a
worker that died is followed by one that chooses the same cards, and the first are others every time. A stage
that would take none of few cards takes the first of them by that hash. After each stage the roll-out waits
until somebody lets it go on. The worker moves cards in short transactions (:func:`step`), and its place is
written in the same transaction as the cards: whoever takes over goes on there. Phones are told silently,
within their push budget, as by ``perkpass design move``.

New cards are made with the newest version that was not taken back, whatever the stage: their guests never
saw another. Taking a roll-out back withdraws its version: cards that were moved return to the version that
they came from, those that were made with it become of the version before, and new cards are made with that.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, Literal

from app.accounts import audit
from app.db import Tx
from app.db.identifiers import BrandId, DesignId, ProgrammeId, RolloutId, WalletPassId
from app.errors import Conflict, NotFound
from app.passes import issuing, store_designs, store_moves, store_rollouts
from app.passes.store_rollouts import Rollout, State

__all__ = [
    "STAGES",
    "Rollout",
    "State",
    "Status",
    "Step",
    "Verb",
    "back",
    "go_on",
    "offered",
    "start",
    "state",
    "step",
    "stop",
]

Verb = Literal["start", "go_on", "stop", "back"]

STAGES: Final = (1, 10, 100)
"""Percent of the cards."""
_LOOKED_AT: Final = 2000  # cards a transaction, of which few may be chosen: an index alone is read
_ENROLLING: Final = timedelta(minutes=1)
"""A card that was being made when its version was taken back appears no later than that."""
_FIRST = WalletPassId(0)
_FROM: Final[dict[Verb, tuple[State, ...]]] = {
    "go_on": ("waiting", "stopped"),
    "stop": ("running",),
    "back": ("running", "waiting", "stopped", "done", "superseded"),
}
"""The states in which a roll-out lets itself be gone on with, stopped, taken back."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Status:
    """Where a programme's roll-out stands, in numbers of cards."""

    rollout: Rollout
    percent: int  # of the stage
    on_target: int
    elsewhere: int  # of versions before the target


@dataclass(frozen=True, slots=True)
class Step:
    """What one transaction did."""

    moved: int
    more: bool


def start(
    tx: Tx,
    programme_id: ProgrammeId,
    target: DesignId | None = None,
    *,
    brand_id: BrandId,
    now: datetime,
    actor: str,
) -> Rollout:
    """Begin with 1 % of the cards of every version before ``target``, the newest where none is named.

    A roll-out that waits or was stopped ends where it is. Raises Conflict where one is moving cards, where
    there is no version before, or one after; NotFound.
    """
    wanted, before, number = _ends(tx, programme_id, target)
    earlier = store_rollouts.latest(tx, programme_id, lock=True)
    if earlier and earlier.state in ("waiting", "stopped"):
        if earlier.target_design_id == wanted:
            raise Conflict("rolling-out-already", "This version is being rolled out already: go on with it.")
        store_rollouts.pause(tx, earlier.id, "superseded", now=now)
    begun = store_rollouts.add(tx, programme_id=programme_id, source=before, target=wanted, now=now)
    if begun is None:
        raise Conflict("rolling-out-already", "Cards are being moved already: stop that first.")
    store_designs.withdraw(tx, wanted, now=None)
    _record(tx, "started", begun, number, brand_id=brand_id, now=now, actor=actor)
    return _latest(tx, programme_id)


def offered(tx: Tx, programme_id: ProgrammeId) -> tuple[Verb, ...]:
    """What there is to do now, of the four functions around this one; console and command line ask it.

    ``start`` is of the newest version, where cards of an earlier one are left to be moved.
    """
    held = store_rollouts.latest(tx, programme_id)
    found: list[Verb] = [verb for verb, states in _FROM.items() if held and held.state in states]
    try:
        wanted, _before, _number = _ends(tx, programme_id, None)
    except (Conflict, NotFound):
        return tuple(found)
    is_going = held and (
        held.state in ("running", "going_back")
        or (held.state in ("waiting", "stopped") and held.target_design_id == wanted)
    )
    if not is_going and store_rollouts.any_card(tx, store_rollouts.older_versions(tx, programme_id, wanted)):
        found.insert(0, "start")
    return tuple(found)


def go_on(tx: Tx, programme_id: ProgrammeId, *, brand_id: BrandId, now: datetime, actor: str) -> Rollout:
    """Take the next stage where one is over, or go on where it was stopped; raises Conflict, NotFound."""
    held = _held(tx, programme_id, "go_on")
    if held.state == "waiting":
        store_rollouts.enter(tx, held.id, "running", stage=held.stage + 1, now=now)
    else:
        store_rollouts.pause(tx, held.id, "running", now=now)
    now_is = _latest(tx, programme_id)
    _record(tx, "continued", held.id, STAGES[now_is.stage], brand_id=brand_id, now=now, actor=actor)
    return now_is


def stop(tx: Tx, programme_id: ProgrammeId, *, brand_id: BrandId, now: datetime, actor: str) -> Rollout:
    """Move no more cards; those that were moved stay so. Raises Conflict, NotFound."""
    held = _held(tx, programme_id, "stop")
    store_rollouts.pause(tx, held.id, "stopped", now=now)
    _record(tx, "stopped", held.id, STAGES[held.stage], brand_id=brand_id, now=now, actor=actor)
    return _latest(tx, programme_id)


def back(tx: Tx, programme_id: ProgrammeId, *, brand_id: BrandId, now: datetime, actor: str) -> Rollout:
    """Every card returns to the version before, and new ones are made with it; also when all were moved.

    Once a newer version was taken back, it is the turn of the one that lives. Raises Conflict, NotFound.
    """
    held = _held(tx, programme_id, "back")
    store_designs.withdraw(tx, held.target_design_id, now=now)
    store_rollouts.enter(tx, held.id, "going_back", stage=held.stage, now=now)
    _record(tx, "taken_back", held.id, STAGES[held.stage], brand_id=brand_id, now=now, actor=actor)
    return _latest(tx, programme_id)


def state(tx: Tx, programme_id: ProgrammeId, *, cards: Mapping[DesignId, int] | None = None) -> Status | None:
    """The programme's roll-out that :func:`back` would take back, or the last; None before the first.

    ``cards`` of each version, where the caller has counted them: that takes longer the more there are.
    """
    found = store_rollouts.latest(tx, programme_id)
    if found is None:
        return None
    if cards is None:
        cards = {each.id: each.cards for each in store_designs.versions(tx, programme_id)}
    older = store_rollouts.older_versions(tx, programme_id, found.target_design_id)
    return Status(
        rollout=found,
        percent=STAGES[found.stage],
        on_target=cards.get(found.target_design_id, 0),
        elsewhere=sum(cards.get(each, 0) for each in older),
    )


def is_moving(tx: Tx, programme_id: ProgrammeId) -> bool:
    """Whether the worker has cards of the programme's last roll-out to move."""
    held = store_rollouts.latest(tx, programme_id)
    return held is not None and held.state in ("running", "going_back")


def step(tx: Tx, *, now: datetime, most: int) -> Step:
    """Do a piece of the first roll-out that has something to do; at most ``most`` cards change."""
    after = RolloutId(0)
    while held := store_rollouts.next_moving(tx, after):
        done = _back_step(tx, held, now, most) if held.state == "going_back" else _step(tx, held, now, most)
        if done.more:
            return done
        after = held.id
    return Step(0, more=False)


def is_chosen(rollout_id: RolloutId, pass_id: WalletPassId, percent: int) -> bool:
    """Whether a stage of so many percent takes this card."""
    return _place(rollout_id, pass_id) * 100 < percent << 64


def _place(rollout_id: RolloutId, pass_id: WalletPassId) -> int:
    """Where the card stands in the roll-out's own order, of 2⁶⁴ places."""
    digest = hashlib.blake2b(f"{rollout_id}:{pass_id}".encode(), digest_size=8).digest()
    return int.from_bytes(digest, "big")


def _ends(tx: Tx, programme_id: ProgrammeId, target: DesignId | None) -> tuple[DesignId, DesignId, int]:
    """Which version is rolled out, the one before it, and its number; raises as :func:`start`."""
    versions = {each.id: each for each in store_rollouts.published(tx, programme_id)}
    living = [each for each in versions.values() if not each.withdrawn]
    wanted = target or (living[-1].id if living else None)
    if wanted is None or wanted not in versions:
        raise NotFound("no-such-design", "This programme has no such design version.")
    others = [each for each in living if each.id != wanted]
    if any(each.version > versions[wanted].version for each in others):
        raise Conflict("not-the-newest", "Only the newest version is rolled out: new cards are made with it.")
    before = max(others, key=lambda each: each.version, default=None)
    if before is None:
        raise Conflict("nothing-before", "There is no version before this one: every card is of it.")
    return wanted, before.id, versions[wanted].version


def _step(tx: Tx, held: Rollout, now: datetime, most: int) -> Step:
    sources = store_rollouts.older_versions(tx, held.programme_id, held.target_design_id)
    at = held.at_design_id if held.at_design_id in sources else next(iter(sources), None)
    after = held.after_pass_id if at == held.at_design_id else _FIRST
    if at is None:
        return _over(tx, held, sources, now)
    seen = store_moves.cards_of_design(tx, at, after=after, limit=_LOOKED_AT)
    chosen = [each for each in seen if is_chosen(held.id, each, STAGES[held.stage])][:most]
    if chosen:
        issuing.move_cards(tx, chosen, from_design_id=at, to_design_id=held.target_design_id, now=now)
    if seen:
        last = chosen[-1] if len(chosen) == most else seen[-1]
        store_rollouts.advance(tx, held.id, at, last)
        return Step(len(chosen), more=True)
    following = sources[sources.index(at) + 1 :]
    if not following:
        return _over(tx, held, sources, now)
    store_rollouts.advance(tx, held.id, following[0], _FIRST)
    return Step(0, more=True)


def _over(tx: Tx, held: Rollout, sources: Sequence[DesignId], now: datetime) -> Step:
    """The stage has come to its end; one that took no card takes one, for people to look at."""
    last = held.stage == len(STAGES) - 1
    moved = 0
    if not last and not store_rollouts.any_moved(tx, held.target_design_id):
        moved = _move_first(tx, held, sources, now)
    store_rollouts.pause(tx, held.id, "done" if last else "waiting", now=now)
    return Step(moved, more=True)


def _move_first(tx: Tx, held: Rollout, sources: Sequence[DesignId], now: datetime) -> int:
    """Move the card that any larger stage takes too; so few were looked at that one transaction sees them."""
    for at in reversed(sources):  # the version that most have
        if seen := store_moves.cards_of_design(tx, at, after=_FIRST, limit=_LOOKED_AT):
            first = min(seen, key=lambda each: _place(held.id, each))
            to = held.target_design_id
            return len(issuing.move_cards(tx, [first], from_design_id=at, to_design_id=to, now=now))
    return 0


def _back_step(tx: Tx, held: Rollout, now: datetime, most: int) -> Step:
    returned = issuing.move_back(
        tx, from_design_id=held.target_design_id, to_design_id=held.source_design_id, limit=most, now=now
    )
    if returned:
        return Step(len(returned), more=True)
    if now < held.updated_at + _ENROLLING:
        return Step(0, more=False)
    store_rollouts.pause(tx, held.id, "taken_back", now=now)
    return Step(0, more=True)


def _held(tx: Tx, programme_id: ProgrammeId, verb: Verb) -> Rollout:
    found = store_rollouts.latest(tx, programme_id, lock=True)
    if found is None:
        raise NotFound("no-rollout", "Nothing of this programme is being rolled out.")
    if found.state not in _FROM[verb]:
        raise Conflict(
            "rollout-elsewhere", f"The roll-out is {found.state.replace('_', ' ')} by now: look at it again."
        )
    return found


def _latest(tx: Tx, programme_id: ProgrammeId) -> Rollout:
    found = store_rollouts.latest(tx, programme_id)
    if found is None:
        raise NotFound("no-rollout", "Nothing of this programme is being rolled out.")
    return found


def _record(
    tx: Tx, what: str, rollout_id: RolloutId, about: int, *, brand_id: BrandId, now: datetime, actor: str
) -> None:
    audit.record(
        tx, at=now, actor=actor, brand_id=brand_id, action=f"rollout.{what}", subject=f"rollout {rollout_id}",
        detail={"version" if what == "started" else "percent": about},
    )  # fmt: skip
