"""SMSC.ru's adapter against the gateway's simulator, over real sockets."""

from __future__ import annotations

import asyncio
import dataclasses
import hashlib
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from typing import TypeVar

import pytest

from app.errors import BadInput
from app.simulators.sms_gateways import RunningSms, SmsSettings
from app.sms.gateway import (
    Callback,
    Inbound,
    NotOurs,
    OutcomeUnknown,
    Outgoing,
    Price,
    Receipt,
    ReceiptState,
    Unreachable,
    Verdict,
)
from app.sms.smsc import SmscGateway
from tests.servers import free_port
from tests.sms.accounts import ANNA, KEY_OF_RECEIPTS, smsc, text
from tests.sms.ears import Ear

_T = TypeVar("_T")
SECRET = SmsSettings().smsc_secret


def with_gateway(gateway: SmscGateway, deed: Callable[[SmscGateway], Awaitable[_T]]) -> _T:
    async def inside() -> _T:
        try:
            return await deed(gateway)
        finally:
            await gateway.close()

    return asyncio.run(inside())


def test_a_text_is_taken_with_our_identifier_its_parts_and_its_price(sms: RunningSms) -> None:
    long = "Добрый день! " * 8
    answer = with_gateway(smsc(sms), lambda gateway: gateway.send(text(words=long)))
    assert (answer.verdict, answer.provider_id, answer.status) == (Verdict.ACCEPTED, "1001", 200)
    assert (answer.parts, answer.price) == (2, Price(amount=900, currency="RUB"))
    (sent,) = sms.ask(lambda simulator: list(simulator.ledger.texts))
    assert (sent.to, sent.body, sent.sender, sent.identifier) == (ANNA, long, "KOFE", "1001")
    assert sms.ask(lambda simulator: simulator.ledger.accounts["smsc"].spent) == 900


def test_a_text_of_its_own_sender_and_validity(sms: RunningSms) -> None:
    for validity in (timedelta(0), timedelta(minutes=5), timedelta(days=3)):
        outgoing = dataclasses.replace(
            text(int(validity.total_seconds()) + 1), sender="PECHKA", validity=validity
        )
        answer = with_gateway(smsc(sms), lambda gateway, outgoing=outgoing: gateway.send(outgoing))  # type: ignore[misc]
        assert answer.verdict is Verdict.ACCEPTED, answer
    assert {each.sender for each in sms.ask(lambda simulator: simulator.ledger.texts)} == {"PECHKA"}


@pytest.mark.parametrize(
    ("code", "verdict"),
    [
        (1, Verdict.REFUSED),
        (2, Verdict.STOPPED),
        (3, Verdict.STOPPED),
        (4, Verdict.STOPPED),
        (5, Verdict.REFUSED),
        (6, Verdict.REFUSED),
        (7, Verdict.REFUSED),
        (8, Verdict.REFUSED),
        (77, Verdict.STOPPED),
    ],
)
def test_every_error_has_one_verdict(sms: RunningSms, code: int, verdict: Verdict) -> None:
    sms.turn(refused={ANNA: code})
    answer = with_gateway(smsc(sms), lambda gateway: gateway.send(text()))
    assert (answer.verdict, answer.reason.split()[0]) == (verdict, str(code))
    assert not sms.ask(lambda simulator: simulator.ledger.texts)


def test_an_equal_text_within_a_minute_is_in_doubt_and_charged_once(sms: RunningSms) -> None:
    async def twice(gateway: SmscGateway) -> None:
        await gateway.send(text())
        with pytest.raises(OutcomeUnknown, match="9 duplicate"):
            await gateway.send(text())

    with_gateway(smsc(sms), twice)
    assert len(sms.ask(lambda simulator: simulator.ledger.texts)) == 1


def test_too_many_at_once_were_not_taken_and_are_told_to_wait(sms: RunningSms) -> None:
    sms.turn(per_second=0)
    answer = with_gateway(smsc(sms), lambda gateway: gateway.send(text()))
    assert (answer.verdict, answer.retry_after) == (Verdict.RETRY, timedelta(seconds=1))
    assert not sms.ask(lambda simulator: simulator.ledger.texts)


def test_a_gateway_that_allows_four_at_a_time_never_sees_five(sms: RunningSms) -> None:
    sms.turn(at_once=4, answer_delay_ms=20)

    async def crowd(gateway: SmscGateway) -> set[Verdict]:
        answers = await asyncio.gather(*(gateway.send(text(number)) for number in range(1, 41)))
        return {answer.verdict for answer in answers}

    assert with_gateway(smsc(sms), crowd) == {Verdict.ACCEPTED}


