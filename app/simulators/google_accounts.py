"""Who may speak to the Google Wallet simulator: issuers, their users, service accounts and their keys."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from uuid import uuid4

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa

_SEGMENT = re.compile(r"[A-Za-z0-9_-]*")


@dataclass(slots=True)
class Issuer:
    """A merchant's account in the Pay & Wallet console."""

    identifier: str  # digits
    demo: bool = False  # not published: only users and test accounts may save
    users: dict[str, str] = field(default_factory=dict)  # mail → OWNER, WRITER, READER
    test_accounts: set[str] = field(default_factory=set)
    properties: dict[str, Any] = field(default_factory=lambda: {"name": "Kofe"})  # of the schema Issuer

    def shown(self) -> dict[str, Any]:
        """As an answer holds it."""
        return {"issuerId": self.identifier, **self.properties}


@dataclass(frozen=True, slots=True)
class ServiceAccount:
    """A robot with a key pair, of which Google keeps the public half."""

    mail: str
    project: str
    key_id: str
    key: rsa.RSAPublicKey


@dataclass(slots=True)
class Accounts:
    """Every issuer and service account that the simulator knows."""

    issuers: dict[str, Issuer] = field(default_factory=dict)
    robots: dict[str, ServiceAccount] = field(default_factory=dict)  # by mail

    def issuer(self, identifier: str) -> Issuer:
        """The issuer of this number, made where there is none."""
        if not identifier.isdecimal():
            raise ValueError(f"an issuer is a number, not {identifier!r}")
        return self.issuers.setdefault(identifier, Issuer(identifier))

    def register(self, document: Mapping[str, Any], *issuers: str, role: str = "WRITER") -> ServiceAccount:
        """Know the service account of this JSON file, and make it a user of ``issuers``."""
        private = serialization.load_pem_private_key(document["private_key"].encode(), None)
        if not isinstance(private, rsa.RSAPrivateKey):
            raise ValueError("private_key: expected RSA")  # noqa: TRY004
        robot = ServiceAccount(
            document["client_email"],
            document["project_id"],
            document["private_key_id"],
            private.public_key(),
        )
        self.robots[robot.mail] = robot
        for identifier in issuers:
            self.issuer(identifier).users[robot.mail] = role
        return robot

    def may(self, mail: str, issuer: str, *, write: bool = True) -> bool:
        """Whether this robot may read (write) what belongs to the issuer."""
        known = self.issuers.get(issuer)
        role = known.users.get(mail, "") if known else ""
        return role in ({"OWNER", "WRITER"} if write else {"OWNER", "WRITER", "READER"})

    def read_signed(self, token: str) -> tuple[ServiceAccount, dict[str, Any]]:
        """Who signed a compact RS256 JWT, and its claims; raises ValueError with the fault."""
        parts = token.split(".")
        if len(parts) != 3:
            raise ValueError("not three parts")
        header, claims = (_object(part) for part in parts[:2])
        if header.get("alg") != "RS256":
            raise ValueError("alg is not RS256")
        robot = self.robots.get(str(claims.get("iss")))
        if robot is None:
            raise ValueError("account not found")
        if header.get("kid", robot.key_id) != robot.key_id:
            raise ValueError("unknown key")
        try:
            robot.key.verify(
                _bytes(parts[2]), ".".join(parts[:2]).encode(), padding.PKCS1v15(), hashes.SHA256()
            )
        except InvalidSignature:
            raise ValueError("Invalid JWT Signature.") from None
        return robot, claims


def new_service_account(token_url: str, *, name: str = "perkpass", project: str = "kofe") -> dict[str, Any]:
    """A service account's JSON file, as the Google Cloud console hands it out, with a fresh key."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    pem = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    mail = f"{name}@{project}.iam.gserviceaccount.com"
    return {
        "type": "service_account",
        "project_id": project,
        "private_key_id": uuid4().hex,
        "private_key": pem.decode(),
        "client_email": mail,
        "client_id": str(uuid4().int % 10**21),
        "auth_uri": "https://accounts.google.com/o/oauth2/auth",
        "token_uri": token_url,
        "auth_provider_x509_cert_url": "https://www.googleapis.com/oauth2/v1/certs",
        "client_x509_cert_url": f"https://www.googleapis.com/robot/v1/metadata/x509/{mail}",
        "universe_domain": "googleapis.com",
    }


def _bytes(segment: str) -> bytes:
    if not _SEGMENT.fullmatch(segment):
        raise ValueError("not base64url")
    return base64.urlsafe_b64decode(segment + "=" * (-len(segment) % 4))


def _object(segment: str) -> dict[str, Any]:
    document = json.loads(_bytes(segment))
    if not isinstance(document, dict):
        raise ValueError("no JSON object")  # noqa: TRY004
    return document
