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

from app.db import Id, Json, UtcDateTime, identity, metadata, refers
from app.passes import announcement_tables, google_tables  # noqa: F401 - more tables of the room

# A version never changes: cards in phones were made with it. Without a number it is a draft's, on test cards.
design = Table(
    "design",
    metadata,
    identity(),
    refers("programme_id", "programme.id"),
    Column("version", Integer),
    Column("template", Text, nullable=False),  # which folder of pass_templates it was made from
    Column(
        "layout", Json, nullable=False
    ),  # everything but the files: template merged with the brand's values
    Column("source", Json, nullable=False, server_default="{}"),  # what it was made from, as a folder has it
    Column("created_at", UtcDateTime, nullable=False),
    Column("withdrawn_at", UtcDateTime),  # taken back: new cards are made with the version before
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
    refers("previous_design_id", "design.id", nullable=True),  # where a roll-out found it: the way back
    Column("content", Json, nullable=False),
    Column("version", Integer, nullable=False),  # counts every change of what the phone would get
    Column("tag", BigInteger, nullable=False),
    Column("last_modified", UtcDateTime, nullable=False),  # whole seconds, strictly increasing
    Column("key_version", Integer, nullable=False, server_default="1"),  # of the derived authentication token
    Column("created_at", UtcDateTime, nullable=False),
    Column("voided_at", UtcDateTime),  # a tombstone: still answers, with a voided pass
    UniqueConstraint("pass_type_identifier", "serial_number"),
    CheckConstraint("version >= 1", name="version_counts_from_one"),
    # In order of id: a design is moved from the first pass to the last, some at a time, but for tombstones.
    Index("ix_wallet_pass_design", "design_id", "id", "voided_at"),
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

# Passes whose holders changed since, or all of a device's. Only ever inserted, until the worker has looked.
holder_change = Table(
    "holder_change",
    metadata,
    identity(),
    Column("pass_id", Id),
    Column("device_id", Id),
    CheckConstraint("(pass_id IS NULL) <> (device_id IS NULL)", name="of_one"),
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

# Until when each web process has written down what phones fetched: whoever acts on a guest's silence asks.
evidence_watermark = Table(
    "evidence_watermark",
    metadata,
    Column("process", Text, primary_key=True),  # by chance: a process has no name that another could not get
    Column("recorded_until", UtcDateTime, nullable=False),
    Column("seen_at", UtcDateTime, nullable=False),
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

OPEN_DRAFT = "ended_at IS NULL"

# A design that is being worked on: one at a time for each programme, since two could not both come next.
design_draft = Table(
    "design_draft",
    metadata,
    identity(),
    refers("programme_id", "programme.id"),
    refers("base_design_id", "design.id", nullable=True),  # the version that it was begun from
    Column("revision", Integer, nullable=False),  # counts what was saved; the row of that number is the draft
    Column("created_at", UtcDateTime, nullable=False),
    Column("updated_at", UtcDateTime, nullable=False),
    Column("ended_at", UtcDateTime),
    Column("ending", Text),
    CheckConstraint("revision >= 1", name="revision_counts_from_one"),
    CheckConstraint("ending IN ('published', 'discarded')", name="ending_known"),
    CheckConstraint("(ended_at IS NULL) = (ending IS NULL)", name="ended_somehow"),
    Index(
        "uq_design_draft_open",
        "programme_id",
        unique=True,
        sqlite_where=text(OPEN_DRAFT),
        postgresql_where=text(OPEN_DRAFT),
    ),
)

# What a draft was after each of its last changes: the way to undo them.
draft_revision = Table(
    "draft_revision",
    metadata,
    refers("draft_id", "design_draft.id", primary_key=True),
    Column("revision", Integer, primary_key=True),
    Column("template", Text, nullable=False),
    Column("source", Json, nullable=False),
    Column("files", Json, nullable=False),  # path to digest
    Column("at", UtcDateTime, nullable=False),
    Column("actor", Text, nullable=False),
)

# Images of all revisions, once each.
draft_file = Table(
    "draft_file",
    metadata,
    refers("draft_id", "design_draft.id", primary_key=True),
    Column("digest", Text, primary_key=True),
    Column("data", LargeBinary, nullable=False),
)

GOING_ON = "state IN ('running', 'waiting', 'stopped', 'going_back')"

# Cards move to another version in stages. The worker's place is kept here, in the transaction that moved.
rollout = Table(
    "rollout",
    metadata,
    identity(),
    refers("programme_id", "programme.id"),
    refers("source_design_id", "design.id"),  # the version before: what is made meanwhile goes back to it
    refers("target_design_id", "design.id"),
    Column("state", Text, nullable=False),
    Column("stage", Integer, nullable=False),
    refers(
        "at_design_id", "design.id", nullable=True
    ),  # which version's cards are looked at; None: the first
    Column("after_pass_id", BigInteger, nullable=False),
    Column("started_at", UtcDateTime, nullable=False),
    Column("updated_at", UtcDateTime, nullable=False),
    CheckConstraint(
        "state IN ('running', 'waiting', 'stopped', 'done', 'superseded', 'going_back', 'taken_back')",
        name="state_known",
    ),
    CheckConstraint("stage BETWEEN 0 AND 2", name="stage_known"),
    CheckConstraint("source_design_id <> target_design_id", name="leads_somewhere"),
    Index(
        "uq_rollout_going_on",
        "programme_id",
        unique=True,
        sqlite_where=text(GOING_ON),
        postgresql_where=text(GOING_ON),
    ),
    Index("ix_rollout_programme", "programme_id", "id"),
)

# Cards of drafts on the phones of those who draw them: nobody's points, in no number.
test_card = Table(
    "test_card",
    metadata,
    refers("pass_id", "wallet_pass.id", primary_key=True),
    refers("programme_id", "programme.id"),
    Column("actor", Text, nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
    UniqueConstraint("programme_id", "actor"),
)

# Certificates that were uploaded. The newest is in use, the one before it is kept to come back to.
stored_certificate = Table(
    "stored_certificate",
    metadata,
    identity(),
    Column("pass_type_identifier", Text, nullable=False),
    Column("team_identifier", Text, nullable=False),
    Column("organization", Text, nullable=False),
    Column("certificate", Text, nullable=False),  # PEM; public
    Column("intermediate", Text, nullable=False),  # PEM; public
    Column("sealed_key", Text, nullable=False),  # opens with the installation's pass key alone
    Column("fingerprint", Text, nullable=False),
    Column("expires_at", UtcDateTime, nullable=False),
    Column("stored_at", UtcDateTime, nullable=False),
    Column("stored_by", Text, nullable=False),
    Column("replaced_at", UtcDateTime),
    CheckConstraint("sealed_key LIKE '1:%'", name="key_is_sealed"),
    CheckConstraint("length(fingerprint) = 64", name="fingerprint_is_sha_256"),
    Index(
        "uq_stored_certificate_in_use",
        "pass_type_identifier",
        unique=True,
        sqlite_where=text("replaced_at IS NULL"),
        postgresql_where=text("replaced_at IS NULL"),
    ),
)

# Keys that were made for a request to Apple and wait for its answer.
certificate_request = Table(
    "certificate_request",
    metadata,
    Column("fingerprint", Text, primary_key=True),  # SHA-256 of the public key
    Column("sealed_key", Text, nullable=False),
    Column("made_at", UtcDateTime, nullable=False),
    Column("made_by", Text, nullable=False),
    CheckConstraint("sealed_key LIKE '1:%'", name="key_is_sealed"),
    CheckConstraint("length(fingerprint) = 64", name="fingerprint_is_sha_256"),
)
