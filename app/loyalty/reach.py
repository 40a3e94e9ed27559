"""How a guest is reached: advertising that may be sent, phones and Google's holders, wallets ever and now."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from app.db import Tx
from app.db.identifiers import BrandId, MemberId
from app.loyalty import consents, store_holding


@dataclass(frozen=True, slots=True, kw_only=True)
class Reach:
    """Of one member, at one moment."""

    brand_id: BrandId
    consenting: bool  # the latest word about advertising is a grant
    texts: bool  # and there is a number, which was not silenced since
    apple: bool  # a card on a phone that pushes reach
    google: bool  # a card that somebody holds at Google
    added: bool  # a card in any wallet, of Android pass apps too
    had: bool  # a card was in a wallet once
    heard_at: (
        datetime | None
    )  # by any phone that has a card; None where Google has one: nothing is heard there


def of_members(tx: Tx, member_ids: Sequence[MemberId]) -> dict[MemberId, Reach]:
    """Of the living among these, in order of id."""
    living = store_holding.living(tx, member_ids) if member_ids else []
    ids = [one.member_id for one in living]
    if not ids:
        return {}
    phones = store_holding.phones(tx, ids)
    objects = store_holding.at_google(tx, ids)
    agreed = consents.allowing(tx, ids, "advertising")
    numbers = [
        consents.Recipient(one.member_id, one.brand_id, one.phone)
        for one in living
        if one.phone is not None and one.member_id in agreed
    ]
    texts = {one.member_id for one in consents.may_be_sent_advertising(tx, numbers)}
    heard: dict[MemberId, datetime] = {}
    for one in phones:
        if one.reached:
            heard[one.member_id] = max(one.heard_at, heard.get(one.member_id, one.heard_at))
    apple = {one.member_id for one in phones if one.reached and one.apple}
    google = {one.member_id for one in objects if one.held}
    had = {one.member_id for one in phones} | {one.member_id for one in objects if one.saved}
    had |= store_holding.shown(tx, ids)
    return {
        one.member_id: Reach(
            brand_id=one.brand_id,
            consenting=one.member_id in agreed,
            texts=one.member_id in texts,
            apple=one.member_id in apple,
            google=one.member_id in google,
            added=one.member_id in google or one.member_id in heard,
            had=one.member_id in had,
            heard_at=None if one.member_id in google else heard.get(one.member_id),
        )
        for one in living
    }
