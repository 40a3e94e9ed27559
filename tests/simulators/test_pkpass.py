"""What the phone accepts and refuses at install."""

from __future__ import annotations

import subprocess
import zipfile
from datetime import UTC, datetime, timedelta
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import pkcs7

from app.simulators.authority import Authority
from app.simulators.pkpass import InvalidPass, Pkpass, open_pkpass, read_strings
from tests.simulators.conftest import PASS_TYPE, TEAM
from tests.simulators.pass_server import document, pkpass

NOW = datetime.now(UTC)


def _open(data: bytes, authority: Authority, *, allow_http: bool = False, now: datetime = NOW) -> Pkpass:
    root = x509.load_pem_x509_certificate(authority.root.read_bytes())
    return open_pkpass(data, root=root, now=now, allow_http=allow_http)


def test_a_well_made_pass_is_installed(authority: Authority, credentials: Path) -> None:
    strings = '"balance_label" = "Баллы \\"плюс\\"";\n'.encode()
    data = pkpass(document(), credentials, files={"ru.lproj/pass.strings": strings, "logo@2x.png": b"logo"})
    opened = _open(data, authority)
    assert (opened.pass_type_identifier, opened.serial_number) == (PASS_TYPE, "card-1")
    assert opened.fields("ru")[0].label == 'Баллы "плюс"'
    assert opened.image("logo") == b"logo"
    assert opened.barcode is not None
    assert abs(opened.signed_at - datetime.now(UTC)) < timedelta(minutes=1)


def test_openssl_and_the_phone_agree_about_a_signature(
    authority: Authority, credentials: Path, tmp_path: Path
) -> None:
    for spoil in ("", "manifest", "signature"):
        data = pkpass(document(), credentials, spoil=spoil)
        with zipfile.ZipFile(BytesIO(data)) as archive:
            archive.extractall(tmp_path)
        openssl = subprocess.run(
            ["openssl", "cms", "-verify", "-binary", "-inform", "DER", "-in", "signature", "-content",
             "manifest.json", "-CAfile", str(authority.root), "-purpose", "any", "-out", "out"],
            cwd=tmp_path, check=False, capture_output=True,
        )  # fmt: skip
        try:
            _open(data, authority)
            opened = True
        except InvalidPass:
            opened = False
        assert opened is (openssl.returncode == 0) is (spoil == "")


@pytest.mark.parametrize(
    ("spoil", "words"),
    [
        ("content", "another hash"),
        ("extra", "not in manifest.json"),
        ("manifest", "not what was signed"),
        ("signature", "does not verify"),
        ("no-wwdr", "WWDR intermediate is not enclosed"),
    ],
)
def test_a_spoilt_archive_is_refused(authority: Authority, credentials: Path, spoil: str, words: str) -> None:
    with pytest.raises(InvalidPass, match=words):
        _open(pkpass(document(), credentials, spoil=spoil), authority)


def test_a_signature_that_encloses_its_content_or_has_no_date_is_refused(
    authority: Authority, credentials: Path
) -> None:
    with pytest.raises(InvalidPass, match="not detached"):
        _open(pkpass(document(), credentials, options=(pkcs7.PKCS7Options.Binary,)), authority)
    bare = (pkcs7.PKCS7Options.DetachedSignature, pkcs7.PKCS7Options.NoAttributes)
    with pytest.raises(InvalidPass, match="CMS"):
        _open(pkpass(document(), credentials, options=bare), authority)


def test_somebody_elses_certificate_is_refused(
    authority: Authority, credentials: Path, tmp_path: Path
) -> None:
    def credentials_for(name: str, **more: Any) -> Path:
        wanted = {"pass_type_identifier": PASS_TYPE, "team_identifier": TEAM, "organization": "Kofe"} | more
        return authority.pass_credentials(tmp_path / name, **wanted)

    for name, more in (
        ("other-type", {"pass_type_identifier": "pass.example.other"}),
        ("other-team", {"team_identifier": "OTHER"}),
    ):
        with pytest.raises(InvalidPass, match="may not match your certificate"):
            _open(pkpass(document(), credentials_for(name, **more)), authority)
    with pytest.raises(InvalidPass, match="WWDR"):
        _open(pkpass(document(), credentials_for("root-signed", signed_by_root=True)), authority)
    old = credentials_for("expired", begins=NOW - timedelta(days=40), valid=timedelta(days=30))
    with pytest.raises(InvalidPass, match="was not valid when"):
        _open(pkpass(document(), old), authority)
    elsewhere = Authority.create(tmp_path / "elsewhere", now=NOW)
    with pytest.raises(InvalidPass, match="trust chain"):
        _open(pkpass(document(), credentials), elsewhere)


