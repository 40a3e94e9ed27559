"""The launch checklist: nobody ticks an item, each is done when its fact is there."""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy import insert

from app.accounts import brands, keys
from app.db import Database, Tx
from app.db.identifiers import BrandId, EnrolmentId
from app.loyalty import enrolment, programmes, till
from app.passes.tables import device, registration
from app.places import links, venues
from app.reports import acceptance, launch
from tests.accounts.world import a_brand, a_venue_draft
from tests.loyalty.town import BONUS, NOW, Town, build, guest, publish_empty_design


def _done(tx: Tx, brand_id: BrandId, faults: tuple[str, ...] = ()) -> set[str]:
    return {i.step for i in launch.checklist(tx, brand_id, certificate_faults=faults).items if i.done}


def _a_phone_takes_the_card(tx: Tx, enrolment_id: EnrolmentId, pass_type: str) -> None:
    number = tx.execute(
        insert(device)
        .values(
            device_library_identifier="d", pass_type_identifier=pass_type, push_token="t",
            registered_at=NOW, held_at=NOW,
        )
        .returning(device.c.id)
    ).scalar_one()  # fmt: skip
    tx.execute(
        insert(registration).values(
            device_id=number, pass_id=enrolment.enrolment(tx, enrolment_id).pass_id,
            created_at=NOW, registered_at=NOW,
        )
    )  # fmt: skip


def _receipt(tx: Tx, town: Town, card: str, number: str, amount: int = 100_00) -> None:
    draft = till.ReceiptDraft(card=card, number=number, amount=amount, currency="RUB", at=NOW)
    till.record_receipt(tx, draft, brand_id=town.brand.id, venue_id=town.venue.id, now=NOW)


def test_each_item_is_done_by_its_fact_and_by_no_other_brands(database: Database) -> None:
    with database.write() as tx:
        build(tx, BONUS, slug="neighbour")  # has everything but guests
        brand = a_brand(tx)
        first = launch.checklist(tx, brand.id, certificate_faults=("expired",))
        assert [i.step for i in first.items] == [
            "certificate", "programme", "design", "venue", "poster", "card", "till", "receipt",
        ]  # fmt: skip
        assert first.done == 0
        assert first.next == launch.Item("certificate", False, ("expired",))
        done = {"certificate"}
        assert _done(tx, brand.id) == done

        draft = programmes.ProgrammeDraft(brand_id=brand.id, slug="club", name="Club", rules=BONUS)
        programme = programmes.create_programme(tx, draft, now=NOW, actor="t")
        assert _done(tx, brand.id) == (done := done | {"programme"})
        publish_empty_design(tx, programme.id)
        assert _done(tx, brand.id) == (done := done | {"design"})
        venue = venues.create_venue(tx, a_venue_draft(brand), now=NOW, actor="t")
        assert _done(tx, brand.id) == (done := done | {"venue"})
        link = links.create_link(tx, programme_id=programme.id, venue_id=venue.id, now=NOW, actor="t")
        assert _done(tx, brand.id) == done
        links.note_printed(tx, [link], now=NOW)
        assert _done(tx, brand.id) == (done := done | {"poster"})
        key, _ = keys.create_key(tx, brand_id=brand.id, venue_id=venue.id, name="till", now=NOW, actor="t")
        town = Town(brands.brand(tx, brand.id), venue, programme, link, key, "")
        anna = guest(tx, town)
        assert _done(tx, brand.id) == done  # a card that no phone holds
        _a_phone_takes_the_card(tx, anna.id, brand.pass_type_identifier)
        assert _done(tx, brand.id) == (done := done | {"card"})
        keys.note_use(tx, key, now=NOW)
        assert _done(tx, brand.id) == (done := done | {"till"})
        _receipt(tx, town, anna.card_code, "1")
        complete = launch.checklist(tx, brand.id, certificate_faults=())
        assert complete.is_complete
        assert complete.next is None
        links.retire_link(tx, link.id, now=NOW, actor="t")
        assert "poster" not in _done(tx, brand.id)


def test_a_till_is_accepted_when_all_that_it_must_do_was_seen_at_its_venue(database: Database) -> None:
    with database.write() as tx:
        town, other = build(tx, BONUS), build(tx, BONUS, slug="other")
        anna, boris = guest(tx, town), guest(tx, other)
        nothing = acceptance.acceptance(tx, town.venue.id)
        assert (nothing.key_used_at, nothing.receipts, nothing.is_complete) == (None, (), False)
        _receipt(tx, other, boris.card_code, "77")
        keys.note_use(tx, town.key, now=NOW)
        _receipt(tx, town, anna.card_code, "1")
        _receipt(tx, town, anna.card_code, "2", 200_00)
        seen = acceptance.acceptance(tx, town.venue.id)
        assert [(r.number, r.amount, r.points, r.card_code) for r in seen.receipts] == [
            ("2", 200_00, 10_00, anna.card_code),
            ("1", 100_00, 5_00, anna.card_code),
        ]
        assert (seen.key_used_at, seen.earned, seen.redeemed, seen.refunded) == (NOW, True, False, False)
        later = NOW + timedelta(minutes=1)
        till.redeem(
            tx, till.Redemption(card=anna.card_code, points=3_00), brand_id=town.brand.id,
            venue_id=town.venue.id, now=later,
        )  # fmt: skip
        till.refund_receipt(tx, "1", brand_id=town.brand.id, venue_id=town.venue.id, now=later)
        assert acceptance.acceptance(tx, town.venue.id).is_complete
        assert not acceptance.acceptance(tx, other.venue.id).is_complete
