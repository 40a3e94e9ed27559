"""Somebody's own account: name, language, password, and the devices they are signed in on."""

from __future__ import annotations

from flask import url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from app.accounts import passwords, sessions, users
from app.db.identifiers import UserSessionId
from app.web.console.entrance import safe_next
from app.web.console.forms import Form, done, render, see
from app.web.console.invited import checked_hash
from app.web.console.registry import Console, act, page
from app.web.console.sign_in_limits import SignInLimits
from app.web.console.visit import Visit
from app.web.language import LANGUAGES
from app.web.services import Services


def register(console: Console, services: Services) -> None:
    """``/console/account``."""
    limits = SignInLimits(services, console.door.cookies)

    def shown(visit: Visit, form: Form) -> ResponseReturnValue:
        with services.database.read() as tx:
            found = sessions.of_user(tx, visit.user.id, now=visit.now)
        return render(visit, "account.html", form=form, sessions=found)

    @page(console, "/account", needs="signed-in")
    def own(visit: Visit) -> ResponseReturnValue:
        return shown(visit, Form.of(name=visit.user.name))

    @act(console, "/account/name", needs="signed-in")
    def rename(visit: Visit) -> ResponseReturnValue:
        form, before = Form.posted(), visit.user.name
        with form.checking(), services.database.write() as tx:
            users.rename(tx, visit.user.id, form["name"], now=visit.now, actor=visit.actor)
        if not form.ok:
            return shown(visit, form)
        done(_("Your name is changed."), undo=(url_for("console.account_rename"), {"name": before}))
        return see(url_for("console.account_own"))

    @act(console, "/account/language", needs="signed-in")
    def language(visit: Visit) -> ResponseReturnValue:
        form = Form.posted()
        form.choice("language", LANGUAGES)
        if form.ok:
            with services.database.write() as tx:
                users.set_language(tx, visit.user.id, "ru" if form["language"] == "ru" else "en")
        return see(safe_next(form["next"]))

    @act(console, "/account/password", needs="signed-in")
    def change_password(visit: Visit) -> ResponseReturnValue:
        """The present one is asked for: a phone that was left lying must not lose its owner the account."""
        form = Form.posted()
        form.values["name"] = visit.user.name
        limits.count_password(visit.user.id)
        with services.database.read() as tx:
            kept = users.password_hash(tx, visit.user.id)
        if not passwords.matches(form["present"], kept):
            form.errors["present"] = _("This is not your present password.")
            return shown(visit, form)
        password_hash = checked_hash(form, about=(visit.user.email, visit.user.name))
        if password_hash is None:
            return shown(visit, form)
        with services.database.write() as tx:
            users.set_password(tx, visit.user.id, password_hash, now=visit.now, actor=visit.actor)
            sessions.end_all(tx, visit.user, but=visit.session.id, now=visit.now, actor=visit.actor)
        done(_("Your password is changed; other devices are signed out."))
        return see(url_for("console.account_own"))

    @act(console, "/account/sessions/<int:session_id>/end", needs="signed-in")
    def end_session(visit: Visit, session_id: int) -> ResponseReturnValue:
        with services.database.write() as tx:
            sessions.end(tx, visit.user, UserSessionId(session_id), now=visit.now)
        done(_("The device is signed out."))
        return see(url_for("console.account_own"))

    @act(console, "/account/sessions/end-others", needs="signed-in")
    def end_others(visit: Visit) -> ResponseReturnValue:
        with services.database.write() as tx:
            sessions.end_all(tx, visit.user, but=visit.session.id, now=visit.now, actor=visit.actor)
        done(_("All other devices are signed out."))
        return see(url_for("console.account_own"))
