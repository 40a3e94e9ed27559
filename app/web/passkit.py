"""Apple's PassKit web service: what phones ask of us, one method per endpoint.

Apple, "Adding a Web Service to Update Passes". The codes are the ones that iOS takes for success: 200 or 201
for registering, 200 for unregistering (204 is an error to it), 200 or 204 for the list, 200, 304 or 401 for a
pass, 200 for logs. A bare WSGI callable, since the list and the 304 are what is asked most, by far; reads run
in autocommit, and only a request that shows the right token gets to write.
"""

from __future__ import annotations

import json
import re
import time
from collections.abc import Callable, Iterable
from datetime import datetime
from typing import TYPE_CHECKING

import structlog

from app.db import Database, Tx
from app.db.failures import NO_DATABASE
from app.db.identifiers import (
    DeviceLibraryIdentifier,
    PassTypeIdentifier,
    PushToken,
    SerialNumber,
    WalletPassId,
)
from app.db.outages import outage_of
from app.errors import Conflict, Misconfigured, Unavailable
from app.passes import access, device_log, issuing, listing, registrations
from app.passes.access import PassKey
from app.passes.device_log import LogLine
from app.passes.evidence import Fetch, Install
from app.passes.issuing import WalletPass
from app.web.passkit_answers import (
    Answer,
    http_date,
    json_of,
    moment_of,
    path_of,
    push_service_of,
    refusal,
    tag_of,
    token_of,
)
from app.web.passkit_evidence import EvidenceRecorder
from app.web.passkit_limit import CHANGE_BURST, CHANGES_PER_SECOND, LOG_BURST, LOG_PER_SECOND, Buckets
from app.web.passkit_reader import Reader
from app.web.rate_limits import site_of
from app.web.services import Bell

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment

BuildPass = Callable[[Tx, WalletPass], bytes]
OnRegistered = Callable[[Tx, WalletPassId, bool, datetime], None]
OnLastRemoved = Callable[[Tx, WalletPassId, datetime], None]

LONGEST_NAME, LONGEST_PUSH_TOKEN = 255, 4096
# Identifiers that iOS makes or that we made: printable ASCII.
_NAME = re.compile(rf"[!-~]{{1,{LONGEST_NAME}}}")
_PUSH_TOKEN = re.compile(rf"[!-~]{{1,{LONGEST_PUSH_TOKEN}}}")
_JSON = (("Content-Type", "application/json"),)
_PKPASS = ("Content-Type", "application/vnd.apple.pkpass")
_NOTHING_NEW, _DONE = Answer(204), Answer(200)
_UNAUTHORISED = refusal(
    401,
    "unauthorised",
    "The authentication token is not the one of this pass.",
    ("WWW-Authenticate", "ApplePass"),
)
_TOO_OFTEN = refusal(
    429,
    "too-many-requests",
    "This pass is registered and unregistered too often: wait, then ask again.",
    ("Retry-After", "60"),
)
_NOT_FOUND = refusal(404, "not-found", "There is no such endpoint in the PassKit web service.")
_NOT_NOW = refusal(503, "unavailable", "The service cannot answer now. Try again.", ("Retry-After", "10"))
_BROKEN = refusal(500, "internal", "Something went wrong on our side. Try again.", ("Retry-After", "60"))
log = structlog.get_logger()


