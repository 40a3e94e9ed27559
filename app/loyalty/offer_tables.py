"""Tables of offers: their terms, who has them on a card, and where they were redeemed.

Points are hundredths, money minor units, a part of a receipt basis points.
"""

from __future__ import annotations

from sqlalchemy import BigInteger, CheckConstraint, Column, Index, Table, Text, UniqueConstraint, text

from app.db import UtcDateTime, identity, metadata, refers

offer = Table(
    "offer",
    metadata,
    identity(),
    refers("brand_id", "brand.id"),
    refers("programme_id", "programme.id", nullable=True),  # none: cards of all the brand's programmes
    Column("code", Text, nullable=False),  # what a till sends and a cashier types
    Column("name_ru", Text, nullable=False),
    Column("name_en", Text, nullable=False),
    Column("terms_ru", Text, nullable=False),
    Column("terms_en", Text, nullable=False),
    Column("gives", Text, nullable=False),
    Column("worth", BigInteger, nullable=False),  # basis points, minor units or points; of a gift nothing
    Column("gift_ru", Text),
    Column("gift_en", Text),
    Column("minimum", BigInteger, nullable=False, server_default="0"),  # of the receipt, in minor units
    Column("from_at", UtcDateTime, nullable=False),
    Column("until_at", UtcDateTime),  # none: until somebody ends it
    Column("created_at", UtcDateTime, nullable=False),
    Column("ended_at", UtcDateTime),
    UniqueConstraint("brand_id", "code"),
    CheckConstraint("gives IN ('percent', 'amount', 'gift', 'points')", name="gives_known"),
    CheckConstraint(
        "(gives = 'percent' AND worth BETWEEN 1 AND 10000)"
        " OR (gives IN ('amount', 'points') AND worth > 0) OR (gives = 'gift' AND worth = 0)",
        name="worth_of_its_kind",
    ),
    CheckConstraint(
        "(gives = 'gift') = (gift_ru IS NOT NULL) AND (gift_ru IS NULL) = (gift_en IS NULL)",
        name="gift_is_named",
    ),
    CheckConstraint("minimum >= 0", name="minimum_not_negative"),
    CheckConstraint("until_at IS NULL OR until_at > from_at", name="begins_before_it_ends"),
    Index("ix_offer_programme", "programme_id"),
)

# Where it may be redeemed; without a row: everywhere.
offer_venue = Table(
    "offer_venue",
    metadata,
    refers("offer_id", "offer.id", primary_key=True),
    refers("venue_id", "venue.id", primary_key=True),
    Index("ix_offer_venue_venue", "venue_id"),
)

_OPEN = "redeemed_at IS NULL AND over_at IS NULL"

# An offer on a guest's card: once a guest, whatever the number of cards.
offer_grant = Table(
    "offer_grant",
    metadata,
    identity(),
    refers("offer_id", "offer.id"),
    refers("member_id", "member.id"),
    refers("enrolment_id", "enrolment.id"),
    Column("campaign", Text),  # what gave it, by name
    Column("granted_at", UtcDateTime, nullable=False),
    Column("until_at", UtcDateTime),  # none: as long as the offer
    Column("redeemed_at", UtcDateTime),
    Column("over_at", UtcDateTime),  # it left the card without being redeemed
    Column("over_because", Text),
    refers("same_as_id", "offer_grant.id", nullable=True),  # the guest turned out to have it twice
    CheckConstraint("redeemed_at IS NULL OR over_at IS NULL", name="redeemed_or_over"),
    CheckConstraint("(over_at IS NULL) = (over_because IS NULL)", name="over_says_why"),
    CheckConstraint("over_because IN ('expired', 'ended', 'revoked', 'left', 'united')", name="over_known"),
    CheckConstraint(
        "same_as_id IS NULL OR redeemed_at IS NOT NULL OR over_at IS NOT NULL", name="same_is_not_open"
    ),
    Index(
        "uq_offer_grant_once",
        "offer_id",
        "member_id",
        unique=True,
        sqlite_where=text("same_as_id IS NULL"),
        postgresql_where=text("same_as_id IS NULL"),
    ),
    Index("ix_offer_grant_enrolment", "enrolment_id", "id"),
    Index("ix_offer_grant_member", "member_id"),
    Index("ix_offer_grant_same_as", "same_as_id"),
    Index("ix_offer_grant_until", "until_at", sqlite_where=text(_OPEN), postgresql_where=text(_OPEN)),
    Index("ix_offer_grant_open", "offer_id", "id", sqlite_where=text(_OPEN), postgresql_where=text(_OPEN)),
)

# Only ever added; a refund of the receipt is noted, and only then may another one follow.
offer_redemption = Table(
    "offer_redemption",
    metadata,
    identity(),
    refers("grant_id", "offer_grant.id"),
    refers("receipt_id", "receipt.id"),
    refers("venue_id", "venue.id"),
    refers("entry_id", "ledger_entry.id", nullable=True),  # the points that it brought
    Column("discount", BigInteger, nullable=False),  # what the till took off
    Column("actor", Text, nullable=False),
    Column("at", UtcDateTime, nullable=False),
    Column("returned_at", UtcDateTime),  # the receipt was refunded, and the guest has it again
    UniqueConstraint("receipt_id"),
    CheckConstraint("discount >= 0", name="discount_not_negative"),
    Index(
        "uq_offer_redemption_once",
        "grant_id",
        unique=True,
        sqlite_where=text("returned_at IS NULL"),
        postgresql_where=text("returned_at IS NULL"),
    ),
    Index("ix_offer_redemption_grant", "grant_id"),
    Index("ix_offer_redemption_venue", "venue_id"),
    Index("ix_offer_redemption_entry", "entry_id"),
)
