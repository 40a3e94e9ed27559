"""Tables of the loyalty room. Points are integers in hundredths, money integers in minor units."""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    ForeignKey,
    Index,
    Integer,
    Table,
    Text,
    UniqueConstraint,
    text,
)

from app.db import Json, UtcDateTime, identity, metadata, refers
from app.loyalty import guest_tables, habit_tables, offer_tables  # noqa: F401 - more tables of the room

programme = Table(
    "programme",
    metadata,
    identity(),
    refers("brand_id", "brand.id"),
    Column("slug", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("name", Text, nullable=False),
    Column("rules", Json, nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
    UniqueConstraint("brand_id", "slug"),
    CheckConstraint("kind IN ('bonus', 'stamp', 'tiered')", name="kind_known"),
)

member = Table(
    "member",
    metadata,
    identity(),
    refers("brand_id", "brand.id"),
    Column("name", Text),
    Column("language", Text, nullable=False),
    Column("phone", Text),  # E.164; as the guest wrote it, it identifies nobody
    Column("phone_verified_at", UtcDateTime),  # since then it identifies the member
    Column("birthday", Text),  # "MM-DD": the year is nobody's business
    Column("created_at", UtcDateTime, nullable=False),
    Column("removed_at", UtcDateTime),
    refers("merged_into_id", "member.id", nullable=True),  # the same guest's other row, which lives on
    CheckConstraint("language IN ('ru', 'en')", name="language_known"),
    CheckConstraint("phone LIKE '+%'", name="phone_is_e164"),
    CheckConstraint("birthday LIKE '__-__'", name="birthday_is_month_and_day"),
    CheckConstraint("phone_verified_at IS NULL OR phone IS NOT NULL", name="verified_is_a_number"),
    CheckConstraint("merged_into_id IS NULL OR removed_at IS NOT NULL", name="merged_is_over"),
    Index("ix_member_brand", "brand_id", "id"),
    Index(
        "ix_member_merged",
        "merged_into_id",
        sqlite_where=text("merged_into_id IS NOT NULL"),
        postgresql_where=text("merged_into_id IS NOT NULL"),
    ),
    # A number that sends a stop word speaks for everybody who gave it.
    Index(
        "ix_member_phone",
        "brand_id",
        "phone",
        sqlite_where=text("phone IS NOT NULL"),
        postgresql_where=text("phone IS NOT NULL"),
    ),
    # One member to a number that somebody proved to be theirs.
    Index(
        "uq_member_verified_phone",
        "brand_id",
        "phone",
        unique=True,
        sqlite_where=text("phone_verified_at IS NOT NULL"),
        postgresql_where=text("phone_verified_at IS NOT NULL"),
    ),
)

# A member in a programme: at most one card, balance and tier.
enrolment = Table(
    "enrolment",
    metadata,
    identity(),
    refers("member_id", "member.id"),
    refers("programme_id", "programme.id"),
    refers("brand_id", "brand.id"),
    refers("venue_id", "venue.id"),  # where the guest enrolled: the home venue
    refers("pass_id", "wallet_pass.id"),
    Column("visit_id", Text, ForeignKey("visit.id")),
    Column("card_code", Text, nullable=False, unique=True),
    Column("card_link_version", Integer, nullable=False, server_default="1"),
    Column("balance", BigInteger, nullable=False, server_default="0"),
    Column("stamps", Integer, nullable=False, server_default="0"),
    Column("tier", Text),
    Column("tier_due_at", UtcDateTime),  # when receipts leaving the window may lower the tier
    Column("enrolled_at", UtcDateTime, nullable=False),
    Column("ended_at", UtcDateTime),
    Column("blocked_at", UtcDateTime),  # no till may use it until it is unblocked
    refers("merged_into_id", "enrolment.id", nullable=True),  # the guest's other card, which lives on
    UniqueConstraint("pass_id"),
    UniqueConstraint("visit_id"),  # a form sent twice enrols once
    CheckConstraint("balance >= 0", name="balance_not_negative"),
    CheckConstraint("stamps >= 0", name="stamps_not_negative"),
    CheckConstraint("merged_into_id IS NULL OR ended_at IS NOT NULL", name="merged_is_over"),
    Index(  # cards that were merged into another one are kept beside it
        "uq_enrolment_one_card",
        "member_id",
        "programme_id",
        unique=True,
        sqlite_where=text("merged_into_id IS NULL"),
        postgresql_where=text("merged_into_id IS NULL"),
    ),
    Index("ix_enrolment_member", "member_id"),
    Index("ix_enrolment_programme", "programme_id"),
    Index("ix_enrolment_venue", "venue_id", "id"),
    Index(
        "ix_enrolment_tier_due",
        "tier_due_at",
        sqlite_where=text("tier_due_at IS NOT NULL"),
        postgresql_where=text("tier_due_at IS NOT NULL"),
    ),
)

# What a guest agreed to, when, in which words. Never updated: a withdrawal is a row of its own.
consent = Table(
    "consent",
    metadata,
    identity(),
    refers("member_id", "member.id"),
    Column("purpose", Text, nullable=False),
    Column("granted", Boolean, nullable=False),
    Column("text_version", Text, nullable=False),
    Column("text", Text, nullable=False),
    Column("language", Text, nullable=False),
    Column("source", Text, nullable=False),
    Column("at", UtcDateTime, nullable=False),
    CheckConstraint("purpose IN ('data', 'advertising')", name="purpose_known"),
    Index("ix_consent_member", "member_id", "purpose", "id"),
)

# A code sent to a number, to prove that it is the guest's. Counted for limits, forgotten after two days.
phone_code = Table(
    "phone_code",
    metadata,
    identity(),
    refers("brand_id", "brand.id"),
    refers("venue_id", "venue.id"),
    # Who may enter it: the visit whose form asked, or whoever has the card that asked.
    Column("visit_id", Text, ForeignKey("visit.id")),
    refers("enrolment_id", "enrolment.id", nullable=True),
    refers("delivery_id", "delivery.id", nullable=True),
    Column("number", Text, nullable=False),  # E.164
    Column("address_range", Text, nullable=False),  # of the asker: a /24 or a /48
    Column("digest", Text, nullable=False),  # keyed: the code itself is nowhere but in the text
    Column("tries", Integer, nullable=False, server_default="0"),
    Column("created_at", UtcDateTime, nullable=False),
    Column("expires_at", UtcDateTime, nullable=False),
    Column("ended_at", UtcDateTime),  # used, replaced, or tried too often
    CheckConstraint("number LIKE '+%'", name="number_is_e164"),
    CheckConstraint("tries >= 0", name="tries_counted"),
    CheckConstraint("(visit_id IS NULL) <> (enrolment_id IS NULL)", name="one_asked"),
    Index(
        "uq_phone_code_active",
        "brand_id",
        "number",
        unique=True,
        sqlite_where=text("ended_at IS NULL"),
        postgresql_where=text("ended_at IS NULL"),
    ),
    Index("ix_phone_code_number", "number", "created_at"),
    Index("ix_phone_code_address_range", "address_range", "created_at"),
    Index("ix_phone_code_venue", "venue_id", "created_at"),
    Index("ix_phone_code_brand", "brand_id", "created_at"),
    Index("ix_phone_code_created", "created_at"),
    Index("ix_phone_code_visit", "visit_id"),
    Index("ix_phone_code_enrolment", "enrolment_id"),
    Index("ix_phone_code_delivery", "delivery_id"),  # whoever forgets a text looks here for each
)

receipt = Table(
    "receipt",
    metadata,
    identity(),
    refers("venue_id", "venue.id"),
    refers("enrolment_id", "enrolment.id"),
    Column("number", Text, nullable=False),  # the till's own
    Column("amount", BigInteger, nullable=False),
    Column("currency", Text, nullable=False),
    Column("at", UtcDateTime, nullable=False),  # when it was rung up, by the till's clock
    Column("recorded_at", UtcDateTime, nullable=False),
    Column("refunded_at", UtcDateTime),
    UniqueConstraint("venue_id", "number"),
    CheckConstraint("amount >= 0", name="amount_not_negative"),  # an offer may pay all of it
    Index("ix_receipt_enrolment_at", "enrolment_id", "at"),
    Index("ix_receipt_venue", "venue_id", "id"),  # the newest of a venue, while its till is tested
)

ledger_entry = Table(
    "ledger_entry",
    metadata,
    identity(),
    refers("enrolment_id", "enrolment.id"),
    Column("kind", Text, nullable=False),
    Column("points", BigInteger, nullable=False),
    Column("stamps", Integer, nullable=False, server_default="0"),
    refers("venue_id", "venue.id", nullable=True),
    refers("receipt_id", "receipt.id", nullable=True),
    refers("reverses_id", "ledger_entry.id", nullable=True),
    Column("at", UtcDateTime, nullable=False),
    CheckConstraint(
        "kind IN ('accrual', 'redemption', 'receipt_refund', 'redemption_refund',"
        " 'correction', 'expiry', 'import', 'offer')",
        name="kind_known",
    ),
    CheckConstraint(
        "(kind NOT IN ('accrual', 'offer') OR (points >= 0 AND stamps >= 0))"
        " AND (kind <> 'redemption' OR (points <= 0 AND stamps <= 0))",
        name="sign_follows_kind",
    ),
    # One accrual per receipt, and nothing is taken back twice.
    Index(
        "uq_ledger_entry_accrual",
        "receipt_id",
        unique=True,
        sqlite_where=text("kind = 'accrual'"),
        postgresql_where=text("kind = 'accrual'"),
    ),
    Index(
        "uq_ledger_entry_receipt_refund",
        "receipt_id",
        unique=True,
        sqlite_where=text("kind = 'receipt_refund'"),
        postgresql_where=text("kind = 'receipt_refund'"),
    ),
    Index(
        "uq_ledger_entry_offer",
        "receipt_id",
        unique=True,
        sqlite_where=text("kind = 'offer'"),
        postgresql_where=text("kind = 'offer'"),
    ),
    # Where a receipt's points went when cards were merged; refunds follow them.
    Index(
        "ix_ledger_entry_moved",
        "receipt_id",
        sqlite_where=text("kind = 'correction'"),
        postgresql_where=text("kind = 'correction'"),
    ),
    Index("ix_ledger_entry_enrolment", "enrolment_id", "id"),
)

# Points that were accrued together and expire together.
lot = Table(
    "lot",
    metadata,
    identity(),
    refers("enrolment_id", "enrolment.id"),
    refers("entry_id", "ledger_entry.id"),
    Column("points", BigInteger, nullable=False),
    Column("remaining", BigInteger, nullable=False),
    Column("expires_at", UtcDateTime),
    CheckConstraint("points > 0 AND remaining BETWEEN 0 AND points", name="remaining_within"),
    UniqueConstraint("entry_id"),
    Index(
        "ix_lot_open",
        "enrolment_id",
        "expires_at",
        sqlite_where=text("remaining > 0"),
        postgresql_where=text("remaining > 0"),
    ),
    Index(
        "ix_lot_expiring",
        "expires_at",
        sqlite_where=text("remaining > 0 AND expires_at IS NOT NULL"),
        postgresql_where=text("remaining > 0 AND expires_at IS NOT NULL"),
    ),
)

lot_use = Table(
    "lot_use",
    metadata,
    refers("entry_id", "ledger_entry.id", primary_key=True),
    refers("lot_id", "lot.id", primary_key=True),
    Column("points", BigInteger, nullable=False),
    CheckConstraint("points > 0", name="points_positive"),
)

# The first answer to every call of a till, given again when the till asks again.
till_call = Table(
    "till_call",
    metadata,
    refers("venue_id", "venue.id", primary_key=True),
    Column("idempotency_key", Text, primary_key=True),
    Column("fingerprint", Text, nullable=False),
    Column("status", Integer, nullable=False),
    Column("answer", Json, nullable=False),
    Column("at", UtcDateTime, nullable=False),
    Index("ix_till_call_at", "at"),
)
