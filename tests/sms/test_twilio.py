"""Twilio's adapter against the gateway's simulator, over real sockets."""

from __future__ import annotations

import asyncio
import base64
import dataclasses
import hashlib
import hmac
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import TypeVar

import pytest

from app.simulators.sms_gateways import ACCOUNT_SID, RunningSms
from app.sms.gateway import (
    Callback,
    Inbound,
    NotOurs,
    OutcomeUnknown,
    Price,
    Receipt,
    ReceiptState,
    Unreachable,
    Verdict,
)
from app.sms.twilio import TwilioGateway, signature
from tests.servers import free_port
from tests.sms.accounts import ANNA, text, twilio
from tests.sms.ears import Ear

_T = TypeVar("_T")


def with_gateway(gateway: TwilioGateway, deed: Callable[[TwilioGateway], Awaitable[_T]]) -> _T:
    async def inside() -> _T:
        try:
            return await deed(gateway)
        finally:
            await gateway.close()

    return asyncio.run(inside())


def test_a_text_is_taken_and_its_price_is_known_later(sms: RunningSms) -> None:
    async def send_and_ask(gateway: TwilioGateway) -> Receipt | None:
        answer = await gateway.send(dataclasses.replace(text(), validity=timedelta(minutes=5)))
        assert (answer.verdict, answer.reason, answer.status) == (Verdict.ACCEPTED, "queued", 201)
        assert (answer.parts, answer.price) == (1, None)
        assert answer.provider_id is not None
        assert await gateway.status(reference=1001, number=ANNA, provider_id=None) is None
        return await gateway.status(reference=1001, number=ANNA, provider_id=answer.provider_id)

    found = with_gateway(twilio(sms), send_and_ask)
    assert found is not None
    assert (found.state, found.reason) == (ReceiptState.DELIVERED, "delivered")
    assert found.price == Price(amount=5, currency="USD")
    (sent,) = sms.ask(lambda simulator: list(simulator.ledger.texts))
    assert (sent.to, sent.body, sent.sender) == (ANNA, "Ваш код: 123456", "+15550006666")


def test_a_messaging_service_counts_parts_later(sms: RunningSms) -> None:
    outgoing = dataclasses.replace(text(), sender="MG" + "0" * 32)
    answer = with_gateway(twilio(sms), lambda gateway: gateway.send(outgoing))
    assert (answer.verdict, answer.reason, answer.parts) == (Verdict.ACCEPTED, "accepted", None)


@pytest.mark.parametrize(
    ("code", "verdict"),
    [
        (20003, Verdict.STOPPED),
        (20429, Verdict.RETRY),
        (21211, Verdict.REFUSED),
        (21408, Verdict.REFUSED),
        (21606, Verdict.STOPPED),
        (21610, Verdict.REFUSED),
        (21611, Verdict.RETRY),
        (99999, Verdict.REFUSED),  # not in the table, HTTP 400: about this text
    ],
)
def test_every_error_has_one_verdict(sms: RunningSms, code: int, verdict: Verdict) -> None:
    sms.turn(refused={ANNA: code})
    answer = with_gateway(twilio(sms), lambda gateway: gateway.send(text()))
    assert (answer.verdict, answer.reason, answer.opted_out) == (verdict, str(code), code == 21610)
    assert not sms.ask(lambda simulator: simulator.ledger.texts)


def test_a_wrong_token_stops_the_login(sms: RunningSms) -> None:
    answer = with_gateway(twilio(sms, token="wrong"), lambda gateway: gateway.send(text()))
    assert (answer.verdict, answer.reason, answer.status) == (Verdict.STOPPED, "20003", 401)


def test_too_many_requests_say_how_long_to_wait(sms: RunningSms) -> None:
    sms.turn(per_second=0)
    answer = with_gateway(twilio(sms), lambda gateway: gateway.send(text()))
    assert (answer.verdict, answer.retry_after) == (Verdict.RETRY, timedelta(seconds=1))


