"""The log: who changed what and when, of a brand or, for operators, of the installation."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from flask import request, url_for
from flask.typing import ResponseReturnValue

from app.accounts import audit, users
from app.accounts.audit import AuditEntry
from app.db import Tx
from app.db.identifiers import BrandId, UserId
from app.web.console.audit_words import action_words, actor_words, subject_words
from app.web.console.forms import digits, render
from app.web.console.registry import Console, page
from app.web.console.visit import Visit
from app.web.services import Services

ON_A_PAGE: Final = 50


@dataclass(frozen=True, slots=True)
class Line:
    """An entry in words."""

    at: datetime
    words: str
    who: str
    about: str


def register(console: Console, services: Services) -> None:
    """``/console/<brand>/audit`` and ``/console/audit``."""

    @page(console, "/<brand>/audit", needs="audit.read")
    def of_brand(visit: Visit) -> ResponseReturnValue:
        return _shown(services, visit, visit.brand.id, url_for("console.audit_of_brand"))

    @page(console, "/audit", needs="operator")
    def of_installation(visit: Visit) -> ResponseReturnValue:
        return _shown(services, visit, None, url_for("console.audit_of_installation"))


def _shown(services: Services, visit: Visit, brand_id: BrandId | None, address: str) -> ResponseReturnValue:
    older_than = digits(request.args.get("before", ""))
    with services.database.read() as tx:
        found = audit.entries(tx, brand_id=brand_id, before=older_than, limit=ON_A_PAGE + 1)
        names = _names(tx, found)
    shown = found[:ON_A_PAGE]
    lines = [
        Line(each.at, action_words(each), actor_words(each.actor, names), subject_words(each, names))
        for each in shown
    ]
    older = f"{address}?before={shown[-1].id}" if len(found) > ON_A_PAGE else ""
    return render(visit, "audit.html", entries=lines, newer=address if older_than else "", older=older)


def _names(tx: Tx, entries: list[AuditEntry]) -> dict[str, str]:
    """Names of the users in these entries, by how the log calls them."""
    said = {each.actor for each in entries} | {each.subject.replace("user ", "user:") for each in entries}
    numbers = {int(word[5:]) for word in said if word.startswith("user:") and word[5:].isdigit()}
    return {f"user:{one.id}": one.name for one in users.named(tx, [UserId(each) for each in sorted(numbers)])}
