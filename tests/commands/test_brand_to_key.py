"""From nothing to a working till by single commands; and what is refused on the way."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from app.accounts import keys
from app.commands.shell import now
from app.db import connect
from tests.commands.conftest import Run

_BRAND = (
    "brand", "create", "kasha", "--name", "Каша", "--pass-type", "pass.com.example.kasha", "--team",
    "ABCDE12345", "--credentials", "env:KASHA", "--time-zone", "Europe/Moscow", "--currency", "RUB",
    "--programme-ru", "Клуб", "--programme-en", "Club", "--promise-ru", "Баллы", "--promise-en", "Points",
)  # fmt: skip
_VENUE = (
    "venue", "create", "kasha", "pier", "--name", "Каша на пирсе", "--address", "Пирс, 1",
    "--latitude", "59.9", "--longitude", "30.3",
)  # fmt: skip


def _made(perkpass: Run, tmp_path: Path) -> None:
    rules = tmp_path / "rules.toml"
    rules.write_text("cashback = 500\n[points]\nwelcome = 5000\n")
    for command in (
        _BRAND,
        _VENUE,
        ("placement", "create", "kasha", "pier", "table", "7"),
        ("staff", "create", "kasha", "Анна", "--venue", "pier"),
        ("programme", "create", "kasha", "club", "--name", "Клуб", "--kind", "bonus", "--rules", rules),
    ):
        done = perkpass(*command, "--json")
        assert done.status == 0, done.err


def test_single_commands_lead_to_links_and_a_till(perkpass: Run, tmp_path: Path, database_url: str) -> None:
    _made(perkpass, tmp_path)
    for source in ((), ("--placement", "table", "7"), ("--staff", "Анна")):
        made = perkpass("link", "create", "kasha", "pier", "--programme", "club", *source, "--json")
        assert made.status == 0, made.err
        assert made.json["url"] == f"https://cards.example.com/i/{made.json['code']}"
    listed = perkpass("link", "list", "kasha")
    assert listed.out.count("https://cards.example.com/i/") == 3
    assert "table 7" in listed.out
    assert "Анна" in listed.out

    key = perkpass("key", "create", "kasha", "pier", "till 1", "--json")
    assert "shown once" in key.err
    rotated = perkpass("key", "rotate", key.json["id"], "--overlap-days", "1", "--json")
    assert rotated.status == 0, rotated.err
    database = connect(database_url)
    try:
        with database.write() as tx:
            assert keys.authenticate(tx, key.json["secret"], now=now()) is not None
            assert keys.authenticate(tx, rotated.json["secret"], now=now()) is not None
        assert perkpass("key", "revoke", key.json["id"], "--json").status == 0
        with database.write() as tx:
            assert keys.authenticate(tx, key.json["secret"], now=now()) is None
    finally:
        database.close()
    actions = [entry["action"] for entry in perkpass("audit", "list", "--brand", "kasha", "--json").json]
    assert actions == [
        "key.revoked", "key.rotated", "key.created", "link.created", "link.created", "link.created",
        "programme.created", "staff.created", "placement.created", "venue.created", "brand.created",
    ]  # fmt: skip
    assert perkpass("audit", "list").out.count("cli:") == len(actions)


def test_people_read_tables_and_are_told_where_to_begin(perkpass: Run, tmp_path: Path) -> None:
    assert "perkpass brand create" in perkpass("brand", "list").out
    _made(perkpass, tmp_path)
    assert perkpass("brand", "list").out.splitlines()[0].startswith("SLUG   NAME")
    assert "pass_type_identifier: pass.com.example.kasha" in perkpass("brand", "show", "kasha").out
    for kind in ("venue", "placement", "programme", "staff", "key", "link"):
        assert perkpass(kind, "list", "kasha").status == 0
    closed = perkpass("venue", "close", "kasha", "pier", "--json")
    assert closed.json["closed_at"] is not None


@pytest.mark.once
@pytest.mark.parametrize(
    ("command", "words"),
    [
        (("brand", "show", "nobody"), "There is no brand 'nobody'"),
        (_BRAND, "There is a brand 'kasha' already"),
        ((*_BRAND[:2], "other", *_BRAND[3:], "--currency", "RUR"), "not an ISO 4217 currency"),
        ((*_BRAND[:2], "other", *_BRAND[3:], "--time-zone", "Moscow"), "not an IANA time zone"),
        ((*_VENUE[:3], "hill", *_VENUE[4:], "--latitude", "95"), "not within"),
        (("placement", "create", "kasha", "nowhere", "table", "1"), "has no venue 'nowhere'"),
        (("staff", "create", "kasha", "Вера", "--venue", "nowhere"), "has no venue 'nowhere'"),
        (("key", "create", "nobody", "pier", "x"), "There is no brand 'nobody'"),
        (("key", "rotate", "999"), "There is no key number 999"),
        (("link", "create", "kasha", "pier", "--programme", "none"), "no programme 'none'"),
        (
            ("link", "create", "kasha", "pier", "--programme", "club", "--placement", "till", "1"),
            "no placement till '1'",
        ),
        (
            ("link", "create", "kasha", "pier", "--programme", "club", "--staff", "Никто"),
            "no staff member 'Никто'",
        ),
        (("link", "retire", "xxxxxxxx"), "no install link"),
        (("member", "show", "000"), "no such card"),
        (("issue", "xxxxxxxx", "-o", "card.pkpass"), "add --consent"),
        (("design", "list", "kasha", "none"), "no programme 'none'"),
    ],
)
def test_a_refusal_is_one_clear_sentence(
    perkpass: Run, tmp_path: Path, command: tuple[str, ...], words: str
) -> None:
    _made(perkpass, tmp_path)
    refused = perkpass(*command)
    assert refused.status == 1
    assert refused.out == ""
    assert refused.err.startswith("perkpass: ")
    assert words in refused.err
    assert len(refused.err.splitlines()) == 1


def test_a_link_across_brands_is_refused(perkpass: Run, tmp_path: Path) -> None:
    _made(perkpass, tmp_path)
    other = (*_BRAND[:2], "other", *_BRAND[3:], "--pass-type", "pass.com.example.other")
    assert perkpass(*other).status == 0
    assert perkpass("link", "create", "other", "pier", "--programme", "club").status == 1
    assert perkpass("staff", "create", "other", "Вера", "--venue", "pier").status == 1
    assert perkpass("key", "create", "other", "pier", "till").status == 1


@pytest.mark.once
@pytest.mark.parametrize(
    ("rules", "words"),
    [
        ("cashback = ", "Invalid value"),
        ("cashback = 20000", "cashback"),
        ("cashback = 500\nbonus = 1", "bonus"),
    ],
)
def test_wrong_rules_are_refused(perkpass: Run, tmp_path: Path, rules: str, words: str) -> None:
    _made(perkpass, tmp_path)
    file = tmp_path / "wrong.toml"
    file.write_text(rules)
    refused = perkpass(
        "programme", "create", "kasha", "second", "--name", "x", "--kind", "bonus", "--rules", file
    )
    assert refused.status == 1
    assert words in refused.err


@pytest.mark.once
def test_wrong_settings_are_told_before_anything_else(perkpass: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PERKPASS_PORT", "no")
    monkeypatch.setenv("PERKPASS_REDIS_URL", "http://x")
    refused = perkpass("brand", "list")
    assert refused.status == 1
    assert "PERKPASS_PORT" in refused.err


def test_the_command_line_is_a_program_of_its_own() -> None:
    shown = subprocess.run(
        [sys.executable, "-m", "app", "--help"], capture_output=True, text=True, check=True
    )
    for name in ("brand", "chain", "backup", "restore", "doctor", "issue", "template"):
        assert f"\n  {name}" in shown.stdout


def test_links_of_every_brand_are_listed_together(perkpass: Run, tmp_path: Path) -> None:
    assert "no install link yet" in perkpass("link", "list").out
    _made(perkpass, tmp_path)
    assert perkpass("link", "create", "kasha", "pier", "--programme", "club").status == 0
    other = (*_BRAND[:2], "other", *_BRAND[3:], "--pass-type", "pass.com.example.other")
    rules = tmp_path / "rules.toml"
    for command in (
        other,
        ("venue", "create", "other", "hill", "--name", "Холм", "--address", "Холм, 1"),
        ("programme", "create", "other", "club", "--name", "Клуб", "--kind", "bonus", "--rules", rules),
        ("link", "create", "other", "hill", "--programme", "club"),
    ):
        done = perkpass(*command)
        assert done.status == 0, done.err
    everything = perkpass("link", "list", "--json").json
    assert [(one["brand"], one["venue"]) for one in everything] == [("kasha", "pier"), ("other", "hill")]
    assert perkpass("link", "list", "other", "--json").json == everything[1:]
