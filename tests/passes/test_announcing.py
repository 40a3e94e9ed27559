"""A card announces one message at a time: what nobody saw is not lost, and only what was said is proved."""

from __future__ import annotations

import random
import re
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import pytest
from sqlalchemy import select

from app.db import Database, Tx
from app.db.identifiers import WalletPassId
from app.errors import BadInput
from app.loyalty import content as cards
from app.loyalty.wording import News
from app.passes import announcing, evidence, issuing
from app.passes.announcement_tables import announcement
from app.passes.announcing import Announcement
from app.passes.content import LocalizedText
from app.passes.evidence import Fetch, Install
from app.passes.issuing import Revision
from tests.passes.shop import NOW, Shop, open_shop, pending, read, register, saying

HOUR = timedelta(hours=1)
NAME = "campaign:1"


@pytest.fixture
def shop(database: Database) -> Shop:
    return open_shop(database)


def _card(database: Database, shop: Shop, *, phone: bool = True) -> WalletPassId:
    with database.write() as tx:
        made = shop.issue(tx)
        if phone:
            register(tx, made, f"phone of {made.id}", now=NOW)
    return made.id


def _offer(tx: Tx, pass_id: WalletPassId, name: str = NAME, *, hours: float = 6, at: datetime = NOW) -> None:
    text = LocalizedText(f"Акция {name}", f"Offer {name}")
    announcing.announce(tx, [Announcement(pass_id, name, text, at + hours * HOUR)], now=at)


def _receipt(
    tx: Tx, pass_id: WalletPassId, points: int, balance: int, *, at: datetime = NOW, number: int = 1
) -> None:
    said = cards.speech(News(points=points, balance=balance), f"receipt:{number}", at)
    change = Revision(
        pass_id, lambda content: cards.changed(content, balance=balance, tier=None, stamps=0), said
    )
    issuing.revise(tx, [change], kind="receipt", now=at)


def _fetch(tx: Tx, pass_id: WalletPassId, *, at: datetime = NOW) -> str:
    """The phone comes for what there is; returns what it then says."""
    now = read(tx, pass_id)
    evidence.record(tx, [Fetch(pass_id, now.version, now.last_modified, at)])
    return now.content.messages[0].text.en if now.content.messages else ""


def _says(tx: Tx, pass_id: WalletPassId) -> list[str]:
    return [message.text.en for message in read(tx, pass_id).content.messages]


def _known(tx: Tx, pass_id: WalletPassId, name: str = NAME) -> announcing.Known:
    return announcing.known(tx, name, [pass_id])[pass_id]


def test_an_offer_is_said_at_once_and_proved_by_the_fetch_of_a_version_that_says_it(
    database: Database, shop: Shop
) -> None:
    key = _card(database, shop)
    with database.write() as tx:
        _offer(tx, key)
        assert _says(tx, key) == ["Offer campaign:1"]
        assert pending(tx) == [(f"phone of {key}", "campaign")]
        said = _known(tx, key)
        assert (said.version, said.said_at, said.ending) == (2, NOW, None)
    with database.write() as tx:  # an old body, that left before
        evidence.record(tx, [Fetch(key, 1, NOW, NOW + HOUR)])
        assert _known(tx, key).ending is None
    with database.write() as tx:
        _fetch(tx, key, at=NOW + 2 * HOUR)
        known = _known(tx, key)
        assert (known.ending, known.ended_at) == ("fetched", NOW + 2 * HOUR)


def test_a_304_proves_it_as_well(database: Database, shop: Shop) -> None:
    key = _card(database, shop)
    with database.write() as tx:
        _offer(tx, key)
        evidence.record(tx, [Install(key, 2, NOW + HOUR)])
        assert _known(tx, key).ending == "fetched"


def test_a_later_version_that_still_says_it_proves_it(database: Database, shop: Shop) -> None:
    key = _card(database, shop)
    with database.write() as tx:
        _offer(tx, key)
        quiet = Revision(key, lambda content: cards.changed(content, balance=7, tier=None, stamps=0))
        issuing.revise(tx, [quiet], kind="silent", now=NOW)
        assert _fetch(tx, key) == "Offer campaign:1"
        assert (_known(tx, key).version, _known(tx, key).ending) == (2, "fetched")


