"""The table of messages that wait for their turn on a card, and of those that are to be proved."""

from __future__ import annotations

from sqlalchemy import CheckConstraint, Column, Index, Integer, Table, Text, UniqueConstraint, text

from app.db import Json, UtcDateTime, identity, metadata, refers

WAITING = "ended_at IS NULL AND version IS NULL"
SAID = "ended_at IS NULL AND version IS NOT NULL"

# Campaigns' (a receipt's is on the card at once). Forgotten with the card's guest, since they may name them.
announcement = Table(
    "announcement",
    metadata,
    identity(),
    refers("pass_id", "wallet_pass.id"),
    Column("name", Text, nullable=False),  # what its caller knows it by: "campaign:17"
    Column("text", Json, nullable=False),
    Column("until", UtcDateTime, nullable=False),  # said later it would be stale
    Column("created_at", UtcDateTime, nullable=False),
    Column("due_at", UtcDateTime, nullable=False),  # while it waits: when its turn is looked at again
    Column("behind_version", Integer),  # of the pass: fetched, its turn has come
    Column("version", Integer),  # of the pass, which said it first; it waits where there is none
    Column("said_at", UtcDateTime),
    Column("ended_at", UtcDateTime),
    Column("ending", Text),
    UniqueConstraint("pass_id", "name"),
    CheckConstraint("name LIKE 'campaign:%'", name="name_is_a_campaigns"),
    CheckConstraint("ending IN ('fetched', 'expired', 'cancelled')", name="ending_known"),
    CheckConstraint("(ended_at IS NULL) = (ending IS NULL)", name="ended_somehow"),
    CheckConstraint("(version IS NULL) = (said_at IS NULL)", name="said_in_a_version"),
    CheckConstraint("ending <> 'fetched' OR version IS NOT NULL", name="fetched_was_said"),
    Index("ix_announcement_due", "due_at", "id", sqlite_where=text(WAITING), postgresql_where=text(WAITING)),
    Index("ix_announcement_waiting", "pass_id", sqlite_where=text(WAITING), postgresql_where=text(WAITING)),
    Index("ix_announcement_said", "pass_id", sqlite_where=text(SAID), postgresql_where=text(SAID)),
    Index("ix_announcement_until", "until", sqlite_where=text(WAITING), postgresql_where=text(WAITING)),
    Index("ix_announcement_said_until", "until", sqlite_where=text(SAID), postgresql_where=text(SAID)),
)
