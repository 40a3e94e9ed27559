"""Fixtures for every test: a migrated database of its own, on the server that this run is about.

PERKPASS_TEST_SERVERS chooses: "sqlite" (the default: SQLite alone) or "postgresql" (PostgreSQL and Redis).
``--only-with-servers`` leaves out the tests that both have no part in: once is enough for them.
"""

from __future__ import annotations

import os
import shutil
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib import import_module
from itertools import count
from pathlib import Path
from typing import Any, ClassVar

import psycopg
import pytest
from flask import Flask
from hypothesis import HealthCheck, settings
from jinja2.bccache import Bucket, BytecodeCache
from sqlalchemy import Connection, Engine, event
from werkzeug.routing import Rule

from app.db import Database, connect, schema
from tests import plain_logs, servers

# A busy machine makes slow examples, not wrong ones.
settings.register_profile("perkpass", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("perkpass")

SERVERS = os.environ.get("PERKPASS_TEST_SERVERS", "sqlite")
ROOMS_WITH_TABLES = ("accounts", "places", "delivery", "passes", "loyalty", "campaigns")
for room in ROOMS_WITH_TABLES:
    import_module(f"app.{room}.tables")

_numbers = count()


def _refuse_the_outside() -> None:
    """No test may reach beyond loopback, not even by accident.

    Not by an audit hook, which Python would call for every ``id()`` too: a twentieth of all tests' time.
    """

    def only_loopback(connect: Callable[[socket.socket, Any], Any]) -> Callable[[socket.socket, Any], Any]:
        def connect_inside(self: socket.socket, address: Any) -> Any:
            if isinstance(address, tuple) and address[0] not in ("127.0.0.1", "::1", "localhost"):
                raise RuntimeError(f"a test tried to reach {address!r}: only loopback is allowed")
            return connect(self, address)

        return connect_inside

    for name in ("connect", "connect_ex"):
        setattr(socket.socket, name, only_loopback(getattr(socket.socket, name)))


_refuse_the_outside()


# Nobody whom a test meets has a certificate of the world's authorities: reading them costs each client 40 ms.
os.environ.pop("SSL_CERT_FILE", None)
os.environ["SSL_CERT_DIR"] = "/nonexistent"


class _CompiledOnce(BytecodeCache):
    """Templates as Python compiled them: hundreds of tests make an application of their own."""

    def __init__(self) -> None:
        self._kept: dict[str, bytes] = {}

    def load_bytecode(self, bucket: Bucket) -> None:
        if kept := self._kept.get(bucket.key):
            bucket.bytecode_from_string(kept)

    def dump_bytecode(self, bucket: Bucket) -> None:
        self._kept[bucket.key] = bucket.bytecode_to_string()


class _RuleOnce(Rule):
    """What makes an address from a rule, as werkzeug compiled it: it asks the rule for its converters."""

    _kept: ClassVar[dict[tuple[object, ...], Callable[..., tuple[str, str]]]] = {}

    def _compile_builder(self, append_unknown: bool = True) -> Callable[..., tuple[str, str]]:
        if self.defaults:
            return super()._compile_builder(append_unknown)
        key = (*self._trace, append_unknown)
        if key not in self._kept:
            self._kept[key] = super()._compile_builder(append_unknown)
        return self._kept[key]


plain_logs.configure()
Flask.jinja_options["bytecode_cache"] = _CompiledOnce()
Flask.url_rule_class = _RuleOnce


class _StatementsOnce(dict[Any, Any]):
    """Statements as SQLAlchemy compiled them, for all engines of a dialect: hundreds of tests open one."""

    def get(self, key: Any, default: Any = None) -> Any:
        return super().get(self._of_any_engine(key), default)

    def __setitem__(self, key: Any, compiled: Any) -> None:
        super().__setitem__(self._of_any_engine(key), compiled)

    @staticmethod
    def _of_any_engine(key: Any) -> Any:
        dialect, *statement = key
        return (type(dialect), *statement)


_statements = _StatementsOnce()


@event.listens_for(Engine, "engine_connect")
def _compile_once(connection: Connection) -> None:
    connection.execution_options(compiled_cache=_statements)


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--only-with-servers",
        action="store_true",
        help="leave out the tests that are the same whatever PERKPASS_TEST_SERVERS says",
    )


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    if not config.getoption("--only-with-servers"):
        return
    left_out = [item for item in items if not differs_by_servers(item)]
    config.hook.pytest_deselected(items=left_out)
    items[:] = [item for item in items if differs_by_servers(item)]


