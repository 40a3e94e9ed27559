"""Tables of the places room."""

from __future__ import annotations

from sqlalchemy import CheckConstraint, Column, Float, ForeignKey, Index, Table, Text, UniqueConstraint

from app.db import UtcDateTime, identity, metadata, refers

venue = Table(
    "venue",
    metadata,
    identity(),
    refers("brand_id", "brand.id"),
    Column("slug", Text, nullable=False),
    Column("name", Text, nullable=False),
    Column("address", Text, nullable=False),
    Column("latitude", Float),
    Column("longitude", Float),
    Column("time_zone", Text, nullable=False),
    Column("relevant_text_ru", Text),
    Column("relevant_text_en", Text),
    Column("created_at", UtcDateTime, nullable=False),
    Column("closed_at", UtcDateTime),
    UniqueConstraint("brand_id", "slug"),
    CheckConstraint(
        "(latitude IS NULL AND longitude IS NULL)"
        " OR (latitude BETWEEN -90 AND 90 AND longitude BETWEEN -180 AND 180)",
        name="coordinates_on_earth",
    ),
)

placement = Table(
    "placement",
    metadata,
    identity(),
    refers("venue_id", "venue.id"),
    Column("kind", Text, nullable=False),
    Column("name", Text, nullable=False),  # "7", "bar", "door": what tells it apart in its venue
    Column("created_at", UtcDateTime, nullable=False),
    UniqueConstraint("venue_id", "kind", "name"),
    CheckConstraint("kind IN ('table', 'till', 'door', 'poster', 'other')", name="kind_known"),
)

install_link = Table(
    "install_link",
    metadata,
    identity(),
    Column("code", Text, nullable=False, unique=True),
    refers("brand_id", "brand.id"),
    refers("programme_id", "programme.id"),
    refers("venue_id", "venue.id"),
    refers("placement_id", "placement.id", nullable=True),
    refers("staff_member_id", "staff_member.id", nullable=True),
    Column("created_at", UtcDateTime, nullable=False),
    Column("retired_at", UtcDateTime),
    Column("printed_at", UtcDateTime),  # when a print of it was first drawn for a manager
    CheckConstraint("placement_id IS NULL OR staff_member_id IS NULL", name="one_source"),
    Index("ix_install_link_venue", "venue_id"),
)

visit = Table(
    "visit",
    metadata,
    Column("id", Text, primary_key=True),  # 32 hexadecimal characters, random: no guest can be told by it
    refers("install_link_id", "install_link.id"),
    Column("device_kind", Text, nullable=False),
    Column("language", Text, nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
    # Which rendering of the form enrolled: a copy of the page's address in another hand is another guest.
    Column("form_mark", Text),
    CheckConstraint(
        "device_kind IN ('iphone', 'ipad', 'android', 'desktop', 'unknown')", name="device_known"
    ),
)

visit_event = Table(
    "visit_event",
    metadata,
    Column("visit_id", Text, ForeignKey("visit.id"), primary_key=True),
    Column("kind", Text, primary_key=True),
    Column("at", UtcDateTime, nullable=False),
    # Of the visit, which never changes them: the funnel is counted from this table's index alone.
    refers("install_link_id", "install_link.id"),
    Column("began_at", UtcDateTime, nullable=False),
    Index("ix_visit_event_link_began", "install_link_id", "began_at", "kind"),
    CheckConstraint("kind IN ('scan', 'page', 'in_app', 'form', 'added', 'removed')", name="kind_known"),
)
