"""A chain from one file: whole, once, and with every fault told in its place."""

from __future__ import annotations

import json
import os
import stat
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from app.simulators import google
from tests import processes
from tests.commands.conftest import Run

_MANY_TABLES = "".join(f'{{ kind = "table", name = "{number}" }},' for number in range(100, 150))


def _replace(file: Path, *changes: tuple[str, str]) -> None:
    text = file.read_text(encoding="utf-8")
    for old, new in changes:
        assert old in text
        text = text.replace(old, new, 1)
    file.write_text(text, encoding="utf-8")


def test_the_example_makes_two_brands_and_six_venues(perkpass: Run, chain_file: Path) -> None:
    loaded = perkpass("chain", "load", chain_file, "--json")
    assert loaded.status == 0, loaded.err
    assert loaded.err == ""
    brands = perkpass("brand", "list", "--json").json
    assert [brand["slug"] for brand in brands] == ["pechka", "zerno"]
    venues = [v for b in brands for v in perkpass("venue", "list", b["slug"], "--json").json]
    assert len(venues) == 6
    links = perkpass("link", "list", "pechka", "--json").json
    # 4 venues, 5 + 3 + 2 + 1 placements, 2 + 1 + 1 staff members
    assert len(links) == 4 + 11 + 4
    assert len({link["code"] for link in links}) == len(links)
    assert all(link["url"] == f"https://cards.example.com/i/{link['code']}" for link in links)
    assert perkpass("design", "list", "pechka", "club", "--json").json[0]["version"] == 1
    assert [p["kind"] for p in perkpass("programme", "list", "pechka", "--json").json] == ["tiered"]
    assert len(perkpass("placement", "list", "pechka", "--json").json) == 11
    assert len(perkpass("staff", "list", "pechka", "--json").json) == 4


def test_a_second_load_changes_nothing(perkpass: Run, chain_file: Path) -> None:
    first = perkpass("chain", "load", chain_file)
    assert first.status == 0, first.err
    again = perkpass("chain", "load", chain_file, "--json")
    assert again.json == {"checked_only": False, "changes": [], "keys": []}
    entries = perkpass("audit", "list", "--limit", 10_000, "--json").json
    assert all(entry["actor"].startswith("cli:") for entry in entries)
    created = [entry["subject"] for entry in entries if entry["action"] == "venue.created"]
    assert len(created) == 6


def test_a_changed_file_changes_only_what_differs(perkpass: Run, chain_file: Path) -> None:
    assert perkpass("chain", "load", chain_file).status == 0
    _replace(
        chain_file,
        ("Невский проспект, 100", "Невский проспект, 101"),
        ("cashback = 500\n", "cashback = 700\n"),
        (
            '{ kind = "table", name = "3" },',
            '{ kind = "table", name = "3" }, { kind = "table", name = "9" },',
        ),
    )
    loaded = perkpass("chain", "load", chain_file, "--json")
    assert loaded.status == 0, loaded.err
    changes = loaded.json["changes"]
    assert changes[0] == "pechka: venue nevsky changed"
    assert changes[1] == "pechka: venue nevsky: placement table 9 created"
    assert changes[2].startswith("pechka: venue nevsky: install link ")
    assert changes[3:] == ["zerno: programme bonus changed"]


def test_a_new_colour_is_a_new_version_of_the_design(perkpass: Run, chain_file: Path) -> None:
    assert perkpass("chain", "load", chain_file).status == 0
    _replace(chain_file, ("rgb(74, 28, 20)", "rgb(20, 28, 74)"))
    assert perkpass("chain", "load", chain_file, "--json").json["changes"] == [
        "pechka: programme club: design version 2 published"
    ]
    newest = perkpass("audit", "list", "--limit", "1", "--json").json[0]
    assert (newest["action"], newest["detail"]["version"]) == ("design.published", 2)


