"""What Google's stand-in allows how often: notifications a day, calls a second; batches in both dialects."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator

import pytest

from app.simulators.google import ISSUER, RunningGoogle, running
from app.simulators.google_rate import Bucket
from tests.simulators.google_caller import ANNA, CLASS, CLIENT, Caller


class Clock:
    """Stands still."""

    def __init__(self) -> None:
        self.now = time.time()

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def google() -> Iterator[RunningGoogle]:
    with running() as simulator:
        simulator.turn(requests_per_second=None)
        yield simulator


@pytest.fixture
def call(google: RunningGoogle) -> Caller:
    caller = Caller(google)
    caller.card(loyaltyPoints={"balance": {"int": 0}})
    return caller


def outcomes(google: RunningGoogle, identifier: str = ANNA["id"]) -> list[str]:
    return [f"{notice.cause} {notice.outcome}" for notice in google.notices(identifier)]


def points(call: Caller, count: int) -> int:
    changes = {"loyaltyPoints": {"balance": {"int": count}}, "notifyPreference": "NOTIFY_ON_UPDATE"}
    return call.change(**changes).status_code


def test_three_notifications_a_day_messages_and_changes_together(google: RunningGoogle, call: Caller) -> None:
    assert call.say("m0").json()["resource"]["hasUsers"] is False
    google.save(ANNA["id"])
    assert call.say("m1").json()["resource"]["hasUsers"] is True
    assert points(call, 1) == 200
    refused = call.say("m2")
    error = refused.json()["error"]
    assert (refused.status_code, error["errors"][0]["reason"]) == (403, "quotaExceeded")
    assert error["message"].startswith(f"Quota exceeded for issuer {ISSUER} when adding TEXT_AND_NOTIFY")
    assert "status" not in error
    assert points(call, 2) == 200  # a change that nobody is told of is still a change
    assert call.say("m3", loud=False).status_code == 200
    assert outcomes(google) == [
        "message no_holder",
        "message shown",
        "field shown",
        "message refused",
        "field over_budget",
        "message silent_text",
    ]
    told = google.objects()[ANNA["id"]]
    assert [message["id"] for message in told["messages"]] == ["m0", "m1", "m3"]
    assert told["loyaltyPoints"]["balance"] == {"int": 2}
    google.age(86_000)
    assert call.say("m4").status_code == 403
    google.age(400)
    assert call.say("m4").status_code == 200


def test_the_two_budgets_may_be_separate(google: RunningGoogle, call: Caller) -> None:
    google.turn(budget="separate")
    google.save(ANNA["id"])
    assert [call.say(f"m{number}").status_code for number in range(4)] == [200, 200, 200, 403]
    assert [points(call, number) for number in range(1, 5)] == [200] * 4
    assert outcomes(google)[4:] == ["field shown"] * 3 + ["field over_budget"]


def test_only_some_fields_are_loud_and_only_when_asked(google: RunningGoogle, call: Caller) -> None:
    google.save(ANNA["id"])
    call.change(loyaltyPoints={"balance": {"int": 9}})
    call.change(accountName="Анна", notifyPreference="NOTIFY_ON_UPDATE")
    points(call, 9)
    assert outcomes(google) == ["field unchanged"] * 2
    CLIENT.post(f"{google.url}/_sim/mute", json={"object": ANNA["id"]}).raise_for_status()
    points(call, 10)
    assert outcomes(google)[2:] == ["field muted"]


def test_a_message_to_a_class_reaches_holders_with_budget(google: RunningGoogle, call: Caller) -> None:
    boris = ANNA | {"id": f"{ISSUER}.boris"}
    call("POST", "loyaltyObject", boris)
    call("POST", "loyaltyObject", ANNA | {"id": f"{ISSUER}.nobody"})
    google.save(ANNA["id"])
    google.save(boris["id"], user="boris@gmail.example")
    for number in range(3):
        assert call.say(f"m{number}").status_code == 200
    assert call.say("all", kind="loyaltyClass").status_code == 200
    assert outcomes(google)[3:] == ["message over_budget"]
    assert outcomes(google, boris["id"]) == ["message shown"]
    assert outcomes(google, f"{ISSUER}.nobody") == []
    changed = {"reviewStatus": "UNDER_REVIEW", "rewardsTier": "Gold", "notifyPreference": "NOTIFY_ON_UPDATE"}
    call("PATCH", f"loyaltyClass/{CLASS['id']}", changed)
    assert outcomes(google, boris["id"])[1:] == ["field shown"]
    assert [call.say(f"c{n}", kind="loyaltyClass").status_code for n in range(3)] == [200, 200, 403]
    assert call.say("quiet", loud=False, kind="loyaltyClass").status_code == 200
    assert outcomes(google, boris["id"])[2:] == [
        "message shown",
        "message over_budget",
        "message silent_text",
    ]


@pytest.mark.parametrize(("style", "status"), [("429", 429), ("403", 403)])
def test_twenty_calls_a_second(style: str, status: int) -> None:
    clock = Clock()
    with running(clock=clock) as google:
        google.turn(quota_style=style, retry_after=2)
        call = Caller(google)
        path = f"loyaltyClass/{CLASS['id']}"
        assert [call("GET", path).status_code for _ in range(20)] == [404] * 20
        refused = call("GET", path)
        assert refused.status_code == status
        assert refused.json()["error"]["errors"][0]["reason"] == "rateLimitExceeded"
        assert refused.headers.get("retry-after") == ("2" if status == 429 else None)
        clock.now += 0.05
        assert [call("GET", path).status_code for _ in range(2)] == [404, status]
        assert google.busiest_second() == 21
        assert google.calls()[-1].status == status


def test_the_bucket_holds_one_second() -> None:
    bucket = Bucket()
    assert sum(bucket.take("kofe", 100.0, 20) for _ in range(40)) == 20
    assert bucket.take("chai", 100.0, 20)  # each project has its own
    assert sum(bucket.take("kofe", 100.5, 20) for _ in range(40)) == 10
    assert sum(bucket.take("kofe", 200.0, 20) for _ in range(40)) == 20
    assert (bucket.refused, bucket.busiest_second()) == (20 + 30 + 20, 31)
    assert all(bucket.take("kofe", 200.0, None) for _ in range(100))


LAX = """\
--batch_cards
Content-Type: application/json