@pytest.mark.parametrize("knob", ["lose_answers", "break_answers", "garble_answers", "lose_requests"])
def test_a_lost_answer_leaves_the_text_in_doubt(sms: RunningSms, knob: str) -> None:
    sms.turn(**{knob: True if knob == "garble_answers" else 1.0})
    gateway = twilio(sms)
    assert not gateway.can_ask
    with pytest.raises(OutcomeUnknown):
        with_gateway(gateway, lambda gateway: gateway.send(text()))
    taken = 0 if knob == "lose_requests" else 1
    assert len(sms.ask(lambda simulator: simulator.ledger.texts)) == taken


def test_a_lost_answer_is_made_good_by_the_receipt_that_names_our_reference(
    sms: RunningSms, ear: Ear
) -> None:
    sms.turn(lose_answers=1.0)
    gateway = twilio(sms, receipts=f"{ear.url}/sms/receipts/abroad")
    with pytest.raises(OutcomeUnknown):
        with_gateway(gateway, lambda gateway: gateway.send(text(77)))
    sms.settled()
    heard = [receipt for callback in ear.heard for receipt in gateway.hear(callback)]
    assert [(r.reference, r.state, r.reason) for r in heard if isinstance(r, Receipt)] == [
        (77, ReceiptState.WAITING, "sent"),
        (77, ReceiptState.DELIVERED, "delivered"),
    ]


def test_receipts_come_early_twice_and_in_any_order(sms: RunningSms, ear: Ear) -> None:
    sms.turn(early_receipts=True, duplicate_receipts=1, shuffle_receipts=True, undelivered={ANNA: 30003})
    gateway = twilio(sms, receipts=f"{ear.url}/sms/receipts/abroad")

    async def send(gateway: TwilioGateway) -> int:
        await gateway.send(text())
        return len(ear.heard)

    assert with_gateway(gateway, send) == 4  # before the answer came
    heard = [receipt for callback in ear.heard for receipt in gateway.hear(callback)]
    assert [r.reason for r in heard if isinstance(r, Receipt)] == [
        "undelivered/30003",
        "undelivered/30003",
        "sent",
        "sent",
    ]


def test_an_incoming_text_is_heard_by_its_signature(sms: RunningSms, ear: Ear) -> None:
    sms.incoming("twilio", ANNA, "Stop & go = 5 %")
    (callback,) = ear.heard
    gateway = twilio(sms)
    (said,) = gateway.hear(callback)
    assert isinstance(said, Inbound)
    assert (said.number, said.text) == (ANNA, "Stop & go = 5 %")
    assert gateway.confirmation() == (
        '<?xml version="1.0" encoding="UTF-8"?><Response></Response>',
        "text/xml",
    )


def test_the_signature_is_the_one_that_others_compute() -> None:
    """The example of the vendor's page, with the digest that other implementations publish for it."""
    fields = {
        "CallSid": "CA1234567890ABCDE",
        "Caller": "+12349013030",
        "Digits": "1234",
        "From": "+12349013030",
        "To": "+18005551212",
    }
    content = "https://mycompany.com/myapp.php?foo=1&bar=2" + "".join(
        f"{name}{value}" for name, value in fields.items()
    )
    assert signature(b"12345", content) == b"0/KCTR6DLpKmkAf8muzZqo1nDgQ="


URL = "https://kofe.example/sms/receipts/abroad?reference=77"
TOLD = {"AccountSid": ACCOUNT_SID, "MessageSid": "SM1", "MessageStatus": "delivered"}


def callback(
    url: str = URL,
    form: dict[str, str] | None = None,
    *,
    signed_url: str = URL,
    token: bytes = b"sandbox-token",
) -> Callback:
    """Signed over ``signed_url`` and TOLD, whatever it then says; by code of its own."""
    content = signed_url + "".join(f"{name}{value}" for name, value in sorted(TOLD.items()))
    digest = base64.b64encode(hmac.digest(token, content.encode(), "sha1")).decode()
    return Callback(
        method="POST",
        url=url,
        headers={"x-twilio-signature": digest},
        form={"reference": "77"} | (TOLD if form is None else form),
    )


