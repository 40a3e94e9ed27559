"""Places in the console: codes placed, printed, retired and brought back; each only where one may."""

from __future__ import annotations

import pypdfium2
import pytest

from app.accounts import audit
from app.places import hangings, links, placements, venues
from app.web.console.places_words import slug_for
from tests.posters.prints import codes, picture, text
from tests.web.console.house import House

VENUE = "/console/cafe/places/main"


def _codes(house: House) -> list[str]:
    with house.database.read() as tx:
        return [each.link.code for each in hangings.hangings(tx, house.cafe.venue)]


def test_tables_are_laid_in_one_tap_and_only_once(house: House) -> None:
    desk = house.desk("manager")
    for expected in (20, 20):
        done = desk.send(
            VENUE, f"{VENUE}/hang", kind="table", names="1-20", programme=house.cafe.programme.id
        )
        assert done.status_code == 303
        with house.database.read() as tx:
            spots = placements.placements_of_venue(tx, house.cafe.venue.id)
        assert sum(spot.kind == "table" for spot in spots) == expected
    shown = desk.get(VENUE).text
    assert shown.index("Table 2<") < shown.index("Table 10<")


@pytest.mark.parametrize("names", ["", "20-1", "1-500"])
def test_names_that_make_no_sense_come_back_with_a_sentence(house: House, names: str) -> None:
    before = _codes(house)
    answer = house.desk("owner").send(
        VENUE, f"{VENUE}/hang", kind="table", names=names, programme=house.cafe.programme.id
    )
    assert answer.status_code == 422
    assert 'id="names-fault"' in answer.text
    assert _codes(house) == before


def test_the_programme_of_another_brand_is_nobodys(house: House) -> None:
    answer = house.desk("owner").send(
        VENUE, f"{VENUE}/hang", kind="till", names="1", programme=house.bakery.programme.id
    )
    assert answer.status_code == 404


def test_a_code_shows_itself_large_with_every_print_and_counts(house: House) -> None:
    code = house.cafe.table.code
    page = house.desk("manager").get(f"{VENUE}/code/{code}").text
    assert f"/i/{code}/qr.svg" in page
    assert f"https://cards.example/i/{code}" in page
    for size in ("a4", "a5", "tent", "sticker", "square"):
        assert f"poster.pdf?code={code}&amp;size={size}&amp;language=ru" in page
        assert f"{code}/poster.svg?size={size}&amp;language=ru" in page


def test_a_print_says_the_code_and_is_remembered(house: House) -> None:
    code, desk = house.cafe.table.code, house.desk("manager")
    pdf = desk.get(f"{VENUE}/poster.pdf?code={code}&size=a5&language=en")
    assert pdf.status_code == 200
    assert pdf.mimetype == "application/pdf"
    assert f"{code}-a5.pdf" in pdf.headers["Content-Disposition"]
    assert codes(picture(pdf.data)) == [f"https://cards.example/i/{code}"]
    svg = desk.get(f"{VENUE}/code/{code}/poster.svg?size=sticker")
    assert svg.mimetype == "image/svg+xml"
    assert "sandbox" in svg.headers["Content-Security-Policy"]
    with house.database.read() as tx:
        assert links.link_by_code(tx, code).printed_at == house.clock()
        assert links.link(tx, house.cafe.link.id).printed_at is None
    sheet = desk.get(f"{VENUE}/sheet.pdf?language=en")
    assert "Do you have our card?" in text(sheet.data)


def test_prints_of_what_is_not_there_are_refused(house: House) -> None:
    desk = house.desk("owner")
    assert desk.get(f"{VENUE}/poster.pdf?code={house.bakery.table.code}").status_code == 404
    assert desk.get(f"{VENUE}/poster.exe").status_code == 404
    assert desk.get(f"{VENUE}/poster.pdf?size=a3").status_code == 422
    assert desk.get(f"{VENUE}/poster.pdf?for=wall").status_code == 422
    assert desk.get(f"{VENUE}/code/{house.bakery.table.code}/poster.svg").status_code == 404
    assert desk.get("/console/cafe/places/second/sheet.pdf").status_code == 404


def test_a_retired_code_comes_back_by_undo(house: House) -> None:
    code, desk = house.cafe.table.code, house.desk("manager")
    page = f"{VENUE}/code/{code}"
    assert desk.send(page, f"{page}/retire").status_code == 303
    after = desk.get(VENUE)
    assert f'action="{page}/restore"' in after.text
    assert code not in _codes(house)
    assert desk.send(VENUE, f"{page}/restore").status_code == 303
    assert code in _codes(house)
    with house.database.read() as tx:
        said = [entry.action for entry in audit.entries(tx, brand_id=house.cafe.brand.id)][:2]
    assert said == ["link.restored", "link.retired"]


