"""Bodies are waited for beside the few threads that work, so that slow senders hold up nobody else.

A phone with bad Wi-Fi sends the head of its request at once and the rest whenever it can. The server waits
for that in a thread. There are many threads to wait in, and few of them work at a time; of the waiting ones
an address gets a few, and all addresses together get so many that lists and fetches always find one.
"""

from __future__ import annotations

import io
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from threading import BoundedSemaphore, Lock
from typing import TYPE_CHECKING, Final

from app.web.body_limits import MOST_BODY, MOST_WAITING, MOST_WAITING_ALL
from app.web.rate_limits import site_of

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

RETRY_AFTER: Final = 5
"""Seconds until who was refused may try again."""
SENTENCE: Final = "Too many requests are unfinished. Please try again."
_ALIVE: Final = "/healthz"  # who asks whether the process lives is not to wait for a database that hangs


def too_many_unfinished(_environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
    """A plain refusal, for who has no better words."""
    headers = [
        ("Content-Type", "text/plain"),
        ("Cache-Control", "no-store"),
        ("Retry-After", f"{RETRY_AFTER}"),
    ]
    start_response("429 Too Many Requests", headers)
    return (f"{SENTENCE}\n".encode(),)


class BodiesFirst:
    """A WSGI application around another: whole bodies in, ``at_work`` requests at a time."""

    def __init__(
        self,
        application: WSGIApplication,
        *,
        at_work: int,
        crowded: WSGIApplication = too_many_unfinished,
        most: Callable[[WSGIEnvironment], int] = lambda _environ: MOST_BODY,
    ) -> None:
        """``crowded`` answers who finds no place to wait; the body it sees is empty.

        ``most`` tells how many bytes of this request's body are read, told by its head alone.
        """
        self._application, self._crowded, self._most = application, crowded, most
        self._turn = BoundedSemaphore(at_work)
        self._waiting: Counter[str] = Counter()  # by site
        self._all_waiting = 0
        self._lock = Lock()

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Read the body, then wait for a turn; 429 where too many bodies are unfinished."""
        if environ.get("CONTENT_LENGTH") not in (None, "", "0") or "HTTP_TRANSFER_ENCODING" in environ:
            with self._place(site_of(environ.get("REMOTE_ADDR", ""))) as place:
                if not place:
                    return self._crowded(_without_body(environ), start_response)
                environ["wsgi.input"] = io.BytesIO(_read(environ, self._most(environ)))
        elif environ["PATH_INFO"] == _ALIVE:
            return self._application(environ, start_response)
        with self._turn:
            return self._application(environ, start_response)

    @contextmanager
    def _place(self, site: str) -> Iterator[bool]:
        with self._lock:
            free = self._waiting[site] < MOST_WAITING and self._all_waiting < MOST_WAITING_ALL
            self._count(site, int(free))
        try:
            yield free
        finally:
            with self._lock:
                self._count(site, -int(free))

    def _count(self, site: str, change: int) -> None:
        self._all_waiting += change
        self._waiting[site] += change
        if not self._waiting[site]:
            del self._waiting[site]


def _without_body(environ: WSGIEnvironment) -> WSGIEnvironment:
    bare = {**environ, "CONTENT_LENGTH": "0", "wsgi.input": io.BytesIO()}
    bare.pop("HTTP_TRANSFER_ENCODING", None)
    return bare


def _read(environ: WSGIEnvironment, allowed: int) -> bytes:
    """The body, or one byte more than a body may have of it."""
    source, most = environ["wsgi.input"], allowed + 1
    length = environ.get("CONTENT_LENGTH") or ""
    if length.isascii() and length.isdigit():
        if int(length) > allowed:
            return b""  # the length says it all
        most = int(length)
    parts: list[bytes] = []
    while most > 0 and (part := source.read(most)):
        parts.append(part)
        most -= len(part)
    return b"".join(parts)
