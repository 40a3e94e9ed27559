"""Who sets balances of objects at the simulated Google: our client, and a bare one with the same requests."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable, Sequence

import httpx2

from app.google import batches, calls
from app.google.answers import Verdict
from app.google.calls import Call
from app.google.client import GoogleWallet
from app.google.tokens import Tokens
from bench.google_service import ISSUER, GoogleService

AT_ONCE = 8
Contestant = Callable[[GoogleService, Sequence[Call]], Awaitable[int]]


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
    headers = await _authorized(service)
    turns = asyncio.Semaphore(AT_ONCE)
    async with _bare(service) as client:

        async def one(call: Call) -> bool:
            async with turns:
                response = await client.request(call.method, call.path, json=call.body, headers=headers)
                return response.status_code == 200 and "id" in json.loads(response.content)

        return sum(await asyncio.gather(*(one(call) for call in work)))


async def bare_batches(service: GoogleService, work: Sequence[Call]) -> int:
    """The same batches, put together and taken apart by hand."""
    headers = await _authorized(service) | {"content-type": 'multipart/mixed; boundary="bench"'}
    accepted = 0
    async with _bare(service) as client:
        for start in range(0, len(work), batches.MOST):
            parts = [_part(number, call) for number, call in enumerate(work[start : start + batches.MOST])]
            body = "".join([*parts, "--bench--\r\n"]).encode()
            response = await client.post("/batch", content=body, headers=headers)
            boundary = response.headers["content-type"].partition("boundary=")[2].strip('"')
            for part in response.text.split(f"--{boundary}")[1:-1]:
                _, head, answer = part.split("\r\n\r\n", 2)
                accepted += head.startswith("HTTP/1.1 200") and "id" in json.loads(answer)
    return accepted


def _part(number: int, call: Call) -> str:
    return (
        f"--bench\r\nContent-Type: application/http\r\nContent-ID: <bench + {number}>\r\n\r\n"
        f"{call.method} {call.path} HTTP/1.1\r\nContent-Type: application/json\r\n\r\n"
        f"{json.dumps(call.body)}\r\n"
    )


CONTESTANTS: dict[str, Contestant] = {
    "bare httpx2, one by one": bare_one_by_one,
    "our client, one by one": own_one_by_one,
    "bare httpx2, batches of 100": bare_batches,
    "our client, batches of 100": own_batches,
}


def work(objects: int, number: int) -> list[Call]:
    """A balance for each, another in each round."""
    return [
        calls.patch_object(_card(card), {"loyaltyPoints": {"balance": {"int": 10 * card + number}}})
        for card in range(objects)
    ]


async def prepare(service: GoogleService, objects: int) -> None:
    """A class, and so many objects of it."""
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


async def _authorized(service: GoogleService) -> dict[str, str]:
    token = await asyncio.wrap_future(_tokens(service).obtain())
    return {"authorization": f"Bearer {token}"}


def _bare(service: GoogleService) -> httpx2.AsyncClient:
    limits = httpx2.Limits(max_connections=AT_ONCE, max_keepalive_connections=AT_ONCE)
    return httpx2.AsyncClient(base_url=service.url, limits=limits, trust_env=False, timeout=30)
