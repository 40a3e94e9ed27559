"""SMSC.ru's and Twilio's stand-ins, asked by a plain client as the vendors' pages say."""

from __future__ import annotations

import ssl
import time
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from app.simulators.sms_gateways import ACCOUNT_SID, RunningSms, SmsSettings, running

LOGIN = {"login": "perkpass", "psw": "sandbox", "fmt": "3", "charset": "utf-8"}
ANNA = "+79001234567"
MESSAGES = f"/2010-04-01/Accounts/{ACCOUNT_SID}/Messages.json"


# One client, which loads no authorities: nothing here is TLS.
CLIENT = httpx.Client(verify=ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT), trust_env=False)


@pytest.fixture(scope="module", autouse=True)
def _end_of_client() -> Iterator[None]:
    yield
    CLIENT.close()


@pytest.fixture
def sms() -> Iterator[RunningSms]:
    with running(SmsSettings(balance=2000)) as simulator:
        yield simulator


def smsc(sms: RunningSms, page: str = "send", **form: str) -> Any:
    known = {"phones": ANNA, "mes": "Привет", "id": "1", "cost": "3"} if page == "send" else {}
    answer = CLIENT.post(f"{sms.url}/sys/{page}.php", data=LOGIN | known | form)
    assert answer.status_code == 200
    return answer.json()


def twilio(sms: RunningSms, **form: str) -> httpx.Response:
    known = {"To": ANNA, "From": "+15550006666", "Body": "Привет"}
    return CLIENT.post(sms.url + MESSAGES, data=known | form, auth=(ACCOUNT_SID, "sandbox-token"))


def test_smsc_takes_charges_and_tells(sms: RunningSms) -> None:
    sms.turn(receipt_delay_ms=60_000)
    assert smsc(sms) == {"id": 1, "cnt": 1, "cost": "4.5", "balance": "15.5"}
    told = smsc(sms, "status", phone=ANNA, id="1")
    assert (told["status"], told["err"]) == (0, 0)
    assert smsc(sms, "status", phone=ANNA, id="1", all="1")["message"] == "Привет"
    assert smsc(sms, "status", phone=ANNA, id="2")["status"] == -3
    assert smsc(sms, "balance", cur="1") == {"balance": "15.5", "currency": "RUB"}


@pytest.mark.parametrize(
    ("form", "code"),
    [
        ({"psw": "wrong"}, 2),
        ({"phones": ""}, 1),
        ({"mes": ""}, 1),
        ({"mes": "a" * 1001}, 1),
        ({"id": "0"}, 1),
        ({"id": str(2**31)}, 1),
        ({"valid": "25:00"}, 5),
        ({"valid": "00:00"}, 5),
        ({"phones": "89001234567"}, 7),
        ({"mes": "я" * 300}, 3),  # five parts: more than the money reaches
    ],
)
def test_smsc_refuses_as_its_page_says(sms: RunningSms, form: dict[str, str], code: int) -> None:
    assert smsc(sms, **form)["error_code"] == code
    assert not sms.ask(lambda simulator: simulator.ledger.texts)


def test_smsc_blocks_an_equal_request_and_charges_an_identifier_twice(sms: RunningSms) -> None:
    smsc(sms)
    assert smsc(sms) == {"error": "duplicate request, wait a minute", "error_code": 9}
    assert smsc(sms, mes="Другое")["cnt"] == 1  # the identifier alone is no promise of one text
    assert [text.identifier for text in sms.ask(lambda simulator: simulator.ledger.texts)] == ["1", "1"]
    assert sms.ask(lambda simulator: simulator.ledger.accounts["smsc"].spent) == 900


def test_smsc_takes_a_key_in_place_of_a_password(sms: RunningSms) -> None:
    form = {"apikey": "sandbox-key", "fmt": "3", "charset": "utf-8"}
    assert CLIENT.post(f"{sms.url}/sys/balance.php", data=form).json() == {"balance": "20"}
    wrong = CLIENT.post(f"{sms.url}/sys/balance.php", data=form | {"apikey": "guess"}).json()
    assert wrong == {"error": "authorise error", "error_code": 2}