def test_a_pass_signed_while_its_certificate_was_valid_stays_good(
    authority: Authority, credentials: Path
) -> None:
    opened = _open(pkpass(document(), credentials), authority, now=NOW + timedelta(days=900))
    assert opened.serial_number == "card-1"


def test_http_is_refused_unless_the_developer_switch_is_on(authority: Authority, credentials: Path) -> None:
    data = pkpass(document(webServiceURL="http://127.0.0.1:8000/passkit"), credentials)
    with pytest.raises(InvalidPass, match="must be https"):
        _open(data, authority)
    assert _open(data, authority, allow_http=True).document["webServiceURL"].startswith("http:")


def _card(**field: Any) -> dict[str, Any]:
    return {"storeCard": {"primaryFields": [{"key": "a", "value": "x"} | field]}}


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"formatVersion": 2}, "formatVersion"),
        ({"description": None}, "description"),
        ({"logoText": None}, "logoText"),
        ({"authenticationToken": "short"}, "authenticationToken"),
        ({"webServiceURL": "cards"}, "webServiceURL"),
        ({"expirationDate": "2026-01-01"}, "expirationDate"),
        ({"backgroundColor": "blue"}, "backgroundColor"),
        ({"backgroundColor": "rgb(1,2,300)"}, "backgroundColor"),
        ({"locations": [{"latitude": 91, "longitude": 0}]}, "locations"),
        ({"locations": [{"latitude": "55", "longitude": 37}]}, "locations"),
        (
            {"barcode": {"message": "Ж", "format": "PKBarcodeFormatQR", "messageEncoding": "iso-8859-1"}},
            "barcode",
        ),
        ({"appLaunchURL": "kofe://"}, "appLaunchURL"),
        ({"voided": 1}, "voided"),
        ({"storeCard": None}, "no style"),
        (_card(key=None), "key is missing"),
        (_card(value=None), "neither string nor number"),
        (_card(label=7), "label"),
        (_card(numberStyle="PKNumberStyleDecimal"), "number formatting on a string"),
        (_card(textAlignment="left"), "textAlignment"),
        (_card(dateStyle="PKDateStyleShort"), "date style"),
        ({"storeCard": {"primaryFields": [{"key": "a", "value": 1}] * 2}}, "used twice"),
    ],
)
def test_what_ios_refuses_is_refused(
    authority: Authority, credentials: Path, changes: dict[str, Any], words: str
) -> None:
    with pytest.raises(InvalidPass, match=words):
        _open(pkpass(document(**changes), credentials), authority)


def test_what_ios_grumbles_about_is_installed_with_a_warning(authority: Authority, credentials: Path) -> None:
    twice: dict[str, Any] = {"storeCard": {"backFields": [{"key": "a", "value": 1}] * 2}}
    bad_code: dict[str, Any] = {
        "barcodes": [{"message": "Ж", "format": "PKBarcodeFormatQR", "messageEncoding": "iso-8859-1"}]
    }
    opened = _open(pkpass(document(**twice, **bad_code), credentials), authority)
    assert {finding.where for finding in opened.warnings} == {"backFields[1]", "barcodes[0]"}
    assert opened.barcode is None


def test_a_pass_without_an_icon_or_a_zip_is_refused(authority: Authority, credentials: Path) -> None:
    with pytest.raises(InvalidPass, match="not a zip"):
        _open(b"<html>", authority)
    with pytest.raises(InvalidPass, match="no icon"):
        _open(pkpass(document(), credentials, icon="logo.png"), authority)


def test_numbers_are_written_as_the_phones_language_writes_them(
    authority: Authority, credentials: Path
) -> None:
    values = (1234.5, 100, 0.25)
    fields = [{"key": str(value), "value": value} for value in values]
    opened = _open(pkpass(document(storeCard={"secondaryFields": fields}), credentials), authority)
    assert [field.value for field in opened.fields("en")] == ["1,234.5", "100", "0.25"]
    assert [field.value for field in opened.fields("ru")] == ["1\N{NO-BREAK SPACE}234,5", "100", "0,25"]


def test_strings_are_read_in_both_encodings() -> None:
    text = '"a" = "Кофе\\n\\"два\\"";\n/* note */\n"b\\\\c" = "d";'
    expected = {"a": 'Кофе\n"два"', "b\\c": "d"}
    assert read_strings(text.encode()) == expected
    assert read_strings(text.encode("utf-16")) == expected