def test_an_offer_waits_behind_a_receipt_that_nobody_has_seen(database: Database, shop: Shop) -> None:
    key = _card(database, shop)
    with database.write() as tx:
        _receipt(tx, key, 50_00, 50_00)
        _offer(tx, key)
        assert _says(tx, key) == ["+50 points · balance 50"]
        assert _known(tx, key).version is None
        assert announcing.advance(tx, now=NOW + HOUR) == 0
    with database.write() as tx:
        _fetch(tx, key, at=NOW + HOUR)
        assert _known(tx, key).ending is None  # that version did not say it
        assert announcing.advance(tx, now=NOW + HOUR) == 1
        assert _says(tx, key) == ["Offer campaign:1", "+50 points · balance 50"]
        assert announcing.advance(tx, now=NOW + HOUR) == 0
        _fetch(tx, key, at=NOW + 2 * HOUR)
        assert _known(tx, key).ending == "fetched"


def test_a_receipt_takes_the_place_of_an_offer_that_comes_back_later(database: Database, shop: Shop) -> None:
    key = _card(database, shop)
    with database.write() as tx:
        _offer(tx, key)
        _receipt(tx, key, 50_00, 50_00)
        assert _says(tx, key) == ["+50 points · balance 50"]
        assert _known(tx, key).version is None
    with database.write() as tx:  # its turn is looked at, and is not there: it waits for the receipt now
        assert announcing.advance(tx, now=NOW) == 1
        assert announcing.advance(tx, now=NOW) == 0
        _fetch(tx, key)
        assert announcing.advance(tx, now=NOW) == 1
        assert _says(tx, key)[0] == "Offer campaign:1"


def test_an_offer_that_was_seen_gives_way_and_stays_on_the_back(database: Database, shop: Shop) -> None:
    key = _card(database, shop)
    with database.write() as tx:
        _offer(tx, key)
        _fetch(tx, key)
        _receipt(tx, key, 50_00, 50_00)
        assert _says(tx, key) == ["+50 points · balance 50", "Offer campaign:1"]
        assert _known(tx, key).ending == "fetched"


def test_receipts_that_nobody_saw_add_up_in_one_line(database: Database, shop: Shop) -> None:
    key = _card(database, shop)
    with database.write() as tx:
        _receipt(tx, key, 50_00, 50_00, number=1)
        _receipt(tx, key, 30_00, 80_00, number=2)
        assert _says(tx, key) == ["+80 points · balance 80"]
        _fetch(tx, key)
        _receipt(tx, key, 1_00, 81_00, number=3)
        assert _says(tx, key) == ["+1 point · balance 81", "+80 points · balance 80"]


def test_what_does_not_add_up_is_said_with_what_came_before(database: Database, shop: Shop) -> None:
    key = _card(database, shop)
    with database.write() as tx:
        _receipt(tx, key, 50_00, 50_00, number=1)
        _receipt(tx, key, -20_00, 30_00, number=2)
        assert _says(tx, key) == ["−20 points · balance 30 · +50 points · balance 50"]
        stop = cards.plain_speech(LocalizedText("Стоп", "Stop"), "block:1", NOW)
        issuing.revise(tx, [Revision(key, lambda content: content, stop)], kind="receipt", now=NOW)
        assert _says(tx, key) == ["Stop · −20 points · balance 30"]


def test_where_no_phone_is_nobody_is_waited_for(database: Database, shop: Shop) -> None:
    key = _card(database, shop, phone=False)
    with database.write() as tx:
        _receipt(tx, key, 50_00, 50_00, number=1)
        _receipt(tx, key, 30_00, 80_00, number=2)
        assert _says(tx, key) == ["+30 points · balance 80", "+50 points · balance 50"]
        _offer(tx, key)
        assert _known(tx, key).version is not None


