"""Tills that act in the same moment, in processes of their own: nothing happens twice, nothing is lost."""

from __future__ import annotations

from dataclasses import dataclass
from multiprocessing.synchronize import Barrier
from typing import Any

from sqlalchemy import func, select

from app.db import Database, connect
from app.loyalty import enrolment
from app.loyalty.tables import ledger_entry, lot, receipt, till_call
from tests.loyalty import town as towns
from tests.loyalty.town import EXPIRING
from tests.processes import FORKED
from tests.web.till_api import Bell, Till, application, services
from tests.web.till_api import receipt as sale

ROUNDS = 8
TILLS = 2


@dataclass(frozen=True, slots=True)
class _Said:
    what: str
    round: int
    status: int
    document: Any


def _work(url: str, secret: str, card: str, me: int, start: Barrier, answers: Any) -> None:
    database = connect(url)
    bell = Bell()
    till = Till(application(services(database, bell)), secret, bell)

    def say(what: str, number: int, path: str, body: object, key: str) -> None:
        start.wait(60)
        answer = till.post(path, body, key=key)
        answers.put(_Said(what, number, answer.status_code, answer.json))

    for number in range(ROUNDS):
        mine = f"{me}-{number}"
        # The same receipt from two tills, under keys of their own.
        say("receipt", number, "/receipts", sale(card, f"shared-{number}", 1_000_00), f"receipt-{mine}")
        # Both want 60 of what is there: 100 of welcome, and 50 from each round's receipt.
        wanted = {"card": card, "points": 60_00, "amount": 1_000_00, "currency": "RUB"}
        say("redeem", number, "/redemptions", wanted, f"redeem-{mine}")
        # The same call sent twice.
        say("repeat", number, "/receipts", sale(card, f"once-{number}", 1_99), f"repeat-{number}")
    database.close()


def test_tills_that_act_at_once_neither_double_nor_lose_anything(
    database: Database, database_url: str
) -> None:
    with database.write() as tx:
        town = towns.build(tx, EXPIRING)
        guest = towns.guest(tx, town)
    start, answers = FORKED.Barrier(TILLS), FORKED.Queue()
    processes = [
        FORKED.Process(target=_work, args=(database_url, town.secret, guest.card_code, me, start, answers))
        for me in range(TILLS)
    ]
    for process in processes:
        process.start()
    said: list[_Said] = [answers.get(timeout=100) for _ in range(TILLS * ROUNDS * 3)]
    for process in processes:
        process.join(30)
        assert process.exitcode == 0

    balance = 100_00
    for number in range(ROUNDS):
        now = [one for one in said if one.round == number]
        assert sorted(one.status for one in now if one.what == "receipt") == [201, 409]
        balance += 50_00
        redeemed = [one.status for one in now if one.what == "redeem"]
        may = min(TILLS, balance // 60_00)
        assert sorted(redeemed) == [201] * may + [409] * (TILLS - may)
        balance -= 60_00 * may
        repeats = [one for one in now if one.what == "repeat"]
        assert [one.status for one in repeats] == [201, 201]
        assert repeats[0].document == repeats[1].document
        balance += 9
    with database.read() as tx:
        assert enrolment.enrolment(tx, guest.id).balance == balance
        assert tx.scalar(select(func.sum(ledger_entry.c.points))) == balance
        assert tx.scalar(select(func.sum(lot.c.remaining))) == balance
        assert tx.scalar(select(func.count()).select_from(receipt)) == 2 * ROUNDS
        done = sum(one.status == 201 for one in said if one.what != "repeat")
        assert tx.scalar(select(func.count()).select_from(till_call)) == done + ROUNDS
