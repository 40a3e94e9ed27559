"""Tables of the delivery room. The CHECKs are the state machine of docs/delivery-states.md."""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    Float,
    Index,
    Integer,
    Table,
    Text,
    false,
    text,
)

from app.db import UtcDateTime, identity, metadata, refers
from app.delivery import google_tables  # noqa: F401 - more tables of the room

delivery = Table(
    "delivery",
    metadata,
    identity(),
    Column("channel", Text, nullable=False),
    # A push belongs to a device (which is already one device library identifier × pass type identifier).
    refers("device_id", "device.id", nullable=True),
    Column("pass_type_identifier", Text),
    # A text belongs to the login of a gateway that it leaves by, and has a row of text_message.
    Column("login", Text),
    # A change of Google's object (or class) belongs to the brand whose account makes it.
    refers("brand_id", "brand.id", nullable=True),
    refers("google_object_id", "google_object.id", nullable=True),
    refers("google_class_id", "google_class.id", nullable=True),
    refers("google_broadcast_id", "google_broadcast.id", nullable=True),
    Column("kind", Text, nullable=False),  # why: a push's share of the phone's patience, a text's urgency
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
    Column("ask_at", UtcDateTime),  # when a text's gateway is asked what it cost; NULL: it need not be
    CheckConstraint(
        "(channel = 'apple') = (device_id IS NOT NULL)"
        " AND (channel = 'apple') = (pass_type_identifier IS NOT NULL)"
        " AND (channel = 'sms') = (login IS NOT NULL)"
        " AND (channel = 'google') = (brand_id IS NOT NULL)"
        " AND (channel = 'google' AND kind NOT IN ('class', 'broadcast')) = (google_object_id IS NOT NULL)"
        " AND (channel = 'google' AND kind = 'class') = (google_class_id IS NOT NULL)"
        " AND (channel = 'google' AND kind = 'broadcast') = (google_broadcast_id IS NOT NULL)",
        name="addressed_by_channel",
    ),
    CheckConstraint(
        "(channel = 'apple' AND kind IN ('receipt', 'campaign', 'silent'))"
        " OR (channel = 'sms' AND kind IN ('code', 'service', 'advertising'))"
        " OR (channel = 'google'"
        " AND kind IN ('class', 'receipt', 'level', 'broadcast', 'campaign', 'silent'))",
        name="kind_of_channel",
    ),
    CheckConstraint(
        "state IN ('pending', 'sending', 'accepted', 'superseded', 'gone', 'refused', 'exhausted')"
        " OR (channel = 'sms' AND state IN ('delivered', 'undelivered'))",
        name="state_of_channel",
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
    CheckConstraint("ask_at IS NULL OR channel = 'sms'", name="asked_of_texts"),
    CheckConstraint("held_since IS NULL OR state = 'pending'", name="held_while_pending"),
    CheckConstraint(
        "(channel <> 'google' AND ("
        "(kind = 'receipt' AND priority = 0) OR (kind = 'campaign' AND priority = 1)"
        " OR (kind = 'silent' AND priority = 2) OR (kind = 'code' AND priority = 10)"
        " OR (kind = 'service' AND priority = 11) OR (kind = 'advertising' AND priority = 12)))"
        " OR (channel = 'google' AND ("
        "(kind = 'class' AND priority = 20) OR (kind = 'receipt' AND priority = 21)"
        " OR (kind = 'level' AND priority = 22) OR (kind = 'broadcast' AND priority = 23)"
        " OR (kind = 'campaign' AND priority = 24) OR (kind = 'silent' AND priority = 25)))",
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
        "ix_delivery_due_text",
        "login",
        "priority",
        "due_at",
        sqlite_where=text("state = 'pending' AND login IS NOT NULL"),
        postgresql_where=text("state = 'pending' AND login IS NOT NULL"),
    ),
    Index(
        "ix_delivery_lease",
        "lease_until",
        sqlite_where=text("state = 'sending'"),
        postgresql_where=text("state = 'sending'"),
    ),
    Index("ix_delivery_device", "device_id", "id"),
    # Texts that a gateway told nothing about, or not what they cost: it is asked, some at a time.
    Index(
        "ix_delivery_accepted_text",
        "login",
        "id",
        sqlite_where=text("state = 'accepted' AND login IS NOT NULL"),
        postgresql_where=text("state = 'accepted' AND login IS NOT NULL"),
    ),
    Index(
        "ix_delivery_ask",
        "login",
        "ask_at",
        sqlite_where=text("ask_at IS NOT NULL"),
        postgresql_where=text("ask_at IS NOT NULL"),
    ),
    # The same two of Google's; pushes and texts are in none of these indexes.
    *(
        Index(
            f"uq_delivery_one_{state}_{what}",
            f"google_{what}_id",
            unique=True,
            sqlite_where=text(f"state = '{state}' AND google_{what}_id IS NOT NULL"),
            postgresql_where=text(f"state = '{state}' AND google_{what}_id IS NOT NULL"),
        )
        for what in ("object", "class", "broadcast")
        for state in ("pending", "sending")
    ),
    Index(
        "ix_delivery_due_google",
        "brand_id",
        "priority",
        "due_at",
        sqlite_where=text("state = 'pending' AND brand_id IS NOT NULL"),
        postgresql_where=text("state = 'pending' AND brand_id IS NOT NULL"),
    ),
    Index(
        "ix_delivery_google_object",
        "google_object_id",
        "id",
        sqlite_where=text("google_object_id IS NOT NULL"),
        postgresql_where=text("google_object_id IS NOT NULL"),
    ),
    Index(
        "ix_delivery_google_broadcast",
        "google_broadcast_id",
        "id",
        sqlite_where=text("google_broadcast_id IS NOT NULL"),
        postgresql_where=text("google_broadcast_id IS NOT NULL"),
    ),
    # What a day's codes cost is asked before each new one.
    Index(
        "ix_delivery_code",
        "created_at",
        sqlite_where=text("kind = 'code'"),
        postgresql_where=text("kind = 'code'"),
    ),
)

# What a text says and to whom, and what became of it beyond its promise. Never changed but for the answers.
text_message = Table(
    "text_message",
    metadata,
    refers("delivery_id", "delivery.id", primary_key=True),
    refers("brand_id", "brand.id"),
    refers("member_id", "member.id", nullable=True),
    Column("number", Text, nullable=False),  # E.164
    Column("text", Text),  # forgotten once a code is over
    Column("sender", Text),
    Column(
        "reference", BigInteger, nullable=False, unique=True
    ),  # ours, random, 31 bits: what a gateway keeps
    Column("not_after", UtcDateTime),  # too late then
    Column("encoding", Text, nullable=False),
    Column("parts", Integer, nullable=False),  # as counted before sending, then as the gateway says
    Column("price", BigInteger),  # minor units, of all parts: expected, then as the gateway says
    Column("currency", Text),
    Column("price_told", Boolean, nullable=False, server_default=false()),  # the price is the gateway's own
    Column("in_doubt_since", UtcDateTime),  # the end of the last try that may have left: ask before sending
    Column("provider_id", Text),
    Column("accepted_at", UtcDateTime),  # when the gateway took it, or but some of its parts
    Column("receipt_at", UtcDateTime),  # when the gateway told what became of it
    CheckConstraint("number LIKE '+%'", name="number_is_e164"),
    CheckConstraint("encoding IN ('gsm7', 'ucs2')", name="encoding_known"),
    CheckConstraint("parts >= 1", name="parts_counted"),
    CheckConstraint("(price IS NULL) = (currency IS NULL)", name="price_in_a_currency"),
    Index("ix_text_message_provider", "provider_id"),
    Index("ix_text_message_member", "member_id", "delivery_id"),
    Index("ix_text_message_brand", "brand_id", "delivery_id"),
    Index("ix_text_message_number", "number"),  # whoever writes back, or is forgotten
    Index(
        "ix_text_message_in_doubt",
        "delivery_id",
        sqlite_where=text("in_doubt_since IS NOT NULL"),
        postgresql_where=text("in_doubt_since IS NOT NULL"),
    ),
)

# When the next text may leave by a login, or the next request to Google by an issuer: what all processes
# together owe to its rate.
sending_pace = Table(
    "sending_pace",
    metadata,
    Column("subject", Text, primary_key=True),  # "sms:LOGIN", "google:ISSUER"
    Column("free_at", UtcDateTime, nullable=False),
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
