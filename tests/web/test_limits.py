"""Every limit at its edge: what still goes, what does not, what it is told, and that nothing is left of it.

``docs/limits.md`` has a row for each, and the numbers there are the constants here.
"""

from __future__ import annotations

import json
import re
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import urlencode

import pytest

from app.commands.processes import MOST_CONNECTIONS
from app.commands.serve import HEADER_BYTES
from app.google.callbacks import LARGEST
from app.loyalty import codes
from app.loyalty.checks import MOST_MONEY, OLDEST_RECEIPT
from app.loyalty.enrolment import LONGEST_NAME as LONGEST_GUEST_NAME
from app.loyalty.idempotency import LONGEST_KEY
from app.loyalty.redemption_limits import MOST_POINTS
from app.passes import device_log
from app.passes.device_log import KEPT_LINES, MOST_CHARACTERS, MOST_LINES, LogLine
from app.passes.registrations import MOST_DEVICES, MOST_PASSES
from app.web import api_funnel, qr
from app.web.api import FAILURES, PER_KEY
from app.web.api_reading import MOST_BYTES
from app.web.body_limits import MOST_BODY, MOST_WAITING, MOST_WAITING_ALL, WAITING_THREADS
from app.web.google_wallet import FAILURES as NOT_GOOGLES
from app.web.guest_code import PAUSE
from app.web.guest_install import MAX_FORM
from app.web.guest_limits import FORMS, VISITS
from app.web.passkit import LONGEST_NAME, LONGEST_PUSH_TOKEN
from app.web.passkit_limit import CHANGE_BURST, LOG_BURST
from app.web.posters import ALL_DRAWINGS, DRAWINGS
from app.web.sms_receipts import FAILURES as STRANGERS
from app.web.sms_receipts import MAX_BODY
from tests.tables import LOGS
from tests.web.edges import Edges, harmless, receipt
from tests.web.whole_web import FORM, JSON, Answer
from tests.web.whole_web import VISITS as VISIT_TABLES

PAGE = Path(__file__).parents[2] / "docs" / "limits.md"
CODES = codes.CodeLimits(countries=(), brand_a_day=0)


def _codes(an_hour: int, a_day: int) -> str:
    return f"{an_hour} in 1 hour and {a_day} in 24 hours"


NUMBERS: dict[str, str] = {
    "Body of a call, phones": f"{MOST_BODY:,} bytes",
    "Device library identifier, pass type identifier, serial number": f"{LONGEST_NAME} characters",
    "Push token": f"{LONGEST_PUSH_TOKEN:,} characters",
    "Devices that hold a pass": f"{MOST_DEVICES}",
    "Passes of one type on a device": f"{MOST_PASSES}",
    "Registering and unregistering, by pass": f"{CHANGE_BURST} at once, then 1 a second",
    "Log lines in a call": f"{MOST_LINES}",
    "A log line": f"{MOST_CHARACTERS:,} characters",
    "Log lines that are kept": f"{KEPT_LINES:,}",
    "Calls of the log, by address": f"{LOG_BURST} at once, then 1 in 2 seconds",
    "Form": f"{MAX_FORM:,} bytes",
    "Parts of a multipart form": "50",
    "Name": f"{LONGEST_GUEST_NAME} characters",
    "New visits, by address": " and ".join(map(str, VISITS)),
    "Pages shown, by address": " and ".join(map(str, VISITS)),
    "Forms, by address": " and ".join(map(str, FORMS)),
    "Codes to a number, of a brand": _codes(CODES.number_an_hour, CODES.number_a_day),
    "Codes to a number, of all brands": _codes(CODES.number_anywhere_an_hour, CODES.number_anywhere_a_day),
    "Codes of a card": f"{CODES.visit_a_day} in 24 hours",
    "Codes to an address range (/24, /48), of a brand": _codes(
        CODES.address_range_an_hour, CODES.address_range_a_day
    ),
    "Codes of a visit": f"{CODES.visit_a_day} in 24 hours",
    "Codes of a venue": f"{CODES.venue_a_day} in 24 hours",
    "Pause before another code": f"{PAUSE.seconds} seconds",
    "Life of a code": f"{codes.LIFE.seconds // 60} minutes",
    "Tries at a code": f"{codes.TRIES}",
    "Scale of a QR code": f"{qr.MIN_SCALE} to {qr.MAX_SCALE}",
    "Posters drawn, by address": " and ".join(map(str, DRAWINGS)),
    "Posters drawn, of all addresses": " and ".join(map(str, ALL_DRAWINGS)),
    "Body of a call, tills": f"{MOST_BYTES:,} bytes",
    "Idempotency-Key": f"{LONGEST_KEY} characters",
    "Card code, receipt number": "64 characters",
    "Amount": f"{MOST_MONEY:,} minor units",
    "Points": f"{MOST_POINTS:,} hundredths",
    "Age of a receipt": f"{OLDEST_RECEIPT.days} days",
    "Calls, by key": str(PER_KEY),
    "Calls without a valid key, by address": str(FAILURES),
    "Calls of the funnel, by key": str(api_funnel.PER_KEY),
    "Days of a funnel": f"{api_funnel.MOST_DAYS} days",
    "Body of a call, gateways": f"{MAX_BODY:,} bytes",
    "Calls that no gateway sent, by address": " and ".join(map(str, STRANGERS)),
    "Body of a callback": f"{LARGEST:,} bytes",
    "Callbacks that are not Google's, by address": " and ".join(map(str, NOT_GOOGLES)),
    "Connections of a web process": f"{MOST_CONNECTIONS:,}, or what the system's limit of open files allows",
    "Unfinished bodies, by address": str(MOST_WAITING),
    "Unfinished bodies, of all addresses": str(MOST_WAITING_ALL),
    "Address and headers": f"{HEADER_BYTES:,} bytes",
}