def test_a_message_that_nobody_comes_for_gives_up_its_place_after_a_day(
    database: Database, shop: Shop
) -> None:
    key = _card(database, shop)
    later = NOW + timedelta(hours=25)
    with database.write() as tx:
        _receipt(tx, key, 50_00, 50_00)
        _offer(tx, key, hours=48)
        assert announcing.advance(tx, now=NOW + 23 * HOUR) == 0
        assert announcing.advance(tx, now=later) == 1
        assert _says(tx, key)[0] == "Offer campaign:1"
        assert _known(tx, key).said_at == later


def test_two_offers_are_said_one_after_the_other(database: Database, shop: Shop) -> None:
    key = _card(database, shop)
    with database.write() as tx:
        _offer(tx, key, "campaign:1")
        _offer(tx, key, "campaign:2")
        both = Announcement(key, "campaign:3", LocalizedText("Ещё", "More"), NOW + HOUR)
        announcing.announce(tx, [both], now=NOW)
        assert _says(tx, key) == ["Offer campaign:1"]
    for expected in ("Offer campaign:1", "Offer campaign:2", "More"):
        with database.write() as tx:
            assert _fetch(tx, key) == expected
            announcing.advance(tx, now=NOW)
    with database.read() as tx:
        assert [_known(tx, key, f"campaign:{n}").ending for n in (1, 2, 3)] == ["fetched"] * 3


def test_what_nobody_saw_in_its_time_has_expired_said_or_not(database: Database, shop: Shop) -> None:
    said, waiting, late = (_card(database, shop) for _ in range(3))
    over = NOW + 7 * HOUR
    with database.write() as tx:
        _receipt(tx, waiting, 50_00, 50_00)
        for key in (said, waiting, late):
            _offer(tx, key)
        assert announcing.expire(tx, now=NOW + 5 * HOUR) == 0
        assert announcing.expire(tx, now=over) == 1
        assert announcing.expire(tx, now=over) == 0
        assert announcing.advance(tx, now=over) == 0
        _fetch(tx, late, at=over)  # the card says it still
        assert [_known(tx, key).ending for key in (said, waiting, late)] == [None, "expired", "fetched"]
        assert _says(tx, waiting) == ["+50 points · balance 50"]
        for_good = over + announcing.HEARD_FOR
        assert announcing.expire(tx, now=for_good) == 1
        _fetch(tx, said, at=for_good)  # too late to count
        assert _known(tx, said).ending == "expired"


def test_what_took_the_place_of_an_overdue_offer_proves_nothing_of_it(database: Database, shop: Shop) -> None:
    key = _card(database, shop)
    over = NOW + 7 * HOUR
    with database.write() as tx:
        _offer(tx, key)
        _receipt(tx, key, 50_00, 50_00, at=over)
        _fetch(tx, key, at=over)
        assert _known(tx, key).ending == "expired"
        assert _says(tx, key) == ["+50 points · balance 50", "Offer campaign:1"]


def test_the_same_words_are_written_so_that_a_phone_finds_them_changed(
    database: Database, shop: Shop
) -> None:
    key = _card(database, shop)
    with database.write() as tx:
        for number in (1, 2, 3):
            text = LocalizedText("Скидка", "Discount")
            each = Announcement(key, f"campaign:{number}", text, NOW + HOUR)
            announcing.announce(tx, [each], now=NOW)
            _fetch(tx, key)
        says = _says(tx, key)
    assert len(set(says)) == 3
    assert {re.sub("\N{WORD JOINER}", "", text) for text in says} == {"Discount"}


def test_work_may_be_repeated_and_what_is_void_is_left_alone(database: Database, shop: Shop) -> None:
    key, void = _card(database, shop), _card(database, shop)
    with database.write() as tx:
        issuing.tombstone(tx, void, now=NOW)
        for _ in range(2):
            _offer(tx, key)
            _offer(tx, void)
        assert read(tx, key).version == 2
        assert announcing.known(tx, NAME, [void]) == {}
        with pytest.raises(BadInput, match="at most 200"):
            announcing.announce(
                tx,
                [Announcement(key, f"campaign:{n}", LocalizedText("а", "a"), NOW + HOUR) for n in range(201)],
                now=NOW,
            )


