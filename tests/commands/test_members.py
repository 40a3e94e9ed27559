"""Guests from the command line: found, corrected, blocked, issued anew, explained, handed their data."""

from __future__ import annotations

import json
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from zipfile import ZipFile

import pytest
from sqlalchemy import text

from app.db import connect
from app.loyalty import enrolment
from app.settings import load
from tests.commands.conftest import Run
from tests.reports.google_settling import at_google, held, told

REFUSING = {
    "sqlite": (
        "CREATE TRIGGER refusing BEFORE INSERT ON audit_entry BEGIN SELECT RAISE(ABORT, 'no'); END",
        "DROP TRIGGER refusing",
    ),
    "postgresql": (
        "ALTER TABLE audit_entry ADD CONSTRAINT refusing CHECK (action <> 'member.exported') NOT VALID",
        "ALTER TABLE audit_entry DROP CONSTRAINT refusing",
    ),
}
"""A log that takes no line of an export, and takes it again."""


@pytest.fixture
def code(perkpass: Run, chain_file: Path, tmp_path: Path) -> str:
    """The card of somebody who is called Анна."""
    loaded = perkpass("chain", "load", chain_file)
    assert loaded.status == 0, loaded.err
    link = perkpass("link", "list", "pechka", "--json").json[0]["code"]
    made = perkpass(
        "issue", link, "-o", tmp_path / "card.pkpass", "--consent", "--name", "Анна Ёлкина", "--json"
    )
    return str(made.json["card_code"])


def test_a_guest_is_found_explained_and_handed_everything(perkpass: Run, code: str, tmp_path: Path) -> None:
    for query in ("елк", code):
        (found,) = perkpass("member", "find", "pechka", query, "--json").json
        assert (found["name"], found["cards"]) == ("Анна Ёлкина", [code])
    assert "Nobody" in perkpass("member", "find", "pechka", "пётр").out

    _offered(perkpass, code)
    told = perkpass("member", "why", code, "--json").json
    assert "offer_granted" in {event["what"] for event in told["events"]}
    assert told["cause"] in ("never_added", "not_https")
    assert told["to_do"]
    assert "enrolled" in {event["what"] for event in told["events"]}
    assert told["answer"] in perkpass("member", "why", code).out

    file = tmp_path / "anna.zip"
    assert perkpass("member", "export", code, file).status == 0
    assert file.stat().st_mode & 0o777 == 0o600
    assert [each.name for each in tmp_path.glob("*anna.zip*")] == ["anna.zip"]  # nothing is left beside it
    with closing(connect(load().resolved_database_url, pool_size=1)) as database:
        refuse, allow = REFUSING[database.engine.dialect.name]
        with database.write() as tx:
            tx.execute(text(refuse))
        assert perkpass("member", "export", code, tmp_path / "unsaid.zip").status != 0
        assert not list(tmp_path.glob("*unsaid*"))  # nobody has what is not written down
        with database.write() as tx:
            tx.execute(text(allow))
    with ZipFile(file) as bundle:
        data = json.loads(bundle.read("data.json"))
    assert data["member"][0]["name"] == "Анна Ёлкина"
    assert (data["offer"][0]["code"], len(data["offer_grant"])) == ("TEN", 1)


def _offered(perkpass: Run, code: str) -> None:
    """The guest's whole story has an offer in it."""
    named = ("--name-ru", "Скидка", "--name-en", "A discount")
    made = perkpass("offer", "create", "pechka", "ten", *named, "--percent", "10", "--json").json
    assert (made["code"], made["worth"], made["ended"]) == ("TEN", 1_000, False)
    assert "TEN already" in perkpass("offer", "create", "pechka", "TEN", *named, "--amount", "50").err
    assert "Say one of" in perkpass("offer", "create", "pechka", "NONE", *named).err
    given = [perkpass("offer", "grant", "pechka", "ten", "--card", code, "--json").json for _ in range(2)]
    assert [(each["granted"], each["had it"]) for each in given] == [(1, 0), (0, 1)]
    assert perkpass("offer", "end", "pechka", "TEN", "--json").json["ended"]
    [listed] = perkpass("offer", "list", "pechka", "--json").json
    assert (listed["granted"], listed["redeemed"], listed["ended"]) == (1, 0, True)


def test_a_card_is_corrected_blocked_and_issued_anew(perkpass: Run, code: str) -> None:
    before = perkpass("member", "show", code, "--json").json["enrolments"][0]["balance"]
    added = perkpass("member", "correct", code, "--points", "12,50", "--reason", "Чек не прошёл", "--json")
    assert added.json["balance"] == before + 12_50
    refused = perkpass("member", "correct", code, "--points=-99999", "--reason", "Ошибка")
    assert refused.status != 0
    assert "not enough" in refused.err
    assert perkpass("member", "correct", code, "--points", "1.234", "--reason", "x").status == 2
    taken = perkpass(
        "member", "correct", code, "--points=-99999", "--all-there-is", "--reason", "Обман", "--json"
    )
    assert taken.json["balance"] == 0

    assert "is blocked" in perkpass("member", "block", code, "--reason", "Украли").out
    assert "already" in perkpass("member", "block", code, "--reason", "Украли").out
    assert "works again" in perkpass("member", "unblock", code).out
    made = perkpass("member", "reissue", code, "--reason", "Ссылка ушла", "--json").json
    assert made["card_code"] != code
    assert perkpass("member", "show", code).status != 0
    assert perkpass("member", "find", "pechka", code, "--json").json[0]["cards"] == [made["card_code"]]


def test_a_card_in_google_wallet_is_told_of_as_far_as_google_tells(
    perkpass: Run, code: str, tmp_path: Path
) -> None:
    now = datetime.now(UTC)
    with closing(connect(load().resolved_database_url, pool_size=1)) as database:
        with database.read() as tx:
            known = enrolment.enrolment_of_card(tx, code)
        card = at_google(database, known.pass_id, known.brand_id, now=now)
        held(database, card, by_somebody=True, now=now)
        told(database, card.id, "accepted", "HeldByQuota", now=now)
    [line] = perkpass("member", "show", code, "--json").json["google_wallet"]
    assert line["last_change"] == "receipt: held back by quota"
    assert line["saved_at"]
    whole = perkpass("member", "show", code).out
    assert "held back by quota" in whole
    why = perkpass("member", "why", code, "--json").json
    assert why["cause"] == "google_held"
    assert "deliver" not in whole + why["answer"] + why["to_do"]

    file = tmp_path / "anna.zip"
    assert perkpass("member", "export", code, file).status == 0
    with ZipFile(file) as bundle:
        everything = json.loads(bundle.read("data.json"))
    assert everything["google_object"][0]["resource_id"] == card.resource_id
    assert everything["delivery"][0]["channel"] == "google"
