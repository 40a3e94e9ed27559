"""What Google's stand-in does wrong on purpose, and its control plane."""

from __future__ import annotations

import time
from collections.abc import Iterator

import httpx
import pytest

from app.simulators.google import GUEST, ISSUER, RunningGoogle, running
from tests.simulators.google_caller import ANNA, CLASS, CLIENT, Caller, assertion, link, token

PATH = f"loyaltyObject/{ANNA['id']}"


@pytest.fixture(scope="module")
def running_google() -> Iterator[RunningGoogle]:
    with running() as simulator:
        simulator.turn(requests_per_second=None)
        yield simulator


@pytest.fixture(scope="module")
def call(running_google: RunningGoogle) -> Caller:
    caller = Caller(running_google)
    caller.card()
    return caller


@pytest.fixture
def google(running_google: RunningGoogle, call: Caller) -> Iterator[RunningGoogle]:
    yield running_google
    CLIENT.delete(f"{running_google.url}/_sim/faults").raise_for_status()
    running_google.turn(requests_per_second=None)


def test_an_answer_is_lost_after_the_deed(google: RunningGoogle, call: Caller) -> None:
    boris = ANNA | {"id": f"{ISSUER}.boris"}
    google.turn(lose_next_answers=1)
    with pytest.raises(httpx.RemoteProtocolError):
        call("POST", "loyaltyObject", boris)
    assert boris["id"] in google.objects()
    assert call("POST", "loyaltyObject", boris).status_code == 409
    google.turn(lose_next_answers=1)
    with pytest.raises(httpx.RemoteProtocolError):
        call.say("m1")
    assert call.say("m1").status_code == 200
    assert [each["id"] for each in call("GET", PATH).json()["messages"]] == ["m1", "m1"]  # sent twice


def test_a_request_is_lost_before_the_deed(google: RunningGoogle, call: Caller) -> None:
    google.turn(lose_next_requests=1)
    with pytest.raises(httpx.RemoteProtocolError):
        call.change(accountName="Б")
    assert "accountName" not in call("GET", PATH).json()
    google.turn(lose_requests=1.0)
    with pytest.raises(httpx.RemoteProtocolError):
        call("GET", PATH)


def test_google_fails_in_json_and_in_html(google: RunningGoogle, call: Caller) -> None:
    google.turn(fail_next=[500, 503, 503], retry_after=7)
    first, second = call.change(accountName="В"), call("GET", PATH)
    assert (first.status_code, first.json()["error"]["status"], first.headers["retry-after"]) == (
        500,
        "INTERNAL",
        "7",
    )
    assert second.status_code == 503
    google.turn(html_errors=True, retry_after=None)
    page = call("GET", PATH)
    assert (page.status_code, page.headers["content-type"], "retry-after" in page.headers) == (
        503,
        "text/html",
        False,
    )
    assert "accountName" not in call("GET", PATH).json()


def test_google_is_down(google: RunningGoogle, call: Caller) -> None:
    google.turn(token_down=True)
    assert token(google, assertion(call.account)).status_code == 503
    assert call("GET", PATH).status_code == 200
    google.turn(down=True)
    for url in (google.token_url, google.callback_keys_url, f"{google.save_url}/a.b.c"):
        assert CLIENT.get(url).status_code == 503
    assert call("GET", PATH).status_code == 503


def test_rights_are_lost_on_the_way(google: RunningGoogle, call: Caller) -> None:
    google.turn(unauthenticated_next=1)
    assert [call("GET", PATH).status_code for _ in range(2)] == [401, 200]
    google.turn(denied=True)
    assert call("GET", PATH).json()["error"]["message"] == "Permission Denied"


def test_an_answer_comes_late_though_it_was_done_at_once(google: RunningGoogle, call: Caller) -> None:
    google.turn(answer_delay_ms=60_000)
    with pytest.raises(httpx.ReadTimeout):
        CLIENT.patch(
            f"{google.url}/walletobjects/v1/{PATH}",
            headers=call.headers,
            json={"accountName": "Г"},
            timeout=httpx.Timeout(30, read=0.5),
        )
    deadline = time.monotonic() + 30
    while google.objects()[ANNA["id"]].get("accountName") != "Г":
        assert time.monotonic() < deadline
    google.turn(answer_delay_ms=0)
    call.change(accountName=None)


