"""Guests: found in seconds at the counter; how their cards stand, and why a phone does not show it."""

from __future__ import annotations

from typing import Final

from flask import Response, render_template, request, url_for
from flask.typing import ResponseReturnValue
from limits import RateLimitItem, RateLimitItemPerHour, RateLimitItemPerMinute

from app.db import Tx
from app.db.identifiers import EnrolmentId, MemberId
from app.errors import NotFound
from app.loyalty import store_enrolments
from app.passes import designs, issuing
from app.passes.card_front import draw_front
from app.passes.proofs import Proofs
from app.reports import members as found_members
from app.web.console import members_acts, members_data
from app.web.console.forms import render, see
from app.web.console.members_google import WIDTH, card_at_google
from app.web.console.members_page import card_of, member_page
from app.web.console.members_words import balance_words, phone_words
from app.web.console.registry import Console, page
from app.web.console.visit import Visit
from app.web.guest_form import region
from app.web.rate_limits import RateLimits
from app.web.services import Services

_CARD_WIDTH = 375.0
_SEARCHES: Final[tuple[RateLimitItem, ...]] = (RateLimitItemPerMinute(30), RateLimitItemPerHour(300))
"""Of somebody who may not see numbers: a till's queue needs fewer, guessing a number needs many more."""


def register(console: Console, services: Services) -> None:
    """``/console/<brand>/members``."""
    limits = RateLimits(services.rate_limit_storage)

    @page(console, "/<brand>/members", needs="member.read")
    def every(visit: Visit) -> ResponseReturnValue:
        query = request.args.get("q", "")
        if query.strip() and not visit.may("member.phone"):
            limits.count(_SEARCHES, "console", "guests looked for", str(visit.user.id))
        with services.database.read() as tx:
            found = found_members.search(
                tx,
                visit.brand.id,
                query,
                venues=visit.access.venues,
                region=region(visit.brand.time_zone),
                any_end=visit.may("member.phone"),
            )
        return render(
            visit,
            "members_every.html",
            query=query.strip(),
            found=found,
            phone=lambda member: phone_words(member.phone, whole=visit.may("member.phone")),
            balance=balance_words,
        )

    @page(console, "/<brand>/members/<int:member_id>", needs="member.read")
    def one(visit: Visit, member_id: int) -> ResponseReturnValue:
        with services.database.read() as tx:
            row = store_enrolments.member(tx, member_id) if _sees(tx, visit, member_id) else None
        if row is not None and row.merged_into_id is not None:
            return see(url_for("console.members_one", member_id=row.merged_into_id))
        return member_page(visit, services, MemberId(member_id))

    @page(console, "/<brand>/members/<int:member_id>/cards/<int:card_id>.svg", needs="member.read")
    def picture(visit: Visit, member_id: int, card_id: int) -> ResponseReturnValue:
        with services.database.read() as tx:
            card = card_of(tx, visit, MemberId(member_id), EnrolmentId(card_id))
            wallet_pass = issuing.wallet_pass(tx, card.pass_id)
            design = designs.design(tx, wallet_pass.design_id)
        content = wallet_pass.content
        proof = Proofs(design.layout, design.files, now=visit.now).pull(content, content.language)
        drawn = draw_front(proof, _CARD_WIDTH)
        return Response(render_template("console/members_card.svg", drawn=drawn), mimetype="image/svg+xml")

    @page(console, "/<brand>/members/<int:member_id>/cards/<int:card_id>/google.svg", needs="member.read")
    def google(visit: Visit, member_id: int, card_id: int) -> ResponseReturnValue:
        with services.database.read() as tx:
            card = card_of(tx, visit, MemberId(member_id), EnrolmentId(card_id))
            shown = card_at_google(tx, services, card.pass_id)
        if shown is None:
            raise NotFound("no-such-card", "This card is not at Google.")
        drawn = shown.drawn(width=WIDTH, theme="light")
        return Response(render_template("console/members_card.svg", drawn=drawn), mimetype="image/svg+xml")

    members_acts.register(console, services)
    members_data.register(console, services)


def _sees(tx: Tx, visit: Visit, member_id: int) -> bool:
    return found_members.may_see(tx, visit.brand.id, MemberId(member_id), None)
