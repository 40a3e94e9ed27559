"""``make test`` runs on PostgreSQL what can differ there, and nothing else a second time."""

from __future__ import annotations

import asyncio
import re
import socket
from pathlib import Path

import pytest

from tests.conftest import differs_by_servers

TESTS = Path(__file__).parents[1]


def test_who_asks_for_a_database_belongs_to_both_runs(
    request: pytest.FixtureRequest, database_url: str
) -> None:
    assert database_url
    assert differs_by_servers(request.node)


def test_who_asks_for_redis_belongs_to_both_runs(request: pytest.FixtureRequest, redis_url: str) -> None:
    assert redis_url is not None
    assert differs_by_servers(request.node)


def test_who_asks_for_neither_is_run_once(request: pytest.FixtureRequest) -> None:
    assert not differs_by_servers(request.node)


def test_only_tests_look_for_themselves_which_servers_there_are() -> None:
    """A fixture says it by asking for ``servers_of_this_run``; of what a module imports nobody would know."""
    looking = {
        file.relative_to(TESTS)
        for file in TESTS.rglob("*.py")
        if re.search(r"\bSERVERS\b|PERKPASS_TEST_SERVERS", file.read_text(encoding="utf-8"))
    }
    allowed = {Path("conftest.py"), Path("__main__.py"), Path(__file__).relative_to(TESTS)}
    assert {file for file in looking - allowed if not file.name.startswith("test_")} == set()


def test_no_test_reaches_beyond_loopback() -> None:
    outside = ("192.0.2.1", 9)
    with pytest.raises(RuntimeError, match="only loopback"), socket.socket() as connection:
        connection.connect_ex(outside)
    with pytest.raises(RuntimeError, match="only loopback"):
        asyncio.run(_open(outside))


async def _open(address: tuple[str, int]) -> None:
    async with asyncio.timeout(1):
        await asyncio.open_connection(*address)
