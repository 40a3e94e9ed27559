"""Keys are made once a session; they belong to nobody."""

from __future__ import annotations

import json
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, generate_private_key
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from app.google import credentials
from app.google.credentials import ServiceAccount


def pem(key: Any, form: PrivateFormat = PrivateFormat.PKCS8) -> str:
    made: bytes = key.private_bytes(Encoding.PEM, form, NoEncryption())
    return made.decode()


@pytest.fixture(scope="session")
def rsa_key() -> RSAPrivateKey:
    return generate_private_key(65537, 2048)


@pytest.fixture(scope="session")
def account_json(rsa_key: RSAPrivateKey) -> dict[str, Any]:
    """What the Cloud console gives out, whole."""
    return {
        "type": "service_account",
        "project_id": "kofe-wallet",
        "private_key_id": "0123456789abcdef0123456789abcdef01234567",
        "private_key": pem(rsa_key),
        "client_email": "wallet-writer-of-the-chain@kofe-wallet.iam.gserviceaccount.com",
        "client_id": "100000000000000000000",
        "auth_uri": "https://accounts.google.com/o/oauth2/auth",
        "token_uri": "https://oauth2.googleapis.com/token",
        "universe_domain": "googleapis.com",
    }


@pytest.fixture(scope="session")
def account(account_json: dict[str, Any]) -> ServiceAccount:
    return credentials.parse(json.dumps(account_json), source="test")
