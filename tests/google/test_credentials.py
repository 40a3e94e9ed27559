"""A service account's key: where it lies, and what can be wrong with it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1
from cryptography.hazmat.primitives.asymmetric.ec import generate_private_key as generate_ec
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, generate_private_key
from cryptography.hazmat.primitives.serialization import BestAvailableEncryption, Encoding, PrivateFormat
from google.oauth2 import service_account
from hypothesis import given, settings
from hypothesis import strategies as st

from app.errors import Misconfigured
from app.google import credentials
from tests.google.conftest import pem


def faults(text: str | bytes) -> tuple[str, ...]:
    with pytest.raises(Misconfigured) as raised:
        credentials.parse(text, source="sa.json")
    return raised.value.faults


def test_file_and_variable_hold_the_same_account(
    account_json: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "sa.json"
    path.write_text(json.dumps(account_json), encoding="utf-8")
    path.chmod(0o640)
    monkeypatch.setenv("KOFE_GOOGLE", json.dumps(account_json))
    read = [credentials.load(f"file:{path}"), credentials.load("env:KOFE_GOOGLE")]
    for one in read:
        assert one.email == account_json["client_email"]
        assert one.key_id == account_json["private_key_id"]
        assert one.project_id == "kofe-wallet"
        assert "private_key" not in repr(one)
    assert read[0].private_key.public_key() == read[1].private_key.public_key()


def test_googles_own_reader_finds_the_same(account_json: dict[str, Any]) -> None:
    theirs = service_account.Credentials.from_service_account_info(account_json)
    ours = credentials.parse(json.dumps(account_json), source="x")
    assert theirs.service_account_email == ours.email
    assert theirs.signer.key_id == ours.key_id


def test_a_reference_that_is_none_says_what_to_write(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("NOT_SET", raising=False)
    for reference, words in (
        ("sa.json", "write file:PATH"),
        ("file:", "write file:PATH"),
        ("vault:x", "write file:PATH"),
        ("env:NOT_SET", "NOT_SET: is not set"),
        (f"file:{tmp_path / 'none.json'}", "No such file"),
        (f"file:{tmp_path}", "directory"),
    ):
        with pytest.raises(Misconfigured, match=words):
            credentials.load(reference)


def test_a_file_that_everybody_may_read_is_refused(account_json: dict[str, Any], tmp_path: Path) -> None:
    path = tmp_path / "sa.json"
    path.write_text(json.dumps(account_json), encoding="utf-8")
    path.chmod(0o644)
    with pytest.raises(Misconfigured, match="chmod 640"):
        credentials.load(f"file:{path}")


def test_the_wrong_download_is_called_by_its_name() -> None:
    assert "OAuth client" in faults('{"installed": {"client_id": "x"}}')[0]
    assert "OAuth client" in faults('{"web": {}}')[0]
    assert "own sign-in" in faults('{"type": "authorized_user"}')[0]
    assert "federation" in faults('{"type": "external_account"}')[0]
    assert '"type" is not' in faults("{}")[0]
    for text in ("", "[]x", "null", "[" * 50_000, "\ufeff{}", b"\xff\xfe", "7", '"a"'):
        assert "sa.json: is " in faults(text)[0]
    assert "larger" in faults(" " * 70_000)[0]


def test_every_fault_is_named_at_once_and_none_with_the_key(account_json: dict[str, Any]) -> None:
    wrong = account_json | {
        "client_email": "nobody",
        "private_key_id": "",
        "private_key": "-----BEGIN PRIVATE KEY-----\nc2VjcmV0\n-----END PRIVATE KEY-----\n",
        "universe_domain": "example.com",
    }
    found = faults(json.dumps(wrong))
    assert [fault.removeprefix("sa.json: ").split()[0] for fault in found] == [
        "client_email",
        "private_key_id",
        "universe_domain",
        "private_key",
    ]
    assert "c2VjcmV0" not in " ".join(found)


def test_keys_that_cannot_sign_a_save_link_are_refused(
    account_json: dict[str, Any], rsa_key: RSAPrivateKey
) -> None:
    def fault(key: str | None) -> str:
        (only,) = faults(json.dumps(account_json | {"private_key": key}))
        return only

    small = generate_private_key(65537, 1024)
    locked = rsa_key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, BestAvailableEncryption(b"x")).decode()
    assert "1024 bits" in fault(pem(small))
    assert "RS256" in fault(pem(generate_ec(SECP256R1())))
    assert "no readable PEM" in fault(locked)
    assert r"must be \n within" in fault(pem(rsa_key).replace("\n", "\\n"))
    assert "is missing" in fault(None)


def test_a_key_in_the_older_form_is_read(account_json: dict[str, Any], rsa_key: RSAPrivateKey) -> None:
    older = account_json | {"private_key": pem(rsa_key, PrivateFormat.TraditionalOpenSSL)}
    assert credentials.parse(json.dumps(older), source="x").private_key.key_size == 2048


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=10),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6), inner, max_size=3),
    max_leaves=5,
)


@settings(max_examples=60)
@given(
    fields=st.dictionaries(
        st.sampled_from(["client_email", "private_key_id", "private_key", "universe_domain", "project_id"]),
        _JSON,
    )
)
def test_whatever_a_field_holds_it_is_a_fault_and_no_crash(fields: dict[str, Any]) -> None:
    assert faults(json.dumps({"type": "service_account"} | fields))
