"""Google Wallet's stand-in, asked by a plain client: tokens, then classes and objects."""

from __future__ import annotations

import ssl
import time
from collections.abc import Iterator
from typing import Any

import httpx
import jwt
import pytest

from app.simulators.google import ISSUER, RunningGoogle, running

CLIENT = httpx.Client(verify=ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT), trust_env=False)
SCOPE = "https://www.googleapis.com/auth/wallet_object.issuer"
GRANT = "urn:ietf:params:oauth:grant-type:jwt-bearer"
AUDIENCE = "https://oauth2.googleapis.com/token"
CLASS: dict[str, Any] = {
    "id": f"{ISSUER}.kofe",
    "issuerName": "Кофе",
    "programName": "Зёрна",
    "programLogo": {"sourceUri": {"uri": "https://kofe.example/logo.png"}},
    "reviewStatus": "UNDER_REVIEW",
}
ANNA: dict[str, Any] = {"id": f"{ISSUER}.anna", "classId": CLASS["id"], "state": "ACTIVE"}


@pytest.fixture(scope="module", autouse=True)
def _end_of_client() -> Iterator[None]:
    yield
    CLIENT.close()


@pytest.fixture
def google() -> Iterator[RunningGoogle]:
    with running() as simulator:
        yield simulator


def assertion(account: dict[str, Any], *, key: str = "", **claims: object) -> str:
    now = int(time.time())
    known = {"iss": account["client_email"], "aud": AUDIENCE, "scope": SCOPE, "iat": now, "exp": now + 3600}
    headers = {"kid": account["private_key_id"]}
    return jwt.encode(known | claims, key or account["private_key"], "RS256", headers=headers)


def token(google: RunningGoogle, signed: str, grant: str = GRANT) -> httpx.Response:
    return CLIENT.post(google.token_url, data={"grant_type": grant, "assertion": signed})


class Caller:
    """A client that holds a token."""

    def __init__(self, google: RunningGoogle, account: dict[str, Any] | None = None) -> None:
        answer = token(google, assertion(account or google.service_account()))
        self.headers = {"authorization": f"Bearer {answer.json()['access_token']}"}
        self.url = f"{google.url}/walletobjects/v1"

    def __call__(self, verb: str, path: str, body: object = None, **query: str) -> httpx.Response:
        url = f"{self.url}/{path}"
        return CLIENT.request(verb, url, headers=self.headers, params=query, json=body)


def test_a_token_is_given_for_a_true_assertion_only(google: RunningGoogle) -> None:
    account, stranger = google.service_account(), google.service_account(name="other")
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
    stranger = Caller(google, google.service_account("4499000000000000000", name="other"))
    for answer in (
        stranger("POST", "loyaltyClass", CLASS),
        stranger("GET", f"loyaltyClass/{CLASS['id']}"),
        stranger("GET", "loyaltyClass", issuerId=ISSUER),
    ):
        assert (answer.status_code, answer.json()["error"]["message"]) == (403, "Permission Denied")
