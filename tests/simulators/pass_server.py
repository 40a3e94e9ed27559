"""A tiny PassKit web service for the phone's tests: the right answers by default, wrong ones on request."""

from __future__ import annotations

import asyncio
import hashlib
import io
import json
import zipfile
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path
from typing import Any
from urllib.parse import unquote

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.serialization import pkcs7

from app.simulators.http_server import Request, Response, json_response, listen, port_of
from tests.simulators.conftest import PASS_TYPE, TEAM

TOKEN = "authentication-token-17"
PNG = b"\x89PNG\r\n\x1a\n"


def document(serial: str = "card-1", **changes: Any) -> dict[str, Any]:
    """A pass.json that iOS takes."""
    return {
        "formatVersion": 1,
        "passTypeIdentifier": PASS_TYPE,
        "teamIdentifier": TEAM,
        "serialNumber": serial,
        "organizationName": "Kofe",
        "description": "Kofe card",
        "authenticationToken": TOKEN,
        "webServiceURL": "https://cards.example.com/passkit",
        "storeCard": {
            "primaryFields": [{"key": "balance", "label": "balance_label", "value": 100}],
            "backFields": [{"key": "latest_message", "label": "News", "value": "", "changeMessage": "%@"}],
        },
        "barcodes": [
            {"message": "17", "format": "PKBarcodeFormatQR", "messageEncoding": "iso-8859-1"},
        ],
    } | changes


def pkpass(
    pass_document: dict[str, Any],
    credentials: Path,
    *,
    files: dict[str, bytes] | None = None,
    icon: str = "icon.png",
    spoil: str = "",
    options: tuple[pkcs7.PKCS7Options, ...] = (
        pkcs7.PKCS7Options.DetachedSignature,
        pkcs7.PKCS7Options.Binary,
    ),
) -> bytes:
    """A signed .pkpass; ``spoil`` breaks one thing."""
    content = {"pass.json": json.dumps(pass_document).encode(), icon: PNG} | (files or {})
    manifest = json.dumps({name: hashlib.sha1(raw).hexdigest() for name, raw in content.items()}).encode()
    certificate, wwdr = (
        x509.load_pem_x509_certificate((credentials / f"{name}.pem").read_bytes())
        for name in ("certificate", "wwdr")
    )
    key = serialization.load_pem_private_key((credentials / "key.pem").read_bytes(), None)
    builder = pkcs7.PKCS7SignatureBuilder().set_data(manifest)
    builder = builder.add_signer(certificate, key, hashes.SHA256())  # type: ignore[arg-type]
    if spoil != "no-wwdr":
        builder = builder.add_certificate(wwdr)
    signature = builder.sign(serialization.Encoding.DER, list(options))
    if spoil == "content":
        content["icon.png"] += b"?"
    elif spoil == "extra":
        content["secret.txt"] = b"?"
    elif spoil == "manifest":
        manifest += b" "
    elif spoil == "signature":
        signature = signature[:-5] + bytes(5)
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        for name, raw in (content | {"manifest.json": manifest, "signature": signature}).items():
            archive.writestr(name, raw)
    return packed.getvalue()


@dataclass
class PassServer:
    """Holds passes by serial number; every knob may be turned while it runs."""

    credentials: Path
    passes: dict[str, dict[str, Any]] = field(default_factory=dict)
    versions: dict[str, int] = field(default_factory=dict)
    registrations: dict[tuple[str, str], str] = field(default_factory=dict)  # (device, serial): push token
    logs: list[str] = field(default_factory=list)
    requests: list[tuple[str, str]] = field(default_factory=list)
    statuses: dict[str, list[int]] = field(default_factory=dict)  # "list", "pass", …: answers to give first
    list_answer: Any = None  # instead of the honest one
    serve_instead: dict[str, Any] | None = None
    without_last_modified: bool = False
    ignore_conditions: bool = False
    seen_conditions: list[str | None] = field(default_factory=list)
    tag: int = 0
    url: str = ""

    async def start(self) -> asyncio.Server:
        server = await listen(self._answer, "127.0.0.1", 0)
        self.url = f"http://127.0.0.1:{port_of(server)}/passkit"
        return server

    def put(self, serial: str, **changes: Any) -> bytes:
        """A pass as it is from now on; the .pkpass."""
        self.tag += 1
        self.versions[serial] = self.tag
        self.passes[serial] = document(serial, webServiceURL=self.url) | changes
        return pkpass(self.passes[serial], self.credentials)

    def say(self, serial: str, message: str, balance: int = 100, **field_changes: Any) -> None:
        """A new version with that message."""
        self.put(
            serial,
            storeCard={
                "primaryFields": [{"key": "balance", "label": "Balance", "value": balance, **field_changes}],
                "backFields": [
                    {"key": "latest_message", "label": "News", "value": message, "changeMessage": "%@"}
                ],
            },
        )

    def last_modified(self, serial: str) -> str:
        at = datetime(2026, 1, 1, tzinfo=UTC) + timedelta(seconds=self.versions[serial])
        return format_datetime(at, usegmt=True)

    async def _answer(self, request: Request) -> Response:
        parts = request.path.removeprefix("/passkit/v1/").split("/")
        kind = {"devices": "list" if len(parts) == 4 else "registration", "passes": "pass"}.get(
            parts[0], "log"
        )
        self.requests.append((request.method, kind))
        if self.statuses.get(kind):
            return Response(status=self.statuses[kind].pop(0))
        match request.method, parts:
            case "POST", ["log"]:
                self.logs += request.json()["logs"]
                return Response()
            case "GET", ["devices", device, "registrations", _]:
                return self._list(device, request.query.get("passesUpdatedSince"))
        if request.headers.get("authorization") != f"ApplePass {TOKEN}":
            return Response(status=401)
        match request.method, parts:
            case "POST", ["devices", device, "registrations", _, serial]:
                self.registrations[device, serial] = request.json()["pushToken"]
                return Response(status=201)
            case "DELETE", ["devices", device, "registrations", _, serial]:
                self.registrations.pop((device, serial), None)
                return Response()
            case "GET", ["passes", _, serial]:
                return self._pass(unquote(serial), request.headers.get("if-modified-since"))
        return Response(status=404)

    def _list(self, device: str, since: str | None) -> Response:
        if self.list_answer is not None:
            return json_response(self.list_answer)
        serials = [
            serial
            for (registered, serial) in self.registrations
            if registered == device and self.versions[serial] > int(since or 0)
        ]
        if not serials:
            return Response(status=204)
        return json_response({"serialNumbers": serials, "lastUpdated": str(self.tag)})

    def _pass(self, serial: str, condition: str | None) -> Response:
        self.seen_conditions.append(condition)
        if condition == self.last_modified(serial) and not self.ignore_conditions:
            return Response(status=304)
        body = pkpass(self.serve_instead or self.passes[serial], self.credentials)
        headers = () if self.without_last_modified else (("last-modified", self.last_modified(serial)),)
        return Response(body, 200, "application/vnd.apple.pkpass", headers)
