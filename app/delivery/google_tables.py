"""The ledger of notifications that Google was asked for: three for a pass in 24 hours."""

from __future__ import annotations

from sqlalchemy import CheckConstraint, Column, Index, Table, Text

from app.db import UtcDateTime, metadata, refers

google_notification = Table(
    "google_notification",
    metadata,
    refers("delivery_id", "delivery.id", primary_key=True),
    refers("google_object_id", "google_object.id", primary_key=True),  # a broadcast's has a line for each
    Column("at", UtcDateTime, nullable=False),
    Column("how", Text, nullable=False),
    Column("outcome", Text, nullable=False),
    CheckConstraint("how IN ('message', 'field')", name="how_known"),
    CheckConstraint(
        "outcome IN ('asked', 'notified', 'no_holder', 'held', 'quota', 'unused')", name="outcome_known"
    ),
    Index("ix_google_notification_object", "google_object_id", "at"),
)
