"""Point-of-sale keys: shown once, rotated without a standstill, and no secret in the database."""

from __future__ import annotations

from datetime import timedelta
from threading import Barrier, Thread

import pytest
from sqlalchemy import select

from app.accounts import audit, keys
from app.accounts.tables import audit_entry, point_of_sale_key
from app.db import Database
from app.db.identifiers import PointOfSaleKeyId
from app.errors import BadInput, Conflict, NotFound, Refused
from tests.accounts.world import NOW, a_brand, a_venue


def _made(database: Database) -> tuple[keys.PointOfSaleKey, str]:
    with database.write() as tx:
        brand = a_brand(tx)
        venue = a_venue(tx, brand)
        return keys.create_key(tx, brand_id=brand.id, venue_id=venue.id, name="till 1", now=NOW, actor="t")


def test_the_secret_opens_and_is_nowhere_in_the_database(database: Database) -> None:
    made, secret = _made(database)
    assert secret.startswith("ppk_")
    assert len(secret) >= 4 + 43
    with database.write() as tx:
        known = keys.authenticate(tx, secret, now=NOW)
        assert known is not None
        assert known.id == made.id
        rows = [*tx.execute(select(point_of_sale_key)), *tx.execute(select(audit_entry))]
    assert secret not in repr(rows)
    assert secret.removeprefix("ppk_") not in repr(rows)


@pytest.mark.parametrize(
    "wrong", ["", "ppk_", "ppk_ключ", "ppk_" + "x" * 43, "Bearer x", "ppk_" + "x" * 10_000]
)
def test_another_secret_opens_nothing(database: Database, wrong: str) -> None:
    _made(database)
    with database.write() as tx:
        assert keys.authenticate(tx, wrong, now=NOW) is None


def test_the_old_key_works_on_for_the_overlap(database: Database) -> None:
    made, old_secret = _made(database)
    with database.write() as tx:
        new, new_secret = keys.rotate_key(tx, made.id, overlap=timedelta(days=7), now=NOW, actor="t")
        assert (new.venue_id, new.name, new.expires_at) == (made.venue_id, "till 1", None)
        within, after = NOW + timedelta(days=6), NOW + timedelta(days=7)
        old = keys.authenticate(tx, old_secret, now=within)
        fresh = keys.authenticate(tx, new_secret, now=within)
        assert old is not None
        assert fresh is not None
        assert (old.id, fresh.id) == (made.id, new.id)
        assert keys.authenticate(tx, old_secret, now=after) is None
        assert keys.authenticate(tx, new_secret, now=after) is not None
        assert [e.action for e in audit.entries(tx)[:2]] == ["key.rotated", "key.created"]


def test_a_key_is_rotated_once(database: Database) -> None:
    made, _ = _made(database)
    with database.write() as tx:
        keys.rotate_key(tx, made.id, overlap=timedelta(days=7), now=NOW, actor="t")
        with pytest.raises(Conflict):
            keys.rotate_key(tx, made.id, overlap=timedelta(days=7), now=NOW, actor="t")
        with pytest.raises(BadInput):
            keys.rotate_key(tx, made.id, overlap=timedelta(days=-1), now=NOW, actor="t")
        with pytest.raises(NotFound):
            keys.rotate_key(tx, PointOfSaleKeyId(999), overlap=timedelta(0), now=NOW, actor="t")


def test_of_two_rotations_at_once_one_wins(database: Database) -> None:
    made, _ = _made(database)
    start, outcomes = Barrier(2), []

    def rotate() -> None:
        start.wait()
        try:
            with database.write() as tx:
                keys.rotate_key(tx, made.id, overlap=timedelta(days=1), now=NOW, actor="t")
            outcomes.append("rotated")
        except Refused as refused:
            outcomes.append(refused.code)

    threads = [Thread(target=rotate) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(outcomes) == ["key-rotated", "rotated"]
    with database.read() as tx:
        assert len(keys.keys_of_brand(tx, made.brand_id)) == 2


def test_a_revoked_key_ends_at_once_and_frees_its_name(database: Database) -> None:
    made, secret = _made(database)
    with database.write() as tx:
        keys.revoke_key(tx, made.id, now=NOW, actor="t")
        assert keys.authenticate(tx, secret, now=NOW) is None
        keys.revoke_key(tx, made.id, now=NOW + timedelta(hours=1), actor="t")
        assert keys.key(tx, made.id).expires_at == NOW
        again, _ = keys.create_key(
            tx, brand_id=made.brand_id, venue_id=made.venue_id, name="till 1", now=NOW, actor="t"
        )
    assert again.id != made.id


def test_revoking_a_rotated_key_cuts_its_overlap_short(database: Database) -> None:
    made, secret = _made(database)
    with database.write() as tx:
        keys.rotate_key(tx, made.id, overlap=timedelta(days=7), now=NOW, actor="t")
        keys.revoke_key(tx, made.id, now=NOW + timedelta(hours=1), actor="t")
        assert keys.authenticate(tx, secret, now=NOW + timedelta(hours=1)) is None


def test_authentication_only_reads(database: Database) -> None:
    made, secret = _made(database)
    with database.write() as other, database.autocommit() as tx:
        keys.note_use(other, made, now=NOW)  # whoever writes meanwhile is in nobody's way
        known = keys.authenticate(tx, secret, now=NOW)
    assert known == made


def test_a_use_is_noted_at_most_once_a_minute(database: Database) -> None:
    made, secret = _made(database)
    seen = []
    for seconds in (0, 30, 59, 60, 90):
        with database.write() as tx:
            now = NOW + timedelta(seconds=seconds)
            used = keys.authenticate(tx, secret, now=now)
            assert used is not None
            assert used.use_is_due(now) == (seconds in (0, 60))
            keys.note_use(tx, used, now=now)
            seen.append(keys.key(tx, made.id).last_used_at)
    first, second = NOW, NOW + timedelta(seconds=60)
    assert seen == [first, first, first, second, second]


def test_names_are_told_apart_and_brands_kept_apart(database: Database) -> None:
    made, _ = _made(database)
    with database.write() as tx:
        other = a_brand(tx, "other")
        with pytest.raises(Conflict, match="rotate"):
            keys.create_key(
                tx, brand_id=made.brand_id, venue_id=made.venue_id, name="till 1", now=NOW, actor="t"
            )
        with pytest.raises(BadInput) as refused:
            keys.create_key(tx, brand_id=other.id, venue_id=made.venue_id, name="x", now=NOW, actor="t")
        assert keys.keys_of_brand(tx, other.id) == []
    assert refused.value.field == "venue_id"
