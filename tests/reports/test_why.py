"""Why a phone does not show the newest card: every cause brought about in the real service, with phones."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import get_args

import pytest

from app.loyalty import enrolment, members
from app.reports.verdict_words import VERDICTS
from app.reports.verdicts import Cause
from app.simulators.phone import Card, Phone
from tests.conftest import empty_database
from tests.reports.service import Broken, Service, running_service

NewPhone = Callable[[], Awaitable[Phone]]
LATER = timedelta(minutes=10)
pytestmark = [pytest.mark.xdist_group("why"), pytest.mark.timeout(240)]


@pytest.fixture(scope="module")
def shared_service(
    request: pytest.FixtureRequest,
    tmp_path_factory: pytest.TempPathFactory,
    _template: str,
    servers_of_this_run: str,
) -> Iterator[Service]:
    directory = tmp_path_factory.mktemp("why")
    redis = "" if servers_of_this_run == "sqlite" else str(request.getfixturevalue("redis_server"))
    with (
        empty_database(request, directory, _template) as url,
        running_service(directory, url, redis) as running,
    ):
        yield running


@pytest.fixture
def service(shared_service: Service) -> Iterator[Service]:
    yield shared_service
    shared_service.downloads[0] = ""
    shared_service.apns.ask(lambda simulator: simulator.heal())


def test_a_card_that_was_made_and_never_added(service: Service) -> None:
    code = service.web.card("pechka").code
    assert service.told(code).cards[0].verdict.cause == "never_added"
    assert service.told(code, https=False).cards[0].verdict.cause == "not_https"


def test_a_change_travels_and_is_told_on_its_way(service: Service) -> None:
    async def story(new_phone: NewPhone) -> None:
        phone = await new_phone()
        card = await service.installed(phone)
        assert service.why(card).cause in ("fetched", "not_asked_yet", "installed")

        await asyncio.to_thread(service.ring_up, card)
        assert service.why(card).cause == "about_to_leave"
        with service.worker():
            await service.until(card, "fetched")
            await asyncio.to_thread(service.ring_up, card)
            await service.until(card, "waits_its_turn", seconds=3)
            await service.until(card, "fetched")
            phone.pull_to_refresh(phone.cards[card.key])
            await service.until(card, "installed")
            assert service.why(card).tone == "good"
        told = {event.kind for event in service.told(service.code(card)).events}
        assert {
            "enrolled",
            "visit_scan",
            "visit_added",
            "consent_given_data",
            "receipt",
            "points_accrual",
            "changed",
            "push_accepted",
            "registered",
            "contacted",
            "listed",
            "fetched",
            "installed",
        } <= told

    service.story(story)


def test_nobody_sends_or_too_few_do(service: Service) -> None:
    async def story(new_phone: NewPhone) -> None:
        card = await service.installed(await new_phone())
        with service.worker():
            await asyncio.sleep(0.5)
        await asyncio.to_thread(service.ring_up, card)
        assert service.why(card, after=timedelta(seconds=90)).cause == "queue_behind"
        assert service.why(card, after=LATER).cause == "worker_down"
        with service.worker():
            await service.until(card, "fetched")

    service.story(story)


def test_a_phone_that_is_woken_often_must_wait(service: Service) -> None:
    async def story(new_phone: NewPhone) -> None:
        card = await service.installed(await new_phone())
        with service.worker():
            for _ in range(2):
                await asyncio.to_thread(service.ring_up, card)
                await service.until(card, "fetched")
            await asyncio.to_thread(service.ring_up, card)
            found = await service.until(card, "held")
        until = found.facts["at"]
        assert isinstance(until, datetime)
        assert until > datetime.now(UTC) + timedelta(minutes=1)  # which only the budget asks for
        assert "push_held" in {event.kind for event in service.told(service.code(card)).events}

    service.story(story)


def test_a_phone_that_is_off_does_not_ask(service: Service) -> None:
    async def story(new_phone: NewPhone) -> None:
        phone = await new_phone()
        card = await service.installed(phone)
        await phone.switch_network(on=False)
        await asyncio.to_thread(service.ring_up, card)
        with service.worker():
            await service.until(card, "told")
        assert service.why(card, after=LATER).cause == "not_contacted"
        await phone.switch_network(on=True)
        await service.until(card, "fetched")

    service.story(story)


@pytest.mark.parametrize(
    ("broken", "at_once", "later"),
    [
        ("refused", "download_failed", "download_failed"),
        ("dropped", "downloading", "listed_not_fetched"),
        ("spoilt", "complains", "complains"),
    ],
)
def test_a_download_that_fails(service: Service, broken: Broken, at_once: str, later: str) -> None:
    async def story(new_phone: NewPhone) -> None:
        phone = await new_phone()
        card = await service.installed(phone)
        service.downloads[0] = broken
        await asyncio.to_thread(service.ring_up, card)
        with service.worker():
            found = await service.until(card, at_once)
        assert service.why(card, after=LATER).cause == later
        if broken != "dropped":
            assert card.key[1] in str(found.facts["line"])
            kinds = {event.kind for event in service.told(service.code(card)).events}
            assert kinds & {"line_not_downloaded", "line_invalid"}

    service.story(story)


@pytest.mark.parametrize(
    ("answer", "cause", "reason"),
    [
        ({"status": 400, "reason": "BadDeviceToken"}, "refused", "BadDeviceToken"),
        ({"status": 410, "reason": "Unregistered"}, "unreachable", "Unregistered"),
        ({"status": 503, "reason": "ServiceUnavailable"}, "retrying", "ServiceUnavailable"),
    ],
)
def test_what_apple_answers(service: Service, answer: dict[str, object], cause: str, reason: str) -> None:
    async def story(new_phone: NewPhone) -> None:
        phone = await new_phone()
        card = await service.installed(phone)
        service.apns.turn(token_answers={phone.push_tokens[card.key[0]]: answer})
        await asyncio.to_thread(service.ring_up, card)
        with service.worker():
            found = await service.until(card, cause)
            assert found.facts["reason"] == reason
            if cause == "retrying":
                service.hurry(attempts=50)
                gave_up = await service.until(card, "gave_up")
                assert gave_up.facts["reason"] == reason

    service.story(story)


def test_a_push_that_apple_does_not_answer(service: Service) -> None:
    async def story(new_phone: NewPhone) -> None:
        card = await service.installed(await new_phone())
        service.apns.turn(answer_delay_ms=2500)
        await asyncio.to_thread(service.ring_up, card)
        with service.worker():
            await service.until(card, "on_its_way")

    service.story(story)


def test_apple_does_not_let_us_in(service: Service) -> None:
    async def story(new_phone: NewPhone) -> None:
        card = await service.installed(await new_phone(), "zerno")
        service.apns.turn(refuse_certificate=True)
        await asyncio.to_thread(service.ring_up, card, "zerno")
        with service.worker():
            found = await service.until(card, "breaker")
        assert found.facts["reason"] == "BadCertificate"
        assert service.why(card, certificate_fault="is not the key").cause == "certificate"
        expired = service.why(card, certificate_fault="expired on 2026-01-01", certificate_expired=True)
        assert expired.cause == "certificate_expired"

    service.story(story)


def test_cards_that_are_taken_off_phones(service: Service) -> None:
    async def story(new_phone: NewPhone) -> None:
        phone = await new_phone()
        card = await service.installed(phone)
        await asyncio.to_thread(service.ring_up, card)
        _ask(service, "DELETE", card, "a device", {})  # of nobody: changes nothing
        phone.switch_updates(phone.cards[card.key], on=False)
        await service.settled(phone)
        assert service.why(card).cause == "removed"
        with service.worker():
            await asyncio.sleep(1)
        service_of = card.service
        assert service_of is not None
        _ask(service, "POST", card, service_of.device_library_identifier, {"pushToken": "a" * 64})
        assert service.why(card).cause == "gone"

    service.story(story)


def test_a_phone_that_never_asked_and_an_app_that_cannot_be_woken(service: Service) -> None:
    card = service.web.card("pechka")
    body = json.dumps({"pushToken": "b" * 64}).encode()
    assert service.web.ask("POST", card.registration("quiet"), body, card.bearer).status == 201
    assert service.told(card.code).cards[0].verdict.cause == "not_asked_yet"

    other = service.web.card("pechka")
    android = {"Authorization": f"AndroidPass {other.token}"}
    assert service.web.ask("POST", other.registration("app"), body, android).status == 201
    assert service.told(other.code).cards[0].verdict.cause == "asks_itself"


def test_one_of_two_phones_is_behind(service: Service) -> None:
    async def story(new_phone: NewPhone) -> None:
        phone, other = await new_phone(), await new_phone()
        card = await service.installed(phone)
        bearer = {"Authorization": f"ApplePass {card.authentication_token}"}
        bundle = service.web.ask("GET", "/passkit/v1/passes/{}/{}".format(*card.key), headers=bearer)
        other.install(bundle.body)
        await service.settled(other)
        await other.switch_network(on=False)
        await asyncio.sleep(1)
        await asyncio.to_thread(service.ring_up, card)
        with service.worker():
            found = await service.until(card, "one_phone_lags")
        assert (found.facts["lagging"], found.facts["phones"]) == (1, 2)

    service.story(story)


def test_a_card_that_has_ended(service: Service) -> None:
    code = service.web.card("pechka").code
    with service.database.write() as tx:
        known = enrolment.enrolment_of_card(tx, code)
        members.remove(tx, known.member_id, now=datetime.now(UTC))
    assert service.told(code).cards[0].verdict.cause == "ended"


def test_every_cause_has_words_of_its_own() -> None:
    facts = dict.fromkeys(("at", "line", "reason", "fault", "lagging", "phones", "again", "tries"), "…")
    said = {cause: str(sentence(**facts)) for cause, (sentence, _) in VERDICTS.items()}
    assert set(said) == set(get_args(Cause))
    assert len(set(said.values())) == len(said)


def _ask(service: Service, method: str, card: Card, device: str, body: dict[str, str]) -> int:
    pass_type, serial = card.key
    path = f"/passkit/v1/devices/{device}/registrations/{pass_type}/{serial}".replace(" ", "-")
    bearer = {"Authorization": f"ApplePass {card.authentication_token}"}
    return service.web.ask(method, path, json.dumps(body).encode(), bearer).status
