"""The API's contract and its page: complete, offline, in two languages, and true."""

from __future__ import annotations

import json
import re
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import jsonschema_rs
import pytest

import app.loyalty
from app.db import Database
from app.loyalty.offer_redeeming import REFUSALS
from app.web.problem import KINDS
from tests.loyalty import town as towns
from tests.loyalty.town import STAMPS, TIERED
from tests.web.till_api import Bell, Till, application, receipt, services

pytestmark = pytest.mark.once  # the contract is read from the code

CALLS = {
    ("/api/v1/receipts", "post"),
    ("/api/v1/redemptions", "post"),
    ("/api/v1/receipts/{number}/refund", "post"),
    ("/api/v1/cards/{code}", "get"),
    ("/api/v1/funnel", "get"),
}


def _contract(database: Database) -> dict[str, Any]:
    client = application(services(database, Bell())).test_client()
    document: dict[str, Any] = json.loads(client.get("/api/openapi.json").text)
    return document


def test_the_contract_names_every_call_and_nothing_else(database: Database) -> None:
    contract = _contract(database)
    assert contract["openapi"].startswith("3.1")
    assert contract["servers"] == [{"url": "https://example.com"}]
    calls = {(path, method) for path, methods in contract["paths"].items() for method in methods}
    assert calls == CALLS


def test_the_contract_says_problem_json_for_every_refusal(database: Database) -> None:
    for path, methods in _contract(database)["paths"].items():
        for call in methods.values():
            refusals = {status: answer for status, answer in call["responses"].items() if int(status) >= 400}
            assert {"401", "429", "500", "503"} <= set(refusals)
            assert ("404" in refusals) == (path != "/api/v1/funnel")
            for answer in refusals.values():
                assert list(answer["content"]) == ["application/problem+json"]


def test_what_changes_something_wants_an_idempotency_key(database: Database) -> None:
    for path, method in CALLS:
        parameters = _contract(database)["paths"][path][method]["parameters"]
        headers = [p["name"] for p in parameters if p["in"] == "header" and p["required"]]
        assert headers == (["Idempotency-Key"] if method == "post" else [])


def test_every_reference_of_the_contract_leads_somewhere(database: Database) -> None:
    contract = _contract(database)
    references = set(re.findall(r'"\$ref": "#/components/schemas/([^"]+)"', json.dumps(contract)))
    assert references
    assert references <= set(contract["components"]["schemas"])


def test_every_field_is_explained_in_both_languages(database: Database) -> None:
    for name, schema in _contract(database)["components"]["schemas"].items():
        for field, said in schema.get("properties", {}).items():
            words = json.dumps(said.get("anyOf", [{}])[0] | said, ensure_ascii=False)
            assert re.search('"description": "[A-Z]', words), (name, field)
            assert re.search('"x-description-ru": "[А-Я]', words), (name, field)


@pytest.mark.parametrize("rules", [TIERED, STAMPS])
def test_answers_are_what_the_contract_says(database: Database, rules: Any) -> None:
    contract = _contract(database)
    with database.write() as tx:
        town = towns.build(tx, rules)
        guest = towns.guest(tx, town)
    bell = Bell()
    till = Till(application(services(database, bell)), town.secret, bell)
    card = guest.card_code
    for path, method, answer in (
        ("/api/v1/receipts", "post", till.post("/receipts", receipt(card, "1"))),
        ("/api/v1/receipts", "post", till.post("/receipts", receipt(card, "1", 1.5))),
        ("/api/v1/redemptions", "post", till.post("/redemptions", {"card": card, "points": 1})),
        ("/api/v1/redemptions", "post", till.post("/redemptions", {"card": card, "reward": True})),
        ("/api/v1/cards/{code}", "get", till.get(f"/cards/{card}")),
        ("/api/v1/cards/{code}", "get", till.get("/cards/x")),
        ("/api/v1/receipts/{number}/refund", "post", till.post("/receipts/1/refund")),
        ("/api/v1/receipts/{number}/refund", "post", till.post("/receipts/2/refund")),
        ("/api/v1/funnel", "get", till.get("/funnel?by=link")),
        ("/api/v1/funnel", "get", till.get("/funnel?by=nothing")),
    ):
        said = contract["paths"][path][method]["responses"][str(answer.status_code)]["content"]
        schema = said[answer.mimetype]["schema"]
        jsonschema_rs.validate({**schema, "components": contract["components"]}, answer.json)


class _Links(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.loaded: list[str] = []
        self.scripts = 0
        self.ids: set[str] = set()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        self.scripts += tag == "script"
        if tag in ("link", "img", "script"):
            self.loaded.append(given.get("href") or given.get("src") or "")
        if given.get("id"):
            self.ids.add(str(given["id"]))


@pytest.mark.parametrize(
    ("asked", "words"), [({"query_string": {"lang": "ru"}}, "Учесть чек"), ({}, "Record a receipt")]
)
def test_the_page_reads_in_both_languages_and_loads_nothing_from_elsewhere(
    database: Database, asked: dict[str, Any], words: str
) -> None:
    client = application(services(database, Bell())).test_client()
    page = client.get("/api/docs", **asked)
    links = _Links()
    links.feed(page.text)
    assert page.status_code == 200
    assert words in page.text
    assert links.scripts == 0
    assert links.loaded == ["/static/api-docs.css"]
    with client.get(links.loaded[0]) as style:
        assert style.status_code == 200
    assert "default-src 'none'" in page.headers["Content-Security-Policy"]
    assert {f"problem-{code}" for code in KINDS} <= links.ids
    assert page.text.count("<h2>") == len(CALLS) + 1


_SPEAKING = ("till.py", "redemption_limits.py", "offer_redeeming.py", "checks.py", "idempotency.py")


def test_every_refusal_of_the_till_is_a_kind_that_the_page_explains() -> None:
    room = Path(app.loyalty.__file__).parent
    sources = "".join((room / name).read_text() for name in _SPEAKING)
    raised = set(re.findall(r'(?:BadInput|Conflict|NotFound)\(\s*"([a-z-]+)"', sources))
    assert len(raised) > 12
    assert raised | {code for code, _ in REFUSALS.values()} <= set(KINDS)