class PassKit:
    """The service, as the WSGI callable to mount where ``webServiceURL`` points."""

    def __init__(
        self,
        *,
        database: Database,
        pass_key: bytes,
        build_pass: BuildPass,
        evidence: EvidenceRecorder,
        wakeup: Bell,
        clock: Callable[[], datetime],
        on_registered: OnRegistered,
        on_last_removed: OnLastRemoved,
        reader: Reader | None = None,
    ) -> None:
        """Both callbacks run in the transaction of the registration.

        ``on_registered(tx, pass_id, first, now)``: ``first`` where no reachable phone held the pass before.
        ``on_last_removed(tx, pass_id, now)``: no reachable phone holds it any more.
        """
        self._database, self._pass_key, self._build_pass = database, pass_key, build_pass
        self._evidence, self._wakeup, self._clock = evidence, wakeup, clock
        self._on_registered, self._on_last_removed = on_registered, on_last_removed
        self._reader = reader or Reader(database, most_kept=4)
        self._log_limit = Buckets(burst=LOG_BURST, per_second=LOG_PER_SECOND)
        self._change_limit = Buckets(burst=CHANGE_BURST, per_second=CHANGES_PER_SECOND)

    def close(self) -> None:
        """Give back the connections that were kept; it may be asked again afterwards."""
        self._reader.close()

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Answer one request."""
        method = environ["REQUEST_METHOD"]
        try:
            answer = self._route(method, environ)
        except (*NO_DATABASE, Unavailable, Misconfigured) as fault:
            if outage_of(fault) is None:  # an outage tells itself
                # Foreseen: a trace would say nothing more. The path holds the device's shared secret.
                log.error("passkit_unavailable", method=method, fault=type(fault).__name__)  # noqa: TRY400
            answer = _NOT_NOW
        except Exception:
            log.exception("passkit_error", endpoint=path_of(environ)[1:2], method=method)
            answer = _BROKEN
        return answer.send(start_response, head=method == "HEAD")

    def _route(self, method: str, environ: WSGIEnvironment) -> Answer:
        match path_of(environ):
            case ["v1", "devices", device, "registrations", pass_type]:
                if method in ("GET", "HEAD"):
                    return self._list(environ, device, pass_type, counts=method == "GET")
                return _not_allowed("GET, HEAD")
            case ["v1", "devices", device, "registrations" | "registrations_attido", pass_type, serial]:
                if method == "POST":
                    return self._register(environ, device, pass_type, serial)
                if method == "DELETE":
                    return self._unregister(environ, device, pass_type, serial)
                return _not_allowed("POST, DELETE")
            case ["v1", "passes", pass_type, serial]:
                if method in ("GET", "HEAD"):
                    return self._pass(environ, pass_type, serial, counts=method == "GET")
                return _not_allowed("GET, HEAD")
            case ["v1", "passes", _, _, "passLifecycleUpdate"]:
                return self._lifecycle(environ) if method == "POST" else _not_allowed("POST")
            case ["v1", "log"]:
                return self._log(environ) if method == "POST" else _not_allowed("POST")
            case _:
                return _NOT_FOUND

    # GET /v1/devices/{device}/registrations/{type}?passesUpdatedSince={tag}

    def _list(self, environ: WSGIEnvironment, device: str, pass_type: str, *, counts: bool) -> Answer:
        if not (_NAME.fullmatch(device) and _NAME.fullmatch(pass_type)):
            return _NOTHING_NEW
        tag = tag_of(environ)
        found = self._reader.read(
            lambda tx: listing.changed_since(
                tx, DeviceLibraryIdentifier(device), PassTypeIdentifier(pass_type), tag
            )
        )
        if found is None:
            return _NOTHING_NEW
        if counts:
            self._evidence.listed(found, self._clock())
        if not found.serial_numbers:
            return _NOTHING_NEW
        body = {"serialNumbers": found.serial_numbers, "lastUpdated": found.last_updated}
        return Answer(200, json.dumps(body).encode(), _JSON)

    # GET /v1/passes/{type}/{serial}

    def _pass(self, environ: WSGIEnvironment, pass_type: str, serial: str, *, counts: bool) -> Answer:
        key = self._admit(environ, pass_type, serial)
        if key is None:
            return _UNAUTHORISED
        since = environ.get("HTTP_IF_MODIFIED_SINCE", "")
        modified = http_date(key.last_modified)
        held = None
        # What we served comes back as it was; a proxy may have written the same date otherwise. A date later
        # than ours was served before a restore: the phone needs the pass.
        if since and (since == modified or (held := moment_of(since)) == key.last_modified):
            if counts:
                self._evidence.installed(Install(key.id, key.version, self._clock()))
            return Answer(304, headers=(("Last-Modified", modified),))
        if not counts:
            return Answer(200, headers=(_PKPASS, ("Last-Modified", modified)))
        wallet_pass, body = self._reader.read(lambda tx: self._built(tx, key.id))
        version, last_modified = wallet_pass.version, wallet_pass.last_modified
        self._evidence.fetched(Fetch(key.id, version, last_modified, self._clock(), held))
        return Answer(200, body, (_PKPASS, ("Last-Modified", http_date(last_modified))))

    def _built(self, tx: Tx, pass_id: WalletPassId) -> tuple[WalletPass, bytes]:
        wallet_pass = issuing.wallet_pass(tx, pass_id)
        return wallet_pass, self._build_pass(tx, wallet_pass)

    # POST /v1/devices/{device}/registrations/{type}/{serial}

    def _register(self, environ: WSGIEnvironment, device: str, pass_type: str, serial: str) -> Answer:
        key = self._admit(environ, pass_type, serial)
        if key is None:
            return _UNAUTHORISED
        document = json_of(environ)
        if isinstance(document, Answer):
            return document
        push_token = document.get("pushToken") if isinstance(document, dict) else None
        if not isinstance(push_token, str) or not _PUSH_TOKEN.fullmatch(push_token):
            return refusal(400, "bad-push-token", 'Send {"pushToken": "…"} with the token of the device.')
        if not _NAME.fullmatch(device):
            return refusal(400, "bad-device", "The device library identifier is not one.")
        if not self._may_change(key):
            return _TOO_OFTEN
        now = self._clock()
        try:
            with self._database.write() as tx:
                done = registrations.register(
                    tx,
                    device_library_identifier=DeviceLibraryIdentifier(device),
                    pass_type_identifier=PassTypeIdentifier(pass_type),
                    pass_id=key.id,
                    push_token=PushToken(push_token),
                    push_service=push_service_of(environ),
                    now=now,
                )
                self._on_registered(tx, key.id, done.first, now)
        except Conflict as full:
            return refusal(409, full.code, full.message)
        self._wakeup.ring()
        return Answer(201) if done.created else _DONE

    # DELETE /v1/devices/{device}/registrations/{type}/{serial}

    def _unregister(self, environ: WSGIEnvironment, device: str, pass_type: str, serial: str) -> Answer:
        key = self._admit(environ, pass_type, serial)
        if key is None:
            return _UNAUTHORISED
        if not _NAME.fullmatch(device):
            return _DONE
        if not self._may_change(key):
            return _TOO_OFTEN
        with self._database.write() as tx:
            done = registrations.unregister(
                tx,
                device_library_identifier=DeviceLibraryIdentifier(device),
                pass_type_identifier=PassTypeIdentifier(pass_type),
                pass_id=key.id,
                now=(now := self._clock()),
            )
            if done.last:
                self._on_last_removed(tx, key.id, now)
        self._wakeup.ring()
        return _DONE

    # POST /v1/log

    def _log(self, environ: WSGIEnvironment) -> Answer:
        document = json_of(environ)
        if isinstance(document, Answer):
            return document
        lines = device_log.lines_of(document)
        if lines is None:
            return refusal(400, "bad-logs", 'Send {"logs": ["…", …]}.')
        self._note(environ, lines)
        return _DONE

    # POST /v1/passes/{type}/{serial}/passLifecycleUpdate: undocumented, and retried unless it gets a 200

    def _lifecycle(self, environ: WSGIEnvironment) -> Answer:
        document = json_of(environ)
        state = document.get("passState") if isinstance(document, dict) else None
        if isinstance(state, str):
            self._note(environ, [device_log.harmless(f"passLifecycleUpdate {state}")])
        return _DONE

    def _note(self, environ: WSGIEnvironment, lines: list[str]) -> None:
        """Beyond the limit lines are dropped: an error would only make iOS send them again."""
        if self._log_limit.allows(site_of(environ.get("REMOTE_ADDR", "")), time.monotonic()):
            at = self._clock()
            self._evidence.logged(LogLine(at, line) for line in lines)

    def _may_change(self, key: PassKey) -> bool:
        return self._change_limit.allows(str(key.id), time.monotonic())

    def _admit(self, environ: WSGIEnvironment, pass_type: str, serial: str) -> PassKey | None:
        token = token_of(environ)
        if not (token and _NAME.fullmatch(pass_type) and _NAME.fullmatch(serial)):
            return None
        return self._reader.read(
            lambda tx: access.admit(
                tx, self._pass_key, PassTypeIdentifier(pass_type), SerialNumber(serial), token
            )
        )


def _not_allowed(methods: str) -> Answer:
    return refusal(405, "method-not-allowed", f"Use {methods} here.", ("Allow", methods))