def test_what_waits_can_be_cancelled_and_what_was_said_stays(database: Database, shop: Shop) -> None:
    said, waiting = _card(database, shop), _card(database, shop)
    with database.write() as tx:
        _receipt(tx, waiting, 50_00, 50_00)
        for key in (said, waiting):
            _offer(tx, key)
        announcing.cancel(tx, NAME, [said, waiting], now=NOW)
        assert (_known(tx, said).ending, _known(tx, waiting).ending) == (None, "cancelled")
        _fetch(tx, waiting)
        assert announcing.advance(tx, now=NOW) == 0


def test_a_guest_who_is_forgotten_leaves_no_word_of_what_was_to_be_said(
    database: Database, shop: Shop
) -> None:
    unseen, seen = _card(database, shop), _card(database, shop)
    with database.write() as tx:
        for key in (unseen, seen):
            _offer(tx, key)
        _fetch(tx, seen)
        issuing.tombstone(tx, unseen, seen, now=NOW)
        left = tx.execute(select(announcement.c.pass_id, announcement.c.text)).all()
        assert [tuple(row) for row in left] == [(seen, {"ru": "", "en": ""})]
        assert _known(tx, seen).ending == "fetched"  # whoever counts on it still finds it


@dataclass
class _Phone:
    """What its guest was shown: iOS tells the newest message where it is another than the installed one."""

    installed: str = ""
    shown: list[str] = field(default_factory=list)

    def take(self, says: str) -> None:
        if says and says != self.installed:
            self.shown.append(says)
        self.installed = says


@pytest.mark.parametrize("seed", range(6))
def test_whatever_the_order_all_points_are_told_and_only_what_was_shown_is_proved(
    database: Database, shop: Shop, seed: int
) -> None:
    """Receipts, offers, fetches and turns in random order; then the phone comes until nothing is new."""
    chance, phone, key = random.Random(seed), _Phone(), _card(database, shop)
    now, earned, offers = NOW, 0, 0
    for step in range(60):
        now += timedelta(minutes=chance.randrange(1, 15))
        with database.write() as tx:
            match chance.choice(("receipt", "offer", "fetch", "turns")):
                case "receipt":
                    points = chance.randrange(1, 99) * 100
                    earned += points
                    _receipt(tx, key, points, earned, at=now, number=step)
                case "offer":
                    offers += 1
                    _offer(tx, key, f"campaign:{offers}", hours=chance.choice((0.2, 2, 60)), at=now)
                case "fetch":
                    phone.take(_fetch(tx, key, at=now))
                case "turns":
                    announcing.advance(tx, now=now)
                    announcing.expire(tx, now=now)
    for _ in range(offers + 2):
        now += timedelta(minutes=1)
        with database.write() as tx:
            phone.take(_fetch(tx, key, at=now))
            announcing.expire(tx, now=now)
            announcing.advance(tx, now=now)
    told = [int(points) for text in phone.shown for points in re.findall(r"\+(\d+) point", text)]
    assert sum(told) * 100 == earned
    shown = {int(number) for text in phone.shown for number in re.findall(r"campaign:(\d+)", text)}
    with database.read() as tx:
        endings = {n: _known(tx, key, f"campaign:{n}").ending for n in range(1, offers + 1)}
    assert set(endings.values()) <= {"fetched", "expired"}
    assert {number for number, ending in endings.items() if ending == "fetched"} <= shown


def test_saying_is_unchanged_for_who_says_nothing_new(database: Database, shop: Shop) -> None:
    key = _card(database, shop)
    with database.write() as tx:
        before = read(tx, key)
        silent = cards.speech(News(), "receipt:1", NOW)
        issuing.revise(tx, [Revision(key, saying(before.content), silent)], kind="receipt", now=NOW)
        assert read(tx, key) == before
