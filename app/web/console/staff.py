"""People who invite: staff with a code of their own and a plan for the month."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, time
from zoneinfo import ZoneInfo

from flask import url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from app.accounts import staff
from app.accounts.staff import StaffMember
from app.db import Tx
from app.db.identifiers import ProgrammeId, StaffMemberId
from app.errors import NotFound
from app.loyalty import programmes
from app.places import endings, funnel, links, venues
from app.places.links import InstallLink
from app.places.store_tallies import Scope
from app.places.venues import Venue
from app.web.console.forms import Form, digits, done, render, see
from app.web.console.registry import Console, act, page
from app.web.console.visit import NotAllowed, Visit
from app.web.services import Services


@dataclass(frozen=True, slots=True)
class Inviting:
    """A person with what their codes brought this month in the visitor's venues.

    ``link`` is their newest there that lives. Plan and leaving are ``changeable`` by who has all of the
    venues that the person works in.
    """

    person: StaffMember
    venue: Venue | None
    link: InstallLink | None
    link_venue: Venue | None
    cards: int
    changeable: bool

    @property
    def share(self) -> int | None:
        """Of the plan, in hundredths, at most 100; None without a plan, or where only a part is counted."""
        if not self.person.monthly_target or not self.changeable:
            return None
        return min(100, self.cards * 100 // self.person.monthly_target)


def register(console: Console, services: Services) -> None:
    """``/console/<brand>/places/-/staff``."""
    _list(console, services)
    _changes(console, services)
    _endings(console, services)


def _list(console: Console, services: Services) -> None:
    @page(console, "/<brand>/places/-/staff", needs="staff.edit")
    def everyone(visit: Visit) -> ResponseReturnValue:
        return _page(visit, Form())

    @act(console, "/<brand>/places/-/staff", needs="staff.edit")
    def add(visit: Visit) -> ResponseReturnValue:
        form = Form.posted()
        name = form.text("name", longest=120)
        target = form.whole("monthly_target", least=1, most=staff.MOST_MONTHLY_TARGET, needed=False)
        if form.ok:
            with form.checking(), services.database.write() as tx:
                venue = _venue(tx, visit, form["venue"])
                made = staff.create_staff_member(
                    tx, brand_id=visit.brand.id, venue_id=venue.id, name=name, monthly_target=target,
                    now=visit.now, actor=visit.actor,
                )  # fmt: skip
                cards = programmes.programmes_of_brand(tx, visit.brand.id)
                if cards:
                    _give_code(tx, visit, made, venue, cards[0].id)
        if not form.ok:
            return _page(visit, form)
        done(_("%(name)s can invite now.", name=name))
        return see(url_for("console.staff_everyone"))


def _changes(console: Console, services: Services) -> None:
    @act(console, "/<brand>/places/-/staff/<int:person>/plan", needs="staff.edit")
    def plan(visit: Visit, person: int) -> ResponseReturnValue:
        form = Form.posted()
        target = form.whole("monthly_target", least=1, most=staff.MOST_MONTHLY_TARGET, needed=False)
        if not form.ok:
            form.errors = {f"plan-{person}": form.error("monthly_target")}
            return _page(visit, form)
        with services.database.write() as tx:
            before = _changeable(tx, visit, person)
            after = staff.plan(tx, before.id, monthly_target=target, now=visit.now, actor=visit.actor)
        done(
            _("The plan of %(name)s is saved.", name=after.name),
            undo=(
                url_for("console.staff_plan", person=person),
                {"monthly_target": str(before.monthly_target or "")},
            ),
        )
        return see(url_for("console.staff_everyone"))

    @act(console, "/<brand>/places/-/staff/<int:person>/code", needs="staff.edit")
    def code(visit: Visit, person: int) -> ResponseReturnValue:
        with services.database.write() as tx:
            member = _seen(tx, visit, person)
            venue = _venue(tx, visit, "" if member.venue_id is None else str(member.venue_id))
            cards = programmes.programmes_of_brand(tx, visit.brand.id)
            if not cards:
                raise NotFound("no-such-programme", "The brand has no programme yet")
            made = _give_code(tx, visit, member, venue, cards[0].id)
        return see(url_for("console.places_venue_code", venue=venue.slug, code=made.code))


def _endings(console: Console, services: Services) -> None:
    @act(console, "/<brand>/places/-/staff/<int:person>/leave", needs="staff.edit")
    def leave(visit: Visit, person: int) -> ResponseReturnValue:
        with services.database.write() as tx:
            member = _changeable(tx, visit, person)
            endings.end_employment(tx, member.id, now=visit.now, actor=visit.actor)
        done(
            _("%(name)s has left; their codes have ended.", name=member.name),
            undo=(url_for("console.staff_back", person=person), {}),
        )
        return see(url_for("console.staff_everyone"))

    @act(console, "/<brand>/places/-/staff/<int:person>/back", needs="staff.edit")
    def back(visit: Visit, person: int) -> ResponseReturnValue:
        with services.database.write() as tx:
            member = _changeable(tx, visit, person)
            endings.resume_employment(tx, member.id, now=visit.now, actor=visit.actor)
        done(_("%(name)s works here again.", name=member.name))
        return see(url_for("console.staff_everyone"))


def _page(visit: Visit, form: Form) -> ResponseReturnValue:
    with visit.services.database.read() as tx:
        places = [v for v in venues.open_venues(tx, visit.brand.id) if visit.access.reaches(v.id)]
        people = [p for p in staff.staff_of_brand(tx, visit.brand.id) if _sees(visit, p)]
        inviting = _inviting(tx, visit, [p for p in people if p.left_at is None])
    return render(
        visit,
        "staff_everyone.html",
        form=form,
        inviting=inviting,
        left=[p for p in people if p.left_at is not None and _acts_on(visit, p)],
        places=[(v.id, v.name) for v in places],
        month=_first_of_month(visit),
    )


def _inviting(tx: Tx, visit: Visit, people: list[StaffMember]) -> list[Inviting]:
    known = {v.id: v for v in venues.all_venues(tx, visit.brand.id)}
    codes: dict[StaffMemberId, InstallLink] = {
        link.staff_member_id: link
        for link in links.links_of_brand(tx, visit.brand.id)
        if link.staff_member_id is not None
        and link.retired_at is None
        and visit.access.reaches(link.venue_id)
    }
    today = visit.now.astimezone(ZoneInfo(visit.brand.time_zone)).date()
    month = funnel.period(today.replace(day=1), today)
    where = sorted(visit.access.venues) if visit.access.venues is not None else None
    scope = Scope(brand_id=visit.brand.id, first=month.first, last=month.last, venue_ids=where, invited=True)
    cards = {
        key: flow.now.added for key, flow in funnel.flows(tx, scope, by="staff_member", today=today).items()
    }
    return [
        Inviting(
            person,
            known[person.venue_id] if person.venue_id is not None else None,
            codes.get(person.id),
            known[codes[person.id].venue_id] if person.id in codes else None,
            cards.get(person.id, 0),
            _acts_on(visit, person),
        )
        for person in people
    ]


def _first_of_month(visit: Visit) -> datetime:
    zone = ZoneInfo(visit.brand.time_zone)
    first = visit.now.astimezone(zone).date().replace(day=1)
    return datetime.combine(first, time(12), zone).astimezone(UTC)


def _give_code(
    tx: Tx, visit: Visit, member: StaffMember, venue: Venue, programme_id: ProgrammeId
) -> InstallLink:
    return links.create_link(
        tx, programme_id=programme_id, venue_id=venue.id, staff_member_id=member.id, now=visit.now,
        actor=visit.actor,
    )  # fmt: skip


def _sees(visit: Visit, person: StaffMember) -> bool:
    """Who works in a venue of theirs: a manager meets those too who belong to no venue in particular."""
    return person.venue_id is None or visit.access.reaches(person.venue_id)


def _acts_on(visit: Visit, person: StaffMember) -> bool:
    """Whoever works in every venue is not one manager's to plan for or to send away."""
    return visit.access.venues is None or (
        person.venue_id is not None and visit.access.reaches(person.venue_id)
    )


def _seen(tx: Tx, visit: Visit, number: int) -> StaffMember:
    member = staff.staff_member(tx, StaffMemberId(number))
    if member.brand_id != visit.brand.id or not _sees(visit, member):
        raise NotFound("no-such-staff-member", "There is no such staff member, or they are not yours")
    return member


def _changeable(tx: Tx, visit: Visit, number: int) -> StaffMember:
    member = _seen(tx, visit, number)
    if not _acts_on(visit, member):
        raise NotAllowed
    return member


def _venue(tx: Tx, visit: Visit, number: str) -> Venue:
    """The open venue of the visitor's with this number; the first of theirs where none is said."""
    found = [v for v in venues.open_venues(tx, visit.brand.id) if visit.access.reaches(v.id)]
    if not number and found:
        return found[0]
    wanted = digits(number)
    for venue in found:
        if venue.id == wanted:
            return venue
    raise NotFound("no-such-venue", "There is no such venue, or it is not one of yours")
