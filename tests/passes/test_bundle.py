"""The bundle, told by witnesses that share no code with it: openssl, zipfile and json."""

from __future__ import annotations

import hashlib
import io
import json
import subprocess
import zipfile
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.db.identifiers import CardCode, PassTypeIdentifier
from app.errors import BadInput, Misconfigured
from app.passes.bundle import PreparedDesign, build, prepare
from app.passes.content import LocalizedText, Location, Message, PassContent
from app.passes.signing import Signer
from app.simulators.authority import Authority
from tests.passes import card, templates


def made(prepared: PreparedDesign, content: PassContent, *, at: datetime = card.NOW) -> dict[str, bytes]:
    return card.unpacked(build(content, card.IDENTITY, prepared, signing_time=at))


def openssl(*arguments: str | Path, stdin: bytes | None = None) -> str:
    done = subprocess.run(["openssl", *map(str, arguments)], input=stdin, capture_output=True, check=False)
    assert done.returncode == 0, done.stderr.decode()
    return done.stdout.decode("utf-8", "replace") + done.stderr.decode("utf-8", "replace")


def verify(files: dict[str, bytes], authority: Authority, directory: Path, at: datetime) -> str:
    for name in ("signature", "manifest.json"):
        (directory / name).write_bytes(files[name])
    return openssl(
        "cms", "-verify", "-binary", "-inform", "DER", "-purpose", "any", "-attime", str(int(at.timestamp())),
        "-in", directory / "signature", "-content", directory / "manifest.json",
        "-CAfile", authority.root, "-out", "/dev/null",
    )  # fmt: skip


@pytest.mark.parametrize("language", ["ru", "en"])
def test_openssl_trusts_the_signature_with_nothing_but_the_root(
    prepared: PreparedDesign, authority: Authority, tmp_path: Path, language: Any
) -> None:
    files = made(prepared, card.content(language=language))
    assert "successful" in verify(files, authority, tmp_path, card.NOW)


@pytest.mark.parametrize("name", templates.NAMES)
def test_openssl_trusts_the_cards_of_every_template(
    signer: Signer, authority: Authority, tmp_path: Path, name: templates.Name
) -> None:
    design = prepare(templates.design(name), signer, web_service_url=card.SERVICE)
    for stamps in (0, 4):
        files = made(design, templates.guest(name, stamps=stamps))
        assert "successful" in verify(files, authority, tmp_path, card.NOW)


def test_openssl_refuses_a_manifest_that_was_touched(
    prepared: PreparedDesign, authority: Authority, tmp_path: Path
) -> None:
    files = made(prepared, card.content())
    files["manifest.json"] += b" "
    with pytest.raises(AssertionError):
        verify(files, authority, tmp_path, card.NOW)


def test_the_signature_is_canonical_der_with_sha256_and_the_time(
    prepared: PreparedDesign, tmp_path: Path
) -> None:
    files = made(prepared, card.content(), at=datetime(2026, 11, 21, 12, 0, 7, tzinfo=UTC))
    (tmp_path / "signature").write_bytes(files["signature"])
    shown = openssl("cms", "-cmsout", "-print", "-inform", "DER", "-in", tmp_path / "signature")
    assert "UTCTIME:Nov 21 12:00:07 2026 GMT" in shown
    assert "sha256 (2.16.840.1.101.3.4.2.1)" in shown
    assert "sha1" not in shown.lower().split("signerinfos:")[1]
    assert (
        shown.index("contentType (1.2.840.113549.1.9.3)")
        < shown.index("signingTime (")
        < shown.index("messageDigest (")
    )
    again = tmp_path / "again"
    openssl(
        "cms", "-cmsout", "-inform", "DER", "-outform", "DER", "-in", tmp_path / "signature", "-out", again
    )
    assert again.read_bytes() == files["signature"]


def test_a_signature_after_2049_is_still_read(prepared: PreparedDesign, tmp_path: Path) -> None:
    files = made(prepared, card.content(), at=datetime(2051, 1, 2, 3, 4, 5, tzinfo=UTC))
    (tmp_path / "signature").write_bytes(files["signature"])
    shown = openssl("cms", "-cmsout", "-print", "-inform", "DER", "-in", tmp_path / "signature")
    assert "GENERALIZEDTIME:Jan  2 03:04:05 2051 GMT" in shown


def test_the_manifest_names_every_file_but_itself_and_the_signature(prepared: PreparedDesign) -> None:
    files = made(prepared, card.content())
    manifest = json.loads(files["manifest.json"])
    assert manifest == {
        path: hashlib.sha1(data).hexdigest()
        for path, data in files.items()
        if path not in ("manifest.json", "signature")
    }
    assert {"icon.png", "pass.json", "ru.lproj/pass.strings", "en.lproj/pass.strings"} <= set(manifest)


