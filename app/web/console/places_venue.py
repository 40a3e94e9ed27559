"""A venue on one page: every code that hangs there with what it brought, and what to hang next."""

from __future__ import annotations

from itertools import groupby

from flask import request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_babel import ngettext

from app.accounts import staff
from app.db import Tx
from app.db.identifiers import ProgrammeId
from app.errors import NotFound
from app.loyalty import programmes
from app.loyalty.programmes import Programme
from app.passes import designs
from app.places import funnel, hangings, links, placements, placing
from app.places.funnel_counts import Counts
from app.places.hangings import Hanging
from app.posters.sizes import SIZES
from app.web.console.forms import Form, done, render, see
from app.web.console.places import DAYS
from app.web.console.places_words import MOST_PAGES, hanging_words, purpose_words, size_words
from app.web.console.registry import Console, act, page
from app.web.console.visit import Visit
from app.web.services import Services

_READY_MADE = (("table", "1-20"), ("till", "1"), ("door", "1"))
"""What most venues begin with, a tap each."""


def register(console: Console, services: Services) -> None:
    """``/console/<brand>/places/<venue>`` and its codes."""
    _venue(console)
    _hanging(console, services)
    _retiring(console, services)


def _venue(console: Console) -> None:
    @page(console, "/<brand>/places/<venue>", needs="places.read")
    def venue(visit: Visit) -> ResponseReturnValue:
        return venue_page(visit, Form.of(kind="table"))


def venue_page(visit: Visit, form: Form) -> ResponseReturnValue:
    """The page, with what was typed into its form."""
    with visit.services.database.read() as tx:
        living = hangings.hangings(tx, visit.venue)
        retired = hangings.hangings(tx, visit.venue, retired=True)
        cards = programmes.programmes_of_brand(tx, visit.brand.id)
        drawn = drawn_programmes(tx, cards)
        counts = counts_by_code(tx, visit)
        there = {(p.kind, p.name) for p in placements.placements_of_venue(tx, visit.venue.id)}
    if "programme" not in form.values and cards:
        form.values["programme"] = str(cards[0].id)
    groups = [(purpose, list(each)) for purpose, each in groupby(living, lambda h: h.purpose)]
    which = _parts("all", _("Every code of the venue"), len(living))
    for purpose, hung in groups:
        which += _parts(purpose, purpose_words(purpose), len(hung))
    offers = [(kind, names) for kind, names in _READY_MADE if not any(spot == kind for spot, _name in there)]
    if not any(each.purpose == "venue" for each in living):
        offers.insert(0, ("venue", ""))
    return render(
        visit,
        "places_venue.html",
        form=form,
        groups=groups,
        which=which,
        retired=retired,
        programmes=cards,
        drawn=drawn,
        counts=counts,
        none_yet=Counts(),
        programme_options=[(card.id, card.name) for card in cards],
        days=DAYS,
        kinds=placements.KINDS,
        offers=offers,
        hanging_words=hanging_words,
        purpose_words=purpose_words,
        size_words=size_words,
        sizes=SIZES,
        reachable=visit.services.public_url.startswith("https://"),
        public_url=visit.services.public_url,
    )


def _parts(value: str, words: str, count: int) -> list[tuple[str, str]]:
    """What can be printed as one file, for a select: all of these codes, or where they are many, parts."""
    if count <= MOST_PAGES:
        return [(value, f"{words} ({count})")]
    starts = range(0, count, MOST_PAGES)
    return [
        (f"{value}.{part}", f"{words} ({first + 1}–{min(count, first + MOST_PAGES)})")
        for part, first in enumerate(starts, start=1)
    ]


def drawn_programmes(tx: Tx, cards: list[Programme]) -> frozenset[ProgrammeId]:
    """Which programmes have a published design, so that prints of their codes can be drawn."""
    return designs.drawn(tx, [card.id for card in cards])


def counts_by_code(tx: Tx, visit: Visit) -> dict[str, Counts]:
    """What each code of the venue brought in the last :data:`app.web.console.places.DAYS` days."""
    period = funnel.last_days(DAYS, time_zone=visit.venue.time_zone, now=visit.now)
    found = funnel.funnel(
        tx, visit.brand.id, by="link", period=period, now=visit.now, venue_id=visit.venue.id
    )
    return {entry.name: entry.flow.now for entry in found.entries}


