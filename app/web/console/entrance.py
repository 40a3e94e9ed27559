"""The way in: sign in and out, choose a brand, and the links that invite."""

from __future__ import annotations

import math
from dataclasses import replace

from flask import Response, g, make_response, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_babel import refresh

from app.accounts import checks, passwords, sessions, users
from app.accounts.users import User
from app.errors import TooMany
from app.places import links, venues
from app.reports import launch
from app.web.console import assets, kept
from app.web.console.areas import ways
from app.web.console.door import bind_forms
from app.web.console.forms import Form, render, see
from app.web.console.kept import Kept
from app.web.console.registry import Console, act, page
from app.web.console.sign_in_limits import SignInLimits
from app.web.console.visit import Visit
from app.web.console.wording import later
from app.web.services import Services

_LONGEST_AGENT = 300


class Doorkeeper:
    """Lets people in, once it is known who they are."""

    def __init__(self, console: Console, services: Services) -> None:
        self.limits = SignInLimits(services, console.door.cookies)
        self._console, self._services = console, services

    def let_in(self, user: User, visit: Visit, address: str, sent: Kept | None = None) -> Response:
        """A new session for this user, and on to ``address``, or to what was ``sent`` before."""
        agent = request.headers.get("User-Agent", "")[:_LONGEST_AGENT]
        with self._services.database.write() as tx:
            if visit.signed_in is not None:  # one browser, one session
                sessions.end(tx, visit.user, visit.session.id, now=visit.now)
            session, token = sessions.begin(tx, user, user_agent=agent, now=visit.now)
        bind_forms(session)
        if sent is None:
            answer = make_response(see(address))
        else:
            known = replace(visit, signed_in=(session, user), language=user.language)
            g.language = user.language
            refresh()
            answer = kept.again_page(self._console, known, sent)
        self._console.door.cookies.give(answer, token)
        self.limits.remember(answer, user.email)
        return answer


def safe_next(address: str) -> str:
    """Where to go after signing in: a page of the console and nowhere else."""
    start = url_for("console.entrance_start")
    fine = address.startswith(start) and address.isprintable() and "\\" not in address and "//" not in address
    return address if fine else start


def register(console: Console, services: Services) -> None:
    """Sign-in, sign-out, the choice among brands, and files."""
    _signing(console, services, Doorkeeper(console, services))
    _choosing(console, services)

    @console.get("/-/<edition>/<name>")
    def file(edition: str, name: str) -> Response:  # noqa: ARG001 - another edition is another address
        """Styles and scripts, the same for everybody."""
        return assets.answer(name)


def _signing(console: Console, services: Services, doorkeeper: Doorkeeper) -> None:
    @page(console, "/sign-in", needs="anyone")
    def sign_in(visit: Visit) -> ResponseReturnValue:
        if visit.signed_in is not None:
            return see(safe_next(request.args.get("next", "")))
        with services.database.read() as tx:
            fresh = not users.is_anybody_there(tx)
        form = Form.of(next=request.args.get("next", ""))
        return render(visit, "sign_in.html", form=form, fresh=fresh)

    @act(console, "/sign-in", needs="anyone")
    def signing_in(visit: Visit) -> ResponseReturnValue:
        form, sent = Form.posted(), kept.opened(console, request.form.get("kept", ""))
        email, password = form.text("email", longest=checks.LONGEST_EMAIL), form["password"]
        if not password:
            form.errors["password"] = _("Please fill this in.")
        if not form.ok:
            return kept.sign_in_page(console, visit, form, sent)
        try:
            doorkeeper.limits.count(email, request.remote_addr or "")
        except TooMany as limit:
            form.errors[""] = later(limit)
            answer = kept.sign_in_page(console, visit, form, sent, status=429)
            answer.headers["Retry-After"] = str(math.ceil(limit.retry_after.total_seconds()))
            return answer
        with services.database.read() as tx:
            found = users.sign_in_of(tx, email)
        # No transaction is open, and no answer is quicker than another.
        if not passwords.matches(password, found[1] if found else None) or found is None:
            form.errors[""] = _("This address and this password do not belong together.")
            return kept.sign_in_page(console, visit, form, sent)
        return doorkeeper.let_in(found[0], visit, safe_next(form["next"]), sent)

    @act(console, "/sign-out", needs="signed-in")
    def sign_out(visit: Visit) -> ResponseReturnValue:
        with services.database.write() as tx:
            sessions.end(tx, visit.user, visit.session.id, now=visit.now)
        answer = make_response(see(url_for("console.entrance_sign_in")))
        bind_forms(None)
        console.door.cookies.take(answer)
        return answer


def _choosing(console: Console, services: Services) -> None:
    @page(console, "/", needs="signed-in")
    def start(visit: Visit) -> ResponseReturnValue:
        with services.database.read() as tx:
            theirs = users.accesses(tx, visit.user)
            named = {brand.id: brand for brand in users.brands_of(tx, visit.user)}
        if len(named) == 1 and "all" not in request.args:
            return see(url_for("console.entrance_brand", brand=next(iter(named.values())).slug))
        rows = sorted(((named[each.brand_id], each) for each in theirs), key=lambda pair: pair[0].name)
        return render(visit, "start.html", rows=rows)

    @page(console, "/<brand>/", needs="brand.read")
    def brand(visit: Visit) -> ResponseReturnValue:
        """The first area that is theirs: where the guests are, or the way to the first of them."""
        found = ways(console, visit)
        with services.database.read() as tx:
            items = launch.checklist(tx, visit.brand.id, certificate_faults=()).items
        home = "funnel" if any(item.step == "card" and item.done for item in items) else "launch"
        first = next((way for way in found if way.key == home), found[0] if found else None)
        return see(first.address) if first else _at_the_till(visit)


def _at_the_till(visit: Visit) -> ResponseReturnValue:
    """For whom no area is: what the people at the till go by, of each venue that has a code."""
    with visit.services.database.read() as tx:
        found = venues.open_venues(tx, visit.brand.id)
        living = links.living_by_venue(tx, [venue.id for venue in found])
    return render(visit, "at_the_till.html", venues=[venue for venue in found if venue.id in living])
