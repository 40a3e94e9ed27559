"""Save links, the page behind them, and what the issuer is told: true, late, twice, forged."""

from __future__ import annotations

import base64
import json
import struct
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import load_der_public_key

from app.simulators.google import GUEST, ISSUER, RunningGoogle, running
from app.simulators.google_errors import Refused
from app.simulators.google_faults import SPOILS
from tests.simulators.google_caller import ANNA, CLASS, CLIENT, Caller, known, link

SKINNY = {"loyaltyObjects": [{"id": ANNA["id"]}]}
FAT = {"loyaltyObjects": [ANNA | {"id": f"{ISSUER}.fat"}]}


class Listener:
    """An issuer's web server: remembers what it was told, answers as wanted, has one image."""

    def __init__(self) -> None:
        self.heard: list[dict[str, Any]] = []
        self.statuses: list[int] = []  # of the next answers; then 200
        self.robots = ""
        owner = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                found = {"/robots.txt": owner.robots, "/logo.png": "image"}.get(self.path)
                self.send_response(200 if found else 404)
                self.send_header("content-type", "image/png" if self.path.endswith("png") else "text/plain")
                self.end_headers()
                self.wfile.write((found or "").encode())

            def do_POST(self) -> None:
                owner.heard.append(json.loads(self.rfile.read(int(self.headers["content-length"]))))
                self.send_response(owner.statuses.pop(0) if owner.statuses else 200)
                self.end_headers()

            def log_message(self, format: str, *args: object) -> None:  # noqa: A002
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        self.thread = threading.Thread(target=self.server.serve_forever, args=(0.05,), daemon=True)
        self.thread.start()

    def stop(self) -> None:
        self.server.shutdown()
        self.server.server_close()
        self.thread.join()

    def events(self) -> list[str]:
        return [json.loads(each["signedMessage"])["eventType"] for each in self.heard]


@pytest.fixture
def listener() -> Iterator[Listener]:
    server = Listener()
    yield server
    server.stop()


@pytest.fixture
def google() -> Iterator[RunningGoogle]:
    with running() as simulator:
        simulator.turn(callback_delay_ms=0, requests_per_second=None)
        yield simulator


@pytest.fixture
def call(google: RunningGoogle) -> Caller:
    caller = Caller(google)
    caller.card(loyaltyPoints={"balance": {"int": 7}}, accountName="<Анна>")
    return caller


@pytest.fixture
def told(call: Caller, listener: Listener) -> Listener:
    """The class names the listener."""
    options = {"callbackOptions": {"url": f"{listener.url}/google"}, "reviewStatus": "UNDER_REVIEW"}
    assert call("PATCH", f"loyaltyClass/{CLASS['id']}", options).status_code == 200
    return listener


def lengths(*parts: str) -> bytes:
    return b"".join(struct.pack("<I", len(part.encode())) + part.encode() for part in parts)


def is_true(body: dict[str, Any], keys: list[dict[str, Any]], now: float, issuer: str = ISSUER) -> bool:
    """Google's rules once more, apart from the signer's own code."""

    def verified(key: str, signature: str, *parts: str) -> bool:
        public = load_der_public_key(base64.b64decode(key))
        assert isinstance(public, ec.EllipticCurvePublicKey)
        try:
            public.verify(base64.b64decode(signature), lengths(*parts), ec.ECDSA(hashes.SHA256()))
        except InvalidSignature:
            return False
        return True

    protocol, sender = "ECv2SigningOnly", "GooglePayPasses"
    intermediate = body["intermediateSigningKey"]
    signed = json.loads(intermediate["signedKey"])
    roots = [
        key["keyValue"]
        for key in keys
        if key["protocolVersion"] == protocol and int(key["keyExpiration"]) > now * 1000
    ]
    return (
        body["protocolVersion"] == protocol
        and any(
            verified(root, signature, sender, protocol, intermediate["signedKey"])
            for root in roots
            for signature in intermediate["signatures"]
        )
        and int(signed["keyExpiration"]) > now * 1000
        and verified(signed["keyValue"], body["signature"], sender, issuer, protocol, body["signedMessage"])
        and json.loads(body["signedMessage"])["expTimeMillis"] > now * 1000
    )


def test_a_guest_saves_by_the_page(google: RunningGoogle, call: Caller, told: Listener) -> None:
    signed = link(call.account, SKINNY)
    assert len(signed) < 1800
    page = CLIENT.get(f"{google.save_url}/{signed}", headers={"accept-language": "ru-RU"})
    assert page.status_code == 200
    assert "Добавить в Google Кошелек" in page.text
    assert "<h2>Зёрна</h2>" in page.text
    assert "&lt;Анна&gt;" in page.text
    assert '<form method="post">' in page.text
    assert google.objects()[ANNA["id"]]["hasUsers"] is False
    saved = CLIENT.post(f"{google.save_url}/{signed}", data={"user": "anna@gmail.example", "save": "1"})
    assert (saved.status_code, 'id="saved"' in saved.text) == (200, True)
    assert google.objects()[ANNA["id"]]["hasUsers"] is True
    CLIENT.post(f"{google.save_url}/{signed}", data={"user": "anna@gmail.example"})  # no news
    google.settled()
    google.remove(ANNA["id"], "anna@gmail.example")
    google.settled()
    assert told.events() == ["save", "del"]
    assert google.objects()[ANNA["id"]]["hasUsers"] is False
    with pytest.raises(Refused, match="does not hold"):
        google.remove(ANNA["id"], "anna@gmail.example")


