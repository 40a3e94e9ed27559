"""The team: who may do what in a brand, who is invited, and links to new passwords."""

from __future__ import annotations

from collections.abc import Sequence
from typing import cast

from flask import url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from itsdangerous import BadSignature, URLSafeTimedSerializer

from app.accounts import invitations, users
from app.accounts.invitations import Invitation
from app.accounts.roles import ROLES, Role
from app.accounts.users import Access, User
from app.db import Tx
from app.db.identifiers import InvitationId, UserId, VenueId
from app.errors import Conflict, NotFound
from app.places import venues
from app.places.venues import Venue
from app.web.console.forms import Form, digits, done, render, see
from app.web.console.registry import Console, act, page
from app.web.console.visit import NotAllowed, Visit
from app.web.services import Services

_UNDO_SECONDS = 3600


class Team:
    """What the pages about people share."""

    def __init__(self, services: Services) -> None:
        self._services = services
        self._undo = URLSafeTimedSerializer(services.secret_key, salt="console bring back")

    def open_venues(self, tx: Tx, visit: Visit) -> list[Venue]:
        """The venues that somebody can be given."""
        return [venue for venue in venues.all_venues(tx, visit.brand.id) if venue.closed_at is None]

    def role_of(self, form: Form) -> tuple[Role, list[VenueId]]:
        """The role and the venues in the form."""
        role = cast("Role", form.choice("role", ROLES))
        return role, [VenueId(found) for each in form.all("venues") if (found := digits(each)) is not None]

    def member(self, tx: Tx, visit: Visit, user_id: int) -> tuple[User, Access]:
        """Somebody of the brand; raises NotFound for everybody else."""
        access = users.given_access(tx, UserId(user_id), visit.brand.id)
        if access is None:
            raise NotFound("no-such-user", "This person has no role in the brand")
        return users.user(tx, UserId(user_id)), access

    def noted(self, user_id: UserId, access: Access) -> str:
        """What undoing a removal brings back, signed: no other stranger can be brought in by it."""
        return str(self._undo.dumps([user_id, access.brand_id, access.role, sorted(access.venues or ())]))

    def told(self, note: str, visit: Visit) -> tuple[UserId, Role, list[VenueId]]:
        """What :meth:`noted` said; raises NotFound where it says nothing here any more."""
        try:
            user_id, brand_id, role, where = self._undo.loads(note, max_age=_UNDO_SECONDS)
        except BadSignature:
            brand_id = None
        if brand_id != visit.brand.id:
            raise NotFound("no-such-user", "It is too late to undo this")
        return UserId(user_id), role, [VenueId(each) for each in where]


def register(console: Console, services: Services) -> None:
    """``/console/<brand>/people``."""
    team = Team(services)
    _listed(console, services)
    _inviting(console, services, team)
    _changing(console, services, team)
    _leaving(console, services, team)


def _listed(console: Console, services: Services) -> None:
    @page(console, "/<brand>/people", needs="user.edit")
    def everybody(visit: Visit) -> ResponseReturnValue:
        with services.database.read() as tx:
            people = users.people_of_brand(tx, visit.brand.id)
            waiting = invitations.open_of_brand(tx, visit.brand.id, now=visit.now)
            names = {venue.id: venue.name for venue in venues.all_venues(tx, visit.brand.id)}
        return render(visit, "people_everybody.html", people=people, waiting=waiting, venue_names=names)


def _inviting(console: Console, services: Services, team: Team) -> None:
    def form_page(visit: Visit, form: Form) -> ResponseReturnValue:
        with services.database.read() as tx:
            among = team.open_venues(tx, visit)
        return render(visit, "people_invite.html", form=form, roles=ROLES, venues=among)

    @page(console, "/<brand>/people/invite", needs="user.edit")
    def invite(visit: Visit) -> ResponseReturnValue:
        return form_page(visit, Form.of(role="manager"))

    @act(console, "/<brand>/people/invite", needs="user.edit")
    def inviting(visit: Visit) -> ResponseReturnValue:
        """The link is on the answer itself, once: it is kept nowhere."""
        form = Form.posted()
        name = form.text("name", longest=120)
        role, where = team.role_of(form)
        made: Invitation | None = None
        token = ""
        if form.ok:
            with form.checking(), services.database.write() as tx:
                made, token = invitations.invite(
                    tx, visit.brand.id, role, venues=where, name=name, now=visit.now, actor=visit.actor
                )
        if made is None:
            return form_page(visit, form)
        return _link(visit, token, name, made, invited=True)

    @act(console, "/<brand>/people/invitations/<int:invitation_id>/withdraw", needs="user.edit")
    def withdraw(visit: Visit, invitation_id: int) -> ResponseReturnValue:
        with services.database.write() as tx:
            which = InvitationId(invitation_id)
            invitations.withdraw(tx, visit.brand.id, which, now=visit.now, actor=visit.actor)
        done(_("The invitation is withdrawn: its link opens nothing."))
        return see(url_for("console.people_everybody"))