def test_twilio_takes_charges_and_tells(sms: RunningSms) -> None:
    sms.turn(receipt_delay_ms=100)
    answer = twilio(sms)
    assert answer.status_code == 201
    message = answer.json()
    assert (message["status"], message["num_segments"], message["price"]) == ("queued", "1", None)
    url = sms.url + MESSAGES.replace(".json", f"/{message['sid']}.json")
    deadline = time.monotonic() + 10
    while (told := CLIENT.get(url, auth=(ACCOUNT_SID, "sandbox-token")).json())["status"] != "delivered":
        assert time.monotonic() < deadline
    assert (told["price"], told["price_unit"]) == ("-0.05000", "USD")


@pytest.mark.parametrize(
    ("form", "code"),
    [
        ({"To": "89001234567"}, 21211),
        ({"From": ""}, 21603),
        ({"Body": ""}, 21602),
        ({"Body": "a" * 1601}, 21617),
        ({"StatusCallback": "kofe.example"}, 21609),
    ],
)
def test_twilio_refuses_as_its_pages_say(sms: RunningSms, form: dict[str, str], code: int) -> None:
    answer = twilio(sms, **form)
    assert (answer.status_code, answer.json()["code"]) == (400, code)
    assert not sms.ask(lambda simulator: simulator.ledger.texts)


def test_twilio_knows_its_account_only(sms: RunningSms) -> None:
    wrong = CLIENT.post(sms.url + MESSAGES, data={}, auth=(ACCOUNT_SID, "guess"))
    assert (wrong.status_code, wrong.json()["code"]) == (401, 20003)
    elsewhere = CLIENT.get(
        f"{sms.url}/2010-04-01/Accounts/AC0/Balance.json", auth=(ACCOUNT_SID, "sandbox-token")
    )
    assert (elsewhere.status_code, elsewhere.json()["code"]) == (404, 20404)


def test_knobs_log_and_money_are_in_reach_of_any_client(sms: RunningSms) -> None:
    control = sms.control_url
    CLIENT.patch(f"{control}/faults", json={"refused": {ANNA: 8}, "no_receipts": True}).raise_for_status()
    assert smsc(sms) == {"error": "message to this number can't be delivered", "error_code": 8, "id": 1}
    assert CLIENT.delete(f"{control}/faults").json()["refused"] == {}
    smsc(sms)
    twilio(sms)
    log = CLIENT.get(f"{control}/texts").json()
    assert [(text["gateway"], text["cost"]) for text in log["texts"]] == [("smsc", 450), ("twilio", 5)]
    assert log["answers"] == {"smsc 8": 1, "smsc accepted": 1, "twilio accepted": 1}
    assert len(CLIENT.get(f"{control}/texts", params={"after": 1}).json()["texts"]) == 1
    assert CLIENT.put(f"{control}/balance", json={"smsc": 1}).json()["accounts"]["smsc"]["balance"] == 1
    assert smsc(sms, id="2")["error_code"] == 3
    assert CLIENT.delete(f"{control}/texts").json()["texts"] == []
    assert CLIENT.get(f"{control}/nothing").status_code == 404


@pytest.mark.parametrize(
    "knobs", [{"pigeons": 1}, {"down": 1}, {"per_second": "7"}, {"refused": []}, {"lose_answers": True}]
)
def test_a_knob_that_is_none_is_refused(sms: RunningSms, knobs: dict[str, object]) -> None:
    assert CLIENT.patch(f"{sms.control_url}/faults", json=knobs).status_code == 400
    assert CLIENT.patch(f"{sms.control_url}/faults", json={"per_second": None}).status_code == 200


def test_a_slow_second_and_a_broken_wire(sms: RunningSms) -> None:
    sms.turn(per_second=0)
    assert smsc(sms)["error"] == "too many concurrent requests"
    assert twilio(sms).headers["retry-after"] == "1"
    sms.turn(per_second=1)
    assert smsc(sms)["cnt"] == 1
    sms.turn(per_second=None, lose_next_answers=1)
    with pytest.raises(httpx.RemoteProtocolError):
        smsc(sms, id="9", mes="Hi")
    assert smsc(sms, "status", phone=ANNA, id="9")["status"] in (0, 1)
    assert [text.answered for text in sms.ask(lambda simulator: simulator.ledger.texts)][-1] is False
    sms.turn(lose_requests=1.0)
    with pytest.raises(httpx.RemoteProtocolError):
        smsc(sms, id="10", mes="Hi")
    sms.turn(lose_requests=0.0, down=True)
    assert CLIENT.post(f"{sms.url}/sys/send.php").status_code == 503
    assert len(sms.ask(lambda simulator: simulator.ledger.texts)) == 2
