"""The funnel from the command line: a table for people, JSON for programs."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from app.commands.shell import now
from app.db import Tx, connect
from app.db.identifiers import InstallLinkId
from app.places import links, visits
from tests.commands.conftest import Run


@pytest.fixture
def chain(perkpass: Run, chain_file: Path) -> None:
    loaded = perkpass("chain", "load", chain_file)
    assert loaded.status == 0, loaded.err


def _visit(tx: Tx, link_id: InstallLinkId, *steps: visits.VisitEventKind, at: datetime) -> None:
    visit_id = visits.new_visit_id()
    for kind in steps:
        visits.record(
            tx, visit_id=visit_id, link_id=link_id, kind=kind, at=at, device_kind="iphone", language="ru"
        )


@pytest.mark.usefixtures("chain")
def test_the_funnel_names_venues_placements_people_and_links(perkpass: Run, database_url: str) -> None:
    assert "Nobody came by a venue of pechka" in perkpass("places", "funnel", "pechka").out
    listed = perkpass("link", "list", "pechka", "--json").json
    table = next(one for one in listed if one["placement"])
    person = next(one for one in listed if one["staff_member"] and one["venue"] == table["venue"])
    today, long_ago = now(), now() - timedelta(days=40)
    database = connect(database_url)
    with database.write() as tx:
        at_table = links.link_by_code(tx, table["code"]).id
        by_person = links.link_by_code(tx, person["code"]).id
        _visit(tx, at_table, "scan", "page", "form", "added", "removed", at=today)
        _visit(tx, at_table, "scan", "page", "in_app", at=today)
        _visit(tx, by_person, "scan", "page", "form", "added", at=today)
        _visit(tx, by_person, "scan", at=long_ago)
    database.close()

    def counted(*arguments: str) -> dict[str, Any]:
        found: dict[str, Any] = perkpass("places", "funnel", "pechka", *arguments, "--json").json
        return found

    def steps(group: dict[str, Any]) -> list[int]:
        return [group[step] for step in ("scan", "page", "in_app", "form", "added", "removed")]

    whole = counted()
    assert [group["venue"] for group in whole["groups"]] == [table["venue"]]
    assert steps(whole["groups"][0]) == steps(whole["total"]) == [3, 3, 1, 2, 2, 1]
    assert whole["groups"][0]["verdict"] == "alone"
    share = whole["total"]["shares"]["added_of_scans"]
    assert share["value"] == pytest.approx(2 / 3)
    assert (share["low"], share["high"]) == pytest.approx((0.2077, 0.9385), abs=1e-4)
    (of_table,) = counted("--by", "placement")["groups"]
    assert of_table["placement"] == f"{table['venue']}, {table['placement']}"
    assert steps(of_table) == [2, 2, 1, 1, 1, 1]
    assert [group["staff"] for group in counted("--by", "staff")["groups"]] == [person["staff_member"]]
    assert counted("--by", "staff", "--days", "60")["total"]["scan"] == 2
    day_before, day_after = (f"{long_ago + timedelta(days=days):%Y-%m-%d}" for days in (-1, 1))
    before = counted("--by", "link", "--from", day_before, "--to", day_after)
    assert (before["to"], before["total"]["scan"]) == (day_after, 1)
    assert counted("--venue", "kazan")["groups"] == []
    assert {group["link"] for group in counted("--by", "link")["groups"]} == {table["code"], person["code"]}

    shown = perkpass("places", "funnel", "pechka", "--by", "link").out.splitlines()
    assert shown[0].split() == [
        "LINK", "SCAN", "PAGE", "IN_APP", "FORM", "ADDED", "RECEIPT", "AGAIN", "ACTIVE", "REMOVED",
        "ADDED_OF_SCANS", "COMPARED",
    ]  # fmt: skip
    lines = {line.split()[0]: line for line in shown[1:]}
    assert " ".join(lines[table["code"]].split()[10:]) == "50% (9%…91%) too few to compare"
    assert lines["all"].split()[1:10] == ["3", "3", "1", "2", "2", "0", "0", "0", "1"]
    assert list(lines) == [*sorted([table["code"], person["code"]]), "all"]


@pytest.mark.usefixtures("chain")
@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("--from", "2026-07-02", "--to", "2026-07-01"), "before the first"),
        (("--from", "2026-07-02"), "together"),
        (("--days", "3", "--from", "2026-07-01", "--to", "2026-07-01"), "--days, or --from"),
        (("--venue", "nowhere"), "no venue 'nowhere'"),
    ],
)
def test_wrong_questions_are_told_in_a_sentence(
    perkpass: Run, arguments: tuple[str, ...], sentence: str
) -> None:
    refused = perkpass("places", "funnel", "pechka", *arguments)
    assert refused.status == 1
    assert sentence in refused.err
