"""What fails comes back: Apple, a push token, our own processes, Redis. Nothing is lost or deleted."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import Callable
from dataclasses import dataclass

import httpx
import pytest
import redis

from app.simulators.apns import RunningApns
from app.simulators.guest_browser import Guest
from app.simulators.phone import Card, Phone, PhoneSettings
from tests.conftest import SERVERS
from tests.flows.conftest import Phones
from tests.flows.installation import Installation, until
from tests.flows.test_pacing import accepted, answers, deliveries
from tests.flows.test_stories import Tell, eventually, ring_up, shown

ZERNO = {"venue": "rubinshteina", "till": "bar"}


@dataclass(frozen=True)
class Refusal:
    """A receipt was rung up while Apple refused the certificate of one brand's pushes."""

    token: str
    warnings: list[str]  # of /readyz then
    waiting: int  # promises then
    seen_meanwhile: str  # on the phone's card


@pytest.fixture(scope="package")
def refusal(installation: Installation, apns: RunningApns, phone_settings: PhoneSettings) -> Refusal:
    """Begun once: the service looks again only after a minute, and other stories are told meanwhile."""

    async def story() -> Refusal:
        phones = Phones(phone_settings)
        try:
            phone = await phones.new()
            card = await phone.install_from_page(
                installation.link("rubinshteina", "till bar", "zerno"), Guest()
            )
            await phone.settle()
            apns.turn(refuse_certificate=True)
            await ring_up(installation, card, 1_000_00, **ZERNO)
            await eventually(lambda: warnings(installation), "a warning", seconds=30)
            await eventually(lambda: not deliveries(installation, "sending"), "the answer to be settled")
            return Refusal(
                phone.push_tokens[card.key[0]],
                warnings(installation),
                deliveries(installation, "waiting"),
                shown(phone, card, "Points"),
            )
        finally:
            apns.turn(refuse_certificate=False)
            await phones.off()

    return asyncio.run(story())


def test_a_refused_certificate_stops_pushes_of_its_brand_alone_and_deletes_nothing(
    refusal: Refusal, installation: Installation, apns: RunningApns, tell: Tell
) -> None:
    assert refusal.warnings == ["apple:pass.com.example.zerno: pushes are stopped, see the log"]
    assert refusal.waiting >= 1
    assert refusal.seen_meanwhile == "50"

    async def story(phones: Phones) -> None:
        phone, card = await with_card(phones, installation)
        await ring_up(installation, card, 1_000_00)
        await eventually(lambda: shown(phone, card, "Points") == "130", "the neighbour's balance")

    tell(story)
    assert "breaker_opened" in installation.log()


@pytest.mark.parametrize(
    "fault",
    [
        {"next_answers": [{"status": 503, "reason": "ServiceUnavailable", "count": None}]},
        {"drop_after": 0},
        {"goaway_after": 0, "goaway_unprocessed": 1},
        {"reset_rate": 1.0},
        {"silent": True},
    ],
    ids=["503", "connections break", "goaway", "streams reset", "silence"],
)
def test_while_apple_is_away_pushes_wait_and_then_arrive(
    installation: Installation, apns: RunningApns, tell: Tell, fault: dict[str, object]
) -> None:
    async def story(phones: Phones) -> None:
        phone, card = await with_card(phones, installation)
        try:
            apns.turn(**fault)
            await ring_up(installation, card, 1_000_00)
            await asyncio.sleep(1.0)
            assert shown(phone, card, "Points") == "100"
        finally:
            apns.ask(lambda simulator: simulator.heal())
        await eventually(lambda: shown(phone, card, "Points") == "130", "the balance", seconds=45)
        await ring_up(installation, card, 1_000_00)
        await eventually(lambda: shown(phone, card, "Points") == "160", "the next one", seconds=30)
        assert phone.log_lines == []

    tell(story)