def test_a_retired_link_comes_back_as_a_new_one(perkpass: Run, chain_file: Path) -> None:
    assert perkpass("chain", "load", chain_file).status == 0
    code = perkpass("link", "list", "zerno", "--json").json[0]["code"]
    assert perkpass("link", "retire", code).status == 0
    changes = perkpass("chain", "load", chain_file, "--json").json["changes"]
    assert len(changes) == 1
    assert code not in changes[0]


def test_a_check_says_what_would_change_and_changes_nothing(perkpass: Run, chain_file: Path) -> None:
    checked = perkpass("chain", "load", chain_file, "--check", "--json")
    assert checked.status == 0, checked.err
    assert "pechka: brand created" in checked.json["changes"]
    assert checked.json["keys"] == []
    assert perkpass("brand", "list", "--json").json == []


def test_secrets_are_told_once_and_open_the_till(perkpass: Run, chain_file: Path) -> None:
    keys = perkpass("chain", "load", chain_file, "--json").json["keys"]
    assert len(keys) == 7
    assert all(key["secret"].startswith("ppk_") for key in keys)
    listed = perkpass("key", "list", "pechka", "--json")
    assert keys[0]["secret"] not in listed.out
    assert all(key["works"] for key in listed.json)


def test_secrets_go_into_a_file_of_their_owner(perkpass: Run, chain_file: Path, tmp_path: Path) -> None:
    kept = tmp_path / "till-keys.jsonl"
    kept.write_text('{"earlier": true}\n')
    kept.chmod(0o644)
    loaded = perkpass("chain", "load", chain_file, "--keys-file", kept)
    assert loaded.status == 0, loaded.err
    assert "ppk_" not in loaded.out + loaded.err
    lines = [json.loads(line) for line in kept.read_text().splitlines()]
    assert lines[0] == {"earlier": True}
    assert len(lines) == 8
    assert stat.S_IMODE(kept.stat().st_mode) == 0o600


def test_keys_that_cannot_be_kept_are_not_made(perkpass: Run, chain_file: Path, tmp_path: Path) -> None:
    refused = perkpass("chain", "load", chain_file, "--keys-file", tmp_path / "nowhere" / "keys")
    assert refused.status == 1
    assert "cannot keep the new keys" in refused.err
    assert perkpass("brand", "list", "--json").json == []


@pytest.mark.once
def test_every_fault_is_told_at_once_in_its_place(perkpass: Run, chain_file: Path) -> None:
    _replace(
        chain_file,
        ('time_zone = "Europe/Moscow"', 'time_zone = "Moscow"'),
        ("latitude = 59.93250", 'latitude = "north"'),
        ('kind = "table", name = "2"', 'kind = "chair", name = "2"'),
        ("longitude = 30.30660", "longitude = 300.0"),
        ("spend_from = 15_000_00", "spend_from = 60_000_00"),
        ('currency = "RUB"', 'curency = "RUB"'),
        ("cashback = 500\n", "cashback = 50000\n"),
        ('# google = { issuer = "3388000000012345678"', 'google = { issuer = "BCR2DN4T"'),
    )
    refused = perkpass("chain", "load", chain_file)
    assert refused.status == 1
    lines = refused.err.splitlines()
    for place in (
        "brands 1 (pechka), time_zone:",
        "brands 1 (pechka), currency: Field required",
        "brands 1 (pechka), curency: Extra inputs",
        "brands 1 (pechka), google, issuer: an issuer's number has digits alone",
        "brands 1 (pechka), programmes 1 (club): tiers.2.spend_from",
        "brands 1 (pechka), venues 1 (nevsky), latitude:",
        "brands 1 (pechka), venues 1 (nevsky), placements 2 (2), kind:",
        "brands 1 (pechka), venues 2 (petrogradka): longitude 300.0",
        "brands 2 (zerno), programmes 1 (bonus): cashback",
    ):
        assert any(place in line for line in lines), (place, refused.err)
    assert perkpass("brand", "list", "--json").json == []


