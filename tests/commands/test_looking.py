"""What people can see from the command line: phones' complaints, who holds a card."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from app.commands.shell import now
from app.db import connect
from app.db.identifiers import DeviceLibraryIdentifier, PushToken
from app.delivery import queue
from app.loyalty import enrolment
from app.passes import device_log, evidence, issuing, registrations
from app.passes.evidence import Contact, Fetch
from tests.commands.conftest import Run


@pytest.fixture
def chain(perkpass: Run, chain_file: Path) -> None:
    loaded = perkpass("chain", "load", chain_file)
    assert loaded.status == 0, loaded.err


def test_the_lines_of_phones_are_read_newest_first(perkpass: Run, database_url: str) -> None:
    assert perkpass("device-log").out == "No phone has complained.\n"
    database = connect(database_url)
    at = now()
    lines = [
        device_log.LogLine(at + timedelta(seconds=n), device_log.harmless(f"line {n}\x1b[2J"))
        for n in range(3)
    ]
    with database.write() as tx:
        device_log.record(tx, lines)
    database.close()
    shown = perkpass("device-log", "--limit", "2", "--json").json
    assert [line["line"] for line in shown] == ["line 2\\x1b[2J", "line 1\\x1b[2J"]
    table = perkpass("device-log").out
    assert "\x1b" not in table
    assert len(table.splitlines()) == 4


@pytest.mark.usefixtures("chain")
def test_a_member_is_shown_with_phones_and_what_they_proved(
    perkpass: Run, database_url: str, tmp_path: Path
) -> None:
    link = perkpass("link", "list", "pechka", "--json").json[0]["code"]
    code = perkpass("issue", link, "-o", tmp_path / "card.pkpass", "--consent", "--json").json["card_code"]
    untouched = perkpass("member", "show", code, "--json").json
    assert (untouched["proofs"], untouched["phones"]) == ([], [])
    at = now()
    database = connect(database_url)
    with database.write() as tx:
        card = issuing.wallet_pass(tx, enrolment.enrolment_of_card(tx, code).pass_id)
        device_id = registrations.register(
            tx,
            device_library_identifier=DeviceLibraryIdentifier("library-of-a-phone"),
            pass_type_identifier=card.pass_type_identifier,
            pass_id=card.id,
            push_token=PushToken("beef" * 16),
            now=at,
        ).device_id
        evidence.record(
            tx,
            [
                Contact(device_id, at),
                Fetch(card.id, card.version, card.last_modified, at),
                Fetch(card.id, card.version, card.last_modified, at, held=card.last_modified),
            ],
        )
        queue.enqueue_pushes(
            tx, [device_id], pass_type_identifier=card.pass_type_identifier, kind="receipt", now=at
        )
    database.close()
    seen = perkpass("member", "show", code, "--json")
    (proof,) = seen.json["proofs"]
    assert (proof["pass_id"], proof["fetched_version"]) == (card.id, card.version)
    assert proof["fetched_at"] == at.isoformat()
    (phone,) = seen.json["phones"]
    assert phone["holder"]["contacted_at"] == at.isoformat()
    assert (phone["last_push"]["kind"], phone["last_push"]["state"]) == ("receipt", "pending")
    assert phone["last_push"]["accepted_at"] is None
    table = perkpass("member", "show", code).out
    assert "receipt: pending" in table
    for said in (seen.out, table):
        assert "beef" not in said
        assert "library-of-a-phone" not in said


@pytest.mark.usefixtures("chain")
def test_a_card_link_is_revoked_by_its_code(perkpass: Run, tmp_path: Path) -> None:
    link = perkpass("link", "list", "pechka", "--json").json[0]["code"]
    code = perkpass("issue", link, "-o", tmp_path / "card.pkpass", "--consent", "--json").json["card_code"]
    assert perkpass("member", "revoke-link", code, "--json").json["card_link_version"] == 2
    assert perkpass("member", "show", code, "--json").json["enrolments"][0]["card_link_version"] == 2
    assert perkpass("audit", "list", "--json").json[0]["action"] == "card.link-revoked"
    refused = perkpass("member", "revoke-link", "000")
    assert refused.status == 1
    assert "no such card" in refused.err
