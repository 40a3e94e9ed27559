"""What Google's stand-in demands of bodies: its document's schemas, its prose, the order of review."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

import pytest

from app.simulators.google import ISSUER, RunningGoogle, running
from app.simulators.google_discovery import discovery
from app.simulators.google_rules import RULES
from app.simulators.google_schema import checked, in_legacy_casing
from tests.simulators.discovery_document import CUT, cut, installed
from tests.simulators.google_caller import ANNA, CLASS, CLIENT, Caller

PLACE = {"latitude": 55.75, "longitude": 37.62}
IMAGE = {"sourceUri": {"uri": "https://kofe.example/a.png"}}


def text(value: str, language: str = "ru") -> dict[str, Any]:
    return {"defaultValue": {"language": language, "value": value}}


@pytest.fixture(scope="module")
def call() -> Iterator[Caller]:
    with running() as google:
        google.turn(requests_per_second=None)
        caller = Caller(google)
        caller.card()
        yield caller


@pytest.fixture
def google(call: Caller) -> RunningGoogle:
    return call.google


def test_the_cut_is_what_the_package_holds() -> None:
    assert json.loads(CUT.read_text(encoding="utf-8")) == cut(installed())
    assert discovery().revision == "20260806"
    assert "Apache-2.0" in json.loads(CUT.read_text(encoding="utf-8"))["about"]["licence"]


def said(answer: Any) -> str:
    assert answer.status_code == 400
    return str(answer.json()["error"]["message"])


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"colour": "red"}, 'Unknown name "colour": Cannot find field.'),
        ({"hexBackgroundColor": "#fff"}, 'Unknown name "hexBackgroundColor"'),  # classes alone have it
        ({"notifications": {}}, 'Unknown name "notifications"'),
        ({"loyaltyPoints": {"type": "points"}}, "'loyalty_points'"),
        ({"loyaltyPoints": {"balance": {"int": 2**31}}}, "(TYPE_INT32)"),
        ({"loyaltyPoints": {"balance": {"int": "5"}}}, "(TYPE_INT32)"),
        ({"loyaltyPoints": {"balance": {"int": True}}}, "(TYPE_INT32)"),
        ({"loyaltyPoints": {"balance": {"money": {"micros": "1e6"}}}}, "(TYPE_INT64)"),
        ({"loyaltyPoints": {"balance": {"money": {"micros": 2**63}}}}, "(TYPE_INT64)"),
        ({"merchantLocations": PLACE}, "(TYPE_ARRAY)"),
        ({"merchantLocations": [{"latitude": "55"}]}, "'merchant_locations[0].latitude' (TYPE_DOUBLE)"),
        ({"textModulesData": [None]}, "'text_modules_data[0]'"),
        ({"state": "VOID"}, "(TYPE_ENUM)"),
        ({"notifyPreference": "NOTIFY"}, "(TYPE_ENUM)"),
        ({"notifyPreference": "notifyOnUpdate"}, "(TYPE_ENUM)"),
        ({"accountId": 7}, "(TYPE_STRING)"),
        ({"disableExpirationNotification": 1}, "(TYPE_BOOLEAN)"),
    ],
)
def test_what_is_not_of_the_schema_is_refused_by_the_front_end(
    call: Caller, changes: dict[str, Any], words: str
) -> None:
    answer = call.change(**changes)
    assert words in said(answer)
    error = answer.json()["error"]
    assert (error["status"], error["errors"][0]["reason"]) == ("INVALID_ARGUMENT", "invalid")
    assert error["details"][0]["fieldViolations"]
    assert "domain" not in error["errors"][0]


BROKEN: dict[str, list[tuple[str, dict[str, Any]]]] = {
    "loyaltyObject": [
        ("id, classId and state", {"state": None}),
        ("merchantLocations: at most 10", {"merchantLocations": [PLACE] * 11}),
        ("messages: at most 10", {"messages": [{"id": str(number)} for number in range(11)]}),
        ("valueAddedModuleData: at most 15", {"valueAddedModuleData": [{}] * 16}),
        ("only ASCII", {"smartTapRedemptionValue": "Анна"}),
        ("at most 50", {"linkedObjectIds": [f"{ISSUER}.{number}" for number in range(51)]}),
        ("only be set for offers", {"disableExpirationNotification": True}),
        ("balance is required", {"loyaltyPoints": {"label": "Points"}}),
        ("only one of string, int", {"loyaltyPoints": {"balance": {"int": 5, "string": "5"}}}),
        ("micros and currencyCode", {"loyaltyPoints": {"balance": {"money": {"micros": 1}}}}),
        ("exactly one of sourceUri", {"heroImage": IMAGE | {"privateImageId": "1"}}),
        ("exactly one of sourceUri", {"heroImage": {"contentDescription": text("Кофе")}}),
        ("uri must have a scheme", {"heroImage": {"sourceUri": {"uri": "kofe.example/a.png"}}}),
        ("uri must have a scheme", {"linksModuleData": {"uris": [{"uri": "kofe.example"}]}}),
        ("id: alphanumeric", {"textModulesData": [{"id": "a.b", "body": "c"}]}),
        ("alternateText is not", {"barcode": {"type": "TEXT_ONLY", "alternateText": "1"}}),
        ("renderEncoding is for", {"barcode": {"type": "PDF_417", "renderEncoding": "UTF_8"}}),
        ("type must be QR_CODE or", {"rotatingBarcode": {"type": "AZTEC"}}),
        (
            "only available for the transit",
            {
                "rotatingBarcode": {
                    "type": "QR_CODE",
                    "initialRotatingBarcodeValues": {"values": ["1"], "periodMillis": 1},
                }
            },
        ),
        (
            "both with an offset",
            {
                "validTimeInterval": {
                    "start": {"date": "2026-01-01T00:00:00Z"},
                    "end": {"date": "2026-02-01T00:00:00"},
                }
            },
        ),
        ("expected ISO 8601", {"validTimeInterval": {"start": {"date": "tomorrow"}}}),
        ("expected ISO 8601", {"validTimeInterval": {"start": {"date": "2026-01-01"}}}),
        ("out of bounds", {"merchantLocations": [{"latitude": 91, "longitude": 0}]}),
        ("out of bounds", {"locations": [{"latitude": 0, "longitude": 181}]}),
        ("currently not supported", {"messages": [{"messageType": "EXPIRATION_NOTIFICATION"}]}),
        ("header and uri are required", {"valueAddedModuleData": [{"header": text("Ещё")}]}),
        ("defaultValue is required", {"textModulesData": [{"localizedBody": {"translatedValues": []}}]}),
        (
            "one a language",
            {
                "textModulesData": [
                    {
                        "localizedBody": text("a")
                        | {"translatedValues": [{"language": "en", "value": "b"}] * 2}
                    }
                ]
            },
        ),
        ("language (BCP 47)", {"textModulesData": [{"localizedBody": text("a", "по-русски")}]}),
        ("cannot be linked", {"linkedObjectIds": ["4499000000000000000.a"]}),
    ],
    "loyaltyClass": [
        ("id, issuerName, programName", {"programLogo": None}),
        ("merchantLocations: at most 10", {"merchantLocations": [PLACE] * 11}),
        ("messages: at most 10", {"messages": [{"id": str(number)} for number in range(11)]}),
        ("valueAddedModuleData: at most 15", {"valueAddedModuleData": [{}] * 16}),
        ("expected #rrggbb", {"hexBackgroundColor": "green"}),
        ("expected two letters", {"countryCode": "Russia"}),
        ("url must be https", {"callbackOptions": {"url": "http://kofe.example/google"}}),
        ("at most 3", {"classTemplateInfo": {"cardTemplateOverride": {"cardRowTemplateInfos": [{}] * 4}}}),
        (
            "exactly one of oneItem",
            {"classTemplateInfo": {"cardTemplateOverride": {"cardRowTemplateInfos": [{}]}}},
        ),
        (
            "only one of firstValue",
            {"classTemplateInfo": {"detailsTemplateOverride": {"detailsItemInfos": [{"item": {}}]}}},
        ),
        (
            "no such path",
            {
                "classTemplateInfo": {
                    "listTemplateOverride": {
                        "firstRowOption": {"fieldOption": {"fields": [{"fieldPath": "card.name"}]}}
                    }
                }
            },
        ),
    ],
}


@pytest.mark.parametrize(
    ("resource", "words", "changes"),
    [(resource, *each) for resource, cases in BROKEN.items() for each in cases],
)
def test_what_the_prose_forbids_is_refused_by_the_application(
    call: Caller, resource: str, words: str, changes: dict[str, Any]
) -> None:
    body = ANNA if resource == "loyaltyObject" else CLASS
    for answer in (
        call("PATCH", f"{resource}/{body['id']}", {"reviewStatus": "UNDER_REVIEW"} | changes)
        if resource == "loyaltyClass"
        else call.change(**changes),
        call("POST", resource, body | changes | {"id": f"{ISSUER}.broken"}),
    ):
        assert words in said(answer)
        error = answer.json()["error"]
        assert ("status" in error, error["errors"][0]["domain"]) == (False, "walletobjects")


def test_every_rule_has_a_source_and_a_case() -> None:
    asked = " ".join(words for cases in BROKEN.values() for words, _ in cases)
    for rule in RULES:
        assert re.match(r"\[[DGFS]\]", rule.source), rule
        if not rule.schema.startswith("J"):  # links are tried beside
            assert any(words in rule.words for cases in BROKEN.values() for words, _ in cases), (rule, asked)


@pytest.mark.parametrize("identifier", ["kofe", "kofe.anna", f"{ISSUER}.", f"{ISSUER}.анна", f"{ISSUER}.a b"])
def test_an_identifier_that_is_none(call: Caller, identifier: str) -> None:
    answer = call("POST", "loyaltyObject", ANNA | {"id": identifier})
    assert said(answer) == f"Invalid resource ID: {identifier}"
    assert answer.json()["error"]["errors"][0]["reason"] == "invalidResource"


def test_a_body_that_is_no_message(call: Caller) -> None:
    assert "Root element must be a message" in said(call("POST", "loyaltyObject", [ANNA]))
    url = f"{call.google.url}/walletobjects/v1/loyaltyObject"
    for kind, content in (
        ("text/plain", json.dumps(ANNA).encode()),
        ("application/json", b"{'id': 1}"),
        ("application/json", json.dumps(ANNA | {"accountName": "Ё"}, ensure_ascii=False).encode("cp1251")),
        ("application/json", b""),
    ):
        headers = call.headers | {"content-type": kind}
        assert said(CLIENT.post(url, content=content, headers=headers)).startswith("Invalid JSON payload")
    assert "Cannot bind query parameter" in said(call("POST", "loyaltyObject", ANNA, strict="true"))
    assert "differs from the one in the path" in said(call.change(id=f"{ISSUER}.boris"))
    assert "message is required" in said(call("POST", f"loyaltyObject/{ANNA['id']}/addMessage", {}))


def test_old_spellings_are_taken_with_a_frown(call: Caller, google: RunningGoogle) -> None:
    after = call.change(
        state="completed", barcode={"type": "qrcode", "value": "1"}, accountName="А" * 21
    ).json()
    assert (after["state"], after["barcode"]["type"]) == ("COMPLETED", "QR_CODE")
    assert {
        "state: completed is an old spelling of COMPLETED",
        "barcode.type: qrcode is an old spelling of QR_CODE",
    } <= set(google.lints())
    assert any("longer than the 20" in lint for lint in google.lints())
    call.change(state="ACTIVE", accountName=None)


def test_answers_in_the_old_casing(call: Caller, google: RunningGoogle) -> None:
    google.turn(wire_casing="legacy")
    told = call("GET", f"loyaltyObject/{ANNA['id']}").json()
    google.turn(wire_casing="upper")
    assert "hasUsers" not in told
    assert (told["kind"], told["state"]) == ("walletobjects#loyaltyObject", "active")
    assert told["classReference"]["reviewStatus"] == "approved"
    assert told["classReference"]["programLogo"]["kind"] == "walletobjects#image"
    for schema in ("LoyaltyClass", "LoyaltyObject", "Barcode", "Message"):
        for name, about in discovery().schemas[schema]["properties"].items():
            old = dict(zip(about.get("enum", ()), about.get("enumDeprecated", ()), strict=False))
            for word in (word for word in old if word.isupper() and not old[word]):
                spelt = in_legacy_casing({name: word}, schema)[name]
                assert not spelt.isupper()
                if not word.endswith("UNSPECIFIED") and word != "TEXT_AND_NOTIFY":  # it has no old spelling
                    assert checked({name: spelt}, schema, []) == {name: word}


def test_int64_goes_out_as_a_string(call: Caller) -> None:
    balance = {"money": {"micros": 5_000_000, "currencyCode": "RUB"}}
    after = call.change(loyaltyPoints={"balance": balance}).json()
    assert after["loyaltyPoints"]["balance"]["money"]["micros"] == "5000000"
    after = call.change(loyaltyPoints={"balance": {"money": None, "int": 5}}).json()
    assert after["loyaltyPoints"]["balance"] == {"int": 5}


def test_a_patch_replaces_arrays_whole(call: Caller) -> None:
    call.change(textModulesData=[{"id": "a", "body": "1"}, {"id": "b", "body": "2"}])
    after = call.change(textModulesData=[{"id": "b", "body": "3"}]).json()
    assert after["textModulesData"] == [{"id": "b", "body": "3"}]
    assert "notifyPreference" not in call.change(notifyPreference="NOTIFY_ON_UPDATE").json()
    call.change(messages=[{"id": "m", "messageType": "TEXT_AND_NOTIFY"}])
    assert "messages: only addMessage is told to notify" in call.google.lints()
    call.change(messages=None)


def test_only_parts_that_were_asked_for(call: Caller) -> None:
    path = f"loyaltyObject/{ANNA['id']}"
    assert call("GET", path, fields="id,classReference/id").json() == {
        "id": ANNA["id"],
        "classReference": {"id": CLASS["id"]},
    }
    listed = call("GET", "loyaltyObject", classId=CLASS["id"], fields="resources(id,hasUsers)").json()
    assert listed == {"resources": [{"id": ANNA["id"], "hasUsers": False}]}
    assert call("GET", path, fields="id(").status_code == 400


def test_the_order_of_review(call: Caller) -> None:
    draft = CLASS | {"id": f"{ISSUER}.draft", "reviewStatus": "DRAFT"}
    path = f"loyaltyClass/{draft['id']}"
    assert call("POST", "loyaltyClass", draft | {"reviewStatus": "APPROVED"}).status_code == 400
    assert call("POST", "loyaltyClass", draft).json()["reviewStatus"] == "DRAFT"
    card = ANNA | {"id": f"{ISSUER}.drafted", "classId": draft["id"]}
    assert "is a draft" in said(call("POST", "loyaltyObject", card))
    assert "is a draft" in said(call.change(classId=draft["id"]))
    assert call("PATCH", path, {"programName": "A"}).json()["reviewStatus"] == "DRAFT"
    assert call("PATCH", path, {"reviewStatus": "underReview"}).json()["reviewStatus"] == "APPROVED"
    for changes in ({"programName": "B"}, {"reviewStatus": "APPROVED"}, {"reviewStatus": "DRAFT"}):
        status = changes.get("reviewStatus", "APPROVED")
        assert said(call("PATCH", path, changes)) == (
            f"Invalid review status '{status}'. Use 'UNDER_REVIEW' instead."
        )
    assert call("POST", "loyaltyObject", card).status_code == 200
    assert (
        call("PATCH", f"loyaltyObject/{card['id']}", {"classId": CLASS["id"]}).json()["classId"]
        == CLASS["id"]
    )
    assert call("GET", "loyaltyObject", classId=draft["id"]).json()["resources"] == []
    assert call("PATCH", f"loyaltyObject/{card['id']}", {"classId": f"{ISSUER}.none"}).status_code == 404


def test_what_is_linked_stays_linked(call: Caller) -> None:
    other = ANNA | {"id": f"{ISSUER}.other"}
    assert call("POST", "loyaltyObject", other | {"linkedObjectIds": [f"{ISSUER}.gone"]}).status_code == 404
    assert call("POST", "loyaltyObject", other | {"linkedObjectIds": [ANNA["id"]]}).status_code == 200
    itself = call("PATCH", f"loyaltyObject/{other['id']}", {"linkedObjectIds": [ANNA["id"], other["id"]]})
    assert "cannot be linked" in said(itself)
    unlinked = call("PATCH", f"loyaltyObject/{other['id']}", {"linkedObjectIds": []})
    assert "cannot be unlinked" in said(unlinked)


def test_an_eleventh_message_is_refused(call: Caller) -> None:
    for number in range(10):
        assert call.say(f"m{number}", loud=False).status_code == 200
    assert "at most 10" in said(call.say("m10", loud=False))
    call.change(messages=[])
    assert call.say("m0", loud=False).status_code == 200
    assert (
        len(call.say("m0", loud=False).json()["resource"]["messages"]) == 2
    )  # an equal id is another message
