"""What a print of an install link shows: the brand's words, the look of its newest cards, where it belongs.

Its version tells which design it shows, in which layout. The link itself never changes, so old prints scan.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from zoneinfo import ZoneInfo

from app.accounts import brands, staff
from app.accounts.brands import Brand
from app.colours import PLAIN, Colour, more_legible, parse_colour
from app.db import Tx
from app.db.identifiers import ProgrammeId
from app.passes.content import Language
from app.passes.layout import Design
from app.places import placements, venues
from app.places.links import InstallLink
from app.posters.drawing import LAYOUT_VERSION
from app.posters.poster import Poster, Spot, Words

Languages = tuple[Language, ...]
"""One, or two with the first one large."""

_SCALES = ("@3x", "@2x", "")


def languages(asked: str, brand: Brand) -> Languages:
    """``ru``, ``en``, or ``both`` with the brand's own first; anything else is the brand's own alone."""
    own: Language = brand.language
    if asked == "both":
        return (own, "en" if own == "ru" else "ru")
    return ("ru",) if asked == "ru" else ("en",) if asked == "en" else (own,)


def posters(
    tx: Tx,
    links: Sequence[InstallLink],
    *,
    design: Callable[[ProgrammeId], Design],
    url: Callable[[InstallLink], str],
    language: str,
    now: datetime,
) -> list[Poster]:
    """A poster for each link, dated today in its venue; raises NotFound where nothing is published yet."""
    places = {number: venues.venue(tx, number) for number in {link.venue_id for link in links}}
    spots = {each.id: each for number in places for each in placements.placements_of_venue(tx, number)}
    owners = {number: brands.brand(tx, number) for number in {link.brand_id for link in links}}
    designs = {number: design(number) for number in {link.programme_id for link in links}}
    people = {
        each.id: each.name
        for number in {link.brand_id for link in links if link.staff_member_id is not None}
        for each in staff.staff_of_brand(tx, number)
    }

    def poster(link: InstallLink) -> Poster:
        brand, venue, look = owners[link.brand_id], places[link.venue_id], designs[link.programme_id]
        spot = spots[link.placement_id] if link.placement_id is not None else None
        chosen = languages(language, brand)
        ground, ink, label = _colours(look)
        return Poster(
            words=tuple(
                Words(each, brand.text("programme", each), brand.text("promise", each)) for each in chosen
            ),
            brand=brand.name,
            venue=venue.name,
            address=venue.address,
            spot=Spot(spot.kind, spot.name) if spot else None,
            staff_member=people[link.staff_member_id] if link.staff_member_id is not None else None,
            url=url(link),
            ground=ground,
            ink=ink,
            label=label,
            logo=_logo(look, chosen[0]),
            version=f"{LAYOUT_VERSION}.{look.version}",
            printed_on=now.astimezone(ZoneInfo(venue.time_zone)).date(),
        )

    return [poster(link) for link in links]


def _colours(design: Design) -> tuple[Colour, Colour, Colour]:
    """Ground, ink and label as the card has them; what the design leaves to iOS is chosen to be read."""
    document = design.layout.document
    ground, ink, label = (
        parse_colour(str(document.get(key, "")))
        for key in ("backgroundColor", "foregroundColor", "labelColor")
    )
    ground = ground or PLAIN
    ink = ink or more_legible(ground)
    return ground, ink, label or ink


def _logo(design: Design, language: Language) -> bytes | None:
    """The sharpest, a language's own before the common one."""
    paths = (f"{folder}logo{scale}.png" for folder in (f"{language}.lproj/", "") for scale in _SCALES)
    return next((design.files[path] for path in paths if path in design.files), None)
