"""Issuing passes and changing what they say.

Every change is a new version with a later ``Last-Modified`` and a new update tag, and a push is promised to
every phone that holds the pass (and a change of its object, where it is at Google), all in the caller's
transaction. Locks are taken in one order everywhere: pass rows sorted, promises in order of device, then of
object, the tag counter, then the writes. The counter serialises writers of one pass type identifier, so these
functions belong at the end of a transaction, once each.
"""

from __future__ import annotations

import secrets
import string
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

from app.db import Tx
from app.db.identifiers import (
    CardCode,
    DesignId,
    PassTypeIdentifier,
    ProgrammeId,
    SerialNumber,
    WalletPassId,
)
from app.db.pace import Pace
from app.errors import BadInput, Conflict, NotFound
from app.passes import held_messages, store_announcements, store_moves, store_passes, store_tags
from app.passes.content import PassContent
from app.passes.pass_json import check_content
from app.passes.promising import PushKind, promise_to_holders
from app.passes.speaking import Speech, spoken
from app.passes.store_passes import Change, WalletPass

__all__ = [
    "PushKind",
    "Revision",
    "WalletPass",
    "issue",
    "move_back",
    "move_cards",
    "move_design",
    "pace",
    "revise",
    "tombstone",
]

MOST_CHANGES = 200
"""In one transaction, so that a campaign's expansion never makes a till wait for the tag counter."""

_FEWEST_CHANGES = 50  # however slow the database is

_ALPHABET = string.ascii_letters + string.digits  # iOS escapes others twice, and "/" splits the path
_SERIAL_LENGTH = 22  # 131 bits
_VOID_CODE = CardCode("VOID")  # no till knows it
_SECOND = timedelta(seconds=1)
_NONE = WalletPassId(0)  # ids count from 1


@dataclass(frozen=True, slots=True)
class Revision:
    """How a pass changes: what it says from now on, made from what it says when it is locked.

    What it ``speaks`` of on the lock screen comes after that, and never displaces what nobody has seen yet
    without having been combined with it (:mod:`app.passes.speaking`).
    """

    pass_id: WalletPassId
    changed: Callable[[PassContent], PassContent]
    speaks: Speech | None = None


def issue(
    tx: Tx,
    *,
    pass_type_identifier: PassTypeIdentifier,
    programme_id: ProgrammeId,
    content: PassContent,
    now: datetime,
    design_id: DesignId | None = None,
) -> WalletPass:
    """Make a pass of the programme's newest design version, or of that one, with a random serial number.

    Raises :class:`Conflict` where the programme has no published design, :class:`BadInput` for content that
    no phone would take.
    """
    content = replace(content, messages=tuple(replace(said, version=1) for said in content.messages))
    check_content(content)
    design_id = design_id or store_passes.newest_design(tx, programme_id)
    if design_id is None:
        raise Conflict("no-design", "This programme has no published design yet: publish one first.")
    draft = WalletPass(
        id=WalletPassId(0),
        pass_type_identifier=pass_type_identifier,
        serial_number=SerialNumber("".join(secrets.choice(_ALPHABET) for _ in range(_SERIAL_LENGTH))),
        design_id=design_id,
        content=content,
        version=1,
        tag=store_tags.next_tag(tx, pass_type_identifier),
        last_modified=_whole_second(now),
        key_version=1,
        voided_at=None,
    )
    return replace(draft, id=store_passes.add(tx, draft, now=now))


def pace() -> Pace:
    """For whoever moves many passes: how many a transaction, and how long to rest for tills' sake."""
    return Pace(fewest=_FEWEST_CHANGES, most=MOST_CHANGES)


def wallet_pass(tx: Tx, pass_id: WalletPassId) -> WalletPass:
    """The pass as it is; raises :class:`NotFound`."""
    found = store_passes.by_id(tx, pass_id)
    if found is None:
        raise NotFound("no-such-pass", "There is no such pass.")
    return found


def hold(tx: Tx, pass_id: WalletPassId) -> None:
    """Keep the pass as it is until the transaction ends: for what is locked after it, before its change."""
    store_passes.lock(tx, [pass_id])


def revise(
    tx: Tx,
    changes: Sequence[Revision],
    *,
    kind: PushKind,
    now: datetime,
    ends: Collection[WalletPassId] = (),
) -> None:
    """Change what passes say, and promise a push of ``kind`` to every phone that holds a changed one.

    A content equal to the present one is no change: no version, no tag, no push. A tombstone stays as it is.
    Of several revisions of one pass the last counts. Those that it ``ends`` become tombstones with it, see
    :func:`tombstone`. Raises :class:`BadInput` for more than 200 or for content that no phone would take,
    and :class:`NotFound` for a pass that does not exist; nothing was changed then.
    """
    if len(changes) + len(ends) > MOST_CHANGES:
        raise BadInput("too-many-changes", f"A transaction changes at most {MOST_CHANGES} passes.")
    wanted = {revision.pass_id: revision for revision in changes}
    concerned = {*wanted, *ends}
    present = store_passes.lock(tx, list(concerned))
    if len(present) < len(concerned):
        raise NotFound("no-such-pass", "There is no such pass.")
    held = held_messages.of_passes(tx, [old for old in present if _speaks(wanted, old)], now)
    successors: list[tuple[WalletPass, Change]] = []
    for old in present:
        if old.voided_at is not None:
            continue
        if old.id in ends:
            successors.append((old, replace(_successor(old, now), content=_blank(old), voided_at=now)))
            continue
        content = wanted[old.id].changed(old.content)
        if speech := wanted[old.id].speaks:
            content = spoken(content, speech, held.get(old.id), version=old.version + 1)
        check_content(content)
        if content != old.content:
            successors.append((old, replace(_successor(old, now), content=content)))
    held_messages.settle(tx, [(old, change.content) for old, change in successors], held, now)
    store_announcements.forget(tx, ends)
    _change(tx, successors, kind=kind, now=now)