def test_a_manager_has_their_own_venues_and_makes_none(house: House) -> None:
    desk = house.desk("manager")
    shown = desk.get("/console/cafe/places").text
    assert "Main street 1" in shown
    assert "Side street 2" not in shown
    assert desk.get("/console/cafe/places/second").status_code == 404
    assert desk.get("/console/cafe/places/-/new").status_code == 403
    assert desk.get(f"{VENUE}/till").status_code == 403


def test_a_venue_is_made_changed_closed_and_opened_again(house: House) -> None:
    desk = house.desk("marketer")
    new = "/console/cafe/places/-/new"
    half = desk.send(new, name="Кофейня на Невском", address="Невский, 1", latitude="59,93", time_zone="")
    assert half.status_code == 422
    assert 'id="longitude-fault"' in half.text
    assert "Кофейня на Невском" in half.text
    made = desk.send(
        new, name="Кофейня на Невском", address="Невский, 1", latitude="59,93", longitude="30.3",
        time_zone="Asia/Omsk",
    )  # fmt: skip
    address = made.headers["Location"]
    assert address.endswith("/places/kofejnya-na-nevskom")
    edit = f"{address}/edit"
    assert desk.send(edit, name="Невский", address="Невский, 2", time_zone="Asia/Omsk").status_code == 303
    assert desk.send(edit, f"{address}/close").status_code == 303
    assert 'action="/console/cafe/places/kofejnya-na-nevskom/reopen"' in desk.get("/console/cafe/places").text
    with house.database.read() as tx:
        found = venues.venue_by_slug(tx, house.cafe.brand.id, "kofejnya-na-nevskom")
    assert (found.name, found.latitude, found.closed_at) == ("Невский", None, house.clock())
    assert desk.send("/console/cafe/places", f"{address}/reopen").status_code == 303
    assert "Невский" in desk.get("/console/cafe/places").text


def test_a_short_name_is_made_of_any_name() -> None:
    assert slug_for("Щи & Борщ, №1", ()) == "schi-borsch-1"
    assert slug_for("☕", ()) == "place"
    assert slug_for("Main", {"main", "main-2"}) == "main-3"


def test_the_venues_own_code_is_made_once(house: House) -> None:
    desk, page = house.desk("manager"), "/console/cafe/places/main"
    with house.database.write() as tx:
        links.retire_link(tx, house.cafe.link.id, now=house.clock(), actor="test")
    before = len(_codes(house))
    for _ in range(2):
        tapped = desk.send(page, f"{page}/hang", kind="venue", names="", programme=house.cafe.programme.id)
        assert tapped.status_code == 303
    assert len(_codes(house)) == before + 1


def test_a_manager_is_not_told_what_is_wrong_with_the_certificate(house: House) -> None:
    assert "PERKPASS_TEST_CERTIFICATE" in house.desk("owner").get("/console/cafe/launch").text
    assert "PERKPASS_TEST_CERTIFICATE" not in house.desk("manager").get("/console/cafe/launch").text


def test_more_prints_than_a_file_holds_come_in_parts(house: House) -> None:
    desk = house.desk("owner")
    for names in ("101-160", "161-170"):
        desk.send(VENUE, f"{VENUE}/hang", kind="table", names=names, programme=house.cafe.programme.id)
    page = desk.get(VENUE).text
    assert '<option value="table.1">Tables (1–60)</option>' in page
    assert '<option value="table.2">Tables (61–71)</option>' in page  # with table 7, which stands first
    second = desk.get(f"{VENUE}/poster.pdf?for=table.2&size=square&language=en")
    assert len(pypdfium2.PdfDocument(second.data)) == 11
    assert desk.get(f"{VENUE}/poster.pdf?for=table.3").status_code == 404
    assert desk.get(f"{VENUE}/poster.pdf?for=table.x").status_code == 422


def test_names_are_words_and_never_markup(house: House) -> None:
    desk, hostile = house.desk("owner"), "<script>alert(1)</script>"
    desk.send(VENUE, f"{VENUE}/hang", kind="other", names=hostile, programme=house.cafe.programme.id)
    desk.send("/console/cafe/places/-/staff", name=hostile, venue=str(house.cafe.venue.id))
    made = desk.send("/console/cafe/places/-/new", name=hostile, address=hostile, time_zone="")
    for address in (VENUE, "/console/cafe/places", "/console/cafe/places/-/staff", made.headers["Location"]):
        shown = desk.get(address).text
        assert "<script>alert" not in shown
        assert "&lt;script&gt;alert(1)" in shown
