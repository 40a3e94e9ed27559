"""Texts from the command line: sent by hand, looked up, and accounts asked at a gateway on loopback."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from app.db import Database
from app.db.identifiers import BrandId
from app.delivery import stopped, texts
from app.loyalty import enrolment
from app.simulators.sms_gateways import SmsSettings, running
from tests.commands.conftest import Run
from tests.loyalty.town import NOW

NUMBER = "+79123456789"


@pytest.fixture
def chain(perkpass: Run, chain_file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The example chain, one of whose brands sends texts by a simulated gateway."""
    with running(SmsSettings(balance=123_45)) as gateway:
        file = tmp_path / "sms.toml"
        file.write_text(
            f"""
[logins.main]
gateway = "smsc"
url = "{gateway.url}"
rate = 10
secrets = {{ apikey = "sandbox-key" }}
prices = [{{ prefix = "+7", amount = 450, currency = "RUB" }}]
low_balance = 10000

[brands.pechka]
login = "main"
countries = ["RU"]
codes_a_day = 10
budget_a_day = 10000
"""
        )
        file.chmod(0o600)
        monkeypatch.setenv("PERKPASS_SMS_FILE", str(file))
        loaded = perkpass("chain", "load", chain_file)
        assert loaded.status == 0, loaded.err
        yield file


@pytest.mark.usefixtures("chain")
def test_a_text_is_promised_and_looked_up(perkpass: Run, database: Database) -> None:
    sent = perkpass("sms", "send", "pechka", "+7 912 345-67-89", "Столик готов", "--json")
    assert sent.status == 0, sent.err
    assert (sent.json["state"], sent.json["expected_price"], sent.json["parts"]) == ("pending", "4.50 RUB", 1)
    with database.read() as tx:
        kept = texts.text(tx, sent.json["id"])
    assert kept is not None
    assert (kept.number, kept.text, kept.kind, kept.login) == (NUMBER, "Столик готов", "service", "main")
    shown = perkpass("sms", "status", sent.json["id"])
    assert shown.status == 0
    for said in (sent.out, shown.out):
        assert "+7…6789" in said
        assert "3456789" not in said
    asked = perkpass("sms", "status", sent.json["id"], "--ask", "--json")
    assert asked.json["gateway_says"].startswith("unknown_text")
    assert perkpass("sms", "status", 999).status == 1


@pytest.mark.usefixtures("chain")
@pytest.mark.parametrize(
    "wrong", [("zerno", NUMBER, "x"), ("pechka", "912 345-67-89", "x"), ("pechka", NUMBER, " ")]
)
def test_what_cannot_be_sent_is_refused(perkpass: Run, wrong: tuple[str, str, str]) -> None:
    refused = perkpass("sms", "send", *wrong)
    assert refused.status == 1
    assert refused.err


def test_balances_are_asked_and_a_low_one_is_an_alarm(perkpass: Run, chain: Path, database: Database) -> None:
    asked = perkpass("sms", "balance", "--json")
    assert asked.status == 0
    assert asked.json == [
        {
            "login": "main",
            "gateway": "smsc",
            "balance": "123.45 RUB",
            "low": False,
            "stopped": None,
            "fault": None,
        }
    ]
    chain.write_text(chain.read_text().replace("low_balance = 10000", "low_balance = 20000"))
    low = perkpass("sms", "balance", "--json")
    assert low.status == 1
    assert low.json[0]["low"] is True
    with database.write() as tx:
        stopped.stop(tx, "main", reason="3: no money", now=NOW)
    assert perkpass("sms", "balance", "--json").json[0]["stopped"] == "3: no money"


def _looks(perkpass: Run) -> dict[str, tuple[str, str]]:
    seen = perkpass("doctor", "--json")
    return {look["subject"]: (look["verdict"], look["words"]) for look in seen.json["looks"]}


def test_the_doctor_looks_at_file_and_accounts(perkpass: Run, chain: Path, chain_file: Path) -> None:
    looks = _looks(perkpass)
    assert looks["text messages"][0] == "ok"
    assert looks["texts by main"] == ("ok", "123.45 RUB left")
    good = chain.read_text()
    chain.write_text(good.replace("sandbox-key", "a-wrong-key"))
    assert _looks(perkpass)["texts by main"][0] == "fault"
    chain.write_text(good.replace('login = "main"', 'login = "other"'))
    assert _looks(perkpass)["text messages"][0] == "fault"
    chain.write_text(good.replace("brands.pechka", "brands.zerno"))
    words = chain_file.read_text().replace('asks_phone = "no"', 'asks_phone = "proved"', 1)
    chain_file.write_text(words)
    assert perkpass("chain", "load", chain_file).status == 0
    verdict, told = _looks(perkpass)["brand pechka"]
    assert (verdict, "[brands.pechka]" in told) == ("fault", True)
    chain.chmod(0o644)
    assert "chmod" in _looks(perkpass)["text messages"][1]


@pytest.mark.usefixtures("chain")
def test_a_member_is_shown_with_texts(perkpass: Run, database: Database, tmp_path: Path) -> None:
    link = perkpass("link", "list", "pechka", "--json").json[0]["code"]
    code = perkpass("issue", link, "-o", tmp_path / "card.pkpass", "--consent", "--json").json["card_code"]
    with database.write() as tx:
        card = enrolment.enrolment_of_card(tx, code)
        texts.enqueue_text(
            tx,
            texts.TextDraft(
                brand_id=BrandId(card.brand_id), member_id=card.member_id, login="main", kind="advertising",
                number=NUMBER, text="Кофе за наш счёт", sender=None, encoding="ucs2", parts=1, price=450,
                currency="RUB", due_at=NOW, not_after=None,
            ),
            now=NOW,
        )  # fmt: skip
    shown = perkpass("member", "show", code, "--json")
    (text,) = shown.json["texts"]
    assert (text["kind"], text["state"], text["number"], text["price"]) == (
        "advertising", "pending", "+7…6789", "4.50 RUB",
    )  # fmt: skip
    assert "Кофе" not in shown.out
    table = perkpass("member", "show", code).out
    assert "Text messages" in table
    assert "advertising" in table
