"""A plain client of the Google simulator: assertions, a token, calls."""

from __future__ import annotations

import base64
import ssl
import time
from functools import cache
from typing import Any

import httpx
import jwt
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa

from app.simulators.google import ISSUER, RunningGoogle
from app.simulators.google_accounts import new_service_account

# One client, which loads no authorities: nothing here is TLS.
CLIENT = httpx.Client(verify=ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT), trust_env=False, timeout=60)
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


@cache
def robot(name: str = "perkpass") -> dict[str, Any]:
    """One service account for all tests: making keys takes its time."""
    return new_service_account("http://127.0.0.1/token", name=name)


def known(google: RunningGoogle, *issuers: str, name: str = "perkpass") -> dict[str, Any]:
    """The same, as a user of these issuers, of the simulator's own where none is named."""
    google.ask(lambda simulator: simulator.register(robot(name), *issuers))
    return robot(name)


def assertion(account: dict[str, Any], *, key: str = "", **claims: object) -> str:
    """What a service account signs to get a token."""
    now = int(time.time())
    known = {"iss": account["client_email"], "aud": AUDIENCE, "scope": SCOPE, "iat": now, "exp": now + 3600}
    headers = {"kid": account["private_key_id"]}
    return jwt.encode(known | claims, key or account["private_key"], "RS256", headers=headers)


def misnamed(account: dict[str, Any]) -> str:
    """A true RS256 signature under a header that says otherwise."""
    _, claims, _ = assertion(account).split(".")
    header = base64.urlsafe_b64encode(b'{"alg":"none","typ":"JWT"}').decode().rstrip("=")
    key = serialization.load_pem_private_key(account["private_key"].encode(), None)
    assert isinstance(key, rsa.RSAPrivateKey)
    signature = key.sign(f"{header}.{claims}".encode(), padding.PKCS1v15(), hashes.SHA256())
    return f"{header}.{claims}.{base64.urlsafe_b64encode(signature).decode().rstrip('=')}"


def link(account: dict[str, Any], payload: object, **claims: object) -> str:
    """A save link's JWT."""
    known = {"iss": account["client_email"], "aud": "google", "typ": "savetowallet", "iat": int(time.time())}
    return jwt.encode(known | {"payload": payload} | claims, account["private_key"], "RS256")


def token(google: RunningGoogle, signed: str, grant: str = GRANT) -> httpx.Response:
    """The token endpoint's answer."""
    return CLIENT.post(google.token_url, data={"grant_type": grant, "assertion": signed})


class Caller:
    """A client that holds a token."""

    def __init__(self, google: RunningGoogle, account: dict[str, Any] | None = None) -> None:
        self.account = account or known(google)
        answer = token(google, assertion(self.account))
        self.headers = {"authorization": f"Bearer {answer.json()['access_token']}"}
        self.google = google

    def __call__(self, verb: str, path: str, body: object = None, **query: str) -> httpx.Response:
        url = f"{self.google.url}/walletobjects/v1/{path}"
        return CLIENT.request(verb, url, headers=self.headers, params=query, json=body)

    def card(self, **properties: Any) -> None:
        """Insert the class and Anna's card."""
        assert self("POST", "loyaltyClass", CLASS).status_code in {200, 409}
        assert self("POST", "loyaltyObject", ANNA | properties).status_code == 200

    def change(self, **changes: Any) -> httpx.Response:
        """PATCH Anna's card."""
        return self("PATCH", f"loyaltyObject/{ANNA['id']}", changes)

    def say(self, identifier: str, loud: bool = True, kind: str = "loyaltyObject") -> httpx.Response:
        """addMessage to Anna's card, or to the class."""
        path = f"{kind}/{CLASS['id'] if kind == 'loyaltyClass' else ANNA['id']}/addMessage"
        message = {"id": identifier, "messageType": "TEXT_AND_NOTIFY" if loud else "TEXT"}
        return self("POST", path, {"message": message | {"header": "Привет", "body": "Кофе готов"}})
