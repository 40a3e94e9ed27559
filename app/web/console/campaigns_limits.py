"""How often and at which hours the brand speaks to a guest, whatever the campaign."""

from __future__ import annotations

from datetime import time

from flask import url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from app.campaigns import limits
from app.campaigns.limits import MOST_DAYS, MOST_MESSAGES, Limits
from app.delivery.quiet_hours import QuietHours
from app.web.console.forms import Form, done, render, see
from app.web.console.registry import Console, act, page
from app.web.console.visit import Visit
from app.web.services import Services

_AT = "/<brand>/settings/limits"


def register(console: Console, services: Services) -> None:
    """``/console/<brand>/settings/limits``."""

    @page(console, _AT, needs="campaign.write")
    def allowed(visit: Visit) -> ResponseReturnValue:
        with services.database.read() as tx:
            now = limits.of_brand(tx, visit.brand.id)
        form = Form.of(
            most=now.most,
            days=now.days,
            quiet_since=f"{now.quiet.since:%H:%M}",
            quiet_until=f"{now.quiet.until:%H:%M}",
        )
        return render(visit, "campaigns_limits.html", form=form)

    @act(console, _AT, needs="campaign.write")
    def change(visit: Visit) -> ResponseReturnValue:
        form = Form.posted()
        most = form.whole("most", least=1, most=MOST_MESSAGES)
        days = form.whole("days", least=1, most=MOST_DAYS)
        since, until = _clock(form, "quiet_since"), _clock(form, "quiet_until")
        if form.ok and most and days and since is not None and until is not None:
            with form.checking(), services.database.write() as tx:
                wanted = Limits(most, days, QuietHours(since, until))
                limits.save(tx, visit.brand.id, wanted, now=visit.now, actor=visit.actor)
        if not form.ok:
            return render(visit, "campaigns_limits.html", form=form)
        done(_("Saved."))
        return see(url_for("console.settings_overview"))


def _clock(form: Form, name: str) -> time | None:
    """A time of the day, to the minute; notes what is none."""
    typed = form.text(name, longest=5)
    try:
        return time.fromisoformat(typed).replace(second=0, microsecond=0, tzinfo=None) if typed else None
    except ValueError:
        form.errors.setdefault(name, _("A time of the day, like 21:00."))
        return None