def test_callbacks_are_signed_as_google_signs(google: RunningGoogle, told: Listener) -> None:
    google.save(ANNA["id"])
    google.settled()
    [body] = told.heard
    keys = CLIENT.get(google.callback_keys_url).json()["keys"]
    assert is_true(body, keys, time.time())
    assert not is_true(body, keys, time.time() + 8 * 86_400)  # the message and its key have expired
    message = json.loads(body["signedMessage"])
    assert (message["objectId"], message["classId"], message["count"]) == (ANNA["id"], CLASS["id"], 1)
    assert type(message["expTimeMillis"]) is int
    assert "\\u003d" in body["intermediateSigningKey"]["signedKey"]
    assert isinstance(json.loads(body["intermediateSigningKey"]["signedKey"])["keyExpiration"], str)
    assert [key["protocolVersion"] for key in keys] == ["ECv2SigningOnly", "ECv2", "ECv2SigningOnly"]
    assert int(keys[0]["keyExpiration"]) < time.time() * 1000


@pytest.mark.parametrize("spoil", SPOILS)
def test_a_spoilt_callback_is_not_true(google: RunningGoogle, told: Listener, spoil: str) -> None:
    callback = google.call_back("save", ANNA["id"], spoil=spoil)
    assert callback.statuses == [200]
    keys = CLIENT.get(google.callback_keys_url).json()["keys"]
    assert is_true(told.heard[0], keys, time.time()) is (spoil in {"", "non_ascii"})
    if spoil == "non_ascii":
        assert not told.heard[0]["signedMessage"].isascii()
    if spoil == "other_issuer":
        assert is_true(told.heard[0], keys, time.time(), str(int(ISSUER) + 1))


def test_callbacks_come_twice_late_and_in_disorder(google: RunningGoogle, told: Listener) -> None:
    google.turn(swap_callbacks=True)
    google.save(ANNA["id"])
    google.settled()
    assert told.heard == []
    google.remove(ANNA["id"])
    google.settled()
    assert sorted(told.events()) == ["del", "save"]
    assert [callback.event for callback in google.callbacks()] == ["del", "save"]
    google.turn(swap_callbacks=False, duplicate_callbacks=1)
    google.save(ANNA["id"])
    google.settled()
    nonces = [json.loads(each["signedMessage"])["nonce"] for each in told.heard[2:]]
    assert (len(nonces), len(set(nonces))) == (2, 1)
    google.turn(duplicate_callbacks=0, no_callbacks=True)
    google.remove(ANNA["id"])
    google.settled()
    assert len(told.heard) == 4


def test_a_callback_is_tried_three_times_and_obeys_robots_txt(google: RunningGoogle, told: Listener) -> None:
    told.statuses = [500, 302, 503, 200]
    google.save(ANNA["id"])
    google.settled()
    assert google.callbacks()[0].statuses == [500, 302, 503]
    told.robots = "User-agent: Googlebot\nDisallow: /google\n"
    google.remove(ANNA["id"])
    google.settled()
    assert google.callbacks()[1].statuses == [-1]
    told.robots = "User-agent: *\nDisallow: /console\n"
    google.save(ANNA["id"])
    google.settled()
    assert google.callbacks()[2].statuses == [200]
    assert google.call_back("del", ANNA["id"], url="https://kofe.example/google").statuses == [0]


def test_an_issuer_may_name_the_address(google: RunningGoogle, call: Caller, listener: Listener) -> None:
    with pytest.raises(ValueError, match="names an address"):
        google.call_back("save", ANNA["id"])
    url = f"{google.url}/_sim/issuer/{ISSUER}"
    CLIENT.put(url, json={"callback_url": f"{listener.url}/google"}).raise_for_status()
    google.save(ANNA["id"])
    google.settled()
    assert listener.events() == ["save"]


