"""Tables of the loyalty room that help people at work: what guests are found by, what is done by hand."""

from __future__ import annotations

from sqlalchemy import CheckConstraint, Column, ForeignKey, Index, Table, Text, UniqueConstraint

from app.db import UtcDateTime, identity, metadata, refers

# What a member is found by: each word of the name, and the digits of the number from its end. Folded by
# app.loyalty.search_keys, so that both databases find the same; compared by code points on both.
member_key = Table(
    "member_key",
    metadata,
    refers("member_id", "member.id", primary_key=True),
    Column("key", Text().with_variant(Text(collation="C"), "postgresql"), primary_key=True),
    refers("brand_id", "brand.id"),
    Index("ix_member_key_search", "brand_id", "key", "member_id"),
)

# What people of the brand did to a card by hand, and why; the form's key makes it happen once.
card_act = Table(
    "card_act",
    metadata,
    identity(),
    refers("enrolment_id", "enrolment.id"),
    Column("kind", Text, nullable=False),
    Column("reason", Text),  # as it was written; forgotten with the member
    Column("actor", Text, nullable=False),
    Column("at", UtcDateTime, nullable=False),
    Column("form_key", Text, nullable=False, unique=True),
    refers("entry_id", "ledger_entry.id", nullable=True),
    refers("former_pass_id", "wallet_pass.id", nullable=True),  # what it was before it was issued anew
    Column("former_card_code", Text),
    UniqueConstraint("former_pass_id"),
    CheckConstraint("kind IN ('correction', 'block', 'unblock', 'reissue')", name="kind_known"),
    CheckConstraint("(kind = 'correction') = (entry_id IS NOT NULL)", name="correction_has_entry"),
    CheckConstraint(
        "(kind = 'reissue') = (former_pass_id IS NOT NULL)"
        " AND (former_pass_id IS NULL) = (former_card_code IS NULL)",
        name="reissue_has_former",
    ),
    Index("ix_card_act_enrolment", "enrolment_id", "id"),
    Index("ix_card_act_former_code", "former_card_code"),
)

# Numbers whose holders told a brand to stop, whoever they are: looked at before advertising leaves.
silenced_number = Table(
    "silenced_number",
    metadata,
    refers("brand_id", "brand.id", primary_key=True),
    Column("number", Text, primary_key=True),  # E.164
    Column("at", UtcDateTime, nullable=False),  # the last time
    Column("source", Text, nullable=False),
    Column("text", Text, nullable=False),  # what the holder wrote
    CheckConstraint("number LIKE '+%'", name="number_is_e164"),
)

# A visit whose guest had a card already, and proved it: it leads there.
returning_visit = Table(
    "returning_visit",
    metadata,
    Column("visit_id", Text, ForeignKey("visit.id"), primary_key=True),
    refers("enrolment_id", "enrolment.id"),
    Column("at", UtcDateTime, nullable=False),
    Index("ix_returning_visit_enrolment", "enrolment_id"),
)