@pytest.mark.parametrize("knob", ["lose_answers", "break_answers", "garble_answers"])
def test_a_text_whose_answer_is_lost_is_in_doubt_and_found_by_our_identifier(
    sms: RunningSms, knob: str
) -> None:
    sms.turn(**{knob: True if knob == "garble_answers" else 1.0})

    async def send_and_ask(gateway: SmscGateway) -> Receipt | None:
        with pytest.raises(OutcomeUnknown):
            await gateway.send(text())
        return await gateway.status(reference=1001, number=ANNA, provider_id=None)

    found = with_gateway(smsc(sms), send_and_ask)
    assert found is not None
    assert (found.state, found.provider_id, found.reference) == (ReceiptState.DELIVERED, "1001", 1001)
    assert found.price == Price(amount=450, currency="RUB")
    assert found.at is not None
    assert abs(found.at - datetime.now(UTC)) < timedelta(minutes=1)


def test_a_request_that_was_lost_is_in_doubt_and_the_gateway_has_never_heard_of_it(sms: RunningSms) -> None:
    async def send_and_ask(gateway: SmscGateway) -> Receipt | None:
        sms.turn(lose_requests=1.0)
        with pytest.raises(OutcomeUnknown):
            await gateway.send(text())
        sms.turn(lose_requests=0.0)
        return await gateway.status(reference=1001, number=ANNA, provider_id=None)

    found = with_gateway(smsc(sms), send_and_ask)
    assert found is not None
    assert (found.state, found.provider_id) == (ReceiptState.UNKNOWN_TEXT, None)
    assert not sms.ask(lambda simulator: simulator.ledger.texts)


def test_a_text_not_yet_delivered_waits(sms: RunningSms) -> None:
    sms.turn(receipt_delay_ms=60_000)

    async def send_and_ask(gateway: SmscGateway) -> Receipt | None:
        await gateway.send(text())
        return await gateway.status(reference=1001, number=ANNA, provider_id="1001")

    found = with_gateway(smsc(sms), send_and_ask)
    assert found is not None
    assert (found.state, found.reason) == (ReceiptState.WAITING, "0")


def test_asking_too_often_is_no_answer_about_the_text(sms: RunningSms) -> None:
    async def ask(gateway: SmscGateway) -> None:
        await gateway.send(text())
        for _ in range(11):  # the gateway counts by the minute, which may turn
            await gateway.status(reference=1001, number=ANNA, provider_id=None)

    with pytest.raises(Unreachable, match="9 too many"):
        with_gateway(smsc(sms), ask)


def test_nobody_there_means_that_nothing_was_handed_over() -> None:
    with pytest.raises(Unreachable):
        with_gateway(smsc(f"http://127.0.0.1:{free_port()}"), lambda gateway: gateway.send(text()))


def test_a_gateway_that_is_down_leaves_texts_in_doubt_and_questions_unanswered(sms: RunningSms) -> None:
    sms.turn(down=True)
    with pytest.raises(OutcomeUnknown):
        with_gateway(smsc(sms), lambda gateway: gateway.send(text()))
    with pytest.raises(Unreachable):
        with_gateway(smsc(sms), lambda gateway: gateway.balance())
    with pytest.raises(Unreachable):
        with_gateway(smsc(sms), lambda gateway: gateway.status(reference=1, number=ANNA, provider_id=None))


def test_an_address_without_a_gateway_stops_the_login(ear: Ear, sms: RunningSms) -> None:
    answer = with_gateway(smsc(f"{sms.url}/elsewhere"), lambda gateway: gateway.send(text()))
    assert (answer.verdict, answer.reason) == (Verdict.STOPPED, "HTTP 401")


def test_the_balance_falls_by_what_was_spent(sms: RunningSms) -> None:
    async def spend(gateway: SmscGateway) -> tuple[int, int, str]:
        before, _, after = (
            await gateway.balance(),
            await gateway.send(text()),
            await gateway.balance(),
        )
        assert before is not None
        assert after is not None
        return before.amount, after.amount, after.currency

    before, after, currency = with_gateway(smsc(sms), spend)
    assert (before - after, currency) == (450, "RUB")


def test_a_text_is_as_long_as_the_gateway_takes(sms: RunningSms) -> None:
    gateway = smsc(sms)
    assert gateway.measure("Ваш код: 123456").parts == 1
    with pytest.raises(BadInput, match="1000 characters"):
        gateway.measure("a" * 1001)
    asyncio.run(gateway.close())