def test_a_link_that_does_not_do(google: RunningGoogle, call: Caller, listener: Listener) -> None:
    account = call.account
    stranger = known(google, "4499000000000000000", name="stranger")
    for signed, words in (
        (link(account, SKINNY, aud="https://google.com"), "aud must be google"),
        (link(account, SKINNY, typ="savetoandroidpay"), "typ must be savetowallet"),
        (link(account, SKINNY, iat=""), "iat must be whole seconds"),
        (link(account, SKINNY, iat=int(time.time()) + 900), "not in the future"),
        (link(account, SKINNY, origins=["kofe.example"]), "origins"),
        (link(account, SKINNY, padding="a" * 1200), "characters, more than the 1800"),
        (link(account, {}), "no payload"),
        (link(account, {"loyaltyObjects": []}), "no objects"),
        (link(account, {"loyaltyObjects": ["a"]}), "array of objects"),
        (link(account, SKINNY | {"offerObjects": []}), "no such passes"),
        (link(account, {"loyaltyObjects": [{"id": f"{ISSUER}.none"}]}), "not found"),
        (link(account, {"loyaltyObjects": [{"id": ANNA["id"], "classId": f"{ISSUER}.b"}]}), "another class"),
        (link(account, {"loyaltyObjects": [ANNA | {"colour": "red"}]}), "Unknown name"),
        (link(stranger, SKINNY), "Permission Denied"),
        (link(account | {"private_key": stranger["private_key"]}, SKINNY), "Invalid JWT Signature"),
        ("a.b.c", "Invalid JWT"),
    ):
        page = CLIENT.get(f"{google.save_url}/{signed}")
        assert (page.status_code, "Something went wrong" in page.text) == (400, True)
        assert words in page.text
        with pytest.raises(Refused, match=words):
            google.tap(signed)
    for image, works in (("/gone.png", False), ("/robots.txt", False), ("/logo.png", True)):
        listener.robots = "User-agent: *\n"
        call.change(heroImage={"sourceUri": {"uri": listener.url + image}})
        assert (CLIENT.get(f"{google.save_url}/{link(account, SKINNY)}").status_code == 200) is works
    assert google.objects()[ANNA["id"]]["hasUsers"] is False


def test_a_fat_link_inserts_its_card(google: RunningGoogle, call: Caller) -> None:
    signed = link(call.account, FAT)
    assert CLIENT.get(f"{google.save_url}/{signed}").status_code == 200
    assert f"{ISSUER}.fat" not in google.objects()
    assert google.tap(signed) == [f"{ISSUER}.fat"]
    assert google.objects()[f"{ISSUER}.fat"]["hasUsers"] is True
    new = {"loyaltyClasses": [CLASS | {"id": f"{ISSUER}.new"}]} | {
        "loyaltyObjects": [ANNA | {"id": f"{ISSUER}.newer", "classId": f"{ISSUER}.new"}]
    }
    with pytest.raises(Refused, match="no test account"):  # a class told anew is a preview
        google.tap(link(call.account, new))
    google.ask(lambda simulator: simulator.state.accounts.issuers[ISSUER].test_accounts.add(GUEST))
    assert google.tap(link(call.account, new)) == [f"{ISSUER}.newer"]
    assert google.classes()[f"{ISSUER}.new"]["reviewStatus"] == "APPROVED"


def test_a_link_is_validated_beforehand(call: Caller) -> None:
    good = {"jwtResource": {"jwt": link(call.account, SKINNY)}}
    assert (call("POST", "jwt/validate", good).status_code, call("POST", "jwt/validate", good).json()) == (
        200,
        {},
    )
    assert call("POST", "jwt/validate", {"jsonResource": {"json": json.dumps(FAT)}}).status_code == 200
    wrongs: list[dict[str, Any]] = [
        {},
        good | {"jsonResource": {"json": json.dumps(FAT)}},
        {"jwtResource": {}},
        {"jsonResource": {"json": ""}},
        {"jsonResource": {"json": "[]"}},
        {"jwtResource": {"jwt": link(call.account, SKINNY, typ="other")}},
    ]
    for wrong in wrongs:
        assert call("POST", "jwt/validate", wrong).status_code == 400
    assert call("POST", "jwt", {"jwt": link(call.account, SKINNY, padding="a" * 2000)}).status_code == 200


def test_who_may_save(google: RunningGoogle, call: Caller) -> None:
    signed = link(call.account, SKINNY)
    issuer = f"{google.url}/_sim/issuer/{ISSUER}"
    CLIENT.put(issuer, json={"demo": True, "test_accounts": ["anna@gmail.example"]}).raise_for_status()
    assert CLIENT.post(f"{google.save_url}/{signed}").status_code == 400
    tapped = CLIENT.post(f"{google.url}/_sim/save", json={"jwt": signed, "user": "anna@gmail.example"})
    assert tapped.json() == {"objects": [ANNA["id"]]}
    CLIENT.put(issuer, json={"demo": False})
    one = {"multipleDevicesAndHoldersAllowedStatus": "ONE_USER_ALL_DEVICES", "reviewStatus": "UNDER_REVIEW"}
    call("PATCH", f"loyaltyClass/{CLASS['id']}", one)
    with pytest.raises(Refused, match="held by somebody else"):
        google.tap(signed)
    wallet = CLIENT.get(f"{google.url}/_sim/wallet/anna@gmail.example").json()
    assert [(card["object"]["id"], card["class"]["programName"]) for card in wallet] == [
        (ANNA["id"], "Зёрна")
    ]
