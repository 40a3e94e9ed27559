"""Evidence: nothing older displaces something newer, and what nobody came for is offered again."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import select

from app.db import Database, Tx
from app.db.identifiers import WalletPassId
from app.passes import evidence, issuing
from app.passes.evidence import Contact, Fetch, Install, PassEvidence, Sighting
from app.passes.issuing import Revision
from app.passes.tables import device
from tests.passes.shop import NOW, SECOND, Shop, content, open_shop, pending, read, register, saying

SOON = timedelta(minutes=15)
MINUTE = timedelta(minutes=1)


@pytest.fixture
def shop(database: Database) -> Shop:
    return open_shop(database)


def _of(tx: Tx, pass_id: WalletPassId) -> PassEvidence:
    return evidence.of_passes(tx, [pass_id])[pass_id]


def _retag(database: Database, minutes: float) -> int:
    with database.write() as tx:
        return evidence.retag_unfetched(tx, now=NOW + minutes * MINUTE, older_than=SOON, limit=100)


def _record(database: Database, *proofs: evidence.Evidence) -> None:
    with database.write() as tx:
        evidence.record(tx, proofs)


def test_the_last_contact_counts(database: Database, shop: Shop) -> None:
    with database.write() as tx:
        device_id = register(tx, shop.issue(tx)).device_id
    for at in (NOW, NOW + SECOND, NOW - SECOND):
        _record(database, Contact(device_id, at))
    with database.read() as tx:
        assert tx.scalar(select(device.c.contacted_at)) == NOW + SECOND


def test_an_older_version_never_displaces_a_newer(database: Database, shop: Shop) -> None:
    with database.write() as tx:
        key = shop.issue(tx).id
    _record(database, Sighting(key, 2, NOW), Fetch(key, 2, NOW, NOW), Install(key, 2, NOW))
    late = NOW + MINUTE
    _record(database, Sighting(key, 1, late), Fetch(key, 1, late, late), Install(key, 1, late))
    with database.read() as tx:
        assert _of(tx, key) == PassEvidence(
            key, listed_version=2, listed_at=NOW, fetched_version=2, fetched_at=NOW,
            installed_version=2, installed_at=NOW,
        )  # fmt: skip


def test_of_one_batch_the_newest_version_and_its_first_moment_stay(database: Database, shop: Shop) -> None:
    with database.write() as tx:
        key = shop.issue(tx).id
    _record(
        database,
        Fetch(key, 3, NOW, NOW + 2 * SECOND),
        Fetch(key, 3, NOW, NOW + SECOND),
        Fetch(key, 1, NOW, NOW),
    )
    _record(database, Fetch(key, 3, NOW, NOW + MINUTE))
    with database.read() as tx:
        proved = _of(tx, key)
    assert (proved.fetched_version, proved.fetched_at) == (3, NOW + SECOND)
    assert (proved.listed_version, proved.installed_version) == (None, None)


def test_a_last_modified_sent_back_proves_what_was_fetched_before(database: Database, shop: Shop) -> None:
    with database.write() as tx:
        key = shop.issue(tx).id
    second, third = NOW.replace(microsecond=0), NOW.replace(microsecond=0) + SECOND
    _record(database, Fetch(key, 2, second, NOW))
    _record(database, Fetch(key, 3, third, NOW + MINUTE, held=second - SECOND))
    with database.read() as tx:
        assert _of(tx, key).installed_version is None
    _record(database, Fetch(key, 4, third + SECOND, NOW + 2 * MINUTE, held=third))
    with database.read() as tx:
        proved = _of(tx, key)
    assert (proved.installed_version, proved.installed_at) == (3, NOW + 2 * MINUTE)
    assert proved.fetched_version == 4


def test_a_pass_listed_and_not_fetched_is_tagged_and_pushed_again(database: Database, shop: Shop) -> None:
    with database.write() as tx:
        card = shop.issue(tx)
        register(tx, card)
    _record(database, Sighting(card.id, 1, NOW))
    assert _retag(database, 14) == 0
    assert _retag(database, 15) == 1
    with database.read() as tx:
        again = read(tx, card.id)
        assert pending(tx) == [("phone", "silent")]
    assert again.tag > card.tag
    assert (again.version, again.last_modified) == (card.version, card.last_modified)


def test_it_is_offered_again_only_after_the_phone_was_told_and_three_times_at_most(
    database: Database, shop: Shop
) -> None:
    with database.write() as tx:
        card = shop.issue(tx)
        register(tx, card)
    offered = 0
    for day in range(6):
        told = NOW + timedelta(days=day)
        _record(database, Sighting(card.id, 1, told))
        for hour in (1, 2):
            offered += _retag(database, day * 1440 + hour * 60)
        assert offered == min(day + 1, 3)
    with database.write() as tx:
        issuing.revise(tx, [Revision(card.id, saying(content(1)))], kind="receipt", now=NOW)
    _record(database, Sighting(card.id, 2, NOW + timedelta(days=7)))
    assert _retag(database, 8 * 1440) == 1


def test_what_was_fetched_installed_or_changed_since_is_left_alone(database: Database, shop: Shop) -> None:
    with database.write() as tx:
        fetched, installed, changed = (shop.issue(tx) for _ in range(3))
        issuing.revise(tx, [Revision(changed.id, saying(content(1)))], kind="silent", now=NOW)
    _record(database, *(Sighting(card.id, 1, NOW) for card in (fetched, installed, changed)))
    _record(database, Fetch(fetched.id, 1, NOW, NOW), Install(installed.id, 1, NOW))
    assert _retag(database, 60) == 0


def test_the_push_is_of_the_kind_of_what_nobody_saw(database: Database, shop: Shop) -> None:
    with database.write() as tx:
        news, old = shop.issue(tx), shop.issue(tx)
        said = content(1, message="+10")
        issuing.revise(
            tx, [Revision(news.id, saying(said)), Revision(old.id, saying(said))], kind="receipt", now=NOW
        )
        register(tx, news, "news")
        register(tx, old, "old")
    _record(database, Fetch(old.id, 1, NOW, NOW + SECOND))
    _record(database, Sighting(news.id, 2, NOW), Sighting(old.id, 2, NOW))
    assert _retag(database, 60) == 2
    with database.read() as tx:
        assert pending(tx) == [("news", "receipt"), ("old", "silent")]


def test_a_batch_is_limited(database: Database, shop: Shop) -> None:
    with database.write() as tx:
        cards = [shop.issue(tx) for _ in range(5)]
    _record(database, *(Sighting(card.id, 1, NOW) for card in cards))
    with database.write() as tx:
        assert evidence.retag_unfetched(tx, now=NOW + SOON, older_than=SOON, limit=3) == 3
    assert _retag(database, 15) == 2


def test_nothing_proved_costs_nothing(database: Database) -> None:
    with database.write() as tx:
        evidence.record(tx, [])
        assert evidence.retag_unfetched(tx, now=NOW, older_than=SOON) == 0
        assert evidence.of_passes(tx, [WalletPassId(1)]) == {}
