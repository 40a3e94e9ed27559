"""What operators and their monitors ask: alive, ready, and in numbers."""

from __future__ import annotations

import hmac
import ipaddress
from datetime import datetime

from flask import Blueprint, Response, jsonify, request
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, Gauge, generate_latest
from sqlalchemy.exc import SQLAlchemyError

from app.accounts import brands
from app.db import Tx, schema
from app.delivery import queue
from app.errors import Misconfigured, PerkpassError
from app.passes.signing import expiry_warning
from app.web.services import Services


def probes_blueprint(services: Services) -> Blueprint:
    """``/healthz``, ``/readyz`` and ``/metrics``."""
    probes = Blueprint("probes", __name__)

    @probes.get("/healthz")
    def healthz() -> Response:
        """The process answers; nothing else is asked, so that a database outage restarts nobody."""
        return Response("ok\n", mimetype="text/plain", headers={"Cache-Control": "no-store"})

    @probes.get("/readyz")
    def readyz() -> tuple[Response, int]:
        """Whether guests and phones can be served; warnings do not make it unready."""
        faults, warnings = _readiness(services, services.clock())
        answer = jsonify(ready=not faults, faults=faults, warnings=warnings)
        answer.headers["Cache-Control"] = "no-store"
        return answer, 503 if faults else 200

    @probes.get("/metrics")
    def metrics() -> Response:
        """Prometheus text; for loopback, or for who brings the token."""
        if not _may_read_metrics(services):
            return Response("metrics are for loopback or for a bearer token (PERKPASS_METRICS_TOKEN)\n", 403)
        return Response(_queue_metrics(services, services.clock()), content_type=CONTENT_TYPE_LATEST)

    return probes


def _may_read_metrics(services: Services) -> bool:
    if services.metrics_token:
        given = request.headers.get("Authorization", "").removeprefix("Bearer ")
        return hmac.compare_digest(given.encode(), services.metrics_token.encode())
    try:
        return ipaddress.ip_address(request.remote_addr or "").is_loopback and not request.access_route[1:]
    except ValueError:
        return False


def _readiness(services: Services, now: datetime) -> tuple[list[str], list[str]]:
    faults: list[str] = []
    warnings: list[str] = []
    try:
        schema.require_newest(services.database)
        with services.database.read() as tx:
            known = brands.all_brands(tx)
            snapshot = queue.snapshot(tx, now)
            expiring = [_expiry(services, tx, brand, now) for brand in known]
    except Misconfigured as fault:
        return list(fault.faults), warnings
    except SQLAlchemyError:
        return ["The database does not answer. Check PERKPASS_DATABASE_URL and the server."], warnings
    for fault_, warning in expiring:
        faults += [fault_] if fault_ else []
        warnings += [warning] if warning else []
    warnings += [f"{subject}: pushes are stopped, see the log" for subject in snapshot.open_breakers]
    return faults, warnings


def _expiry(services: Services, tx: Tx, brand: brands.Brand, now: datetime) -> tuple[str | None, str | None]:
    """A fault or a warning about the brand's certificate."""
    try:
        warning = expiry_warning(services.press.signer(tx, brand.pass_type_identifier), now)
    except PerkpassError as fault:
        return f"{brand.slug}: {fault}", None
    return None, f"{brand.slug}: {warning}" if warning else None


def _queue_metrics(services: Services, now: datetime) -> bytes:
    registry = CollectorRegistry()
    with services.database.read() as tx:
        snapshot = queue.snapshot(tx, now)
    pending = Gauge("perkpass_deliveries", "Deliveries that are not settled", ["state"], registry=registry)
    for state in ("due", "waiting", "held", "sending"):
        pending.labels(state).set(getattr(snapshot, state))
    age = Gauge("perkpass_queue_oldest_due_seconds", "Age of the oldest due delivery", registry=registry)
    age.set(snapshot.oldest_due_seconds)
    opened = Gauge("perkpass_breakers_open", "Providers that pushes are withheld from", registry=registry)
    opened.set(len(snapshot.open_breakers))
    watermark = Gauge(
        "perkpass_evidence_watermark_seconds", "Age of the oldest fetch not yet recorded", registry=registry
    )
    watermark.set(services.evidence_age(now).total_seconds())
    return generate_latest(registry)
