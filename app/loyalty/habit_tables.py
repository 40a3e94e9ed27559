"""Tables of what is kept of guests: their habits, and how they are reached. Days are counted from 1970."""

from __future__ import annotations

from sqlalchemy import BigInteger, Boolean, CheckConstraint, Column, Index, Integer, Table, Text

from app.db import Id, identity, metadata, refers

# One row a living guest, so that an audience is counted in one table. Nothing in it depends on the day on
# which it is read: the days of the newest visits tell how many there were since any day, so that "the last 30
# days" are right whenever asked.
habit = Table(
    "habit",
    metadata,
    refers("brand_id", "brand.id", primary_key=True),
    refers("member_id", "member.id", primary_key=True),
    Column("visits", Integer, nullable=False),  # a venue on a day is one, whatever the number of receipts
    Column("receipts", Integer, nullable=False),
    Column("spent", BigInteger, nullable=False),  # minor units
    Column("average", BigInteger),  # of a receipt, rounded down
    Column("last_day", Integer),  # by the venue's clock
    # The days of the newest visits, newest first, five digits each; the first is last_day.
    Column("recent", Text().with_variant(Text(collation="C"), "postgresql"), nullable=False),
    Column("consenting", Boolean, nullable=False),  # to advertising
    Column("texts", Boolean, nullable=False),  # and has a number that was not silenced since
    Column("apple", Boolean, nullable=False),  # a card on a phone that pushes reach
    Column("google", Boolean, nullable=False),  # a card that somebody holds at Google
    Column("added", Boolean, nullable=False),  # a card in any wallet, of Android pass apps too
    Column("had", Boolean, nullable=False),  # a card was in a wallet once
    # Where Google holds none: the day (UTC) on which a phone was last heard, as of the last night. Phones are
    # heard all the time, and nothing is noted then.
    Column("heard_day", Integer),
    CheckConstraint(
        "receipts >= visits AND spent >= 0 AND (visits > 0) = (receipts > 0)"
        " AND (average IS NULL) = (visits = 0) AND (last_day IS NULL) = (visits = 0)",
        name="bought",
    ),
    CheckConstraint("consenting OR NOT texts", name="texts_by_consent"),
    CheckConstraint("added OR NOT (apple OR google)", name="added_somewhere"),
    CheckConstraint("heard_day IS NULL OR (added AND NOT google)", name="heard_of_phones"),
    # The day last: a third of those who bought lately ends where the index, read along, says so.
    Index("ix_habit_average", "brand_id", "average", "last_day"),
    Index("ix_habit_spent", "brand_id", "spent", "last_day"),
    Index("ix_habit_visits", "brand_id", "visits", "last_day"),
    Index("ix_habit_last_day", "brand_id", "last_day"),
    sqlite_with_rowid=False,
)

# Where they were last, by venue.
habit_venue = Table(
    "habit_venue",
    metadata,
    refers("member_id", "member.id", primary_key=True),
    refers("venue_id", "venue.id", primary_key=True),
    Column("last_day", Integer, nullable=False),
    Index("ix_habit_venue_day", "venue_id", "last_day", "member_id"),
    sqlite_with_rowid=False,
)

# Guests of whom something changed since. Only ever inserted, until the worker has counted them anew.
habit_change = Table(
    "habit_change",
    metadata,
    identity(),
    Column("brand_id", Id, nullable=False),  # as the member's, which the database has checked
    Column("member_id", Id, nullable=False),
)
