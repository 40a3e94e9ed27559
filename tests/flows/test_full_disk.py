"""A database that takes nothing in: everybody is told, phones are served, and it ends without a restart."""

from __future__ import annotations

import asyncio
import json
import os
import re
import time
import uuid
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import httpx
import pytest

from app.simulators.apns import RunningApns
from app.simulators.guest_browser import IPHONE, Guest
from app.simulators.phone import Card
from tests.conftest import SERVERS
from tests.flows.conftest import Phones
from tests.flows.installation import Installation
from tests.flows.installation import running as installed
from tests.flows.load import code_of
from tests.flows.outages import (
    Way,
    disk_full,
    files_limited,
    immutable,
    may_lock_files,
    may_mount,
    mounted,
    read_only,
)
from tests.flows.test_pacing import deliveries
from tests.flows.test_stories import Tell, eventually, ring_up, shown

with TemporaryDirectory() as _place:
    LOCKS = os.getuid() == 0 and may_lock_files(Path(_place))
    MOUNTS = os.getuid() == 0 and may_mount(Path(_place))

# What the service says of it.
if SERVERS == "postgresql":
    WAYS = {"read-only": "is the server a standby"}
else:
    WAYS = {"files limited": "a limit on the size of files", "disk full": "free some space"}
WORDS = {"ru": "Не удалось сохранить", "en": "We could not save that"}


@pytest.fixture(scope="module")
def fragile(make_installation: Callable[..., Installation]) -> Iterator[Installation]:
    """An installation on a small disk of its own, where one can be mounted."""
    with ExitStack() as stack:
        made = make_installation("fragile")
        if MOUNTS:
            stack.enter_context(mounted(made.directory / "data"))
        yield stack.enter_context(installed(made))


@pytest.fixture
def way(request: pytest.FixtureRequest) -> Way:
    if request.param == "disk full" and not MOUNTS:
        pytest.skip("no disk can be mounted here: that takes root, outside of most containers")
    ways: dict[str, Callable[[], Way]] = {
        "files limited": lambda: files_limited,
        "disk full": lambda: disk_full,
        "read-only": lambda: read_only(request.getfixturevalue("postgresql_server")),
    }
    return ways[request.param]()


@pytest.mark.parametrize(("way", "advice"), list(WAYS.items()), indirect=["way"], ids=list(WAYS))
def test_a_database_that_takes_nothing_in_is_told_survived_and_recovered_from(
    fragile: Installation, apns: RunningApns, tell: Tell, way: Way, advice: str
) -> None:
    async def story(phones: Phones) -> None:
        phone = await phones.new()
        card = await phone.install_from_page(fragile.link(), Guest())
        await phone.settle()
        for _ in range(5):
            await ring_up(fragile, card, 1_000_00)
        await eventually(lambda: shown(phone, card, "Points") == "250", "five receipts")
        await eventually(
            lambda: not any(deliveries(fragile, state) for state in ("due", "waiting", "sending")),
            "their pushes to be settled",
        )
        with ExitStack() as stack:
            browser = httpx.AsyncClient(timeout=30, headers={"User-Agent": IPHONE})
            link = await asyncio.to_thread(fragile.link)
            forms = {}
            for language in WORDS:
                page = await browser.get(link, params={"lang": language}, follow_redirects=True)
                forms[language] = _filled(page.text) | {"lang": language}
            await asyncio.to_thread(_register, fragile, card)
            before, logged = _processes(fragile), len(fragile.log())
            receipt = _receipt(card)
            apns.turn(answer_delay_ms=2_000.0)
            stack.callback(apns.turn, answer_delay_ms=0.0)
            await ring_up(fragile, card, 1_000_00)  # Apple's answer comes when it cannot be written down
            await eventually(
                lambda: (
                    deliveries(fragile, "sending")
                    and not any(deliveries(fragile, state) for state in ("due", "waiting"))
                ),
                "the pushes of both phones to be on their way",
            )
            with way(fragile):
                await asyncio.to_thread(_refused_by_the_till, fragile, receipt)
                spent = _cpu(fragile)
                began = time.monotonic()
                for language, words in WORDS.items():
                    answer = await browser.post(link, data=forms[language])
                    assert (answer.status_code, words in answer.text) == (503, True), answer.text
                    assert "Снежана" in answer.text  # nothing is to be typed again
                    assert answer.headers["Retry-After"] == "60"
                    scan = await browser.get(link, params={"lang": language})
                    assert (scan.status_code, words in scan.text) == (503, True), scan.text
                for _ in range(3):
                    await asyncio.to_thread(_phones_are_served, fragile, card)
                await eventually(
                    lambda: shown(phone, card, "Points") == "280", "the sixth receipt", seconds=40
                )
                (warning,) = await asyncio.to_thread(_warnings, fragile)
                assert advice in warning
                await asyncio.sleep(max(0.0, 4 - (time.monotonic() - began)))
                assert _cpu(fragile) - spent < 2.0, "busy while nothing can be done"
            await eventually(lambda: not _warnings(fragile), "the service to notice", seconds=30)
            told = fragile.log()[logged:]
            again = await asyncio.to_thread(_call, fragile, receipt)
            assert again.status_code == 201, again.text
            assert "Idempotent-Replayed" not in again.headers
            enrolled = await browser.post(link, data=forms["ru"], follow_redirects=True)
            assert enrolled.status_code == 200, enrolled.text
            assert "Снежана" in enrolled.text
        await browser.aclose()
        await eventually(lambda: not deliveries(fragile, "sending"), "Apple's answers to be settled")
        await eventually(lambda: shown(phone, card, "Points") == "310", "the receipt, once")
        assert again.json()["card"]["balance"] == 310_00
        assert _processes(fragile) == before
        assert "Traceback" not in told
        events = Counter(json.loads(line)["event"] for line in told.splitlines() if line.startswith("{"))
        assert 1 <= events["database_outage"] <= 4, told
        assert sum(events.values()) <= 12, told

    tell(story)


