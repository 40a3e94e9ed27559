"""Tables of Google's side of passes: classes, objects, the images in them, the callbacks that were heard."""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    Index,
    LargeBinary,
    Table,
    Text,
    UniqueConstraint,
    false,
)

from app.db import Json, UtcDateTime, identity, metadata, refers

# Under which issuer a brand's cards are at Google, and with whose key: in a file, a variable, or sealed here.
google_account = Table(
    "google_account",
    metadata,
    refers("brand_id", "brand.id", primary_key=True),
    Column("issuer_id", Text, nullable=False),
    Column("credentials", Text, nullable=False),  # "file:PATH", "env:NAME" or "stored:"; never the key
    Column("sealed_key", Text),
    Column("email", Text, nullable=False),  # the service account's
    Column("changed_at", UtcDateTime, nullable=False),
    Column("changed_by", Text, nullable=False),
    CheckConstraint(
        "credentials LIKE 'file:%' OR credentials LIKE 'env:%' OR credentials = 'stored:'",
        name="credentials_are_a_reference",
    ),
    CheckConstraint("(credentials = 'stored:') = (sealed_key IS NOT NULL)", name="key_where_stored"),
    CheckConstraint("sealed_key LIKE '1:%'", name="key_is_sealed"),
)

# What Google's cards of a programme, or of one of its tiers, share. Google never deletes one.
google_class = Table(
    "google_class",
    metadata,
    identity(),
    Column("issuer_id", Text, nullable=False),
    Column("resource_id", Text, nullable=False, unique=True),  # "3388….p12.card.gold-1f2e3d4c"
    refers("brand_id", "brand.id"),
    refers("programme_id", "programme.id"),
    Column("family", Text, nullable=False),
    Column("tier_key", Text, nullable=False, server_default=""),  # "": the programme has no tiers
    Column("tier", Json),  # its name in both languages
    Column("sent", Json),  # field to digest, as Google took it; NULL: not known
    Column("accepted_at", UtcDateTime),  # since then Google has it
    Column("refused", Text),  # digest of what Google would not take: not sent again
    Column("created_at", UtcDateTime, nullable=False),
    UniqueConstraint("issuer_id", "programme_id", "family", "tier_key"),
)

# One pass's card in Google Wallet. What it should say is the pass's content; here stands what Google has.
google_object = Table(
    "google_object",
    metadata,
    identity(),
    refers("pass_id", "wallet_pass.id"),
    refers("brand_id", "brand.id"),
    Column("issuer_id", Text, nullable=False),
    Column("resource_id", Text, nullable=False, unique=True),
    refers("google_class_id", "google_class.id", nullable=True),  # that Google has it in
    Column("sent", Json),  # field to digest, as Google took it; NULL: not known
    Column("messages", Json),  # their identifiers on the object; NULL: not known
    Column("announced", Text),  # identifies the newest message that the holder was told of
    Column("doubted_message", Text),  # an addMessage without an answer: look before it is said again
    Column("doubted_at", UtcDateTime),
    Column("unread_since", UtcDateTime),  # a callback came: only reading tells whether anybody holds it
    Column("has_users", Boolean),  # as Google last said
    Column("inserted_at", UtcDateTime),  # since then Google has it
    Column("first_saved_at", UtcDateTime),
    Column("removed_at", UtcDateTime),  # since then nobody holds it any more
    Column("created_at", UtcDateTime, nullable=False),
    UniqueConstraint("pass_id"),
    CheckConstraint("(doubted_message IS NULL) = (doubted_at IS NULL)", name="doubted_since"),
    Index("ix_google_object_class", "google_class_id", "id"),  # the cards of a class, a part at a time
)

# What all holders of a class are told at once: by one message to the class, or by one to each of its cards.
google_broadcast = Table(
    "google_broadcast",
    metadata,
    identity(),
    refers("google_class_id", "google_class.id"),
    Column("announcement", Text, nullable=False),  # identifies what is announced: "campaign:17"
    Column("text", Json, nullable=False),  # in both languages
    Column("at", UtcDateTime, nullable=False),
    Column("way", Text, nullable=False),
    Column(
        "handed_to", BigInteger, nullable=False, server_default="0"
    ),  # the last card that it was handed to
    Column(
        "noted_to", BigInteger, nullable=False, server_default="0"
    ),  # the last card that it is counted for
    Column("on_class", Boolean, nullable=False, server_default=false()),  # Google has it there
    Column("doubted_at", UtcDateTime),  # an addMessage without an answer: look before it is said again
    UniqueConstraint("google_class_id", "announcement"),
    CheckConstraint("way IN ('class', 'cards')", name="way_known"),
)

# Images in classes and objects, by their SHA-256. Google may ask for one that no design has any more.
google_image = Table(
    "google_image",
    metadata,
    Column("digest", Text, primary_key=True),
    Column("data", LargeBinary, nullable=False),
    CheckConstraint("length(digest) = 64", name="digest_is_sha_256"),
)

# Callbacks that were taken in: each counts once, however often Google repeats it.
google_callback = Table(
    "google_callback",
    metadata,
    Column("nonce", Text, primary_key=True),
    Column("at", UtcDateTime, nullable=False),
)