def test_a_signed_receipt_is_heard_with_and_without_the_port() -> None:
    gateway = twilio("http://127.0.0.1:1")
    for signed_url in (URL, URL.replace(".example", ".example:443")):
        (receipt,) = gateway.hear(callback(signed_url=signed_url))
        assert isinstance(receipt, Receipt)
        assert (receipt.reference, receipt.provider_id) == (77, "SM1")


@pytest.mark.parametrize(
    "forged",
    [
        callback(token=b"guess"),
        callback(url=URL.replace("77", "78")),
        callback(url=URL.replace("abroad", "main")),
        callback(form=TOLD | {"MessageStatus": "undelivered"}),
        callback(form=TOLD | {"ErrorCode": "30003"}),
        dataclasses.replace(callback(), headers={}),
        dataclasses.replace(callback(), headers={"x-twilio-signature": "é"}),
        dataclasses.replace(callback(), method="GET"),
    ],
)
def test_what_is_not_signed_is_not_heard(forged: Callback) -> None:
    with pytest.raises(NotOurs):
        twilio("http://127.0.0.1:1").hear(forged)


def test_a_reference_beside_the_signed_address_is_not_believed() -> None:
    smuggled = callback(form=TOLD | {"reference": "1"})
    (receipt,) = twilio("http://127.0.0.1:1").hear(smuggled)
    assert isinstance(receipt, Receipt)
    assert receipt.reference == 77


@pytest.mark.parametrize("reference", ["", "0", "-1", "7" * 10, "9" * 30, "٧", "x"])
def test_a_reference_that_is_none_of_ours_is_none(reference: str) -> None:
    url = f"https://kofe.example/sms/receipts/abroad?reference={reference}"
    told = dataclasses.replace(callback(url=url, signed_url=url), form=TOLD | {"reference": reference})
    (receipt,) = twilio("http://127.0.0.1:1").hear(told)
    assert isinstance(receipt, Receipt)
    assert (receipt.reference, receipt.provider_id) == (None, "SM1")


def test_a_signature_for_another_account_is_not_ours() -> None:
    form = TOLD | {"AccountSid": "AC" + "0" * 32}
    content = URL + "".join(f"{name}{value}" for name, value in sorted(form.items()))
    digest = base64.b64encode(hmac.new(b"sandbox-token", content.encode(), hashlib.sha1).digest()).decode()
    with pytest.raises(NotOurs, match="another account"):
        twilio("http://127.0.0.1:1").hear(
            Callback(method="POST", url=URL, headers={"x-twilio-signature": digest}, form=form)
        )


def test_the_balance_falls_by_what_was_spent(sms: RunningSms) -> None:
    async def spend(gateway: TwilioGateway) -> tuple[int, str]:
        before = await gateway.balance()
        await gateway.send(text())
        after = await gateway.balance()
        assert before is not None
        assert after is not None
        return before.amount - after.amount, after.currency

    assert with_gateway(twilio(sms), spend) == (5, "USD")


def test_nobody_there_and_down(sms: RunningSms) -> None:
    with pytest.raises(Unreachable):
        with_gateway(twilio(f"http://127.0.0.1:{free_port()}"), lambda gateway: gateway.send(text()))
    sms.turn(down=True)
    with pytest.raises(OutcomeUnknown, match="503"):
        with_gateway(twilio(sms), lambda gateway: gateway.send(text()))
    with pytest.raises(Unreachable):
        with_gateway(twilio(sms), lambda gateway: gateway.balance())


def test_a_text_that_the_gateway_does_not_know_was_not_sent(sms: RunningSms) -> None:
    found = with_gateway(
        twilio(sms), lambda gateway: gateway.status(reference=1, number=ANNA, provider_id="SM0")
    )
    assert found is not None
    assert found.state is ReceiptState.UNKNOWN_TEXT
