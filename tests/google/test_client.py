"""The client against the simulator, over real HTTP: flows, faults, and what each of them proves."""

from __future__ import annotations

import asyncio
import json
import re
import time
from collections.abc import Awaitable, Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar

import pytest

from app.google import calls, credentials, save_link
from app.google.answers import Answer, Verdict
from app.google.client import PATIENCE, GoogleWallet
from app.google.tokens import Tokens
from app.outward import Patience
from app.simulators.google import ISSUER, RunningGoogle, running
from app.simulators.google_faults import Faults
from tests.google.serving import serving
from tests.servers import free_port

_T = TypeVar("_T")
CLASS = f"{ISSUER}.kofe-silver"
GOLD = f"{ISSUER}.kofe-gold"
CARD = f"{ISSUER}.member-0001"
SHORT = Patience(turn=20.0, connect=20.0, exchange=0.5)


@pytest.fixture
def google() -> Iterator[RunningGoogle]:
    with running(faults=Faults(requests_per_second=None)) as simulator:
        yield simulator


def account_of(
    google: RunningGoogle, issuer: str = ISSUER, name: str = "perkpass"
) -> credentials.ServiceAccount:
    text = json.dumps(
        google.service_account() if issuer == ISSUER else google.service_account(issuer, name=name)
    )
    return credentials.parse(text, source="simulator")


def using(
    google: RunningGoogle,
    deed: Callable[[GoogleWallet], Awaitable[_T]],
    *,
    patience: Patience = PATIENCE,
    account: credentials.ServiceAccount | None = None,
    at_once: int = 8,
) -> _T:
    tokens = Tokens(account or account_of(google), url=google.token_url)

    async def inside() -> _T:
        wallet = GoogleWallet(tokens, url=google.url, patience=patience, at_once=at_once)
        try:
            return await deed(wallet)
        finally:
            await wallet.close()

    return asyncio.run(inside())


def class_body(class_id: str = CLASS, **more: Any) -> dict[str, Any]:
    return {
        "id": class_id,
        "issuerName": "Кофе",
        "programName": "Кофе и точка",
        "programLogo": {"sourceUri": {"uri": "https://cards.example.com/google/images/1.png"}},
        "reviewStatus": "UNDER_REVIEW",
    } | more


def card_body(object_id: str = CARD, points: int = 0, class_id: str = CLASS) -> dict[str, Any]:
    balance = {"int": points}
    return {"id": object_id, "classId": class_id, "state": "ACTIVE", "loyaltyPoints": {"balance": balance}}


def message(name: str = "m1") -> dict[str, str]:
    return {"id": name, "header": "Кофе", "body": "Вторая чашка за нами", "messageType": "TEXT_AND_NOTIFY"}


async def prepare(wallet: GoogleWallet, cards: int = 1) -> None:
    assert (await wallet.send(calls.insert_class(class_body()))).verdict == Verdict.ACCEPTED
    bodies = [card_body(f"{ISSUER}.member-{n:04}") for n in range(1, cards + 1)]
    answers = await wallet.batch([calls.insert_object(body) for body in bodies])
    assert {answer.verdict for answer in answers} == {Verdict.ACCEPTED}


@pytest.mark.parametrize("casing", ["upper", "legacy"])
def test_a_card_lives_in_either_casing(google: RunningGoogle, casing: str) -> None:
    google.turn(wire_casing=casing)

    async def live(wallet: GoogleWallet) -> list[Answer]:
        return [
            await wallet.send(calls.insert_object(card_body())),
            await wallet.send(calls.insert_class(class_body())),
            await wallet.send(calls.insert_class(class_body())),
            await wallet.send(calls.insert_object(card_body())),
            await wallet.send(calls.insert_object(card_body())),
            await wallet.send(calls.patch_object(CARD, {"loyaltyPoints": {"balance": {"int": 70}}})),
            await wallet.send(calls.get_object(CARD)),
            await wallet.send(calls.patch_object(f"{ISSUER}.nobody", {"state": "INACTIVE"})),
            await wallet.send(
                calls.patch_class(CLASS, {"programName": "Кофе", "reviewStatus": "UNDER_REVIEW"})
            ),
            await wallet.send(calls.get_class(CLASS)),
            await wallet.send(calls.insert_class(class_body(GOLD, rewardsTier="Gold"))),
            await wallet.send(calls.patch_object(CARD, {"classId": GOLD})),
            await wallet.send(calls.patch_object(CARD, {"state": "EXPIRED"})),
        ]

    answers = using(google, live)
    assert [answer.verdict for answer in answers] == [
        Verdict.MISSING,  # its class is not there
        Verdict.ACCEPTED,
        Verdict.EXISTS,
        Verdict.ACCEPTED,
        Verdict.EXISTS,
        Verdict.ACCEPTED,
        Verdict.ACCEPTED,
        Verdict.MISSING,
        *[Verdict.ACCEPTED] * 5,
    ]
    assert answers[6].resource is not None
    assert answers[6].resource["state"] == "ACTIVE"
    assert answers[6].resource["loyaltyPoints"]["balance"]["int"] == 70
    assert not answers[6].has_users  # Google may leave out what is false
    assert answers[9].resource is not None
    assert answers[9].resource["reviewStatus"] in ("APPROVED", "UNDER_REVIEW")
    assert answers[-1].resource is not None
    assert (answers[-1].resource["state"], answers[-1].resource["classId"]) == ("EXPIRED", GOLD)


