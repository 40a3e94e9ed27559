"""Cards from the command line: issued, moved between designs, shown, forgotten."""

from __future__ import annotations

import io
import json
import shutil
import stat
import subprocess
import time
import zipfile
from pathlib import Path
from threading import Thread

import pytest

from app.settings import load
from app.wakeup import LocalWakeup
from tests.commands.conftest import Run


@pytest.fixture
def link(perkpass: Run, chain_file: Path) -> str:
    loaded = perkpass("chain", "load", chain_file)
    assert loaded.status == 0, loaded.err
    return str(perkpass("link", "list", "pechka", "--json").json[0]["code"])


def _issue(perkpass: Run, link: str, target: Path, *more: str) -> str:
    made = perkpass("issue", link, "-o", target, "--consent", *more, "--json")
    assert made.status == 0, made.err
    return str(made.json["card_code"])


def test_an_issued_card_is_signed_and_says_who_it_is(
    perkpass: Run, link: str, tmp_path: Path, certificates: Path
) -> None:
    file = tmp_path / "card.pkpass"
    code = _issue(perkpass, link, file, "--name", "Мария", "--language", "en")
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    bundle = zipfile.ZipFile(io.BytesIO(file.read_bytes()))
    card = json.loads(bundle.read("pass.json"))
    assert card["passTypeIdentifier"] == "pass.com.example.pechka"
    assert card["webServiceURL"] == "https://cards.example.com/passkit"
    assert card["barcodes"][0]["message"] == code
    back = {field["key"]: field for field in card["storeCard"]["backFields"]}
    assert back["withdrawal"]["label"] == "Stop advertising"
    assert back["withdrawal"]["value"].startswith("https://cards.example.com/i/-/stop/")
    assert '"Stop advertising" = "Отказаться от рекламы";' in bundle.read("ru.lproj/pass.strings").decode()
    (tmp_path / "manifest").write_bytes(bundle.read("manifest.json"))
    (tmp_path / "signature").write_bytes(bundle.read("signature"))
    verified = subprocess.run(
        ["openssl", "cms", "-verify", "-inform", "DER", "-in", "signature", "-content", "manifest",
         "-binary", "-CAfile", str(certificates / "authority" / "root.pem"), "-purpose", "any",
         "-out", "out"],
        cwd=tmp_path, capture_output=True, check=False,
    )  # fmt: skip
    assert verified.returncode == 0, verified.stderr


def test_nobody_is_enrolled_where_the_card_cannot_be_written(
    perkpass: Run, link: str, tmp_path: Path
) -> None:
    refused = perkpass("issue", link, "-o", tmp_path / "nowhere" / "card.pkpass", "--consent")
    assert refused.status == 1
    assert "No card was made" in refused.err
    assert perkpass("design", "list", "pechka", "club", "--json").json[0]["cards"] == 0


def test_a_broken_certificate_makes_no_member(perkpass: Run, link: str, tmp_path: Path) -> None:
    (tmp_path / "certs" / "pechka" / "certificate.pem").write_text("not a certificate")
    refused = perkpass("issue", link, "-o", tmp_path / "card.pkpass", "--consent")
    assert refused.status == 1
    assert "certificate.pem" in refused.err
    assert not (tmp_path / "card.pkpass").exists()
    assert perkpass("design", "list", "pechka", "club", "--json").json[0]["cards"] == 0


def test_a_retired_link_issues_nothing(perkpass: Run, link: str, tmp_path: Path) -> None:
    assert perkpass("link", "retire", link).status == 0
    refused = perkpass("issue", link, "-o", tmp_path / "card.pkpass", "--consent")
    assert refused.status == 1
    assert "was retired" in refused.err


def test_a_member_is_shown_and_forgotten(perkpass: Run, link: str, tmp_path: Path) -> None:
    code = _issue(perkpass, link, tmp_path / "card.pkpass", "--name", "Мария")
    shown = perkpass("member", "show", code, "--json").json
    assert shown["name"] == "Мария"
    assert shown["enrolments"][0]["balance"] == 100_00
    assert shown["consents"][0]["source"].startswith("command line, cli:")
    assert "Мария" in perkpass("member", "show", code).out
    removed = perkpass("member", "remove", code, "--yes")
    assert removed.status == 0, removed.err
    assert "Мария" not in perkpass("member", "show", code).out
    actions = [entry["action"] for entry in perkpass("audit", "list", "--json").json]
    assert actions[:2] == ["member.removed", "card.issued"]


def test_cards_move_to_a_new_design_a_few_first(perkpass: Run, link: str, tmp_path: Path) -> None:
    for number in range(3):
        _issue(perkpass, link, tmp_path / f"{number}.pkpass")
    template = tmp_path / "tiered_card"
    shutil.copytree(load().templates_dir / "tiered_card", template)
    published = perkpass(
        "design", "publish", "pechka", "club", template, "--colour", "labelColor", "rgb(1, 2, 3)", "--json"
    )
    assert published.json["version"] == 2
    move = ("design", "move", "pechka", "club", "--from", "1", "--to", "2")
    assert perkpass(*move, "--limit", "1", "--json").json["moved"] == 1
    cards = {v["version"]: v["cards"] for v in perkpass("design", "list", "pechka", "club", "--json").json}
    assert cards == {1: 2, 2: 1}
    assert perkpass(*move, "--json").json["moved"] == 2
    assert perkpass(*move, "--json").json["moved"] == 0
    assert perkpass("design", "move", "pechka", "club", "--from", "1", "--to", "9").status == 1


def test_a_template_is_checked_with_a_status(perkpass: Run, tmp_path: Path) -> None:
    shipped = load().templates_dir / "tiered_card"
    good = perkpass("template", "check", shipped)
    assert good.status == 0, good.out
    broken = tmp_path / "broken"
    shutil.copytree(shipped, broken)
    for icon in broken.glob("icon*"):
        icon.unlink()
    refused = perkpass("template", "check", broken, "--json")
    assert refused.status == 1
    assert any(finding["severity"] == "refuse" for finding in refused.json)


def test_a_move_wakes_the_worker_while_it_goes_on(
    perkpass: Run, link: str, data_dir: Path, tmp_path: Path
) -> None:
    _issue(perkpass, link, tmp_path / "card.pkpass")
    template = load().templates_dir / "tiered_card"
    publish = ("design", "publish", "pechka", "club", template)
    assert perkpass(*publish, "--colour", "labelColor", "rgb(1, 2, 3)").status == 0
    bell = LocalWakeup(data_dir / "worker.sock")
    heard: list[bool] = []
    listener = Thread(target=lambda: heard.append(bell.wait(30)))
    listener.start()
    try:
        while not bell.path.exists():
            time.sleep(0.01)
        move = ("design", "move", "pechka", "club", "--from", "1", "--to", "2", "--json")
        assert perkpass(*move).json["moved"] == 1
        listener.join(5)
        assert heard == [True]
    finally:
        bell.close()
        listener.join(30)


def test_two_cards_of_a_guest_are_made_one(perkpass: Run, link: str, tmp_path: Path) -> None:
    living, ending = (_issue(perkpass, link, tmp_path / f"{n}.pkpass") for n in range(2))
    merged = perkpass("member", "merge", living, ending, "--json")
    assert (merged.status, merged.json["card_code"]) == (0, living), merged.err
    assert perkpass("member", "show", ending, "--json").json["enrolments"][0]["card_code"] == living
    again = perkpass("member", "merge", living, ending)
    assert again.status == 1
    assert "ended" in again.err
