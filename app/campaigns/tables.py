"""Tables of campaigns: what is sent, to whom it went and how it ended, what was read of it each day."""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    Index,
    Integer,
    LargeBinary,
    Table,
    Text,
    UniqueConstraint,
    false,
    literal,
    text,
)

from app.db import Id, Json, UtcDateTime, identity, metadata, refers

LOOKED_AT = "look_at IS NOT NULL"
WAITING = "state = 'waiting'"

# How often and at which hours a brand speaks to a guest, whatever the campaign and the channel. Locked by
# whoever is about to speak, so that two campaigns never take the same guest's last turn.
marketing_limits = Table(
    "marketing_limits",
    metadata,
    refers("brand_id", "brand.id", primary_key=True),
    Column("most", Integer, nullable=False),  # advertising messages to a guest in `days`
    Column("days", Integer, nullable=False),
    Column("quiet_since", Text, nullable=False),  # "21:00", by the clock where the guest is at home
    Column("quiet_until", Text, nullable=False),  # the same: never quiet
    CheckConstraint("most >= 1 AND days >= 1", name="limits_allow_something"),
    CheckConstraint("quiet_since LIKE '__:__' AND quiet_until LIKE '__:__'", name="quiet_is_hours"),
)

campaign = Table(
    "campaign",
    metadata,
    identity(),
    refers("brand_id", "brand.id"),
    refers("offer_id", "offer.id", nullable=True),  # what it brings
    Column("name", Text, nullable=False),  # for people of the brand alone
    Column("kind", Text, nullable=False),
    Column("plan", Json, nullable=False),  # what a marketer wrote: app.campaigns.plan.Plan
    Column("state", Text, nullable=False),
    Column(
        "revision", Integer, nullable=False, server_default="1"
    ),  # of two edits at once the second is told
    Column("created_at", UtcDateTime, nullable=False),
    Column("created_by", Text, nullable=False),
    Column("sent_by", Text),  # who pressed "send", or scheduled it
    Column("starts_at", UtcDateTime),  # when it is to begin; then: when it began
    # From its beginning on:
    Column("frozen", Json),  # app.campaigns.audiences.Frozen
    Column("salt", LargeBinary),  # of its assignment
    Column("cursor", Id),  # the last member of the audience that was assigned
    Column("expanded_at", UtcDateTime),  # since then every guest of the audience is assigned
    Column("release_at", UtcDateTime),  # when the canary is judged, and the others follow
    Column("worked_at", UtcDateTime),  # the last step: campaigns take turns
    Column("settled_at", UtcDateTime),  # since then every recipient is in an end state
    Column("ends_at", UtcDateTime),  # when the final reading is taken
    Column("next_reading_at", UtcDateTime),  # the end of the next of its days; NULL: no more are read
    Column("texts", Integer, nullable=False, server_default="0"),  # promised
    Column(
        "spent", BigInteger, nullable=False, server_default="0"
    ),  # minor units, expected, of promised texts
    Column("stopped_because", Text),
    UniqueConstraint("brand_id", "name"),
    CheckConstraint("kind IN ('advertising', 'service')", name="kind_known"),
    CheckConstraint(
        "state IN ('draft', 'scheduled', 'canary', 'running', 'paused', 'stopped', 'measuring', 'cancelled',"
        " 'done')",
        name="state_known",
    ),
    CheckConstraint(
        "(frozen IS NULL) = (salt IS NULL) AND (frozen IS NULL) = (cursor IS NULL)"
        " AND (frozen IS NULL) = (ends_at IS NULL)",
        name="frozen_whole",
    ),
    CheckConstraint(
        "state NOT IN ('canary', 'running', 'paused', 'stopped', 'measuring', 'done') OR frozen IS NOT NULL",
        name="begun_is_frozen",
    ),
    CheckConstraint("state NOT IN ('draft', 'scheduled') OR frozen IS NULL", name="not_begun_is_not_frozen"),
    CheckConstraint("state <> 'scheduled' OR starts_at IS NOT NULL", name="scheduled_for_a_time"),
    CheckConstraint("(state = 'stopped') = (stopped_because IS NOT NULL)", name="stopped_for_a_reason"),
    CheckConstraint(
        "state NOT IN ('measuring', 'done') OR settled_at IS NOT NULL", name="measured_when_settled"
    ),
    CheckConstraint(
        "settled_at IS NULL OR expanded_at IS NOT NULL OR state = 'cancelled'", name="settled_when_expanded"
    ),
    CheckConstraint("texts >= 0 AND spent >= 0", name="texts_counted"),
    CheckConstraint("next_reading_at IS NULL OR frozen IS NOT NULL", name="read_since_begun"),
    Index("ix_campaign_brand", "brand_id", "id"),
    Index("ix_campaign_state", "state", "starts_at"),
    Index(
        "ix_campaign_reading",
        "next_reading_at",
        sqlite_where=text("next_reading_at IS NOT NULL"),
        postgresql_where=text("next_reading_at IS NOT NULL"),
    ),
)

