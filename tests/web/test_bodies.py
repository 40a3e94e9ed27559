"""Who sends slowly gets a few places to wait in; everybody else goes on, and is told in their own words."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from threading import Barrier, Event
from typing import TYPE_CHECKING, Any

import pytest
from werkzeug.test import Client, EnvironBuilder, run_wsgi_app

from app.db import Database
from app.web.application import make_application
from app.web.bodies import BodiesFirst
from app.web.body_limits import MOST_WAITING, MOST_WAITING_ALL, WAITING_THREADS
from tests.web.till_api import Bell, services

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment


class _Slow:
    """Bodies that end when they are told to."""

    def __init__(self, parties: int) -> None:
        self.begun = Barrier(parties + 1)
        self.ends = Event()

    def read(self, _size: int) -> bytes:
        if not self.ends.is_set():
            self.begun.wait(20)
            self.ends.wait(20)
        return b""


def _status(application: WSGIApplication, path: str = "/", *, source: Any = None, remote: str = "") -> int:
    """Of a request with or without a body."""
    environ = EnvironBuilder(path, method="POST" if source else "GET").get_environ()
    environ["REMOTE_ADDR"] = remote or "192.0.2.1"
    if source:
        environ |= {"CONTENT_LENGTH": "2", "wsgi.input": source}
    status: str = run_wsgi_app(application, environ)[1]
    return int(status[:3])


@contextmanager
def _unfinished(application: WSGIApplication, addresses: list[str]) -> Iterator[list[int]]:
    """One unfinished body from each address; afterwards the list has their statuses."""
    slow, statuses = _Slow(len(addresses)), list[int]()
    with ThreadPoolExecutor(len(addresses)) as pool:
        asked = [pool.submit(_status, application, source=slow, remote=address) for address in addresses]
        try:
            slow.begun.wait(20)
            yield statuses
        finally:
            slow.ends.set()
            statuses += [one.result() for one in asked]


def _empty(_environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
    start_response("204 No Content", [])
    return ()


def _post(application: WSGIApplication, remote: str) -> int:
    ended = _Slow(0)
    ended.ends.set()
    return _status(application, source=ended, remote=remote)


def test_all_addresses_of_one_customer_share_their_places() -> None:
    application = BodiesFirst(_empty, at_work=4)
    with _unfinished(application, [f"2001:db8:1:2::{n}" for n in range(MOST_WAITING)]) as statuses:
        assert _post(application, "2001:db8:1:2:ffff::9") == 429
        assert _post(application, "2001:db8:1:3::9") == 204
    assert statuses == [204] * MOST_WAITING
    assert _post(application, "2001:db8:1:2:ffff::9") == 204


def test_many_addresses_leave_threads_to_requests_without_a_body() -> None:
    assert WAITING_THREADS - MOST_WAITING_ALL == 8
    application = BodiesFirst(_empty, at_work=4)
    with _unfinished(application, [f"192.0.2.{n}" for n in range(MOST_WAITING_ALL)]) as statuses:
        assert _post(application, "198.51.100.1") == 429
        assert _status(application, "/passkit/v1/passes/a/b", remote="198.51.100.1") == 204
    assert statuses == [204] * MOST_WAITING_ALL
    assert _post(application, "198.51.100.1") == 204


def test_whether_the_process_lives_is_told_while_all_that_work_are_held_up() -> None:
    begun, ends = Barrier(5), Event()

    def hanging(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        if environ["PATH_INFO"] != "/healthz":
            begun.wait(20)
            assert ends.wait(20)
        return _empty(environ, start_response)

    application = BodiesFirst(hanging, at_work=4)
    with ThreadPoolExecutor(5) as pool:
        held = [pool.submit(_status, application) for _ in range(4)]
        begun.wait(20)
        try:
            assert pool.submit(_status, application, "/healthz").result(5) == 204
        finally:
            ends.set()
        assert [one.result() for one in held] == [204] * 4


def _of_passkit(document: dict[str, Any], text: str) -> bool:
    return document["type"] == "urn:perkpass:problem:too-many-requests" and "try again" in text


def _of_the_api(document: dict[str, Any], text: str) -> bool:
    return document["code"] == "too-many-requests" and "try again" in text


@pytest.mark.parametrize(
    ("path", "kind", "good"),
    [
        ("/passkit/v1/log", "application/problem+json", _of_passkit),
        ("/api/v1/receipts", "application/problem+json", _of_the_api),
        ("/i/abc", "text/html; charset=utf-8", lambda _, text: "Минуту" in text or "минут" in text),
    ],
)
def test_who_finds_no_place_is_told_in_words_of_their_own(
    database: Database, path: str, kind: str, good: Callable[[dict[str, Any], str], bool]
) -> None:
    application = make_application(services(database, Bell()), _empty)
    with _unfinished(application, ["192.0.2.1"] * MOST_WAITING):
        answer = Client(application).post(
            path, data=b"{}", headers={"Accept-Language": "ru"}, environ_base={"REMOTE_ADDR": "192.0.2.1"}
        )
    assert (answer.status_code, answer.headers["Retry-After"], answer.content_type) == (429, "5", kind)
    assert answer.headers["Cache-Control"] == "no-store"
    assert good(json.loads(answer.text) if "json" in kind else {}, answer.text)


def test_who_watches_over_the_web_processes_loads_no_web() -> None:
    code = (
        "import sys; from app.commands.serve import make_server; from app.settings import Settings;"
        " make_server(Settings(_env_file=None)); print({'flask', 'werkzeug', 'limits'} & set(sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.stdout == "set()\n", done.stderr
