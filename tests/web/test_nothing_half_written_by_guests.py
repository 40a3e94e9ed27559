"""Bad input on guests' pages gets a clear error, and every table says afterwards what it said before."""

from __future__ import annotations

import json
from urllib.parse import urlencode

from hypothesis import given
from hypothesis import strategies as st
from structlog.testing import capture_logs

from tests.tables import LOGS
from tests.web.edges import Edges, fuzzed, garbage, harmless, refused
from tests.web.whole_web import FORM, JSON, VISITS


def test_an_address_that_is_none_leaves_nothing(edges: Edges) -> None:
    web, path = edges.web, edges.web.links["pechka"]
    token = edges.card.page.rpartition("/")[2]
    other = edges.stranger.page.rpartition("/")[2]
    addresses = [
        "/i/unknown", "/i/%00", "/i/%ff", "/i/" + "a" * 5000, "/i/%D0%BF", "/i/'--", "/i/", "/%00", "/%ff%fe",
        f"{path}/card/forged", f"{path}/card/{token}x", f"{path}/card/{other}", f"{path}/card/%00",
        f"{path}/card/ffffffffffffffffffff.1~x", f"{path}/pass/{token}.pkpass", f"{path}/pass/%ff.pkpass",
        f"{path}/design/99999999999999999999999/card.css", f"{path}/design/1/..%2f..%2fetc%2fpasswd",
        f"{path}/design/1/%00.png", f"{path}/design/-1/icon.png", "/i/unknown/qr.svg", "/static/%00",
    ]  # fmt: skip
    with web.nothing_changes():
        for address in addresses:
            refused(web.ask("GET", address), 404, 410)
        for scale in ("0", "9999", "x", "%00", "-1"):
            refused(web.ask("GET", f"{path}/qr.png?scale={scale}"), 400)
        for method in ("PUT", "DELETE", "PATCH"):
            refused(web.ask(method, path), 405)
        assert web.ask("GET", f"{path}/seen/forged").status == 200  # a picture; its address is no visit
        assert web.ask("GET", f"{path}/seen/%ff%00").status == 200


def test_a_forged_visit_begins_a_visit_of_its_own_and_no_more(edges: Edges) -> None:
    web, path = edges.web, edges.web.links["pechka"]
    _, theirs = web.form("zerno")
    with web.nothing_changes(LOGS | VISITS):
        for visit in ("forged", "%00", "%ff", "a" * 5000, theirs["form"].partition("~")[0], "~", "1.2~3"):
            assert web.ask("GET", f"{path}?v={visit}").status == 303
            assert harmless(web.ask("GET", f"{path}?lang={visit}&v={visit}"))


def test_a_form_we_did_not_render_makes_no_card(edges: Edges) -> None:
    web = edges.web
    path, hidden = web.form("pechka")
    _, theirs = web.form("zerno")
    good = hidden | {"data": "yes", "name": "Анна"}
    with web.nothing_changes():
        for token in ("", "forged", hidden["form"] + "x", theirs["form"], "\x00", "\udcff", "~" * 1000):
            sent = urlencode(good | {"form": token}, errors="surrogateescape").encode()
            refused(web.ask("POST", path, sent, {"Content-Type": FORM}), 400)
        for kind, body in (
            (JSON, json.dumps(good).encode()), ("text/plain", urlencode(good).encode()), ("", b"form"),
            ("multipart/form-data", b"--x"), ("multipart/form-data; boundary=x", b"--x\r\n\r\n"),
            (FORM, b"\xff\xfe=\x00&%zz=%"), (FORM, b"&" * 10_000), (FORM, b""),
        ):  # fmt: skip
            refused(web.ask("POST", path, body, {"Content-Type": kind}), 400, 413)
        refused(web.ask("POST", path, b"name=" + b"a" * 1_000_000, {"Content-Type": FORM}), 413)


_REFUSED = (
    ["ALTER TABLE consent RENAME TO consent_elsewhere"],
    ["ALTER TABLE consent_elsewhere RENAME TO consent"],
)
_LOCKED = (
    [
        "CREATE FUNCTION locked() RETURNS trigger LANGUAGE plpgsql AS"
        " $$ BEGIN RAISE EXCEPTION 'locked' USING ERRCODE = 'lock_not_available'; END $$",
        "CREATE TRIGGER locked BEFORE INSERT ON consent EXECUTE FUNCTION locked()",
    ],
    ["DROP TRIGGER locked ON consent", "DROP FUNCTION locked()"],
)


def test_a_form_that_one_statement_could_not_write_is_logged_for_the_operator(edges: Edges) -> None:
    web = edges.web
    path, hidden = web.form("pechka")
    sent = urlencode(hidden | {"data": "yes", "name": "Анна"}).encode()
    begin, end = _REFUSED if web.database.is_sqlite else _LOCKED

    def do(statements: list[str]) -> None:
        with web.database.write() as tx:
            for statement in statements:
                tx.exec_driver_sql(statement)

    do(begin)
    try:
        with capture_logs() as logs:
            answer = web.ask("POST", path, sent, {"Content-Type": FORM})
    finally:
        do(end)
    assert (answer.status, "We could not save that" in answer.text) == (503, True), answer.text
    assert [line["event"] for line in logs] == ["database_unavailable"]


def test_a_form_with_a_fault_comes_back_and_makes_no_card(edges: Edges) -> None:
    web = edges.web
    path, hidden = web.form("pechka")
    good = hidden | {"data": "yes", "name": "Анна"}
    faults: list[dict[str, str]] = [
        {"name": "a" * 61}, {"name": "a" * 4000}, {"name": "a\x00b"}, {"name": "a\nb"}, {"name": "a\x1b[31m"},
        {"name": "a\u202eb"}, {"data": ""}, {"data": "no"}, {"wording": "other"}, {"wording": ""},
    ]  # fmt: skip
    with web.nothing_changes():
        for fault in faults:
            refused(web.send(path, good | fault), 422)


@fuzzed
@given(
    fields=st.dictionaries(st.sampled_from(["form", "name", "data", "wording", "x"]), garbage), raw=garbage
)
def test_no_garbage_in_the_form_makes_a_card(edges: Edges, fields: dict[str, bytes], raw: bytes) -> None:
    web, path = edges.web, edges.web.links["pechka"]
    with web.nothing_changes():
        for body in (urlencode(fields).encode(), raw):
            answer = web.ask("POST", path, body, {"Content-Type": FORM})
            assert answer.status in (400, 413, 422, 429)
            assert harmless(answer)