def test_the_page_has_a_row_for_every_limit_with_its_number() -> None:
    rows = re.findall(
        r"^\| ([^|]+?) \| ([^|]+?) \| ([^|]+?) \|$", PAGE.read_text(encoding="utf-8"), re.MULTILINE
    )
    told = {what: limit for what, limit, _ in rows if what != "what" and not what.startswith("-")}
    assert told == NUMBERS | {what: limit for what, limit in told.items() if limit == "none"}
    assert all(answer for _, _, answer in rows)
    words = " ".join(PAGE.read_text(encoding="utf-8").split())
    assert f"one of {WAITING_THREADS} threads" in words
    assert f"{WAITING_THREADS - MOST_WAITING_ALL} of them are left to requests without a body" in words


@dataclass(frozen=True, slots=True)
class Edge:
    """The last that goes, the first that does not, and what the latter is told."""

    name: str
    ask: Callable[[Edges, int], Answer]  # a call of this size
    most: int
    goes: tuple[int, ...]
    status: int
    code: str  # of the problem; empty on pages for people
    words: str  # in the sentence


def _registration(edges: Edges, body: bytes, device: str = "d0") -> Answer:
    return edges.web.ask("POST", edges.card.registration(device), body, edges.card.bearer)


def _padded(document: bytes, size: int) -> bytes:
    return document + b" " * (size - len(document))


def _till(edges: Edges, body: bytes, path: str = "receipts", **more: str) -> Answer:
    return edges.web.ask("POST", f"/api/v1/{path}", body, edges.web.till("pechka", **more))


def _form(edges: Edges, name: str, size: int = 0) -> Answer:
    path, hidden = edges.web.form("pechka")
    body = urlencode(hidden | {"name": name, "data": "no"}).encode()  # never a card: consent is missing
    body += b"&x=" + b"a" * (size - len(body) - 3) if size else b""
    return edges.web.ask("POST", path, body, {"Content-Type": FORM})


def _parts(edges: Edges, count: int) -> Answer:
    path, _ = edges.web.form("pechka")
    part = b'--x\r\nContent-Disposition: form-data; name="a"\r\n\r\nb\r\n'
    kind = {"Content-Type": "multipart/form-data; boundary=x"}
    return edges.web.ask("POST", path, part * count + b"--x--\r\n", kind)


