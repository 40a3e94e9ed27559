"""A card of one's own: the draft on the phone of who draws it, before any guest sees it."""

from __future__ import annotations

from flask import url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from app.errors import NotFound
from app.loyalty.programmes import Programme
from app.passes import drafts, test_cards
from app.passes.drafts import Draft
from app.passes.findings import DesignRefused
from app.web import qr
from app.web.console.designs_work import opened, values_of
from app.web.console.forms import done, see
from app.web.console.registry import Console, act
from app.web.console.visit import Visit
from app.web.links import Links
from app.web.services import Services

_AT = "/<brand>/designs/<int:programme_id>/draft/test-card"


def register(console: Console, _services: Services) -> None:
    """``/console/<brand>/designs/<int:programme_id>/draft/test-card``."""
    act(console, _AT, needs="design.edit")(issue)


def issue(visit: Visit, programme_id: int) -> ResponseReturnValue:
    """Make, or bring up to date, the card of who asks."""
    found, draft = opened(visit, programme_id)
    if draft is None:
        raise NotFound("no-such-draft", "There is no such draft.")
    address = url_for("console.designs_publish_review", programme_id=programme_id)
    try:
        ready = drafts.ready(draft, values_of(visit, found), now=visit.now)
    except DesignRefused:
        return see(address)
    with visit.services.database.write() as tx:
        test_cards.make(
            tx, found.id, ready, language=visit.language, brand_id=visit.brand.id,
            now=visit.now, actor=visit.actor,
        )  # fmt: skip
    visit.services.wakeup.ring()
    done(_("Your test card is ready: scan the code with your iPhone."))
    return see(f"{address}#trial")


def follow(visit: Visit, found: Programme, draft: Draft) -> None:
    """Let the test cards that are on phones show what was just saved, unless iPhones would refuse it."""
    with visit.services.database.read() as tx:
        if not test_cards.exist(tx, found.id):
            return
    try:
        ready = drafts.ready(draft, values_of(visit, found), now=visit.now)
    except DesignRefused:
        return
    with visit.services.database.write() as tx:
        test_cards.follow(tx, found.id, ready, now=visit.now)
    visit.services.wakeup.ring()


def own_card(visit: Visit, found: Programme) -> tuple[str, str] | None:
    """Address and code of the test card of who asks, where they have one."""
    with visit.services.database.read() as tx:
        pass_id = test_cards.own(tx, found.id, visit.actor)
    if pass_id is None:
        return None
    links = Links(visit.services.secret_key, visit.services.public_url)
    address = links.test_card_url(pass_id, now=visit.now)
    return address, qr.inline_svg(address)
