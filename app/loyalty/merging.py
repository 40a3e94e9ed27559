"""Two cards of one guest become one, after their number was proved.

Balances add up: points move in lots of their own with the expiry they had, by entries that compensate each
other; stamps and offers move along; receipts of both count for the tier, and a refund of either finds the
points. The other card's pass is a tombstone, its code leads every till to the card that lives on. The members
become one: cards of other programmes move along or are merged in the same way, consents of both are the
member's.
Locks: members, enrolments, texts, passes, promises, the tag counter.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime

from app.accounts import audit
from app.db import Tx
from app.db.identifiers import EnrolmentId, MemberId, WalletPassId
from app.delivery import texts
from app.errors import Conflict, NotFound
from app.loyalty import (
    habits,
    ledger,
    offer_merging,
    store_accounts,
    store_card_acts,
    store_consents,
    store_contacts,
    store_enrolments,
    store_numbers,
)
from app.loyalty import store_merging as store
from app.loyalty.account import Account
from app.loyalty.store_enrolments import ConsentRow, Enrolment, MemberRow
from app.passes import issuing
from app.passes.content import PassContent
from app.passes.issuing import Revision


def merge(
    tx: Tx, *, living: EnrolmentId, ending: EnrolmentId, now: datetime, actor: str = "service"
) -> Enrolment:
    """Merge the card ``ending`` into ``living``, and their members; returns the card that lives on.

    Raises :class:`NotFound` for a card that is not there or has ended, :class:`Conflict` for cards of two
    programmes and for twice the same. Nothing was changed then.
    """
    one, other = (_open(store_enrolments.enrolment(tx, each)) for each in (living, ending))
    if one.programme_id != other.programme_id:
        raise Conflict("another-programme", "Cards of two programmes cannot be merged.")
    if one.id == other.id:
        raise Conflict("same-card", "A card cannot be merged with itself.")
    if not unite(tx, living=one.member_id, ending=other.member_id, keeps=one.id, now=now, actor=actor):
        raise NotFound("no-such-card", "One of the cards has ended meanwhile.")
    return _open(store_enrolments.enrolment(tx, living))


def unite(
    tx: Tx,
    *,
    living: MemberId,
    ending: MemberId,
    keeps: EnrolmentId | None = None,
    number: str | None = None,
    now: datetime,
    actor: str,
) -> bool:
    """Make one member of two; False, and nothing is changed, where one of them has been removed meanwhile.

    Where both have a card of a programme, the older one lives on, or the one that this ``keeps``. ``number``
    (E.164), where given, is the proved number of both; without it the living member keeps what it has.
    """
    rows = {row.id: row for row in store.lock_members(tx, [living, ending])}
    cards = store.lock_cards(tx, [living, ending])
    if living == ending or len(rows) < 2 or any(row.removed_at is not None for row in rows.values()):
        return False
    by_programme: dict[int, list[Enrolment]] = {}
    for card in cards:
        by_programme.setdefault(card.programme_id, []).append(card)
    name = rows[living].name or rows[ending].name
    revisions: list[Revision] = []
    ends: list[WalletPassId] = []
    merged = [
        sorted(pair, key=lambda card: (card.id != keeps, card.enrolled_at, card.id))
        for pair in by_programme.values()
        if len(pair) == 2
    ]
    moved = {ended.id: kept.id for kept, ended in merged}
    shown = offer_merging.unite(tx, cards, living=living, ending=ending, merged=moved, now=now)
    for kept, ended in merged:
        revisions.append(_merge_cards(tx, kept, ended, name, shown.pop(kept.pass_id, None), now=now))
        ends.append(ended.pass_id)
    revisions += [Revision(pass_id, change) for pass_id, change in shown.items() if pass_id not in ends]
    store.hand_over_cards(tx, out_of=ending, into=living)
    for member_id in (living, ending):
        habits.changed(tx, rows[living].brand_id, member_id)
    _unite_members(tx, rows[living], rows[ending], number, now=now)
    audit.record(
        tx,
        at=now,
        actor=actor,
        brand_id=rows[living].brand_id,
        action="member.merged",
        subject=f"member {living}",
        detail={"ended": ending, "cards": len(ends)},
    )
    issuing.revise(tx, revisions, kind="receipt", now=now, ends=ends)
    return True


def _merge_cards(
    tx: Tx,
    kept: Enrolment,
    ended: Enrolment,
    name: str | None,
    offers: Callable[[PassContent], PassContent] | None,
    *,
    now: datetime,
) -> Revision:
    """Move everything, end the one; returns what the other says from now on."""
    before = _account(tx, ended.id, now).enrolment  # points whose time is over do not move
    ledger.move(tx, out_of=ended.id, into=kept.id, points=before.balance, stamps=before.stamps, now=now)
    store.move_receipts(tx, out_of=ended.id, into=kept.id)
    store.end_card(tx, ended.id, into=kept.id, now=now)
    if ended.blocked_at and not kept.blocked_at:  # nobody is rid of a block by proving a number
        store_card_acts.set_blocked(tx, kept.id, ended.blocked_at)
    account = _account(tx, kept.id, now)
    risen_to = account.settle_tier()
    revision, _ = account.told(
        points=before.balance,
        stamps=before.stamps,
        announcement=f"merged:{ended.id}",
        risen_to=risen_to,
        merged=True,
    )

    def changed(content: PassContent) -> PassContent:
        said = revision.changed(offers(content) if offers else content)
        blocked = said.blocked or ended.blocked_at is not None
        return replace(said, member_name=said.member_name or name, blocked=blocked)

    return replace(revision, changed=changed)


def _account(tx: Tx, enrolment_id: EnrolmentId, now: datetime) -> Account:
    row = store_accounts.lock(tx, enrolment_id, now=now)
    if row is None:
        raise NotFound("no-such-card", "There is no such card.")
    return Account.open(tx, row, now=now)


def _unite_members(
    tx: Tx, living: MemberRow, ending: MemberRow, number: str | None, *, now: datetime
) -> None:
    """What is known of the one is known of the other; evidence of both stays with both."""
    theirs = store_contacts.contact(tx, ending.id)
    mine = store_contacts.contact(tx, living.id)
    said = _said(store_enrolments.consents(tx, ending.id))
    evidence = [replace(row, source=f"{row.source} (member {ending.id})") for row in said]
    store_consents.add(tx, [(living.id, row) for row in evidence])
    texts.hand_over(tx, out_of=ending.id, into=living.id)
    store.end_member(tx, ending.id, into=living.id, now=now)
    if ending.name and not living.name:
        store.name_member(tx, living.id, ending.name)
    if theirs.birthday and not mine.birthday:
        store_contacts.set_birthday(tx, living.id, theirs.birthday)
    proved = number or next((one.phone for one in (mine, theirs) if one.phone_verified_at), None)
    if proved and not (mine.phone_verified_at and mine.phone == proved):
        store_numbers.set_proved(tx, living.id, proved, now=now)
    elif theirs.phone and not mine.phone:
        store_contacts.set_phone(tx, living.id, theirs.phone)


def _said(rows: Sequence[ConsentRow]) -> list[ConsentRow]:
    """What a guest said, in order: a box that was never ticked on another form takes nothing back."""
    granted: set[str] = set()
    said = []
    for row in sorted(rows, key=lambda row: row.at):
        granted |= {row.purpose} if row.granted else set()
        if row.purpose in granted:
            said.append(row)
    return said


def _open(card: Enrolment | None) -> Enrolment:
    if card is None or card.ended_at is not None:
        raise NotFound("no-such-card", "There is no such card, or it has ended.")
    return card
