"""Messages that keep their place on a card since nobody has seen them, and how they lose it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

from app.db import Tx
from app.db.identifiers import WalletPassId
from app.passes import store_announcements
from app.passes.content import Message, PassContent
from app.passes.speaking import ends_at, may_be_displaced, unseen
from app.passes.store_passes import WalletPass

_NOTHING_SEEN = 0


def of_passes(tx: Tx, passes: Sequence[WalletPass], now: datetime) -> dict[WalletPassId, Message]:
    """By pass the message that nobody has seen yet; passes that may speak freely are left out.

    Asks the database nothing where what was said last is old enough.
    """
    recent = [one for one in passes if unseen(one.content, _NOTHING_SEEN, now)]
    seen = store_announcements.seen_versions(tx, [one.id for one in recent]) if recent else {}
    found = ((one.id, unseen(one.content, seen.get(one.id), now)) for one in recent)
    return {pass_id: message for pass_id, message in found if message is not None}


def settle(
    tx: Tx,
    replaced: Sequence[tuple[WalletPass, PassContent]],
    held: Mapping[WalletPassId, Message],
    now: datetime,
) -> None:
    """What loses its place on these cards waits for it again, or ends: nobody can fetch it any more."""
    lost: list[tuple[WalletPassId, str]] = []
    over: list[tuple[WalletPassId, str]] = []
    for old, content in replaced:
        said = old.content.messages[0] if old.content.messages else None
        if said is None or not may_be_displaced(said) or content.messages[:1] == (said,):
            continue
        waits = held.get(old.id) == said and now < ends_at(said)
        (lost if waits else over).append((old.id, said.announcement))
    store_announcements.put_back(tx, lost, now=now)
    store_announcements.end(tx, over, "expired", now=now)
