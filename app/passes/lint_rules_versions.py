"""Keys that came with later versions of iOS: older phones leave them out, so a card must do without them.

Sources: Apple, "Pass" with the availability of each key; "Add featured actions" (Defining the metadata of
your Wallet pass) and "What's new in Wallet" (WWDC 2026) for iOS 27, as passkit-generator 3.6.1 has them.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from app.passes.findings import Finding, inform, warn
from app.passes.layout import STYLES
from app.passes.lint_rules_values import url_fault

OLDEST_IOS = 16.0
"""What guests' phones are taken to have at least."""

SINCE: dict[str, float] = {
    "expirationDate": 7, "voided": 7, "maxDistance": 7, "groupingIdentifier": 7, "beacons": 7, "barcodes": 9,
    "sharingProhibited": 11, "semantics": 12, "relevantDates": 18, "preferredStyleSchemes": 18,
    "useAutomaticColors": 18, "footerBackgroundColor": 18, "suppressHeaderDarkening": 18,
    "auxiliaryStoreIdentifiers": 18, "additionalInfoFields": 18, "eventLogoText": 18.1,
    "upcomingPassInformation": 26, "featuredActions": 27, "posterGeneric": 27,
}  # fmt: skip
UNDOCUMENTED = ("stripColor",)
ON_POSTER_TICKETS_ALONE = (
    "preferredStyleSchemes", "useAutomaticColors", "footerBackgroundColor", "suppressHeaderDarkening",
    "auxiliaryStoreIdentifiers", "eventLogoText", "upcomingPassInformation",
)  # fmt: skip
MOST_ACTIONS = 2
ACTIONS = (
    "viewOffersRewards", "membershipBenefits", "addToBalance", "order", "shop", "place", "call",
    "bookAppointment", "bookCar", "bookFlight", "bookStay", "viewSchedule", "watchTrailer", "listenToMusic",
)  # fmt: skip
STYLES_WITHOUT_ACTIONS = ("posterEventTicket", "semanticBoardingPass")


def newer_keys(document: Mapping[str, Any], oldest_ios: float) -> Iterator[Finding]:
    """Keys that phones with the oldest version do not read."""
    for key in document:
        since = SINCE.get(key)
        if since is not None and since > oldest_ios:
            yield inform("newer-key", key, f"read from iOS {since:g} on; older phones leave it out")
        if key in UNDOCUMENTED:
            yield inform("key-undocumented", key, "iOS reads it, Apple does not document it: it may go")
    ticket = {"eventTicket", "boardingPass"} & document.keys()
    for key in ON_POSTER_TICKETS_ALONE:
        if key in document and not ticket:
            yield warn("key-of-tickets", key, "works on event tickets and boarding passes; leave it out")


def featured_actions(document: Mapping[str, Any]) -> Iterator[Finding]:
    """At most two buttons below the card, each with its own identifier, a known type and where it leads."""
    actions = document.get("featuredActions")
    if not isinstance(actions, list):
        return
    seen: set[str] = set()
    for index, action in enumerate(actions):
        where = f"featuredActions[{index}]"
        if fault := _action_fault(action, seen):
            yield warn("action-dropped", where, f"iOS shows no such button; {fault}")
        if index >= MOST_ACTIONS:
            yield warn("too-many-actions", where, f"iOS shows the first {MOST_ACTIONS}; remove this one")
    schemes = document.get("preferredStyleSchemes")
    for scheme in schemes if isinstance(schemes, list) else ():
        if scheme in STYLES_WITHOUT_ACTIONS:
            yield warn("action-dropped", "featuredActions", f"a {scheme} has no such buttons; leave them out")


def _action_fault(action: Any, seen: set[str]) -> str | None:
    if not isinstance(action, dict):
        return "write a table with identifier, type and url"
    identifier, kind = action.get("identifier"), action.get("type")
    if not (isinstance(identifier, str) and identifier):
        return "give it an identifier of its own"
    if identifier in seen:
        return f"the identifier {identifier!r} is there already"
    seen.add(identifier)
    if kind not in ACTIONS:
        return f"the type is one of {', '.join(ACTIONS)}"
    if kind == "place":
        return None if isinstance(action.get("placeIdentifier"), str) else "a place needs a placeIdentifier"
    url = action.get("url")
    return url_fault(url) if isinstance(url, str) else "it needs a url"


def poster_generic(document: Mapping[str, Any]) -> Iterator[Finding]:
    """The poster of iOS 27 stands beside a style that older phones know, and shows one footer field."""
    poster = document.get("posterGeneric")
    if not isinstance(poster, dict):
        return
    if not {"storeCard", "generic"} & document.keys():
        yield warn("poster-alone", "posterGeneric", f"older phones need {STYLES[0]} or generic beside it")
    footer = poster.get("footerFields")
    if isinstance(footer, list) and len(footer) > 1:
        yield warn(
            "poster-footer", "posterGeneric.footerFields", "iOS shows the first field; remove the rest"
        )


def upcoming_information(document: Mapping[str, Any]) -> Iterator[Finding]:
    """Entries are told apart by their identifier."""
    entries = document.get("upcomingPassInformation")
    identifiers = [
        entry.get("identifier") if isinstance(entry, dict) else None
        for entry in (entries if isinstance(entries, list) else ())
    ]
    for index, identifier in enumerate(identifiers):
        if not isinstance(identifier, str) or identifier in identifiers[:index]:
            yield warn(
                "upcoming-dropped",
                f"upcomingPassInformation[{index}]",
                "give the entry an identifier of its own",
            )


RULES = (featured_actions, poster_generic, upcoming_information)
