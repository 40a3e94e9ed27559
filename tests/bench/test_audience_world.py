"""The guests of the audiences' benchmark: what is kept of them is what the tables say."""

from __future__ import annotations

from dataclasses import fields

from app.db import Database
from app.db.identifiers import MemberId
from app.loyalty import habits, reach, store_habits
from bench import audience, audience_world

GUESTS = 1_200
"""The least at which each rule meets every other but for the rarest."""


def test_what_is_loaded_is_what_the_tables_say(database: Database) -> None:
    brand_id, now = audience_world.fill(database, GUESTS)
    with database.read() as tx:
        ids = [MemberId(one) for one in range(1, GUESTS + 1)]
        kept = {one.member_id: one for one in store_habits.kept(tx, ids)}
        told = reach.of_members(tx, ids)
        assert len(kept) == len(told) == GUESTS
        alike = [one.name for one in fields(reach.Reach) if one.name != "heard_at"]
        for member_id, how in told.items():
            for name in alike:
                assert getattr(kept[member_id], name) == getattr(how, name), (member_id, name)
            heard = habits.day_number(how.heard_at.date()) if how.heard_at else None
            assert kept[member_id].heard_day == heard
        found = [audience._count("x", database, brand_id, one, now, 1).found for one in audience.AUDIENCES]
        assert found[0] == GUESTS
        assert all(0 < one < GUESTS for one in found[1:])
