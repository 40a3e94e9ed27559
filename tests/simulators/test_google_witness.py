"""Google's own client library runs its loyalty flow against the stand-in: a witness from outside."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

import pytest
from google.auth import crypt
from google.auth import jwt as google_jwt
from google.oauth2 import service_account
from googleapiclient import discovery
from googleapiclient.errors import HttpError
from googleapiclient.http import BatchHttpRequest

from app.simulators.google import ISSUER, RunningGoogle, running

CREDENTIALS: Any = service_account.Credentials
SIGNER: Any = crypt.RSASigner
ENCODE: Any = google_jwt.encode
SCOPE = "https://www.googleapis.com/auth/wallet_object.issuer"
CLASS = f"{ISSUER}.witness"
CARD = f"{ISSUER}.witness.card"


@pytest.fixture(scope="module")
def google() -> Iterator[RunningGoogle]:
    with running() as simulator:
        simulator.turn(requests_per_second=None)
        yield simulator


@pytest.fixture(scope="module")
def account(google: RunningGoogle) -> dict[str, Any]:
    return google.service_account()


def built(google: RunningGoogle, account: dict[str, Any]) -> Any:
    """Google's client, as its pages show it, for another address."""
    credentials = CREDENTIALS.from_service_account_info(account, scopes=[SCOPE])
    return discovery.build(
        "walletobjects",
        "v1",
        credentials=credentials,
        static_discovery=True,
        client_options={"api_endpoint": google.url},
    )


@pytest.fixture(scope="module")
def client(google: RunningGoogle, account: dict[str, Any]) -> Iterator[Any]:
    service = built(google, account)
    yield service
    service.close()


def loyalty_class() -> dict[str, Any]:
    return {
        "id": CLASS,
        "issuerName": "Kofe",
        "reviewStatus": "UNDER_REVIEW",
        "programName": "Beans",
        "programLogo": {
            "sourceUri": {"uri": "https://kofe.example/logo.png"},
            "contentDescription": {"defaultValue": {"language": "en-US", "value": "Logo"}},
        },
        "localizedProgramName": {
            "defaultValue": {"language": "en", "value": "Beans"},
            "translatedValues": [{"language": "ru", "value": "Зёрна"}],
        },
        "rewardsTier": "Gold",
        "hexBackgroundColor": "#4285f4",
        "merchantLocations": [{"latitude": 55.75, "longitude": 37.62}],
        "multipleDevicesAndHoldersAllowedStatus": "MULTIPLE_HOLDERS",
        "classTemplateInfo": {
            "cardTemplateOverride": {
                "cardRowTemplateInfos": [
                    {
                        "oneItem": {
                            "item": {
                                "firstValue": {"fields": [{"fieldPath": "object.textModulesData['offer']"}]}
                            }
                        }
                    }
                ]
            }
        },
    }


def loyalty_object(identifier: str = CARD) -> dict[str, Any]:
    return {
        "id": identifier,
        "classId": CLASS,
        "state": "ACTIVE",
        "heroImage": {"sourceUri": {"uri": "https://kofe.example/hero.png"}},
        "textModulesData": [{"header": "Offer", "body": "A coffee", "id": "offer"}],
        "linksModuleData": {"uris": [{"uri": "tel:6505555555", "description": "Call", "id": "call"}]},
        "barcode": {"type": "QR_CODE", "value": "QR", "alternateText": "4512"},
        "locations": [{"latitude": 37.424, "longitude": -122.09}],
        "accountId": "4512",
        "accountName": "Anna",
        "loyaltyPoints": {"label": "Points", "balance": {"int": 800}},
        "validTimeInterval": {
            "start": {"date": "2026-01-01T00:00:00Z"},
            "end": {"date": "2027-01-01T00:00:00.0Z"},
        },
    }


def refusal(request: Any) -> tuple[int, str]:
    with pytest.raises(HttpError) as caught:
        request.execute()
    return caught.value.status_code, caught.value.reason


