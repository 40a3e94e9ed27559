"""Tables of the passes room."""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    Index,
    Integer,
    LargeBinary,
    Table,
    Text,
    UniqueConstraint,
    text,
)

from app.db import Json, UtcDateTime, identity, metadata, refers

# A published design version never changes: cards in phones were made with it.
design = Table(
    "design",
    metadata,
    identity(),
    refers("programme_id", "programme.id"),
    Column("version", Integer, nullable=False),
    Column("template", Text, nullable=False),  # which folder of pass_templates it was made from
    Column(
        "layout", Json, nullable=False
    ),  # everything but the files: template merged with the brand's values
    Column("created_at", UtcDateTime, nullable=False),
    UniqueConstraint("programme_id", "version"),
    CheckConstraint("version >= 1", name="version_counts_from_one"),
)

design_file = Table(
    "design_file",
    metadata,
    refers("design_id", "design.id", primary_key=True),
    Column("path", Text, primary_key=True),  # "icon@2x.png", "ru.lproj/pass.strings"
    Column("data", LargeBinary, nullable=False),
)

wallet_pass = Table(
    "wallet_pass",
    metadata,
    identity(),
    Column("pass_type_identifier", Text, nullable=False),
    Column("serial_number", Text, nullable=False),
    refers("design_id", "design.id"),
    Column("content", Json, nullable=False),
    Column("version", Integer, nullable=False),  # counts every change of what the phone would get
    Column("tag", BigInteger, nullable=False),
    Column("last_modified", UtcDateTime, nullable=False),  # whole seconds, strictly increasing
    Column("key_version", Integer, nullable=False, server_default="1"),  # of the derived authentication token
    Column("created_at", UtcDateTime, nullable=False),
    Column("voided_at", UtcDateTime),  # a tombstone: still answers, with a voided pass
    UniqueConstraint("pass_type_identifier", "serial_number"),
    CheckConstraint("version >= 1", name="version_counts_from_one"),
    # In order of id: a design is moved from the first pass to the last, some at a time.
    Index("ix_wallet_pass_design", "design_id", "id"),
)

# One row per pass type identifier, bumped once per transaction and held to its commit, so that tags become
# visible in order. A sequence does not do: its values commit out of order and a polling phone skips some.
tag_counter = Table(
    "tag_counter",
    metadata,
    Column("pass_type_identifier", Text, primary_key=True),
    Column("value", BigInteger, nullable=False),
)

device = Table(
    "device",
    metadata,
    identity(),
    Column("device_library_identifier", Text, nullable=False),
    Column("pass_type_identifier", Text, nullable=False),
    Column("push_token", Text, nullable=False),
    Column("push_service", Text, nullable=False, server_default="apple"),  # whose token it is
    Column("registered_at", UtcDateTime, nullable=False),  # the last time; a 200 counts
    Column("held_at", UtcDateTime, nullable=False),  # the last time that it was known to hold a pass
    Column("contacted_at", UtcDateTime),
    Column("unreachable_since", UtcDateTime),  # APNs answered 410; a new registration clears it
    UniqueConstraint("device_library_identifier", "pass_type_identifier"),
    # "other": an Android pass app. Its token means nothing to Apple; it hears of changes when it asks.
    CheckConstraint("push_service IN ('apple', 'other')", name="push_service_is_known"),
    # Looked at from the oldest on: those that hold nothing any more are forgotten.
    Index("ix_device_held", "held_at"),
)

registration = Table(
    "registration",
    metadata,
    refers("device_id", "device.id", primary_key=True),
    refers("pass_id", "wallet_pass.id", primary_key=True),
    Column("created_at", UtcDateTime, nullable=False),
    Column("registered_at", UtcDateTime, nullable=False),
    Index("ix_registration_pass", "pass_id"),
)

UNFETCHED = (
    "listed_version > COALESCE(fetched_version, 0) AND listed_version > COALESCE(installed_version, 0)"
    " AND retags < 3"
)

# What phones proved about a pass; apart from wallet_pass so that proofs never wait for a receipt's lock.
pass_evidence = Table(
    "pass_evidence",
    metadata,
    refers("pass_id", "wallet_pass.id", primary_key=True),
    Column("listed_version", Integer),
    Column("listed_at", UtcDateTime),
    Column("retags", Integer, nullable=False, server_default="0"),  # for listed_version
    Column("retagged_at", UtcDateTime),
    Column("fetched_version", Integer),
    Column("fetched_at", UtcDateTime),
    Column("fetched_last_modified", UtcDateTime),  # echoed later by a phone that holds fetched_version
    Column("installed_version", Integer),
    Column("installed_at", UtcDateTime),
    # Passes that a phone was told of and never came for.
    Index(
        "ix_pass_evidence_unfetched",
        "listed_at",
        sqlite_where=text(UNFETCHED),
        postgresql_where=text(UNFETCHED),
    ),
)

# Lines that phones sent to the log endpoint: untrusted text, bounded, never printed raw.
device_log = Table(
    "device_log",
    metadata,
    identity(),
    Column("at", UtcDateTime, nullable=False),
    Column("pass_type_identifier", Text),
    Column("line", Text, nullable=False),
    Index("ix_device_log_at", "at"),
)