def test_the_save_link_of_an_inserted_card_works_and_its_holder_is_seen(google: RunningGoogle) -> None:
    account = account_of(google)
    link = ""

    async def live(wallet: GoogleWallet) -> tuple[Answer, Answer, Answer]:
        nonlocal link
        await prepare(wallet)
        now = datetime.now(UTC)
        link = save_link.save_link(account, [CARD], now=now, url=google.save_url)
        valid = await wallet.send(calls.validate_jwt(link.rpartition("/")[2]))
        wrong = await wallet.send(calls.validate_jwt("eyJ.e30.x"))
        google.tap(link.rpartition("/")[2])
        return valid, wrong, await wallet.send(calls.message_object(CARD, message()))

    valid, wrong, sent = using(google, live, account=account)
    assert (valid.verdict, valid.body) == (Verdict.ACCEPTED, {})
    assert (wrong.verdict, wrong.status) == (Verdict.REFUSED, 400)
    assert sent.verdict == Verdict.ACCEPTED
    assert sent.has_users is True
    assert [one["id"] for one in (sent.resource or {})["messages"]] == ["m1"]


def test_the_fourth_notification_of_a_day_is_a_quota_in_both_styles(google: RunningGoogle) -> None:
    async def live(wallet: GoogleWallet) -> list[Answer]:
        await prepare(wallet)
        google.save(CARD)
        sent = [await wallet.send(calls.message_object(CARD, message(f"m{n}"))) for n in range(4)]
        sent.append(await wallet.send(calls.message_object(CARD, message("m9") | {"messageType": "TEXT"})))
        return sent

    *three, fourth, silent = using(google, live)
    assert {one.verdict for one in three} == {Verdict.ACCEPTED}
    assert (fourth.verdict, fourth.status, fourth.reason) == (Verdict.QUOTA, 403, "quotaExceeded")
    assert silent.verdict == Verdict.ACCEPTED


@pytest.mark.parametrize("style", ["429", "403"])
def test_a_rate_is_told_from_a_quota_and_from_a_permission(google: RunningGoogle, style: str) -> None:
    google.turn(quota_style=style, requests_per_second=2.0, retry_after=3)

    async def hurry(wallet: GoogleWallet) -> list[Answer]:
        return [await wallet.send(calls.get_object(CARD)) for _ in range(8)]

    answers = using(google, hurry)
    limited = [answer for answer in answers if answer.status == int(style)]
    assert limited
    assert {answer.verdict for answer in limited} == {Verdict.RETRY}
    google.turn(requests_per_second=None, denied=True)
    (denied,) = using(google, lambda wallet: wallet.batch([calls.get_object(CARD)]))
    assert (denied.verdict, denied.status) == (Verdict.DENIED, 403)


def test_the_account_of_another_issuer_is_denied(google: RunningGoogle) -> None:
    stranger = account_of(google, "4499000000000000000", "other")
    answer = using(google, lambda wallet: wallet.send(calls.insert_class(class_body())), account=stranger)
    assert (answer.verdict, answer.status) == (Verdict.DENIED, 403)


def test_a_key_that_google_does_not_know_is_denied_and_nothing_is_sent(
    google: RunningGoogle, account: credentials.ServiceAccount
) -> None:
    answer = using(google, lambda wallet: wallet.send(calls.get_object(CARD)), account=account)
    assert (answer.verdict, answer.reason, answer.status) == (Verdict.DENIED, "no-token", None)
    assert "invalid_grant" in answer.words
    assert not google.calls()


