"""Brands and venues for tests, made as a person would make them."""

from __future__ import annotations

from datetime import UTC, datetime

from app.accounts import brands
from app.db import Tx
from app.places import venues

NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)


def a_brand_draft(slug: str = "kasha") -> brands.BrandDraft:
    return brands.BrandDraft(
        slug=slug,
        name="Каша и Компот",
        texts={
            "ru": {"programme": "Клуб «Каша»", "promise": "Каждый десятый завтрак наш"},
            "en": {"programme": "Kasha Club", "promise": "Every tenth breakfast is on us"},
        },
        time_zone="Europe/Moscow",
        currency="RUB",
        pass_type_identifier=f"pass.com.example.{slug}",
        team_identifier="ABCDE12345",
        credentials="env:KASHA",
    )


def a_brand(tx: Tx, slug: str = "kasha") -> brands.Brand:
    return brands.create_brand(tx, a_brand_draft(slug), now=NOW, actor="test")


def a_venue_draft(brand: brands.Brand, slug: str = "pier") -> venues.VenueDraft:
    return venues.VenueDraft(
        brand_id=brand.id,
        slug=slug,
        name="Каша на набережной",
        address="Набережная, 1",
        latitude=59.93,
        longitude=30.31,
    )


def a_venue(tx: Tx, brand: brands.Brand, slug: str = "pier") -> venues.Venue:
    return venues.create_venue(tx, a_venue_draft(brand, slug), now=NOW, actor="test")
