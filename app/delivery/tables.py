"""Tables of the delivery room. The CHECKs are the state machine of docs/delivery-states.md."""

from __future__ import annotations

from sqlalchemy import CheckConstraint, Column, Float, Index, Integer, Table, Text, text

from app.db import UtcDateTime, identity, metadata, refers

delivery = Table(
    "delivery",
    metadata,
    identity(),
    Column("channel", Text, nullable=False),
    # A push belongs to a device (which is already one device library identifier × pass type identifier).
    refers("device_id", "device.id"),
    Column("pass_type_identifier", Text, nullable=False),
    Column("kind", Text, nullable=False),  # why: decides which share of the phone's patience it may use
    Column("priority", Integer, nullable=False),  # 0 is served first
    Column("state", Text, nullable=False),
    Column("due_at", UtcDateTime, nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
    Column("attempts", Integer, nullable=False, server_default="0"),  # those that count towards exhaustion
    Column("held_since", UtcDateTime),  # waiting because the phone's budget is used up
    Column("lease_until", UtcDateTime),
    Column("owner", Text),
    Column("settled_at", UtcDateTime),
    Column("reason", Text),  # the provider's own words, or ours
    CheckConstraint("channel IN ('apple')", name="channel_known"),
    CheckConstraint("kind IN ('receipt', 'campaign', 'silent')", name="kind_known"),
    CheckConstraint(
        "state IN ('pending', 'sending', 'accepted', 'superseded', 'gone', 'refused', 'exhausted')",
        name="state_known",
    ),
    CheckConstraint(
        "(state = 'sending') = (lease_until IS NOT NULL) AND (state = 'sending') = (owner IS NOT NULL)",
        name="lease_while_sending",
    ),
    CheckConstraint(
        "(state IN ('pending', 'sending')) = (settled_at IS NULL)",
        name="settled_when_over",
    ),
    CheckConstraint("attempts >= 0", name="attempts_counted"),
    CheckConstraint("held_since IS NULL OR state = 'pending'", name="held_while_pending"),
    CheckConstraint(
        "(kind = 'receipt' AND priority = 0) OR (kind = 'campaign' AND priority = 1)"
        " OR (kind = 'silent' AND priority = 2)",
        name="priority_follows_kind",
    ),
    # Coalescing: one pending push per device, whoever races for it.
    Index(
        "uq_delivery_one_pending",
        "device_id",
        unique=True,
        sqlite_where=text("state = 'pending'"),
        postgresql_where=text("state = 'pending'"),
    ),
    # And one on its way: its answer decides when the next may leave.
    Index(
        "uq_delivery_one_sending",
        "device_id",
        unique=True,
        sqlite_where=text("state = 'sending'"),
        postgresql_where=text("state = 'sending'"),
    ),
    Index(
        "ix_delivery_due",
        "priority",
        "due_at",
        sqlite_where=text("state = 'pending'"),
        postgresql_where=text("state = 'pending'"),
    ),
    Index(
        "ix_delivery_lease",
        "lease_until",
        sqlite_where=text("state = 'sending'"),
        postgresql_where=text("state = 'sending'"),
    ),
    Index("ix_delivery_device", "device_id", "id"),
)

attempt = Table(
    "attempt",
    metadata,
    identity(),
    refers("delivery_id", "delivery.id"),
    Column("number", Integer, nullable=False),
    Column("started_at", UtcDateTime, nullable=False),
    Column("finished_at", UtcDateTime),
    Column("status", Integer),  # the provider's status code; NULL where none came
    Column("reason", Text),
    Column("verdict", Text),
    Column("provider_id", Text),  # apns-id
    CheckConstraint(
        "verdict IS NULL OR verdict IN ('accepted', 'retry', 'gone', 'refused', 'lost')", name="verdict_known"
    ),
    CheckConstraint("(verdict IS NULL) = (finished_at IS NULL)", name="finished_with_verdict"),
    Index("ix_attempt_delivery", "delivery_id", "number"),
    Index(
        "uq_attempt_one_open",
        "delivery_id",
        unique=True,
        sqlite_where=text("finished_at IS NULL"),
        postgresql_where=text("finished_at IS NULL"),
    ),
)

# The phone's patience, computed by us per (device, pass type identifier).
push_budget = Table(
    "push_budget",
    metadata,
    refers("device_id", "device.id", primary_key=True),
    Column("score", Float, nullable=False),
    Column("last_push_at", UtcDateTime, nullable=False),
    Column("passes", Integer, nullable=False, server_default="1"),  # of this type on the phone, as last seen
    CheckConstraint("score >= 0", name="score_not_negative"),
    CheckConstraint("passes >= 1", name="passes_counted"),
)

breaker = Table(
    "breaker",
    metadata,
    Column("subject", Text, primary_key=True),  # "apple:PASS_TYPE_IDENTIFIER"
    Column("opened_at", UtcDateTime, nullable=False),
    Column("probe_at", UtcDateTime, nullable=False),
    Column("reason", Text, nullable=False),
)

# Periodic work: a row per (kind, slot) makes a tick happen once, however many workers run.
job = Table(
    "job",
    metadata,
    Column("kind", Text, primary_key=True),
    Column("slot", UtcDateTime, primary_key=True),
    Column("owner", Text),
    Column("lease_until", UtcDateTime),
    Column("done_at", UtcDateTime),
    CheckConstraint("(owner IS NULL) = (lease_until IS NULL)", name="lease_has_owner"),
)
