"""What Google asks of us: images of cards, and callbacks that tell of saves and deletions.

::

    GET  /google/images/{digest}.png  public, and the same for ever: the digest says what the image is
    POST /google/callbacks            signed by Google; heard once each, however often it is repeated
    GET  /robots.txt                  lets Googlebot reach both, as Google demands

A callback names a card and no guest. What it says is written at once and answered at once; then the worker
reads the card, since another holder may remain after one has deleted it.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

import structlog
from flask import Blueprint, Response, request
from limits import RateLimitItem, RateLimitItemPerMinute
from werkzeug.exceptions import RequestEntityTooLarge

from app.db.failures import NO_DATABASE
from app.db.outages import outage_of
from app.errors import TooMany
from app.google import callbacks
from app.google.callbacks import CallbackRefused, Fault
from app.passes import google_cards
from app.passes.google_addresses import CALLBACKS, IMAGES
from app.web.guest_pages import FOR_EVER
from app.web.rate_limits import RateLimits, site_of
from app.web.services import Services

FAILURES: tuple[RateLimitItem, ...] = (RateLimitItemPerMinute(60),)
"""Callbacks of an address that are not Google's; those that are come in crowds, and are not counted."""
ROBOTS: Final = """\
User-agent: *
Allow: /google/
Disallow: /api/
Disallow: /console/
Disallow: /passkit/
"""
"""Guests' pages are not named: each tells robots itself that it is not to be listed, if they may read it."""
_DIGEST: Final = re.compile(r"[0-9a-f]{64}")
_AGAIN: Final = 60
_STATUS: Final = {Fault.MALFORMED: 400, Fault.NO_KEYS: 503, Fault.UNKNOWN_EVENT: 200}
"""403 for all others: whoever sent it is not Google, or speaks for somebody else's cards."""
log = structlog.get_logger()


def google_blueprint(services: Services, *, failures: tuple[RateLimitItem, ...] = FAILURES) -> Blueprint:
    """Google's way in; ``failures`` of an address are heard, the next are told to wait."""
    blueprint = Blueprint("google", __name__)
    ear = _Ear(services, RateLimits(services.rate_limit_storage), failures)

    @blueprint.get("/robots.txt")
    def robots() -> Response:
        return Response(ROBOTS, 200, {"Cache-Control": "public, max-age=3600"}, mimetype="text/plain")

    @blueprint.get(f"{IMAGES}<digest>.png")
    def image(digest: str) -> Response:
        """An image of a published design: only those that cards at Google name are kept under a digest."""
        found = None
        if _DIGEST.fullmatch(digest):
            with services.database.read() as tx:
                found = google_cards.image(tx, digest)
        return _plain(404, "There is no such image.") if found is None else _picture(found)

    @blueprint.post(CALLBACKS)
    def callback() -> Response:
        """Hear Google out. 200 also for what was heard before; 403 for what is not Google's."""
        request.max_content_length = callbacks.LARGEST
        try:
            return ear.hear()
        except TooMany as crowd:
            return _plain(429, str(crowd), again=max(1, round(crowd.retry_after.total_seconds())))
        except RequestEntityTooLarge:
            return _plain(413, "The body is too large.")
        except NO_DATABASE as fault:
            if outage_of(fault) is None:  # an outage tells itself
                log.error("database_unavailable", path=CALLBACKS, fault=type(fault).__name__)  # noqa: TRY400
            return _plain(503, "Please tell that again later.", again=_AGAIN)

    return blueprint


class _Ear:
    """Takes callbacks in, and tells strangers from Google."""

    def __init__(self, services: Services, limits: RateLimits, failures: Sequence[RateLimitItem]) -> None:
        self._services, self._limits, self._failures = services, limits, failures

    def hear(self) -> Response:
        """What is asked of the body in the request, and the answer to it."""
        google, now = self._services.google, self._services.clock()
        body = request.get_data(cache=False)
        issuers = google.accounts.issuers() if google else frozenset()
        try:
            if google is None or not issuers:
                raise CallbackRefused(Fault.OTHER_ISSUER)
            heard = callbacks.verify(body, roots=google.callback_roots(now), issuers=issuers, now=now)
        except CallbackRefused as refused:
            return self._refused(refused.fault)
        with self._services.database.write() as tx:
            change = google_cards.hear(tx, heard.object_id, heard.event.value, nonce=heard.nonce, now=now)
            if change is not None:
                google.changed(tx, [change], now)
        self._services.wakeup.ring()  # it is read now who holds the card
        return _plain(200, "Heard.")

    def _refused(self, fault: Fault) -> Response:
        status = _STATUS.get(fault, 403)
        log.warning("google_callback_refused", fault=fault.value)
        if status in (400, 403):
            told = "Too many calls were not Google's: wait."
            site = site_of(request.remote_addr or "")
            self._limits.count(self._failures, "google", "failed", site, sentence=told)
        return _plain(status, f"Not heard: {fault.value}.", again=_AGAIN if status == 503 else None)


def _picture(data: bytes) -> Response:
    return Response(data, 200, FOR_EVER, mimetype="image/png")


def _plain(status: int, words: str, *, again: int | None = None) -> Response:
    headers = {"Cache-Control": "no-store"} | ({"Retry-After": str(again)} if again else {})
    return Response(f"{words}\n", status, headers, mimetype="text/plain")
