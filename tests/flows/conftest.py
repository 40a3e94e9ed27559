"""One installation per test process, its push service, and phones; stories share it, and it ends with them.

An installation that nobody uses still looks for work five times a second: the other tests would wait for it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from itertools import cycle

import psycopg
import pytest

from app.simulators.apns import RunningApns, running, settings_for
from app.simulators.authority import Authority
from app.simulators.phone import Phone, PhoneSettings
from tests import servers
from tests.flows.installation import Installation, yesterday
from tests.flows.installation import running as installed

_redis_databases = cycle(range(1, 16))


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Stories take their time, above all where they wait for a service to start."""
    for item in items:
        if "tests/flows" in item.nodeid:
            item.add_marker(pytest.mark.timeout(300))
    # Stories wait more than they work, so they go first, and what works all the time fills the gaps. The
    # service looks a minute later whether its certificate is good again: others need not wait for that.
    items.sort(
        key=lambda item: (
            "tests/flows" not in item.nodeid,
            item.nodeid.endswith("good_again_is_noticed_within_a_minute"),
        )
    )


@pytest.fixture(scope="session")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority.create(tmp_path_factory.mktemp("authority"), now=yesterday())


@pytest.fixture(scope="package")
def apns(authority: Authority, tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningApns]:
    with running(settings_for(authority, tmp_path_factory.mktemp("apns"))) as simulator:
        yield simulator


@pytest.fixture(scope="package")
def make_installation(
    request: pytest.FixtureRequest,
    authority: Authority,
    apns: RunningApns,
    tmp_path_factory: pytest.TempPathFactory,
    servers_of_this_run: str,
) -> Callable[..., Installation]:
    """An installation on this run's servers, not yet loaded."""

    def make(name: str, **settings: str) -> Installation:
        database_url = redis_url = ""
        if servers_of_this_run == "postgresql":
            server: servers.PostgreSQL = request.getfixturevalue("postgresql_server")
            # A database of Redis's own: its worker would hear the bells of other tests.
            redis_url = (
                request.getfixturevalue("redis_server").removesuffix("/0") + f"/{next(_redis_databases)}"
            )
            with psycopg.connect(server.url("postgres"), autocommit=True) as connection:
                connection.execute(f"CREATE DATABASE flow_{name}".encode())
            database_url = server.url(f"flow_{name}")
        # Told fast, as all stories: a worker looks often whether a push that had to wait may leave.
        settings = {"PERKPASS_WORKER_POLL_SECONDS": "0.2", **settings}
        return Installation(tmp_path_factory.mktemp(name), authority, apns, database_url, redis_url, settings)

    return make


@pytest.fixture(scope="package")
def installation(make_installation: Callable[..., Installation]) -> Iterator[Installation]:
    with installed(make_installation("shared")) as one:
        yield one


@pytest.fixture(scope="package")
def patient_installation(make_installation: Callable[..., Installation]) -> Iterator[Installation]:
    """One that minds the phone's patience as real ones do, and is stopped and restored."""
    paced = {"PERKPASS_PUSH_BUDGET_RECEIPT": "2.0", "PERKPASS_PUSH_COALESCE_SECONDS": "1"}
    with installed(make_installation("patient", **paced)) as one:
        yield one


@pytest.fixture(scope="package")
def phone_settings(authority: Authority, apns: RunningApns) -> PhoneSettings:
    """iPhones that never throttle, since the stories are told fast."""
    return PhoneSettings(
        root=authority.root,
        push_service=apns.control_url,
        allow_http=True,
        limit_rate=False,
        back_off=(0.2, 0.4, 0.8, 1.6, 3.2, 5.0),
    )


class Phones:
    """Phones of one story; all of them are switched off at its end."""

    def __init__(self, settings: PhoneSettings) -> None:
        self._settings = settings
        self._phones: list[Phone] = []

    async def new(self, name: str = "phone") -> Phone:
        phone = Phone(name, self._settings)
        self._phones.append(phone)
        await phone.start()
        return phone

    async def off(self) -> None:
        for phone in self._phones:
            await phone.stop()


@pytest.fixture
def tell(phone_settings: PhoneSettings) -> Callable[[Callable[[Phones], Awaitable[None]]], None]:
    """Run one story with phones."""

    def run(story: Callable[[Phones], Awaitable[None]]) -> None:
        async def whole() -> None:
            phones = Phones(phone_settings)
            try:
                await story(phones)
            finally:
                await phones.off()

        asyncio.run(whole())

    return run
