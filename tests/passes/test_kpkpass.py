"""A second reader as witness: KDE's library finds in every bundle what its guest's content says.

Debian's libkpimpkpass 22.12 reads values that are text: it knows nothing of numbers nor of ``voided``, nor of
quotes and line ends in pass.strings, and it translates neither description nor places.
"""

from __future__ import annotations

import hashlib
import io
import json
import subprocess
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from app.passes.bundle import build, prepare
from app.passes.looks import bundle_files, look_number
from app.passes.signing import Signer
from tests import servers
from tests.passes import card, templates
from tests.passes.said import BACK, FRONT, GROUPS, MESSAGE, Fields, guest

COLOURS = {
    "bonus_card": ("#12342d", "#faf2e2", "#e2be7c"),
    "stamp_card": ("#faf3e8", "#42281b", "#a04a26"),
    "tiered_card": ("#262c3a", "#fffaf0", "#ced6e4"),  # of the second tier
}


@pytest.fixture(scope="module")
def reader(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The program that asks KDE's library, compiled: some three seconds."""
    flags = servers.kpkpass_flags()
    if flags is None:
        pytest.skip("KDE's reader of passes is not installed")
    program = tmp_path_factory.mktemp("kpkpass") / "reader"
    source = Path(__file__).with_name("kpkpass_reader.cpp")
    made = subprocess.run(
        ["g++", "-std=c++17", "-fPIC", "-O0", "-Wall", str(source), "-o", str(program), *flags],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert made.returncode == 0, made.stderr
    return program


def read(reader: Path, language: str, bundle: bytes, directory: Path) -> dict[str, Any]:
    file = directory / "card.pkpass"
    file.write_bytes(bundle)
    done = subprocess.run([reader, language, file], capture_output=True, text=True, check=False, timeout=30)
    assert done.returncode == 0, done.stderr
    (found,) = json.loads(done.stdout)
    assert found is not None, "not a pass"
    return dict(found)


def agree(found: list[dict[str, Any]], expected: Fields) -> None:
    assert [(each["key"], each["label"]) for each in found] == [(key, label) for key, label, _ in expected]
    for each, (_, _, value) in zip(found, expected, strict=True):
        assert each["value"] in ([value] if isinstance(value, str) else [value, ""])


@pytest.mark.parametrize("phone", ["ru", "en"])
@pytest.mark.parametrize("holder", ["ru", "en"])
@pytest.mark.parametrize("name", templates.NAMES)
def test_kdes_reader_finds_what_the_content_says(
    reader: Path, signer: Signer, tmp_path: Path, name: templates.Name, holder: str, phone: str
) -> None:
    design, content = templates.design(name), guest(name, holder)
    prepared = prepare(design, signer, web_service_url=card.SERVICE)
    found = read(reader, phone, build(content, card.IDENTITY, prepared, signing_time=card.NOW), tmp_path)
    for group in GROUPS[:-1]:
        agree(found[group], FRONT[name, phone].get(group, []))
    agree(found["backFields"], BACK[phone])
    announced = {each["key"]: each["changeMessage"] for each in found["backFields"] if each["changeMessage"]}
    assert announced == {"latest_message": MESSAGE.in_language("ru" if phone == "ru" else "en")}
    assert found["is_store_card"] is True
    assert found["organizationName"] == "Берёзка"
    assert found["description"] == ("Карта гостя «Берёзки»" if holder == "ru" else "Berezka guest card")
    assert found["logoText"] == ("Берёзка бонус" if phone == "ru" else "Berezka bonus")
    assert found["passTypeIdentifier"] == card.PASS_TYPE
    assert found["serialNumber"] == card.IDENTITY.serial_number
    assert found["authenticationToken"] == card.IDENTITY.authentication_token
    assert found["webServiceURL"] == card.SERVICE
    assert (found["backgroundColor"], found["foregroundColor"], found["labelColor"]) == COLOURS[name]
    assert found["barcodes"] == [
        {"is_qr": True, "message": "K7Q2M9XA", "encoding": "iso-8859-1", "altText": "K7Q2M9XA"}
    ]
    near = {"ru": "Мы рядом: Невский, 1", "en": "Near you: Nevsky 1"}
    assert [(place["latitude"], place["longitude"]) for place in found["locations"]] == [
        (59.93428, 30.335099),
        (-33.8688, 151.2093),
    ]
    assert found["locations"][0]["relevantText"] == near[holder]


@pytest.mark.parametrize("name", templates.NAMES)
def test_kdes_reader_shows_this_guests_pictures(
    reader: Path, signer: Signer, tmp_path: Path, name: templates.Name
) -> None:
    design, content = templates.design(name), guest(name, "ru")
    prepared = prepare(design, signer, web_service_url=card.SERVICE)
    found = read(reader, "ru", build(content, card.IDENTITY, prepared, signing_time=card.NOW), tmp_path)
    files = bundle_files(design.layout, design.files, look_number(design.layout, content))
    for image, scales in found["images"].items():
        for suffix, seen in zip(("", "@2x", "@3x"), scales, strict=True):
            with Image.open(io.BytesIO(files[f"{image}{suffix}.png"])) as picture:
                pixels = picture.convert("RGBA")
            assert (seen["width"], seen["height"]) == pixels.size
            assert seen["sha1"] == hashlib.sha1(pixels.tobytes()).hexdigest()


def test_a_void_card_tells_kdes_reader_nothing_of_its_guest(
    reader: Path, signer: Signer, tmp_path: Path
) -> None:
    prepared = prepare(templates.design("bonus_card"), signer, web_service_url=card.SERVICE)
    content = replace(guest("bonus_card", "ru"), voided=True)
    found = read(reader, "ru", build(content, card.IDENTITY, prepared, signing_time=card.NOW), tmp_path)
    assert found["serialNumber"] == card.IDENTITY.serial_number
    assert found["barcodes"] == []
    assert found["locations"] == []
    keys = {field["key"] for group in GROUPS for field in found[group]}
    assert not keys & {"member_name", "balance", "latest_message", "messages", "card_code"}
