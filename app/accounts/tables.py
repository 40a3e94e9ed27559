"""Tables of the accounts room."""

from __future__ import annotations

from sqlalchemy import (
    Boolean,
    CheckConstraint,
    Column,
    ForeignKeyConstraint,
    Index,
    Integer,
    Table,
    Text,
    UniqueConstraint,
    text,
)

from app.db import Json, UtcDateTime, identity, metadata, refers

brand = Table(
    "brand",
    metadata,
    identity(),
    Column("slug", Text, nullable=False, unique=True),
    Column("name", Text, nullable=False),  # organizationName: the banner's title on the lock screen
    Column("texts", Json, nullable=False),  # {"ru": {…}, "en": {…}}: what guests read about the brand
    Column("time_zone", Text, nullable=False),
    Column("currency", Text, nullable=False),
    Column("language", Text, nullable=False),  # for guests whose own language we do not speak
    Column("pass_type_identifier", Text, nullable=False),
    Column("team_identifier", Text, nullable=False),
    Column("credentials", Text, nullable=False),  # "file:DIRECTORY", "env:PREFIX" or "stored:"; never the key
    Column("asks_phone", Text, nullable=False, server_default="no"),  # whether the install page asks for one
    Column("created_at", UtcDateTime, nullable=False),
    CheckConstraint("length(currency) = 3", name="currency_is_iso_4217"),
    CheckConstraint("language IN ('ru', 'en')", name="language_known"),
    CheckConstraint("asks_phone IN ('no', 'optional', 'needed', 'proved')", name="asks_phone_known"),
    CheckConstraint(
        "credentials LIKE 'file:%' OR credentials LIKE 'env:%' OR credentials = 'stored:'",
        name="credentials_are_a_reference",
    ),
)

staff_member = Table(
    "staff_member",
    metadata,
    identity(),
    refers("brand_id", "brand.id"),
    refers("venue_id", "venue.id", nullable=True),
    Column("name", Text, nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
    Column("left_at", UtcDateTime),
    Column("monthly_target", Integer),  # cards a month that this person shall bring; none: no plan
    CheckConstraint("monthly_target > 0", name="target_is_something"),
    UniqueConstraint("brand_id", "name"),
)

point_of_sale_key = Table(
    "point_of_sale_key",
    metadata,
    identity(),
    refers("brand_id", "brand.id"),
    refers("venue_id", "venue.id"),
    Column("name", Text, nullable=False),
    # SHA-256 of a 256-bit random secret: nothing to guess, so nothing to slow down.
    Column("secret_hash", Text, nullable=False, unique=True),
    Column("created_at", UtcDateTime, nullable=False),
    Column("expires_at", UtcDateTime),  # set by rotation: the old key works on beside the new one until then
    Column("last_used_at", UtcDateTime),
    Index("ix_point_of_sale_key_venue", "venue_id"),
    # One living key of a name per venue, so that a chain file loaded twice makes no second one.
    Index(
        "uq_point_of_sale_key_living_name",
        "venue_id",
        "name",
        unique=True,
        sqlite_where=text("expires_at IS NULL"),
        postgresql_where=text("expires_at IS NULL"),
    ),
)

audit_entry = Table(
    "audit_entry",
    metadata,
    identity(),
    Column("at", UtcDateTime, nullable=False),
    Column("actor", Text, nullable=False),
    refers("brand_id", "brand.id", nullable=True),
    Column("action", Text, nullable=False),  # "brand.created", "key.rotated", …
    Column("subject", Text, nullable=False),
    Column("detail", Json, nullable=False),
    Index("ix_audit_entry_brand_at", "brand_id", "at"),
    Index("ix_audit_entry_subject", "subject", "id"),  # what was done to one thing: a guest, a card
)

key_fingerprint = Table(
    "key_fingerprint",
    metadata,
    Column("name", Text, primary_key=True),  # "pass_key", "secret_key"
    Column("fingerprint", Text, nullable=False),  # tells one key from another and does not lead to it
    Column("created_at", UtcDateTime, nullable=False),
    CheckConstraint("length(fingerprint) = 64", name="fingerprint_is_sha_256"),
)

user_account = Table(
    "user_account",
    metadata,
    identity(),
    Column("email", Text, nullable=False, unique=True),  # in lower case
    Column("name", Text, nullable=False),
    Column("password_hash", Text, nullable=False),  # Argon2id, with its salt and its cost
    Column("password_changed_at", UtcDateTime, nullable=False),
    Column("language", Text, nullable=False),
    Column("operator", Boolean, nullable=False),  # of this installation: every brand's owner, makes brands
    Column("created_at", UtcDateTime, nullable=False),
    CheckConstraint("email = lower(email)", name="email_in_lower_case"),
    CheckConstraint("language IN ('ru', 'en')", name="language_known"),
)

user_access = Table(
    "user_access",
    metadata,
    refers("user_id", "user_account.id", primary_key=True),
    refers("brand_id", "brand.id", primary_key=True),
    Column("role", Text, nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
    CheckConstraint("role IN ('owner', 'marketer', 'manager', 'cashier')", name="role_known"),
    Index("ix_user_access_brand", "brand_id"),
)

# The venues of a manager: theirs alone.
user_venue = Table(
    "user_venue",
    metadata,
    refers("user_id", "user_account.id", primary_key=True),
    refers("venue_id", "venue.id", primary_key=True),
    refers("brand_id", "brand.id"),
    ForeignKeyConstraint(["user_id", "brand_id"], ["user_access.user_id", "user_access.brand_id"]),
    Index("ix_user_venue_venue", "venue_id"),
)

user_session = Table(
    "user_session",
    metadata,
    identity(),
    refers("user_id", "user_account.id"),
    Column("token_hash", Text, nullable=False, unique=True),  # SHA-256 of 256 random bits
    Column("user_agent", Text, nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
    Column("seen_at", UtcDateTime, nullable=False),
    Column("expires_at", UtcDateTime, nullable=False),
    Index("ix_user_session_user", "user_id"),
    Index("ix_user_session_expires", "expires_at"),
)

invitation = Table(
    "invitation",
    metadata,
    identity(),
    Column("kind", Text, nullable=False),  # to run the installation, to join a brand, to choose a password
    refers("brand_id", "brand.id", nullable=True),
    refers("user_id", "user_account.id", nullable=True),  # whose password
    Column("role", Text),
    Column("venues", Json, nullable=False),  # numbers of the venues that a manager is to have
    Column("name", Text, nullable=False),  # whom it was made for, in the words of who made it
    Column("token_hash", Text, nullable=False, unique=True),  # SHA-256 of 256 random bits
    Column("created_at", UtcDateTime, nullable=False),
    Column("created_by", Text, nullable=False),
    Column("expires_at", UtcDateTime, nullable=False),
    Column("used_at", UtcDateTime),
    Column("withdrawn_at", UtcDateTime),
    CheckConstraint(
        "(kind = 'operator' AND brand_id IS NULL AND user_id IS NULL AND role IS NULL)"
        " OR (kind = 'brand' AND brand_id IS NOT NULL AND user_id IS NULL"
        " AND role IN ('owner', 'marketer', 'manager', 'cashier'))"
        " OR (kind = 'password' AND user_id IS NOT NULL AND role IS NULL)",
        name="kind_says_what_for",
    ),
    CheckConstraint("used_at IS NULL OR withdrawn_at IS NULL", name="used_or_withdrawn"),
    Index("ix_invitation_brand", "brand_id"),
)