def differs_by_servers(item: pytest.Item) -> bool:
    """Whether it asks for the servers of this run, or its module looks at which these are.

    What asks for a server only to have some service is marked ``once``: it is about no database.
    """
    if item.get_closest_marker("once"):
        return False
    asks = servers_of_this_run.__name__ in getattr(item, "fixturenames", ())
    return asks or hasattr(getattr(item, "module", None), "SERVERS")


@pytest.fixture(scope="session")
def servers_of_this_run() -> str:
    """What a fixture asks for that differs from run to run: its tests belong to each of them."""
    return SERVERS


@pytest.fixture(scope="session")
def postgresql_server(servers_of_this_run: str) -> Iterator[servers.PostgreSQL]:
    with servers.postgresql() as server:
        yield server


@pytest.fixture(scope="session")
def redis_server(servers_of_this_run: str) -> Iterator[str]:
    with servers.redis() as url:
        yield url


@pytest.fixture(scope="session")
def _template(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, servers_of_this_run: str
) -> str:
    """A migrated database that tests copy: an SQLite file, or a PostgreSQL template."""
    if servers_of_this_run == "sqlite":
        path = tmp_path_factory.mktemp("template") / "template.db"
        database = connect(f"sqlite:///{path}")
        schema.migrate(database)
        with database.engine.connect() as connection:
            connection.exec_driver_sql("COMMIT")
            connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")
            connection.exec_driver_sql("BEGIN")
        database.close()
        return str(path)
    server: servers.PostgreSQL = request.getfixturevalue("postgresql_server")
    with psycopg.connect(server.url("postgres"), autocommit=True) as connection:
        connection.execute("CREATE DATABASE perkpass_template")
    database = connect(server.url("perkpass_template"))
    schema.migrate(database)
    database.close()
    return "perkpass_template"


@contextmanager
def empty_database(request: pytest.FixtureRequest, directory: Path, template: str | None) -> Iterator[str]:
    """The address of a database for as long as the block: a copy of ``template``, or without a table."""
    if SERVERS == "sqlite":
        path = directory / f"perkpass-{next(_numbers)}.db"
        if template:
            shutil.copy(template, path)
        yield f"sqlite:///{path}"
        return
    server: servers.PostgreSQL = request.getfixturevalue("postgresql_server")
    name = f"test_{next(_numbers)}"
    _say(server, f"CREATE DATABASE {name} TEMPLATE {template or 'template0'} STRATEGY file_copy")
    yield server.url(name)
    if server.runs:  # tests stop it
        _say(server, f"DROP DATABASE {name} WITH (FORCE)")


def _say(server: servers.PostgreSQL, statement: str) -> None:
    with psycopg.connect(server.url("postgres"), autocommit=True) as connection:
        connection.execute(statement.encode())


@pytest.fixture
def database_url(request: pytest.FixtureRequest, tmp_path: Path, _template: str) -> Iterator[str]:
    """The address of a migrated, empty database of this test's own."""
    with empty_database(request, tmp_path, _template) as url:
        yield url


@pytest.fixture
def unmigrated_database_url(
    request: pytest.FixtureRequest, tmp_path: Path, servers_of_this_run: str
) -> Iterator[str]:
    """The address of a database without a single table."""
    with empty_database(request, tmp_path, None) as url:
        yield url


@pytest.fixture
def database(database_url: str) -> Iterator[Database]:
    """A migrated, empty database of this test's own."""
    opened = connect(database_url)
    yield opened
    opened.close()


@pytest.fixture
def redis_url(request: pytest.FixtureRequest, servers_of_this_run: str) -> str:
    """Redis's address in the PostgreSQL run; empty in the SQLite run, which does without it."""
    return "" if servers_of_this_run == "sqlite" else str(request.getfixturevalue("redis_server"))


@pytest.fixture
def free_port() -> int:
    return servers.free_port()


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    if os.environ.get("PERKPASS_TEST_REQUIRE") == "1" and terminalreporter.stats.get("skipped"):
        terminalreporter.write_line("A skipped test is a failure here.", red=True)


def pytest_sessionfinish(session: pytest.Session) -> None:
    reporter = session.config.pluginmanager.get_plugin("terminalreporter")
    required = os.environ.get("PERKPASS_TEST_REQUIRE") == "1"
    if required and reporter is not None and reporter.stats.get("skipped"):
        session.exitstatus = pytest.ExitCode.TESTS_FAILED
