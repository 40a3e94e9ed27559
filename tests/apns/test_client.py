"""The client against the push simulator: a day's work, and the fault matrix."""

from __future__ import annotations

import asyncio
import gc
import tracemalloc
import uuid
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta

import pytest

from app.apns.client import ApnsClient
from app.apns.exchange import Exchange, Outcome
from app.apns.patience import Patience
from app.apns.requests import Push
from app.apns.responses import PushResponse, Verdict
from app.simulators.apns import RunningApns
from tests.apns.conftest import Certificates, push_token


def use(
    certificates: Certificates, url: str, scenario: Callable[[ApnsClient], Awaitable[None]], **changes: object
) -> None:
    async def inside() -> None:
        async with certificates.client(url, **({"patience": Patience()} | changes)) as client:
            await asyncio.wait_for(scenario(client), 60)

    asyncio.run(inside())


def pushes(count: int) -> list[Push]:
    return [Push(push_token(number), str(uuid.uuid4())) for number in range(1, count + 1)]


def accepted(outcomes: list[Outcome]) -> int:
    return sum(isinstance(outcome, PushResponse) and outcome.status == 200 for outcome in outcomes)


def test_apns_remembers_what_was_pushed_and_gives_the_identifier_back(
    certificates: Certificates, apns: RunningApns
) -> None:
    identifier = str(uuid.uuid4())

    async def scenario(client: ApnsClient) -> None:
        answer = await client.push(push_token(7), apns_id=identifier, priority=5, expiration=1_900_000_000)
        assert (answer.verdict, answer.apns_id) == (Verdict.ACCEPTED, identifier)
        assert (await client.push(push_token(8))).apns_id

    use(certificates, apns.url, scenario)
    first = apns.ask(lambda simulator: list(simulator.post.entries))[0]
    assert (first.token, first.identifier) == (push_token(7), identifier)
    assert (first.priority, first.expiration) == (5, 1_900_000_000)


def test_a_push_that_names_no_expiration_is_kept_for_the_clients(
    certificates: Certificates, apns: RunningApns
) -> None:
    async def scenario(client: ApnsClient) -> None:
        await client.push(push_token(1))

    use(certificates, apns.url, scenario, expiration=timedelta(days=3))
    (entry,) = apns.ask(lambda simulator: list(simulator.post.entries))
    assert entry.expiration is not None
    wanted = (datetime.now(UTC) + timedelta(days=3)).timestamp()
    assert abs(entry.expiration - wanted) < 60


def test_a_card_that_is_gone_comes_with_the_moment(certificates: Certificates, apns: RunningApns) -> None:
    since = datetime(2026, 11, 1, 12, 0, tzinfo=UTC)
    apns.ask(lambda simulator: simulator.post.forget(push_token(1), "Unregistered", since))

    async def scenario(client: ApnsClient) -> None:
        answer = await client.push(push_token(1))
        assert (answer.verdict, answer.reason) == (Verdict.GONE, "Unregistered")
        assert answer.timestamp == since

    use(certificates, apns.url, scenario)


def test_a_stranger_to_the_topic_and_a_garbage_token_are_named(
    certificates: Certificates, apns: RunningApns
) -> None:
    async def stranger(client: ApnsClient) -> None:
        answer = await client.push(push_token(1))
        assert (answer.reason, answer.verdict, answer.breaker) == (
            "TopicDisallowed", Verdict.REFUSED, True,
        )  # fmt: skip

    async def garbage(client: ApnsClient) -> None:
        first, second, third = await client.push_many([Push("../x?y"), Push(""), Push(push_token(1))])
        assert isinstance(first, PushResponse)
        assert (first.reason, first.breaker) == ("BadDeviceToken", True)
        assert isinstance(second, PushResponse)
        assert (second.status, second.verdict, second.breaker) == (0, Verdict.REFUSED, False)
        assert isinstance(third, PushResponse)
        assert third.verdict is Verdict.ACCEPTED

    use(certificates, apns.url, stranger, topic="pass.example.other")
    use(certificates, apns.url, garbage)


@pytest.mark.parametrize("style", ["empty", "not-json"])
def test_an_error_without_a_readable_body_is_answered_by_its_status(
    certificates: Certificates, apns: RunningApns, style: str
) -> None:
    apns.turn(
        error_bodies=style,
        next_answers=[
            {"status": status, "reason": "x", "count": 1, "retry_after": wait}
            for status, wait in ((429, 30), (500, None), (503, 5), (403, None), (410, None))
        ],
    )

    async def scenario(client: ApnsClient) -> None:
        answers = [await client.push(push_token(number)) for number in range(1, 6)]
        assert [answer.verdict for answer in answers] == ["retry", "retry", "retry", "refused", "gone"]
        assert [answer.retry_after for answer in answers[:3]] == [
            timedelta(seconds=30), None, timedelta(seconds=5),
        ]  # fmt: skip
        assert answers[3].breaker

    use(certificates, apns.url, scenario)