def _hanging(console: Console, services: Services) -> None:
    @act(console, "/<brand>/places/<venue>/hang", needs="places.edit")
    def hang(visit: Visit) -> ResponseReturnValue:
        form = Form.posted()
        kind = form.choice("kind", ("venue", *placements.KINDS))
        said = "" if kind == "venue" else form.text("names", longest=300)
        number = form.whole("programme", least=1, most=2**62)
        new = 0
        if form.ok and number is not None:
            with form.checking(), services.database.write() as tx:
                programme = _of_brand(tx, visit, ProgrammeId(number))
                own = hangings.hangings(tx, visit.venue, purposes=["venue"])
                if kind == "venue" and not any(h.link.programme_id == programme.id for h in own):
                    links.create_link(
                        tx, programme_id=programme.id, venue_id=visit.venue.id, now=visit.now,
                        actor=visit.actor,
                    )  # fmt: skip
                    new = 1
                elif kind != "venue":
                    new = placing.place(
                        tx, venue_id=visit.venue.id, programme_id=programme.id, kind=kind,
                        names=placing.names(said), now=visit.now, actor=visit.actor,
                    ).new  # fmt: skip
        if not form.ok:
            return venue_page(visit, form)
        done(
            ngettext("%(num)s code is ready to print.", "%(num)s codes are ready to print.", new)
            if new
            else _("All of these were there already.")
        )
        return see(url_for("console.places_venue_venue", venue=visit.venue.slug))

    @page(console, "/<brand>/places/<venue>/code/<code>", needs="places.read")
    def code(visit: Visit, code: str) -> ResponseReturnValue:
        language = request.args.get("language", visit.brand.language)
        with services.database.read() as tx:
            hanging = hanging_of(tx, visit, code)
            programme = programmes.programme(tx, hanging.link.programme_id)
            drawn = drawn_programmes(tx, [programme])
            counts = counts_by_code(tx, visit).get(hanging.link.code, Counts())
            person = (
                staff.staff_member(tx, hanging.link.staff_member_id)
                if hanging.link.staff_member_id is not None
                else None
            )
        return render(
            visit,
            "places_code.html",
            hanging=hanging,
            words=hanging_words(hanging),
            url=f"{visit.services.public_url}/i/{hanging.link.code}",
            programme=programme,
            drawn=bool(drawn),
            counts=counts,
            person=person,
            days=DAYS,
            size_words=size_words,
            sizes=SIZES,
            chosen=language if language in ("ru", "en", "both") else visit.brand.language,
            reachable=visit.services.public_url.startswith("https://"),
            public_url=visit.services.public_url,
        )


def hanging_of(tx: Tx, visit: Visit, code: str) -> Hanging:
    """The venue's code, retired ones too; raises NotFound for any other venue's."""
    for retired in (False, True):
        for each in hangings.hangings(tx, visit.venue, retired=retired):
            if each.link.code == code:
                return each
    raise NotFound("no-such-link", "The venue has no such code")


def _retiring(console: Console, services: Services) -> None:
    @act(console, "/<brand>/places/<venue>/code/<code>/retire", needs="places.edit")
    def retire(visit: Visit, code: str) -> ResponseReturnValue:
        with services.database.write() as tx:
            hanging = hanging_of(tx, visit, code)
            links.retire_link(tx, hanging.link.id, now=visit.now, actor=visit.actor)
        done(
            _("%(code)s has ended: who scans it is told to ask your people.", code=hanging_words(hanging)),
            undo=(url_for("console.places_venue_restore", venue=visit.venue.slug, code=code), {}),
        )
        return see(url_for("console.places_venue_venue", venue=visit.venue.slug))

    @act(console, "/<brand>/places/<venue>/code/<code>/restore", needs="places.edit")
    def restore(visit: Visit, code: str) -> ResponseReturnValue:
        with services.database.write() as tx:
            hanging = hanging_of(tx, visit, code)
            links.restore_link(tx, hanging.link.id, now=visit.now, actor=visit.actor)
        done(_("%(code)s works again.", code=hanging_words(hanging)))
        return see(url_for("console.places_venue_venue", venue=visit.venue.slug))


def _of_brand(tx: Tx, visit: Visit, programme_id: ProgrammeId) -> Programme:
    programme = programmes.programme(tx, programme_id)
    if programme.brand_id != visit.brand.id:
        raise NotFound("no-such-programme", "The brand has no such programme")
    return programme