def test_where_there_is_no_token_nothing_is_sent_and_it_may_be_tried_again(google: RunningGoogle) -> None:
    google.turn(token_down=True)
    answers = using(
        google, lambda wallet: wallet.batch([calls.get_object(CARD), calls.message_object(CARD, message())])
    )
    assert [(answer.verdict, answer.reason) for answer in answers] == [(Verdict.RETRY, "no-token")] * 2
    assert not google.calls()


def test_a_token_that_ends_mid_run_is_renewed_once_for_all(google: RunningGoogle) -> None:
    async def run(wallet: GoogleWallet) -> list[Answer]:
        await prepare(wallet, 20)
        google.ask(lambda simulator: simulator.tokens.revoke())
        patches = [
            calls.patch_object(f"{ISSUER}.member-{n:04}", {"accountName": "Анна"}) for n in range(1, 21)
        ]
        return list(await asyncio.gather(*(wallet.send(one) for one in patches)))

    assert {answer.verdict for answer in using(google, run)} == {Verdict.ACCEPTED}
    assert google.ask(lambda simulator: simulator.tokens.handed_out) == 2


def test_a_message_after_a_renewed_token_is_sent_once(google: RunningGoogle) -> None:
    async def run(wallet: GoogleWallet) -> Answer:
        await prepare(wallet)
        google.ask(lambda simulator: simulator.tokens.revoke())
        return await wallet.send(calls.message_object(CARD, message()))

    assert using(google, run).verdict == Verdict.ACCEPTED
    assert len(google.objects()[CARD]["messages"]) == 1


def test_a_401_that_stays_is_told_to_the_operator(google: RunningGoogle) -> None:
    google.turn(unauthenticated_next=1000)
    answers = using(google, lambda wallet: wallet.batch([calls.get_object(CARD), calls.get_class(CLASS)]))
    assert {(answer.verdict, answer.status) for answer in answers} == {(Verdict.DENIED, 401)}
    assert google.ask(lambda simulator: simulator.tokens.handed_out) == 2


def test_an_answer_lost_after_the_deed_is_in_doubt_and_reading_settles_it(google: RunningGoogle) -> None:
    async def run(wallet: GoogleWallet) -> tuple[Answer, Answer, Answer, Answer]:
        await prepare(wallet)
        google.turn(lose_next_answers=1)
        lost = await wallet.send(calls.message_object(CARD, message("m7")))
        read = await wallet.send(calls.get_object(CARD))
        google.turn(lose_next_answers=1)
        new = card_body(f"{ISSUER}.member-0002")
        first = await wallet.send(calls.insert_object(new))
        return lost, read, first, await wallet.send(calls.insert_object(new))

    lost, read, first, second = using(google, run)
    assert (lost.verdict, lost.reason, lost.status) == (Verdict.LOST, "no-answer", None)
    assert [one["id"] for one in (read.resource or {})["messages"]] == ["m7"]
    assert (first.verdict, second.verdict) == (Verdict.LOST, Verdict.EXISTS)


def test_a_slow_answer_is_in_doubt_when_its_time_is_over(google: RunningGoogle) -> None:
    using(google, prepare)
    google.turn(answer_delay_ms=4000.0)
    began = time.monotonic()
    answer = using(google, lambda wallet: wallet.send(calls.message_object(CARD, message())), patience=SHORT)
    assert time.monotonic() - began < 4
    assert (answer.verdict, answer.words) == (Verdict.LOST, "no answer within 0.5 s")
    assert len(google.objects()[CARD]["messages"]) == 1


def test_a_batch_has_more_time_than_a_call(google: RunningGoogle) -> None:
    using(google, lambda wallet: prepare(wallet, 41))
    google.turn(answer_delay_ms=700.0)
    reads = [calls.get_object(f"{ISSUER}.member-{n:04}") for n in range(1, 42)]
    answers = using(google, lambda wallet: wallet.batch(reads), patience=SHORT)
    assert {answer.verdict for answer in answers} == {Verdict.ACCEPTED}


