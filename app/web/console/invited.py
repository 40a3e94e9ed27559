"""What a link that invites opens: a new account, a role for an account there is, a new password."""

from __future__ import annotations

from flask import Response, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from app.accounts import brands, checks, invitations, passwords, sessions, users
from app.accounts.invitations import Invitation
from app.accounts.users import User
from app.db import Tx
from app.errors import BadInput, NotFound
from app.web.console.entrance import Doorkeeper
from app.web.console.forms import Form, done, render, see
from app.web.console.frame import fault_page
from app.web.console.registry import Console, act, page
from app.web.console.visit import Visit
from app.web.console.wording import sentence
from app.web.services import Services


class LinkEnded(NotFound):
    """The link opens nothing: it was used, its time is over, or there never was one like it."""


def register(console: Console, services: Services) -> None:
    """``/console/invited/<token>``: opening it uses nothing up, so a messenger's preview may."""
    doorkeeper = Doorkeeper(console, services)
    console.register_error_handler(LinkEnded, lambda _fault: _ended())

    def shown(visit: Visit, token: str, form: Form) -> ResponseReturnValue:
        with services.database.read() as tx:
            invitation = _of_token(tx, token, visit)
            brand = brands.brand(tx, invitation.brand_id) if invitation.brand_id is not None else None
            whose = users.user(tx, invitation.user_id) if invitation.user_id is not None else None
        values = {"invitation": invitation, "into": brand, "whose": whose, "token": token}
        return render(visit, "invited.html", form=form, **values)

    @page(console, "/invited/<token>", needs="anyone")
    def opened(visit: Visit, token: str) -> ResponseReturnValue:
        doorkeeper.limits.count_address(request.remote_addr or "")
        with services.database.read() as tx:
            invitation = _of_token(tx, token, visit)
        return shown(visit, token, Form.of(name=invitation.name))

    @act(console, "/invited/<token>", needs="anyone")
    def making_account(visit: Visit, token: str) -> ResponseReturnValue:
        """Somebody new."""
        doorkeeper.limits.count_address(request.remote_addr or "")
        with services.database.read() as tx:
            invitation = _of_token(tx, token, visit)
        form = Form.posted()
        email, name = form.text("email", longest=checks.LONGEST_EMAIL), form.text("name", longest=120)
        password_hash = checked_hash(form, about=(email, name)) if form.ok else None
        if password_hash is None or invitation.kind == "password":
            return shown(visit, token, form)
        made: User | None = None
        with form.checking({"email-taken": "email"}), services.database.write() as tx:
            user = users.create_user(
                tx, email=email, name=name, password_hash=password_hash, language=visit.language,
                operator=False, now=visit.now,
            )  # fmt: skip
            made = invitations.accept(tx, invitation, user, now=visit.now)
        if made is None:
            return shown(visit, token, form)
        return doorkeeper.let_in(made, visit, _first_page(services, invitation))

    @act(console, "/invited/<token>/join", needs="signed-in")
    def joining(visit: Visit, token: str) -> ResponseReturnValue:
        """Somebody who has an account."""
        doorkeeper.limits.count_address(request.remote_addr or "")
        with services.database.write() as tx:
            invitation = _of_token(tx, token, visit)
            if invitation.kind == "password":
                raise BadInput("not-for-that", "This link is for a new password")
            invitations.accept(tx, invitation, visit.user, now=visit.now)
        done(_("Welcome. You are in."))
        return see(_first_page(services, invitation))

    @act(console, "/invited/<token>/password", needs="anyone")
    def choosing_password(visit: Visit, token: str) -> ResponseReturnValue:
        """Somebody who forgot theirs; whoever was signed in with the old one is not any more."""
        doorkeeper.limits.count_address(request.remote_addr or "")
        with services.database.read() as tx:
            invitation = _of_token(tx, token, visit)
            if invitation.user_id is None:
                raise BadInput("not-for-that", "This link is not for a new password")
            whose = users.user(tx, invitation.user_id)
        form = Form.posted()
        password_hash = checked_hash(form, about=(whose.email, whose.name))
        if password_hash is None:
            return shown(visit, token, form)
        with services.database.write() as tx:
            user = _take_password(tx, invitation, whose, password_hash, visit)
        return doorkeeper.let_in(user, visit, url_for("console.entrance_start"))


def _of_token(tx: Tx, token: str, visit: Visit) -> Invitation:
    """What the link is for; raises :class:`LinkEnded`."""
    try:
        return invitations.of_token(tx, token, now=visit.now)
    except NotFound as gone:
        raise LinkEnded(gone.code, gone.message) from gone


def _ended() -> Response:
    # The same words for every token that opens nothing: who guesses learns nothing.
    return fault_page(
        404,
        _("This link was used or has ended"),
        _("If you have an account already, sign in. If not, ask whoever sent it for a new one."),
        back=(url_for("console.entrance_sign_in"), _("Sign in")),
    )


def checked_hash(form: Form, *, about: tuple[str, ...]) -> str | None:
    """The hash of the new password in the form; None where it is none, with the reason beside the field.

    Slow: no transaction may be open.
    """
    try:
        return passwords.hashed(passwords.checked(form["password"], about=about))
    except BadInput as wrong:
        form.errors.setdefault("password", sentence(wrong))
        return None


def _take_password(tx: Tx, invitation: Invitation, whose: User, password_hash: str, visit: Visit) -> User:
    user = invitations.accept(tx, invitation, whose, now=visit.now)
    users.set_password(tx, user.id, password_hash, now=visit.now, actor=user.actor)
    sessions.end_all(tx, user, now=visit.now, actor=user.actor)
    return user


def _first_page(services: Services, invitation: Invitation) -> str:
    if invitation.brand_id is None:
        return url_for("console.entrance_start")
    with services.database.read() as tx:
        return url_for("console.entrance_brand", brand=brands.brand(tx, invitation.brand_id).slug)
