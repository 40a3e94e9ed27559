"""Receipts over SMPP as real centres write them, and texts of guests."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any

import pytest
from aiosmpplib import SmppCommandStatus

from app.simulators import smpp_wire
from app.simulators.smpp_receipts import said_by
from app.sms import reasons_smpp, smpp_pdus
from app.sms.gateway import Inbound, Receipt, ReceiptState, Verdict
from app.sms.smpp_inbound import Inbox
from app.sms.smpp_receipts import Identifiers, kind_of, read
from tests.sms.smpp_stage import NUMBER, Stage, gateway_at, outgoing, play

LONG = "Скидка двадцать процентов на кофе с собой до конца недели. " * 3


async def one_receipt(stage: Stage) -> Receipt:
    answer = await stage.gateway.send(outgoing(5))
    assert answer.verdict is Verdict.ACCEPTED
    await stage.until(lambda: bool(stage.receipts))
    assert stage.receipts[0].provider_id == answer.provider_id
    assert stage.receipts[0].reference == 5
    return stage.receipts[0]


@pytest.mark.parametrize(
    "habits",
    [
        {"receipts": "text"},
        {"receipts": "options"},
        {"receipts": "both", "receipt_dates": "seconds"},
        {"receipts": "text", "receipt_dates": "seconds", "receipt_code": "21b"},
        {"ids": "words", "receipts": "text"},
        {"ids": "hex", "receipts": "both"},
        {"receipts": "options", "receipt_state": "UNDELIV"},  # with an octet above 127 in its network error
    ],
    ids=str,
)
def test_a_receipt_is_understood_however_the_centre_writes_it(habits: dict[str, Any]) -> None:
    receipt = play(one_receipt, **habits)
    undelivered = habits.get("receipt_state") == "UNDELIV"
    assert receipt.state is (ReceiptState.UNDELIVERED if undelivered else ReceiptState.DELIVERED)


@pytest.mark.parametrize("receipts", ["text", "both", "options"])
@pytest.mark.parametrize(
    ("ids", "receipt_ids", "setting"),
    [("hex", "decimal", "hex-decimal"), ("decimal", "hex", "decimal-hex"), ("hex", "hex", "same")],
)
def test_identifiers_in_another_base_name_the_same_text(
    receipts: str, ids: str, receipt_ids: str, setting: str
) -> None:
    async def scenario(stage: Stage) -> None:
        receipt = await one_receipt(stage)
        if setting == "hex-decimal":
            assert receipt.provider_id == str(stage.centre.log.parts[0].value)

    play(scenario, query=f"?ids={setting}", ids=ids, receipt_ids=receipt_ids, receipts=receipts)


def test_a_wrong_setting_of_the_base_marks_no_other_text() -> None:
    async def scenario(stage: Stage) -> None:
        answer = await stage.gateway.send(outgoing(5))
        await stage.until(lambda: bool(stage.receipts))
        receipt = stage.receipts[0]
        assert (receipt.provider_id, receipt.reference) == (str(stage.centre.log.parts[0].value), None)
        assert receipt.provider_id != answer.provider_id

    play(scenario, ids="hex", receipt_ids="decimal", receipts="text")


@pytest.mark.parametrize(
    ("state", "meaning"),
    [
        ("DELIVRD", ReceiptState.DELIVERED),
        ("UNDELIV", ReceiptState.UNDELIVERED),
        ("EXPIRED", ReceiptState.UNDELIVERED),
        ("REJECTD", ReceiptState.UNDELIVERED),
        ("UNKNOWN", ReceiptState.UNDELIVERED),
        ("ACCEPTD", ReceiptState.WAITING),
    ],
)
@pytest.mark.parametrize("receipts", ["text", "options"])
def test_a_state_is_one_meaning(state: str, meaning: ReceiptState, receipts: str) -> None:
    receipt = play(one_receipt, receipt_state=state, receipts=receipts, receipt_code="011")
    assert receipt.state is meaning
    assert receipt.reason.split()[0] == state
    if receipts == "text":
        assert receipt.reason == f"{state} 011"


def test_a_receipt_before_the_answer_waits_for_it_and_names_the_text() -> None:
    async def scenario(stage: Stage) -> None:
        answers = await asyncio.gather(*(stage.gateway.send(outgoing(n)) for n in range(1, 21)))
        assert {answer.verdict for answer in answers} == {Verdict.ACCEPTED}
        await stage.until(lambda: len(stage.receipts) == 20)
        named = {answer.provider_id: n for n, answer in enumerate(answers, 1)}
        assert {each.provider_id: each.reference for each in stage.receipts} == named

    play(scenario, receipts_first=True)


def test_a_receipt_of_another_process_is_not_held_up_by_what_is_asked_afterwards() -> None:
    async def scenario(stage: Stage) -> None:
        other = stage.centre
        await other_process(stage)
        await stage.until(lambda: len(stage.receipts) == 1, seconds=2)
        assert stage.receipts[0].provider_id == other.log.parts[0].message_id
        assert stage.receipts[0].reference is None

    async def other_process(stage: Stage) -> None:
        gateway = gateway_at(stage.centre.url)
        await gateway.send(outgoing(77))
        await gateway.close()

    play(scenario)


def test_receipts_twice_and_out_of_order_say_the_same() -> None:
    async def scenario(stage: Stage) -> None:
        await stage.gateway.send(outgoing(5))
        await stage.until(lambda: len(stage.receipts) == 4)
        states = [each.state for each in stage.receipts]
        assert states == [ReceiptState.DELIVERED] * 3 + [ReceiptState.WAITING]
        assert {each.reference for each in stage.receipts} == {5}

    play(scenario, receipt_copies=3, enroute="after")


@pytest.mark.parametrize("reverse", [False, True])
def test_a_text_of_several_parts_is_delivered_when_all_of_them_are(reverse: bool) -> None:
    async def scenario(stage: Stage) -> None:
        answer = await stage.gateway.send(outgoing(5, LONG))
        await stage.until(lambda: stage.centre.log.deliveries[0] == 3)
        assert [(each.state, each.provider_id, each.reference) for each in stage.receipts] == [
            (ReceiptState.DELIVERED, answer.provider_id, 5)
        ]
        assert answer.provider_id == stage.centre.log.parts[-1].message_id

    play(scenario, receipts_reversed=reverse)


def test_a_text_of_several_parts_is_undelivered_when_one_of_them_is() -> None:
    async def scenario(stage: Stage) -> None:
        sending = asyncio.create_task(stage.gateway.send(outgoing(5, LONG)))
        await stage.until(lambda: len(stage.centre.log.parts) == 1)
        stage.centre.faults.receipt_state = "UNDELIV"
        await stage.until(lambda: stage.centre.log.deliveries[0] == 1)
        stage.centre.faults.receipt_state = "DELIVRD"
        await sending
        await stage.until(lambda: stage.centre.log.deliveries[0] == 3)
        assert [(each.state, each.reference) for each in stage.receipts] == [(ReceiptState.UNDELIVERED, 5)]

    play(scenario, answer_delay_ms=60)


def test_what_the_listener_could_not_take_comes_again() -> None:
    async def scenario(stage: Stage) -> None:
        told: list[Receipt | Inbound] = []

        def tell(heard: Sequence[Receipt | Inbound]) -> None:
            told.extend(heard)
            if len(told) < 3:
                raise RuntimeError("the database is away")

        ears = asyncio.create_task(stage.gateway.listen(tell))
        await stage.bound()
        await stage.gateway.send(outgoing(5))
        await stage.until(lambda: len(told) == 3)
        await stage.until(lambda: stage.centre.undelivered == 0)
        assert dict(stage.centre.log.deliveries) == {0x64: 2, 0: 1}
        ears.cancel()
        await asyncio.gather(ears, return_exceptions=True)

    play(scenario, listening=False)


def test_a_receipt_may_come_over_a_later_bind_of_another_process() -> None:
    async def first(stage: Stage) -> None:
        await stage.gateway.send(outgoing(5))
        await stage.gateway.close()
        await stage.until(lambda: stage.centre.undelivered == 1)
        later = gateway_at(stage.centre.url)
        ears = asyncio.create_task(later.listen(stage.tell))
        await stage.until(lambda: bool(stage.receipts))
        assert stage.receipts[0].provider_id == stage.centre.log.parts[0].message_id
        await later.close()
        await asyncio.wait_for(ears, 5)

    play(first, listening=False)


def test_a_guests_text_is_heard_with_his_number() -> None:
    async def scenario(stage: Stage) -> None:
        stage.centre.incoming(NUMBER, "СТОП")
        stage.centre.incoming(NUMBER, LONG)
        await stage.until(lambda: len(stage.inbound) == 2)
        assert stage.inbound == [Inbound(number=NUMBER, text="СТОП"), Inbound(number=NUMBER, text=LONG)]

    play(scenario)


def test_a_guest_cannot_write_a_receipt() -> None:
    async def scenario(stage: Stage) -> None:
        answer = await stage.gateway.send(outgoing(5))
        stage.centre.incoming(NUMBER, f"id:{answer.provider_id} stat:DELIVRD err:000")
        await stage.until(lambda: bool(stage.inbound))
        assert stage.receipts == []

    play(scenario, receipts="none")


def _deliver(**changes: Any) -> smpp_pdus.Delivered:
    given: dict[str, Any] = {
        "source": NUMBER,
        "destination": "2020",
        "esm_class": 0,
        "coding": 0,
        "octets": b"",
        "options": b"",
    }
    return smpp_pdus.delivered(smpp_wire.delivery(**(given | changes)))


@pytest.mark.parametrize(
    ("coding", "octets", "text"),
    [
        (0, b"STOP \x1b\x65", "STOP €"),
        (1, b"STOP", "STOP"),
        (3, "à bientôt".encode("latin-1"), "à bientôt"),
        (6, "СТОП".encode("iso8859_5"), "СТОП"),
        (8, "СТОП".encode("utf-16-be"), "СТОП"),
        (0x18, "СТОП".encode("utf-16-be"), "СТОП"),  # a flash
        (0xF1, b"STOP", "STOP"),
    ],
)
def test_letters_of_every_common_coding_are_read(coding: int, octets: bytes, text: str) -> None:
    heard = Inbox().take(_deliver(coding=coding, octets=octets))
    assert heard == Inbound(number=NUMBER, text=text)


def test_parts_in_any_order_make_one_text_and_a_lost_part_makes_none() -> None:
    inbox = Inbox()
    parts = [smpp_pdus.delivered(body) for body in said_by(NUMBER, "2020", LONG, 9)]
    heard = [inbox.take(part) for part in (parts[2], parts[0], parts[1])]
    assert heard == [None, None, Inbound(number=NUMBER, text=LONG)]
    assert inbox.take(parts[0]) is None


def test_parts_by_optional_parameters_make_one_text() -> None:
    def part(number: int, octets: bytes) -> smpp_pdus.Delivered:
        options = b"".join(
            smpp_wire.option(tag, value)
            for tag, value in ((0x020C, b"\0\x07"), (0x020E, b"\x02"), (0x020F, bytes((number,))))
        )
        return _deliver(octets=octets, options=options)

    inbox = Inbox()
    assert inbox.take(part(2, b"world")) is None
    assert inbox.take(part(1, b"hello ")) == Inbound(number=NUMBER, text="hello world")


@pytest.mark.parametrize("cut", [0, 3, 12, 30, 50])
def test_a_deliver_sm_that_breaks_off_is_refused_for_good(cut: int) -> None:
    async def scenario(stage: Stage) -> None:
        (connection,) = stage.centre.connections
        body = smpp_wire.delivery(
            source=NUMBER, destination="2020", esm_class=0, coding=8, octets="СТОП".encode("utf-16-be") * 5
        )
        assert await connection.ask(smpp_wire.DELIVER_SM, body[:cut]) == 0x65  # ESME_RX_P_APPN
        assert await connection.ask(smpp_wire.ENQUIRE_LINK) == 0
        assert stage.told == []

    play(scenario)


def test_other_kinds_of_message_are_neither_receipts_nor_texts() -> None:
    assert kind_of(_deliver(esm_class=0x08)) == "other"  # acknowledged by a handset
    assert kind_of(_deliver(esm_class=0x04)) == "receipt"
    assert kind_of(_deliver(esm_class=0x20)) == "receipt"
    assert kind_of(_deliver(options=smpp_wire.option(0x001E, b"17\0"))) == "receipt"
    assert kind_of(_deliver(octets=b"id:17 stat:DELIVRD")) == "text"


@pytest.mark.parametrize("octets", [b"", b"id:17", b"stat:DELIVRD", b"id:17 stat:PERHAPS", b"\xff\xfe"])
def test_a_receipt_that_says_nothing_is_no_receipt(octets: bytes) -> None:
    assert read(_deliver(esm_class=0x04, octets=octets), Identifiers("same")) is None


def test_every_status_of_the_specification_has_a_name_and_a_verdict() -> None:
    theirs = {status.value: status.name for status in SmppCommandStatus}
    ours = {status: name for status, (name, _) in reasons_smpp.SUBMITTING.items()}
    assert ours == theirs
    accepted = [status for status, (_, verdict) in reasons_smpp.SUBMITTING.items() if verdict == "accepted"]
    assert accepted == [0]