def tombstone(tx: Tx, *pass_ids: WalletPassId, now: datetime) -> None:
    """Void passes for good and forget whose they were; their phones are told silently.

    They keep answering, with a voided pass that carries nothing personal: a phone that got an error instead
    would show the old card for ever. Doing it twice changes nothing. Raises :class:`NotFound`.
    """
    revise(tx, (), kind="silent", now=now, ends=pass_ids)


def move_design(
    tx: Tx,
    *,
    from_design_id: DesignId,
    to_design_id: DesignId,
    after: WalletPassId = _NONE,
    limit: int = MOST_CHANGES,
    now: datetime,
) -> list[WalletPassId]:
    """Move the first passes of one design version beyond ``after`` to another; returns them, sorted.

    Call it again, in another transaction, ``after`` the last one, until none are left: those that were moved
    need not be passed over each time. Phones are told silently. Raises
    :class:`BadInput` for a ``limit`` that is not 1 to 200, and for designs of two programmes.
    """
    if not 1 <= limit <= MOST_CHANGES:
        raise BadInput("limit-out-of-range", f"Between 1 and {MOST_CHANGES} passes are moved at a time.")
    if from_design_id == to_design_id:
        return []
    if not store_passes.share_programme(tx, from_design_id, to_design_id):
        raise BadInput("another-programme", "A card moves between design versions of its own programme only.")
    found = store_moves.lock_of_design(tx, from_design_id, after=after, limit=limit)
    return _move(tx, [(old, to_design_id, from_design_id) for old, _ in found], now=now)


def move_cards(
    tx: Tx,
    pass_ids: Sequence[WalletPassId],
    *,
    from_design_id: DesignId,
    to_design_id: DesignId,
    now: datetime,
    remember: bool = True,
    kind: PushKind = "silent",
) -> list[WalletPassId]:
    """The same for chosen passes, as far as they are still of the first version; returns those, sorted.

    Unless it is to ``remember``, :func:`move_back` knows no way back for them. ``kind`` says how much of the
    phones' patience it may take. Raises :class:`BadInput` for
    more than 200; that the two are of one programme is the caller's affair.
    """
    if len(pass_ids) > MOST_CHANGES:
        raise BadInput("limit-out-of-range", f"Between 1 and {MOST_CHANGES} passes are moved at a time.")
    found = store_moves.lock_editions(tx, from_design_id, pass_ids)
    way_back = from_design_id if remember else None
    return _move(tx, [(old, to_design_id, way_back) for old in found], now=now, kind=kind)


def move_back(
    tx: Tx, *, from_design_id: DesignId, to_design_id: DesignId, limit: int = MOST_CHANGES, now: datetime
) -> list[WalletPassId]:
    """Move the first passes of a version to where they came from; those made with it to ``to_design_id``.

    Call it again, in another transaction, until none are left. Raises as :func:`move_design` for ``limit``.
    """
    if not 1 <= limit <= MOST_CHANGES:
        raise BadInput("limit-out-of-range", f"Between 1 and {MOST_CHANGES} passes are moved at a time.")
    found = store_moves.lock_of_design(tx, from_design_id, after=_NONE, limit=limit)
    return _move(tx, [(old, came_from or to_design_id, None) for old, came_from in found], now=now)


def _move(
    tx: Tx,
    moves: Sequence[tuple[store_moves.Edition, DesignId, DesignId | None]],
    *,
    now: datetime,
    kind: PushKind = "silent",
) -> list[WalletPassId]:
    """Locked passes become the next editions, of other design versions."""
    moved = [
        store_moves.Move(
            replace(old, version=old.version + 1, last_modified=_later(old.last_modified, now)), to, way_back
        )
        for old, to, way_back in moves
    ]
    ids = [each.edition.id for each in moved]
    promise_to_holders(tx, ids, kind=kind, now=now)
    store_moves.write_moved(tx, moved)
    return ids


def _speaks(wanted: Mapping[WalletPassId, Revision], old: WalletPass) -> bool:
    return old.id in wanted and wanted[old.id].speaks is not None


def _blank(old: WalletPass) -> PassContent:
    """What a tombstone says: nothing of its guest."""
    return PassContent(
        language=old.content.language,
        card_code=_VOID_CODE,
        member_name=None,
        balance=0,
        tier=None,
        stamps=0,
        voided=True,
    )


def _whole_second(moment: datetime) -> datetime:
    return moment.astimezone(UTC).replace(microsecond=0)


def _successor(old: WalletPass, now: datetime) -> Change:
    """The next version, not changed yet."""
    return Change(
        id=old.id,
        design_id=old.design_id,
        content=old.content,
        version=old.version + 1,
        last_modified=_later(old.last_modified, now),
        voided_at=old.voided_at,
    )


def _later(last_modified: datetime, now: datetime) -> datetime:
    """HTTP dates are whole seconds: each version gets one of its own."""
    return max(_whole_second(now), last_modified + _SECOND)


def _change(tx: Tx, changes: Sequence[tuple[WalletPass, Change]], *, kind: PushKind, now: datetime) -> None:
    """Write what passes say from now on; they are locked already."""
    promise_to_holders(tx, [old.id for old, _ in changes], kind=kind, now=now)
    store_passes.write(
        tx, {old.pass_type_identifier for old, _ in changes}, [change for _, change in changes]
    )