# Everyone of the audience, once. Who was held back before the assignment has no arm and is not analysed.
recipient = Table(
    "recipient",
    metadata,
    refers("campaign_id", "campaign.id", primary_key=True),
    refers("member_id", "member.id", primary_key=True),
    Column("arm", Integer),  # 0: held out; 1 and so on: the arms; NULL: held back before
    Column("canary", Boolean, nullable=False, server_default=false()),
    Column("state", Text, nullable=False),
    Column("because", Text),  # of those who were held back, not reached, or failed: why
    refers("pass_id", "wallet_pass.id", nullable=True),  # the card that speaks; NULL: a text or nothing
    Column("google", Boolean, nullable=False, server_default=false()),  # the card is heard at Google alone
    Column("assigned_at", UtcDateTime, nullable=False),
    # When the guest is spoken to: planned while waiting, then when it was. Counts for the frequency cap.
    Column("contact_at", UtcDateTime),
    Column("look_at", UtcDateTime),  # when the cascade looks next
    Column("deadline_at", UtcDateTime),  # since its push was accepted: until then a fetch is waited for
    Column("accepted_at", UtcDateTime),  # its push, or Google
    Column("reached_at", UtcDateTime),
    # The text; what it cost is kept here, since deliveries are forgotten after some weeks.
    Column("delivery_id", Id),
    Column("text_parts", Integer),
    Column("text_price", BigInteger),  # minor units, of all parts: expected, then as the gateway says
    Column("text_currency", Text),
    Column("settled_at", UtcDateTime),
    CheckConstraint(
        "state IN ('held_out', 'held_back', 'waiting', 'said', 'texting', 'reached', 'google_accepted',"
        " 'text_accepted', 'text_delivered', 'text_failed', 'unreached', 'cancelled')",
        name="state_known",
    ),
    CheckConstraint("arm >= 0", name="arm_counted"),
    CheckConstraint("(state = 'held_out') = (arm IS NOT NULL AND arm = 0)", name="held_out_is_the_holdout"),
    CheckConstraint("arm IS NOT NULL OR state = 'held_back'", name="assigned_or_held_back"),
    CheckConstraint(
        "(state IN ('held_back', 'unreached', 'text_failed')) = (because IS NOT NULL)", name="told_why"
    ),
    CheckConstraint("state <> 'waiting' OR contact_at IS NOT NULL", name="waits_for_a_moment"),
    CheckConstraint("(state IN ('said', 'texting')) = (look_at IS NOT NULL)", name="looked_at_until_over"),
    CheckConstraint("state <> 'said' OR pass_id IS NOT NULL", name="said_by_a_card"),
    CheckConstraint(
        "state NOT IN ('texting', 'text_accepted', 'text_delivered', 'text_failed')"
        " OR delivery_id IS NOT NULL",
        name="texted_by_a_delivery",
    ),
    CheckConstraint(
        "(state IN ('waiting', 'said', 'texting')) = (settled_at IS NULL)", name="settled_when_over"
    ),
    CheckConstraint("state <> 'reached' OR reached_at IS NOT NULL", name="reached_at_a_moment"),
    CheckConstraint("(text_price IS NULL) = (text_currency IS NULL)", name="price_in_a_currency"),
    UniqueConstraint("delivery_id"),
    Index(
        "ix_recipient_waiting",
        "campaign_id",
        "contact_at",
        "member_id",
        sqlite_where=text(WAITING),
        postgresql_where=text(WAITING),
    ),
    Index(
        "ix_recipient_look",
        "campaign_id",
        "look_at",
        "member_id",
        sqlite_where=text(LOOKED_AT),
        postgresql_where=text(LOOKED_AT),
    ),
    # Every campaign that spoke to a guest: for the cap, the member's page, and whoever is merged or erased.
    Index("ix_recipient_member", "member_id", "contact_at"),
    sqlite_with_rowid=False,
)

IS_WAITING = recipient.c.state == literal("waiting", literal_execute=True)
"""Spelt out in the SQL: with a parameter in its place neither database uses the partial index."""

# What was told of an arm at the end of a day stays as it was told: later receipts and refunds change nothing.
campaign_reading = Table(
    "campaign_reading",
    metadata,
    refers("campaign_id", "campaign.id", primary_key=True),
    Column("day", Integer, primary_key=True),  # from 1
    Column("arm", Integer, primary_key=True),  # 0: the holdout
    Column("read_at", UtcDateTime, nullable=False),
    Column("sums", Json, nullable=False),  # app.campaigns.lift.Sums
    Column("removed", Integer, nullable=False),  # guests who had a card in a wallet, and have none any more
    Column("told", Json),  # app.campaigns.verdicts.Reading; NULL for the holdout
    CheckConstraint("day >= 1 AND arm >= 0", name="day_and_arm_counted"),
)
