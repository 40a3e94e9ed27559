"""The failure knobs, each turned and seen from outside."""

from __future__ import annotations

import ssl

import httpx
import pytest

from app.simulators.apns import RunningApns

TOKEN = "ab" * 32


def _client(tls: ssl.SSLContext) -> httpx.Client:
    return httpx.Client(http1=False, http2=True, verify=tls, timeout=3)


def _push(client: httpx.Client, apns: RunningApns, token: str = TOKEN) -> httpx.Response:
    return client.post(f"{apns.url}/3/device/{token}", content=b"{}")


def test_the_next_answers_are_as_ordered_and_then_honest_again(
    apns: RunningApns, sender_tls: ssl.SSLContext
) -> None:
    apns.turn(
        next_answers=[
            {"status": 429, "reason": "TooManyRequests", "count": 2, "retry_after": 7},
            {"status": 503, "reason": "ServiceUnavailable", "count": 1},
        ]
    )
    with _client(sender_tls) as client:
        answers = [_push(client, apns) for _ in range(4)]
    assert [answer.status_code for answer in answers] == [429, 429, 503, 200]
    assert [answer.headers.get("retry-after") for answer in answers] == ["7", "7", None, None]
    assert answers[2].json() == {"reason": "ServiceUnavailable"}


def test_one_token_can_be_answered_in_its_own_way(apns: RunningApns, sender_tls: ssl.SSLContext) -> None:
    apns.turn(token_answers={"cd" * 32: {"status": 403, "reason": "BadCertificateEnvironment"}})
    with _client(sender_tls) as client:
        assert _push(client, apns, "cd" * 32).json() == {"reason": "BadCertificateEnvironment"}
        assert _push(client, apns).status_code == 200


def test_the_certificate_can_be_refused_and_taken_back(apns: RunningApns, sender_tls: ssl.SSLContext) -> None:
    with _client(sender_tls) as client:
        httpx.patch(f"{apns.control_url}/faults", json={"refuse_certificate": True}).raise_for_status()
        answer = _push(client, apns)
        assert (answer.status_code, answer.json()) == (403, {"reason": "BadCertificate"})
        httpx.delete(f"{apns.control_url}/faults").raise_for_status()
        assert _push(client, apns).status_code == 200


@pytest.mark.parametrize(("style", "expected"), [("empty", b""), ("not-json", b"<html>")])
def test_error_bodies_can_be_spoilt(
    apns: RunningApns, sender_tls: ssl.SSLContext, style: str, expected: bytes
) -> None:
    apns.turn(error_bodies=style, next_answers=[{"status": 500, "reason": "InternalServerError"}])
    with _client(sender_tls) as client:
        answer = _push(client, apns)
    assert (answer.status_code, answer.content[:6]) == (500, expected)


def test_goaway_leaves_the_disowned_request_to_another_connection(
    apns: RunningApns, sender_tls: ssl.SSLContext
) -> None:
    apns.turn(goaway_after=1)
    with _client(sender_tls) as client:
        assert [_push(client, apns).status_code for _ in range(2)] == [200, 200]
    seen = apns.ask(lambda simulator: (simulator.statistics.goaways, simulator.statistics.connections))
    assert seen == (1, 2)
    assert apns.ask(lambda simulator: simulator.post.total) == 2


def test_goaway_can_come_before_the_first_answer(apns: RunningApns, sender_tls: ssl.SSLContext) -> None:
    apns.turn(goaway_after=0)
    with _client(sender_tls) as client, pytest.raises(httpx.HTTPError):
        _push(client, apns)
    assert apns.ask(lambda simulator: simulator.post.total) == 0


def test_a_stream_can_be_reset(apns: RunningApns, sender_tls: ssl.SSLContext) -> None:
    apns.turn(reset_rate=1.0)
    with _client(sender_tls) as client, pytest.raises(httpx.RemoteProtocolError):
        _push(client, apns)
    assert apns.ask(lambda simulator: simulator.statistics.resets) == 1


def test_the_connection_can_break(apns: RunningApns, sender_tls: ssl.SSLContext) -> None:
    apns.turn(drop_after=0)
    with _client(sender_tls) as client, pytest.raises((httpx.RemoteProtocolError, httpx.NetworkError)):
        _push(client, apns)
    assert apns.ask(lambda simulator: simulator.statistics.drops) == 1


def test_it_can_fall_silent(apns: RunningApns, sender_tls: ssl.SSLContext) -> None:
    apns.turn(silent=True)
    with _client(sender_tls) as client, pytest.raises(httpx.ReadTimeout):
        client.post(f"{apns.url}/3/device/{TOKEN}", content=b"{}", timeout=0.3)


def test_answers_can_be_slow(apns: RunningApns, sender_tls: ssl.SSLContext) -> None:
    apns.turn(answer_delay_ms=150)
    with _client(sender_tls) as client:
        assert _push(client, apns).elapsed.total_seconds() >= 0.15


def test_fewer_streams_are_announced_to_a_connection_that_lives(
    apns: RunningApns, sender_tls: ssl.SSLContext
) -> None:
    with _client(sender_tls) as client:
        assert _push(client, apns).status_code == 200
        apns.turn(max_concurrent_streams=1)
        assert [_push(client, apns).status_code for _ in range(5)] == [200] * 5


def test_a_knob_that_does_not_exist_is_named_in_the_refusal(apns: RunningApns) -> None:
    answer = httpx.patch(f"{apns.control_url}/faults", json={"goaway": 1})
    assert answer.status_code == 400
    assert "goaway" in answer.json()["error"]
    assert "goaway_after" in answer.json()["error"]


def test_a_sender_that_breaks_the_protocol_is_noted(apns: RunningApns, sender_tls: ssl.SSLContext) -> None:
    sender_tls.set_alpn_protocols(["h2"])
    import socket

    port = int(apns.url.rsplit(":", 1)[1])
    with (
        socket.create_connection(("127.0.0.1", port), timeout=5) as plain,
        sender_tls.wrap_socket(plain, server_hostname="127.0.0.1") as sender,
    ):
        sender.sendall(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + b"\x00\x00\x02\x01\x05\x00\x00\x00\x02\x82\x84")
        while sender.recv(1000):
            pass
    assert apns.ask(lambda simulator: len(simulator.statistics.protocol_errors)) == 1
