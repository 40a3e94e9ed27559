"""Tables of the places room."""

from __future__ import annotations

from sqlalchemy import (
    CheckConstraint,
    Column,
    Date,
    Float,
    ForeignKey,
    Index,
    Integer,
    Table,
    Text,
    UniqueConstraint,
)

from app.db import Id, UtcDateTime, identity, metadata, refers

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
    Index("ix_install_link_brand", "brand_id"),
)

visit = Table(
    "visit",
    metadata,
    Column("id", Text, primary_key=True),  # 32 hexadecimal characters, random: no guest can be told by it
    refers("install_link_id", "install_link.id"),
    Column("device_kind", Text, nullable=False),
    Column("language", Text, nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
    Column("day", Date, nullable=False),  # in which it began, by the venue's clock of that time
    # Which rendering of the form enrolled: a copy of the page's address in another hand is another guest.
    Column("form_mark", Text),
    Column("erased_at", UtcDateTime),  # its guest was forgotten: it has no steps, and gets none
    CheckConstraint(
        "device_kind IN ('iphone', 'ipad', 'android', 'desktop', 'unknown')", name="device_known"
    ),
)

_STEPS = ("scan", "page", "in_app", "form", "code", "added", "receipt", "again", "active", "removed")
_KINDS = ", ".join(f"'{kind}'" for kind in _STEPS)

visit_event = Table(
    "visit_event",
    metadata,
    Column("visit_id", Text, ForeignKey("visit.id"), primary_key=True),
    Column("kind", Text, primary_key=True),
    Column("at", UtcDateTime, nullable=False),
    # Of the visit, which never changes them: all is counted anew from this table's index alone.
    refers("install_link_id", "install_link.id"),
    Column("day", Date, nullable=False),
    Index("ix_visit_event_link_day", "install_link_id", "day", "kind"),
    CheckConstraint(f"kind IN ({_KINDS})", name="kind_known"),
)

# How many visits of a day took each step. Folded from the changes below: nobody but the worker locks a row.
visit_tally = Table(
    "visit_tally",
    metadata,
    refers("install_link_id", "install_link.id", primary_key=True),
    Column("day", Date, primary_key=True),
    *(Column(kind, Integer, nullable=False, server_default="0") for kind in _STEPS),
    sqlite_with_rowid=False,  # kept in the order in which it is read
)

# What a step that was just taken, or taken back, adds to a tally. Only ever inserted, until it is folded in.
visit_change = Table(
    "visit_change",
    metadata,
    identity(),
    Column("install_link_id", Id, nullable=False),  # as its event, which the database has checked
    Column("day", Date, nullable=False),
    Column("kind", Text, nullable=False),
    Column("change", Integer, nullable=False),
    CheckConstraint(f"kind IN ({_KINDS})", name="kind_known"),
)
