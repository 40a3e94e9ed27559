"""Gateways tell of texts over HTTP: only theirs are believed, and a guest who writes STOP is heard."""

from __future__ import annotations

import base64
import hashlib
import hmac
from datetime import timedelta
from pathlib import Path

import pytest
from limits import RateLimitItemPerMinute
from sqlalchemy import select
from werkzeug.test import TestResponse

from app.db import Database
from app.db.identifiers import DeliveryId
from app.delivery import texts
from app.delivery.tables import text_message
from app.loyalty.tables import consent
from app.sms.logins import receipts_address
from app.web.sms_receipts import MAX_BODY, sms_blueprint
from tests.web.guests import World, open_world
from tests.web.test_guest_code import NUMBER, asked, enter
from tests.web.texting import TWILIO_TOKEN, a_book, newest_code, prove_numbers

PATH = "/sms/receipts/smsc"
OURS = "https://cards.example"


@pytest.fixture
def world(database: Database, tmp_path: Path) -> World:
    made = open_world(database, sms_book=a_book(tmp_path))
    prove_numbers(made, made.cafe, made.bakery)
    return made


def query(world: World) -> str:
    """What the operator entered in the gateway's cabinet, behind the question mark."""
    assert world.services.sms_book is not None
    address = receipts_address(world.services.sms_book.logins["smsc"], f"{OURS}{PATH}")
    assert address is not None
    return address.partition("?")[2]


def tell(world: World, **said: object) -> TestResponse:
    return world.phone().client.post(f"{PATH}?{query(world)}", data={k: str(v) for k, v in said.items()})


def a_sent_code(world: World) -> tuple[DeliveryId, int]:
    """A text that a worker handed over: its number, and our reference."""
    asked(world)
    now = world.clock()
    with world.database.write() as tx:
        (one,) = texts.claim_texts(
            tx, owner="w", login="smsc", rate=10, burst=1, now=now, lease=timedelta(seconds=30)
        )
        texts.begin_attempts(tx, [one], now=now)
        accepted = texts.TextOutcome(
            claimed=one, verdict="accepted", reason="OK", provider_id=str(one.reference)
        )
        texts.settle_texts(tx, "w", [accepted], now=now, can_ask=True)
    return one.id, one.reference


def state(world: World, delivery_id: DeliveryId) -> str:
    with world.database.read() as tx:
        found = texts.text(tx, delivery_id)
    assert found is not None
    return found.state


def test_a_receipt_is_written_once_and_for_all(world: World) -> None:
    delivery_id, reference = a_sent_code(world)
    said = {"id": reference, "phone": NUMBER[1:], "ts": int(world.clock().timestamp())}
    answer = tell(world, **said, status=1)
    assert (answer.status_code, answer.text) == (200, "OK")
    assert state(world, delivery_id) == "delivered"
    for later in (20, 0, 1, 3):  # undeliverable, on its way, delivered, expired: too late, all of them
        assert tell(world, **said, status=later).status_code == 200
    assert state(world, delivery_id) == "delivered"


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_what_no_gateway_sent_is_refused_and_changes_nothing(world: World, method: str) -> None:
    delivery_id, reference = a_sent_code(world)
    for key in ("", "?key=" + "0" * 32, f"?{query(world)}0"):
        answer = world.phone().client.open(
            f"{PATH}{key}", method=method, data={"id": str(reference), "status": "1", "phone": NUMBER[1:]}
        )
        assert answer.status_code == 403, key
    assert state(world, delivery_id) == "accepted"


def test_a_login_that_is_not_there_and_a_body_that_is_too_large(world: World) -> None:
    client = world.phone().client
    assert client.post("/sms/receipts/nobody", data={"id": "1"}).status_code == 404
    assert client.post("/sms/receipts/nobody", data={"id": "1" * MAX_BODY}).status_code in (404, 413)
    assert client.post(f"{PATH}?{query(world)}", data={"id": "1" * MAX_BODY}).status_code == 413
    assert client.delete(PATH).status_code == 405


def test_strangers_are_told_to_wait_while_the_gateway_is_heard(world: World) -> None:
    world.app.blueprints.pop("sms", None)
    delivery_id, reference = a_sent_code(world)
    few = sms_blueprint(world.services, failures=(RateLimitItemPerMinute(2),))
    few.name = "few"
    world.app._got_first_request = False
    world.app.register_blueprint(few, url_prefix="/few")
    client = world.phone().client
    answers = [client.get(f"/few{PATH}") for _ in range(4)]
    assert [answer.status_code for answer in answers] == [403, 403, 429, 429]
    assert int(answers[-1].headers["Retry-After"]) > 0
    assert tell(world, id=reference, phone=NUMBER[1:], status=1).status_code == 200
    assert state(world, delivery_id) == "delivered"


def test_a_signature_covers_the_address_that_the_gateway_knows(world: World) -> None:
    guest = world.phone()
    guest.send(guest.scan(world.bakery), phone="+44 7400 123456", data="yes")
    now = world.clock()
    with world.database.write() as tx:
        (one,) = texts.claim_texts(
            tx, owner="w", login="twilio", rate=10, burst=1, now=now, lease=timedelta(seconds=30)
        )
        texts.begin_attempts(tx, [one], now=now)
        accepted = texts.TextOutcome(claimed=one, verdict="accepted", reason="queued", provider_id="SM1")
        texts.settle_texts(tx, "w", [accepted], now=now, can_ask=False)
    form = {"AccountSid": "AC0123", "MessageSid": "SM1", "MessageStatus": "delivered"}
    path = f"/sms/receipts/twilio?reference={one.reference}"
    signed = f"{OURS}{path}" + "".join(name + form[name] for name in sorted(form))
    signature = base64.b64encode(hmac.new(TWILIO_TOKEN.encode(), signed.encode(), hashlib.sha1).digest())
    client = world.phone().client
    forged = client.post(path, data=form | {"MessageSid": "SM2"}, headers={"X-Twilio-Signature": signature})
    assert forged.status_code == 403
    assert state(world, one.id) == "accepted"
    answer = client.post(path, data=form, headers={"X-Twilio-Signature": signature.decode()})
    assert (answer.status_code, answer.mimetype) == (200, "text/xml")
    assert state(world, one.id) == "delivered"


@pytest.mark.parametrize(("word", "ends"), [("СТОП", True), ("stop!", True), ("Спасибо, вкусно", False)])
def test_a_guest_who_writes_stop_gets_no_more_advertising(world: World, word: str, ends: bool) -> None:
    guest, page = asked(world, advertising="yes")
    enter(guest, page, newest_code(world))
    assert tell(world, id=77, sms_id=77, phone=NUMBER[1:], mes=word, to="Zerno").status_code == 200
    assert tell(world, id=77, sms_id=77, phone=NUMBER[1:], mes=word, to="Zerno").status_code == 200
    with world.database.read() as tx:
        rows = tx.execute(
            select(consent.c.granted, consent.c.text, consent.c.source, consent.c.at)
            .where(consent.c.purpose == "advertising")
            .order_by(consent.c.id)
        ).all()
        numbers = tx.execute(select(text_message.c.number)).scalars().all()
    assert [row.granted for row in rows] == ([True, False] if ends else [True])
    assert numbers == [NUMBER]
    if ends:
        assert (rows[1].text, rows[1].source) == (word, "sms:smsc")
        assert rows[1].at == world.clock()
