"""Posters from the command line: one of a link, all of a venue's tables in one file."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pypdfium2
import pytest

from tests.commands.conftest import Run
from tests.posters.prints import codes, picture, text

# Sheets are drawn the same whatever keeps their links.
pytestmark = [pytest.mark.usefixtures("chain"), pytest.mark.once]


@pytest.fixture
def chain(perkpass: Run, chain_file: Path) -> None:
    loaded = perkpass("chain", "load", chain_file)
    assert loaded.status == 0, loaded.err


def _listed(perkpass: Run, **wanted: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = perkpass("link", "list", "pechka", "--json").json
    return [one for one in found if all(one[key] == value for key, value in wanted.items())]


def _scanned(file: Path) -> list[str]:
    pdf = file.read_bytes()
    pages = len(pypdfium2.PdfDocument(pdf))
    return [codes(picture(pdf, page=page, dpi=200))[0] for page in range(pages)]


def test_the_tables_of_a_venue_are_one_file_in_the_order_of_their_numbers(
    perkpass: Run, tmp_path: Path
) -> None:
    for number in ("10", "4"):
        assert perkpass("placement", "create", "pechka", "nevsky", "table", number).status == 0
        made = perkpass(
            "link", "create", "pechka", "nevsky", "--programme", "club", "--placement", "table", number
        )
        assert made.status == 0, made.err
    file = tmp_path / "tents.pdf"
    done = perkpass("poster", "pechka/nevsky", "--for", "table", "--size", "tent", "--out", file, "--json")
    assert done.status == 0, done.err
    by_code = {one["code"]: one for one in _listed(perkpass)}
    tables = [by_code[code]["placement"] for code in done.json["links"]]
    assert tables == ["table 1", "table 2", "table 3", "table 4", "table 10"]
    assert _scanned(file) == [by_code[code]["url"] for code in done.json["links"]]
    assert "стол 10 ·" in text(file.read_bytes(), page=4)
    assert done.json["prints"] == 5
    assert 30 <= done.json["read_from_cm"] <= 60


def test_a_venue_prints_everything_that_lives_there(perkpass: Run, tmp_path: Path) -> None:
    living = _listed(perkpass, venue="nevsky")
    ended = perkpass("link", "retire", living[0]["code"])
    assert ended.status == 0
    file = tmp_path / "all.pdf"
    done = perkpass("poster", "pechka/nevsky", "--size", "sticker", "--out", file, "--json")
    assert set(done.json["links"]) == {one["code"] for one in living[1:]}
    assert sorted(_scanned(file)) == sorted(one["url"] for one in living[1:])
    person = next(one for one in living if one["staff_member"])
    staff = perkpass("poster", "pechka/nevsky", "--for", "staff", "--language", "en", "--out", file, "--json")
    assert person["code"] in staff.json["links"]
    pages = [text(file.read_bytes(), page=page) for page in range(staff.json["prints"])]
    assert any(f"{person['staff_member']} invites you" in page for page in pages)


def test_one_link_is_drawn_as_an_svg(perkpass: Run, tmp_path: Path) -> None:
    code = _listed(perkpass)[0]["code"]
    file = tmp_path / "poster.svg"
    done = perkpass("poster", code.upper(), "--size", "a5", "--language", "both", "--out", file)
    assert done.status == 0, done.err
    assert f"links:        {code}" in done.out
    assert file.read_bytes().startswith(b"<svg ")


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("nothing0", "--out", "{}/p.pdf"), "no install link with this code"),
        (("pechka/nowhere", "--out", "{}/p.pdf"), "no venue 'nowhere'"),
        (("pechka/kazan", "--for", "door", "--out", "{}/p.pdf"), "perkpass link list pechka"),
        (("pechka/nevsky", "--out", "{}/p.png"), ".pdf or .svg"),
        (("pechka/nevsky", "--out", "{}/p.svg"), "an SVG holds one print"),
        (("pechka/nevsky", "--out", "{}/none/p.pdf"), "No such file or directory"),
    ],
)
def test_what_cannot_be_printed_is_told_in_a_sentence(
    perkpass: Run, tmp_path: Path, arguments: tuple[str, ...], sentence: str
) -> None:
    refused = perkpass("poster", *(each.format(tmp_path) for each in arguments))
    assert refused.status == 1
    assert sentence in refused.err
    assert list(tmp_path.glob("p.*")) == []


def test_a_link_that_has_ended_is_not_printed(perkpass: Run, tmp_path: Path) -> None:
    code = _listed(perkpass)[0]["code"]
    perkpass("link", "retire", code)
    refused = perkpass("poster", code, "--out", tmp_path / "p.pdf")
    assert refused.status == 1
    assert "would invite nobody" in refused.err


@pytest.mark.parametrize("address", [None, "https://localhost:8443", "http://cards.example.com"])
def test_a_code_that_leads_no_guest_anywhere_is_printed_only_by_who_insists(
    perkpass: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, address: str | None
) -> None:
    code = _listed(perkpass)[0]["code"]
    if address is None:
        monkeypatch.delenv("PERKPASS_PUBLIC_URL")
    else:
        monkeypatch.setenv("PERKPASS_PUBLIC_URL", address)
    file = tmp_path / "p.pdf"
    refused = perkpass("poster", code, "--out", file)
    assert refused.status == 1
    assert f"PERKPASS_PUBLIC_URL is {address or 'http://127.0.0.1:8000'}" in refused.err
    assert not file.exists()
    assert perkpass("poster", code, "--size", "sticker", "--out", file, "--anyway").status == 0
    assert _scanned(file) == [f"{address or 'http://127.0.0.1:8000'}/i/{code}"]
