"""A brand with venues, a programme with a design and guests, for tests of loyalty and of its API."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from sqlalchemy import insert

from app.accounts import brands, keys
from app.db import Tx
from app.db.identifiers import InstallLinkId, ProgrammeId, VisitId
from app.loyalty import enrolment, programmes
from app.loyalty.enrolment import ConsentGiven, Enrolment, EnrolmentRequest
from app.loyalty.rules import BonusRules, PointRules, Rules, StampRules, Tier, TieredRules
from app.passes.content import LocalizedText
from app.passes.tables import design
from app.places import links, venues, visits

NOW = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)

BONUS = BonusRules(cashback=500)
EXPIRING = BonusRules(cashback=500, points=PointRules(welcome=100_00, lifetime_days=90, maximum_share=5_000))
STAMPS = StampRules(for_reward=6, reward=LocalizedText("бесплатный кофе", "free coffee"))
TIERED = TieredRules(
    tiers=(
        Tier(key="guest", name=LocalizedText("Гость", "Guest"), spend_from=0, cashback=300),
        Tier(key="friend", name=LocalizedText("Друг", "Friend"), spend_from=1_000_000, cashback=500),
        Tier(key="family", name=LocalizedText("Семья", "Family"), spend_from=5_000_000, cashback=1_000),
    ),
    window_days=365,
)

DATA = ConsentGiven(
    purpose="data", granted=True, text_version="1", text="Согласен", language="ru", source="install page"
)
ADVERTISING = ConsentGiven(
    purpose="advertising",
    granted=False,
    text_version="1",
    text="Хочу знать",
    language="ru",
    source="install page",
)


@dataclass(frozen=True, slots=True)
class Town:
    """What there is."""

    brand: brands.Brand
    venue: venues.Venue
    programme: programmes.Programme
    link: links.InstallLink
    key: keys.PointOfSaleKey
    secret: str


def build(tx: Tx, rules: Rules, *, slug: str = "cup", venue: str = "pier", currency: str = "RUB") -> Town:
    """A brand of its own."""
    brand = brands.create_brand(
        tx,
        brands.BrandDraft(
            slug=slug,
            name=slug.title(),
            texts={
                "ru": {"programme": "Клуб", "promise": "Кофе"},
                "en": {"programme": "Club", "promise": "Coffee"},
            },
            time_zone="Europe/Moscow",
            currency=currency,
            language="ru",
            pass_type_identifier=f"pass.com.example.{slug}",
            team_identifier="ABCDE12345",
            credentials="file:certs",
        ),
        now=NOW,
        actor="test",
    )
    place = venues.create_venue(
        tx,
        venues.VenueDraft(
            brand_id=brand.id, slug=venue, name="Pier", address="1, Pier", latitude=55.75, longitude=37.61
        ),
        now=NOW,
        actor="test",
    )
    programme = programmes.create_programme(
        tx,
        programmes.ProgrammeDraft(brand_id=brand.id, slug="club", name="Club", rules=rules),
        now=NOW,
        actor="test",
    )
    publish_empty_design(tx, programme.id)
    link = links.create_link(tx, programme_id=programme.id, venue_id=place.id, now=NOW, actor="test")
    key, secret = keys.create_key(
        tx, brand_id=brand.id, venue_id=place.id, name="till", now=NOW, actor="test"
    )
    return Town(brand, place, programme, link, key, secret)


def publish_empty_design(tx: Tx, programme_id: ProgrammeId) -> None:
    """How a card looks is nothing to loyalty: an empty design issues as well as any."""
    tx.execute(
        insert(design).values(
            programme_id=programme_id,
            version=1,
            template="none",
            layout={},
            created_at=NOW - timedelta(days=1),
        )
    )


def visit(tx: Tx, link_id: InstallLinkId) -> VisitId:
    """A scan."""
    visit_id = visits.new_visit_id()
    visits.record(
        tx, visit_id=visit_id, link_id=link_id, kind="scan", at=NOW, device_kind="iphone", language="ru"
    )
    return visit_id


def request(town: Town, visit_id: VisitId | None, *, name: str | None = "Анна") -> EnrolmentRequest:
    """What a guest's form says."""
    return EnrolmentRequest(
        programme_id=town.programme.id,
        venue_id=town.venue.id,
        visit_id=visit_id,
        name=name,
        language="ru",
        consents=(DATA, ADVERTISING),
    )


def guest(tx: Tx, town: Town) -> Enrolment:
    """Someone with a card."""
    return enrolment.enrol(tx, request(town, visit(tx, town.link.id)), now=NOW)