def test_the_archive_is_flat_stored_and_of_a_fixed_time(prepared: PreparedDesign) -> None:
    bundle = build(card.content(), card.IDENTITY, prepared, signing_time=card.NOW)
    with zipfile.ZipFile(io.BytesIO(bundle)) as archive:
        for member in archive.infolist():
            assert member.compress_type == zipfile.ZIP_STORED
            assert member.date_time == (1980, 1, 1, 0, 0, 0)
            assert not member.is_dir()
            assert member.external_attr >> 16 == 0o100644


def test_a_new_signature_is_not_a_change(prepared: PreparedDesign) -> None:
    early = made(prepared, card.content())
    late = made(prepared, card.content(), at=card.NOW + timedelta(days=3))
    assert early.pop("signature") != late.pop("signature")
    assert early == late


def test_pass_json_says_it_in_the_holders_language(prepared: PreparedDesign) -> None:
    document = json.loads(made(prepared, card.content())["pass.json"])
    fields = {field["key"]: field for group in document["storeCard"].values() for field in group}
    assert document["serialNumber"] == card.IDENTITY.serial_number
    assert document["authenticationToken"] == card.IDENTITY.authentication_token
    assert document["webServiceURL"] == card.SERVICE
    assert document["formatVersion"] == 1
    assert document["organizationName"] == "Берёзка"
    assert document["description"] == "Карта гостя «Берёзки»"
    assert fields["balance"]["value"] == 1250.5
    assert fields["tier"]["value"] == "Золотой"
    assert fields["member"]["value"] == "Алёна Ж."
    assert fields["latest_message"]["value"] == 'Кофе "за так" 50 %'
    assert fields["latest_message"]["changeMessage"] == "%@"
    assert fields["messages"]["value"] == (
        '21.11.2026 — Кофе "за так" 50 %\n\n21.11.2026 — Начислено 12,5 балла'
    )
    assert [field for field in fields.values() if "changeMessage" in field] == [fields["latest_message"]]
    assert document["barcodes"] == [
        {
            "format": "PKBarcodeFormatQR",
            "message": "K7Q2M9XA",
            "messageEncoding": "iso-8859-1",
            "altText": "K7Q2M9XA",
        }
    ]
    assert document["locations"] == [
        {"latitude": 59.93428, "longitude": 30.335099, "relevantText": "Мы рядом: Невский, 1"},
        {"latitude": -33.8688, "longitude": 151.2093},
    ]
    assert "rules" not in fields  # the brand has no such text
    assert "voided" not in document


def test_the_other_language_is_one_look_up_away(prepared: PreparedDesign) -> None:
    files = made(prepared, card.content())
    english = files["en.lproj/pass.strings"].decode()
    assert '"Золотой" = "Gold";\n' in english
    assert '"Кофе \\"за так\\" 50 %" = "Coffee \\"on us\\" 50 %";\n' in english
    assert '"Мы рядом: Невский, 1" = "Near you: Nevsky 1";\n' in english
    assert '"Пишите: help@example.com" = "Write: help@example.com";\n' in english
    assert '"Карта гостя «Берёзки»" = "Berezka guest card";\n' in english
    assert '"Points" = "Баллы";\n' in files["ru.lproj/pass.strings"].decode()
    assert (
        "Gold"
        in json.loads(made(prepared, card.content(language="en"))["pass.json"])["storeCard"]["headerFields"][
            0
        ]["value"]
    )


def test_what_is_missing_leaves_no_null_behind(prepared: PreparedDesign) -> None:
    bare = card.content(member_name=None, tier=None, messages=(), locations=(), stamps=0, balance=0)
    document = json.loads(made(prepared, bare)["pass.json"])
    assert b"null" not in made(prepared, bare)["pass.json"]
    keys = [field["key"] for group in document["storeCard"].values() for field in group]
    assert keys == ["balance", "latest_message", "support"]
    assert document["storeCard"]["backFields"][0]["value"] == "Your news will appear here."
    assert "locations" not in document


def test_a_voided_pass_knows_nothing_of_its_guest(prepared: PreparedDesign) -> None:
    files = made(prepared, card.content(voided=True))
    document = json.loads(files["pass.json"])
    assert document["voided"] is True
    assert document["serialNumber"] == card.IDENTITY.serial_number
    assert "barcodes" not in document
    assert "locations" not in document
    everything = b"".join(files.values()).decode("utf-8", "replace")
    for secret in ("Алёна", "K7Q2M9XA", "1250", "Золотой", "Gold", "за так", "Невский", "Coffee"):
        assert secret not in everything