def test_receipts_come_back_signed_with_key_and_checksum(sms: RunningSms, ear: Ear) -> None:
    bob = "+79007654321"
    sms.turn(undelivered={bob: 13})

    async def two(gateway: SmscGateway) -> None:
        await gateway.send(text(1))
        await gateway.send(text(2, bob))

    with_gateway(smsc(sms), two)
    sms.settled()
    gateway = smsc(sms)
    heard = [receipt for callback in ear.heard for receipt in gateway.hear(callback)]
    assert all(isinstance(receipt, Receipt) and receipt.at for receipt in heard)
    told = [(r.reference, r.state, r.reason) for r in heard if isinstance(r, Receipt)]
    assert sorted(told) == [
        (1, ReceiptState.DELIVERED, "1"),
        (1, ReceiptState.WAITING, "0"),
        (2, ReceiptState.UNDELIVERED, "20/13"),
        (2, ReceiptState.WAITING, "0"),
    ]
    asyncio.run(gateway.close())


def test_an_incoming_text_is_heard_by_the_key_of_the_address(sms: RunningSms, ear: Ear) -> None:
    sms.incoming("smsc", ANNA, "СТОП")
    (callback,) = ear.heard
    gateway = smsc(sms)
    assert gateway.hear(callback) == (Inbound(number=ANNA, text="СТОП", provider_id="1"),)
    with pytest.raises(NotOurs):
        gateway.hear(dataclasses.replace(callback, url=callback.url.replace(KEY_OF_RECEIPTS, "guess")))
    asyncio.run(gateway.close())


def signed(secret: str = SECRET, algorithm: str = "sha1", **changes: str) -> Callback:
    form = {"id": "1001", "phone": "79001234567", "status": "1"}
    digest = hashlib.new(algorithm, ":".join([*form.values(), secret]).encode()).hexdigest()
    return Callback(
        method="POST",
        url="https://x/sms/receipts/main",
        headers={},
        form=form | {algorithm: digest} | changes,
    )


@pytest.mark.parametrize("algorithm", ["sha1", "md5"])
def test_a_checksum_alone_proves_a_receipt(algorithm: str) -> None:
    (receipt,) = smsc("http://127.0.0.1:1").hear(signed(algorithm=algorithm))
    assert isinstance(receipt, Receipt)
    assert (receipt.reference, receipt.state) == (1001, ReceiptState.DELIVERED)


@pytest.mark.parametrize(
    "forged",
    [
        signed(secret="guess"),
        signed(status="20"),
        signed(phone="79000000000"),
        signed(id="1002"),
        signed(sha1=""),
        signed(algorithm="sha256"),
        Callback(method="POST", url="https://x/?key=", headers={}, form={"id": "1", "status": "1"}),
        Callback(method="POST", url="https://x/", headers={}, form={"phone": "79001234567", "mes": "СТОП"}),
    ],
)
def test_what_is_not_proved_is_not_heard(forged: Callback) -> None:
    with pytest.raises(NotOurs):
        smsc("http://127.0.0.1:1").hear(forged)


@pytest.mark.parametrize("identifier", ["0", "-1", str(2**31), "9" * 30, "x", ""])
def test_what_names_no_text_of_ours_tells_nothing(identifier: str) -> None:
    address = f"https://x/sms/receipts/main?key={KEY_OF_RECEIPTS}"
    told = Callback(method="POST", url=address, headers={}, form={"id": identifier, "status": "1"})
    assert not smsc("http://127.0.0.1:1").hear(told)


def test_secrets_and_numbers_are_in_no_error(sms: RunningSms) -> None:
    sms.turn(lose_answers=1.0)
    with pytest.raises(OutcomeUnknown) as unknown:
        with_gateway(smsc(sms), lambda gateway: gateway.send(text()))
    said = f"{unknown.value} {unknown.value!r} {unknown.value.__cause__!r}"
    assert SmsSettings().smsc_password not in said
    assert ANNA[1:] not in said
    assert unknown.value.__suppress_context__


def test_a_slow_answer_is_waited_for(sms: RunningSms) -> None:
    sms.turn(answer_delay_ms=300)
    answer = with_gateway(
        smsc(sms), lambda gateway: gateway.send(Outgoing(reference=5, number=ANNA, text="Hi"))
    )
    assert answer.verdict is Verdict.ACCEPTED
