"""What people do to a guest's card by hand: correct the balance, block, unblock, issue anew."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from decimal import Decimal

from flask import url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from app.db import Tx
from app.db.identifiers import EnrolmentId, MemberId, ProgrammeId
from app.loyalty import card_acts, programmes
from app.loyalty.rules import StampRules
from app.web.console.forms import Form, done, see
from app.web.console.members_page import card_of, member_page
from app.web.console.registry import Console, act
from app.web.console.visit import Visit
from app.web.services import Services

_CARD = "/<brand>/members/<int:member_id>/cards/<int:card_id>"


def register(console: Console, services: Services) -> None:
    """The acts of the page of a member; each comes back to it."""

    @act(console, f"{_CARD}/correct", needs="member.correct")
    def correct(visit: Visit, member_id: int, card_id: int) -> ResponseReturnValue:
        form, owner, card = Form.posted(), MemberId(member_id), EnrolmentId(card_id)
        way = form.choice("way", ("add", "take"))
        with services.database.read() as tx:
            known = card_of(tx, visit, owner, card)
            stamped = _is_stamped(tx, known.programme_id)
        amount = _stamps(form) if stamped else _points(form)
        if form.ok and amount is not None:
            signed = amount if way == "add" else -amount
            with form.checking({"not-enough": "amount"}), services.database.write() as tx:
                made = card_acts.correct(
                    tx,
                    card,
                    points=0 if stamped else signed,
                    stamps=signed if stamped else 0,
                    reason=form["reason"],
                    form_key=form["form_key"],
                    all_there_is=form.ticked("all_there_is"),
                    now=visit.now,
                    actor=visit.actor,
                )
        if not form.ok:
            return member_page(visit, services, owner, form=form, opened=f"correct-{card_id}")
        services.wakeup.ring()
        back = {
            "way": "take" if made.points + made.stamps > 0 else "add",
            "amount": str(abs(made.stamps)) if stamped else str(Decimal(abs(made.points)) / 100),
            "reason": _("Correction undone"),
            "form_key": secrets.token_hex(16),
        }
        there = url_for("console.members_acts_correct", member_id=owner, card_id=card)
        done(_("The balance is corrected; the card changes in a moment."), undo=(there, back))
        return see(url_for("console.members_one", member_id=owner))

    @act(console, f"{_CARD}/block", needs="member.card")
    def block(visit: Visit, member_id: int, card_id: int) -> ResponseReturnValue:
        owner, card = MemberId(member_id), EnrolmentId(card_id)
        refused = _for_a_reason(visit, services, owner, card, card_acts.block, name="block")
        if refused is not None:
            return refused
        undo = url_for("console.members_acts_unblock", member_id=owner, card_id=card)
        done(
            _("The card is blocked: tills refuse it, and it says so."),
            undo=(undo, {"form_key": secrets.token_hex(16)}),
        )
        return see(url_for("console.members_one", member_id=owner))

    @act(console, f"{_CARD}/unblock", needs="member.card")
    def unblock(visit: Visit, member_id: int, card_id: int) -> ResponseReturnValue:
        form, owner, card = Form.posted(), MemberId(member_id), EnrolmentId(card_id)
        with services.database.write() as tx:
            card_of(tx, visit, owner, card)
            card_acts.unblock(tx, card, form_key=form["form_key"], now=visit.now, actor=visit.actor)
        services.wakeup.ring()
        done(_("The card works again."))
        return see(url_for("console.members_one", member_id=owner))

    @act(console, f"{_CARD}/reissue", needs="member.card")
    def reissue(visit: Visit, member_id: int, card_id: int) -> ResponseReturnValue:
        owner, card = MemberId(member_id), EnrolmentId(card_id)
        refused = _for_a_reason(visit, services, owner, card, card_acts.reissue, name="reissue")
        if refused is not None:
            return refused
        done(_("There is a new card. Show the guest its code below; the old one is void."))
        return see(url_for("console.members_one", member_id=owner, _anchor=f"hand-over-{card_id}"))


def _for_a_reason(
    visit: Visit,
    services: Services,
    owner: MemberId,
    card: EnrolmentId,
    deed: Callable[..., object],
    *,
    name: str,
) -> ResponseReturnValue | None:
    """Do it for the reason in the form; gives the page that says what is wrong, None where it is done."""
    form = Form.posted()
    with services.database.read() as tx:
        card_of(tx, visit, owner, card)
    with form.checking(), services.database.write() as tx:
        reason, form_key = form["reason"], form["form_key"]
        deed(tx, card, reason=reason, form_key=form_key, now=visit.now, actor=visit.actor)
    if not form.ok:
        return member_page(visit, services, owner, form=form, opened=f"{name}-{card}")
    services.wakeup.ring()
    return None


def _is_stamped(tx: Tx, programme_id: ProgrammeId) -> bool:
    return isinstance(programmes.programme(tx, programme_id).rules, StampRules)


def _stamps(form: Form) -> int | None:
    return form.whole("amount", least=1, most=card_acts.MOST_STAMPS)


def _points(form: Form) -> int | None:
    """Hundredths of a point, from what was typed with a comma or a point."""
    typed = "".join(form["amount"].split()).replace(",", ".")
    try:
        points = Decimal(typed) * 100
    except ArithmeticError:  # not a number, or a power of ten beyond any
        points = Decimal(0)
    if not typed:
        form.errors.setdefault("amount", _("Please fill this in."))
    elif not points.is_finite() or points <= 0 or points != points.to_integral_value():
        form.errors.setdefault("amount", _("A number above 0 with at most two decimals, like 12.50."))
    elif points > card_acts.MOST_POINTS:
        form.errors.setdefault("amount", _("That is too much for one correction."))
    else:
        return int(points)
    return None