@pytest.mark.parametrize("html", [False, True])
@pytest.mark.parametrize("after", [None, 4])
def test_an_outage_says_how_long_to_wait_where_it_does(
    google: RunningGoogle, html: bool, after: int | None
) -> None:
    google.turn(fail_next=[500, 503, 503], retry_after=after, html_errors=html)

    async def run(wallet: GoogleWallet) -> list[Answer]:
        return [
            await wallet.send(calls.get_object(CARD)),
            await wallet.send(calls.patch_object(CARD, {})),
            await wallet.send(calls.message_object(CARD, message())),
        ]

    answers = using(google, run)
    assert [answer.verdict for answer in answers] == [Verdict.RETRY, Verdict.RETRY, Verdict.LOST]
    assert {answer.retry_after for answer in answers} == {timedelta(seconds=after) if after else None}
    assert all(answer.words and "<" not in answer.words for answer in answers)


def test_google_away_altogether_is_an_outage_and_not_a_verdict_on_cards(google: RunningGoogle) -> None:
    async def run(wallet: GoogleWallet) -> list[Answer]:
        await prepare(wallet)
        google.turn(down=True)
        down = [
            await wallet.send(calls.patch_object(CARD, {})),
            *await wallet.batch([calls.get_object(CARD)] * 3),
        ]
        google.turn(down=False)
        return [*down, await wallet.send(calls.get_object(CARD))]

    *down, back = using(google, run)
    assert {answer.verdict for answer in down} == {Verdict.RETRY}
    assert back.verdict == Verdict.ACCEPTED


def test_nobody_there_has_been_handed_nothing(google: RunningGoogle) -> None:
    tokens = Tokens(account_of(google), url=google.token_url)

    async def run() -> list[Answer]:
        wallet = GoogleWallet(tokens, url=f"http://127.0.0.1:{free_port()}")
        try:
            return [await wallet.send(calls.message_object(CARD, message()))] + await wallet.batch(
                [calls.get_object(CARD), calls.message_object(CARD, message())]
            )
        finally:
            await wallet.close()

    answers = asyncio.run(run())
    assert {(answer.verdict, answer.reason) for answer in answers} == {(Verdict.RETRY, "unreachable")}


def test_what_comes_too_late_does_not_leave(google: RunningGoogle) -> None:
    late = time.monotonic() - 1
    answer = using(google, lambda wallet: wallet.send(calls.get_object(CARD), leave_by=late))
    assert (answer.verdict, answer.reason) == (Verdict.RETRY, "unreachable")
    assert not google.calls()


def test_a_batch_s_answers_belong_to_their_calls_whatever_the_order(google: RunningGoogle) -> None:
    async def run(wallet: GoogleWallet) -> list[Answer]:
        await prepare(wallet, 30)
        google.turn(shuffle_batch=True)
        mixed = [
            calls.patch_object(f"{ISSUER}.member-{n:04}", {"loyaltyPoints": {"balance": {"int": n}}})
            for n in range(1, 61)
        ]
        return await wallet.batch(
            [*mixed, calls.insert_class(class_body()), calls.patch_class(CLASS, {"x": 1})]
        )

    answers = using(google, run)
    for number, answer in enumerate(answers[:30], 1):
        assert answer.resource is not None
        assert answer.resource["id"] == f"{ISSUER}.member-{number:04}"
        assert answer.resource["loyaltyPoints"]["balance"]["int"] == number
    assert [answer.verdict for answer in answers[30:]] == [
        *[Verdict.MISSING] * 30,
        Verdict.EXISTS,
        Verdict.REFUSED,
    ]


def test_a_part_of_a_batch_may_fail_alone(google: RunningGoogle) -> None:
    async def run(wallet: GoogleWallet) -> list[Answer]:
        await prepare(wallet, 10)
        google.turn(fail_next_inner=3)
        wanted = [
            calls.patch_object(f"{ISSUER}.member-{n:04}", {"accountName": "Анна"}) for n in range(1, 10)
        ]
        return await wallet.batch([*wanted, calls.message_object(f"{ISSUER}.member-0010", message())])

    verdicts = [answer.verdict for answer in using(google, run)]
    assert verdicts.count(Verdict.RETRY) + verdicts.count(Verdict.LOST) == 3
    assert verdicts.count(Verdict.ACCEPTED) == 7
    updated = [one for one in google.objects().values() if one.get("accountName") == "Анна"]
    assert len(updated) + len(google.objects()[f"{ISSUER}.member-0010"].get("messages", [])) == 7


