"""A venue closes and a staff member leaves: what ended is said, audited, and stays ended."""

from __future__ import annotations

from pathlib import Path

from app.accounts import keys
from app.commands.shell import now
from app.db import connect
from tests.commands.conftest import Run


def _load(perkpass: Run, chain_file: Path) -> dict[tuple[str, str], str]:
    """The secrets of the tills, by venue and name."""
    loaded = perkpass("chain", "load", chain_file, "--json")
    assert loaded.status == 0, loaded.err
    return {(key["venue"], key["name"]): key["secret"] for key in loaded.json["keys"]}


def _living(perkpass: Run, brand: str) -> set[str]:
    return {one["code"] for one in perkpass("link", "list", brand, "--json").json if not one["retired_at"]}


def test_a_closed_venue_has_no_living_link_and_no_working_key(
    perkpass: Run, chain_file: Path, database_url: str
) -> None:
    secrets = _load(perkpass, chain_file)
    listed = perkpass("link", "list", "pechka", "--json").json
    venue = listed[0]["venue"]
    its_links = {one["code"] for one in listed if one["venue"] == venue}
    others = {one["code"] for one in listed} - its_links
    its_keys = [key for key in perkpass("key", "list", "pechka", "--json").json if key["venue"] == venue]
    assert its_links
    assert others
    assert its_keys
    # An old key that works on beside its successor ends as well.
    rotated = perkpass("key", "rotate", its_keys[0]["id"], "--json").json

    closed = perkpass("venue", "close", "pechka", venue, "--json").json
    assert set(closed["retired_links"]) == its_links
    assert {key["id"] for key in closed["ended_keys"]} == {key["id"] for key in its_keys} | {rotated["id"]}
    assert _living(perkpass, "pechka") == others
    database = connect(database_url)
    try:
        with database.write() as tx:
            working = {place for place, secret in secrets.items() if keys.authenticate(tx, secret, now=now())}
            assert keys.authenticate(tx, rotated["secret"], now=now()) is None
    finally:
        database.close()
    assert {place for place, _ in working} == {place for place, _ in secrets} - {venue}

    refused = perkpass("key", "create", "pechka", venue, "another till")
    assert refused.status == 1
    assert "closed" in refused.err
    assert perkpass("link", "create", "pechka", venue, "--programme", listed[0]["programme"]).status == 1
    entries = perkpass("audit", "list", "--brand", "pechka", "--json").json
    ended = len(closed["retired_links"]) + len(closed["ended_keys"])
    assert {entry["action"] for entry in entries[:ended]} == {"link.retired", "key.revoked"}
    assert entries[ended]["action"] == "venue.closed"

    again = perkpass("venue", "close", "pechka", venue, "--json").json
    assert (again["closed_at"], again["retired_links"], again["ended_keys"]) == (closed["closed_at"], [], [])
    assert its_keys[0]["name"] not in perkpass("venue", "close", "pechka", venue).out


def test_a_chain_file_that_still_names_the_ended_opens_nothing(perkpass: Run, chain_file: Path) -> None:
    _load(perkpass, chain_file)
    listed = perkpass("link", "list", "pechka", "--json").json
    invited = next(one for one in listed if one["staff_member"])
    closed = next(one["venue"] for one in listed if one["venue"] != invited["venue"])
    assert perkpass("venue", "close", "pechka", closed).status == 0
    assert perkpass("staff", "leave", "pechka", invited["staff_member"]).status == 0
    living = _living(perkpass, "pechka")

    again = perkpass("chain", "load", chain_file, "--json")
    assert again.status == 0, again.err
    assert again.json["changes"] == []
    assert again.json["keys"] == []
    assert f"venue {closed} was closed" in again.err
    assert f"{invited['staff_member']} has left" in again.err
    assert _living(perkpass, "pechka") == living


def test_who_leaves_invites_nobody_any_more(perkpass: Run, chain_file: Path) -> None:
    _load(perkpass, chain_file)
    listed = perkpass("link", "list", "pechka", "--json").json
    name = next(one["staff_member"] for one in listed if one["staff_member"])
    theirs = {one["code"] for one in listed if one["staff_member"] == name}

    left = perkpass("staff", "leave", "pechka", name, "--json").json
    assert set(left["retired_links"]) == theirs
    assert left["left_at"] is not None
    assert _living(perkpass, "pechka") == {one["code"] for one in listed} - theirs
    entries = perkpass("audit", "list", "--brand", "pechka", "--json").json
    assert [entry["action"] for entry in entries[: len(theirs) + 1]] == [
        *["link.retired"] * len(theirs),
        "staff.left",
    ]
    again = perkpass("staff", "leave", "pechka", name, "--json").json
    assert (again["left_at"], again["retired_links"]) == (left["left_at"], [])
    refused = perkpass("staff", "leave", "pechka", "Никто")
    assert refused.status == 1
    assert "no staff member 'Никто'" in refused.err