@pytest.mark.parametrize(
    ("balance", "shown"),
    [(0, "0"), (1, "0.01"), (100, "1"), (-50, "-0.5"), (1_000_000, "10000"), (-12_345, "-123.45")],
)
def test_points_are_numbers_that_the_phone_formats(
    prepared: PreparedDesign, balance: int, shown: str
) -> None:
    document = made(prepared, card.content(balance=balance))["pass.json"].decode()
    assert f'"value":{shown}}}' in document


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"card_code": CardCode("КОД")}, "card-code-not-ascii"),
        ({"card_code": CardCode("")}, "card-code-not-ascii"),
        ({"locations": (Location(1.0, 2.0),) * 11}, "too-many-locations"),
        ({"locations": (Location(90.1, 0.0),)}, "location-not-on-earth"),
        ({"locations": (Location(0.0, -180.5),)}, "location-not-on-earth"),
        ({"locations": (Location(float("nan"), 0.0),)}, "location-not-on-earth"),
        (
            {"messages": (Message(LocalizedText("а", "a"), card.NOW, "x"),) * 6},
            "too-many-messages",
        ),
    ],
)
def test_content_that_ios_would_refuse_is_not_built(
    prepared: PreparedDesign, changes: dict[str, Any], code: str
) -> None:
    with pytest.raises(BadInput) as refused:
        made(prepared, card.content(**changes))
    assert refused.value.code == code


def test_an_identity_of_another_pass_type_is_not_built(prepared: PreparedDesign) -> None:
    stranger = replace(card.IDENTITY, pass_type_identifier=PassTypeIdentifier("pass.com.example.other"))
    with pytest.raises(ValueError, match=r"pass\.com\.example\.other"):
        build(card.content(), stranger, prepared, signing_time=card.NOW)


def test_a_design_is_not_prepared_for_a_strangers_certificate(signer: Signer) -> None:
    other = card.design(
        values=card.values(pass_type_identifier="pass.com.example.other", team_identifier="ZZZZZZZZZZ")
    )
    with pytest.raises(Misconfigured) as refused:
        prepare(other, signer, web_service_url=card.SERVICE)
    assert len(refused.value.faults) == 2


@pytest.mark.parametrize(
    "url",
    ["http://cards.example.com/passkit", "cards.example.com", "https://cards.example.com/v1", "ftp://x/"],
)
def test_a_web_service_that_ios_would_refuse_is_not_prepared(signer: Signer, url: str) -> None:
    with pytest.raises(Misconfigured):
        prepare(card.design(), signer, web_service_url=url)


def test_http_is_excused_on_loopback(signer: Signer) -> None:
    prepared = prepare(card.design(), signer, web_service_url="http://127.0.0.1:8000/passkit")
    document = json.loads(made(prepared, card.content())["pass.json"])
    assert document["webServiceURL"] == "http://127.0.0.1:8000/passkit"


def test_a_name_that_is_no_text_does_not_cost_the_card(prepared: PreparedDesign) -> None:
    files = made(prepared, card.content(member_name="Алё\ud800на", tier=LocalizedText("\udfff\a", "Gold")))
    assert "Алё?на" in json.loads(files["pass.json"])["storeCard"]["secondaryFields"][0]["value"]
    assert '"?\a" = "Gold";' in files["en.lproj/pass.strings"].decode()


anything = st.text(max_size=40)
words = st.builds(LocalizedText, anything, anything)
contents = st.builds(
    PassContent,
    language=st.sampled_from(["ru", "en"]),
    card_code=st.text("ABCDEFGHJKLMNPQRSTUVWXYZ23456789", min_size=8, max_size=8).map(CardCode),
    member_name=st.none() | anything,
    balance=st.integers(-(10**12), 10**12),
    tier=st.none() | words,
    stamps=st.integers(0, 1000),
    messages=st.lists(
        st.builds(
            Message,
            words,
            st.datetimes(datetime(2020, 1, 1), datetime(2040, 1, 1), timezones=st.just(UTC)),
            st.just("x"),
        ),
        max_size=5,
    ).map(tuple),
    locations=st.lists(
        st.builds(Location, st.floats(-90, 90), st.floats(-180, 180), st.none() | words), max_size=10
    ).map(tuple),
    voided=st.booleans(),
)


@given(content=contents)
def test_any_guest_gives_valid_json_and_the_same_manifest_twice(
    prepared: PreparedDesign, content: PassContent
) -> None:
    once = made(prepared, content)
    stored = PassContent.from_json(json.loads(json.dumps(content.to_json())))
    twice = made(prepared, stored, at=card.NOW + timedelta(hours=1))
    assert once["manifest.json"] == twice["manifest.json"]
    document = json.loads(once["pass.json"])
    values = {f["key"]: f["value"] for group in document["storeCard"].values() for f in group}
    if not content.voided:
        assert round(values["balance"] * 100) == content.balance
        assert values.get("member") == (content.member_name or None)