EDGES = [
    Edge("phone body", lambda e, n: _registration(e, _padded(b'{"pushToken": "70ce"}', n)),
         MOST_BODY, (200,), 413, "body-too-large", "Send at most"),
    Edge("log body", lambda e, n: e.web.ask("POST", "/passkit/v1/log", _padded(b'{"logs": []}', n)),
         MOST_BODY, (200,), 413, "body-too-large", "Send at most"),
    Edge("push token", lambda e, n: _registration(e, json.dumps({"pushToken": "a" * n}).encode()),
         LONGEST_PUSH_TOKEN, (200,), 400, "bad-push-token", "Send {"),
    Edge("device", lambda e, n: _registration(e, b'{"pushToken": "70ce"}', "d" * n),
         LONGEST_NAME, (200, 201), 400, "bad-device", "device library identifier"),
    Edge("form body", lambda e, n: _form(e, "", n), MAX_FORM, (422,), 413, "", "larger than"),
    Edge("form parts", _parts, 50, (400,), 413, "", "larger than"),
    Edge("name", lambda e, n: _form(e, "a" * n), LONGEST_GUEST_NAME, (422,), 422, "", "shorten the name"),
    Edge("scale", lambda e, n: e.web.ask("GET", f"{e.web.links['pechka']}/qr.png?scale={n}"),
         qr.MAX_SCALE, (200,), 400, "", "check the address"),
    Edge("till body", lambda e, n: _till(e, _padded(receipt(e.card, currency="XXX"), n)),
         MOST_BYTES, (422,), 413, "too-large", "at most"),
    Edge("idempotency key", lambda e, n: _till(e, receipt(e.card, currency="XXX"), Idempotency_Key="k" * n),
         LONGEST_KEY, (422,), 422, "", ""),
    Edge("receipt number", lambda e, n: _till(e, receipt(e.card, number="n" * n, currency="XXX")),
         64, (422,), 422, "invalid-request", "number"),
    Edge("card code", lambda e, n: _till(e, receipt(e.card, card="c" * n)), 64, (404,), 422,
         "invalid-request", "card"),
    Edge("amount", lambda e, n: _till(e, receipt(e.card, amount=n, currency="XXX")), MOST_MONEY, (422,), 422,
         "invalid-request", "amount"),
    Edge("points",
         lambda e, n: _till(e, json.dumps({"card": e.card.code, "points": n}).encode(), "redemptions"),
         MOST_POINTS, (409, 422), 422, "invalid-request", "points"),
]  # fmt: skip


@pytest.mark.parametrize("edge", EDGES, ids=lambda edge: edge.name)
def test_at_the_limit_it_goes_and_beyond_it_says_what_to_do(edges: Edges, edge: Edge) -> None:
    last = edge.ask(edges, edge.most)
    assert harmless(last)
    assert last.status in edge.goes
    with edges.web.nothing_changes(LOGS | VISIT_TABLES):
        first = edge.ask(edges, edge.most + 1)
    assert harmless(first)
    assert (first.status, first.body) != (last.status, last.body)
    assert edge.words in first.text
    if edge.name == "idempotency key":
        assert (first.status, first.document["code"]) == (400, "idempotency-key-malformed")
        return
    assert first.status == edge.status
    if edge.code:
        assert first.headers["content-type"] == "application/problem+json"
        assert first.document["type"].endswith(edge.code)
        assert first.document["detail"]


def _until_refused(ask: Callable[[], Answer], most: int) -> list[Answer]:
    return [ask() for _ in range(most + 1)]


@pytest.mark.parametrize(
    ("path", "kind", "remote", "limit", "goes"),
    [
        ("{link}", FORM, "192.0.2.10", FORMS[0].amount, 400),
        ("/api/v1/receipts", JSON, "192.0.2.11", FAILURES.amount, 401),
    ],
)
def test_who_asks_too_often_is_told_when_to_come_back(
    edges: Edges, path: str, kind: str, remote: str, limit: int, goes: int
) -> None:
    web = edges.web
    address = path.format(link=web.links["pechka"])
    with web.nothing_changes():
        answers = _until_refused(
            lambda: web.ask("POST", address, b"", {"Content-Type": kind}, remote=remote), limit
        )
    assert {answer.status for answer in answers[:-1]} == {goes}
    refused = answers[-1]
    assert (refused.status, harmless(refused)) == (429, True)
    assert 1 <= int(refused.headers["retry-after"]) <= 60
    if path.startswith("/api"):
        assert refused.document["type"].endswith("too-many-requests")
        assert "wait" in refused.document["detail"]
        good = web.ask("GET", f"/api/v1/cards/{edges.card.code}", headers=web.till("pechka"), remote=remote)
        assert good.status == 200  # the till beside it goes on
    else:
        assert "One moment" in refused.text


