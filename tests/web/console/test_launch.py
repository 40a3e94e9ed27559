"""A brand from nothing: the form with the certificate, the list that tests itself, the usual design."""

from __future__ import annotations

import io
import re

import pytest

from app.accounts import brands
from app.errors import NotFound
from app.loyalty import programmes
from app.passes import designs, stored_certificates
from tests.passes.certificate_maker import Maker
from tests.web.console.house import Desk, House
from tests.web.guests import NOW

NEW = "/console/-/brand"
WORDS = {
    "name": "Берёза", "time_zone": "Asia/Omsk", "currency": "RUB", "language": "ru",
    "programme_ru": "Клуб", "programme_en": "Club", "promise_ru": "Баллы", "promise_en": "Points",
}  # fmt: skip


@pytest.fixture(scope="module")
def maker(tmp_path_factory: pytest.TempPathFactory) -> Maker:
    return Maker(tmp_path_factory.mktemp("maker"), NOW)


@pytest.fixture
def sandbox(house: House, maker: Maker) -> House:
    """The service trusts the tests' authority beside Apple's, as a sandbox does."""
    object.__setattr__(house.services, "authorities", (maker.root,))
    return house


def _steps(desk: Desk, brand: str) -> dict[str, bool]:
    page = desk.get(f"/console/{brand}/launch").text
    found = re.findall(r'<li class="step (\w*) [\w ]*" data-step="(\w+)"', page)
    return {step: state == "finished" for state, step in found}


def test_a_brand_is_made_with_its_certificate_and_led_on(sandbox: House, maker: Maker) -> None:
    desk = sandbox.desk(sandbox.operator)
    p12 = maker.p12(b"secret")
    made = desk.send(NEW, files={"certificate": (io.BytesIO(p12), "x.p12")}, password="secret", **WORDS)
    assert (made.status_code, made.headers["Location"]) == (303, "/console/bereza/launch")
    with sandbox.database.read() as tx:
        brand = brands.brand_by_slug(tx, "bereza")
        kept = stored_certificates.in_use(tx, brand.pass_type_identifier)
    assert (brand.credentials, brand.time_zone) == (stored_certificates.STORED, "Asia/Omsk")
    assert brand.text("promise", "en") == "Points"
    assert kept is not None
    assert _steps(desk, "bereza") == {
        "certificate": True, "programme": False, "design": False, "venue": False, "poster": False,
        "card": False, "till": False, "receipt": False,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("upload", "password", "field"),
    [
        ("p12", "wrong", "password"),
        ("text", "", "certificate"),
        ("nothing", "", "certificate"),
        ("svg", "", "certificate"),
    ],
)
def test_what_is_wrong_with_a_certificate_makes_no_brand(
    sandbox: House, maker: Maker, upload: str, password: str, field: str
) -> None:
    files = {
        "p12": maker.p12(b"secret"),
        "text": b"-----BEGIN NOTHING-----",
        "svg": b"<svg xmlns='http://www.w3.org/2000/svg'><script>alert(1)</script></svg>",
        "nothing": b"",
    }
    answer = sandbox.desk(sandbox.operator).send(
        NEW, files={"certificate": (io.BytesIO(files[upload]), "x.p12")}, password=password, **WORDS
    )
    assert answer.status_code == 422
    assert f'id="{field}-fault"' in answer.text
    assert "Берёза" in answer.text
    assert "wrong" not in re.findall(r'<input[^>]*type="password"[^>]*>', answer.text)[0]
    with sandbox.database.read() as tx, pytest.raises(NotFound):
        brands.brand_by_slug(tx, "bereza")


def test_a_certificate_may_lie_on_the_server(house: House) -> None:
    desk = house.desk(house.operator)
    where = {"credentials": "env:BIRCH", "team_identifier": "A1B2C3D4E5"}
    wrong = desk.send(NEW, pass_type_identifier="birch", **where, **WORDS)
    assert wrong.status_code == 422
    assert 'id="pass_type_identifier-fault"' in wrong.text
    made = desk.send(NEW, pass_type_identifier="pass.com.example.b", **where, **WORDS)
    assert made.status_code == 303
    page = desk.get("/console/bereza/launch").text
    assert "BIRCH_CERTIFICATE" in page  # what is missing is told, by its name


def test_a_brand_is_called_neither_as_another_nor_as_a_page_of_the_console(house: House) -> None:
    desk = house.desk(house.operator)
    where = {"credentials": "env:B", "team_identifier": "A1B2C3D4E5", "pass_type_identifier": "pass.b"}
    for slug in ("cafe", "account", "sign-in"):
        refused = desk.send(NEW, slug=slug, **where, **WORDS)
        assert refused.status_code == 422
        assert 'id="slug-fault"' in refused.text
    made = desk.send(NEW, **where, **(WORDS | {"name": "Account"}))
    assert made.headers["Location"] == "/console/account-2/launch"


def test_only_who_runs_the_installation_makes_brands(house: House) -> None:
    for role in ("owner", "marketer", "manager", "cashier"):
        assert house.desk(role).get(NEW).status_code == 403
    assert NEW not in house.desk("owner").get("/console/?all=yes").text
    assert NEW in house.desk(house.operator).get("/console/?all=yes").text


def test_the_usual_design_is_published_once(house: House) -> None:
    desk = house.desk("marketer")
    page = "/console/cafe/settings/programme"
    assert desk.send(page + "?kind=stamp", page, kind="stamp", name="Кофе", for_reward="6",
                     reward_ru="Кофе", reward_en="Coffee").status_code == 303  # fmt: skip
    with house.database.read() as tx:
        card = programmes.programme_by_slug(tx, house.cafe.brand.id, "kofe")
    launch = "/console/cafe/launch"
    assert f'name="programme" value="{card.id}"' not in desk.get(launch).text  # another is drawn already
    assert desk.send(launch, f"{launch}/publish", programme=str(card.id)).status_code == 303
    with house.database.read() as tx:
        assert designs.newest(tx, card.id).template == "stamp_card"
    assert desk.send(launch, f"{launch}/publish", programme=str(card.id)).status_code == 409
    theirs = desk.send(launch, f"{launch}/publish", programme=str(house.bakery.programme.id))
    assert theirs.status_code == 404
    for nonsense in ("", "x", "9" * 30):
        assert desk.send(launch, f"{launch}/publish", programme=nonsense).status_code == 404


def test_a_card_without_a_design_leads_to_the_editor_and_to_the_usual_one(
    sandbox: House, maker: Maker
) -> None:
    desk = sandbox.desk(sandbox.operator)
    p12 = maker.p12(b"secret")
    desk.send(NEW, files={"certificate": (io.BytesIO(p12), "x.p12")}, password="secret", **WORDS)
    page = "/console/bereza/settings/programme"
    desk.send(f"{page}?kind=bonus", page, kind="bonus", name="Bonus", cashback="5")
    launch = desk.get("/console/bereza/launch").text
    assert 'href="/console/bereza/designs"' in launch
    assert 'action="/console/bereza/launch/publish"' in launch
