"""What stands around every page: faults as pages, undo, menus, and uploads within their bounds."""

from __future__ import annotations

import io
from typing import Any

import pytest
from werkzeug.test import Client, TestResponse

from app.web.application import make_application
from app.web.body_limits import MOST_BODY, MOST_UPLOAD
from app.web.console.forms import Form
from app.web.console.visit import Visit
from tests.web.console.house import House

pytestmark = pytest.mark.once  # the frame around all pages


@pytest.mark.parametrize("address", ["/console/nowhere", "/console/nobrand/people", "/console/cafe/people/x"])
def test_an_address_that_leads_nowhere_says_so_in_the_console(house: House, address: str) -> None:
    for desk in (house.desk(), house.stranger()):
        answer = desk.client.get(address, follow_redirects=True)
        assert answer.status_code in (200, 404)
        assert "scan the code" not in answer.text
    assert house.desk().get("/console/nowhere").status_code == 404


def test_what_nobody_foresaw_is_a_page_of_ours(house: House) -> None:
    """The trace is in the log alone."""
    house.desk()
    with house.database.write() as tx:
        tx.exec_driver_sql("ALTER TABLE audit_entry RENAME TO audit_entry_gone")
    answer = house.desk().get("/console/cafe/audit")
    assert answer.status_code in (500, 503)
    assert "<html" in answer.text
    assert "audit_entry" not in answer.text


def test_the_brands_menu_names_ones_own_brands(house: House) -> None:
    owner, operator = house.desk(), house.desk(house.operator)
    assert "/console/bakery/" not in owner.get("/console/cafe/people").text
    assert "/console/bakery/" in operator.get("/console/cafe/people").text
    assert owner.get("/console/").location == "/console/cafe/"
    assert owner.get("/console/?all=yes").status_code == 200


def test_the_way_to_an_area_is_shown_to_whom_it_is_open(house: House) -> None:
    owner, manager = (house.desk(role).get("/console/cafe/places").text for role in ("owner", "manager"))
    assert "/console/cafe/people" in owner
    for closed in ("people", "audit", "settings", "certificate"):
        assert f'"/console/cafe/{closed}"' not in manager, closed


def _multipart(**fields: str) -> bytes:
    parts = [
        f'--edge\r\nContent-Disposition: form-data; name="{name}"'
        + ('; filename="x.png"' if name == "padding" else "")
        + f"\r\n\r\n{value}\r\n"
        for name, value in fields.items()
    ]
    return ("".join(parts) + "--edge--\r\n").encode()


def test_an_upload_is_bounded_and_larger_only_for_who_signed_in(house: House) -> None:
    def passkit(_environ: Any, _start: Any) -> Any:
        raise AssertionError

    whole = make_application(house.services, passkit)
    known = house.new_desk(house.team["cafe", "owner"])
    token = known.token("/console/account")
    statuses = {}
    for who, desk, size in (
        ("known", known, MOST_BODY * 4), ("known too much", known, MOST_UPLOAD + 1),
        ("stranger", house.stranger(), MOST_BODY * 4),
    ):  # fmt: skip
        desk.client.application = whole
        body = _multipart(csrf_token=token, name="Anna", padding="x" * size)
        kind = "multipart/form-data; boundary=edge"
        statuses[who] = desk.client.post("/console/account/name", data=body, content_type=kind).status_code
    assert statuses["known"] == 303
    assert statuses["known too much"] == 413
    known.client.application = whole
    for came, leads in (
        ("https://cards.example/console/cafe/designs/1/draft?see.theme=dark", True),
        ("https://elsewhere.example/console/cafe/designs/1/draft", False),
    ):
        large = known.client.post(
            "/console/account/name",
            data=_multipart(csrf_token=token, padding="x" * (MOST_UPLOAD + 1)),
            content_type=kind, headers={"Referer": came},
        )  # fmt: skip
        assert large.status_code == 413
        assert "One file has at most 7 MB" in large.text
        assert ('href="/console/cafe/designs/1/draft?see.theme=dark"' in large.text) is leads
    assert statuses["stranger"] == 303, "sent to sign in, the body unread"
    forged = Client(whole, TestResponse)
    forged.set_cookie("__Host-perkpass", "made.up", domain="cards.example", path="/", secure=True)
    large = forged.post(
        "/console/sign-in",
        base_url="https://cards.example",
        data={"file": (io.BytesIO(b"x" * MOST_BODY * 4), "x")},
    )
    assert large.status_code == 413


def test_a_form_says_what_is_wrong_beside_its_field(house: House) -> None:
    with house.application.test_request_context():
        form = Form({"name": "  ", "seats": "1 000", "zone": "x", "long": "y" * 9, "half": "1.5"})
        assert form.text("name") == ""
        assert form.whole("seats", least=1, most=2000) == 1000
        assert form.whole("half", least=1, most=2) is None
        assert form.whole("none", least=1, most=2, needed=False) is None
        form.choice("zone", ("a", "b"))
        form.text("long", longest=8)
        assert set(form.errors) == {"name", "half", "zone", "long"}
        assert not form.ok


def test_a_page_may_not_forget_its_doors(house: House) -> None:
    """Whatever a view asks of a visit that its address cannot give is a fault of the code, not a leak."""
    visit = Visit(services=house.services, now=house.clock(), language="en", signed_in=None, found=None)
    for what in ("user", "session", "brand", "access", "venue", "actor"):
        with pytest.raises(RuntimeError):
            getattr(visit, what)
    assert not visit.may("user.edit")
    assert not visit.may("operator")