if SERVERS == "sqlite":

    def test_a_file_that_can_only_be_read_is_told_and_written_again_without_a_restart(
        fragile: Installation, tell: Tell
    ) -> None:
        if not LOCKS:
            pytest.skip("no file can be locked here: that takes root and a file system that knows chattr +i")

        async def story(phones: Phones) -> None:
            phone = await phones.new()
            card = await phone.install_from_page(fragile.link(), Guest())
            await phone.settle()
            await asyncio.to_thread(_register, fragile, card)
            receipt = _receipt(card)
            with await asyncio.to_thread(_entered, immutable(fragile)):
                before = _processes(fragile)
                await asyncio.to_thread(_refused_by_the_till, fragile, receipt)
                await asyncio.to_thread(_phones_are_served, fragile, card)
                (warning,) = await asyncio.to_thread(_warnings, fragile)
                assert "mounted read-only" in warning
            await eventually(lambda: not _warnings(fragile), "the service to notice", seconds=30)
            assert (await asyncio.to_thread(_call, fragile, receipt)).status_code == 201
            await eventually(lambda: shown(phone, card, "Points") == "130", "the receipt")
            assert _processes(fragile) == before

        tell(story)


def _entered(way: AbstractContextManager[None]) -> ExitStack:
    """Entered here, to be left by the caller."""
    stack = ExitStack()
    stack.enter_context(way)
    return stack


def _filled(page: str) -> dict[str, str]:
    hidden = dict(re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)"', page))
    return {**hidden, "data": "yes", "name": "Снежана"}


def _receipt(card: Card) -> dict[str, Any]:
    return {
        "card": code_of(card),
        "number": uuid.uuid4().hex[:12],
        "amount": 1_000_00,
        "currency": "RUB",
        "at": datetime.now(UTC).isoformat(),
    }


def _call(service: Installation, receipt: dict[str, Any]) -> httpx.Response:
    return service.call("receipts", receipt, key=f"key-{receipt['number']}")


def _refused_by_the_till(service: Installation, receipt: dict[str, Any]) -> None:
    answer = _call(service, receipt)
    assert answer.status_code == 503, answer.text
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert int(answer.headers["Retry-After"]) >= 1
    assert answer.json()["type"] == "/api/docs#problem-unavailable"
    assert "Nothing was changed" in answer.json()["detail"]


def _address(service: Installation, card: Card) -> tuple[str, dict[str, str]]:
    document = card.wallet_pass.document
    where = f"{document['passTypeIdentifier']}/{document['serialNumber']}"
    return where, {"Authorization": f"ApplePass {document['authenticationToken']}"}


def _register(service: Installation, card: Card) -> None:
    """A device of our own beside the phone, to ask with."""
    where, headers = _address(service, card)
    url = f"{service.url}/passkit/v1/devices/fragile/registrations/{where}"
    answer = httpx.post(url, json={"pushToken": "ab" * 32}, headers=headers, timeout=30)
    assert answer.status_code in (200, 201)


def _phones_are_served(service: Installation, card: Card) -> None:
    where, headers = _address(service, card)
    pass_type = where.partition("/")[0]
    listed = httpx.get(f"{service.url}/passkit/v1/devices/fragile/registrations/{pass_type}", timeout=30)
    assert listed.status_code == 200, listed.text
    tag = listed.json()["lastUpdated"]
    nothing_new = httpx.get(str(listed.url), params={"passesUpdatedSince": tag}, timeout=30)
    assert nothing_new.status_code == 204
    fetched = httpx.get(f"{service.url}/passkit/v1/passes/{where}", headers=headers, timeout=30)
    assert (fetched.status_code, fetched.content[:2]) == (200, b"PK")
    headers["If-Modified-Since"] = fetched.headers["Last-Modified"]
    same = httpx.get(f"{service.url}/passkit/v1/passes/{where}", headers=headers, timeout=30)
    assert same.status_code == 304


def _warnings(service: Installation) -> list[str]:
    answer = httpx.get(f"{service.url}/readyz", timeout=30)
    assert answer.status_code == 200, answer.text
    found: list[str] = answer.json()["warnings"]
    return found


def _processes(service: Installation) -> tuple[int, int]:
    return service.web_pid(), service.worker_pid()


def _cpu(service: Installation) -> float:
    """Seconds of a core that web and worker have used."""
    total = 0
    for pid in _processes(service):
        fields = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()
        total += int(fields[11]) + int(fields[12])
    return total / os.sysconf("SC_CLK_TCK")
