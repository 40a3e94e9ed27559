"""The till API on a real database, and a till that calls it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import count
from typing import Any

from flask import Flask
from limits import RateLimitItem
from werkzeug.test import TestResponse

from app.db import Database, Tx
from app.db.identifiers import WalletPassId
from app.passes.press import Press
from app.web.api import FAILURES, PER_KEY, api_blueprint
from app.web.services import Services
from tests.loyalty.town import NOW

_keys = count()


class Bell:
    """Counts how often the worker would be woken."""

    def __init__(self) -> None:
        self.rung = 0

    def ring(self) -> None:
        self.rung += 1


def _no_pass(tx: Tx, pass_id: WalletPassId) -> bytes:
    raise AssertionError("a till never downloads a card")


def services(database: Database, bell: Bell, *, storage: str = "memory://") -> Services:
    return Services(
        database=database,
        press=Press("https://example.com/passkit", clock=lambda: NOW),
        wakeup=bell,
        clock=lambda: NOW,
        build_pass=_no_pass,
        evidence_age=lambda now: timedelta(0),
        public_url="https://example.com",
        secret_key=b"s" * 32,
        pass_key=b"p" * 32,
        rate_limit_storage=storage,
    )


def application(
    given: Services, *, per_key: RateLimitItem = PER_KEY, failures: RateLimitItem = FAILURES
) -> Flask:
    app = Flask("app.web")
    app.register_blueprint(api_blueprint(given, per_key=per_key, failures=failures))
    return app


@dataclass(slots=True)
class Till:
    """Speaks to the API with one key; a new Idempotency-Key for every call unless told which."""

    app: Flask
    secret: str
    bell: Bell

    def post(
        self,
        path: str,
        body: object = None,
        *,
        key: str | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> TestResponse:
        sent = {
            "Authorization": f"Bearer {self.secret}",
            "Idempotency-Key": key or f"call-{next(_keys)}",
            **(headers or {}),
        }
        return self.app.test_client().post(f"/api/v1{path}", json=body, headers=sent)

    def get(self, path: str) -> TestResponse:
        return self.app.test_client().get(
            f"/api/v1{path}", headers={"Authorization": f"Bearer {self.secret}"}
        )


def receipt(
    card: str, number: str, amount: object = 90_00, *, at: datetime = NOW, **more: Any
) -> dict[str, Any]:
    """What a till sends of a sale."""
    return {"card": card, "number": number, "amount": amount, "currency": "RUB", "at": at.isoformat(), **more}
