"""The client for threads that wait: bounded, shared, and closed without a trace."""

from __future__ import annotations

import threading
import time
from datetime import timedelta

from app.google import calls
from app.google.answers import Answer, Verdict
from app.google.client import GoogleWallet
from app.google.tokens import Tokens
from app.google.waiting import WaitingWallet
from app.simulators.google import ISSUER, RunningGoogle
from tests.google.serving import serving
from tests.google.test_client import CLASS, account_of, card_body, class_body, google

__all__ = ["google"]
LONG = timedelta(seconds=10)


def test_threads_insert_cards_over_one_client(google: RunningGoogle) -> None:
    wallet = WaitingWallet(GoogleWallet(Tokens(account_of(google), url=google.token_url), url=google.url))
    assert wallet.send(calls.insert_class(class_body()), within=LONG).verdict == Verdict.ACCEPTED
    answers: list[Answer] = []

    def insert(number: int) -> None:
        body = card_body(f"{ISSUER}.member-{number:04}")
        answers.append(wallet.send(calls.insert_object(body), within=LONG))

    threads = [threading.Thread(target=insert, args=(number,)) for number in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    wallet.close()
    assert [answer.verdict for answer in answers] == [Verdict.ACCEPTED] * 16
    assert len(google.objects()) == 16
    assert google.ask(lambda simulator: simulator.tokens.handed_out) == 1
    assert not [one for one in threading.enumerate() if one.name == "google-wallet"]


def test_a_thread_waits_as_long_as_it_was_told_to_and_no_longer(google: RunningGoogle) -> None:
    wallet = WaitingWallet(GoogleWallet(Tokens(account_of(google), url=google.token_url), url=google.url))
    wallet.send(calls.insert_class(class_body()), within=LONG)
    google.turn(answer_delay_ms=4000.0)
    began = time.monotonic()
    answer = wallet.send(calls.insert_object(card_body()), within=timedelta(seconds=0.3))
    assert time.monotonic() - began < 3
    assert (answer.verdict, answer.reason) == (Verdict.LOST, "no-answer")
    google.turn(answer_delay_ms=0.0)
    assert wallet.send(calls.insert_object(card_body()), within=LONG).verdict == Verdict.EXISTS
    wallet.close()
    wallet.close()


def test_a_token_that_does_not_come_holds_nobody_up(google: RunningGoogle) -> None:
    account = account_of(google)
    with serving() as silent:
        silent.hold.clear()
        wallet = WaitingWallet(GoogleWallet(Tokens(account, url=f"{silent.url}/token"), url=google.url))
        began = time.monotonic()
        answer = wallet.send(calls.get_class(CLASS), within=timedelta(seconds=0.3))
        assert time.monotonic() - began < 3
        assert answer.verdict == Verdict.LOST
        wallet.close()
    assert not google.calls()


def test_one_that_was_never_used_has_nothing_to_close(google: RunningGoogle) -> None:
    WaitingWallet(GoogleWallet(Tokens(account_of(google), url=google.token_url), url=google.url)).close()