def test_an_address_begins_so_many_visits_and_no_more(edges: Edges) -> None:
    web, most = edges.web, VISITS[0].amount
    answers = _until_refused(lambda: web.ask("GET", web.links["zerno"], remote="192.0.2.12"), most)
    assert {answer.status for answer in answers[:-1]} == {303}
    assert answers[-1].status == 429
    assert int(answers[-1].headers["retry-after"]) >= 1
    with web.nothing_changes():
        assert web.ask("GET", web.links["zerno"], remote="192.0.2.12").status == 429


def test_an_address_shows_so_many_pages_and_no_more(edges: Edges) -> None:
    web, most, remote = edges.web, VISITS[0].amount, "192.0.2.14"
    scanned = web.ask("GET", web.links["zerno"], remote=remote)
    page = web.ask("GET", scanned.headers["location"].removeprefix("http://127.0.0.1:8000"), remote=remote)
    found = re.search(r'src="([^"]*/seen/[^"]+)"', page.text)
    assert found
    answers = _until_refused(lambda: web.ask("GET", found[1], remote=remote), most)
    assert {answer.status for answer in answers[:-1]} == {200}
    assert answers[-1].status == 429
    assert int(answers[-1].headers["retry-after"]) >= 1
    assert web.ask("GET", found[1], remote="192.0.2.15").status == 200


def test_a_made_up_pixel_waits_for_no_writer(edges: Edges) -> None:
    with edges.web.database.write(), edges.web.nothing_changes():
        for token in ("forged", "%ff", "1.2~3"):
            assert edges.web.ask("GET", f"{edges.web.links['pechka']}/seen/{token}").status == 200


def test_a_pass_is_registered_so_often_and_no_more(edges: Edges) -> None:
    web = edges.web
    card = web.card("zerno")
    body = b'{"pushToken": "70ce"}'
    answers = [web.ask("POST", card.registration("d9"), body, card.bearer) for _ in range(CHANGE_BURST + 20)]
    statuses = [answer.status for answer in answers]
    assert statuses[:CHANGE_BURST] == [201] + [200] * (CHANGE_BURST - 1)
    refused = next(answer for answer in answers if answer.status == 429)
    assert refused.document["type"].endswith("too-many-requests")
    assert int(refused.headers["retry-after"]) > 0
    # Other guests' cards, and what the phone reads, are not held up.
    assert web.ask("POST", edges.card.registration("d0"), body, edges.card.bearer).status == 200
    assert web.ask("GET", card.path, headers=card.bearer).status == 200


def test_log_lines_beyond_what_is_kept_are_dropped_and_not_refused(edges: Edges) -> None:
    lines = json.dumps({"logs": ["x" * (MOST_CHARACTERS + 5)] * (MOST_LINES + 5)}).encode()
    for _ in range(LOG_BURST + 5):
        answer = edges.web.ask("POST", "/passkit/v1/log", lines, remote="192.0.2.13")
        assert (answer.status, answer.body) == (200, b"")
    most = LOG_BURST * MOST_LINES
    deadline = time.monotonic() + 20
    while len(kept := _kept(edges)) < most and time.monotonic() < deadline:
        time.sleep(0.1)  # they are written a moment later, once for all the asking
    # A trickle goes on while the test runs.
    assert most <= len(kept) <= most + 4 * MOST_LINES
    assert set(kept) == {"x" * MOST_CHARACTERS}


def test_the_newest_log_lines_are_kept_and_the_oldest_dropped(edges: Edges) -> None:
    lines = [LogLine(datetime.now(UTC), f"old {number}") for number in range(KEPT_LINES)]
    with edges.web.database.write() as tx:
        device_log.record(tx, lines)
    sent = json.dumps({"logs": ["the newest"]}).encode()
    assert edges.web.ask("POST", "/passkit/v1/log", sent, remote="192.0.2.16").status == 200
    deadline = time.monotonic() + 20
    while "the newest" not in _kept(edges, 1) and time.monotonic() < deadline:
        time.sleep(0.1)
    kept = _kept(edges)
    assert kept[0] == "the newest"
    assert len(kept) == KEPT_LINES
    assert "old 0" not in kept


def _kept(edges: Edges, most: int = KEPT_LINES + 1) -> list[str]:
    with edges.web.database.read() as tx:
        return [line.text for line in device_log.newest(tx, most)]