def _changing(console: Console, services: Services, team: Team) -> None:
    def form_page(visit: Visit, user_id: int, form: Form | None = None) -> ResponseReturnValue:
        with services.database.read() as tx:
            whom, access = team.member(tx, visit, user_id)
            among, resets = team.open_venues(tx, visit), invitations.may_reset(tx, visit.user, whom)
            links = invitations.open_to_password(tx, whom.id, now=visit.now)
        form = form or Form.of(role=access.role, venues=access.venues or ())
        values = {"whom": whom, "access": access, "roles": ROLES, "venues": among, "resets": resets}
        return render(visit, "people_person.html", form=form, links=links, **values)

    @page(console, "/<brand>/people/<int:user_id>", needs="user.edit")
    def person(visit: Visit, user_id: int) -> ResponseReturnValue:
        return form_page(visit, user_id)

    @act(console, "/<brand>/people/<int:user_id>", needs="user.edit")
    def change(visit: Visit, user_id: int) -> ResponseReturnValue:
        form = Form.posted()
        role, where = team.role_of(form)
        before: Access | None = None
        if form.ok:
            with form.checking({"last-owner": "role"}), services.database.write() as tx:
                _whom, before = team.member(tx, visit, user_id)
                users.grant(
                    tx, UserId(user_id), visit.brand.id, role, where, now=visit.now, actor=visit.actor
                )
        if before is None or not form.ok:
            return form_page(visit, user_id, form)
        done(_("The role is changed."), undo=_back_to(before, user_id))
        return see(url_for("console.people_everybody"))

    @act(console, "/<brand>/people/<int:user_id>/password-link", needs="user.edit")
    def password_link(visit: Visit, user_id: int) -> ResponseReturnValue:
        with services.database.write() as tx:
            whom, _access = team.member(tx, visit, user_id)
            if not invitations.may_reset(tx, visit.user, whom):
                raise NotAllowed
            made, token = invitations.invite_to_new_password(
                tx, whom.id, brand_id=visit.brand.id, now=visit.now, actor=visit.actor
            )
        return _link(visit, token, whom.name, made, invited=False)

    @act(console, "/<brand>/people/<int:user_id>/password-link/withdraw", needs="user.edit")
    def withdraw_link(visit: Visit, user_id: int) -> ResponseReturnValue:
        """Whoever owns the brand may: a link that is gone opens nothing."""
        with services.database.write() as tx:
            whom, _access = team.member(tx, visit, user_id)
            invitations.withdraw_password_link(
                tx, whom.id, brand_id=visit.brand.id, now=visit.now, actor=visit.actor
            )
        done(_("The link is withdrawn: it opens nothing."))
        return see(url_for("console.people_person", user_id=user_id))


def _leaving(console: Console, services: Services, team: Team) -> None:
    @act(console, "/<brand>/people/<int:user_id>/remove", needs="user.edit")
    def remove(visit: Visit, user_id: int) -> ResponseReturnValue:
        with services.database.write() as tx:
            whom, _access = team.member(tx, visit, user_id)
            before = users.revoke(tx, whom.id, visit.brand.id, now=visit.now, actor=visit.actor)
        if whom.id == visit.user.id and not visit.user.operator:
            return see(url_for("console.entrance_start"))
        undo = (url_for("console.people_bring_back"), {"note": team.noted(whom.id, before)})
        done(_("%(name)s has no role here any more.", name=whom.name), undo=undo)
        return see(url_for("console.people_everybody"))

    @act(console, "/<brand>/people/bring-back", needs="user.edit")
    def bring_back(visit: Visit) -> ResponseReturnValue:
        user_id, role, where = team.told(Form.posted()["note"], visit)
        with services.database.write() as tx:
            if users.given_access(tx, user_id, visit.brand.id) is not None:
                raise Conflict("role-since", "This person was given a role since")
            users.grant(tx, user_id, visit.brand.id, role, where, now=visit.now, actor=visit.actor)
        done(_("Everything is as it was."))
        return see(url_for("console.people_everybody"))


def _back_to(before: Access, user_id: int) -> tuple[str, dict[str, str | Sequence[str]]]:
    fields: dict[str, str | Sequence[str]] = {"role": before.role}
    if before.venues:
        fields["venues"] = [str(each) for each in sorted(before.venues)]
    return url_for("console.people_change", user_id=user_id), fields


def _link(visit: Visit, token: str, name: str, made: Invitation, *, invited: bool) -> ResponseReturnValue:
    address = f"{visit.services.public_url}{url_for('console.invited_opened', token=token)}"
    return render(
        visit, "people_link.html", link=address, name=name, expires_at=made.expires_at, invited=invited
    )
