"""Offers of two members that are one guest: each is the guest's once.

Of an offer that both had, a redeemed grant is kept before an open one, an open one before one that is over,
and of two open ones that which lasts longer. The other leaves its card; what it was stays written down.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial

from app.db import Tx
from app.db.identifiers import EnrolmentId, MemberId, OfferId, WalletPassId
from app.loyalty import granting, store_grants
from app.loyalty.store_enrolments import Enrolment
from app.loyalty.store_grants import Grant
from app.passes.content import CardOffer, PassContent

_NEVER = datetime.max.replace(tzinfo=UTC)


def unite(
    tx: Tx,
    cards: Sequence[Enrolment],
    *,
    living: MemberId,
    ending: MemberId,
    merged: Mapping[EnrolmentId, EnrolmentId],
    now: datetime,
) -> dict[WalletPassId, Callable[[PassContent], PassContent]]:
    """Hand everything of ``ending`` over to ``living``; returns by card how its offers change.

    ``cards`` are the locked ones of both; ``merged`` says into which card which one goes.
    """
    own, theirs = (store_grants.of_member(tx, each) for each in (living, ending))
    if not theirs and not (own and merged):
        return {}
    by_offer: dict[OfferId, list[Grant]] = {}
    for grant in (*own, *theirs):
        if grant.same_as_id is None:
            by_offer.setdefault(grant.offer_id, []).append(grant)
    for both in by_offer.values():
        if len(both) == 2:
            kept, other = sorted(both, key=_rank, reverse=True)
            store_grants.set_same(tx, other, kept, now=now)
    for out_of, into in merged.items():
        store_grants.hand_over(tx, out_of=out_of, into=into)
    store_grants.hand_over_all(tx, out_of=ending, into=living)
    return {
        card.pass_id: partial(_showing, offers=granting.on_card(tx, card.id))
        for card in cards
        if card.id not in merged
    }


def _rank(grant: Grant) -> tuple[bool, bool, datetime]:
    return grant.redeemed_at is not None, grant.is_open, grant.until_at or _NEVER


def _showing(content: PassContent, offers: tuple[CardOffer, ...]) -> PassContent:
    return replace(content, offers=offers)
