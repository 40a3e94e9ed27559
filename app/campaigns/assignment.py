"""Who gets which arm of a campaign and who is held out: by chance, but the same whenever it is asked.

A member's place comes from a keyed hash (BLAKE2, RFC 7693) of campaign and member. So no list has to be kept,
nobody changes arms when work is done again, and two campaigns divide the same guests independently.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import blake2b
from itertools import accumulate

from app.db.identifiers import MemberId
from app.errors import BadInput

WHOLE = 10_000
"""Shares are in hundredths of a percent."""
USUAL_HOLDOUT = WHOLE // 10
MOST_ARMS = 6
CANARY = WHOLE // 100
"""The part of the recipients that gets it first, where a campaign begins with a few."""
_FEWEST = WHOLE // 100


@dataclass(frozen=True, slots=True)
class Split:
    """How an audience is divided: ``holdout`` of :data:`WHOLE` gets nothing, the arms share the rest."""

    holdout: int = USUAL_HOLDOUT
    weights: tuple[int, ...] = (1,)  # of the arms, to each other

    @property
    def arms(self) -> int:
        """How many there are, the holdout not counted."""
        return len(self.weights)

    def shares(self) -> tuple[int, ...]:
        """Of each arm, in :data:`WHOLE`; with the holdout they are all of it."""
        ends = _ends(self)
        return tuple(end - begin for begin, end in zip((self.holdout, *ends), ends, strict=False))


def split(holdout: int, weights: Sequence[int]) -> Split:
    """Checked; raises BadInput, naming the field, for a division that tells nothing or is none."""
    if not 0 <= holdout <= WHOLE // 2:
        raise BadInput("bad-holdout", "Hold out between 0 and 50 % of the guests.", field="holdout")
    if 0 < holdout < _FEWEST:
        raise BadInput("bad-holdout", "Hold out at least 1 % of the guests, or nobody.", field="holdout")
    if not 1 <= len(weights) <= MOST_ARMS:
        raise BadInput("bad-arms", f"A campaign has between 1 and {MOST_ARMS} arms.", field="arms")
    if any(weight < 1 for weight in weights):
        raise BadInput("bad-arms", "An arm's weight is a whole number from 1.", field="arms")
    made = Split(holdout, tuple(weights))
    if min(made.shares()) < _FEWEST:
        raise BadInput("bad-arms", "An arm gets at least 1 % of the guests.", field="arms")
    return made


def arm_of(split: Split, salt: bytes, member_id: MemberId) -> int | None:
    """The index of the member's arm; None: held out. ``salt`` is the campaign's own, 16 bytes or more."""
    place = _place(salt, b"arm", member_id)
    if place < split.holdout:
        return None
    return next(index for index, end in enumerate(_ends(split)) if place < end)


def in_canary(salt: bytes, member_id: MemberId) -> bool:
    """Whether the member is among the few that a careful campaign begins with, whatever the arm."""
    return _place(salt, b"canary", member_id) < CANARY


def _ends(split: Split) -> list[int]:
    """Where the arms end; rounding leaves nobody over."""
    whole, rest = sum(split.weights), WHOLE - split.holdout
    return [split.holdout + rest * upto // whole for upto in accumulate(split.weights)]


def _place(salt: bytes, purpose: bytes, member_id: MemberId) -> int:
    """From 0 to below :data:`WHOLE`, all alike: 2^64 is so much more that the remainder favours nobody."""
    digest = blake2b(b"%d" % member_id, digest_size=8, key=salt[:64], person=purpose).digest()
    return int.from_bytes(digest, "big") % WHOLE
