"""Consent: who may be written to, and how a guest takes it back.

Every word is evidence that stays: in which words, from where and when. The latest one counts, so a
withdrawal is a row of its own, and so is a new grant after it.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import replace
from datetime import datetime

from app.db import Tx
from app.db.identifiers import BrandId, MemberId
from app.errors import NotFound
from app.loyalty import store_consents as store
from app.loyalty.enrolment import Purpose
from app.loyalty.store_enrolments import ConsentRow
from app.passes.content import Language

__all__ = ["Purpose", "allowing", "withdraw", "withdraw_by_number"]

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
    number, and its holder has spoken. ``text`` is what the holder sent.
    """
    rows = store.lock_members_of_number(tx, brand_id, number)
    evidence = {
        row.id: ConsentRow(
            purpose="advertising",
            granted=False,
            text_version=OWN_WORDS,
            text=text.replace("\x00", "")[:_LONGEST_OWN_WORDS],  # which PostgreSQL takes in no text
            language=row.language,
            source=source,
            at=now,
        )
        for row in rows
    }
    return _withdraw(tx, evidence, "advertising")


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
    return len(rows)


def _not_before(row: ConsentRow, moment: datetime) -> ConsentRow:
    return replace(row, at=max(row.at, moment))