def test_a_page_that_points_at_itself(google: RunningGoogle, call: Caller) -> None:
    for name in ("x", "y", "z"):
        call("POST", "loyaltyObject", ANNA | {"id": f"{ISSUER}.{name}"})
    google.turn(repeat_page_token=True)
    query = {"classId": CLASS["id"], "maxResults": "1"}
    more = call("GET", "loyaltyObject", **query).json()["pagination"]["nextPageToken"]
    again = call("GET", "loyaltyObject", **query, token=more).json()["pagination"]["nextPageToken"]
    assert (more, again) == ("1", "1")


def test_reasons_that_nobody_has_seen_are_never_the_same(google: RunningGoogle, call: Caller) -> None:
    reasons = {
        call("GET", f"loyaltyObject/{ISSUER}.none").json()["error"]["errors"][0]["reason"] for _ in range(5)
    }
    assert len(reasons) > 1


@pytest.mark.parametrize(
    "knobs",
    [
        {"pigeons": 1},
        {"down": 1},
        {"budget": "none"},
        {"spoil_callbacks": "lost"},
        {"fail_next": [200]},
        {"fail_next": 503},
        {"lose_answers": "1"},
        {"lose_next_answers": 0.5},
        {"denied": None},
        {"largest_batch": True},
    ],
)
def test_a_knob_that_is_none_is_refused(google: RunningGoogle, knobs: dict[str, object]) -> None:
    assert CLIENT.patch(f"{google.url}/_sim/faults", json=knobs).status_code == 400
    fitting = {"requests_per_second": None, "retry_after": 1, "lose_answers": 0}
    assert CLIENT.patch(f"{google.url}/_sim/faults", json=fitting).json()["retry_after"] == 1


def test_the_control_plane(google: RunningGoogle, call: Caller) -> None:
    control = f"{google.url}/_sim"
    said = {"object": ANNA["id"]}
    assert CLIENT.post(f"{control}/save", json=said).json() == {"done": True}
    call.say("m2")
    notices = CLIENT.get(f"{control}/notices", params=said).json()
    assert (notices[-1]["what"], notices[-1]["outcome"]) == ("m2", "shown")
    [card] = CLIENT.get(f"{control}/wallet/{GUEST}").json()
    assert [notice["what"] for notice in card["notices"]] == ["m2"]
    assert CLIENT.post(f"{control}/age", json={"seconds": 86_400}).status_code == 200
    assert CLIENT.post(f"{control}/remove", json=said).status_code == 200
    assert CLIENT.post(f"{control}/remove", json=said).status_code == 409
    assert CLIENT.post(f"{control}/save", json={}).status_code == 400
    assert CLIENT.post(f"{control}/save", json={"object": f"{ISSUER}.none"}).status_code == 409
    assert CLIENT.post(f"{control}/callback", json=said | {"event": "save"}).status_code == 400
    assert CLIENT.get(f"{control}/callbacks").json() == []
    calls = CLIENT.get(f"{control}/calls", params={"count": 1}).json()
    assert (calls["calls"][0]["path"], calls["busiest_second"] > 0) == (
        f"/walletobjects/v1/{PATH}/addMessage",
        True,
    )
    assert isinstance(CLIENT.get(f"{control}/lints").json(), list)
    assert CLIENT.get(f"{control}/classes").json() == list(google.classes().values())
    account = CLIENT.post(f"{control}/service-account", json={"issuers": [ISSUER], "name": "second"}).json()
    assert Caller(google, account)("GET", PATH).status_code == 200
    assert google.tap(link(account, {"loyaltyObjects": [{"id": ANNA["id"]}]})) == [ANNA["id"]]
    assert CLIENT.post(f"{control}/revoke").status_code == 200
    assert call("GET", PATH).status_code == 401
    call.headers = Caller(google).headers
    for path in ("nothing", "wallet"):
        assert CLIENT.get(f"{control}/{path}").status_code == 404


def test_what_google_does_not_have(google: RunningGoogle, call: Caller) -> None:
    assert call("DELETE", PATH).status_code == 405
    assert call("GET", f"genericObject/{ISSUER}.a").status_code == 404
    assert CLIENT.get(f"{google.url}/nothing", headers=call.headers).status_code == 404
    assert (
        CLIENT.get(f"{google.url}/walletobjects/v1/{PATH}?access_token=x", headers=call.headers).status_code
        == 401
    )