def test_the_flow_of_googles_sample(google: RunningGoogle, client: Any) -> None:
    classes, objects = client.loyaltyclass(), client.loyaltyobject()
    assert refusal(classes.get(resourceId=CLASS)) == (404, f"Wallet Object Class {CLASS} not found.")
    assert classes.insert(body=loyalty_class()).execute()["reviewStatus"] == "APPROVED"
    assert refusal(classes.insert(body=loyalty_class()))[0] == 409

    known = classes.get(resourceId=CLASS).execute()
    link = {"uri": "https://kofe.example", "description": "Kofe"}
    assert refusal(classes.update(resourceId=CLASS, body=known)) == (
        400,
        "Invalid review status 'APPROVED'. Use 'UNDER_REVIEW' instead.",
    )
    known |= {"reviewStatus": "UNDER_REVIEW", "linksModuleData": {"uris": [link]}}
    assert classes.update(resourceId=CLASS, body=known).execute()["linksModuleData"] == {"uris": [link]}
    patched = classes.patch(resourceId=CLASS, body={"homepageUri": link, "reviewStatus": "UNDER_REVIEW"})
    assert patched.execute()["rewardsTier"] == "Gold"
    message = {"header": "Hello", "body": "Class"}
    said = classes.addmessage(resourceId=CLASS, body={"message": message}).execute()
    assert said["resource"]["messages"] == [message]

    objects.insert(body=loyalty_object()).execute()
    known = objects.get(resourceId=CARD).execute()
    assert (known["hasUsers"], known["classReference"]["id"]) == (False, CLASS)
    known["linksModuleData"]["uris"].append({"uri": "https://kofe.example"})
    assert len(objects.update(resourceId=CARD, body=known).execute()["linksModuleData"]["uris"]) == 2
    assert objects.patch(resourceId=CARD, body={"state": "EXPIRED"}).execute()["state"] == "EXPIRED"
    said = objects.addmessage(resourceId=CARD, body={"message": message}).execute()
    assert said["resource"]["messages"] == [message]
    listed = objects.list(classId=CLASS, maxResults=1).execute()
    assert [each["id"] for each in listed["resources"]] == [CARD]
    assert [each["id"] for each in classes.list(issuerId=ISSUER).execute()["resources"]] == [CLASS]
    assert "classReference is set by Google" in google.lints()


def test_a_batch_of_googles_client(google: RunningGoogle, client: Any) -> None:
    objects = client.loyaltyobject()
    batch = BatchHttpRequest(batch_uri=f"{google.url}/batch")
    answers: dict[str, Any] = {}

    def heard(number: str, answer: Any, fault: HttpError | None) -> None:
        answers[number] = answer["id"] if fault is None else fault.status_code

    for number in range(3):
        body = loyalty_object(f"{ISSUER}.batch.{number}")
        batch.add(objects.insert(body=body), callback=heard, request_id=f"card {number}")
    batch.add(objects.insert(body=loyalty_object(f"{ISSUER}.batch.0")), callback=heard, request_id="again")
    batch.add(objects.patch(resourceId=f"{ISSUER}.none", body={}), callback=heard, request_id="none")
    google.turn(shuffle_batch=True)
    batch.execute()
    google.turn(shuffle_batch=False)
    assert answers == {f"card {number}": f"{ISSUER}.batch.{number}" for number in range(3)} | {
        "again": 409,
        "none": 404,
    }


def test_issuers_permissions_and_links(google: RunningGoogle, client: Any, account: dict[str, Any]) -> None:
    made = client.issuer().insert(body={"name": "Chai", "homepageUrl": "https://chai.example"}).execute()
    assert {each["issuerId"] for each in client.issuer().list().execute()["resources"]} == {
        ISSUER,
        made["issuerId"],
    }
    renamed = client.issuer().patch(resourceId=made["issuerId"], body={"name": "Чай"}).execute()
    assert (renamed["name"], renamed["homepageUrl"]) == ("Чай", "https://chai.example")
    listed = client.permissions().get(resourceId=ISSUER).execute()
    assert listed["permissions"] == [{"emailAddress": account["client_email"], "role": "WRITER"}]

    claims = {
        "iss": account["client_email"],
        "aud": "google",
        "typ": "savetowallet",
        "iat": int(time.time()),
        "payload": {"loyaltyObjects": [loyalty_object(f"{ISSUER}.linked")]},
    }
    signed = ENCODE(SIGNER.from_service_account_info(account), claims).decode()
    assert client.jwt().validate(body={"jwtResource": {"jwt": signed}}).execute() == {}
    assert f"{ISSUER}.linked" not in google.objects()
    link = client.jwt().insert(body={"jwt": signed}).execute()
    assert link["saveUri"] == f"{google.save_url}/{signed}"
    assert [each["id"] for each in link["resources"]["loyaltyObjects"]] == [f"{ISSUER}.linked"]
    assert google.tap(signed) == [f"{ISSUER}.linked"]
    assert google.objects()[f"{ISSUER}.linked"]["hasUsers"] is True


def test_a_client_that_was_thrown_out(google: RunningGoogle, client: Any) -> None:
    stranger = built(google, google.service_account("4499000000000000000", name="stranger"))
    assert refusal(stranger.loyaltyclass().get(resourceId=CLASS)) == (403, "Permission Denied")
    stranger.close()
    status, reason = refusal(client.loyaltyobject().insert(body={"colour": "red"}))
    assert (status, "Unknown name" in reason) == (400, True)
    google.ask(lambda simulator: simulator.tokens.revoke())
    assert client.loyaltyclass().get(resourceId=CLASS).execute()["id"] == CLASS  # it asked for a new token
