"""Bodies are waited for beside the few threads that work, so that slow senders hold up nobody else.

A phone with bad Wi-Fi sends the head of its request at once and the rest whenever it can. The server waits
for that in a thread. There are many threads to wait in, and few of them work at a time; of the waiting ones
an address gets a few.
"""

from __future__ import annotations

import io
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from threading import BoundedSemaphore, Lock
from typing import TYPE_CHECKING, Final

from flask import Response

from app.web.problem import answer_problem

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

MOST_BODY: Final = 64 * 1024
"""Of a body. No more is read; whoever gets the request sees that it is too large."""
WAITING_THREADS: Final = 32
"""Per web process, for the server's settings; they are made when they are needed."""
MOST_WAITING: Final = 8
"""Unfinished bodies of one address: a venue's guests share theirs."""


class BodiesFirst:
    """A WSGI application around another: whole bodies in, ``at_work`` requests at a time."""

    def __init__(self, application: WSGIApplication, *, at_work: int) -> None:
        self._application = application
        self._turn = BoundedSemaphore(at_work)
        self._waiting: Counter[str] = Counter()
        self._lock = Lock()

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Read the body, then wait for a turn; 429 where the address has too many unfinished ones."""
        if environ.get("CONTENT_LENGTH") not in (None, "", "0") or "HTTP_TRANSFER_ENCODING" in environ:
            with self._place(environ.get("REMOTE_ADDR", "")) as place:
                if not place:
                    return _too_many(environ["PATH_INFO"])(environ, start_response)
                environ["wsgi.input"] = io.BytesIO(_read(environ))
        with self._turn:
            return self._application(environ, start_response)

    @contextmanager
    def _place(self, address: str) -> Iterator[bool]:
        with self._lock:
            free = self._waiting[address] < MOST_WAITING
            self._waiting[address] += free
        try:
            yield free
        finally:
            with self._lock:
                self._waiting[address] -= free
                if not self._waiting[address]:
                    del self._waiting[address]


def _read(environ: WSGIEnvironment) -> bytes:
    """The body, or one byte more than a body may have of it."""
    source, most = environ["wsgi.input"], MOST_BODY + 1
    length = environ.get("CONTENT_LENGTH") or ""
    if length.isascii() and length.isdigit():
        if int(length) > MOST_BODY:
            return b""  # the length says it all
        most = int(length)
    parts: list[bytes] = []
    while most > 0 and (part := source.read(most)):
        parts.append(part)
        most -= len(part)
    return b"".join(parts)


def _too_many(path: str) -> Response:
    words = f"More than {MOST_WAITING} unfinished requests came from this address. Please try again."
    if path.startswith("/api/"):
        answer = answer_problem("too-many-requests", words)
    else:
        answer = Response(words + "\n", 429, {"Cache-Control": "no-store"}, mimetype="text/plain")
    answer.headers["Retry-After"] = "5"
    return answer
