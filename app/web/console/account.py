"""Somebody's own account: name, language, password, and the devices they are signed in on."""

from __future__ import annotations

from flask import request, url_for
from flask.typing import ResponseReturnValue

from app.accounts import users
from app.web.console.entrance import safe_next
from app.web.console.forms import Form, see
from app.web.console.registry import Console, act
from app.web.console.visit import Visit
from app.web.language import LANGUAGES
from app.web.services import Services


def register(console: Console, services: Services) -> None:
    """``/console/account``."""

    @act(console, "/account/language", needs="signed-in")
    def language(visit: Visit) -> ResponseReturnValue:
        form = Form.posted()
        form.choice("language", LANGUAGES)
        if form.ok:
            with services.database.write() as tx:
                users.set_language(tx, visit.user.id, "ru" if form["language"] == "ru" else "en")
        return see(
            safe_next(form["next"] or request.path) if form["next"] else url_for("console.entrance_start")
        )
