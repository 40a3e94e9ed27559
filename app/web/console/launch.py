"""The launch list: what a brand still needs before guests come. Every item tests itself."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from flask import request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from app.accounts.brands import Brand
from app.db import Tx
from app.db.identifiers import PassTypeIdentifier
from app.errors import Conflict, Misconfigured, NotFound
from app.loyalty import programmes, publishing
from app.loyalty.programmes import Programme
from app.passes import brand_signers, designs
from app.passes.findings import DesignRefused
from app.places import hangings, venues
from app.places.venues import Venue
from app.reports import launch
from app.reports.launch import Step
from app.web.console.forms import digits, done, see
from app.web.console.forms import render as page_of
from app.web.console.registry import Console, act, page
from app.web.console.sentences import translated
from app.web.console.settings_programme import of_brand
from app.web.console.visit import Visit
from app.web.services import Services


@dataclass(frozen=True, slots=True)
class Way:
    """Where an item is done; empty where this visitor cannot do it."""

    address: str
    words: str


def register(console: Console, services: Services) -> None:
    """``/console/<brand>/launch``."""

    @page(console, "/<brand>/launch", needs="launch.read")
    def list(visit: Visit) -> ResponseReturnValue:  # noqa: A001  # the address says so
        with services.database.read() as tx:
            found = launch.checklist(
                tx, visit.brand.id, certificate_faults=certificate_faults(tx, visit, visit.brand)
            )
            places = [v for v in venues.open_venues(tx, visit.brand.id) if visit.access.reaches(v.id)]
            cards = programmes.programmes_of_brand(tx, visit.brand.id)
            drawn = designs.drawn(tx, [card.id for card in cards])
            unpublished = [card for card in cards if card.id not in drawn]
            first = hangings.hangings(tx, places[0]) if places else []
        return page_of(
            visit,
            "launch_list.html",
            checklist=found,
            titles=_titles(),
            leads={item.step: _way(visit, item.step, places) for item in found.items},
            unpublished=[(card, _template_of(services, card) is not None) for card in unpublished],
            code=first[0].link.code if first else "",
            public_url=services.public_url,
            reachable=services.public_url.startswith("https://"),
        )

    @act(console, "/<brand>/launch/publish", needs="design.publish")
    def publish(visit: Visit) -> ResponseReturnValue:
        """The usual design of a programme's kind, for whoever wants a card today; it changes later."""
        number = _number()
        with services.database.read() as tx:
            card = of_brand(tx, visit, number)
            if designs.drawn(tx, [card.id]):
                raise Conflict("design-there", "The programme has a design already: change it there")
        directory = _template_of(services, card)
        if directory is None:
            raise NotFound("no-template", f"There is no template for {card.kind} cards here")
        try:
            drafted = publishing.draft(card, directory, designs.brand_values(visit.brand), now=visit.now)
        except DesignRefused as refused:
            raise Conflict("design-refused", str(refused)) from refused
        with services.database.write() as tx:
            publishing.publish(tx, card, drafted, now=visit.now, actor=visit.actor)
        done(_("The card of %(programme)s is published.", programme=card.name))
        return see(url_for("console.launch_list"))


def certificate_faults(tx: Tx, visit: Visit, brand: Brand) -> tuple[str, ...]:
    """What keeps the brand's certificate from signing, a sentence each; nothing where it signs.

    The press has the signer loaded already, as cards are signed with it; only what it cannot use is read
    again for what is wrong with it, which takes some 30 ms.
    """
    try:
        signer = visit.services.press.signer(tx, PassTypeIdentifier(brand.pass_type_identifier))
        if min(signer.expires_at, signer.wwdr_expires_at) <= visit.now:
            brand_signers.load_for(tx, brand, safe=visit.services.safe, now=visit.now)
    except Misconfigured as fault:
        return tuple(translated(each) for each in fault.faults)
    return ()


def _number() -> int:
    number = digits(request.form.get("programme", ""))
    if number is None:
        raise NotFound("no-such-programme", "The brand has no such programme")
    return number


def _template_of(services: Services, card: Programme) -> Path | None:
    found = services.templates_dir / f"{card.kind}_card"
    return found if found.is_dir() else None


def _titles() -> dict[Step, tuple[str, str]]:
    """What each item is called, and how it is tested."""
    return {
        "certificate": (
            _("Apple’s certificate"),
            _("Tested: it is valid, and signs cards of this brand."),
        ),
        "programme": (_("The programme"), _("What guests collect, and what for.")),
        "design": (_("The card’s design"), _("Tested: iPhones accept the published card.")),
        "venue": (_("The first venue"), _("Where guests come.")),
        "poster": (_("A poster"), _("Tested: a print of a code was downloaded.")),
        "card": (
            _("The first card in a phone"),
            _("Tested: a phone has told us that it holds a card. Scan your own code."),
        ),
        "till": (_("The till’s key"), _("Tested: a till has used its key.")),
        "receipt": (
            _("A test receipt"),
            _("Tested: a receipt has arrived. Ring one up with your own card."),
        ),
    }


def _way(visit: Visit, step: Step, places: list[Venue]) -> Way | None:
    """Where this visitor does it; None where their role does not, or something else comes first."""
    first = places[0].slug if places else ""
    match step:
        case "certificate" if visit.may("certificate.edit"):
            return Way(url_for("console.certificate_present"), _("Upload the certificate"))
        case "programme" if visit.may("programme.edit"):
            return Way(url_for("console.settings_programme_new"), _("Make the programme"))
        case "venue" if visit.may("venue.edit"):
            return Way(url_for("console.places_new"), _("Add the venue"))
        case "poster" if first and visit.may("places.read"):
            return Way(url_for("console.places_venue_venue", venue=first), _("Codes and posters"))
        case "till" if first and visit.may("key.edit"):
            return Way(url_for("console.places_till_till", venue=first), _("Make a key"))
        case "receipt" if first and visit.may("key.edit"):
            return Way(url_for("console.places_till_till", venue=first), _("Watch the till"))
        case _:
            return None
