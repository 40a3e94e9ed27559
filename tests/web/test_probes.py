"""What monitors are told, and strangers are not."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from sqlalchemy.exc import OperationalError
from werkzeug.test import Client, TestResponse

from app.accounts import brands
from app.accounts.brands import BrandDraft
from app.db import Database, schema
from app.passes.press import Press
from app.simulators.authority import Authority
from app.web.application import make_application
from app.web.services import Services
from tests.loyalty.town import NOW
from tests.web.till_api import Bell, services

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment

PASS_TYPE, TEAM = "pass.com.example.probed", "A1B2C3D4E5"
LOCAL = "127.0.0.1"


class _Clock:
    def __init__(self) -> None:
        self.now = NOW

    def __call__(self) -> datetime:
        return self.now


def _no_phones(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
    raise AssertionError(environ["PATH_INFO"])


@pytest.fixture
def clock() -> _Clock:
    return _Clock()


@pytest.fixture
def given(database: Database, tmp_path: Path, clock: _Clock) -> Services:
    """One brand with a certificate that has 20 days left."""
    authority = Authority.create(tmp_path / "authority", now=NOW)
    directory = authority.pass_credentials(
        tmp_path / "certs", pass_type_identifier=PASS_TYPE, team_identifier=TEAM, organization="Probed",
        valid=timedelta(days=20),
    )  # fmt: skip
    texts: dict[str, Any] = {
        language: {"programme": "P", "promise": "P", "privacy_url": "https://probed.example/p",
                   "terms_url": "https://probed.example/t", "support": "S"}
        for language in ("ru", "en")
    }  # fmt: skip
    draft = BrandDraft(
        slug="probed", name="Probed", texts=texts, time_zone="Europe/Moscow", currency="RUB", language="ru",
        pass_type_identifier=PASS_TYPE, team_identifier=TEAM, credentials=f"file:{directory}",
    )  # fmt: skip
    with database.write() as tx:
        brands.create_brand(tx, draft, now=NOW, actor="test")
    press = Press("https://example.com/passkit", clock=clock)
    return replace(services(database, Bell()), press=press, clock=clock)


def _ask(given: Services, path: str, *, address: str = LOCAL, **headers: str) -> TestResponse:
    client = Client(make_application(given, _no_phones))
    sent = {name.replace("_", "-"): value for name, value in headers.items()}
    return client.get(path, headers=sent, environ_base={"REMOTE_ADDR": address})


@pytest.mark.once
@pytest.mark.parametrize("header", ["Forwarded", "X-Forwarded-For", "X-Forwarded-Proto", "x-real-ip"])
@pytest.mark.parametrize("hops", [0, 1])
def test_numbers_are_not_told_by_way_of_a_proxy(given: Services, header: str, hops: int) -> None:
    given = replace(given, trusted_proxies=hops)
    assert "perkpass_deliveries" in _ask(given, "/metrics").text
    answer = _ask(given, "/metrics", **{header: LOCAL})
    assert (answer.status_code, "perkpass_deliveries" in answer.text) == (403, False)
    assert _ask(given, "/metrics", address="192.0.2.1").status_code == 403


def test_a_database_that_can_be_written_again_is_told_to_who_only_reads_numbers(given: Services) -> None:
    with given.database.autocommit() as tx:
        tx.exec_driver_sql(
            "PRAGMA query_only = ON" if given.database.is_sqlite else "SET default_transaction_read_only = on"
        )
    with pytest.raises(OperationalError):
        schema.try_writing(given.database)
    assert given.database.outage is not None
    assert "perkpass_database_writable 1.0" in _ask(given, "/metrics").text


def test_a_token_opens_the_numbers_from_everywhere_and_nothing_else_does(given: Services) -> None:
    given = replace(given, metrics_token="a token")
    assert _ask(given, "/metrics").status_code == 403
    for address in (LOCAL, "192.0.2.1"):
        good = _ask(given, "/metrics", address=address, Authorization="Bearer a token", X_Forwarded_For="x")
        assert good.status_code == 200
        assert _ask(given, "/metrics", address=address, Authorization="Bearer \xff").status_code == 403


def test_strangers_learn_how_many_faults_there_are_and_not_which(given: Services) -> None:
    given = replace(given, metrics_token="a token")
    local = _ask(given, "/readyz")
    assert local.status_code == 200
    assert local.json is not None
    assert [warning.split(":")[0] for warning in local.json["warnings"]] == ["probed"]
    for more in ({"address": "192.0.2.1"}, {"X_Real_IP": LOCAL}):
        told = _ask(given, "/readyz", **more)
        assert told.json == {"ready": True, "faults": 0, "warnings": 1}
        assert _ask(given, "/readyz", Authorization="Bearer a token", **more).json == local.json


def test_a_certificate_that_ran_out_after_it_was_loaded_is_a_fault(given: Services, clock: _Clock) -> None:
    clock.now = NOW + timedelta(days=20) - timedelta(minutes=2)
    assert _ask(given, "/readyz").status_code == 200
    clock.now += timedelta(minutes=4)  # before the press looks at the file again
    for later in (timedelta(0), timedelta(hours=1)):
        clock.now += later
        answer = _ask(given, "/readyz")
        assert answer.status_code == 503
        assert answer.json is not None
        assert answer.json["ready"] is False
        assert [fault.startswith("probed: ") for fault in answer.json["faults"]] == [True]
        assert "expired" in answer.json["faults"][0]
        assert _ask(given, "/readyz", address="192.0.2.1").json == {
            "ready": False, "faults": 1, "warnings": 0,
        }  # fmt: skip


@pytest.mark.once
@pytest.mark.parametrize("path", ["/api", "/api/", "//api/v1/receipts", "/i//x", "/static", "/healthz/"])
def test_no_redirect_is_built_from_a_made_up_host(given: Services, path: str) -> None:
    answer = _ask(given, path, Host="evil.example")
    assert answer.status_code == (200 if path == "/healthz/" else 404)
    assert "Location" not in answer.headers
    assert "evil.example" not in answer.text


@pytest.mark.once
@pytest.mark.parametrize("path", ["/api", "/api/", "/api/v1/receipts", "/api/nowhere"])
@pytest.mark.parametrize("method", ["TRACE", "PROPFIND"])
def test_a_method_that_no_call_has_is_a_problem(given: Services, path: str, method: str) -> None:
    answer = Client(make_application(given, _no_phones)).open(path, method=method)
    assert (answer.status_code, answer.content_type) == (405, "application/problem+json")
    assert answer.json is not None
    assert answer.json["code"] == "wrong-method"
    assert answer.headers["Allow"] == ("POST" if path == "/api/v1/receipts" else "")


@pytest.mark.once
@pytest.mark.parametrize("path", ["/i", "/card", "/favicon.ico", "/%ff"])
@pytest.mark.parametrize(("language", "words"), [("ru", "Здесь ничего нет"), ("en", "Nothing here")])
def test_people_who_went_astray_are_told_so_in_their_language(
    given: Services, path: str, language: str, words: str
) -> None:
    answer = _ask(given, path, Accept_Language=language)
    assert (answer.status_code, answer.mimetype) == (404, "text/html")
    assert f"<h1>{words}</h1>" in answer.text
    assert f'<html lang="{language}">' in answer.text
    assert "default-src 'none'" in answer.headers["Content-Security-Policy"]


@pytest.mark.once
def test_a_method_that_a_page_has_not_is_told_with_those_it_has(given: Services) -> None:
    answer = Client(make_application(given, _no_phones)).delete("/healthz")
    assert answer.status_code == 405
    assert set(answer.headers["Allow"].split(", ")) == {"GET", "HEAD", "OPTIONS"}
    assert "<h1>That did not work</h1>" in answer.text
