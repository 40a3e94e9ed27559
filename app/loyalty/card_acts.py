"""What people of the brand do to a card by hand: correct its balance, block it, issue it anew.

Each act has a reason and happens once per form, however often the button is pressed. Nothing is edited: a
correction is one more entry of the ledger, and a card that is issued anew is another pass, since the
authentication token of a living one never changes.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime

from app.accounts import audit, brands
from app.db import Tx
from app.db.identifiers import EnrolmentId
from app.errors import BadInput, Conflict, NotFound
from app.loyalty import content as cards
from app.loyalty import habits, ledger, store_accounts, store_card_acts, store_enrolments
from app.loyalty.account import Account
from app.loyalty.card_codes import new_card_code
from app.loyalty.rules import point_rules
from app.loyalty.store_card_acts import ActKind, CardAct
from app.loyalty.store_enrolments import Enrolment
from app.passes import issuing
from app.passes.content import LocalizedText, PassContent
from app.passes.issuing import Revision

__all__ = ["MOST_POINTS", "MOST_STAMPS", "CardAct", "Corrected", "block", "correct", "reissue", "unblock"]

LONGEST_REASON = 300
LONGEST_FORM_KEY = 64
MOST_POINTS = 10**9
"""Hundredths of a point in one correction: ten million points are a slip of the finger."""
MOST_STAMPS = 1000
_BLOCKED = LocalizedText(
    "Карта заблокирована. Обратитесь к сотруднику", "This card is blocked. Please ask our staff"
)
_UNBLOCKED = LocalizedText("Карта снова действует", "Your card works again")


@dataclass(frozen=True, slots=True, kw_only=True)
class Corrected:
    """What a correction changed."""

    points: int  # hundredths, signed
    stamps: int  # signed
    repeated: bool  # the same form came before; nothing was changed now


def correct(
    tx: Tx,
    enrolment_id: EnrolmentId,
    *,
    points: int = 0,
    stamps: int = 0,
    reason: str,
    form_key: str,
    all_there_is: bool = False,
    now: datetime,
    actor: str,
) -> Corrected:
    """Add points (hundredths) or stamps by hand, or take them away where they are negative.

    What is added expires as points do that are earned today. Where more is to be taken than there is, that is
    a :class:`Conflict` ("not-enough"), unless ``all_there_is`` says to take what there is. Raises
    :class:`BadInput` for a correction of nothing, of too much or without a reason, :class:`NotFound` for a
    card that is not there or has ended. Nothing was changed then.
    """
    reason = _checked(reason, form_key)
    row = store_accounts.lock(tx, enrolment_id, now=now)
    if row is None or row.enrolment.ended_at is not None:
        raise _no_such_card()
    if earlier := _earlier(tx, form_key, row.enrolment.id, "correction"):
        return _as_before(tx, earlier)
    account = Account.open(tx, row, now=now)
    _refuse_nonsense(account, points, stamps)
    have = account.enrolment
    if all_there_is:
        points, stamps = max(points, -have.balance), max(stamps, -have.stamps)
        if not points and not stamps:
            raise Conflict("not-enough", "There is nothing on this card to take.")
    life = point_rules(account.rules)
    entry_id = account.correct(
        points, stamps=stamps, expires_at=ledger.expiry(life, now) if life and points > 0 else None
    )
    _done(tx, have, "correction", reason, form_key, now, actor, entry_id=entry_id)
    _record(tx, have, "card.corrected", {"points": points, "stamps": stamps}, now, actor)
    account.tell(points=points, stamps=stamps, corrected=True, announcement=f"correction:{entry_id}")
    return Corrected(points=points, stamps=stamps, repeated=False)


def block(
    tx: Tx, enrolment_id: EnrolmentId, *, reason: str, form_key: str, now: datetime, actor: str
) -> bool:
    """Let no till use the card, and have the card say so; False where it was blocked already.

    It is undone by :func:`unblock`. Raises as :func:`correct` does.
    """
    return _set_blocked(tx, enrolment_id, "block", _checked(reason, form_key), form_key, now, actor)


def unblock(tx: Tx, enrolment_id: EnrolmentId, *, form_key: str, now: datetime, actor: str) -> bool:
    """Let tills use the card again; False where it was not blocked."""
    return _set_blocked(tx, enrolment_id, "unblock", None, _checked_key(form_key), now, actor)


def reissue(
    tx: Tx, enrolment_id: EnrolmentId, *, reason: str, form_key: str, now: datetime, actor: str
) -> Enrolment:
    """Give the guest another card with all that is on this one; the old one is void for good.

    For a card that went astray: code, serial number, authentication token and every address of the card are
    new, so whoever has a copy has nothing. The guest adds the new card from its page. Raises as
    :func:`correct` does, and :class:`Conflict` where no design is published.
    """
    reason = _checked(reason, form_key)
    known = _locked(tx, enrolment_id)
    if _earlier(tx, form_key, known.id, "reissue"):
        return known
    former = issuing.wallet_pass(tx, known.pass_id)
    code = new_card_code()
    # The old pass first: who holds the tag counter must wait for no pass.
    issuing.tombstone(tx, known.pass_id, now=now)
    made = issuing.issue(
        tx,
        pass_type_identifier=brands.brand(tx, known.brand_id).pass_type_identifier,
        programme_id=known.programme_id,
        content=replace(former.content, card_code=code),
        now=now,
    )
    store_card_acts.replace_card(tx, known.id, pass_id=made.id, card_code=code)
    habits.changed(tx, known.brand_id, known.member_id)
    store_card_acts.add(
        tx,
        CardAct(
            enrolment_id=known.id,
            kind="reissue",
            reason=reason,
            actor=actor,
            at=now,
            form_key=form_key,
            former_pass_id=known.pass_id,
            former_card_code=known.card_code,
        ),
    )
    _record(tx, known, "card.reissued", {"former_pass": known.pass_id, "pass": made.id}, now, actor)
    return replace(known, pass_id=made.id, card_code=code, card_link_version=known.card_link_version + 1)


def _set_blocked(
    tx: Tx,
    enrolment_id: EnrolmentId,
    kind: ActKind,
    reason: str | None,
    form_key: str,
    now: datetime,
    actor: str,
) -> bool:
    known, blocked = _locked(tx, enrolment_id), kind == "block"
    if _earlier(tx, form_key, known.id, kind) or (known.blocked_at is not None) == blocked:
        return False
    store_card_acts.set_blocked(tx, known.id, now if blocked else None)
    _done(tx, known, kind, reason, form_key, now, actor)
    _record(tx, known, f"card.{kind}ed", {}, now, actor)
    text = _BLOCKED if blocked else _UNBLOCKED

    def changed(content: PassContent) -> PassContent:
        return replace(content, blocked=blocked)

    speech = cards.plain_speech(text, f"{kind}:{known.id}:{now.timestamp():.0f}", now)
    issuing.revise(tx, [Revision(known.pass_id, changed, speech)], kind="receipt", now=now)
    return True


def _locked(tx: Tx, enrolment_id: EnrolmentId) -> Enrolment:
    known = store_enrolments.lock(tx, enrolment_id)
    if known is None or known.ended_at is not None:
        raise _no_such_card()
    return known


def _no_such_card() -> NotFound:
    return NotFound("no-such-card", "There is no such card, or it has ended.")


def _earlier(tx: Tx, form_key: str, enrolment_id: EnrolmentId, kind: ActKind) -> CardAct | None:
    """What the same form did before; the card is locked, so nobody does it meanwhile."""
    found = store_card_acts.of_form(tx, form_key)
    if found is not None and (found.enrolment_id, found.kind) != (enrolment_id, kind):
        raise BadInput("form-used", "This form was used for something else: open the page again.")
    return found


def _as_before(tx: Tx, earlier: CardAct) -> Corrected:
    points, stamps = store_card_acts.corrected(tx, earlier)
    return Corrected(points=points, stamps=stamps, repeated=True)


def _refuse_nonsense(account: Account, points: int, stamps: int) -> None:
    if not points and not stamps:
        raise BadInput("nothing-to-correct", "Say how much is to be added or taken away.", field="amount")
    if abs(points) > MOST_POINTS or abs(stamps) > MOST_STAMPS:
        raise BadInput("too-much", "That is too much for one correction.", field="amount")
    if points and point_rules(account.rules) is None:
        raise BadInput("no-points", "This programme has stamps, not points.", field="amount")
    if stamps and point_rules(account.rules) is not None:
        raise BadInput("no-stamps", "This programme has points, not stamps.", field="amount")


def _checked(reason: str, form_key: str) -> str:
    _checked_key(form_key)
    trimmed = " ".join("".join(ch for ch in reason if ch.isprintable() or ch.isspace()).split())
    if not trimmed:
        raise BadInput("reason-missing", "Write down why: it stays in the card's history.", field="reason")
    if len(trimmed) > LONGEST_REASON:
        raise BadInput("reason-too-long", f"The reason may have {LONGEST_REASON} characters.", field="reason")
    return trimmed


def _checked_key(form_key: str) -> str:
    if not 8 <= len(form_key) <= LONGEST_FORM_KEY or not form_key.isascii() or not form_key.isprintable():
        raise BadInput("form-key", "The form is not whole: open the page again.")
    return form_key


def _done(
    tx: Tx,
    known: Enrolment,
    kind: ActKind,
    reason: str | None,
    form_key: str,
    now: datetime,
    actor: str,
    **more: int,
) -> None:
    act = {"enrolment_id": known.id, "kind": kind, "reason": reason, "actor": actor}
    store_card_acts.add(tx, CardAct(**act, at=now, form_key=form_key, **more))  # type: ignore[arg-type]


def _record(
    tx: Tx, known: Enrolment, action: str, detail: dict[str, object], now: datetime, actor: str
) -> None:
    """The reason stays out of it: it may name the guest, and the audit log is never blanked."""
    audit.record(
        tx,
        at=now,
        actor=actor,
        brand_id=known.brand_id,
        action=action,
        subject=f"member {known.member_id}",
        detail={"card": known.id, **detail},
    )
