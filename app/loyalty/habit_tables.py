"""Tables of guests' habits: what their receipts come to. Days are counted from 1970, by the venue's clock."""

from __future__ import annotations

from sqlalchemy import BigInteger, CheckConstraint, Column, Index, Integer, Table, Text

from app.db import Id, identity, metadata, refers

# One row a guest who ever bought. Nothing in it depends on the day on which it is read: the days of the
# newest visits tell how many there were since any day, so that "the last 30 days" are right whenever asked.
habit = Table(
    "habit",
    metadata,
    refers("brand_id", "brand.id", primary_key=True),
    refers("member_id", "member.id", primary_key=True),
    Column("visits", Integer, nullable=False),  # a venue on a day is one, whatever the number of receipts
    Column("receipts", Integer, nullable=False),
    Column("spent", BigInteger, nullable=False),  # minor units
    Column("average", BigInteger, nullable=False),  # of a receipt, rounded down
    Column("last_day", Integer, nullable=False),
    # The days of the newest visits, newest first, five digits each; the first is last_day.
    Column("recent", Text().with_variant(Text(collation="C"), "postgresql"), nullable=False),
    CheckConstraint("visits > 0 AND receipts >= visits AND spent >= 0", name="bought"),
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

# Guests whose receipts changed since. Only ever inserted, until the worker has counted them anew.
habit_change = Table(
    "habit_change",
    metadata,
    identity(),
    Column("brand_id", Id, nullable=False),  # as the member's, which the database has checked
    Column("member_id", Id, nullable=False),
)
