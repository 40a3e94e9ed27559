"""Google Wallet's stand-in, asked by a plain client: tokens, then classes and objects."""

from __future__ import annotations

import time
from collections.abc import Iterator

import jwt
import pytest

from app.simulators.google import ISSUER, RunningGoogle, running
from tests.simulators.google_caller import ANNA, CLASS, CLIENT, Caller, assertion, known, misnamed, token


@pytest.fixture
def google() -> Iterator[RunningGoogle]:
    with running() as simulator:
        yield simulator


def test_a_token_is_given_for_a_true_assertion_only(google: RunningGoogle) -> None:
    account, stranger = known(google), known(google, name="stranger")
    answer = token(google, assertion(account))
    assert (answer.status_code, answer.json()["token_type"]) == (200, "Bearer")
    now = int(time.time())
    for wrong in (
        assertion(account, key=stranger["private_key"]),
        assertion(account, aud=google.token_url),
        assertion(account, iss="nobody@kofe.example"),
        assertion(account, exp=now + 7200),
        assertion(account, iat=now - 7200, exp=now - 3600),
        assertion(account, iat=str(now)),
        misnamed(account),
        "no.token.atall",
        jwt.encode({"iss": account["client_email"]}, "secret" * 8, "HS256"),
    ):
        answer = token(google, wrong)
        assert (answer.status_code, answer.json()["error"]) == (400, "invalid_grant")
    assert token(google, assertion(account, scope="openid")).json()["error"] == "invalid_scope"
    assert token(google, assertion(account), "password").json()["error"] == "unsupported_grant_type"


def test_no_call_without_a_token(google: RunningGoogle) -> None:
    url = f"{google.url}/walletobjects/v1/loyaltyClass/{ISSUER}.kofe"
    for headers in ({}, {"authorization": "Bearer guess"}):
        answer = CLIENT.get(url, headers=headers)
        assert (answer.status_code, answer.json()["error"]["status"]) == (401, "UNAUTHENTICATED")
    call = Caller(google)
    assert call("GET", f"loyaltyClass/{ISSUER}.kofe").status_code == 404
    google.ask(lambda simulator: simulator.tokens.revoke())
    assert call("GET", f"loyaltyClass/{ISSUER}.kofe").status_code == 401


def test_classes_and_objects_live(google: RunningGoogle) -> None:
    call = Caller(google)
    missing = call("POST", "loyaltyObject", ANNA)
    assert missing.status_code == 404
    assert missing.json()["error"]["message"] == f"Wallet Object Class {ISSUER}.kofe not found."
    assert call("POST", "loyaltyClass", CLASS).json()["reviewStatus"] == "APPROVED"
    assert call("POST", "loyaltyClass", CLASS).status_code == 409
    made = call("POST", "loyaltyObject", ANNA)
    assert made.json() == ANNA | {"hasUsers": False}
    assert call("POST", "loyaltyObject", ANNA).json()["error"]["message"] == (
        f"Wallet Object {ISSUER}.anna already exists."
    )
    points = {"loyaltyPoints": {"label": "Зёрна", "balance": {"int": 7}}}
    path = f"loyaltyObject/{ISSUER}.anna"
    assert call("PATCH", path, points).json()["loyaltyPoints"] == points["loyaltyPoints"]
    after = call("PATCH", path, {"loyaltyPoints": {"balance": {"int": 8}}}).json()
    assert after["loyaltyPoints"] == {"label": "Зёрна", "balance": {"int": 8}}
    assert call("GET", path).json()["classReference"]["id"] == CLASS["id"]
    assert "loyaltyPoints" not in call("PUT", path, ANNA).json()
    said = call("POST", f"{path}/addMessage", {"message": {"id": "m1", "header": "Привет", "body": "!"}})
    assert [message["id"] for message in said.json()["resource"]["messages"]] == ["m1"]
    assert call("DELETE", path).status_code == 405
    assert google.objects()[ANNA["id"]]["messages"][0]["header"] == "Привет"
    assert CLIENT.get(f"{google.url}/_sim/objects").json() == list(google.objects().values())


def test_lists_come_in_pages(google: RunningGoogle) -> None:
    call = Caller(google)
    call("POST", "loyaltyClass", CLASS)
    for number in range(3):
        call("POST", "loyaltyObject", ANNA | {"id": f"{ISSUER}.{number}"})
    assert len(call("GET", "loyaltyObject", classId=CLASS["id"]).json()["resources"]) == 3
    first = call("GET", "loyaltyObject", classId=CLASS["id"], maxResults="2").json()
    assert [body["id"] for body in first["resources"]] == [f"{ISSUER}.0", f"{ISSUER}.1"]
    more = first["pagination"]["nextPageToken"]
    last = call("GET", "loyaltyObject", classId=CLASS["id"], maxResults="2", token=more).json()
    assert ([body["id"] for body in last["resources"]], last["pagination"]) == (
        [f"{ISSUER}.2"],
        {"resultsPerPage": 1},
    )
    assert [body["id"] for body in call("GET", "loyaltyClass", issuerId=ISSUER).json()["resources"]] == [
        CLASS["id"]
    ]


def test_a_stranger_may_nothing(google: RunningGoogle) -> None:
    stranger = Caller(google, known(google, "4499000000000000000", name="stranger"))
    for answer in (
        stranger("POST", "loyaltyClass", CLASS),
        stranger("GET", f"loyaltyClass/{CLASS['id']}"),
        stranger("GET", "loyaltyClass", issuerId=ISSUER),
    ):
        assert (answer.status_code, answer.json()["error"]["message"]) == (403, "Permission Denied")
