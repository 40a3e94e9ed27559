"""Google objects updated per second by our client, as a ratio to a bare HTTP client doing the same requests.

    python -m bench.google_objects [OBJECTS] [ROUNDS]

Every contestant sets the balance of the same objects, eight requests at a time, in turns within one run. The
simulator runs in a process of its own, without its limit of requests a second.
"""

from __future__ import annotations

import asyncio
import json
import statistics
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

import httpx2

from app.google import batches, calls
from app.google.answers import Verdict
from app.google.calls import Call
from app.google.client import GoogleWallet
from app.google.tokens import Tokens
from bench import arguments, google_service, report, usage
from bench.google_service import ISSUER, GoogleService

AT_ONCE = 8
FLOOR = 0.7
"""Of the bare client's rate by processor time: what a token, a verdict and one casing may cost."""

Contestant = Callable[[GoogleService, Sequence[Call]], Awaitable[int]]


@dataclass(frozen=True, slots=True)
class Lap:
    """One contestant's turn."""

    seconds: float
    cpu: float


async def own_one_by_one(service: GoogleService, work: Sequence[Call]) -> int:
    """``send`` from eight tasks."""
    wallet = _wallet(service)
    turns = asyncio.Semaphore(AT_ONCE)

    async def one(call: Call) -> bool:
        async with turns:
            return (await wallet.send(call)).verdict == Verdict.ACCEPTED

    try:
        return sum(await asyncio.gather(*(one(call) for call in work)))
    finally:
        await wallet.close()


async def own_batches(service: GoogleService, work: Sequence[Call]) -> int:
    """``batch`` of a hundred, one after the other."""
    wallet = _wallet(service)
    accepted = 0
    try:
        for start in range(0, len(work), batches.MOST):
            answers = await wallet.batch(work[start : start + batches.MOST])
            accepted += sum(answer.verdict == Verdict.ACCEPTED for answer in answers)
        return accepted
    finally:
        await wallet.close()


async def bare_one_by_one(service: GoogleService, work: Sequence[Call]) -> int:
    """The same PATCHes with httpx2 alone, each answer parsed."""
    token = await asyncio.wrap_future(_tokens(service).obtain())
    headers = {"authorization": f"Bearer {token}"}
    turns = asyncio.Semaphore(AT_ONCE)
    limits = httpx2.Limits(max_connections=AT_ONCE, max_keepalive_connections=AT_ONCE)
    async with httpx2.AsyncClient(base_url=service.url, limits=limits, trust_env=False) as client:

        async def one(call: Call) -> bool:
            async with turns:
                response = await client.request(call.method, call.path, json=call.body, headers=headers)
                return response.status_code == 200 and "id" in json.loads(response.content)

        return sum(await asyncio.gather(*(one(call) for call in work)))


CONTESTANTS: dict[str, Contestant] = {
    "bare httpx2, one by one": bare_one_by_one,
    "our client, one by one": own_one_by_one,
    "our client, batches of 100": own_batches,
}


def main() -> None:
    """Measure, and hold the ratio against its bar."""
    told = arguments.parser("google_objects")
    told.add_argument("objects", nargs="?", type=arguments.number(), default=2_000, help="updated in a turn")
    told.add_argument("rounds", nargs="?", type=arguments.number(), default=5, help="of every contestant")
    given = told.parse_args()
    own, others = usage.cores()
    laps: dict[str, list[Lap]] = {name: [] for name in CONTESTANTS}
    with google_service.running(others) as service, usage.on(own):
        asyncio.run(_prepare(service, given.objects))
        for number in range(given.rounds):
            for name, contestant in CONTESTANTS.items():
                laps[name].append(_lap(contestant, service, given.objects, number))
    report.deliver(_report(laps, given.objects, given.rounds))


def _lap(contestant: Contestant, service: GoogleService, objects: int, number: int) -> Lap:
    work = [
        calls.patch_object(_card(card), {"loyaltyPoints": {"balance": {"int": 10 * card + number}}})
        for card in range(objects)
    ]
    began, cpu = time.perf_counter(), time.process_time()

    async def run() -> int:
        return await contestant(service, work)

    accepted = asyncio.run(run())
    lap = Lap(time.perf_counter() - began, time.process_time() - cpu)
    if accepted != objects:
        raise RuntimeError(f"{accepted} of {objects} updates were accepted")
    return lap


async def _prepare(service: GoogleService, objects: int) -> None:
    wallet = _wallet(service)
    class_id = f"{ISSUER}.bench"
    image = {"sourceUri": {"uri": "https://cards.example.com/google/images/logo.png"}}
    body = {
        "id": class_id,
        "issuerName": "Bench",
        "programName": "Bench",
        "programLogo": image,
        "reviewStatus": "UNDER_REVIEW",
    }
    assert (await wallet.send(calls.insert_class(body))).verdict == Verdict.ACCEPTED
    for start in range(0, objects, batches.MOST):
        answers = await wallet.batch(
            [
                calls.insert_object({"id": _card(card), "classId": class_id, "state": "ACTIVE"})
                for card in range(start, min(objects, start + batches.MOST))
            ]
        )
        assert {answer.verdict for answer in answers} == {Verdict.ACCEPTED}
    await wallet.close()


def _card(number: int) -> str:
    return f"{ISSUER}.member-{number:06}"


def _tokens(service: GoogleService) -> Tokens:
    return Tokens(service.account, url=service.token_url)


def _wallet(service: GoogleService) -> GoogleWallet:
    return GoogleWallet(_tokens(service), url=service.url, at_once=AT_ONCE)


def _report(laps: dict[str, list[Lap]], objects: int, rounds: int) -> report.Report:
    def rate(name: str) -> float:
        return objects / statistics.median(lap.seconds for lap in laps[name])

    def cpu(name: str) -> float:
        return statistics.median(lap.cpu for lap in laps[name]) / objects * 1e6

    bare, one_by_one, in_batches = CONTESTANTS
    table = report.Table(
        f"{objects:,} objects in each of {rounds} rounds; medians",
        ("client", "objects a second", "processor time an object, µs", "of the bare client's rate, by it"),
        tuple(
            (name, f"{rate(name):,.0f}", f"{cpu(name):,.0f}", f"{cpu(bare) / cpu(name):.2f}")
            for name in CONTESTANTS
        ),
    )
    return report.Report(
        "Updates of Google objects",
        "Our client sets the balances of Google objects in the simulator, beside a bare HTTP client that"
        " makes the same requests with the same token and parses the answers. Processor time of this process"
        " is compared: the simulator, which checks every body, is slower than either. Google itself allows"
        " 20 calls a second.",
        (table,),
        (
            report.Figure(
                "google_objects.one_by_one",
                "our client's rate by processor time, one by one, of a bare client's",
                cpu(bare) / cpu(one_by_one),
                "",
                at_least=FLOOR,
            ),
            report.Figure(
                "google_objects.batches",
                "our client's rate by processor time, in batches, of a bare client's one by one",
                cpu(bare) / cpu(in_batches),
                "",
                at_least=1.0,
            ),
        ),
    )


if __name__ == "__main__":
    main()