@pytest.mark.once
@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"[[brands]\nslug = 1", "not TOML: Expected"),
        (b"[[brands]]\nslug = 1 2\n", "line 2"),
        (b"[[brands]]\nslug = ", "end of document"),
        (b"\xff\xfe", "not UTF-8"),
        (b"", "brands: Field required"),
        (b"brands = []", "at least 1 item"),
        (b"brands = 5", "valid list"),
        (b'[[brands]]\nslug = "a"\n', "brands 1 (a), name: Field required"),
    ],
)
def test_half_a_file_is_refused_in_a_sentence(
    perkpass: Run, tmp_path: Path, content: bytes, words: str
) -> None:
    file = tmp_path / "chain.toml"
    file.write_bytes(content)
    refused = perkpass("chain", "load", file)
    assert refused.status == 1
    assert words in refused.err
    assert "Traceback" not in refused.err


@pytest.mark.once
@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ('slug = "zerno"', 'slug = "pechka"', "two of the brand pechka"),
        ('slug = "petrogradka"', 'slug = "nevsky"', "two of the venue nevsky"),
        ('staff = ["Вера Орлова"]', 'staff = ["Анна Смирнова"]', "two of the staff member Анна Смирнова"),
        ('keys = ["till 1", "till 2"]', 'keys = ["till 1", "till 1"]', "two of the key till 1"),
        ('slug = "kazan"\n', 'slug = "kazan"\nprogrammes = ["bonus"]\n', "'bonus', which is not here"),
        ('template = "tiered_card"', 'template = "../etc"', "template"),
    ],
)
def test_contradictions_within_the_file_are_refused(
    perkpass: Run, chain_file: Path, old: str, new: str, words: str
) -> None:
    _replace(chain_file, (old, new))
    refused = perkpass("chain", "load", chain_file)
    assert refused.status == 1
    assert words in refused.err


def test_a_brand_that_is_refused_leaves_nothing_and_the_other_is_loaded(
    perkpass: Run, chain_file: Path
) -> None:
    _replace(chain_file, ('template = "tiered_card"', 'template = "no_such_template"'))
    half = perkpass("chain", "load", chain_file)
    assert half.status == 1
    assert "brand pechka" in half.err
    assert [brand["slug"] for brand in perkpass("brand", "list", "--json").json] == ["zerno"]


def test_a_brand_is_at_google_with_the_key_that_the_file_names(perkpass: Run, chain_file: Path) -> None:
    _replace(chain_file, ("# google = {", "google = {"))
    half = perkpass("chain", "load", chain_file)
    assert half.status == 1
    assert "brand pechka: google, credentials:" in half.err
    assert "cannot be read" in half.err
    with google.running() as running:
        running.write_service_account(chain_file.parent.parent / "certs" / "pechka-google.json")
    whole = perkpass("chain", "load", chain_file, "--json")
    assert whole.status == 0, whole.err
    assert "pechka: account at Google set" in whole.json["changes"]
    shown = perkpass("brand", "google", "show", "pechka", "--json").json
    assert shown["issuer"] == "3388000000012345678"
    assert perkpass("chain", "load", chain_file, "--json").json["changes"] == []


def test_a_shared_pass_type_is_warned_about(perkpass: Run, chain_file: Path) -> None:
    _replace(chain_file, ("pass.com.example.zerno", "pass.com.example.pechka"))
    loaded = perkpass("chain", "load", chain_file)
    assert loaded.status == 0
    assert "Warning: pass.com.example.pechka is also used by pechka" in loaded.err


def test_two_loads_at_once_make_nothing_twice(perkpass: Run, chain_file: Path) -> None:
    assert perkpass("chain", "load", chain_file).status == 0
    _replace(
        chain_file, ('{ kind = "table", name = "3" },', '{ kind = "table", name = "3" },' + _MANY_TABLES)
    )

    def load(_number: int) -> int:
        loaded = processes.perkpass("chain", "load", chain_file, "--json", environment=os.environ)
        assert loaded.returncode == 0, loaded.stderr
        return len(json.loads(loaded.stdout)["changes"])

    with ThreadPoolExecutor(2) as hands:
        changes = list(hands.map(load, range(2)))
    assert sorted(changes) == [0, 100]
    assert len(perkpass("link", "list", "pechka", "--json").json) == 19 + 50
