"""What strangers at Google's doors are told, and that nothing follows from it."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from urllib.robotparser import RobotFileParser

import pytest
from flask import Flask
from flask.testing import FlaskClient
from limits import RateLimitItemPerMinute

from app.db import Database
from app.db.identifiers import BrandId, GoogleIssuerId
from app.google.callback_roots import RootKey
from app.google.credentials import ServiceAccount
from app.web.google_wallet import google_blueprint
from app.web.services import GoogleSide
from tests.tables import nothing_changes
from tests.web.guests import ANDROID, DESKTOP, IPHONE, World, open_world

ISSUER = GoogleIssuerId("3388000000012345678")
OURS = b"""{"protocolVersion": "ECv2SigningOnly", "signature": "AAAA", "intermediateSigningKey": {"signedKey":
"{}", "signatures": ["AAAA"]}, "signedMessage": "{\\"classId\\": \\"3388000000012345678.c\\", \\"objectId\\":
\\"3388000000012345678.o\\"}"}""".replace(b"\n", b" ")


class Accounts:
    """One issuer, whose key nobody can read just now."""

    def issuer_of(self, brand_id: BrandId, /) -> GoogleIssuerId | None:
        return None

    def account(self, brand_id: BrandId, /) -> ServiceAccount | None:
        return None

    def issuers(self) -> frozenset[str]:
        return frozenset({ISSUER})


def no_keys(_now: datetime) -> tuple[RootKey, ...]:
    return ()


@pytest.fixture
def world(database: Database) -> World:
    return open_world(database)


def client(world: World, side: GoogleSide | None, most: int = 60) -> FlaskClient:
    app = Flask("tests.web.google", static_folder=None)
    services = replace(world.services, google=side)
    app.register_blueprint(google_blueprint(services, failures=(RateLimitItemPerMinute(most),)))
    return app.test_client()


@pytest.fixture
def side() -> GoogleSide:
    return GoogleSide(
        accounts=Accounts(), callback_roots=no_keys, save_url="http://127.0.0.1:1", changed=lambda *_: None
    )


def test_googlebot_may_reach_images_and_callbacks(world: World) -> None:
    answer = client(world, None).get("/robots.txt")
    rules = RobotFileParser()
    rules.parse(answer.text.splitlines())
    for path in ("/google/callbacks", "/google/images/x.png", "/i/abc"):
        assert rules.can_fetch("Googlebot/2.1", f"https://cards.example{path}")
    assert not rules.can_fetch("Googlebot/2.1", "https://cards.example/console/")


def test_what_is_not_googles_changes_nothing(world: World, side: GoogleSide) -> None:
    web = client(world, side)
    with nothing_changes(world.database):
        for body, status in (
            (b"", 400), (b"[]", 400), (b"\xff\xfe", 400), (b"{" * 5000, 400),
            (b'{"protocolVersion": "ECv1", "intermediateSigningKey": {}}', 403),
            (OURS.replace(b"3388", b"4499"), 403), (b" " * 70_000, 413),
        ):  # fmt: skip
            assert web.post("/google/callbacks", data=body).status_code == status, body[:60]
        assert web.get("/google/callbacks").status_code == 405
        assert client(world, None).post("/google/callbacks", data=OURS).status_code == 403


def test_without_keys_google_is_asked_to_come_again(world: World, side: GoogleSide) -> None:
    web = client(world, side, most=1)
    for _ in range(3):  # not the caller's fault, and not counted
        answer = web.post("/google/callbacks", data=OURS)
        assert answer.status_code == 503
        assert int(answer.headers["Retry-After"]) > 0


def test_strangers_are_told_to_wait_and_google_is_not(world: World, side: GoogleSide) -> None:
    web = client(world, side, most=3)
    told = [web.post("/google/callbacks", data=b"{}").status_code for _ in range(5)]
    assert told == [400, 400, 400, 429, 429]
    elsewhere = web.post("/google/callbacks", data=b"{}", environ_base={"REMOTE_ADDR": "192.0.2.7"})
    assert elsewhere.status_code == 400


@pytest.mark.parametrize("device", [ANDROID, DESKTOP, IPHONE])
def test_a_brand_without_google_says_nothing_of_it(world: World, device: str) -> None:
    page = world.phone(device).join(world.cafe)
    assert page.status_code == 200
    assert "Google" not in page.text
