"""Whether a card's page has changed: asked every few seconds by every page that is open.

That question is to be as cheap as a phone's list, so it is answered beside Flask: one signature, one
statement in autocommit, no page. Whatever is not simply "no" goes on to :mod:`app.web.guest_card`.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Iterable
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from app.db import Tx
from app.db.failures import NO_DATABASE
from app.loyalty import editions
from app.web.card_app import CARD_POLICY
from app.web.device_kind import MOST_CHARACTERS
from app.web.guest_pages import HEADERS
from app.web.links import CardToken, Links
from app.web.passkit_reader import Reader

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment

PAGE_HEADERS = HEADERS | {"Cache-Control": "private, no-cache", "Content-Security-Policy": CARD_POLICY}
"""The guest's own browser keeps the page, and asks before it shows it again; a 304's headers replace those of
the page that it keeps."""

HALF_A_DAY = 12 * 60 * 60
"""So soon a page that stays open is drawn anew, since its way to the download lives for a day."""

_PATH = re.compile(r"/i/([a-z0-9]{1,64})/card/([^/]+~[^/]+)", re.ASCII)
_WEB = Path(__file__).parent
_RELEASE = hashlib.sha256(
    b"".join(
        file.read_bytes()
        for folder, names in (("templates", "guest/*.html"), ("translations", "**/*.mo"), ("static", "*.*"))
        for file in sorted((_WEB / folder).glob(names))
    )
).hexdigest()


def etag_of(tx: Tx, code: str, named: CardToken, environ: WSGIEnvironment, *, now: datetime) -> str | None:
    """The page's ``ETag``: another one wherever the page would look otherwise; None where there is no card.

    A page is made for a device and a language, hence the request's own words go in.
    """
    edition = editions.edition(tx, code, named.enrolment_id, named.card_link_version)
    if edition is None:
        return None
    asked = (
        environ.get("HTTP_USER_AGENT", "")[:MOST_CHARACTERS],
        environ.get("HTTP_ACCEPT_LANGUAGE", ""),
        environ.get("QUERY_STRING", ""),
    )
    said = f"{_RELEASE}{edition}{asked!r}{now.timestamp() // HALF_A_DAY}"
    return f'"{hashlib.sha256(said.encode("utf-8", "surrogateescape")).hexdigest()[:24]}"'


def is_known(etag: str, environ: WSGIEnvironment) -> bool:
    """Whether the asker has that edition; a proxy that packs pages marks ETags as weak (RFC 9110, 8.8)."""
    return etag in environ.get("HTTP_IF_NONE_MATCH", "")


class CardPoll:
    """Answers the question where the answer is that nothing changed."""

    def __init__(self, reader: Reader, links: Links, *, clock: Callable[[], datetime]) -> None:
        """``reader`` is the process's own: each thread keeps one connection to read with, and no more."""
        self._reader, self._links, self._clock = reader, links, clock

    def answer(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes] | None:
        """304 where that is all there is to say; None, and nothing started, for every other request."""
        if "HTTP_IF_NONE_MATCH" not in environ or environ["REQUEST_METHOD"] != "GET":
            return None
        found = _PATH.fullmatch(environ["PATH_INFO"])
        named = self._links.read_card(found[2]) if found else None
        if found is None or named is None:
            return None
        code, card = found[1], named
        try:
            etag = self._reader.read(lambda tx: etag_of(tx, code, card, environ, now=self._clock()))
        except NO_DATABASE:
            return None
        if etag is None or not is_known(etag, environ):
            return None
        start_response("304 Not Modified", [*PAGE_HEADERS.items(), ("ETag", etag)])
        return ()
