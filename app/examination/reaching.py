"""Looks at ourselves from outside: the public address, its certificate, and what time it is there."""

from __future__ import annotations

import http.client
import socket
import ssl
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from app.examination.looks import Look, Verdict
from app.examination.work import APART
from app.sentences import Sentence, say
from app.settings import Settings

SECONDS: Final = 5
ENDS_SOON: Final = timedelta(days=14)
"""Who has certificates renewed by a program has them renewed 30 days before."""


def public_address(settings: Settings, now: datetime) -> Iterator[Look]:
    """The address that cards name (``webServiceURL``), asked for its health as a phone would ask."""
    subject = say("webServiceURL")
    parts = urlsplit(settings.public_url)
    host, secure = parts.hostname or "", parts.scheme == "https"
    port = parts.port or (443 if secure else 80)
    connection: http.client.HTTPConnection
    if secure:
        context = ssl.create_default_context(cafile=_sandbox(settings))
        connection = http.client.HTTPSConnection(host, port, timeout=SECONDS, context=context)
    else:
        connection = http.client.HTTPConnection(host, port, timeout=SECONDS)
    try:
        connection.request("GET", "/healthz", headers={"User-Agent": "perkpass-doctor"})
        ends = _ends(connection.sock)
        answer = connection.getresponse()
        body, said = answer.read(64), answer.getheader("Date", "")
    except (OSError, http.client.HTTPException) as fault:
        # On this machine alone nobody waits for it: it may not have been started yet.
        waits = settings.public_is_loopback and isinstance(fault, ConnectionRefusedError)
        verdict: Verdict = "warning" if waits else "fault"
        yield Look(subject, verdict, _unreachable(fault, f"{host}:{port}"))
        return
    finally:
        connection.close()
    if answer.status != 200 or body.strip() != b"ok":
        words = say(
            "%(url)s is answered by something else (status %(status)s at /healthz): let the proxy pass every"
            " path on to Perkpass",
            url=settings.public_url,
            status=answer.status,
        )
        yield Look(subject, "fault", words)
    else:
        yield Look(subject, "ok", say("%(url)s answers", url=settings.web_service_url))
    if ends is not None:
        yield _end(host, ends, now)
    yield from _clock(said, now)


def _sandbox(settings: Settings) -> Path | None:
    """A sandbox's authority signs its web's certificate as well."""
    apples = (urlsplit(settings.apns_url).hostname or "").endswith(".apple.com")
    return None if apples else settings.apns_ca


def _ends(line: object) -> datetime | None:
    if not isinstance(line, ssl.SSLSocket):
        return None
    shown = line.getpeercert() or {}
    after = shown.get("notAfter")
    return datetime.fromtimestamp(ssl.cert_time_to_seconds(str(after)), UTC) if after else None


def _end(host: str, ends: datetime, now: datetime) -> Look:
    subject, date = say("TLS certificate of %(host)s", host=host), f"{ends:%Y-%m-%d}"
    if ends - now < ENDS_SOON:
        words = say(
            "ends on %(date)s: does the program that renews it still run (certbot, Caddy)? Phones update no"
            " card without it",
            date=date,
        )
        return Look(subject, "warning", words)
    return Look(subject, "ok", say("until %(date)s", date=date))


def _clock(said: str, now: datetime) -> Iterator[Look]:
    try:
        apart = abs(parsedate_to_datetime(said) - now)
    except (TypeError, ValueError):
        return
    if apart > APART + timedelta(seconds=1):
        words = say(
            "the clock of whoever answers at the public URL is %(seconds)s seconds apart from this machine's:"
            " set both (timedatectl set-ntp true)",
            seconds=int(apart.total_seconds()),
        )
        yield Look(say("clock at the public URL"), "fault", words)


def _unreachable(fault: Exception, address: str) -> Sentence:
    if isinstance(fault, ssl.SSLCertVerificationError):
        return say(
            "phones do not trust the TLS certificate of %(address)s (%(reason)s): install a certificate for"
            " this name with its whole chain (certbot, Caddy)",
            address=address,
            reason=fault.verify_message,
        )
    if isinstance(fault, ssl.SSLError):
        reason = fault.reason or str(fault)
        return say(
            "%(address)s does not speak TLS (%(reason)s): put a proxy with TLS there",
            address=address,
            reason=reason,
        )
    if isinstance(fault, socket.gaierror):
        return say(
            "the name of %(address)s cannot be resolved: enter it in your domain's DNS, or correct"
            " PERKPASS_PUBLIC_URL",
            address=address,
        )
    if isinstance(fault, ConnectionRefusedError):
        return say(
            "nothing answers at %(address)s: start Perkpass (perkpass run, or web) and the proxy before it",
            address=address,
        )
    return say(
        "%(address)s cannot be reached from here (%(reason)s): look at firewall and proxy",
        address=address,
        reason=str(fault) or type(fault).__name__,
    )
