"""A database that can be read and not written: pages are shown, and acts say what is the matter."""

from __future__ import annotations

from contextlib import ExitStack
from datetime import timedelta

import pytest

from app.db import Database
from app.web.console.outage_words import outage_words
from tests.web.console.house import House


def _forbid_writing(database: Database) -> None:
    """On the connections that the pool gives next, until they are replaced."""
    with ExitStack() as held:
        for _ in range(3):
            tx = held.enter_context(database.autocommit())
            tx.exec_driver_sql(
                "PRAGMA query_only = ON" if database.is_sqlite else "SET default_transaction_read_only = on"
            )


@pytest.mark.parametrize("page", ["health", "funnel", "members", "people"])
def test_a_page_is_shown_though_the_visit_cannot_be_noted(house: House, page: str) -> None:
    desk = house.desk(house.operator)
    assert desk.get("/console/account").status_code == 200
    house.clock.forward(timedelta(minutes=10))
    _forbid_writing(house.database)
    assert desk.get(f"/console/cafe/{page}").status_code == 200
    assert house.database.outage is not None


@pytest.mark.parametrize(
    ("language", "said"), [("en", "can be read, and not written"), ("ru", "не изменять")]
)
def test_an_act_says_what_the_outage_is(house: House, language: str, said: str) -> None:
    desk = house.desk()
    desk.send("/console/account", "/console/account/language", language=language, next="/console/account")
    token = desk.token("/console/account")
    _forbid_writing(house.database)
    answer = desk.client.post("/console/account/name", data={"csrf_token": token, "name": "Anna"})
    assert answer.status_code == 503
    assert said in answer.text
    assert answer.headers["Retry-After"] == "60"


def test_whatever_else_is_wrong_it_does_not_answer(house: House) -> None:
    with house.application.test_request_context(headers={"Accept-Language": "en"}):
        assert outage_words(OSError()) == (
            "The database does not answer. Nothing was changed; try again in a minute."
        )
