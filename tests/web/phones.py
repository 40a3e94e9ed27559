"""A PassKit web service on a database of the test's own, and a phone to ask it."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from werkzeug.test import Client, TestResponse

from app.db import Database, Tx
from app.db.identifiers import WalletPassId
from app.passes import issuing, tokens
from app.passes.content import PassContent
from app.passes.issuing import PushKind, Revision, WalletPass
from app.web.passkit import PassKit
from app.web.passkit_evidence import EvidenceRecorder
from tests.passes.shop import NOW, PASS_KEY, Shop, open_shop, saying

PKPASS = "application/vnd.apple.pkpass"


def bundle(_tx: Tx, card: WalletPass) -> bytes:
    """Says what was asked for: signing has tests of its own."""
    return f"{card.serial_number} {card.version} {card.content.balance} {card.content.voided}".encode()


@dataclass
class Service:
    database: Database
    shop: Shop = field(init=False)
    now: datetime = NOW
    rings: int = 0
    events: list[tuple[Any, ...]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.shop = open_shop(self.database)
        self.evidence = EvidenceRecorder(self.database, clock=lambda: self.now)
        self.passkit = self.with_database(self.database)
        self.client = Client(self.passkit)

    def close(self) -> None:
        self.evidence.close()
        self.passkit.close()

    def with_database(self, database: Database) -> PassKit:
        return PassKit(
            database=database,
            pass_key=PASS_KEY,
            build_pass=bundle,
            evidence=self.evidence,
            wakeup=self,
            clock=lambda: self.now,
            on_registered=lambda _tx, pass_id, first, _now: self.events.append(("added", pass_id, first)),
            on_last_removed=lambda _tx, pass_id, _now: self.events.append(("removed", pass_id)),
        )

    def ring(self) -> None:
        self.rings += 1

    def issue(self, balance: int = 0, **more: Any) -> WalletPass:
        with self.database.write() as tx:
            return self.shop.issue(tx, balance, **more)

    def revise(self, card: WalletPass, content: PassContent, kind: PushKind = "receipt") -> WalletPass:
        with self.database.write() as tx:
            issuing.revise(tx, [Revision(card.id, saying(content))], kind=kind, now=self.now)
            return issuing.wallet_pass(tx, card.id)

    def read(self, pass_id: WalletPassId) -> WalletPass:
        with self.database.read() as tx:
            return issuing.wallet_pass(tx, pass_id)

    def bundle_of(self, pass_id: WalletPassId) -> bytes:
        """What a phone with the last version holds."""
        with self.database.read() as tx:
            return bundle(tx, issuing.wallet_pass(tx, pass_id))

    def pass_by(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)


def token_for(card: WalletPass) -> str:
    return tokens.authentication_token(
        PASS_KEY, card.pass_type_identifier, card.serial_number, card.key_version
    )


@dataclass
class Phone:
    service: Service
    name: str = "d3b1ce"
    tag: str | None = None

    def _ask(self, method: str, path: str, card: WalletPass | None = None, **more: Any) -> TestResponse:
        headers = dict(more.pop("headers", {}))
        if card is not None:
            headers.setdefault("Authorization", f"ApplePass {token_for(card)}")
        return self.service.client.open(path, method=method, headers=headers, **more)

    def registration(self, card: WalletPass) -> str:
        return f"{self.list_path(card)}/{card.serial_number}"

    def list_path(self, card: WalletPass) -> str:
        return f"/v1/devices/{self.name}/registrations/{card.pass_type_identifier}"

    def register(self, card: WalletPass, token: str = "70ken", **more: Any) -> TestResponse:
        more.setdefault("json", {"pushToken": token})
        return self._ask("POST", self.registration(card), card, **more)

    def unregister(self, card: WalletPass, **more: Any) -> TestResponse:
        return self._ask("DELETE", self.registration(card), card, **more)

    def list(self, card: WalletPass, method: str = "GET") -> TestResponse:
        """Ask what changed, keeping the tag before anything is fetched, as iOS does."""
        query = {} if self.tag is None else {"passesUpdatedSince": self.tag}
        answer = self._ask(method, self.list_path(card), query_string=query)
        if answer.status_code == 200 and method == "GET":
            assert answer.json is not None
            self.tag = answer.json["lastUpdated"]
        return answer

    def fetch(self, card: WalletPass, since: str | None = None, method: str = "GET") -> TestResponse:
        headers = {} if since is None else {"If-Modified-Since": since}
        path = f"/v1/passes/{card.pass_type_identifier}/{card.serial_number}"
        return self._ask(method, path, card, headers=headers)


def problem(answer: TestResponse, status: int) -> dict[str, Any]:
    assert answer.status_code == status
    assert answer.content_type == "application/problem+json"
    document = json.loads(answer.text)
    assert document["status"] == status
    assert document["detail"].endswith(".")
    return dict(document)
