"""What operators and their monitors ask: alive, ready, and in numbers."""

from __future__ import annotations

import hmac
import ipaddress
from contextlib import suppress
from datetime import datetime, timedelta

from flask import Blueprint, Response, jsonify, request
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, Gauge, generate_latest
from sqlalchemy.exc import SQLAlchemyError

from app.accounts import audit, brands
from app.db import Tx, schema
from app.db.failures import NO_DATABASE
from app.db.outages import Outage
from app.delivery import jobs, overview, queue
from app.errors import Misconfigured, PerkpassError
from app.passes.signing import expiry_stage, expiry_warning
from app.web import sms_metrics
from app.web.services import Services

_OF_PROXIES = ("forwarded", "x-forwarded-", "x-real-ip")


def probes_blueprint(services: Services) -> Blueprint:
    """``/healthz``, ``/readyz`` and ``/metrics``."""
    probes = Blueprint("probes", __name__)

    @probes.get("/healthz")
    def healthz() -> Response:
        """The process answers; nothing else is asked, so that a database outage restarts nobody."""
        return Response("ok\n", mimetype="text/plain", headers={"Cache-Control": "no-store"})

    @probes.get("/readyz")
    def readyz() -> tuple[Response, int]:
        """Whether guests and phones can be served; warnings do not make it unready.

        What they are, with names of brands and files, is told on the machine itself or for the token.
        """
        faults, warnings = _readiness(services, services.clock())
        told = _brings_token(services) or _is_of_this_machine()
        answer = (
            jsonify(ready=not faults, faults=faults, warnings=warnings)
            if told
            else jsonify(ready=not faults, faults=len(faults), warnings=len(warnings))
        )
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
    return _brings_token(services) if services.metrics_token else _is_of_this_machine()


def _brings_token(services: Services) -> bool:
    given = request.headers.get("Authorization", "").removeprefix("Bearer ")
    token = services.metrics_token
    return bool(token) and hmac.compare_digest(given.encode("utf-8", "surrogatepass"), token.encode())


def _is_of_this_machine() -> bool:
    """Loopback, and not by way of a proxy, whoever forgot to name it in PERKPASS_TRUSTED_PROXIES."""
    if any(name.lower().startswith(_OF_PROXIES) for name, _ in request.headers):
        return False
    try:
        return ipaddress.ip_address(request.remote_addr or "").is_loopback
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
    if outage := _outage(services):
        warnings.append(outage.message)
    warnings += [
        f"{subject}: {'texts' if subject.startswith('sms:') else 'pushes'} are stopped, see the log"
        for subject in snapshot.open_breakers
    ]
    return faults, warnings


def _outage(services: Services) -> Outage | None:
    """Why nothing can be written, if that is still so. Phones are served all the same, so it is a warning."""
    if services.database.outage is not None:
        with suppress(*NO_DATABASE):
            schema.try_writing(services.database)
    return services.database.outage


def _expiry(services: Services, tx: Tx, brand: brands.Brand, now: datetime) -> tuple[str | None, str | None]:
    """A fault or a warning about the brand's certificate."""
    try:
        signer = services.press.signer(tx, brand.pass_type_identifier)
    except PerkpassError as fault:
        return f"{brand.slug}: {fault}", None
    warning = expiry_warning(signer, now)
    said = f"{brand.slug}: {warning}" if warning else None
    # It may have run out since it was loaded.
    return (said, None) if expiry_stage(signer, now) == 0 else (None, said)


def _add_health(registry: CollectorRegistry, services: Services, now: datetime) -> None:
    """What ``perkpass doctor`` looks at, as far as it is cheap enough to be asked every few seconds."""
    left = Gauge(
        "perkpass_certificate_seconds_left",
        "Until the pass certificate or its intermediate ends; below 0 where it cannot sign",
        ["pass_type_identifier"],
        registry=registry,
    )
    seen = Gauge("perkpass_worker_seen_seconds", "Since a worker last finished some work", registry=registry)
    stuck = Gauge("perkpass_leases_stuck", "Promises of workers that are gone", registry=registry)
    backup = Gauge("perkpass_backup_seconds", "Since the last perkpass backup", registry=registry)
    raised = Gauge("perkpass_alarms_raised", "What the console warns of just now", registry=registry)
    with services.database.read() as tx:
        for pass_type in sorted({brand.pass_type_identifier for brand in brands.all_brands(tx)}):
            try:
                signer = services.press.signer(tx, pass_type)
                seconds = (min(signer.expires_at, signer.wwdr_expires_at) - now).total_seconds()
            except PerkpassError:
                seconds = -1.0
            left.labels(pass_type).set(seconds)
        if (last := jobs.last_done(tx)) is not None:
            seen.set((now - last).total_seconds())
        stuck.set(overview.stuck(tx, lease_over_before=now - timedelta(minutes=2)))
        if (made := audit.latest(tx, "backup.made")) is not None:
            backup.set((now - made.at).total_seconds())
        raised.set(len(services.alarms(tx, None, now)))


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
    writable = Gauge("perkpass_database_writable", "0 while the database takes nothing in", registry=registry)
    writable.set(_outage(services) is None)
    _add_health(registry, services, now)
    if services.sms_book is not None:
        sms_metrics.add(registry, services, services.sms_book, now)
    return generate_latest(registry)
