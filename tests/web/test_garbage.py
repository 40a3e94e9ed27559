"""Whatever is thrown at guests' addresses, phones' and probes': an answer, and no word of the inside."""

from __future__ import annotations

import json
from dataclasses import replace
from urllib.parse import quote_from_bytes, urlencode

from hypothesis import example, given
from hypothesis import strategies as st

from tests.tables import LOGS
from tests.web.edges import Edges, fuzzed, garbage, harmless
from tests.web.whole_web import FORM, JSON
from tests.web.whole_web import VISITS as VISIT_TABLES

METHODS = ["GET", "POST", "HEAD", "PUT", "DELETE", "OPTIONS", "PATCH", "get", "BREW"]
GUESTS = [
    "",
    "/card/{}",
    "/next/{}",
    "/next/{}/state",
    "/next/{}/birthday",
    "/design/1/card-{}.css",
    "/pass/{}.pkpass",
    "/seen/{}",
    "/design/{}/card.css",
    "/design/1/{}",
    "/qr.svg",
    "/qr.png",
    "/{}",
]
OTHERS = ["/{}", "/healthz/{}", "/static/{}", "/api/{}", "/api/v1/cards/{}", "/api/v1/receipts/{}/refund",
          "/passkit/{}", "/passkit/v1/log/{}", "/metrics?{}", "/i/{}"]  # fmt: skip
PHONES = [
    "/v1/devices/{}/registrations/{type}", "/v1/devices/{}/registrations/{type}/{serial}",
    "/v1/devices/d0/registrations/{}/{serial}", "/v1/devices/d0/registrations/{type}/{}",
    "/v1/passes/{type}/{}", "/v1/passes/{}/{serial}", "/v1/passes/{type}/{serial}/{}",
    "/v1/passes/{type}/{serial}/passLifecycleUpdate", "/v1/log",
]  # fmt: skip
REGISTERING = frozenset(
    {"device", "registration", "visit_event", "visit_change", "pass_evidence", "holder_change"}
)
HEADERS = ["User-Agent", "Accept-Language", "Accept", "Referer", "If-Modified-Since", "X-Forwarded-For",
           "Host", "Range", "Cookie", "Content-Type", "Purpose", "Expect", "If-None-Match",
           "Authorization"]  # fmt: skip
headers = st.dictionaries(
    st.sampled_from(HEADERS), garbage.map(lambda raw: raw.decode("latin-1")), max_size=4
)
json_bodies = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(st.sampled_from(["pushToken", "logs", "passState", "x"]), inner, max_size=4)
    ),
    max_leaves=12,
)


def _filled(template: str, part: bytes, **more: str) -> str:
    first, hole, rest = template.partition("{}")
    return (first + (quote_from_bytes(part, safe="") if hole else "") + rest).format_map(more)


@fuzzed
@given(
    method=st.sampled_from(METHODS), route=st.sampled_from(GUESTS), part=garbage, query=garbage, body=garbage,
    sent=headers,
)  # fmt: skip
@example("GET", "/qr.svg", b"", b"\xa1\x06", b"", {})
@example("GET", "", b"", b"lang=\xd1\x80&v=\xff", b"", {})
@example("GET", "", b"", b"", b"", {"Purpose": "prefetch"})
@example("GET", "", b"", b"v=%ff&lang=%00", b"", {"Accept-Language": ";q=\xff,*", "Host": "\x00"})
def test_no_garbage_brings_a_guests_page_down(
    edges: Edges, method: str, route: str, part: bytes, query: bytes, body: bytes, sent: dict[str, str]
) -> None:
    address = edges.web.links["zerno"] + _filled(route, part)
    with edges.web.nothing_changes(LOGS | VISIT_TABLES):
        answer = edges.web.ask(method, address.encode() + b"?" + query, body, sent, remote="192.0.2.20")
    if answer.status == 503:  # only who says that nobody looks is told to come back
        assert "prefetch" in sent["Purpose"].lower() or "preview" in sent["Purpose"].lower()
        answer = replace(answer, status=200)  # and in harmless words
    assert harmless(answer)


@fuzzed
@given(
    method=st.sampled_from(METHODS), route=st.sampled_from(OTHERS), part=garbage, body=garbage, sent=headers
)
def test_no_garbage_brings_any_other_address_down(
    edges: Edges, method: str, route: str, part: bytes, body: bytes, sent: dict[str, str]
) -> None:
    with edges.web.nothing_changes(LOGS | VISIT_TABLES):
        assert harmless(edges.web.ask(method, _filled(route, part), body, sent, remote="192.0.2.21"))


@fuzzed
@given(
    method=st.sampled_from(METHODS), route=st.sampled_from(PHONES), part=garbage, query=garbage,
    document=json_bodies, sent=headers, own=st.booleans(),
)  # fmt: skip
def test_no_garbage_from_a_phone_brings_its_service_down(
    edges: Edges,
    method: str,
    route: str,
    part: bytes,
    query: bytes,
    document: object,
    sent: dict[str, str],
    own: bool,
) -> None:
    """Also with the pass's own token: then it may register itself, and nothing else changes."""
    card = edges.stranger
    address = "/passkit" + _filled(route, part, type=card.pass_type, serial=card.serial)
    given_headers = sent | ({"Authorization": card.bearer["Authorization"]} if own else {})
    body = json.dumps(document).encode("utf-8", "surrogatepass")
    target = address.encode() + b"?passesUpdatedSince=" + query
    with edges.web.nothing_changes(LOGS | (REGISTERING if own else frozenset())):
        answer = edges.web.ask(method, target, body, given_headers, remote="192.0.2.22")
    assert harmless(answer)


@fuzzed
@given(
    fields=st.lists(
        st.tuples(st.sampled_from(["form", "name", "data", "wording", "lang", "advertising", "x"]), garbage),
        max_size=8,
    ),
    good=st.booleans(),
    kind=st.sampled_from([FORM, JSON, "multipart/form-data; boundary=x", "text/plain", ""]),
)
def test_a_form_of_garbage_among_good_fields_is_answered_in_words(
    edges: Edges, fields: list[tuple[str, bytes]], good: bool, kind: str
) -> None:
    path, hidden = edges.web.form("pechka") if good else (edges.web.links["pechka"], {})
    body = urlencode([*hidden.items(), *fields]).encode()
    answer = edges.web.ask("POST", path, body, {"Content-Type": kind}, remote="192.0.2.23")
    assert harmless(answer)
    assert answer.status in (303, 400, 413, 422, 429)