def test_a_phone_whose_push_token_died_is_left_alone_until_it_registers_again(
    installation: Installation, apns: RunningApns, tell: Tell
) -> None:
    async def story(phones: Phones) -> None:
        phone, card = await with_card(phones, installation)
        topic = card.key[0]
        token, others = phone.push_tokens[topic], unsettled(installation)
        async with httpx.AsyncClient(base_url=apns.control_url) as control:
            await control.put(f"/tokens/{token}", json={"gone": "Unregistered"})
            await ring_up(installation, card, 1_000_00)

            await eventually(lambda: answers(apns, token) == [410], "Apple's last word")
            await eventually(lambda: not deliveries(installation, "sending"), "the answer to be settled")
            await ring_up(installation, card, 1_000_00)
            await eventually(lambda: unsettled(installation) <= others, "no promise to a dead token")
            assert answers(apns, token) == [410]
            assert shown(phone, card, "Points") == "100"

            await control.put(f"/tokens/{token}", json={"topic": topic})
        phone.switch_updates(card, on=False)
        await phone.settle()
        phone.switch_updates(card, on=True)
        await eventually(lambda: shown(phone, card, "Points") == "160", "what a registration asks for")
        await ring_up(installation, card, 1_000_00)
        await eventually(lambda: shown(phone, card, "Points") == "190", "pushes again")
        assert accepted(apns, token) == 1

    tell(story)


def test_a_web_process_that_is_killed_comes_back_by_itself(installation: Installation, tell: Tell) -> None:
    async def story(phones: Phones) -> None:
        phone, card = await with_card(phones, installation)
        before = installation.web_pid()
        os.kill(before, signal.SIGKILL)
        await eventually(lambda: installation.web_pid() not in (0, before), "another web process")
        await asyncio.to_thread(installation.wait_ready)
        await ring_up(installation, card, 1_000_00)
        await eventually(lambda: shown(phone, card, "Points") == "130", "the balance")
        assert phone.log_lines == []

    tell(story)


def test_a_schema_that_is_behind_is_said_with_the_command_that_mends_it(
    make_installation: Callable[..., Installation],
) -> None:
    empty = make_installation("empty")
    if empty.embedded:  # one machine looks after itself
        assert empty.perkpass("brand", "list", "--json").stdout.strip() == "[]"
        return
    refused = empty.perkpass("web", check=False)
    assert refused.returncode != 0
    assert "perkpass migrate" in refused.stderr
    assert "Traceback" not in refused.stderr
    empty.perkpass("migrate")
    assert empty.perkpass("brand", "list", "--json").stdout.strip() == "[]"


if SERVERS == "postgresql":

    def test_redis_costs_nothing_but_time_when_it_forgets_or_hangs(
        installation: Installation, redis_server: str, tell: Tell
    ) -> None:
        async def story(phones: Phones) -> None:
            phone, card = await with_card(phones, installation)
            with redis.Redis.from_url(redis_server) as server:
                server.flushall()
                pid = int(server.info("server")["process_id"])
            await ring_up(installation, card, 1_000_00)
            await eventually(lambda: shown(phone, card, "Points") == "130", "the balance without a memory")
            os.kill(pid, signal.SIGSTOP)
            try:
                await ring_up(installation, card, 1_000_00)
                await eventually(lambda: shown(phone, card, "Points") == "160", "the balance without a bell")
                newcomer = await phones.new()
                theirs = await newcomer.install_from_page(installation.link(), Guest())
                assert shown(newcomer, theirs, "Points") == "100"
            finally:
                os.kill(pid, signal.SIGCONT)
            await ring_up(installation, card, 1_000_00)
            await eventually(lambda: shown(phone, card, "Points") == "190", "the balance with Redis again")
            assert phone.log_lines == []

        tell(story)


def test_a_certificate_that_is_good_again_is_noticed_within_a_minute(
    refusal: Refusal, installation: Installation, apns: RunningApns
) -> None:
    until(lambda: not warnings(installation), seconds=150, what="the breaker to close")
    until(lambda: accepted(apns, refusal.token) == 1, seconds=90, what="the push that waited")
    assert "breaker_closed" in installation.log()


async def with_card(phones: Phones, installation: Installation) -> tuple[Phone, Card]:
    """A phone with a registered card of the first brand."""
    phone = await phones.new()
    card = await phone.install_from_page(installation.link(), Guest())
    await phone.settle()
    assert card.registered
    return phone, card


def unsettled(installation: Installation) -> int:
    """Promises that somebody still tries to keep."""
    return sum(deliveries(installation, state) for state in ("due", "waiting", "sending"))


def warnings(installation: Installation) -> list[str]:
    """What /readyz warns of."""
    answer = httpx.get(f"{installation.url}/readyz", timeout=30)
    assert answer.status_code == 200, answer.text
    found: list[str] = answer.json()["warnings"]
    return found
