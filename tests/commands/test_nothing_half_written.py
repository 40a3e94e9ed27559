"""Broken certificates and half a template folder: a clear error, and every table as it was."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from app.db import Database
from tests.commands.conftest import Outcome, Run
from tests.tables import every_row, nothing_changes

TEMPLATE = Path(__file__).parents[2] / "pass_templates" / "tiered_card"
Break = Callable[[Path], None]


def _write(name: str, data: bytes) -> Break:
    def write(folder: Path) -> None:
        (folder / name).write_bytes(data)

    return write


def _remove(pattern: str) -> Break:
    def remove(folder: Path) -> None:
        found = list(folder.glob(pattern))
        assert found
        for path in found:
            shutil.rmtree(path) if path.is_dir() else path.unlink()

    return remove


def _halve(name: str) -> Break:
    def halve(folder: Path) -> None:
        data = (folder / name).read_bytes()
        (folder / name).write_bytes(data[: len(data) // 2])

    return halve


HALVES: dict[str, tuple[Break, str]] = {
    "nothing in it": (_remove("*"), "layout.toml"),
    "no layout": (_remove("layout.toml"), "layout.toml"),
    "half a layout": (_halve("layout.toml"), "layout.toml"),
    "a layout that is no text": (_write("layout.toml", b"\xff\xfe\x00"), "layout.toml"),
    "an empty layout": (_write("layout.toml", b""), "layout.toml"),
    "no icons": (_remove("icon*.png"), "icon"),
    "half an icon": (_halve("icon@2x.png"), "icon@2x.png"),
    "an icon that is none": (_write("icon.png", b"GIF89a"), "icon.png"),
    "no russian": (_remove("ru.lproj"), "ru"),
    "strings that are no text": (_write("ru.lproj/pass.strings", b"\xff\xfe\x00\xd8"), "pass.strings"),
}


def refused(outcome: Outcome, *words: str) -> None:
    """A status and words that say what is wrong; nothing of our inside."""
    assert outcome.status != 0, outcome.out
    said = outcome.out + outcome.err
    assert "Traceback" not in said
    for word in words:
        assert word in said, said


@pytest.fixture
def loaded(perkpass: Run, chain_file: Path) -> Run:
    assert perkpass("chain", "load", chain_file).status == 0
    return perkpass


@pytest.mark.once
@pytest.mark.parametrize("what", HALVES)
def test_half_a_template_folder_is_published_by_nobody(
    loaded: Run, database: Database, tmp_path: Path, what: str
) -> None:
    folder = tmp_path / "templates" / "tiered_card"
    shutil.copytree(TEMPLATE, folder)
    whole = every_row(database)
    breaking, word = HALVES[what]
    breaking(folder)
    with nothing_changes(database):
        refused(loaded("design", "publish", "pechka", "club", folder), word)
        refused(loaded("template", "check", folder), word)
    assert len(whole["design"]) == 3


def test_a_chain_whose_template_is_half_there_loads_no_part_of_the_brand(
    perkpass: Run, chain_file: Path, database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "templates" / "tiered_card"
    shutil.copytree(TEMPLATE, folder)
    _remove("icon*.png")(folder)
    monkeypatch.setenv("PERKPASS_TEMPLATES_DIR", str(folder.parent))
    keys_file = tmp_path / "keys.jsonl"
    with nothing_changes(database):
        refused(perkpass("chain", "load", chain_file, "--keys-file", keys_file), "icon", "pechka", "zerno")
    assert not keys_file.exists()
    refused(perkpass("doctor"), "template tiered_card", "icon")


@pytest.mark.once
@pytest.mark.parametrize(
    ("file", "data"),
    [
        ("certificate.pem", b""),
        ("certificate.pem", b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"),
        ("certificate.pem", b"\xff\xfe\x00"),
        ("key.pem", b"-----BEGIN PRIVATE KEY-----\nbroken"),
        ("wwdr.pem", b"not a certificate"),
        ("key.pem", None),
        ("wwdr.pem", None),
    ],
    ids=[
        "empty",
        "no certificate",
        "no text",
        "half a key",
        "no intermediate",
        "key missing",
        "wwdr missing",
    ],
)
def test_a_broken_certificate_is_named_and_makes_no_card(
    loaded: Run, database: Database, tmp_path: Path, file: str, data: bytes | None
) -> None:
    link = loaded("link", "list", "pechka", "--json").json[0]["code"]
    assert loaded("issue", link, "-o", tmp_path / "first.pkpass", "--consent").status == 0
    broken = tmp_path / "certs" / "pechka" / file
    broken.write_bytes(data) if data is not None else broken.unlink()
    card = tmp_path / "card.pkpass"
    with nothing_changes(database):
        refused(loaded("issue", link, "-o", card, "--consent"), file)
        refused(loaded("doctor"), "certificate of pechka", file)
    assert not card.exists()


@pytest.mark.once
@pytest.mark.parametrize(
    "text",
    [
        b"",
        b"[[brands",
        b"\xff\xfe",
        b"brands = 5",
        b'[[brands]]\nslug = "x"\n',
        b"\x00",
        b"[[brands]]\nsurprise = 1",
    ],
    ids=ascii,
)
def test_a_chain_file_that_is_none_loads_nothing(
    loaded: Run, database: Database, chain_file: Path, text: bytes
) -> None:
    chain_file.write_bytes(text)
    with nothing_changes(database):
        refused(loaded("chain", "load", chain_file), chain_file.name)
