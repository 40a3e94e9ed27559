"""Save links, read back by two other implementations of JWT."""

from __future__ import annotations

import base64
import json
from datetime import UTC, datetime
from typing import Any

import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from google.auth import crypt as google_crypt
from google.auth import jwt as google_jwt
from hypothesis import given
from hypothesis import strategies as st

from app.google.credentials import ServiceAccount
from app.google.save_link import LinkTooLong, save_link, sign

NOW = datetime(2026, 11, 22, 12, 30, 15, 999_999, tzinfo=UTC)
CARD = "3388000000022141777.kofe-7Q2mXv0a-0001"


def part(text: str) -> Any:
    return json.loads(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)))


def test_the_link_holds_exactly_the_claims_that_google_names(account: ServiceAccount) -> None:
    link = save_link(account, [CARD], now=NOW)
    prefix, _, token = link.rpartition("/")
    assert prefix == "https://pay.google.com/gp/v/save"
    head, claims, _ = token.split(".")
    assert part(head) == {"alg": "RS256", "typ": "JWT", "kid": account.key_id}
    assert part(claims) == {
        "iss": account.email,
        "aud": "google",
        "typ": "savetowallet",
        "iat": 1795350615,
        "payload": {"loyaltyObjects": [{"id": CARD}]},
    }
    assert isinstance(part(claims)["iat"], int)


def test_two_other_implementations_verify_it(account: ServiceAccount, rsa_key: RSAPrivateKey) -> None:
    token = sign(account, [CARD], now=datetime.now(UTC))
    head, claims, signature = token.split(".")
    signed = base64.urlsafe_b64decode(signature + "==")
    rsa_key.public_key().verify(signed, f"{head}.{claims}".encode(), PKCS1v15(), SHA256())
    with pytest.raises(InvalidSignature):
        rsa_key.public_key().verify(signed, f"{head}.{claims}x".encode(), PKCS1v15(), SHA256())
    public = rsa_key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    # google.auth.jwt.decode would insist on "exp", which is none of Google Wallet's claims.
    verifier = google_crypt.RSAVerifier.from_string(public)
    assert verifier.verify(f"{head}.{claims}".encode(), signed)
    unverified = google_jwt.decode(token, verify=False)
    assert unverified["payload"] == {"loyaltyObjects": [{"id": CARD}]}


def test_it_is_short_and_refuses_to_be_cut_off(account: ServiceAccount) -> None:
    link = save_link(account, [CARD], now=NOW)
    assert len(link) < 850
    cards = [f"{CARD}-{n:04}" for n in range(20)]
    sizes = [len(save_link(account, cards[:count], now=NOW)) for count in range(1, 12)]
    assert max(sizes) < 1800
    with pytest.raises(LinkTooLong, match="1799 are safe"):
        save_link(account, cards, now=NOW)


def test_it_can_point_elsewhere(account: ServiceAccount) -> None:
    for url in ("http://127.0.0.1:8777/gp/v/save", "http://127.0.0.1:8777/gp/v/save/"):
        link = save_link(account, [CARD], now=NOW, url=url)
        assert link.rpartition("/")[0] == "http://127.0.0.1:8777/gp/v/save"


@pytest.mark.parametrize(
    "wrong",
    [[], [""], ["no-issuer"], ["3388.a b"], ["3388."], [".a"], [CARD, "x"], ["3388.кофе"], ["3388.a\n"]],
)
def test_what_is_no_identifier_is_not_signed(account: ServiceAccount, wrong: list[str]) -> None:
    with pytest.raises(ValueError, match="not identifiers"):
        sign(account, wrong, now=NOW)


@given(
    suffix=st.text("ABCXYZabcxyz0189._-", min_size=1, max_size=40),
    issuer=st.integers(min_value=0, max_value=2**63 - 1),
)
def test_whatever_the_card_is_called_its_link_is_safe(
    account: ServiceAccount, suffix: str, issuer: int
) -> None:
    link = save_link(account, [f"{issuer}.{suffix}"], now=NOW)
    assert len(link) < 1800
    assert part(link.split("/")[-1].split(".")[1])["payload"]["loyaltyObjects"][0]["id"].endswith(suffix)
