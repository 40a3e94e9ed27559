"""Venues: where guests come, and where their cards wake up on the lock screen."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import datetime

from app.accounts import audit, brands, checks
from app.db import Tx
from app.db.identifiers import BrandId, VenueId
from app.errors import BadInput, Conflict, NotFound
from app.places import store_venues as store

LONGEST_ADDRESS = 300
LONGEST_RELEVANT_TEXT = 120


@dataclass(frozen=True, slots=True, kw_only=True)
class VenueDraft:
    """What a person says about a venue.

    Coordinates are WGS 84 degrees, both or neither; ``time_zone`` None takes the brand's; the relevant texts
    are what the lock screen says near the venue, None for the brand's name alone.
    """

    brand_id: BrandId
    slug: str
    name: str
    address: str
    latitude: float | None = None
    longitude: float | None = None
    time_zone: str | None = None
    relevant_text_ru: str | None = None
    relevant_text_en: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Venue:
    """A venue as it is kept."""

    id: VenueId
    brand_id: BrandId
    slug: str
    name: str
    address: str
    latitude: float | None
    longitude: float | None
    time_zone: str
    relevant_text_ru: str | None
    relevant_text_en: str | None
    created_at: datetime
    closed_at: datetime | None

    def draft(self) -> VenueDraft:
        """What one would say to make this venue again."""
        return VenueDraft(**{key: getattr(self, key) for key in VenueDraft.__dataclass_fields__})


def checked(draft: VenueDraft, *, brand_time_zone: str) -> VenueDraft:
    """The draft, trimmed and completed; raises BadInput at its first fault."""
    latitude, longitude = draft.latitude, draft.longitude
    if (latitude is None) != (longitude is None):
        missing = "latitude" if latitude is None else "longitude"
        raise BadInput("half-coordinates", f"{missing} is missing: give both or neither", field=missing)
    if latitude is not None and longitude is not None:
        if not -90 <= latitude <= 90:
            raise BadInput("not-on-earth", f"latitude {latitude} is not within -90…90", field="latitude")
        if not -180 <= longitude <= 180:
            raise BadInput("not-on-earth", f"longitude {longitude} is not within -180…180", field="longitude")
        if latitude == 0 and longitude == 0:
            raise BadInput(
                "null-island",
                "latitude and longitude are both 0, in the open ocean: leave them out where they are unknown",
                field="latitude",
            )
    return VenueDraft(
        brand_id=draft.brand_id,
        slug=checks.slug(draft.slug),
        name=checks.name(draft.name),
        address=checks.name(draft.address, field="address", longest=LONGEST_ADDRESS),
        latitude=latitude,
        longitude=longitude,
        time_zone=checks.time_zone(brand_time_zone if draft.time_zone is None else draft.time_zone),
        relevant_text_ru=_relevant_text(draft.relevant_text_ru, "relevant_text_ru"),
        relevant_text_en=_relevant_text(draft.relevant_text_en, "relevant_text_en"),
    )


def create_venue(tx: Tx, draft: VenueDraft, *, now: datetime, actor: str) -> Venue:
    """Add a venue to a brand; raises BadInput, Conflict where the brand has the slug, NotFound."""
    draft = checked(draft, brand_time_zone=brands.brand(tx, draft.brand_id).time_zone)
    row = store.insert_venue(tx, values=asdict(draft), now=now)
    if row is None:
        raise Conflict("slug-taken", f"The brand has a venue {draft.slug!r} already: choose another slug")
    _record(tx, row, "venue.created", {"name": draft.name}, now, actor)
    return _venue(row)


def update_venue(tx: Tx, venue_id: VenueId, draft: VenueDraft, *, now: datetime, actor: str) -> Venue:
    """Make the venue say what ``draft`` says; equal words change nothing. The slug stays.

    Raises BadInput, Conflict, NotFound.
    """
    before = venue(tx, venue_id)
    draft = checked(draft, brand_time_zone=brands.brand(tx, before.brand_id).time_zone)
    old = asdict(before.draft())
    changed = sorted(key for key, value in asdict(draft).items() if value != old[key])
    if "brand_id" in changed:
        raise BadInput("other-brand", "A venue stays with its brand", field="brand_id")
    if "slug" in changed:
        raise Conflict("slug-fixed", f"The slug of venue {before.slug!r} is part of addresses and stays")
    if not changed:
        return before
    store.update_venue(tx, venue_id, values=asdict(draft))
    row = store.venue(tx, venue_id)
    assert row is not None  # noqa: S101  # read above in this very transaction
    _record(tx, row, "venue.changed", {"changed": changed}, now, actor)
    return _venue(row)


def venue(tx: Tx, venue_id: VenueId) -> Venue:
    """The venue; raises NotFound."""
    if row := store.venue(tx, venue_id):
        return _venue(row)
    raise NotFound("no-such-venue", f"There is no venue number {venue_id}")


def venue_by_slug(tx: Tx, brand_id: BrandId, slug: str) -> Venue:
    """The brand's venue called so; raises NotFound."""
    if row := store.venue_by_slug(tx, brand_id, slug):
        return _venue(row)
    raise NotFound("no-such-venue", f"The brand has no venue {slug!r}. See: perkpass venue list")


def open_venues(tx: Tx, brand_id: BrandId) -> list[Venue]:
    """The venues of a brand that are not closed, by slug."""
    return [_venue(row) for row in store.venues(tx, brand_id) if row.closed_at is None]


def all_venues(tx: Tx, brand_id: BrandId) -> list[Venue]:
    """Every venue of a brand, closed ones too, by slug."""
    return [_venue(row) for row in store.venues(tx, brand_id)]


def _relevant_text(value: str | None, field: str) -> str | None:
    return None if not value else checks.name(value, field=field, longest=LONGEST_RELEVANT_TEXT)


def _record(
    tx: Tx, row: store.VenueRow, action: str, detail: dict[str, object], now: datetime, actor: str
) -> None:
    audit.record(
        tx,
        at=now,
        actor=actor,
        brand_id=BrandId(row.brand_id),
        action=action,
        subject=f"venue {row.slug}",
        detail=detail,
    )


def _venue(row: store.VenueRow) -> Venue:
    # ``dataclasses.asdict`` copies every value deeply: of 500 venues that is 60 ms.
    return Venue(**{name: getattr(row, name) for name in Venue.__dataclass_fields__})