@pytest.mark.parametrize(
    "knobs",
    [
        {},
        {"goaway_after": 300},
        {"goaway_after": 300, "goaway_unprocessed": 5},
        {"reset_rate": 0.01},
        {"drop_after": 300},
        {"max_concurrent_streams": 50},
        {"max_concurrent_streams": 1},
        {"answer_delay_ms": 20.0},
    ],
    ids=str,
)
def test_every_push_of_the_fault_matrix_is_accepted(
    certificates: Certificates, apns: RunningApns, knobs: dict[str, object]
) -> None:
    apns.turn(**knobs)
    most_open = 0

    async def scenario(client: ApnsClient) -> None:
        nonlocal most_open
        every = pushes(1_500)
        for start in range(0, 1_500, 100):
            outcomes = await client.push_many(every[start : start + 100])
            assert accepted(outcomes) == 100, [o for o in outcomes if not isinstance(o, PushResponse)][:1]
            most_open = max(most_open, client.open_connections)

    use(certificates, apns.url, scenario, push_timeout=15.0)
    statistics = apns.ask(lambda simulator: simulator.statistics)
    assert statistics.protocol_errors == []
    assert most_open <= 2
    assert len({entry.token for entry in apns.ask(lambda s: list(s.post.entries))}) == 1_500


def test_a_thousand_callers_share_the_connections(certificates: Certificates, apns: RunningApns) -> None:
    async def scenario(client: ApnsClient) -> None:
        answers = await asyncio.gather(*(client.push(push_token(number)) for number in range(1, 1_501)))
        assert {answer.verdict for answer in answers} == {Verdict.ACCEPTED}
        assert client.in_flight == client.waiting == 0

    use(certificates, apns.url, scenario)
    assert apns.ask(lambda simulator: simulator.statistics.connections) <= 2


def test_the_fewest_streams_may_change_while_pushes_travel(
    certificates: Certificates, apns: RunningApns
) -> None:
    apns.turn(answer_delay_ms=5.0)

    async def scenario(client: ApnsClient) -> None:
        under_way = asyncio.ensure_future(client.push_many(pushes(1_000)))
        for streams in (3, 400, 1, 1000):
            await asyncio.sleep(0.05)
            await asyncio.to_thread(apns.turn, max_concurrent_streams=streams)
        assert accepted(await under_way) == 1_000

    use(certificates, apns.url, scenario, push_timeout=20.0)


@pytest.mark.parametrize(("count", "connections"), [(7, 1), (8, 2)])
def test_a_second_connection_is_opened_when_more_than_70_percent_are_taken(
    certificates: Certificates, apns: RunningApns, count: int, connections: int
) -> None:
    apns.turn(max_concurrent_streams=10)

    async def scenario(client: ApnsClient) -> None:
        await client.push(push_token(1))
        await asyncio.to_thread(apns.turn, answer_delay_ms=300.0)
        await client.push_many(pushes(count))
        assert client.open_connections == connections

    use(certificates, apns.url, scenario, connections=4)


def test_nothing_of_a_push_stays_in_memory(certificates: Certificates, apns: RunningApns) -> None:
    async def scenario(client: ApnsClient) -> None:
        await client.push_many(pushes(100))
        tracemalloc.start()
        sizes = []
        for _ in range(3):
            await client.push_many(pushes(100))
            gc.collect()
            mine = tracemalloc.take_snapshot().filter_traces([tracemalloc.Filter(True, "*/app/apns/*")])
            sizes.append(sum(trace.size for trace in mine.traces))
        tracemalloc.stop()
        assert not [thing for thing in gc.get_objects() if isinstance(thing, Exchange)]
        assert sizes[2] - sizes[0] < 4_000

    use(certificates, apns.url, scenario)


def test_a_client_is_not_carried_into_another_event_loop(
    certificates: Certificates, apns: RunningApns
) -> None:
    client = certificates.client(apns.url)

    async def first() -> None:
        assert (await client.push(push_token(1))).status == 200
        await client.close()

    asyncio.run(first())
    with pytest.raises(RuntimeError, match="one event loop"):
        asyncio.run(client.push(push_token(2)))