POST /walletobjects/v1/loyaltyObject

%s
--batch_cards
Content-Type: application/json

GET /walletobjects/v1/loyaltyObject/%s?fields=id

--batch_cards--
"""


def batch(call: Caller, body: str | bytes, boundary: str = "batch_cards") -> tuple[int, str]:
    kind = f"multipart/mixed; boundary={boundary}"
    headers = call.headers | {"content-type": kind}
    answer = CLIENT.post(f"{call.google.url}/batch", content=body, headers=headers)
    return answer.status_code, answer.text


def test_a_batch_as_googles_samples_write_it(google: RunningGoogle, call: Caller) -> None:
    boris = ANNA | {"id": f"{ISSUER}.boris"}
    status, text = batch(call, LAX % (json.dumps(boris), boris["id"]))
    assert status == 200
    assert text.count("HTTP/1.1 200 OK") == 2
    assert "Content-ID" not in text
    assert f'{{"id": "{boris["id"]}"}}' in text
    assert google.objects().keys() == {ANNA["id"], boris["id"]}
    assert [seen.batched for seen in google.calls()] == [False, False, True, True]


def test_calls_within_a_batch_count_one_by_one_and_fail_one_by_one(
    google: RunningGoogle, call: Caller
) -> None:
    parts = [
        f"--b\r\nContent-Type: application/http\r\nContent-ID: <x + {number}>\r\n\r\n"
        f"GET /walletobjects/v1/loyaltyObject/{ANNA['id']}?alt=json HTTP/1.1\r\nHost: wallet\r\n\r\n\r\n"
        for number in range(30)
    ]
    google.turn(requests_per_second=1, fail_next_inner=1)
    status, text = batch(call, "".join(parts) + "--b--\r\n", "b")
    assert status == 200
    assert text.count("HTTP/1.1 503") == 1
    assert 1 <= text.count("HTTP/1.1 200") < 29
    assert text.count("HTTP/1.1 429") == 29 - text.count("HTTP/1.1 200")
    assert "Content-ID: <response-x + 29>" in text
    google.turn(requests_per_second=None, shuffle_batch=True)
    told = batch(call, "".join(parts) + "--b--\r\n", "b")[1]
    numbers = [line.split("+ ")[1].strip("> \r") for line in told.splitlines() if "response-x" in line]
    assert sorted(numbers, key=int) == [str(number) for number in range(30)] != numbers
    google.turn(largest_batch=29)
    assert batch(call, "".join(parts) + "--b--\r\n", "b")[0] == 400


@pytest.mark.parametrize(
    "body",
    [
        "",
        "--b\r\nContent-Type: application/http\r\n\r\nGET / HTTP/1.1\r\n\r\n",  # never closed
        "--b\r\nContent-Type: text/plain\r\n\r\nGET / HTTP/1.1\r\n\r\n\r\n--b--",
        "--b\r\nContent-Type: application/http\r\n\r\nfetch the card\r\n\r\n\r\n--b--",
        "--b\r\nContent-Type: application/http\r\nContent-ID: <1>\r\n\r\nGET / HTTP/1.1\r\n\r\n\r\n" * 2
        + "--b--",
    ],
)
def test_a_batch_that_cannot_be_read(call: Caller, body: str) -> None:
    status, text = batch(call, body, "b")
    assert (status, "error" in json.loads(text)) == (400, True)


def test_a_batch_of_another_type(call: Caller) -> None:
    answer = CLIENT.post(f"{call.google.url}/batch", json={}, headers=call.headers)
    assert answer.status_code == 400
