"""Bodies of classes and objects: whatever a card says, Google's own document has nothing against them."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.db.identifiers import CardCode, GoogleIssuerId, ProgrammeId, SerialNumber
from app.passes import google_ids, google_patches
from app.passes.content import LocalizedText, Location, Message, PassContent, PassIdentity
from app.passes.google_addresses import Addresses
from app.passes.google_class import CLASS_FIELDS, GoogleDesign, Sharing, class_body, prepare
from app.passes.google_object import BALANCES, OBJECT_FIELDS, message_body, message_id, object_body
from tests.passes import card, templates
from tests.passes.google_rules import faults

ISSUER = GoogleIssuerId("3388000000022141777")
ADDRESSES = Addresses("https://cards.example.com")
SHARING = Sharing(
    brand_name="Берёзка",
    language="ru",
    currency="RUB",
    places=((59.93, 30.33), (55.75, 37.61)),
    addresses=ADDRESSES,
)
CLASS = f"{ISSUER}.p1.card"
WITHDRAWAL = "https://cards.example.com/stop/abc"


def google(name: templates.Name) -> GoogleDesign:
    made = prepare(templates.design(name))
    assert made is not None
    return made


def of_class(name: templates.Name = "bonus_card", **changed: Any) -> dict[str, Any]:
    design = google(name)
    tier = design.tier(templates.TIERS[1])
    return class_body(design, replace(SHARING, **changed), resource_id=CLASS, tier=tier)


def of_object(name: templates.Name = "bonus_card", **changed: Any) -> dict[str, Any]:
    return body_of(google(name), templates.guest(name, **changed))


def body_of(design: GoogleDesign, content: PassContent) -> dict[str, Any]:
    identity = replace(card.IDENTITY, withdrawal_url=WITHDRAWAL)
    resource_id = google_ids.object_id(ISSUER, identity.serial_number)
    return object_body(
        design, content, identity, resource_id=resource_id, class_id=CLASS, addresses=ADDRESSES
    )


words = st.text(st.characters(codec="utf-8", exclude_categories=["Cs"]), max_size=40)
localized = st.builds(LocalizedText, words, words)
contents = st.builds(
    PassContent,
    language=st.sampled_from(["ru", "en"]),
    card_code=st.from_regex(r"[A-Z0-9]{4,12}", fullmatch=True).map(CardCode),
    member_name=st.none() | words,
    balance=st.integers(-(2**63), 2**63),
    tier=st.none() | st.sampled_from(templates.TIERS) | localized,
    stamps=st.integers(0, 2**40),
    messages=st.lists(
        st.builds(Message, localized, st.just(card.NOW), words), max_size=5, unique_by=message_id
    ).map(tuple),
    locations=st.lists(st.builds(Location, st.floats(-90, 90), st.floats(-180, 180)), max_size=10).map(tuple),
    voided=st.booleans(),
    blocked=st.booleans(),
)


@settings(max_examples=50)
@given(content=contents, name=st.sampled_from(templates.NAMES), before=contents)
def test_whatever_a_card_says_its_object_is_one_that_google_takes(
    content: PassContent, name: templates.Name, before: PassContent
) -> None:
    design = google(name)
    body = body_of(design, content)
    told = [message_body(design, said, content.language, notify=False) for said in content.messages]
    assert faults(body | {"messages": told}, "LoyaltyObject") == []
    sent = google_patches.digests(body_of(design, before))
    for known in (sent, None):
        changed = google_patches.patch(body, known, OBJECT_FIELDS)
        assert faults(changed, "LoyaltyObject", patch=True) == []
        assert "id" not in changed
    json.dumps(body).encode()


@settings(max_examples=25)
@given(
    content=contents,
    before=contents,
    name=st.sampled_from(templates.NAMES),
)
def test_a_patch_leads_from_any_card_to_any_other(
    content: PassContent, before: PassContent, name: templates.Name
) -> None:
    design = google(name)
    wanted, had = body_of(design, content), body_of(design, before)
    patch = google_patches.patch(wanted, google_patches.digests(had), OBJECT_FIELDS)
    assert _patched(had, patch) == wanted
    assert google_patches.patch(wanted, google_patches.digests(wanted), OBJECT_FIELDS) == {}


def _patched(resource: dict[str, Any], patch: dict[str, Any]) -> dict[str, Any]:
    """As Google does it: objects merge, arrays are replaced, null clears."""
    merged = dict(resource)
    for field, value in patch.items():
        if value is None:
            merged.pop(field, None)
        elif isinstance(value, dict) and isinstance(merged.get(field), dict):
            merged[field] = _patched(merged[field], value)
        else:
            merged[field] = value
    return merged


@settings(max_examples=25)
@given(
    name=st.sampled_from(templates.NAMES),
    brand=st.text(min_size=1, max_size=60),
    language=st.sampled_from(["ru", "en"]),
    tier=st.none() | st.sampled_from(templates.TIERS) | localized,
    places=st.lists(st.tuples(st.floats(-90, 90), st.floats(-180, 180)), max_size=30),
    currency=st.from_regex(r"[A-Z]{3}", fullmatch=True),
)
def test_whatever_a_brand_is_its_class_is_one_that_google_takes(
    name: templates.Name, brand: str, language: Any, tier: Any, places: Any, currency: str
) -> None:
    sharing = Sharing(
        brand_name=brand, language=language, currency=currency, places=places, addresses=ADDRESSES
    )
    design = google(name)
    key = google_ids.tier_key(design.tier(tier))
    resource_id = google_ids.class_id(ISSUER, ProgrammeId(12), key)
    body = class_body(design, sharing, resource_id=resource_id, tier=design.tier(tier))
    assert faults(body, "LoyaltyClass") == []
    assert set(body) <= {*CLASS_FIELDS, "id", "reviewStatus"}


@pytest.mark.parametrize("name", templates.NAMES)
def test_ours_say_everything_in_both_languages_and_show_our_pictures(name: templates.Name) -> None:
    body = of_class(name)
    assert body["programName"] == "Берёзка бонус"
    assert body["localizedProgramName"]["translatedValues"] == [{"language": "en", "value": "Berezka bonus"}]
    assert body["programLogo"]["sourceUri"]["uri"].startswith("https://cards.example.com/google/images/")
    assert body["heroImage"] != body["programLogo"]
    assert body["callbackOptions"] == {"url": "https://cards.example.com/google/callbacks"}
    assert body["reviewStatus"] == "UNDER_REVIEW"
    assert body["countryCode"] == "RU"
    assert body["merchantLocations"][0] == {"latitude": 59.93, "longitude": 30.33}
    assert [each["id"] for each in body["linksModuleData"]["uris"]] == ["offers", "terms", "privacy"]
    assert body["textModulesData"][0]["localizedHeader"]["defaultValue"]["value"] == "Как это работает"
    rows = body["classTemplateInfo"]["cardTemplateOverride"]["cardRowTemplateInfos"]
    assert rows
    assert ("rewardsTier" in body) == (name == "tiered_card")


def test_a_tier_is_of_the_class_and_colours_it() -> None:
    design = google("tiered_card")
    bodies = [
        class_body(design, SHARING, resource_id=CLASS, tier=design.tier(tier)) for tier in templates.TIERS
    ]
    assert [each["rewardsTier"] for each in bodies] == ["Гость", "Друг", "Родня"]
    assert len({each["hexBackgroundColor"] for each in bodies}) > 1
    assert google("bonus_card").tier(templates.TIERS[0]) is None


def test_a_row_without_its_text_is_not_there() -> None:
    design = google("bonus_card")
    rows = (("class.textModulesData['rules']", "object.accountName"), ("class.rewardsTier",))
    common = design.google.loyalty_class.model_copy(update={"rows": rows, "text_modules_data": ()})
    changed = replace(design, google=design.google.model_copy(update={"loyalty_class": common}))
    body = class_body(changed, SHARING, resource_id=CLASS, tier=None)
    assert body["classTemplateInfo"]["cardTemplateOverride"]["cardRowTemplateInfos"] == [
        {"oneItem": {"item": {"firstValue": {"fields": [{"fieldPath": "object.accountName"}]}}}}
    ]


@pytest.mark.parametrize(("currency", "country"), [("EUR", None), ("XOF", None), ("KZT", "KZ")])
def test_the_country_is_the_currencys(currency: str, country: str | None) -> None:
    assert of_class(currency=currency).get("countryCode") == country


@pytest.mark.parametrize(
    ("public", "reached"),
    [
        ("https://cards.example.com", True),
        ("http://127.0.0.1:8000", True),
        ("http://cards.example.com", False),
    ],
)
def test_google_is_told_only_of_callbacks_that_it_would_make(public: str, reached: bool) -> None:
    body = of_class(addresses=Addresses(public))
    assert body.get("callbackOptions") == ({"url": f"{public}/google/callbacks"} if reached else None)


def test_a_guest_sees_name_number_points_code_and_the_way_out() -> None:
    body = of_object(balance=125_050)
    assert body["accountName"] == "Алёна Ж."
    assert body["accountId"] == body["barcode"]["value"] == body["barcode"]["alternateText"] == "K7Q2M9XA"
    assert body["loyaltyPoints"]["balance"] == {"string": "1\u00a0250,5"}  # as Apple's phones spell it
    english = of_object(balance=125_050, language="en")
    assert english["loyaltyPoints"]["balance"] == {"string": "1,250.5"}
    assert body["loyaltyPoints"]["label"] == "Баллы"
    assert body["loyaltyPoints"]["localizedLabel"]["translatedValues"][0]["value"] == "Points"
    assert body["state"] == "ACTIVE"
    assert body["linksModuleData"]["uris"][0]["uri"] == WITHDRAWAL
    assert len(body["merchantLocations"]) == 2


def test_stamps_and_what_is_missing_stand_on_a_stamp_card() -> None:
    body = of_object("stamp_card", stamps=2)
    assert body["loyaltyPoints"]["balance"] == {"string": "2"}
    assert body["secondaryLoyaltyPoints"]["balance"] == {"string": "4"}


def test_a_blocked_card_is_inactive_without_code_and_places_and_comes_back() -> None:
    blocked = of_object(blocked=True)
    assert blocked["state"] == "INACTIVE"
    assert blocked["accountName"] == "Алёна Ж."
    assert not {"barcode", "merchantLocations"} & blocked.keys()
    patch = google_patches.patch(blocked, google_patches.digests(of_object()), OBJECT_FIELDS)
    assert patch == {"state": "INACTIVE", "barcode": None, "merchantLocations": None}


def test_a_tombstone_says_nothing_of_its_guest() -> None:
    gone = of_object(voided=True, messages=())
    assert gone == {"id": f"{ISSUER}.{card.IDENTITY.serial_number}", "classId": CLASS, "state": "EXPIRED"}
    patch = google_patches.patch(gone, google_patches.digests(of_object()), OBJECT_FIELDS)
    assert patch.pop("state") == "EXPIRED"
    assert set(patch.values()) == {None}
    assert {"accountName", "accountId", "barcode", "loyaltyPoints"} <= patch.keys()


def test_only_what_changed_is_sent() -> None:
    before = google_patches.digests(of_object(balance=100))
    assert google_patches.patch(of_object(balance=100), before, OBJECT_FIELDS) == {}
    changed = google_patches.patch(of_object(balance=300), before, OBJECT_FIELDS)
    assert changed.keys() == {"loyaltyPoints"}
    assert BALANCES[0] in changed
    doubted = google_patches.doubted(before, changed)
    again = google_patches.patch(of_object(balance=100), doubted, OBJECT_FIELDS)
    assert again.keys() == {"loyaltyPoints"}, "whether it arrived is not known"
    everything = google_patches.patch(of_object("stamp_card"), None, OBJECT_FIELDS)
    assert everything.keys() == set(OBJECT_FIELDS)


def test_a_message_keeps_its_name_and_another_text_is_another_message() -> None:
    said = Message(LocalizedText("Начислено 5", "5 added"), card.NOW, "receipt:17")
    design = google("bonus_card")
    body = message_body(design, said, "en", notify=True)
    assert faults(body, "Message") == []
    assert body["messageType"] == "TEXT_AND_NOTIFY"
    assert body["body"] == "5 added"
    assert body["localizedBody"]["translatedValues"] == [{"language": "ru", "value": "Начислено 5"}]
    assert message_body(design, said, "en", notify=False)["messageType"] == "TEXT"
    assert message_id(said) == message_id(replace(said, at=card.NOW + timedelta(days=1)))
    assert message_id(said) != message_id(replace(said, text=LocalizedText("Списано 5", "5 spent")))
    assert message_id(said).startswith("receipt-17-")


def test_identifiers_say_what_they_are_for() -> None:
    gold = LocalizedText("Золотой уровень", "Gold level")
    key = google_ids.tier_key(gold)
    assert key.startswith("gold-level-")
    assert google_ids.tier_key(LocalizedText("Золото", "Gold level")) != key
    assert google_ids.tier_key(LocalizedText("Золото", "")) != ""
    assert google_ids.class_id(ISSUER, ProgrammeId(3), "") == f"{ISSUER}.p3.card"
    assert google_ids.class_id(ISSUER, ProgrammeId(3), key) == f"{ISSUER}.p3.card.{key}"
    odd = google_ids.object_id(ISSUER, SerialNumber("a/b c"))
    assert odd != google_ids.object_id(ISSUER, SerialNumber("a/b c"))
    assert google_ids.is_issuer(ISSUER)
    assert not google_ids.is_issuer("issuer")


def test_a_design_without_google_is_none_of_googles() -> None:
    assert prepare(card.design()) is None


def test_an_identity_without_a_way_out_has_no_empty_link() -> None:
    identity = PassIdentity(card.PASS_TYPE, SerialNumber("abc"), "token")
    body = object_body(
        google("bonus_card"),
        templates.guest("bonus_card"),
        identity,
        resource_id=f"{ISSUER}.abc",
        class_id=CLASS,
        addresses=ADDRESSES,
    )
    assert "linksModuleData" not in body
