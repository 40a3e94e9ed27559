"""What is done to a card by hand: once per form, never below nothing, and told to the guest."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import select

from app.db import Database, Tx
from app.errors import BadInput, Conflict, NotFound
from app.loyalty import card_acts, enrolment, merging, store_enrolments, store_ledger, till
from app.loyalty.enrolment import Enrolment
from app.loyalty.guest_tables import card_act
from app.loyalty.tables import lot
from app.loyalty.till import ReceiptDraft
from app.passes import issuing
from tests.loyalty.town import EXPIRING, NOW, STAMPS, Town, build, guest, request

LATER = NOW + timedelta(hours=1)


def correct(tx: Tx, card: Enrolment, points: int, key: str = "form-0001", **more: object) -> object:
    given = {"reason": "Касса была без сети", "now": LATER, "actor": "user:7"} | more
    return card_acts.correct(tx, card.id, points=points, form_key=key, **given)  # type: ignore[arg-type]


def receipt(town: Town, card: Enrolment, number: str = "1") -> ReceiptDraft:
    return ReceiptDraft(card=card.card_code, number=number, amount=900_00, currency="RUB", at=NOW)


def test_a_correction_is_an_entry_with_a_lot_a_reason_and_a_message(database: Database) -> None:
    with database.write() as tx:
        card = guest(tx, build(tx, EXPIRING))  # 100 points of welcome
        correct(tx, card, 50_00)
        correct(tx, card, -120_00, "form-0002")
        after = enrolment.enrolment(tx, card.id)
        assert after.balance == 30_00
        entries = store_ledger.entries(tx, [card.id])
        assert [(entry.kind, entry.points) for entry in entries] == [
            ("accrual", 100_00),
            ("correction", 50_00),
            ("correction", -120_00),
        ]
        rows = tx.execute(select(lot.c.remaining, lot.c.expires_at).order_by(lot.c.id)).all()
        assert sum(row.remaining for row in rows) == 30_00
        assert rows[1].expires_at == LATER + timedelta(days=90)
        content = issuing.wallet_pass(tx, card.pass_id).content
        assert content.balance == 30_00
        assert content.messages[0].text.ru == "Баланс исправлен · −120 баллов · баланс 30"
        reasons = tx.execute(select(card_act.c.reason, card_act.c.actor)).all()
        assert [tuple(row) for row in reasons] == [("Касса была без сети", "user:7")] * 2


def test_the_same_form_corrects_once(database: Database) -> None:
    with database.write() as tx:
        card = guest(tx, build(tx, EXPIRING))
    for _ in range(2):
        with database.write() as tx:
            correct(tx, card, 50_00)
    with database.read() as tx:
        assert enrolment.enrolment(tx, card.id).balance == 150_00
    with database.write() as tx, pytest.raises(BadInput, match="something else"):
        card_acts.block(tx, card.id, reason="?", form_key="form-0001", now=LATER, actor="x")


def test_a_correction_never_takes_more_than_there_is_unless_it_says_all(database: Database) -> None:
    with database.write() as tx:
        card = guest(tx, build(tx, EXPIRING))
    with database.write() as tx, pytest.raises(Conflict) as refused:
        correct(tx, card, -500_00)
    assert refused.value.code == "not-enough"
    with database.write() as tx:
        made = correct(tx, card, -500_00, all_there_is=True)
        assert made == card_acts.Corrected(points=-100_00, stamps=0, repeated=False)
        assert enrolment.enrolment(tx, card.id).balance == 0
    with database.write() as tx, pytest.raises(Conflict):
        correct(tx, card, -1, "form-0002", all_there_is=True)


@pytest.mark.parametrize(
    ("points", "more", "code"),
    [
        (0, {}, "nothing-to-correct"),
        (10**12, {}, "too-much"),
        (1, {"stamps": 1}, "no-stamps"),
        (1, {"reason": " \n "}, "reason-missing"),
        (1, {"reason": "x" * 301}, "reason-too-long"),
    ],
)
def test_nonsense_is_refused(database: Database, points: int, more: dict[str, object], code: str) -> None:
    with database.write() as tx:
        card = guest(tx, build(tx, EXPIRING))
        with pytest.raises(BadInput) as refused:
            correct(tx, card, points, "form-0001", **more)
        assert refused.value.code == code
        assert enrolment.enrolment(tx, card.id).balance == 100_00


def test_stamps_are_corrected_as_stamps(database: Database) -> None:
    with database.write() as tx:
        card = guest(tx, build(tx, STAMPS))
        correct(tx, card, 0, stamps=2)
        assert enrolment.enrolment(tx, card.id).stamps == 2
        with pytest.raises(BadInput, match="not points"):
            correct(tx, card, 5, "form-0002")


def test_tills_refuse_a_blocked_card_but_for_refunds_and_the_card_says_so(database: Database) -> None:
    with database.write() as tx:
        town = build(tx, EXPIRING)
        card = guest(tx, town)
        place = {"brand_id": town.brand.id, "venue_id": town.venue.id, "now": NOW}
        till.record_receipt(tx, receipt(town, card), **place)  # type: ignore[arg-type]
        assert card_acts.block(tx, card.id, reason="Украли", form_key="form-0001", now=LATER, actor="x")
        assert not card_acts.block(tx, card.id, reason="Украли", form_key="form-0002", now=LATER, actor="x")
        content = issuing.wallet_pass(tx, card.pass_id).content
        assert content.blocked
        assert "заблокирована" in content.messages[0].text.ru
        for act in (
            lambda: till.record_receipt(tx, receipt(town, card, "2"), **place),  # type: ignore[arg-type]
            lambda: till.redeem(tx, till.Redemption(card=card.card_code, points=100), **place),  # type: ignore[arg-type]
            lambda: till.card(tx, card.card_code, brand_id=town.brand.id, now=NOW),
        ):
            with pytest.raises(Conflict) as refused:
                act()
            assert refused.value.code == "card-blocked"
        till.refund_receipt(tx, "1", **place)  # type: ignore[arg-type]
        assert card_acts.unblock(tx, card.id, form_key="form-0003", now=LATER, actor="x")
        till.record_receipt(tx, receipt(town, card, "3"), **place)  # type: ignore[arg-type]
        assert not issuing.wallet_pass(tx, card.pass_id).content.blocked


def test_a_card_issued_anew_is_another_pass_with_all_that_was_on_it(database: Database) -> None:
    with database.write() as tx:
        town = build(tx, EXPIRING)
        card = guest(tx, town)
        before = issuing.wallet_pass(tx, card.pass_id)
        made = card_acts.reissue(
            tx, card.id, reason="Ссылка ушла", form_key="form-0001", now=LATER, actor="x"
        )
        again = card_acts.reissue(
            tx, card.id, reason="Ссылка ушла", form_key="form-0001", now=LATER, actor="x"
        )
        assert again == made
        after, old = issuing.wallet_pass(tx, made.pass_id), issuing.wallet_pass(tx, card.pass_id)
        assert made.card_code != card.card_code
        assert made.card_link_version == card.card_link_version + 1
        assert after.serial_number != before.serial_number
        assert after.content.balance == 100_00
        assert after.content.card_code == made.card_code
        assert old.voided_at == LATER
        assert old.content.member_name is None
        assert enrolment.enrolment_of_pass(tx, card.pass_id).id == card.id
        with pytest.raises(NotFound):
            till.card(tx, card.card_code, brand_id=town.brand.id, now=NOW)
        assert till.card(tx, made.card_code, brand_id=town.brand.id, now=NOW).balance == 100_00


def test_nobody_is_rid_of_a_block_by_having_cards_merged(database: Database) -> None:
    with database.write() as tx:
        town = build(tx, EXPIRING)
        kept, bad = guest(tx, town), guest(tx, town)
        card_acts.block(tx, bad.id, reason="Обман", form_key="form-0001", now=LATER, actor="x")
        merged = merging.merge(tx, living=kept.id, ending=bad.id, now=LATER)
        assert merged.blocked_at == LATER
        assert issuing.wallet_pass(tx, kept.pass_id).content.blocked


def test_an_ended_card_is_left_alone(database: Database) -> None:
    with database.write() as tx:
        card = enrolment.enrol(tx, request(build(tx, EXPIRING), None), now=NOW)
        store_enrolments.end(tx, card.id, now=NOW)
        with pytest.raises(NotFound):
            correct(tx, card, 1)
