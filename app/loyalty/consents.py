"""Consent: who may be written to, and how a guest takes it back.

Every word is evidence that stays: in which words, from where and when. The latest one counts, so a
withdrawal is a row of its own, and so is a new grant after it.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import replace
from datetime import datetime
from typing import NamedTuple

from app.db import Tx
from app.db.identifiers import BrandId, MemberId
from app.delivery import texts
from app.errors import NotFound
from app.loyalty import store_consents as store
from app.loyalty import store_habits
from app.loyalty.enrolment import Purpose
from app.loyalty.store_enrolments import ConsentRow
from app.passes.content import Language

__all__ = [
    "Purpose",
    "Recipient",
    "allowing",
    "hear_stop",
    "may_be_sent_advertising",
    "withdraw",
    "withdraw_by_number",
]


class Recipient(NamedTuple):
    """Who an advertising text would go to."""

    member_id: MemberId
    brand_id: BrandId
    number: str  # E.164


OWN_WORDS = "own words"
"""The version of a text that no brand wrote: the guest did."""
_LONGEST_OWN_WORDS = 160


def withdraw(
    tx: Tx,
    member_id: MemberId,
    *,
    purpose: Purpose = "advertising",
    source: str,
    text: str,
    text_version: str,
    language: Language,
    now: datetime,
) -> bool:
    """Note that the member takes consent back; False where there was none, and nothing is written.

    ``source`` says where ("card page", "text message"), ``text`` in which words it was offered or asked for.
    A member who was merged is the one who lives on. Raises :class:`NotFound` for an unknown member.
    """
    row = store.lock_member(tx, member_id)
    while row is not None and row.merged_into_id is not None:
        row = store.lock_member(tx, row.merged_into_id)
    if row is None:
        raise NotFound("no-such-member", f"There is no member number {member_id}")
    evidence = ConsentRow(
        purpose=purpose,
        granted=False,
        text_version=text_version,
        text=text,
        language=language,
        source=source,
        at=now,
    )
    return _withdraw(tx, {row.id: evidence}, purpose) > 0


def withdraw_by_number(
    tx: Tx, brand_id: BrandId, number: str, *, source: str, text: str, now: datetime
) -> int:
    """Note that whoever has this number (E.164) wants no advertising; returns how many members that ends.

    Everybody in the brand who gave the number is meant, whether they proved it or not: texts go to the
    number, and its holder has spoken. The number itself is silenced too: a text that waits may go to a number
    that its member has no more. ``text`` is what the holder sent.
    """
    words = text.replace("\x00", "")[:_LONGEST_OWN_WORDS]  # PostgreSQL takes in no NUL
    rows = store.lock_members_of_number(tx, brand_id, number)
    evidence = {
        row.id: ConsentRow(
            purpose="advertising",
            granted=False,
            text_version=OWN_WORDS,
            text=words,
            language=row.language,
            source=source,
            at=now,
        )
        for row in rows
    }
    ended = _withdraw(tx, evidence, "advertising")
    last = [one.at for one in store.last_words(tx, list(evidence), "advertising")]
    store.silence(tx, brand_id, number, source=source, text=words, at=max([now, *last]))
    store_habits.insert_changes_of_number(tx, brand_id, number)
    return ended


def hear_stop(
    tx: Tx, login: str, brand_ids: Collection[BrandId], number: str, *, text: str, now: datetime
) -> int:
    """A guest answered ``login`` with a stop word: it is meant for whoever texts by it, or has texted so.

    ``brand_ids`` send by it today. Returns how many members' consent that ends.
    """
    meant = sorted({*brand_ids, *texts.brands_that_texted(tx, login, number)})
    return sum(
        withdraw_by_number(tx, brand_id, number, source=f"sms:{login}", text=text, now=now)
        for brand_id in meant
    )


def may_be_sent_advertising(tx: Tx, recipients: Collection[Recipient]) -> set[Recipient]:
    """Those whose latest word is a grant, and whose number has not been silenced since."""
    said = {
        one.member_id: one.at
        for one in store.last_words(tx, [each.member_id for each in recipients], "advertising")
        if one.granted
    }
    silenced = store.silenced(tx, [each.number for each in recipients])
    return {
        each
        for each in recipients
        if (granted_at := said.get(each.member_id)) is not None
        and ((silent_at := silenced.get((each.brand_id, each.number))) is None or silent_at < granted_at)
    }


def allowing(tx: Tx, member_ids: Collection[MemberId], purpose: Purpose) -> set[MemberId]:
    """Those whose latest word is a grant; never a member who was removed, or merged into another."""
    return {one.member_id for one in store.last_words(tx, list(member_ids), purpose) if one.granted}


def _withdraw(tx: Tx, evidence: Mapping[MemberId, ConsentRow], purpose: Purpose) -> int:
    """Write the evidence of those who had granted; they are locked."""
    granted = [one for one in store.last_words(tx, list(evidence), purpose) if one.granted]
    # Clocks of several machines differ: a withdrawal is never earlier than the grant that it ends.
    rows = [
        (one.member_id, _not_before(evidence[one.member_id], one.at))
        for one in sorted(granted, key=lambda one: one.member_id)
    ]
    store.add(tx, rows)
    if rows:
        store_habits.insert_changes(tx, [member_id for member_id, _ in rows])
    return len(rows)


def _not_before(row: ConsentRow, moment: datetime) -> ConsentRow:
    return replace(row, at=max(row.at, moment))