def test_a_batch_that_is_lost_leaves_every_call_of_it_in_doubt(google: RunningGoogle) -> None:
    async def run(wallet: GoogleWallet) -> list[Answer]:
        await prepare(wallet, 3)
        google.turn(lose_next_answers=1)
        return await wallet.batch(
            [calls.message_object(f"{ISSUER}.member-{n:04}", message()) for n in range(1, 4)]
        )

    assert [answer.verdict for answer in using(google, run)] == [Verdict.LOST] * 3
    assert all(len(one["messages"]) == 1 for one in google.objects().values())


def test_an_answer_to_a_batch_that_is_none_leaves_doubts(google: RunningGoogle) -> None:
    tokens = Tokens(account_of(google), url=google.token_url)

    async def ask(url: str) -> list[Answer]:
        wallet = GoogleWallet(tokens, url=url)
        try:
            return await wallet.batch([calls.get_object(CARD), calls.message_object(CARD, message())])
        finally:
            await wallet.close()

    with serving(b"<html>Sign in to this Wi-Fi</html>") as server:
        answers = asyncio.run(ask(server.url))
    assert {(answer.verdict, answer.reason) for answer in answers} == {(Verdict.LOST, "no-part")}


@pytest.mark.parametrize(
    ("status", "read", "sent"),
    [
        (404, Verdict.RETRY, Verdict.RETRY),
        (409, Verdict.RETRY, Verdict.RETRY),
        (400, Verdict.RETRY, Verdict.RETRY),
        (403, Verdict.DENIED, Verdict.DENIED),
        (429, Verdict.RETRY, Verdict.RETRY),
        (500, Verdict.RETRY, Verdict.LOST),
        (202, Verdict.LOST, Verdict.LOST),
    ],
)
def test_what_is_said_of_a_batch_is_said_of_no_card(
    google: RunningGoogle, status: int, read: Verdict, sent: Verdict
) -> None:
    tokens = Tokens(account_of(google), url=google.token_url)

    async def ask(url: str) -> list[Answer]:
        wallet = GoogleWallet(tokens, url=url)
        try:
            return await wallet.batch([calls.get_object(CARD), calls.message_object(CARD, message())])
        finally:
            await wallet.close()

    with serving(b'{"error": {"code": 0, "message": "Not for a card"}}') as server:
        server.status = status
        answers = asyncio.run(ask(server.url))
    assert [answer.verdict for answer in answers] == [read, sent]


def test_a_token_that_ends_within_a_batch_is_nobody_s_fault(google: RunningGoogle) -> None:
    """Google answers 200 to the batch, and 401 to parts of it."""
    tokens = Tokens(account_of(google), url=google.token_url)
    pair = [calls.get_object(CARD), calls.get_class(CLASS)]

    async def ask(url: str) -> list[Answer]:
        wallet = GoogleWallet(tokens, url=url)
        try:
            return await wallet.batch(pair)
        finally:
            await wallet.close()

    with serving() as server:
        server.headers = {"content-type": "multipart/mixed; boundary=b"}
        server.respond = unauthenticated_parts
        answers = asyncio.run(ask(server.url))
        assert [(answer.verdict, answer.status) for answer in answers] == [(Verdict.RETRY, 401)] * 2
        answers = asyncio.run(ask(server.url))
        assert [answer.verdict for answer in answers] == [Verdict.DENIED] * 2


def unauthenticated_parts(request: bytes) -> bytes:
    (name,) = set(re.findall(rb"Content-ID: <(\S+) \+ \d+>", request))
    part = (
        b"--b\r\nContent-Type: application/http\r\nContent-ID: <response-%s + %d>\r\n\r\n"
        b'HTTP/1.1 401 Unauthorized\r\n\r\n{"error": {"code": 401, "status": "UNAUTHENTICATED"}}\r\n'
    )
    return b"".join(part % (name, number) for number in range(2)) + b"--b--\r\n"


def test_the_issuer_is_read(google: RunningGoogle) -> None:
    answer = using(google, lambda wallet: wallet.send(calls.get_issuer(ISSUER)))
    assert answer.verdict == Verdict.ACCEPTED
    assert (answer.body or {})["issuerId"] == ISSUER


def test_a_class_is_messaged_once_for_all_its_holders(google: RunningGoogle) -> None:
    async def run(wallet: GoogleWallet) -> Answer:
        await prepare(wallet, 2)
        return await wallet.send(calls.message_class(CLASS, message()))

    answer = using(google, run)
    assert answer.verdict == Verdict.ACCEPTED
    assert (answer.resource or {})["id"] == CLASS
